/* SPDX-License-Identifier: Apache-2.0 */
/* One row a kind of type: its name and what is checked of it. Internal to the room. */
#ifndef BT_IMAGE_KINDS_H
#define BT_IMAGE_KINDS_H

#include "image/image.h"

enum kind_flags {
	KIND_INT_SIZE = 1,    /* size is 1, 2, 4 or 8 */
	KIND_ELEM_TYPE = 2,   /* elem is a row of TYPES before this one */
	KIND_OPT_TYPE = 4,    /* the same, or IMAGE_NONE */
	KIND_ELEM_MAP = 8,    /* elem is a row of MAPS with IMAGE_MAP_STACKS */
	KIND_FIELDS = 16,     /* fields, count: rows of FIELDS */
	KIND_ENUMS = 32,      /* fields, count: rows of ENUMS */
	KIND_AGGREGATION = 64 /* only as a map's value */
};

struct kind_row {
	const char *name;
	uint32_t min_size; /* bytes that are read when one is shown */
	unsigned flags;
	bool refused; /* no layout yet */
};

extern const struct kind_row image_kinds[IMAGE_NKINDS];

#endif
