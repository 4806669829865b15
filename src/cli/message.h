/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the command line to standard error, coloured where a person reads them.
 */
#ifndef BT_CLI_MESSAGE_H
#define BT_CLI_MESSAGE_H

#include <stdio.h>

/* The name that the command was called by: "bpftrace" where it stands in for that, "btrun". */
const char *cli_name(void);
/*
 * The versions of btrun and of the bpftrace that it follows: first that of the one that it was
 * called by the name of, where programs look for it.
 */
void cli_print_versions(FILE *out);
/* "ERROR: ..." and "WARNING: ..." with a newline added. */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
