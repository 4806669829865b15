/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening an image: everything that a reader follows later (offsets, indices, strings,
 * sizes) is checked here once, so that a damaged or hostile file is refused, not run.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/check.h"

#define MAX_TYPE_SIZE  (1u << 26)
#define MAX_TYPE_DEPTH 64
/* Values shown for one value of a type: bounds the work that a nest of types can ask for. */
#define MAX_TYPE_CELLS  (1u << 22)
#define MAX_STACK_DEPTH 1024

int image_refuse(struct checker *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (c->errlen)
		vsnprintf(c->err, c->errlen, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static bool none_or(uint32_t row, uint32_t n)
{
	return row == IMAGE_NONE || row < n;
}

/* ---- sections ------------------------------------------------------------- */

struct section_row {
	const char *name;
	size_t row;   /* bytes of one row; 1: bytes */
	size_t data;  /* offset in struct image of the pointer */
	size_t count; /* offset in struct image of the number; 0: none */
};

#define ROWS(field, type, n)                                                                       \
	{#field, sizeof(type), offsetof(struct image, field), offsetof(struct image, n)}

static const struct section_row section_rows[IMAGE_NSECTIONS] = {
	[IMAGE_SEC_STRINGS] = {"strings", 1, offsetof(struct image, strings)},
	[IMAGE_SEC_OBJECT] = {"object", 1, offsetof(struct image, object)},
	[IMAGE_SEC_TYPES] = ROWS(types, struct image_type, ntypes),
	[IMAGE_SEC_FIELDS] = ROWS(fields, struct image_field, nfields),
	[IMAGE_SEC_MAPS] = ROWS(maps, struct image_map, nmaps),
	[IMAGE_SEC_ACTIONS] = ROWS(actions, struct image_action, nactions),
	[IMAGE_SEC_PROBES] = ROWS(probes, struct image_probe, nprobes),
	[IMAGE_SEC_ATTACHMENTS] = ROWS(attachments, struct image_attachment, nattachments),
	[IMAGE_SEC_CONFIG] = {"config", sizeof(struct image_config),
			      offsetof(struct image, config)},
	[IMAGE_SEC_ENUMS] = ROWS(enums, struct image_enumerator, nenums),
	[IMAGE_SEC_NEEDS] = ROWS(needs, struct image_need, nneeds),
	[IMAGE_SEC_RELOCS] = ROWS(relocs, struct image_reloc, nrelocs),
	[IMAGE_SEC_SITES] = ROWS(sites, struct image_site, nsites),
	[IMAGE_SEC_CONDITIONS] = ROWS(conditions, struct image_condition, nconditions),
	[IMAGE_SEC_POINTS] = ROWS(points, struct image_point, npoints),
	[IMAGE_SEC_ARGUMENTS] = ROWS(arguments, struct image_argument, narguments),
	[IMAGE_SEC_OLDER] = {"older", 1, offsetof(struct image, older)},
	[IMAGE_SEC_TABLES] = ROWS(tables, struct image_table, ntables),
	[IMAGE_SEC_COLUMNS] = ROWS(columns, struct image_column, ncolumns),
	[IMAGE_SEC_OPS] = ROWS(ops, struct image_op, nops),
};

static int check_section(struct checker *c, const struct image_header *h, uint32_t id)
{
	const struct image_section *s = &h->sections[id];
	const struct section_row *row = &section_rows[id];
	const uint8_t *data;

	if (s->offset % 8)
		return image_refuse(c, "section %s is not aligned", row->name);
	if (s->offset < sizeof(*h) || s->offset > h->size || s->size > h->size - s->offset)
		return image_refuse(c, "section %s lies outside the image", row->name);
	if (s->size % row->row || s->size / row->row >= IMAGE_NONE)
		return image_refuse(c, "section %s has no whole number of rows", row->name);
	data = c->img->data + s->offset;
	memcpy((char *)c->img + row->data, &data, sizeof(data));
	if (row->count) {
		uint32_t n = s->size / row->row;

		memcpy((char *)c->img + row->count, &n, sizeof(n));
	}
	return 0;
}

static int check_header(struct checker *c, const struct image_header *h)
{
	int err;

	if (c->img->size < sizeof(*h) || memcmp(h->magic, IMAGE_MAGIC, sizeof(h->magic)))
		return image_refuse(c, "not an image");
	if (h->version != IMAGE_VERSION)
		return image_refuse(c, "image version %u, this program reads %u", h->version,
				    IMAGE_VERSION);
	if (h->nsections != IMAGE_NSECTIONS)
		return image_refuse(c, "%u sections, expected %u", h->nsections, IMAGE_NSECTIONS);
	if (h->size != c->img->size)
		return image_refuse(c, "%zu bytes, expected %llu", c->img->size,
				    (unsigned long long)h->size);
	for (uint32_t i = 0; i < IMAGE_NSECTIONS; i++) {
		err = check_section(c, h, i);
		if (err)
			return err;
	}
	c->img->object_size = h->sections[IMAGE_SEC_OBJECT].size;
	c->img->strings_size = h->sections[IMAGE_SEC_STRINGS].size;
	c->img->older_size = h->sections[IMAGE_SEC_OLDER].size;
	if (!c->img->older_size)
		c->img->older = NULL;
	if (c->img->strings_size >= IMAGE_NONE || !c->img->strings_size || c->img->strings[0] ||
	    c->img->strings[c->img->strings_size - 1])
		return image_refuse(c, "the string section does not start and end with a NUL");
	if (h->sections[IMAGE_SEC_CONFIG].size != sizeof(struct image_config))
		return image_refuse(c, "not exactly one config row");
	return 0;
}

/* ---- types ---------------------------------------------------------------- */

static bool is_int_size(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static bool is_aggregation(const struct image_type *t)
{
	return image_kinds[t->kind].flags & KIND_AGGREGATION;
}

static int check_bit_field(struct checker *c, uint32_t i, const struct image_field *f,
			   const struct image_type *t)
{
	if (!f->bit_size)
		return 0;
	if (!(image_kinds[t->kind].flags & KIND_INT_SIZE) && t->kind != IMAGE_K_BOOL)
		return image_refuse(c, "field %u: a bit-field that is no integer", i);
	if (f->bit_size > t->size * 8 || f->bit_off + f->bit_size > t->size * 8)
		return image_refuse(c, "field %u: bits outside their integer", i);
	return 0;
}

/* A part (field or element) of type row @row: adds what it holds to that row's sums. */
static int add_part(struct checker *c, uint32_t row, uint32_t part, uint32_t times)
{
	uint64_t cells = c->cells[row] + (uint64_t)c->cells[part] * times;

	if (is_aggregation(&c->img->types[part]))
		return image_refuse(c, "type %u: an aggregation inside a value", row);
	if (cells > MAX_TYPE_CELLS)
		return image_refuse(c, "type %u holds too many values", row);
	c->cells[row] = cells;
	if (c->depth[row] < c->depth[part] + 1)
		c->depth[row] = c->depth[part] + 1;
	if (c->depth[row] > MAX_TYPE_DEPTH)
		return image_refuse(c, "type %u is nested too deeply", row);
	return 0;
}

static int check_fields(struct checker *c, uint32_t row, const struct image_type *t)
{
	const struct image *img = c->img;
	int err;

	if (!has_rows(t->fields, t->count, img->nfields))
		return image_refuse(c, "type %u: fields outside their table", row);
	for (uint32_t i = t->fields; i < t->fields + t->count; i++) {
		const struct image_field *f = &img->fields[i];

		if (f->type >= row)
			return image_refuse(c, "field %u: type %u is not before type %u", i,
					    f->type, row);
		if (f->offset > t->size || img->types[f->type].size > t->size - f->offset)
			return image_refuse(c, "field %u lies outside type %u", i, row);
		if (!has_string(c, f->name))
			return image_refuse(c, "field %u: bad name", i);
		err = check_bit_field(c, i, f, &img->types[f->type]);
		if (!err)
			err = add_part(c, row, f->type, 1);
		if (err)
			return err;
	}
	return 0;
}

static int check_array(struct checker *c, uint32_t row, const struct image_type *t)
{
	const struct image_type *elem;

	if (t->elem >= row)
		return image_refuse(c, "type %u: element type %u is not before it", row, t->elem);
	elem = &c->img->types[t->elem];
	if ((uint64_t)elem->size * t->count > t->size)
		return image_refuse(c, "type %u: elements outside the array", row);
	return add_part(c, row, t->elem, t->count);
}

static int check_stack(struct checker *c, uint32_t row, const struct image_type *t)
{
	if (t->elem >= c->img->nmaps || !(c->img->maps[t->elem].flags & IMAGE_MAP_STACKS))
		return image_refuse(c, "type %u: map %u holds no stacks", row, t->elem);
	if (t->arg[0] < 0 || t->arg[0] > MAX_STACK_DEPTH)
		return image_refuse(c, "type %u: bad depth of stack", row);
	if (t->arg[1] < 0 || t->arg[1] > IMAGE_STACK_BUILD_ID)
		return image_refuse(c, "type %u: unknown stack mode", row);
	if ((t->arg[1] == IMAGE_STACK_BUILD_ID) !=
	    !!(c->img->maps[t->elem].flags & IMAGE_MAP_BUILD_IDS))
		return image_refuse(c, "type %u: the stacks of map %u are of another kind", row,
				    t->elem);
	return 0;
}

static int check_hist(struct checker *c, uint32_t row, const struct image_type *t)
{
	uint64_t buckets;

	if (t->kind == IMAGE_K_HIST) {
		if (t->arg[0] < 0 || t->arg[0] > 5)
			return image_refuse(c, "type %u: hist with %lld bits", row,
					    (long long)t->arg[0]);
		buckets = image_hist_buckets(t->arg[0]);
	} else {
		buckets = image_lhist_buckets(t->arg[0], t->arg[1], t->arg[2]);
		if (!buckets)
			return image_refuse(c, "type %u: bad arguments of lhist", row);
	}
	if (t->size % 8 || t->size / 8 < buckets)
		return image_refuse(c, "type %u: no room for the histogram's buckets", row);
	return 0;
}

static int check_tseries(struct checker *c, uint32_t row, const struct image_type *t)
{
	uint32_t size = image_tseries_size(t->arg[0], t->arg[1]);

	if (!size || t->arg[2] < 0 || t->arg[2] >= IMAGE_NTSERIES)
		return image_refuse(c, "type %u: bad arguments of tseries", row);
	if (t->size % 8 || t->size < size)
		return image_refuse(c, "type %u: no room for the intervals", row);
	return 0;
}

static int check_type(struct checker *c, uint32_t row)
{
	const struct image_type *t = &c->img->types[row];
	const struct kind_row *k;

	if (t->kind >= IMAGE_NKINDS || image_kinds[t->kind].refused)
		return image_refuse(c, "type %u: unknown kind %u", row, t->kind);
	k = &image_kinds[t->kind];
	if (!has_string(c, t->name))
		return image_refuse(c, "type %u: bad name", row);
	if (t->size < k->min_size || t->size > MAX_TYPE_SIZE ||
	    ((k->flags & KIND_INT_SIZE) && !is_int_size(t->size)))
		return image_refuse(c, "type %u: %s of %u bytes", row, k->name, t->size);
	c->cells[row] = 1;
	if ((k->flags & KIND_OPT_TYPE) && t->elem != IMAGE_NONE && t->elem >= row)
		return image_refuse(c, "type %u: element type %u is not before it", row, t->elem);
	if ((k->flags & KIND_ENUMS) && !has_rows(t->fields, t->count, c->img->nenums))
		return image_refuse(c, "type %u: enumerators outside their table", row);
	if (t->kind == IMAGE_K_TIMESTAMP && (t->arg[0] < 0 || t->arg[0] > IMAGE_CLOCK_TAI))
		return image_refuse(c, "type %u: unknown clock", row);
	if (t->kind == IMAGE_K_HIST || t->kind == IMAGE_K_LHIST)
		return check_hist(c, row, t);
	if (t->kind == IMAGE_K_TSERIES)
		return check_tseries(c, row, t);
	if (k->flags & KIND_ELEM_TYPE)
		return check_array(c, row, t);
	if (k->flags & KIND_FIELDS)
		return check_fields(c, row, t);
	if (k->flags & KIND_ELEM_MAP)
		return check_stack(c, row, t);
	return 0;
}

static int check_enumerator(struct checker *c, uint32_t row)
{
	return has_string(c, c->img->enums[row].name)
		       ? 0
		       : image_refuse(c, "enumerator %u: bad name", row);
}

/* ---- maps, actions, probes ------------------------------------------------ */

static int check_map(struct checker *c, uint32_t row)
{
	const struct image *img = c->img;
	const struct image_map *m = &img->maps[row];
	bool scalar = m->flags & IMAGE_MAP_SCALAR, internal = m->flags & IMAGE_MAP_INTERNAL;

	if (!has_string(c, m->name) || !has_string(c, m->elf_name))
		return image_refuse(c, "map %u: bad name", row);
	if (!none_or(m->key, img->ntypes) || !none_or(m->value, img->ntypes))
		return image_refuse(c, "map %u: bad type", row);
	if (m->value_off % 8 || m->value_off > 64)
		return image_refuse(c, "map %u: bad offset of the value", row);
	if (internal)
		return 0;
	if (m->value == IMAGE_NONE || scalar != (m->key == IMAGE_NONE))
		return image_refuse(c, "map %u: key or value missing", row);
	if (!scalar && is_aggregation(&img->types[m->key]))
		return image_refuse(c, "map %u: an aggregation as key", row);
	if (!scalar && m->value_off)
		return image_refuse(c, "map %u: a set word in a map with keys", row);
	if (scalar && !is_aggregation(&img->types[m->value]) && m->value_off < 8)
		return image_refuse(c, "map %u: no room for the set word", row);
	if ((m->flags & IMAGE_MAP_PERCPU) && !is_aggregation(&img->types[m->value]))
		return image_refuse(c, "map %u: per-CPU values that cannot be merged", row);
	return 0;
}

enum action_needs { NEEDS_NOTHING, NEEDS_TYPE = 1, NEEDS_TUPLE = 2, OPT_TUPLE = 4, NEEDS_MAP = 8 };

static const unsigned action_needs[IMAGE_NACTIONS] = {
	[IMAGE_A_PRINTF] = OPT_TUPLE,
	[IMAGE_A_PRINT_VALUE] = NEEDS_TYPE,
	[IMAGE_A_PRINT_MAP] = NEEDS_MAP,
	[IMAGE_A_PRINT_ELEM] = NEEDS_MAP | NEEDS_TUPLE,
	[IMAGE_A_CLEAR] = NEEDS_MAP,
	[IMAGE_A_ZERO] = NEEDS_MAP,
	[IMAGE_A_JOIN] = NEEDS_TUPLE,
	[IMAGE_A_CAT] = OPT_TUPLE,
	[IMAGE_A_SYSTEM] = OPT_TUPLE,
	[IMAGE_A_ERRORF] = OPT_TUPLE,
	[IMAGE_A_WARNF] = OPT_TUPLE,
	[IMAGE_A_RUNTIME_ERROR] = OPT_TUPLE,
	[IMAGE_A_REMEMBER] = NEEDS_TYPE,
	[IMAGE_A_ROWS] = OPT_TUPLE | NEEDS_MAP,
	[IMAGE_A_CYCLES] = OPT_TUPLE | NEEDS_MAP,
};

static int check_payload(struct checker *c, uint32_t row, const struct image_action *a,
			 unsigned needs)
{
	const struct image_type *t;

	if (a->type == IMAGE_NONE)
		return needs & (NEEDS_TYPE | NEEDS_TUPLE)
			       ? image_refuse(c, "action %u: type missing", row)
			       : 0;
	if (a->type >= c->img->ntypes)
		return image_refuse(c, "action %u: bad type", row);
	t = &c->img->types[a->type];
	if (is_aggregation(t))
		return image_refuse(c, "action %u: an aggregation as payload", row);
	if ((needs & (NEEDS_TUPLE | OPT_TUPLE)) && t->kind != IMAGE_K_TUPLE)
		return image_refuse(c, "action %u: the payload is no tuple", row);
	if (a->kind == IMAGE_A_REMEMBER && (t->kind != IMAGE_K_INT || t->size != 4))
		return image_refuse(c, "action %u: the payload is no pid", row);
	return 0;
}

/* The tuples whose fields are read one by one. */
static int check_tuple(struct checker *c, uint32_t row, const struct image_action *a)
{
	const struct image *img = c->img;
	const struct image_type *t = &img->types[a->type];
	const struct image_field *f = &img->fields[t->fields];

	if (a->kind == IMAGE_A_PRINT_ELEM && t->count != 2)
		return image_refuse(c, "action %u: no pair of key and value", row);
	if (a->kind == IMAGE_A_RUNTIME_ERROR &&
	    (t->count != 2 || img->types[f[0].type].size != 8 || img->types[f[1].type].size != 4))
		return image_refuse(c, "action %u: no pair of error and helper", row);
	if (a->kind == IMAGE_A_PRINT_ELEM &&
	    ((img->maps[a->map].key != IMAGE_NONE &&
	      img->types[img->maps[a->map].key].size > img->types[f[0].type].size) ||
	     img->types[img->maps[a->map].value].size > img->types[f[1].type].size))
		return image_refuse(c, "action %u: key or value is smaller than the map's", row);
	for (uint32_t i = 0; a->kind == IMAGE_A_JOIN && i < t->count; i++)
		if (img->types[f[i].type].kind != IMAGE_K_STRING)
			return image_refuse(c, "action %u: join of no strings", row);
	return 0;
}

static int check_action(struct checker *c, uint32_t row)
{
	const struct image_action *a = &c->img->actions[row];
	unsigned needs;
	int err;

	if (a->kind >= IMAGE_NACTIONS)
		return image_refuse(c, "action %u: unknown kind %u", row, a->kind);
	needs = action_needs[a->kind];
	if (!has_string(c, a->fmt) || !has_string(c, a->where))
		return image_refuse(c, "action %u: bad string", row);
	if (!none_or(a->map, c->img->nmaps))
		return image_refuse(c, "action %u: bad map", row);
	if ((needs & NEEDS_MAP) &&
	    (a->map == IMAGE_NONE || (c->img->maps[a->map].flags & IMAGE_MAP_INTERNAL)))
		return image_refuse(c, "action %u: map missing", row);
	err = check_payload(c, row, a, needs);
	if (!err && a->type != IMAGE_NONE && (needs & (NEEDS_TUPLE | OPT_TUPLE)))
		err = check_tuple(c, row, a);
	if (!err && (a->kind == IMAGE_A_ROWS || a->kind == IMAGE_A_CYCLES))
		err = image_check_table(c, row, a);
	return err;
}

static int check_probe(struct checker *c, uint32_t row)
{
	const struct image_probe *p = &c->img->probes[row];

	if (!has_string(c, p->name) || !has_string(c, p->type))
		return image_refuse(c, "probe %u: bad name", row);
	return 0;
}

static int check_attachment(struct checker *c, uint32_t row)
{
	const struct image_attachment *a = &c->img->attachments[row];

	if (a->kind >= IMAGE_NATTACH)
		return image_refuse(c, "attachment %u: unknown kind %u", row, a->kind);
	if (!has_string(c, a->prog) || !has_string(c, a->target))
		return image_refuse(c, "attachment %u: bad string", row);
	if (!a->nprobes || !has_rows(a->probe, a->nprobes, c->img->nprobes))
		return image_refuse(c, "attachment %u: probes outside their table", row);
	return 0;
}

static int check_config(struct checker *c)
{
	const struct image_config *cfg = c->img->config;

	if (!has_string(c, cfg->str_trunc_trailer) || !has_string(c, cfg->script_name) ||
	    !has_string(c, cfg->compiler) || !has_string(c, cfg->kernel) ||
	    !has_string(c, cfg->machine))
		return image_refuse(c, "config: bad string");
	if (cfg->missing_probes > IMAGE_MISSING_IGNORE)
		return image_refuse(c, "config: bad missing_probes");
	if (cfg->perf_rb_pages > 1u << 20)
		return image_refuse(c, "config: bad perf_rb_pages");
	return 0;
}

int image_check_rows(struct checker *c, uint32_t n, image_check_fn *check)
{
	for (uint32_t i = 0; i < n; i++) {
		int err = check(c, i);

		if (err)
			return err;
	}
	return 0;
}

static int check_tables(struct checker *c)
{
	const struct image *img = c->img;
	int err;

	err = image_check_columns(c);
	if (!err)
		err = image_check_rows(c, img->nenums, check_enumerator);
	if (!err)
		err = image_check_rows(c, img->ntypes, check_type);
	if (!err)
		err = image_check_rows(c, img->nmaps, check_map);
	if (!err)
		err = image_check_rows(c, img->nactions, check_action);
	if (!err)
		err = image_check_rows(c, img->nprobes, check_probe);
	if (!err)
		err = image_check_rows(c, img->nattachments, check_attachment);
	if (!err)
		err = check_config(c);
	return err ? err : image_check_portable(c);
}

int image_open(struct image *img, const void *data, size_t size, char *err, size_t errlen)
{
	struct checker c = {.img = img, .err = err, .errlen = errlen};
	int ret;

	memset(img, 0, sizeof(*img));
	img->data = data;
	img->size = size;
	if ((uintptr_t)data % 8)
		return image_refuse(&c, "the image is not aligned");
	ret = check_header(&c, data);
	if (ret)
		return ret;
	c.cells = calloc(img->ntypes + 1, sizeof(*c.cells));
	c.depth = calloc(img->ntypes + 1, sizeof(*c.depth));
	ret = c.cells && c.depth ? check_tables(&c) : image_refuse(&c, "out of memory");
	free(c.cells);
	free(c.depth);
	return ret;
}
