/* SPDX-License-Identifier: Apache-2.0 */
/* Macros: finding the definition that a call means (macros.c), and expanding it (expand.c). */
#ifndef BT_EXPAND_H
#define BT_EXPAND_H

#include "ast.h"

struct macro_table {
	struct diag_list *d;
	bool (*is_builtin)(const char *name);
	VEC(struct ast_macro *) macros;
};

/* What a call gives to a macro. */
struct macro_args {
	struct ast_expr *const *items;
	size_t len;
};

/* Adds macros, the first definition of a name and arguments alike; others are errors. */
void macros_add(struct macro_table *t, const struct ast_program *p);

/*
 * The definition of @name that takes @args, the script's own before those of the standard
 * library; with @stdlib_only the latter alone. NULL when there is none: reported at @at, with
 * the nearest definition, when the name is a macro's and nothing else's.
 */
const struct ast_macro *macros_find(struct macro_table *t, const char *name, struct macro_args args,
				    bool stdlib_only, struct span at);

#endif
