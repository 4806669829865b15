/* SPDX-License-Identifier: Apache-2.0 */
/* Maps whose keys hold stacks, as one line a stack. Internal to the room. */
#ifndef BT_OUTPUT_FOLDED_H
#define BT_OUTPUT_FOLDED_H

#include "output/internal.h"

/* "comm;main;read;vfs_read_[k]", root first, and what its rows come to. */
struct folded_line {
	char *text;
	int64_t value;
};

struct folded {
	struct folded_line *lines;
	size_t n, cap;
};

/* Whether the map's key holds a stack and its values are numbers. */
bool folded_takes(const struct output *o, const struct image_map *m);
/*
 * Adds the map's rows, each beginning with frame @first unless that is NULL. Returns 0 or
 * -ENOMEM.
 */
int folded_add(struct output *o, struct folded *f, const char *first, const struct image_map *m,
	       const struct map_row *rows, size_t n, uint64_t divisor);
/* Sorts the lines; equal ones become one with the sum of their values. */
void folded_merge(struct folded *f);
void folded_free(struct folded *f);

#endif
