/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking the columns of tables: each expression is gone through with what its operations
 * would leave on the stack, so that who computes it later need not look again.
 */
#include <errno.h>
#include <string.h>

#include "image/check.h"

#define MAX_COLUMNS 256
#define MAX_OPS     4096 /* of one column */

/* A value on the stack: a number, or bytes of a type. */
struct operand {
	bool number;
	uint16_t kind; /* of bytes: enum image_kind */
	uint32_t size; /* of bytes, at most */
};

struct walk {
	struct checker *c;
	uint32_t row; /* of the action */
	const struct image_action *a;
	struct operand stack[IMAGE_OP_STACK];
	uint32_t depth;
};

bool image_is_number(const struct image_type *t)
{
	switch (t->kind) {
	case IMAGE_K_INT:
	case IMAGE_K_ENUM:
	case IMAGE_K_BOOL:
	case IMAGE_K_POINTER:
	case IMAGE_K_KSYM:
	case IMAGE_K_USERNAME:
	case IMAGE_K_TIMESTAMP:
	case IMAGE_K_CGROUP_PATH:
	case IMAGE_K_DISK:
		return true;
	default:
		return false;
	}
}

static int bad(struct walk *w, const char *what)
{
	return image_refuse(w->c, "action %u: a column with %s", w->row, what);
}

static int push(struct walk *w, struct operand v)
{
	if (w->depth == IMAGE_OP_STACK)
		return bad(w, "too many values");
	w->stack[w->depth++] = v;
	return 0;
}

static int push_number(struct walk *w)
{
	return push(w, (struct operand){.number = true});
}

/* A value of op's type at its offset, out of what has type @whole. */
static int push_part(struct walk *w, const struct image_op *op, uint32_t whole)
{
	const struct image *img = w->c->img;
	const struct image_type *t;

	if (whole >= img->ntypes || op->type >= img->ntypes)
		return bad(w, "a bad type");
	t = &img->types[op->type];
	if (image_kinds[t->kind].flags & KIND_AGGREGATION)
		return bad(w, "an aggregation for a value");
	if (op->offset > img->types[whole].size || t->size > img->types[whole].size - op->offset)
		return bad(w, "a value outside its whole");
	if (image_is_number(t))
		return t->size <= 8 ? push_number(w) : bad(w, "a number of too many bytes");
	return push(w, (struct operand){.kind = t->kind, .size = t->size});
}

/* ---- the checks named in ops.def ------------------------------------------------- */

static int check_number(struct walk *w, const struct image_op *op)
{
	(void)op;
	return push_number(w);
}

static int check_text(struct walk *w, const struct image_op *op)
{
	const struct image *img = w->c->img;

	if (op->value < 0 || op->value > UINT32_MAX || !has_string(w->c, op->value) ||
	    op->type >= img->ntypes || img->types[op->type].kind != IMAGE_K_STRING)
		return bad(w, "a bad string");
	return push(w, (struct operand){.kind = IMAGE_K_STRING,
					.size = strlen(image_str(img, op->value)) + 1});
}

static int check_key(struct walk *w, const struct image_op *op)
{
	return push_part(w, op, w->c->img->maps[w->a->map].key);
}

/* A map that has an element for the row: the only one, or one with the same key. */
static int check_map(struct walk *w, const struct image_op *op)
{
	const struct image *img = w->c->img;
	const struct image_map *rows = &img->maps[w->a->map], *m;

	if (op->map >= img->nmaps || img->maps[op->map].flags & IMAGE_MAP_INTERNAL)
		return bad(w, "a bad map");
	m = &img->maps[op->map];
	if (m->key != IMAGE_NONE && img->types[m->key].size != img->types[rows->key].size)
		return bad(w, "a map of other keys");
	return 0;
}

static bool is_aggregation(const struct walk *w, const struct image_map *m)
{
	return image_kinds[w->c->img->types[m->value].kind].flags & KIND_AGGREGATION;
}

static int check_value(struct walk *w, const struct image_op *op)
{
	const struct image_map *m;

	if (check_map(w, op))
		return -EINVAL;
	m = &w->c->img->maps[op->map];
	if (is_aggregation(w, m))
		return bad(w, "an aggregation for a value");
	return push_part(w, op, m->value);
}

static int check_merged(struct walk *w, const struct image_op *op)
{
	uint16_t kind;

	if (check_map(w, op))
		return -EINVAL;
	kind = w->c->img->types[w->c->img->maps[op->map].value].kind;
	if (kind < IMAGE_K_COUNT || kind > IMAGE_K_STATS || op->part >= IMAGE_NPARTS)
		return bad(w, "no number of an aggregation");
	return push_number(w);
}

static int check_sent(struct walk *w, const struct image_op *op)
{
	return push_part(w, op, w->a->type);
}

static bool pop_numbers(struct walk *w, unsigned n)
{
	bool numbers = true;

	while (n--)
		numbers &= w->stack[--w->depth].number;
	return numbers;
}

static const uint8_t pops[IMAGE_NOPS] = {
#define OP(id, name, pops, check, eval) [IMAGE_OP_##id] = (pops),
#include "image/ops.def"
#undef OP
};

static int check_numbers(struct walk *w, const struct image_op *op)
{
	if (!pop_numbers(w, pops[op->code]))
		return bad(w, "arithmetic on what is no number");
	return push_number(w);
}

static int check_cast(struct walk *w, const struct image_op *op)
{
	if (op->value != 1 && op->value != 2 && op->value != 4 && op->value != 8)
		return bad(w, "a bad cast");
	return check_numbers(w, op);
}

static bool alike(const struct operand *a, const struct operand *b)
{
	if (a->number || b->number)
		return a->number == b->number;
	return a->kind == b->kind && (a->kind == IMAGE_K_STRING || a->size == b->size);
}

static int check_bytes(struct walk *w, const struct image_op *op)
{
	const struct operand *a = &w->stack[w->depth - 2], *b = &w->stack[w->depth - 1];

	(void)op;
	if (a->number || b->number || !alike(a, b))
		return bad(w, "a comparison of different things");
	w->depth -= 2;
	return push_number(w);
}

static int check_select(struct walk *w, const struct image_op *op)
{
	struct operand a = w->stack[w->depth - 2], b = w->stack[w->depth - 1];

	(void)op;
	if (!w->stack[w->depth - 3].number || !alike(&a, &b))
		return bad(w, "branches of different kinds");
	w->depth -= 3;
	if (a.size < b.size)
		a.size = b.size;
	return push(w, a);
}

/* ---- columns ----------------------------------------------------------------------- */

typedef int check_fn(struct walk *w, const struct image_op *op);

static check_fn *const checks[IMAGE_NOPS] = {
#define OP(id, name, pops, check, eval) [IMAGE_OP_##id] = check_##check,
#include "image/ops.def"
#undef OP
};

static int check_result(struct walk *w, const struct image_column *col)
{
	const struct image_type *t = &w->c->img->types[col->type];
	const struct operand *v = &w->stack[0];

	if (w->depth != 1)
		return bad(w, "no result, or several");
	if (image_kinds[t->kind].flags & KIND_AGGREGATION)
		return bad(w, "an aggregation as its result");
	if (v->number ? !image_is_number(t) || t->size > 8
		      : v->kind != t->kind || v->size > t->size)
		return bad(w, "a result of another type");
	return 0;
}

static int check_column(struct walk *w, const struct image_column *col)
{
	const struct image *img = w->c->img;

	if (col->nops > MAX_OPS)
		return bad(w, "too many operations");
	if (col->type >= img->ntypes)
		return bad(w, "a bad type");
	w->depth = 0;
	for (uint32_t i = col->op; i < col->op + col->nops; i++) {
		const struct image_op *op = &img->ops[i];

		if (w->depth < pops[op->code])
			return bad(w, "an operand missing");
		if (checks[op->code](w, op))
			return -EINVAL;
	}
	return check_result(w, col);
}

/* The formats' arguments are the columns after the first, one for one. */
static int check_tuple(struct walk *w, const struct image_table *t)
{
	const struct image *img = w->c->img;
	const struct image_type *tuple;

	if (t->tuple == IMAGE_NONE)
		return t->ncolumns == 1 ? 0 : bad(w, "no tuple");
	if (t->tuple >= img->ntypes || img->types[t->tuple].kind != IMAGE_K_TUPLE ||
	    img->types[t->tuple].count != t->ncolumns - 1)
		return bad(w, "another tuple");
	tuple = &img->types[t->tuple];
	for (uint32_t i = 0; i < tuple->count; i++)
		if (img->fields[tuple->fields + i].type != img->columns[t->column + 1 + i].type)
			return bad(w, "another type in its tuple");
	return 0;
}

/* Of two numbers: which cycle, and how long it is. */
static int check_heading(struct walk *w, const struct image_table *t)
{
	const struct image *img = w->c->img;
	const struct image_type *args;

	if (t->heading_tuple == IMAGE_NONE)
		return 0;
	if (t->heading_tuple >= img->ntypes)
		return bad(w, "a bad heading");
	args = &img->types[t->heading_tuple];
	if (args->kind != IMAGE_K_TUPLE || args->count > 2 || args->size > 16)
		return bad(w, "a bad heading");
	for (uint32_t i = 0; i < args->count; i++)
		if (img->fields[args->fields + i].offset != i * 8 ||
		    img->types[img->fields[args->fields + i].type].size != 8)
			return bad(w, "a bad heading");
	return 0;
}

/* The ends of an edge: the first two parts of a key, of one type. */
static int check_edges(struct walk *w)
{
	const struct image *img = w->c->img;
	const struct image_type *key = &img->types[img->maps[w->a->map].key];
	const struct image_field *f = &img->fields[key->fields];

	if ((key->kind != IMAGE_K_TUPLE && key->kind != IMAGE_K_RECORD) || key->count != 2 ||
	    f[0].bit_size || f[1].bit_size || f[0].type != f[1].type)
		return image_refuse(w->c, "action %u: no edges of a graph", w->row);
	return 0;
}

int image_check_columns(struct checker *c)
{
	const struct image *img = c->img;

	for (uint32_t i = 0; i < img->ntables; i++)
		if (!has_rows(img->tables[i].column, img->tables[i].ncolumns, img->ncolumns) ||
		    !has_string(c, img->tables[i].heading))
			return image_refuse(c, "table %u: columns or heading missing", i);
	for (uint32_t i = 0; i < img->ncolumns; i++)
		if (!has_rows(img->columns[i].op, img->columns[i].nops, img->nops))
			return image_refuse(c, "column %u: operations outside their table", i);
	for (uint32_t i = 0; i < img->nops; i++)
		if (img->ops[i].code >= IMAGE_NOPS)
			return image_refuse(c, "operation %u is none", i);
	return 0;
}

int image_check_table(struct checker *c, uint32_t row, const struct image_action *a)
{
	struct walk w = {.c = c, .row = row, .a = a};
	const struct image_table *t;
	int err = 0;

	if (a->table >= c->img->ntables || c->img->maps[a->map].key == IMAGE_NONE)
		return image_refuse(c, "action %u: table or key missing", row);
	t = &c->img->tables[a->table];
	if (!t->ncolumns || t->ncolumns > MAX_COLUMNS)
		return image_refuse(c, "action %u: no columns, or too many", row);
	for (uint32_t i = t->column; i < t->column + t->ncolumns && !err; i++)
		err = check_column(&w, &c->img->columns[i]);
	if (!err)
		err = check_tuple(&w, t);
	if (!err)
		err = check_heading(&w, t);
	if (!err && a->kind == IMAGE_A_CYCLES)
		err = check_edges(&w);
	return err;
}
