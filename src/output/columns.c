/* SPDX-License-Identifier: Apache-2.0 */
/* Computing columns: the operations of src/image/ops.def on the merged values of maps. */
#include <stdlib.h>

#include "output/columns.h"

struct machine {
	const struct table_rows *t;
	const struct table_row *row;
	struct column_value stack[IMAGE_OP_STACK + 1], *top; /* top: the last value, from [1] on */
};

static const uint8_t nothing[1];

static struct column_value *push(struct machine *m)
{
	*++m->top = (struct column_value){0};
	return m->top;
}

static const struct image_type *type_of(const struct machine *m, const struct image_op *op)
{
	return &m->t->out->img->types[op->type];
}

/* Part of something that is there: a number, or its bytes. */
static void push_part(struct machine *m, const struct image_op *op, const void *whole)
{
	const struct image_type *t = type_of(m, op);
	struct column_value *v = push(m);
	const uint8_t *at = (const uint8_t *)whole + op->offset;

	if (image_is_number(t)) {
		v->n = load_int(at, t->size, t->flags & IMAGE_TF_SIGNED);
		return;
	}
	v->bytes = at;
	v->size = t->size;
}

/* The map has no value for the row: 0, or no bytes at all. */
static void push_missing(struct machine *m, const struct image_op *op)
{
	struct column_value *v = push(m);

	if (!image_is_number(type_of(m, op)))
		v->bytes = nothing;
}

/* ---- values ---------------------------------------------------------------------- */

static void op_const(struct machine *m, const struct image_op *op)
{
	push(m)->n = op->value;
}

static void op_text(struct machine *m, const struct image_op *op)
{
	const char *text = image_str(m->t->out->img, op->value);
	struct column_value *v = push(m);

	v->bytes = (const uint8_t *)text;
	v->size = strlen(text) + 1;
}

static void op_key(struct machine *m, const struct image_op *op)
{
	push_part(m, op, m->row->key);
}

static void op_value(struct machine *m, const struct image_op *op)
{
	const struct map_row *r = table_find(m->t, op->map, m->row);

	if (r)
		push_part(m, op, r->value);
	else
		push_missing(m, op);
}

static void op_number(struct machine *m, const struct image_op *op)
{
	const struct image *img = m->t->out->img;
	const struct image_type *t = &img->types[img->maps[op->map].value];
	const struct map_row *r = table_find(m->t, op->map, m->row);
	struct column_value *v = push(m);

	if (!r)
		return;
	if (op->part == IMAGE_PART_COUNT)
		v->n = r->count;
	else if (op->part == IMAGE_PART_TOTAL)
		v->n = r->total;
	else
		v->n = map_row_number(t, r, 1);
}

static void op_sent(struct machine *m, const struct image_op *op)
{
	push_part(m, op, m->t->payload);
}

/* ---- numbers ----------------------------------------------------------------------- */

static void op_neg(struct machine *m, const struct image_op *op)
{
	(void)op;
	m->top->n = -(uint64_t)m->top->n;
}

static void op_bnot(struct machine *m, const struct image_op *op)
{
	(void)op;
	m->top->n = ~m->top->n;
}

static void op_not(struct machine *m, const struct image_op *op)
{
	(void)op;
	m->top->n = !m->top->n;
}

static void op_cast(struct machine *m, const struct image_op *op)
{
	unsigned unused = 64 - op->value * 8;
	uint64_t v = (uint64_t)m->top->n << unused;

	m->top->n = op->part ? (int64_t)v >> unused : (int64_t)(v >> unused);
}

static uint64_t quotient(uint64_t a, uint64_t b, bool is_signed)
{
	if (!is_signed)
		return a / b;
	return (int64_t)b == -1 ? -a : (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t remainder_of(uint64_t a, uint64_t b, bool is_signed)
{
	if (!is_signed)
		return a % b;
	return (int64_t)b == -1 ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
}

/* Both operands as unsigned a and b, as signed sa and sb. */
#define BINARY(name, expr)                                                                         \
	static void op_##name(struct machine *m, const struct image_op *op)                        \
	{                                                                                          \
		int64_t sb = m->top->n, sa = m->top[-1].n;                                         \
		uint64_t b = sb, a = sa;                                                           \
                                                                                                   \
		(void)op, (void)a, (void)b, (void)sa, (void)sb;                                    \
		m->top--;                                                                          \
		m->top->n = (expr);                                                                \
	}

BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a *b)
BINARY(div, b ? quotient(a, b, op->part) : 0)
BINARY(mod, b ? remainder_of(a, b, op->part) : 0)
BINARY(band, a &b)
BINARY(bor, a | b)
BINARY(bxor, a ^ b)
BINARY(shl, a << (b & 63))
BINARY(shr, op->part ? sa >> (b & 63) : (int64_t)(a >> (b & 63)))
BINARY(eq, a == b)
BINARY(ne, a != b)
BINARY(lt, op->part ? sa < sb : a < b)
BINARY(le, op->part ? sa <= sb : a <= b)
BINARY(gt, op->part ? sa > sb : a > b)
BINARY(ge, op->part ? sa >= sb : a >= b)

/* ---- values of any kind -------------------------------------------------------------- */

static bool zeros(const struct column_value *v, uint32_t from)
{
	for (uint32_t i = from; i < v->size; i++)
		if (v->bytes[i])
			return false;
	return true;
}

/* What one has more of is zeros, as strings are padded. */
static void op_same(struct machine *m, const struct image_op *op)
{
	const struct column_value *b = m->top, *a = --m->top;
	uint32_t n = a->size < b->size ? a->size : b->size;
	bool same = !memcmp(a->bytes, b->bytes, n) && zeros(a, n) && zeros(b, n);

	(void)op;
	*m->top = (struct column_value){.n = same};
}

static void op_select(struct machine *m, const struct image_op *op)
{
	(void)op;
	m->top -= 2;
	*m->top = m->top->n ? m->top[1] : m->top[2];
}

typedef void eval_fn(struct machine *m, const struct image_op *op);

static eval_fn *const evals[IMAGE_NOPS] = {
#define OP(id, name, pops, check, eval) [IMAGE_OP_##id] = op_##eval,
#include "image/ops.def"
#undef OP
};

struct column_value column_compute(const struct table_rows *t, const struct table_row *row,
				   const struct image_column *col)
{
	struct machine m = {.t = t, .row = row};

	m.top = m.stack;
	for (uint32_t i = col->op; i < col->op + col->nops; i++)
		evals[t->out->img->ops[i].code](&m, &t->out->img->ops[i]);
	return m.stack[1];
}

void column_store(const struct image_type *t, const struct column_value *v, void *to)
{
	uint64_t n = v->n;

	if (!v->bytes) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		n <<= 64 - t->size * 8;
#endif
		memcpy(to, &n, t->size);
		return;
	}
	/* no stack and no probe have this number */
	memset(to, v->size || t->kind == IMAGE_K_STRING ? 0 : 0xff, t->size);
	memcpy(to, v->bytes, v->size);
}
