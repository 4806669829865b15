/* SPDX-License-Identifier: Apache-2.0 */
/* Names of C++ and Rust as their sources spell them, by libiberty. */
#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/internal.h"

#define NAME_MAX_LENGTH 65536 /* longer ones are shown as they are */

char *symbols_demangle(const char *name)
{
	const int options = DMGL_PARAMS | DMGL_ANSI;
	char *text = NULL;

	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R') || strlen(name) > NAME_MAX_LENGTH)
		return NULL;
	text = rust_demangle(name, options);
	return text ? text : cplus_demangle_v3(name, options);
}
