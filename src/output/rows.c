/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of maps, in order. */
#include <errno.h>
#include <stdlib.h>

#include "output/columns.h"

/* ---- the maps ----------------------------------------------------------------- */

static int compare_keys(const void *pa, const void *pb, void *arg)
{
	const struct map_row *a = pa, *b = pb;
	uint32_t size = *(const uint32_t *)arg;

	return memcmp(a->elem->key, b->elem->key, size);
}

static uint32_t key_size(const struct output *o, uint32_t map)
{
	uint32_t key = o->img->maps[map].key;

	return key == IMAGE_NONE ? 0 : o->img->types[key].size;
}

static int open_map(struct output *o, struct table_map *m, const struct output_table_map *from)
{
	uint32_t size = key_size(o, from->map);
	int err;

	m->map = from->map;
	err = map_rows_merge(o, &o->img->maps[from->map], from->elems, from->n, &m->rows);
	if (!err && size)
		qsort_r(m->rows.rows, m->rows.n, sizeof(*m->rows.rows), compare_keys, &size);
	return err;
}

static const struct table_map *map_of(const struct table_rows *t, uint32_t map)
{
	for (size_t i = 0; i < t->nmaps; i++)
		if (t->maps[i].map == map)
			return &t->maps[i];
	return NULL;
}

const struct map_row *table_find(const struct table_rows *t, uint32_t map,
				 const struct table_row *row)
{
	const struct table_map *m = map_of(t, map);
	struct output_elem elem = {.key = row->key};
	struct map_row wanted = {.elem = &elem};
	uint32_t size = key_size(t->out, map);
	size_t low = 0, high = m ? m->rows.n : 0;

	if (high && !size)
		return &m->rows.rows[0];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = compare_keys(&wanted, &m->rows.rows[middle], &size);

		if (!c)
			return &m->rows.rows[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* ---- the rows ------------------------------------------------------------------ */

static int compare_numbers(int64_t a, int64_t b, bool is_signed)
{
	if (is_signed)
		return a < b ? -1 : a > b;
	return (uint64_t)a<(uint64_t)b ? -1 : (uint64_t)a>(uint64_t) b;
}

static int compare_order(const struct table_rows *t, const struct column_value *a,
			 const struct column_value *b)
{
	const struct image_column *col = &t->out->img->columns[t->table->column];
	const struct image_type *type = &t->out->img->types[col->type];

	if (!a->bytes)
		return compare_numbers(a->n, b->n, type->flags & IMAGE_TF_SIGNED);
	if (type->kind == IMAGE_K_STRING) {
		uint32_t n = a->size < b->size ? a->size : b->size;
		int c = strncmp((const char *)a->bytes, (const char *)b->bytes, n);

		return c ? c : compare_numbers(a->size, b->size, false);
	}
	if (a->size != b->size) /* one of them is missing */
		return a->size ? 1 : -1;
	return a->size ? value_compare(t->out->img, col->type, a->bytes, b->bytes) : 0;
}

/* The greatest first; among equals the smaller key. */
static int compare_rows(const void *pa, const void *pb, void *arg)
{
	const struct table_rows *t = arg;
	const struct table_row *a = pa, *b = pb;
	int c = compare_order(t, &b->order, &a->order);

	if (c)
		return c;
	return value_compare(t->out->img, t->out->img->maps[t->action->map].key, a->key, b->key);
}

int table_open(struct table_rows *t, struct output *o, const struct image_action *a,
	       const void *payload, const struct output_table_map *maps, size_t nmaps)
{
	const struct table_map *rows;
	uint32_t size = 0;

	*t = (struct table_rows){.out = o, .action = a, .payload = payload};
	t->table = &o->img->tables[a->table];
	t->maps = calloc(nmaps + 1, sizeof(*t->maps));
	if (t->table->tuple != IMAGE_NONE)
		size = o->img->types[t->table->tuple].size;
	t->tuple = calloc(1, size + 1);
	if (!t->maps || !t->tuple)
		return -ENOMEM;
	for (; t->nmaps < nmaps; t->nmaps++)
		if (open_map(o, &t->maps[t->nmaps], &maps[t->nmaps]))
			return -ENOMEM;
	rows = map_of(t, a->map);
	t->n = rows ? rows->rows.n : 0;
	t->rows = calloc(t->n + 1, sizeof(*t->rows));
	if (!t->rows)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		t->rows[i].key = rows->rows.rows[i].elem->key;
		t->rows[i].order =
			column_compute(t, &t->rows[i], &o->img->columns[t->table->column]);
	}
	return 0;
}

void table_close(struct table_rows *t)
{
	for (size_t i = 0; i < t->nmaps; i++)
		map_rows_free(&t->maps[i].rows);
	free(t->maps);
	free(t->rows);
	free(t->tuple);
}

void table_fill(struct table_rows *t, const struct table_row *row)
{
	const struct image *img = t->out->img;
	const struct image_type *tuple;

	if (t->table->tuple == IMAGE_NONE)
		return;
	tuple = &img->types[t->table->tuple];
	for (uint32_t i = 0; i < tuple->count; i++) {
		const struct image_field *f = &img->fields[tuple->fields + i];
		struct column_value v =
			column_compute(t, row, &img->columns[t->table->column + 1 + i]);

		column_store(&img->types[f->type], &v, (uint8_t *)t->tuple + f->offset);
	}
}

static void failed(struct output *o, int err)
{
	o->out.err = o->out.err ? o->out.err : err;
}

static int show_rows(struct output *o, struct table_rows *t)
{
	uint64_t limit = t->action->arg[0];
	size_t n = limit && t->n > limit ? limit : t->n;

	qsort_r(t->rows, t->n, sizeof(*t->rows), compare_rows, t);
	for (size_t i = 0; i < n; i++) {
		table_fill(t, &t->rows[i]);
		o->format->row(o, t->action, t->tuple);
	}
	return 0;
}

void output_rows(struct output *o, const struct image_action *a, const void *payload,
		 const struct output_table_map *maps, size_t nmaps)
{
	struct table_rows t;
	int err = table_open(&t, o, a, payload, maps, nmaps);

	if (!err)
		err = a->kind == IMAGE_A_CYCLES ? cycles_show(o, &t) : show_rows(o, &t);
	if (err)
		failed(o, err);
	table_close(&t);
	output_written(o);
}
