/* SPDX-License-Identifier: Apache-2.0 */
/* Operators: arithmetic with C's results, comparisons, strings. */
#include <string.h>

#include "codegen/cg.h"

/* Strings up to this size are compared without a loop. */
#define INLINE_COMPARE_MAX 64

/*
 * BPF divides unsigned only (before v4), and LLVM takes division by zero as undefined; here it
 * gives 1, as in bpftrace.
 */
static LLVMValueRef divide(struct codegen *cg, enum ast_binary_op op, LLVMValueRef l,
			   LLVMValueRef r, bool is_signed)
{
	LLVMTypeRef t = LLVMTypeOf(l);
	LLVMValueRef zero = LLVMConstNull(t), negative = NULL;

	if (is_signed) {
		LLVMValueRef lneg = LLVMBuildICmp(cg->b, LLVMIntSLT, l, zero, "");
		LLVMValueRef rneg = LLVMBuildICmp(cg->b, LLVMIntSLT, r, zero, "");

		/* a remainder has the dividend's sign */
		negative = op == AST_MOD ? lneg : LLVMBuildXor(cg->b, lneg, rneg, "");
		l = LLVMBuildSelect(cg->b, lneg, LLVMBuildNeg(cg->b, l, ""), l, "");
		r = LLVMBuildSelect(cg->b, rneg, LLVMBuildNeg(cg->b, r, ""), r, "");
	}
	LLVMValueRef by_zero = LLVMBuildICmp(cg->b, LLVMIntEQ, r, zero, "");
	LLVMValueRef d = LLVMBuildSelect(cg->b, by_zero, cg_const(cg, t, 1), r, "");
	LLVMValueRef v =
		op == AST_MOD ? LLVMBuildURem(cg->b, l, d, "") : LLVMBuildUDiv(cg->b, l, d, "");

	if (negative)
		v = LLVMBuildSelect(cg->b, negative, LLVMBuildNeg(cg->b, v, ""), v, "");
	return LLVMBuildSelect(cg->b, by_zero, cg_const(cg, t, 1), v, "");
}

static LLVMValueRef shift_count(struct codegen *cg, LLVMValueRef r)
{
	LLVMTypeRef t = LLVMTypeOf(r);

	return LLVMBuildAnd(cg->b, r, cg_const(cg, t, LLVMGetIntTypeWidth(t) - 1), "");
}

LLVMValueRef cg_arith(struct codegen *cg, enum ast_binary_op op, LLVMValueRef l, LLVMValueRef r,
		      bool is_signed)
{
	switch (op) {
	case AST_ADD:
		return LLVMBuildAdd(cg->b, l, r, "");
	case AST_SUB:
		return LLVMBuildSub(cg->b, l, r, "");
	case AST_MUL:
		return LLVMBuildMul(cg->b, l, r, "");
	case AST_DIV:
	case AST_MOD:
		return divide(cg, op, l, r, is_signed);
	case AST_BAND:
		return LLVMBuildAnd(cg->b, l, r, "");
	case AST_BOR:
		return LLVMBuildOr(cg->b, l, r, "");
	case AST_BXOR:
		return LLVMBuildXor(cg->b, l, r, "");
	case AST_SHL:
		return LLVMBuildShl(cg->b, l, shift_count(cg, r), "");
	case AST_SHR:
		return is_signed ? LLVMBuildAShr(cg->b, l, shift_count(cg, r), "")
				 : LLVMBuildLShr(cg->b, l, shift_count(cg, r), "");
	default:
		return l;
	}
}

static LLVMIntPredicate predicate_of(enum ast_binary_op op, bool is_signed)
{
	switch (op) {
	case AST_EQ:
		return LLVMIntEQ;
	case AST_NE:
		return LLVMIntNE;
	case AST_LT:
		return is_signed ? LLVMIntSLT : LLVMIntULT;
	case AST_LE:
		return is_signed ? LLVMIntSLE : LLVMIntULE;
	case AST_GT:
		return is_signed ? LLVMIntSGT : LLVMIntUGT;
	default:
		return is_signed ? LLVMIntSGE : LLVMIntUGE;
	}
}

static bool is_comparison(enum ast_binary_op op)
{
	return op >= AST_EQ && op <= AST_GE;
}

static bool is_known(const struct ast_expr *e)
{
	return e->is_const && !e->const_str;
}

static LLVMValueRef logical(struct codegen *cg, struct ast_expr *e)
{
	bool is_and = e->u.binary.op == AST_LAND;

	/* options given on the command line decide here: what they rule out is not generated */
	if (is_known(e->u.binary.l)) {
		LLVMValueRef v = cg_const(cg, cg->i1, !is_and);

		if (!!e->u.binary.l->const_int == is_and)
			v = cg_truth(cg, cg_expr64(cg, e->u.binary.r));
		return LLVMBuildZExt(cg->b, v, cg_type(cg, e->type), "");
	}
	LLVMBasicBlockRef right = cg_block(cg, "right"), done = cg_block(cg, "logic_done");
	LLVMValueRef l = cg_truth(cg, cg_expr64(cg, e->u.binary.l));
	LLVMBasicBlockRef from_l = LLVMGetInsertBlock(cg->b);

	LLVMBuildCondBr(cg->b, l, is_and ? right : done, is_and ? done : right);
	cg_at(cg, right);
	LLVMValueRef r = cg_truth(cg, cg_expr64(cg, e->u.binary.r));
	LLVMBasicBlockRef from_r = LLVMGetInsertBlock(cg->b);
	cg_goto(cg, done);
	cg_at(cg, done);

	LLVMValueRef phi = LLVMBuildPhi(cg->b, cg->i1, "");
	LLVMValueRef values[] = {cg_const(cg, cg->i1, !is_and), r};
	LLVMBasicBlockRef blocks[] = {from_l, from_r};
	LLVMAddIncoming(phi, values, blocks, 2);
	return LLVMBuildZExt(cg->b, phi, cg_type(cg, e->type), "");
}

/* ---- bytes ---------------------------------------------------------------------- */

static const char *literal_of(struct ast_expr *e)
{
	if (e->is_const && e->const_str)
		return e->const_str;
	return e->kind == AST_STRING ? e->u.string.text : NULL;
}

/* i1: the @n bytes at @p equal those of @s (the NUL counted when it is in reach). */
static LLVMValueRef equals_literal(struct codegen *cg, LLVMValueRef p, const char *s, uint32_t n)
{
	LLVMValueRef diff = cg_const(cg, cg->i64, 0);
	uint32_t len = strlen(s) + 1;

	for (uint32_t off = 0, unit; off < n; off += unit) {
		uint64_t word = 0;

		unit = n - off >= 8 ? 8 : n - off >= 4 ? 4 : n - off >= 2 ? 2 : 1;
		if (off < len)
			memcpy(&word, s + off, len - off < unit ? len - off : unit);
		LLVMTypeRef t = cg_int_type(cg, unit);
		LLVMValueRef v = cg_load(cg, t, cg_offset(cg, p, off));
		v = LLVMBuildXor(cg->b, v, cg_const(cg, t, word), "");
		diff = LLVMBuildOr(cg->b, diff, cg_int_cast(cg, v, false, cg->i64), "");
	}
	return LLVMBuildICmp(cg->b, LLVMIntEQ, diff, cg_const(cg, cg->i64, 0), "");
}

static LLVMValueRef equal_inline(struct codegen *cg, LLVMValueRef a, LLVMValueRef b, uint32_t n)
{
	LLVMValueRef diff = cg_const(cg, cg->i64, 0);

	for (uint32_t off = 0, unit; off < n; off += unit) {
		unit = n - off >= 8 ? 8 : n - off >= 4 ? 4 : n - off >= 2 ? 2 : 1;
		LLVMTypeRef t = cg_int_type(cg, unit);
		LLVMValueRef x = cg_load(cg, t, cg_offset(cg, a, off));
		LLVMValueRef y = cg_load(cg, t, cg_offset(cg, b, off));
		LLVMValueRef v = LLVMBuildXor(cg->b, x, y, "");
		diff = LLVMBuildOr(cg->b, diff, cg_int_cast(cg, v, false, cg->i64), "");
	}
	return LLVMBuildICmp(cg->b, LLVMIntEQ, diff, cg_const(cg, cg->i64, 0), "");
}

/* Word by word in a loop; the last n % 8 bytes after it. */
static LLVMValueRef equal_loop(struct codegen *cg, LLVMValueRef a, LLVMValueRef b, uint32_t n)
{
	uint32_t words = n / 8;
	LLVMValueRef i = cg_alloca(cg, cg->i64, "i"), result = cg_alloca(cg, cg->i8, "equal");
	LLVMBasicBlockRef body = cg_block(cg, "cmp_word"), next = cg_block(cg, "cmp_next"),
			  tail = cg_block(cg, "cmp_tail"), done = cg_block(cg, "cmp_done");

	cg_store(cg, cg_const(cg, cg->i64, 0), i);
	cg_store(cg, cg_const(cg, cg->i8, 0), result);
	cg_goto(cg, body);
	cg_at(cg, body);
	LLVMValueRef at = cg_load(cg, cg->i64, i);
	LLVMValueRef x = cg_load(cg, cg->i64, LLVMBuildGEP2(cg->b, cg->i8, a, &at, 1, ""));
	LLVMValueRef y = cg_load(cg, cg->i64, LLVMBuildGEP2(cg->b, cg->i8, b, &at, 1, ""));
	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntEQ, x, y, ""), next, done);
	cg_at(cg, next);
	at = LLVMBuildAdd(cg->b, at, cg_const(cg, cg->i64, 8), "");
	cg_store(cg, at, i);
	LLVMBuildCondBr(cg->b,
			LLVMBuildICmp(cg->b, LLVMIntULT, at, cg_const(cg, cg->i64, words * 8), ""),
			body, tail);
	cg_at(cg, tail);
	LLVMValueRef rest =
		equal_inline(cg, cg_offset(cg, a, words * 8), cg_offset(cg, b, words * 8), n % 8);
	cg_store(cg, LLVMBuildZExt(cg->b, rest, cg->i8, ""), result);
	cg_goto(cg, done);
	cg_at(cg, done);
	return cg_truth(cg, cg_load(cg, cg->i8, result));
}

static LLVMValueRef equal_bytes(struct codegen *cg, LLVMValueRef a, LLVMValueRef b, uint32_t n)
{
	/* without loops every word gets instructions of its own */
	bool flat = n <= INLINE_COMPARE_MAX || !target_has(cg->r->target, TARGET_F_BOUNDED_LOOPS);

	return flat ? equal_inline(cg, a, b, n) : equal_loop(cg, a, b, n);
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/*
 * i1: the strings are equal, or their first @max bytes are (@max < 0: all). Strings are padded
 * with zeros, so equal bytes up to the shorter capacity (which holds a NUL) mean equal strings.
 */
LLVMValueRef cg_strings_equal(struct codegen *cg, struct ast_expr *l, struct ast_expr *r,
			      int64_t max)
{
	uint32_t n = min_u32(l->type->size, r->type->size);
	struct ast_expr *lit = literal_of(r) ? r : literal_of(l) ? l : NULL;

	if (max >= 0 && max < n)
		n = max;
	if (lit) {
		const char *s = literal_of(lit);
		LLVMValueRef p = cg_expr_addr(cg, lit == r ? l : r);
		uint32_t len = strlen(s) + 1;

		if (len > n && !(max >= 0 && max <= n))
			return cg_const(cg, cg->i1, 0); /* longer than the other can be */
		return equals_literal(cg, p, s, min_u32(n, len));
	}
	LLVMValueRef a = cg_expr_addr(cg, l), b = cg_expr_addr(cg, r);
	return equal_bytes(cg, a, b, n);
}

static LLVMValueRef fields_equal(struct codegen *cg, LLVMValueRef a, const struct type *ta,
				 LLVMValueRef b, const struct type *tb);

static LLVMValueRef values_equal(struct codegen *cg, LLVMValueRef a, const struct type *ta,
				 LLVMValueRef b, const struct type *tb)
{
	if (cg_is_scalar(ta) && cg_is_scalar(tb)) {
		LLVMValueRef x = cg_load(cg, cg_type(cg, ta), a),
			     y = cg_load(cg, cg_type(cg, tb), b);

		x = cg_int_cast(cg, x, ta->is_signed, cg->i64);
		y = cg_int_cast(cg, y, tb->is_signed, cg->i64);
		return LLVMBuildICmp(cg->b, LLVMIntEQ, x, y, "");
	}
	if (ta->fields.len && ta->fields.len == tb->fields.len)
		return fields_equal(cg, a, ta, b, tb);
	return equal_bytes(cg, a, b, min_u32(ta->size, tb->size));
}

/* Tuples may hold integers of other widths and strings of other capacities. */
static LLVMValueRef fields_equal(struct codegen *cg, LLVMValueRef a, const struct type *ta,
				 LLVMValueRef b, const struct type *tb)
{
	LLVMValueRef all = cg_const(cg, cg->i1, 1);

	for (size_t i = 0; i < ta->fields.len; i++) {
		const struct type_field *fa = &ta->fields.items[i], *fb = cg_same_field(tb, ta, i);
		LLVMValueRef same = values_equal(cg, cg_offset(cg, a, fa->offset), fa->type,
						 cg_offset(cg, b, fb->offset), fb->type);

		all = LLVMBuildAnd(cg->b, all, same, "");
	}
	return all;
}

static LLVMValueRef aggregates_equal(struct codegen *cg, struct ast_expr *l, struct ast_expr *r)
{
	if (l->type->kind == IMAGE_K_STRING && r->type->kind == IMAGE_K_STRING)
		return cg_strings_equal(cg, l, r, -1);

	LLVMValueRef a = cg_temp(cg, l->type->size, "left"),
		     b = cg_temp(cg, r->type->size, "right");
	cg_expr_into(cg, l, a, l->type);
	cg_expr_into(cg, r, b, r->type);
	return values_equal(cg, a, l->type, b, r->type);
}

/* A literal that is not negative takes the other operand's side. */
static bool is_signed_operand(const struct ast_expr *e)
{
	return e->type->is_signed && !(e->type->is_literal && (int64_t)e->const_int >= 0);
}

/* Mixed signs are widened to a signed 64-bit integer. */
static bool is_signed_operation(const struct ast_expr *l, const struct ast_expr *r)
{
	return is_signed_operand(l) || is_signed_operand(r);
}

static LLVMValueRef comparison(struct codegen *cg, struct ast_expr *e)
{
	struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;
	enum ast_binary_op op = e->u.binary.op;
	LLVMValueRef v;

	if (type_is_aggregate(l->type) && !type_is_aggregation(l->type)) {
		v = aggregates_equal(cg, l, r);
		if (op == AST_NE)
			v = LLVMBuildNot(cg->b, v, "");
	} else {
		bool is_signed = is_signed_operation(l, r);
		LLVMValueRef a = cg_expr64(cg, l), b = cg_expr64(cg, r);
		v = LLVMBuildICmp(cg->b, predicate_of(op, is_signed), a, b, "");
	}
	return LLVMBuildZExt(cg->b, v, cg_type(cg, e->type), "");
}

/* p + n and p - n count in what p points to */
static LLVMValueRef pointer_arith(struct codegen *cg, struct ast_expr *e)
{
	struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;
	const struct type *elem = e->type->elem;
	LLVMValueRef size = cg_const(cg, cg->i64, elem && elem->size ? elem->size : 1);
	LLVMValueRef a = cg_expr64(cg, l), b = cg_expr64(cg, r);

	if (l->type->kind == IMAGE_K_POINTER)
		b = LLVMBuildMul(cg->b, b, size, "");
	else
		a = LLVMBuildMul(cg->b, a, size, "");
	return cg_arith(cg, e->u.binary.op, a, b, false);
}

LLVMValueRef cg_binary(struct codegen *cg, struct ast_expr *e)
{
	enum ast_binary_op op = e->u.binary.op;
	struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;

	if (op == AST_LAND || op == AST_LOR)
		return logical(cg, e);
	if (is_comparison(op))
		return comparison(cg, e);
	if (e->type->kind == IMAGE_K_POINTER)
		return pointer_arith(cg, e);

	/* division and right shift: signed by the operands, not by the result */
	bool is_signed = l->type->is_signed;
	if (op == AST_DIV || op == AST_MOD)
		is_signed = is_signed_operation(l, r);
	if (op == AST_SHR && l->type->is_literal)
		is_signed = e->type->is_signed;
	/* from left to right: either side may change what the other reads */
	LLVMValueRef a = cg_expr_as(cg, l, e->type), b = cg_expr_as(cg, r, e->type);
	cg_warn_of_zero(cg, b, e->u.binary.warning);
	return cg_arith(cg, op, a, b, is_signed);
}
