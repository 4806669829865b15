/* SPDX-License-Identifier: Apache-2.0 */
/* Making types: basic ones, shared ones, layouts of aggregates. */
#include "types/types_internal.h"

#include <string.h>

#define DEFAULT_MAX_STRLEN 1024
#define LENGTH(a)          (sizeof(a) / sizeof(*(a)))

struct kind_layout {
	uint8_t size, align;
	bool aggregate;   /* held in memory, not in a register */
	bool aggregation; /* as a map's value only */
};

static const struct kind_layout layouts[IMAGE_NKINDS] = {
	[IMAGE_K_BOOL] = {1, 1},
	[IMAGE_K_STRING] = {.align = 1, .aggregate = true},
	[IMAGE_K_BUFFER] = {.align = 4, .aggregate = true},
	[IMAGE_K_POINTER] = {8, 8},
	[IMAGE_K_ARRAY] = {.aggregate = true},
	[IMAGE_K_STRUCT] = {.aggregate = true},
	[IMAGE_K_UNION] = {.aggregate = true},
	[IMAGE_K_TUPLE] = {.aggregate = true},
	[IMAGE_K_RECORD] = {.aggregate = true},
	[IMAGE_K_KSTACK] = {8, 8},
	[IMAGE_K_USTACK] = {16, 8, .aggregate = true},
	[IMAGE_K_KSYM] = {8, 8},
	[IMAGE_K_USYM] = {16, 8, .aggregate = true},
	[IMAGE_K_INET] = {20, 4, .aggregate = true},
	[IMAGE_K_MAC] = {6, 1, .aggregate = true},
	[IMAGE_K_USERNAME] = {8, 8},
	[IMAGE_K_TIMESTAMP] = {8, 8},
	[IMAGE_K_CGROUP_PATH] = {8, 8},
	[IMAGE_K_PROBE] = {4, 4},
	[IMAGE_K_DISK] = {4, 4},
	[IMAGE_K_LOADAVG] = {8, 8},
	[IMAGE_K_MEMINFO] = {8, 8},
	[IMAGE_K_COUNT] = {8, 8, .aggregation = true},
	[IMAGE_K_SUM] = {8, 8, .aggregation = true},
	[IMAGE_K_MIN] = {16, 8, .aggregation = true},
	[IMAGE_K_MAX] = {16, 8, .aggregation = true},
	[IMAGE_K_AVG] = {16, 8, .aggregation = true},
	[IMAGE_K_STATS] = {16, 8, .aggregation = true},
	[IMAGE_K_HIST] = {.align = 8, .aggregation = true},
	[IMAGE_K_LHIST] = {.align = 8, .aggregation = true},
	[IMAGE_K_TSERIES] = {.align = 8, .aggregation = true},
};

struct types *types_new(struct arena *a, struct target *t)
{
	struct types *ts = arena_new_of(a, struct types);

	ts->arena = a;
	ts->target = t;
	ts->max_strlen = DEFAULT_MAX_STRLEN;
	return ts;
}

void types_set_max_strlen(struct types *ts, uint32_t size)
{
	ts->max_strlen = size;
	ts->string_read = NULL;
}

/* ---- the table of shared types -------------------------------------------- */

static struct type_table_slot *probe_slot(const struct type_table *t, uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	uint32_t i = h >> 32 & (t->size - 1);

	while (t->slots[i].b && (t->slots[i].a != a || t->slots[i].b != b))
		i = (i + 1) & (t->size - 1);
	return &t->slots[i];
}

static void grow_table(struct types *ts)
{
	struct type_table bigger = {.size = ts->table.size ? ts->table.size * 2 : 64,
				    .used = ts->table.used};

	bigger.slots = arena_alloc(ts->arena, bigger.size * sizeof(*bigger.slots));
	for (uint32_t i = 0; i < ts->table.size; i++) {
		const struct type_table_slot *s = &ts->table.slots[i];

		if (s->b)
			*probe_slot(&bigger, s->a, s->b) = *s;
	}
	ts->table = bigger;
}

struct type **type_table_slot(struct types *ts, uint64_t a, uint64_t b)
{
	struct type_table_slot *s;

	if (ts->table.used * 2 >= ts->table.size)
		grow_table(ts);
	s = probe_slot(&ts->table, a, b);
	if (!s->b) {
		s->a = a;
		s->b = b;
		ts->table.used++;
	}
	return &s->type;
}

/* ---- basic types ------------------------------------------------------------ */

struct type *type_new(struct types *ts, enum image_kind kind, uint32_t size, uint32_t align)
{
	struct type *t = arena_new_of(ts->arena, struct type);

	t->kind = kind;
	t->size = size;
	t->align = align;
	return t;
}

struct type *type_int(struct types *ts, unsigned size, bool is_signed)
{
	struct type **t = &ts->ints[is_signed][size];

	if (!*t) {
		*t = type_new(ts, IMAGE_K_INT, size, size);
		(*t)->is_signed = is_signed;
	}
	return *t;
}

struct type *type_simple(struct types *ts, enum image_kind kind)
{
	struct type **t = &ts->simple[kind];

	if (!*t)
		*t = type_new(ts, kind, layouts[kind].size,
			      layouts[kind].align ? layouts[kind].align : 1);
	return *t;
}

struct type *type_string(struct types *ts, uint32_t size)
{
	struct type **t = type_table_slot(ts, size, TYPE_KEY(KEY_STRING, 0));

	if (!*t)
		*t = type_new(ts, IMAGE_K_STRING, size, 1);
	return *t;
}

struct type *type_buffer(struct types *ts, uint32_t size)
{
	struct type **t = type_table_slot(ts, size, TYPE_KEY(KEY_BUFFER, 0));

	if (!*t)
		*t = type_new(ts, IMAGE_K_BUFFER, sizeof(uint32_t) + ((size + 3) & ~3u),
			      sizeof(uint32_t));
	return *t;
}

/* The byte more than asked for tells a string that was cut from one that just fits. */
struct type *type_string_read(struct types *ts)
{
	if (!ts->string_read) {
		bool small = ts->max_strlen < DEFAULT_MAX_STRLEN;

		ts->string_read = type_new(ts, IMAGE_K_STRING, ts->max_strlen + small, 1);
		ts->string_read->arg[0] = 1;
	}
	return ts->string_read;
}

struct type *type_pointer(struct types *ts, struct type *to, enum type_space space)
{
	struct type **t = type_table_slot(ts, (uintptr_t)to, TYPE_KEY(KEY_POINTER, space));

	if (!*t) {
		*t = type_new(ts, IMAGE_K_POINTER, 8, 8);
		(*t)->elem = to;
		(*t)->space = space;
	}
	return *t;
}

struct type *type_array(struct types *ts, struct type *elem, uint32_t count)
{
	struct type **t = type_table_slot(ts, (uintptr_t)elem, (uint64_t)KEY_ARRAY << 32 | count);

	if (!*t) {
		*t = type_new(ts, IMAGE_K_ARRAY, elem->size * count, elem->align);
		(*t)->elem = elem;
		(*t)->count = count;
	}
	return *t;
}

static struct type *lay_out(struct types *ts, enum image_kind kind, struct type *const *elems,
			    const char *const *names, size_t n)
{
	struct type *t = type_new(ts, kind, 0, 1);

	for (size_t i = 0; i < n; i++) {
		uint32_t align = elems[i]->align ? elems[i]->align : 1;
		struct type_field f = {.name = names ? names[i] : "", .type = elems[i]};

		t->size = (t->size + align - 1) / align * align;
		f.offset = t->size;
		t->size += elems[i]->size;
		if (align > t->align)
			t->align = align;
		vec_push(ts->arena, &t->fields, f);
	}
	t->size = (t->size + t->align - 1) / t->align * t->align;
	return t;
}

struct type *type_tuple(struct types *ts, struct type *const *elems, size_t n)
{
	return lay_out(ts, IMAGE_K_TUPLE, elems, NULL, n);
}

struct type *type_record(struct types *ts, struct type *const *elems, const char *const *names,
			 size_t n)
{
	return lay_out(ts, IMAGE_K_RECORD, elems, names, n);
}

struct type *type_copy(struct types *ts, const struct type *t)
{
	struct type *copy = arena_new_of(ts->arena, struct type);

	*copy = *t;
	/* a later push must not write into the original's storage */
	copy->fields.cap = copy->fields.len;
	copy->enumerators.cap = copy->enumerators.len;
	copy->image_index = 0;
	return copy;
}

struct type *type_aggregation(struct types *ts, enum image_kind kind, bool is_signed, int64_t a0,
			      int64_t a1, int64_t a2)
{
	struct type *t = type_new(ts, kind, layouts[kind].size, layouts[kind].align);

	t->is_signed = is_signed;
	t->arg[0] = a0;
	t->arg[1] = a1;
	t->arg[2] = a2;
	if (kind == IMAGE_K_HIST)
		t->size = image_hist_buckets(a0) * sizeof(uint64_t);
	else if (kind == IMAGE_K_LHIST)
		t->size = image_lhist_buckets(a0, a1, a2) * sizeof(uint64_t);
	else if (kind == IMAGE_K_TSERIES)
		t->size = image_tseries_size(a0, a1);
	return t;
}

/* ---- questions -------------------------------------------------------------- */

bool type_is_int(const struct type *t)
{
	return t->kind == IMAGE_K_INT || t->kind == IMAGE_K_BOOL || t->kind == IMAGE_K_ENUM;
}

bool type_is_aggregate(const struct type *t)
{
	return layouts[t->kind].aggregate;
}

bool type_is_aggregation(const struct type *t)
{
	return layouts[t->kind].aggregation;
}

static bool names_equal(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static bool fields_equal(const struct type *a, const struct type *b)
{
	if (a->fields.len != b->fields.len)
		return false;
	for (size_t i = 0; i < a->fields.len; i++) {
		const struct type_field *f = &a->fields.items[i], *g = &b->fields.items[i];

		if (f->offset != g->offset || !names_equal(f->name, g->name) ||
		    !type_equal(f->type, g->type))
			return false;
	}
	return true;
}

/* Named structs are one when their names are; others are compared field by field. */
static bool structs_equal(const struct type *a, const struct type *b)
{
	if (!names_equal(a->name, b->name))
		return false;
	if (a->btf_id && b->btf_id)
		return a->btf_id == b->btf_id;
	return (a->name && *a->name) || fields_equal(a, b);
}

static bool elems_equal(const struct type *a, const struct type *b)
{
	return a->elem && b->elem ? type_equal(a->elem, b->elem) : a->elem == b->elem;
}

bool type_equal(const struct type *a, const struct type *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind)
		return false;
	if (a->kind == IMAGE_K_STRUCT || a->kind == IMAGE_K_UNION)
		return structs_equal(a, b);
	if (a->size != b->size || a->is_signed != b->is_signed || a->count != b->count)
		return false;
	if (memcmp(a->arg, b->arg, sizeof(a->arg)) || !elems_equal(a, b))
		return false;
	if (a->kind == IMAGE_K_ENUM || a->kind == IMAGE_K_TIMESTAMP)
		return names_equal(a->name, b->name);
	return fields_equal(a, b);
}
