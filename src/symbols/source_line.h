/* SPDX-License-Identifier: Apache-2.0 */
/* source_line: from a place in the source to an address of a program. */
#ifndef BT_SOURCE_LINE_H
#define BT_SOURCE_LINE_H

#include <stddef.h>
#include <stdint.h>

struct source_place {
	const char *file; /* the whole path, or any number of its last parts */
	unsigned line;
	unsigned column; /* 0: any */
};

/*
 * The address, as linked, of the first statement at @where in the program at @path. Only files
 * that are compiled by themselves are looked at, not what they include. @dirs: see debug_file.h.
 * Returns 0, or -ENOENT with the reason in @err.
 */
int source_line_find(const char *path, const char *const *dirs, const struct source_place *where,
		     uint64_t *addr, char *err, size_t errlen);

#endif
