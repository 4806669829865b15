/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the command line: scripts read whole, products written whole or not at all.
 */
#ifndef BT_CLI_FILES_H
#define BT_CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads all of @path ("-": standard input). Returns the bytes with a NUL added (malloc,
 * 8-byte aligned) and their number in *@size, or NULL after printing what is wrong.
 */
char *cli_read_file(const char *path, size_t *size);

/* A file being written under a temporary name in the same directory. */
struct cli_product {
	const char *path; /* what it is to become; the caller keeps it */
	char *temp;       /* what it is called for now; @path itself for devices and pipes */
};

/* Creates the temporary file. Returns 0, or a negative errno after printing what is wrong. */
int cli_product_begin(struct cli_product *p, const char *path);
/* Gives it its name. Returns 0, or a negative errno after printing; the file is gone then. */
int cli_product_commit(struct cli_product *p);
/* Removes what was not committed. May be called after any of the others. */
void cli_product_abandon(struct cli_product *p);
/* Begin, write @size bytes at @data, commit. */
int cli_write_file(const char *path, const void *data, size_t size);
/* The same; the file may be executed. */
int cli_write_program(const char *path, const void *data, size_t size);

#endif
