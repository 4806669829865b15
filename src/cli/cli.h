/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli: command line and environment; joins the two halves. The only room that prints usage.
 */
#ifndef BT_CLI_H
#define BT_CLI_H

/* The version of bpftrace whose behaviour ours is. */
#define CLI_BPFTRACE_VERSION "0.27.1"

/* The whole of the btrun command. Returns the process's exit status. */
int cli_main(int argc, char **argv);

#endif
