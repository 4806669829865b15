/* SPDX-License-Identifier: Apache-2.0 */
/* xz: what .gnu_debugdata is compressed with; liblzma is loaded when there is any. */
#ifndef BT_XZ_H
#define BT_XZ_H

#include <stddef.h>

/* Expands @size bytes at @data (malloc); NULL without liblzma, or where they are damaged. */
void *xz_expand(const void *data, size_t size, size_t *expanded);

#endif
