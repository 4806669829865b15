/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants. Literals are computed exactly, and what fits neither int64 nor uint64 is an
 * error; constants of a given type wrap around as they would at run time.
 */
#include <string.h>

#include "internal.h"

void sema_set_int(struct ast_expr *e, struct type *t, uint64_t v)
{
	e->type = t;
	e->is_const = true;
	e->const_int = v;
}

uint64_t sema_truncated(uint64_t v, const struct type *t)
{
	unsigned drop = 64 - 8 * (t->size < 8 ? t->size : 8);

	if (drop >= 64)
		return v;
	return t->is_signed ? (uint64_t)((int64_t)(v << drop) >> drop) : v << drop >> drop;
}

void sema_set_string(struct sema *s, struct ast_expr *e, const char *text)
{
	e->type = type_string(s->types, (uint32_t)strlen(text) + 1);
	e->is_const = true;
	e->const_str = text;
}

bool sema_const_true(const struct ast_expr *e)
{
	if (e->type->kind == IMAGE_K_STRING)
		return e->const_str[0] != '\0';
	return e->const_int != 0;
}

static void set_bool(struct sema *s, struct ast_expr *e, bool v)
{
	sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL), v);
}

static bool is_negative(const struct ast_expr *e)
{
	return e->type->is_signed && (int64_t)e->const_int < 0;
}

static __int128 exact(const struct ast_expr *e)
{
	return is_negative(e) ? (__int128)(int64_t)e->const_int : (__int128)e->const_int;
}

/* Sets a literal; false when no 64-bit integer holds it. */
static bool set_exact(struct sema *s, struct ast_expr *e, __int128 v)
{
	if (v < INT64_MIN || v > (__int128)UINT64_MAX)
		return false;
	sema_set_int(e,
		     v < 0 ? sema_negative_type(s, (int64_t)v) : sema_literal_type(s, (uint64_t)v),
		     (uint64_t)v);
	return true;
}

static bool shift_ok(__int128 r)
{
	return r >= 0 && r < 64;
}

/* Bits shifted out are gone, as at run time; a negative number stays one. */
static __int128 shifted_left(__int128 l, int by)
{
	uint64_t v = (uint64_t)l << by;

	return l < 0 ? (__int128)(int64_t)v : (__int128)v;
}

/* l op r in *@v; false when it has no value. Products of 64-bit numbers fit 128 bits. */
static bool compute(enum ast_binary_op op, __int128 l, __int128 r, __int128 *v)
{
	switch (op) {
	case AST_ADD:
		*v = l + r;
		return true;
	case AST_SUB:
		*v = l - r;
		return true;
	case AST_MUL:
		return !__builtin_mul_overflow(l, r, v);
	case AST_DIV:
	case AST_MOD:
		if (!r)
			return false;
		*v = op == AST_DIV ? l / r : l % r;
		return true;
	case AST_BAND:
		*v = l & r;
		return true;
	case AST_BOR:
		*v = l | r;
		return true;
	case AST_BXOR:
		*v = l ^ r;
		return true;
	case AST_SHL:
	case AST_SHR:
		if (!shift_ok(r))
			return false;
		*v = op == AST_SHL ? shifted_left(l, (int)r) : l >> (int)r;
		return true;
	default:
		return false;
	}
}

static bool is_comparison(enum ast_binary_op op)
{
	return op >= AST_EQ && op <= AST_GE;
}

/* What a comparison gives for operands in the order @cmp (-1, 0, 1). */
static bool compared(enum ast_binary_op op, int cmp)
{
	switch (op) {
	case AST_EQ:
		return cmp == 0;
	case AST_NE:
		return cmp != 0;
	case AST_LT:
		return cmp < 0;
	case AST_LE:
		return cmp <= 0;
	case AST_GT:
		return cmp > 0;
	default:
		return cmp >= 0;
	}
}

static int order(const struct sema *s, const struct ast_expr *l, const struct ast_expr *r)
{
	__int128 a = exact(l), b = exact(r);

	/* Of different signs, both are read as int64, as at run time. */
	if (!sema_is_literal(s, l) && !sema_is_literal(s, r) &&
	    l->type->is_signed != r->type->is_signed) {
		a = (int64_t)l->const_int;
		b = (int64_t)r->const_int;
	}
	return a < b ? -1 : a > b;
}

static uint64_t wrapped_shift(enum ast_binary_op op, const struct ast_expr *l, uint64_t by)
{
	by &= 63; /* as at run time */
	if (op == AST_SHL)
		return l->const_int << by;
	return l->type->is_signed ? (uint64_t)((int64_t)l->const_int >> by) : l->const_int >> by;
}

static bool signed_operand(const struct ast_expr *e)
{
	return e->type->is_signed || e->type->is_literal;
}

/* Constants of given types: 64 bits that wrap around. False: not for us (division by 0). */
static bool fold_typed(struct sema *s, struct ast_expr *e)
{
	const struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;
	struct type *result = sema_binary_type(s, e->span, e->u.binary.op, l->type, r->type);
	__int128 v;

	if (!result)
		return false;
	if (e->u.binary.op == AST_SHL || e->u.binary.op == AST_SHR) {
		sema_set_int(e, result, wrapped_shift(e->u.binary.op, l, r->const_int));
		return true;
	}
	if (e->u.binary.op == AST_DIV || e->u.binary.op == AST_MOD) {
		if (!r->const_int)
			return false;
		if (signed_operand(l) && signed_operand(r))
			compute(e->u.binary.op, (int64_t)l->const_int, (int64_t)r->const_int, &v);
		else
			compute(e->u.binary.op, l->const_int, r->const_int, &v);
	} else if (!compute(e->u.binary.op, (__int128)(int64_t)l->const_int,
			    (__int128)(int64_t)r->const_int, &v)) {
		return false;
	}
	sema_set_int(e, result, (uint64_t)v);
	return true;
}

static bool fold_ints(struct sema *s, struct ast_expr *e)
{
	const struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;
	__int128 v;

	if (is_comparison(e->u.binary.op)) {
		set_bool(s, e, compared(e->u.binary.op, order(s, l, r)));
		return true;
	}
	if (l->type->kind == IMAGE_K_BOOL && r->type->kind == IMAGE_K_BOOL)
		return false;
	if (!sema_is_literal(s, l) || !sema_is_literal(s, r))
		return fold_typed(s, e);
	if (compute(e->u.binary.op, exact(l), exact(r), &v) && set_exact(s, e, v))
		return true;
	sema_error(s, e->span, "unable to fold literals due to overflow or underflow");
	e->type = NULL;
	return true;
}

static bool fold_strings(struct sema *s, struct ast_expr *e)
{
	const char *l = e->u.binary.l->const_str, *r = e->u.binary.r->const_str;

	if (is_comparison(e->u.binary.op)) {
		int c = strcmp(l, r);

		set_bool(s, e, compared(e->u.binary.op, c < 0 ? -1 : c > 0));
		return true;
	}
	if (e->u.binary.op == AST_ADD) {
		sema_set_string(s, e, arena_printf(s->arena, "%s%s", l, r));
		return true;
	}
	sema_error(s, e->span, "illegal literal operation with strings");
	e->type = NULL;
	return true;
}

/* "foo" + 1 is "oo". */
static void fold_offset(struct sema *s, struct ast_expr *e, const struct ast_expr *str,
			const struct ast_expr *n)
{
	size_t len = strlen(str->const_str);

	if (n->const_int >= len) {
		sema_warning(s, e->span, "literal string will always be empty");
		sema_set_string(s, e, "");
		return;
	}
	sema_set_string(s, e, str->const_str + n->const_int);
}

static bool const_string(const struct ast_expr *e)
{
	return e->is_const && e->type && e->type->kind == IMAGE_K_STRING;
}

static bool const_number(const struct ast_expr *e)
{
	return e->is_const && e->type && (sema_is_number(e->type) || e->type->kind == IMAGE_K_BOOL);
}

static bool has_truth(const struct ast_expr *e)
{
	return const_string(e) || sema_int_like(e->type) || sema_castable(e->type) ||
	       e->type->kind == IMAGE_K_POINTER;
}

/* && and ||: the left operand alone may decide, since the right one is then never run. */
static bool fold_logical(struct sema *s, struct ast_expr *e)
{
	const struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;
	bool is_or = e->u.binary.op == AST_LOR;

	if ((!const_string(l) && !const_number(l)) || !has_truth(r))
		return false;
	if (sema_const_true(l) == is_or) {
		set_bool(s, e, is_or);
		return true;
	}
	if (!const_string(r) && !const_number(r))
		return false;
	set_bool(s, e, sema_const_true(r));
	return true;
}

bool sema_fold_binary(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;

	if (e->u.binary.op == AST_LAND || e->u.binary.op == AST_LOR)
		return fold_logical(s, e);
	if (const_string(l) && const_string(r))
		return fold_strings(s, e);
	if (e->u.binary.op == AST_ADD && const_string(l) && const_number(r) && !is_negative(r)) {
		fold_offset(s, e, l, r);
		return true;
	}
	if (e->u.binary.op == AST_ADD && const_string(r) && const_number(l) && !is_negative(l)) {
		fold_offset(s, e, r, l);
		return true;
	}
	if (const_number(l) && const_number(r))
		return fold_ints(s, e);
	return false;
}

/* -, ! and ~ of a constant. */
bool sema_fold_unary(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = e->u.unary.e;
	enum ast_unary_op op = e->u.unary.op;
	bool literal = sema_is_literal(s, x);
	uint64_t v = op == AST_NEG ? -x->const_int : ~x->const_int;

	if (op == AST_LNOT && const_number(x)) {
		set_bool(s, e, !sema_const_true(x));
		return true;
	}
	if (!const_number(x) || x->type->kind == IMAGE_K_BOOL || (op != AST_NEG && op != AST_BNOT))
		return false;
	if (!literal) {
		/* an unsigned number keeps its width */
		if (!x->type->is_signed)
			v = sema_truncated(v, x->type);
		sema_set_int(e, type_int(s->types, 8, x->type->is_signed), v);
	} else if (op == AST_BNOT)
		sema_set_int(e, sema_literal_type(s, v), v);
	else if (!set_exact(s, e, -exact(x))) {
		sema_error(s, e->span, "negative value will underflow");
		e->type = NULL;
	}
	return true;
}
