/* SPDX-License-Identifier: Apache-2.0 */
/* The table of builtins: rows of builtins.def, found by name. */
#include <ctype.h>
#include <string.h>

#include "sema.h"

static const struct builtin rows[] = {
#define BUILTIN(id, name, flags, min, max, check, emit) {BUILTIN_##id, name, flags, min, max},
#include "sema/builtins.def"
#undef BUILTIN
};

static const char *const names[] = {
#define BUILTIN(id, name, flags, min, max, check, emit) name,
#include "sema/builtins.def"
#undef BUILTIN
	NULL};

/* arg0, arg12: "arg", then one or two digits without a leading zero */
static bool is_argn(const char *name)
{
	const char *d = name + 3;

	if (strncmp(name, "arg", 3) || !isdigit((unsigned char)*d))
		return false;
	if (!d[1])
		return true;
	return *d != '0' && isdigit((unsigned char)d[1]) && !d[2];
}

/*
 * "__builtin_pid" is pid whatever macros the script defines, which is how a macro called pid
 * gets at it.
 */
static const char *plain(const char *name)
{
	static const char prefix[] = "__builtin_";
	size_t n = sizeof(prefix) - 1;

	return strncmp(name, prefix, n) ? name : name + n;
}

const struct builtin *builtin_find(const char *name)
{
	name = plain(name);
	if (is_argn(name))
		return &rows[BUILTIN_ARGN];
	for (size_t i = 0; i < BUILTIN_COUNT_; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

const char *const *builtin_names(void)
{
	return names;
}
