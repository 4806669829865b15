/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one program to the other, in the same process: btrun runs, btrun-compile compiles.
 * What is handed on lies in a memory file; the compiler's memory is gone when the run begins.
 */
#ifndef BT_CLI_HANDOVER_H
#define BT_CLI_HANDOVER_H

#include <stddef.h>

#include "cli/times.h"

/*
 * Becomes btrun-compile, which gets the arguments @argv (ends with NULL), unless NULL the @size
 * bytes of the script at @text, and what @times measured so far. Returns only after a failure,
 * which it has explained.
 */
int handover_to_compiler(char *const *argv, const char *text, size_t size,
			 const struct times *times);
/* The real path of btrun-compile into @path (PATH_MAX bytes). Returns 0 or a negative errno. */
int handover_compiler_path(char *path);
/* Likewise that of btrun-run. */
int handover_runner_path(char *path);
/* Becomes btrun, which runs the image. Returns only after a failure, which it has explained. */
int handover_to_runner(char *const *argv, const void *image, size_t size,
		       const struct times *times);
/*
 * Reads all of the memory file @fd that was handed over and closes it. Returns the bytes with a
 * NUL added (malloc, 8-byte aligned), their number in *@size, or NULL with errno set.
 */
char *handover_take(int fd, size_t *size);

#endif
