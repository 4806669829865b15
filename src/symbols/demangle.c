/* SPDX-License-Identifier: Apache-2.0 */
/* Names of C++ and Rust as their sources spell them, by libiberty. */
#include <libiberty/demangle.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/demangle.h"

#define NAME_MAX_LENGTH 65536 /* longer ones are shown as they are */

static bool may_be_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R') &&
	       strnlen(name, NAME_MAX_LENGTH + 1) <= NAME_MAX_LENGTH;
}

char *symbols_demangle(const char *name)
{
	const int options = DMGL_PARAMS | DMGL_ANSI;
	char *text = NULL;

	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R') || strlen(name) > NAME_MAX_LENGTH)
		return NULL;
	text = rust_demangle(name, options);
	return text ? text : cplus_demangle_v3(name, options);
}

char *symbols_demangle_as(const char *name, enum demangle_form form)
{
	static const int options[DEMANGLE_FORMS] = {
		[DEMANGLE_FULL] = DMGL_PARAMS | DMGL_ANSI,
		[DEMANGLE_NO_RESULT] = DMGL_PARAMS | DMGL_ANSI | DMGL_RET_DROP,
		[DEMANGLE_NAME] = DMGL_ANSI,
	};

	return may_be_mangled(name) ? cplus_demangle_v3(name, options[form]) : NULL;
}
