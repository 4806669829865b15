/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of maps and what is computed of them. Internal to the room. */
#ifndef BT_OUTPUT_COLUMNS_H
#define BT_OUTPUT_COLUMNS_H

#include "output/internal.h"

/* A number, or bytes that belong to the maps or the image. */
struct column_value {
	int64_t n;
	const uint8_t *bytes; /* NULL: a number */
	uint32_t size;        /* of bytes; 0: the map had no value */
};

/* An element of the map whose rows are shown. */
struct table_row {
	const uint8_t *key;
	struct column_value order;
};

/* A map that columns name, merged, sorted by the bytes of its keys. */
struct table_map {
	uint32_t map;
	struct map_rows rows;
};

struct table_rows {
	const struct output *out;
	const struct image_action *action;
	const struct image_table *table;
	const void *payload;
	struct table_map *maps;
	size_t nmaps;
	struct table_row *rows; /* in the order of their keys */
	size_t n;
	void *tuple; /* room for the columns of one row */
};

/* Merges the maps. Returns 0 or -ENOMEM; free with table_close() in both cases. */
int table_open(struct table_rows *t, struct output *o, const struct image_action *a,
	       const void *payload, const struct output_table_map *maps, size_t nmaps);
void table_close(struct table_rows *t);
/* The value of row @map of MAPS at the key of @row, NULL: none. */
const struct map_row *table_find(const struct table_rows *t, uint32_t map,
				 const struct table_row *row);
/* Computes column @col of @row. */
struct column_value column_compute(const struct table_rows *t, const struct table_row *row,
				   const struct image_column *col);
/* Lays @v out as a value of type @t at @to. */
void column_store(const struct image_type *t, const struct column_value *v, void *to);
/* Fills t->tuple with the columns of @row. */
void table_fill(struct table_rows *t, const struct table_row *row);

/* Shows the cycles of the graph whose edges are the rows. Returns 0 or -ENOMEM. */
int cycles_show(struct output *o, struct table_rows *t);

#endif
