/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --info: the system, the build, the kernel's features.
 */
#ifndef BT_CLI_INFO_H
#define BT_CLI_INFO_H

#include <stdio.h>

#include "target/target.h"

void cli_print_info(struct target *t, FILE *out);

#endif
