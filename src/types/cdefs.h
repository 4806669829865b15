/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cdefs: the C definitions of a script (#include, #define, struct, union, enum), read by
 * libclang.
 *
 * Takes the text that the parser kept and hands its types and constants to struct types, where
 * types_lookup() and types_find_constant() find them before those of BTF.
 */
#ifndef BT_CDEFS_H
#define BT_CDEFS_H

#include "ast.h"
#include "types/types.h"

struct cdefs_options {
	const char *const *dirs;  /* -I, NULL-terminated; may be NULL */
	const char *const *files; /* --include, likewise */
};

/*
 * Reads the definitions of @p, and files of --include, into @ts. What they name without
 * defining it comes from BTF; headers of the kernel that are not there count as empty where
 * there is BTF. Errors go to @d, at the script's own lines. Returns 0, or -EINVAL after an
 * error. Nothing is loaded or read when there are no definitions.
 */
int cdefs_read(struct types *ts, struct diag_list *d, const struct ast_program *p,
	       const struct cdefs_options *o);

#endif
