/* SPDX-License-Identifier: Apache-2.0 */
/* What several files of the command line need of the system: whole reads and writes, our own place.
 */
#ifndef BT_CLI_IO_H
#define BT_CLI_IO_H

#include <stddef.h>
#include <sys/types.h>

/* Writes all @size bytes. Returns 0 or a negative errno. */
int io_write(int fd, const void *data, size_t size);
/* Reads @size bytes from position @at. Returns 0, or a negative errno: -EIO where the file ends. */
int io_read(int fd, void *data, size_t size, off_t at);
/* The directory that this program lies in, into @path (PATH_MAX bytes). 0 or a negative errno. */
int io_own_directory(char *path);

#endif
