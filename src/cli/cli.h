/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli: command line and environment; joins the two halves. The only room that prints usage.
 */
#ifndef BT_CLI_H
#define BT_CLI_H

/* The whole of the btrun command. Returns the process's exit status. */
int cli_main(int argc, char **argv);

#endif
