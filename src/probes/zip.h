/* SPDX-License-Identifier: Apache-2.0 */
/* Files in ZIP archives. */
#ifndef BT_PROBES_ZIP_H
#define BT_PROBES_ZIP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Finds file @name in the archive of @size bytes at @zip: where its data begins and how many bytes
 * it has. Returns 0; -ENOENT: there is none; -ENOEXEC: it is compressed or encrypted there, or this
 * is no archive.
 */
int zip_find_stored(const void *zip, size_t size, const char *name, uint64_t *offset,
		    size_t *length);

#endif
