/* SPDX-License-Identifier: Apache-2.0 */
/* From the elements of a map to rows: the CPUs' values merged, the rows in order. */
#include <errno.h>
#include <stdlib.h>

#include "output/internal.h"

bool is_aggregation(const struct image_type *t)
{
	return t->kind >= IMAGE_K_COUNT && t->kind <= IMAGE_K_TSERIES;
}

bool is_histogram(const struct image_type *t)
{
	return t->kind == IMAGE_K_HIST || t->kind == IMAGE_K_LHIST;
}

uint32_t histogram_buckets(const struct image_type *t)
{
	return t->kind == IMAGE_K_HIST ? image_hist_buckets(t->arg[0])
				       : image_lhist_buckets(t->arg[0], t->arg[1], t->arg[2]);
}

int64_t load_int(const void *p, uint32_t size, bool is_signed)
{
	uint64_t v = 0;
	unsigned unused = 64 - size * 8;

	memcpy(&v, p, size);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v >>= unused;
#endif
	if (!is_signed)
		return v;
	return (int64_t)(v << unused) >> unused;
}

int64_t divide(int64_t v, uint64_t divisor, bool is_signed)
{
	if (divisor <= 1)
		return v;
	if (!is_signed)
		return (uint64_t)v / divisor;
	return divisor > INT64_MAX ? 0 : v / (int64_t)divisor;
}

static int64_t average(const struct map_row *r, bool is_signed)
{
	return r->count ? divide(r->total, r->count, is_signed) : 0;
}

int64_t map_row_number(const struct image_type *t, const struct map_row *r, uint64_t divisor)
{
	bool is_signed = t->flags & IMAGE_TF_SIGNED && t->kind != IMAGE_K_COUNT;
	bool averaged = t->kind == IMAGE_K_AVG || t->kind == IMAGE_K_STATS;

	return divide(averaged ? average(r, is_signed) : r->total, divisor, is_signed);
}

/* ---- merging ---------------------------------------------------------------- */

struct merge {
	const struct image_type *type;
	bool is_signed;
	uint32_t nbuckets;
};

static uint64_t word(const void *p, unsigned i)
{
	uint64_t v;

	memcpy(&v, (const char *)p + i * 8, 8);
	return v;
}

static void merge_sum(const struct merge *m, struct map_row *r, const void *value)
{
	(void)m;
	r->total = (uint64_t)r->total + word(value, 0);
}

static void merge_avg(const struct merge *m, struct map_row *r, const void *value)
{
	merge_sum(m, r, value);
	r->count += word(value, 1);
}

static bool less(const struct merge *m, int64_t a, int64_t b)
{
	return m->is_signed ? a < b : (uint64_t)a < (uint64_t)b;
}

static void merge_min(const struct merge *m, struct map_row *r, const void *value)
{
	int64_t v = word(value, 0);

	if (!word(value, 1))
		return;
	if (!r->count || less(m, v, r->total))
		r->total = v;
	r->count = 1;
}

static void merge_max(const struct merge *m, struct map_row *r, const void *value)
{
	int64_t v = word(value, 0);

	if (!word(value, 1))
		return;
	if (!r->count || less(m, r->total, v))
		r->total = v;
	r->count = 1;
}

static void merge_hist(const struct merge *m, struct map_row *r, const void *value)
{
	for (uint32_t i = 0; i < m->nbuckets; i++) {
		r->buckets[i] += word(value, i);
		r->total += word(value, i);
	}
}

static void merge_tseries(const struct merge *m, struct map_row *r, const void *value)
{
	tseries_merge(m->type, r->slots, value);
}

typedef void merge_fn(const struct merge *m, struct map_row *r, const void *value);

static merge_fn *const merges[IMAGE_NKINDS] = {
	[IMAGE_K_COUNT] = merge_sum,       [IMAGE_K_SUM] = merge_sum,
	[IMAGE_K_MIN] = merge_min,         [IMAGE_K_MAX] = merge_max,
	[IMAGE_K_AVG] = merge_avg,         [IMAGE_K_STATS] = merge_avg,
	[IMAGE_K_HIST] = merge_hist,       [IMAGE_K_LHIST] = merge_hist,
	[IMAGE_K_TSERIES] = merge_tseries,
};

static void read_row(const struct output *o, const struct image_map *m, const struct merge *how,
		     struct map_row *r)
{
	const struct image_type *t = how->type;
	unsigned n = m->flags & IMAGE_MAP_PERCPU ? o->opts.ncpus : 1;
	size_t stride = (t->size + 7) & ~(size_t)7;

	r->value = r->elem->value;
	if (t->kind == IMAGE_K_INT)
		r->total = load_int(r->value, t->size, how->is_signed);
	if (!merges[t->kind])
		return;
	for (unsigned cpu = 0; cpu < n; cpu++)
		merges[t->kind](how, r, (const char *)r->value + cpu * stride);
}

/* ---- order -------------------------------------------------------------------- */

static int compare_int(int64_t a, int64_t b, bool is_signed)
{
	if (is_signed)
		return a < b ? -1 : a > b;
	return (uint64_t)a<(uint64_t)b ? -1 : (uint64_t)a>(uint64_t) b;
}

static int compare_parts(const struct image *img, const struct image_type *t, const uint8_t *a,
			 const uint8_t *b)
{
	for (uint32_t i = 0; i < t->count; i++) {
		const struct image_field *f = &img->fields[t->fields + i];
		int c;

		if (f->bit_size)
			c = compare_int(field_int(img, f, a), field_int(img, f, b),
					img->types[f->type].flags & IMAGE_TF_SIGNED);
		else
			c = value_compare(img, f->type, a + f->offset, b + f->offset);
		if (c)
			return c;
	}
	return 0;
}

static int compare_elems(const struct image *img, const struct image_type *t, const uint8_t *a,
			 const uint8_t *b)
{
	uint32_t size = img->types[t->elem].size;

	for (uint32_t i = 0; i < t->count; i++) {
		int c = value_compare(img, t->elem, a + (size_t)i * size, b + (size_t)i * size);

		if (c)
			return c;
	}
	return 0;
}

int value_compare(const struct image *img, uint32_t type, const uint8_t *a, const uint8_t *b)
{
	const struct image_type *t = &img->types[type];

	switch (t->kind) {
	case IMAGE_K_INT:
	case IMAGE_K_ENUM:
	case IMAGE_K_USERNAME:
		return compare_int(load_int(a, t->size, t->flags & IMAGE_TF_SIGNED),
				   load_int(b, t->size, t->flags & IMAGE_TF_SIGNED),
				   t->flags & IMAGE_TF_SIGNED);
	case IMAGE_K_POINTER:
	case IMAGE_K_KSYM:
	case IMAGE_K_TIMESTAMP:
	case IMAGE_K_CGROUP_PATH:
		return compare_int(load_int(a, 8, false), load_int(b, 8, false), false);
	case IMAGE_K_PROBE:
	case IMAGE_K_DISK:
		return compare_int(load_int(a, 4, false), load_int(b, 4, false), false);
	case IMAGE_K_STRUCT:
	case IMAGE_K_TUPLE:
	case IMAGE_K_RECORD:
		return compare_parts(img, t, a, b);
	case IMAGE_K_ARRAY:
		return compare_elems(img, t, a, b);
	default:
		return memcmp(a, b, t->size);
	}
}

struct order {
	const struct image *img;
	const struct image_map *map;
	bool by_value, by_average, is_signed;
};

static int compare_rows(const void *pa, const void *pb, void *arg)
{
	const struct map_row *a = pa, *b = pb;
	const struct order *order = arg;
	int c = 0;

	if (order->by_average)
		c = compare_int(average(a, order->is_signed), average(b, order->is_signed),
				order->is_signed);
	else if (order->by_value)
		c = compare_int(a->total, b->total, order->is_signed);
	if (c || order->map->key == IMAGE_NONE)
		return c;
	return value_compare(order->img, order->map->key, a->elem->key, b->elem->key);
}

static void sort_rows(const struct output *o, const struct image_map *m, const struct merge *how,
		      struct map_rows *r)
{
	unsigned kind = how->type->kind;
	struct order order = {
		.img = o->img,
		.map = m,
		.by_average = kind == IMAGE_K_AVG || kind == IMAGE_K_STATS,
		.by_value = kind == IMAGE_K_INT || (merges[kind] && kind != IMAGE_K_TSERIES),
		.is_signed = how->is_signed,
	};

	qsort_r(r->rows, r->n, sizeof(*r->rows), compare_rows, &order);
}

static struct merge merge_of(const struct output *o, const struct image_map *m)
{
	struct merge how = {.type = &o->img->types[m->value]};

	how.is_signed = how.type->flags & IMAGE_TF_SIGNED && how.type->kind != IMAGE_K_COUNT;
	return how;
}

int map_rows_merge(const struct output *o, const struct image_map *m,
		   const struct output_elem *elems, size_t n, struct map_rows *out)
{
	struct merge how = merge_of(o, m);
	uint64_t nslots = 0, last;

	if (is_histogram(how.type))
		how.nbuckets = histogram_buckets(how.type);
	*out = (struct map_rows){.n = n};
	out->rows = calloc(n + 1, sizeof(*out->rows));
	out->buckets = calloc(n * how.nbuckets + 1, sizeof(*out->buckets));
	if (how.type->kind == IMAGE_K_TSERIES)
		nslots = how.type->arg[1];
	out->slots = calloc(n * nslots + 1, sizeof(*out->slots));
	if (!out->rows || !out->buckets || !out->slots) {
		map_rows_free(out);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		out->rows[i].elem = &elems[i];
		out->rows[i].buckets = out->buckets + i * how.nbuckets;
		out->rows[i].slots = out->slots + i * nslots;
		read_row(o, m, &how, &out->rows[i]);
		last = nslots ? tseries_last(how.type, out->rows[i].slots) : 0;
		if (last > out->last_epoch)
			out->last_epoch = last;
	}
	return 0;
}

int map_rows_read(const struct output *o, const struct image_map *m,
		  const struct output_elem *elems, size_t n, struct map_rows *out)
{
	struct merge how = merge_of(o, m);
	int err = map_rows_merge(o, m, elems, n, out);

	if (!err)
		sort_rows(o, m, &how, out);
	return err;
}

void map_rows_free(struct map_rows *r)
{
	free(r->rows);
	free(r->buckets);
	free(r->slots);
}
