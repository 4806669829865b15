/* SPDX-License-Identifier: Apache-2.0 */
/* The bundled scripts, which are found by name. */
#ifndef BT_CLI_TOOLS_H
#define BT_CLI_TOOLS_H

#include <stdio.h>

/*
 * The path of the bundled script called @name (malloc; the caller frees), NULL where there is
 * none.
 */
char *tools_find(const char *name);
/* Prints each with what its first comment says it does. Returns 0 or a negative errno. */
int tools_list(FILE *out);

#endif
