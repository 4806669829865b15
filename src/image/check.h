/* SPDX-License-Identifier: Apache-2.0 */
/* The state of opening an image. Internal to the room. */
#ifndef BT_IMAGE_CHECK_H
#define BT_IMAGE_CHECK_H

#include "image/kinds.h"

struct checker {
	struct image *img;
	char *err;
	size_t errlen;
	uint32_t *cells, *depth; /* of each type checked so far */
};

/* Says why in the caller's buffer; returns -EINVAL. */
int image_refuse(struct checker *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Looks at row @row of a table: 0, or -EINVAL with the reason told. */
typedef int image_check_fn(struct checker *c, uint32_t row);
/* Each of @n rows, until one is refused. 0 or -EINVAL. */
int image_check_rows(struct checker *c, uint32_t n, image_check_fn *check);
/* That tables, columns and operations name rows that there are. 0 or -EINVAL. */
int image_check_columns(struct checker *c);
/* Of what passed that, the table of action @a, row @row: its columns and all that they compute. 0
 * or -EINVAL. */
int image_check_table(struct checker *c, uint32_t row, const struct image_action *a);

/* The tables of portable images. 0 or -EINVAL. */
int image_check_portable(struct checker *c);

static inline bool has_string(const struct checker *c, uint32_t off)
{
	return off < c->img->strings_size; /* the section ends with a NUL */
}

static inline bool has_rows(uint32_t first, uint32_t count, uint32_t n)
{
	return first <= n && count <= n - first;
}

#endif
