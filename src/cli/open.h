/* SPDX-License-Identifier: Apache-2.0 */
/* What both programs do before and after their work. */
#ifndef BT_CLI_OPEN_H
#define BT_CLI_OPEN_H

#include "cli/options.h"
#include "target/target.h"

/* Whether the caller may trace: 0, or -EPERM after saying that it may not. */
int cli_check_privileges(void);
/*
 * The running kernel as the options want it seen (--target-kernel, --no-feature, -p), when the
 * caller may trace it. Free with target_close(). NULL after printing what is in the way.
 */
struct target *cli_open_target(const struct cli_options *o);
/* A full disk behind standard output is a failure like any other: the exit status, with it. */
int cli_flush_stdout(int status);

#endif
