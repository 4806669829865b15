/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The macros of the standard library (src/stdlib/, part of the program). They are looked at only
 * when a script uses the name of one.
 */
#ifndef BT_LIBRARY_H
#define BT_LIBRARY_H

#include "parser.h"

struct stdlib {
	VEC(const char *) names; /* of all its macros */
	bool named, loaded;
};

/* Whether @name is that of a macro which is not loaded yet. */
bool stdlib_offers(struct stdlib *s, struct arena *a, const char *name);
/* Parses file @i, from 0, into its program; NULL after the last one. */
struct ast_program *stdlib_parse(struct diag_list *d, size_t i);

#endif
