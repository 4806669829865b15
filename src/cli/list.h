/* SPDX-License-Identifier: Apache-2.0 */
/*
 * -l: the probes of the kernel, or those of a script.
 */
#ifndef BT_CLI_LIST_H
#define BT_CLI_LIST_H

#include <stdbool.h>

#include "sema/sema.h"
#include "target/target.h"

/*
 * Prints the probes that match @search: patterns separated by commas, "" or NULL for all; a
 * pattern without a colon is looked for in all probe types, "struct NAME" among the types.
 * @verbose: their arguments too. Returns 0 or a negative errno after printing what is wrong.
 */
int cli_list_search(struct target *t, const char *search, bool verbose);
/* Prints the probes of an analysed script, without begin, end and the like. */
int cli_list_script(struct target *t, const struct sema_result *r, bool verbose);

#endif
