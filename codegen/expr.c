/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: scalars as values, aggregates as memory. */
#include <string.h>

#include "codegen/cg.h"

static LLVMValueRef const_scalar(struct codegen *cg, struct ast_expr *e)
{
	return cg_const(cg, cg_type(cg, e->type), e->const_int);
}

static const char *const_text(struct ast_expr *e, uint32_t *len)
{
	if (e->is_const && e->const_str) {
		*len = strlen(e->const_str);
		return e->const_str;
	}
	if (e->kind == AST_STRING) {
		*len = e->u.string.len;
		return e->u.string.text;
	}
	return NULL;
}

/* ---- places ------------------------------------------------------------------- */

static bool is_args(const struct ast_expr *e)
{
	return e->type && e->type->is_ctx;
}

static struct cg_place pointer_place(struct codegen *cg, struct ast_expr *e)
{
	return (struct cg_place){cg_to_ptr(cg, cg_expr(cg, e)), e->type->space};
}

/* *(struct foo *)&$x is the variable's own memory, seen as something else. */
static struct cg_place pointed_place(struct codegen *cg, struct ast_expr *e)
{
	const struct ast_expr *x = e->u.unary.e;

	while (x->kind == AST_CAST && x->type->kind == IMAGE_K_POINTER)
		x = x->u.cast.e;
	if (x->kind == AST_UNARY && x->u.unary.op == AST_ADDROF && x->u.unary.e->kind == AST_VAR) {
		const struct sema_var *v = x->u.unary.e->u.var.decl;

		if (v->type->size >= e->type->size)
			return (struct cg_place){cg_var_storage(cg, v), SPACE_BPF};
	}
	return pointer_place(cg, e->u.unary.e);
}

static struct cg_place base_place(struct codegen *cg, struct ast_expr *e)
{
	return e->type->kind == IMAGE_K_POINTER ? pointer_place(cg, e) : cg_place_of(cg, e);
}

/*
 * An element with an index that is not known: the verifier would want its bounds. In memory of
 * BPF there is nothing beyond the last element, which reads as zero; elsewhere there may be
 * (int x[1] at the end of a struct).
 */
static struct cg_place element_place(struct codegen *cg, struct ast_expr *e, struct cg_place p,
				     LLVMValueRef i, LLVMValueRef off)
{
	const struct type *t = e->u.index.e->type;
	uint64_t n = t->kind == IMAGE_K_STRING ? t->size : t->kind == IMAGE_K_ARRAY ? t->count : 0;
	LLVMValueRef at = cg_to_int(cg, p.addr), in;

	in = LLVMBuildICmp(cg->b, LLVMIntULT, i, cg_const(cg, cg->i64, n), "");
	if (n)
		cg_warn_if(cg, LLVMBuildNot(cg->b, in, ""), e->u.index.warning);
	if (p.space == SPACE_BPF) {
		at = LLVMBuildAdd(cg->b, cg_as_number(cg, at), off, "");
		at = LLVMBuildSelect(cg->b, in, at, cg_const(cg, cg->i64, 0), "");
		p.space = SPACE_KERNEL;
	} else {
		at = LLVMBuildAdd(cg->b, at, off, "");
	}
	p.addr = cg_to_ptr(cg, at);
	return p;
}

static struct cg_place index_place(struct codegen *cg, struct ast_expr *e)
{
	struct cg_place p = base_place(cg, e->u.index.e);
	LLVMValueRef i = cg_expr64(cg, e->u.index.i);
	const struct type *elem = e->u.index.e->type->elem;

	if (elem && p.space != SPACE_BPF)
		cg_expect_size(cg, elem);
	LLVMValueRef off = LLVMBuildMul(cg->b, i, cg_const(cg, cg->i64, elem ? elem->size : 1), "");

	if (!LLVMIsConstant(i))
		return element_place(cg, e, p, i, off);
	p.addr = LLVMBuildGEP2(cg->b, cg->i8, cg_to_ptr(cg, p.addr), &off, 1, "");
	return p;
}

static struct cg_place field_place(struct codegen *cg, struct ast_expr *e)
{
	const struct type_field *f = e->u.field.resolved;

	struct cg_field m;

	if (is_args(e->u.field.e))
		return cg_arg_place(cg, f);
	if (!cg_field_of(cg, e, &m)) {
		struct cg_place p = base_place(cg, e->u.field.e);

		p.addr = cg_offset(cg, cg_to_ptr(cg, p.addr), f->offset);
		return p;
	}
	struct cg_place p = base_place(cg, m.base);
	/* in memory of BPF it lies as it does where the image was made: that was seen to */
	LLVMValueRef off =
		p.space == SPACE_BPF ? cg_const(cg, cg->i64, m.offset) : cg_field_offset(cg, &m);

	p.addr = LLVMBuildGEP2(cg->b, cg->i8, cg_to_ptr(cg, p.addr), &off, 1, "");
	return p;
}

struct cg_place cg_place_of(struct codegen *cg, struct ast_expr *e)
{
	switch (e->kind) {
	case AST_UNARY:
		if (e->u.unary.op == AST_DEREF)
			return pointed_place(cg, e);
		break;
	case AST_FIELD:
		return field_place(cg, e);
	case AST_INDEX:
		return index_place(cg, e);
	case AST_TUPLE_FIELD: {
		struct cg_place p = cg_place_of(cg, e->u.tuple_field.e);
		const struct type *t = e->u.tuple_field.e->type;

		p.addr = cg_offset(cg, p.addr, t->fields.items[e->u.tuple_field.index].offset);
		return p;
	}
	case AST_VAR:
		return (struct cg_place){cg_var_storage(cg, e->u.var.decl), SPACE_BPF};
	default:
		break;
	}
	LLVMValueRef tmp = cg_temp(cg, e->type->size, "tmp");
	cg_expr_into(cg, e, tmp, e->type);
	return (struct cg_place){tmp, SPACE_BPF};
}

/* ---- scalars -------------------------------------------------------------------- */

static LLVMValueRef field_scalar(struct codegen *cg, struct ast_expr *e)
{
	const struct type_field *f = e->u.field.resolved;

	struct cg_field m;

	if (is_args(e->u.field.e))
		return cg_arg_scalar(cg, f);
	if (cg_field_of(cg, e, &m))
		return cg_read_field_at(cg, &m, base_place(cg, m.base));
	return cg_read_field(cg, f, base_place(cg, e->u.field.e));
}

/* -x and ~x: a signed number is widened first, an unsigned one keeps its width. */
static LLVMValueRef negated(struct codegen *cg, struct ast_expr *e)
{
	struct ast_expr *sub = e->u.unary.e;
	const struct type *t =
		type_is_aggregation(sub->type) || sub->type->is_signed ? e->type : sub->type;
	LLVMValueRef v = cg_expr_as(cg, sub, t);

	v = e->u.unary.op == AST_NEG ? LLVMBuildNeg(cg->b, v, "") : LLVMBuildNot(cg->b, v, "");
	return cg_int_cast(cg, v, t->is_signed, cg_type(cg, e->type));
}

/* A number, so that the script may reckon with it; but a map stays one. */
static LLVMValueRef address_of(struct codegen *cg, struct ast_expr *x)
{
	const struct sema_map *m = x->kind == AST_MAP ? x->u.map.decl : NULL;
	LLVMValueRef p;

	if (!m)
		return cg_as_number(cg, cg_to_int(cg, cg_var_storage(cg, x->u.var.decl)));
	if (!x->u.map.key && (m->key || type_is_aggregation(m->value)))
		return cg_to_int(cg, cg_script_map(cg, m)->var);
	p = cg_as_number(cg, cg_to_int(cg, cg_map_lookup(cg, m, cg_map_key(cg, x))));
	return LLVMBuildAdd(cg->b, p, cg_const(cg, cg->i64, cg_map_value_off(m)), "");
}

static LLVMValueRef unary_scalar(struct codegen *cg, struct ast_expr *e)
{
	struct ast_expr *sub = e->u.unary.e;

	switch (e->u.unary.op) {
	case AST_LNOT: {
		LLVMValueRef t = cg_truth(cg, cg_expr(cg, sub));
		return LLVMBuildZExt(cg->b, LLVMBuildNot(cg->b, t, ""), cg_type(cg, e->type), "");
	}
	case AST_NEG:
	case AST_BNOT:
		return negated(cg, e);
	case AST_DEREF:
		return cg_read_scalar(cg, e->type, pointed_place(cg, e));
	case AST_ADDROF:
		break;
	}
	return address_of(cg, sub);
}

static LLVMValueRef pick(struct codegen *cg, LLVMTypeRef t, LLVMValueRef a,
			 LLVMBasicBlockRef from_a, LLVMValueRef b, LLVMBasicBlockRef from_b)
{
	LLVMValueRef phi = LLVMBuildPhi(cg->b, t, "");

	LLVMAddIncoming(phi, &a, &from_a, 1);
	LLVMAddIncoming(phi, &b, &from_b, 1);
	return phi;
}

static LLVMValueRef ternary_scalar(struct codegen *cg, struct ast_expr *e)
{
	LLVMBasicBlockRef yes = cg_block(cg, "then"), no = cg_block(cg, "else"),
			  done = cg_block(cg, "endif");
	LLVMValueRef cond = cg_expr(cg, e->u.ternary.cond), a, b;

	LLVMBuildCondBr(cg->b, cg_truth(cg, cond), yes, no);
	cg_at(cg, yes);
	a = e->u.ternary.then ? cg_expr_as(cg, e->u.ternary.then, e->type)
			      : cg_int_cast(cg, cond, e->u.ternary.cond->type->is_signed,
					    cg_type(cg, e->type));
	yes = LLVMGetInsertBlock(cg->b);
	cg_goto(cg, done);
	cg_at(cg, no);
	b = cg_expr_as(cg, e->u.ternary.otherwise, e->type);
	no = LLVMGetInsertBlock(cg->b);
	cg_goto(cg, done);
	cg_at(cg, done);
	return pick(cg, cg_type(cg, e->type), a, yes, b, no);
}

/* Branches without a value: each is run for what it does. */
static LLVMValueRef ternary_void(struct codegen *cg, struct ast_expr *e)
{
	LLVMBasicBlockRef yes = cg_block(cg, "then"), no = cg_block(cg, "else"),
			  done = cg_block(cg, "endif");

	LLVMBuildCondBr(cg->b, cg_truth(cg, cg_expr(cg, e->u.ternary.cond)), yes, no);
	cg_at(cg, yes);
	cg_expr_discard(cg, e->u.ternary.then);
	cg_goto(cg, done);
	cg_at(cg, no);
	cg_expr_discard(cg, e->u.ternary.otherwise);
	cg_goto(cg, done);
	cg_at(cg, done);
	return cg_const(cg, cg->i64, 0);
}

uint64_t cg_pointer_step(const struct type *t)
{
	return t->kind == IMAGE_K_POINTER && t->elem && t->elem->size ? t->elem->size : 1;
}

/* ++ and -- on a scratch variable; pointers move by what they point to */
static LLVMValueRef var_incdec(struct codegen *cg, struct ast_expr *e)
{
	const struct sema_var *var = e->u.incdec.e->u.var.decl;
	LLVMTypeRef t = cg_type(cg, var->type);
	LLVMValueRef at = cg_var_storage(cg, var), old = cg_load(cg, t, at);
	LLVMValueRef by = cg_const(cg, t, cg_pointer_step(var->type));
	LLVMValueRef now = e->u.incdec.decrement ? LLVMBuildSub(cg->b, old, by, "")
						 : LLVMBuildAdd(cg->b, old, by, "");
	cg_store(cg, now, at);
	LLVMValueRef v = e->u.incdec.prefix ? now : old;
	return cg_int_cast(cg, v, var->type->is_signed, cg_type(cg, e->type));
}

/* The bytes of an array or string, taken as an integer. */
static LLVMValueRef bytes_as_int(struct codegen *cg, struct ast_expr *e, const struct type *to)
{
	LLVMValueRef tmp = cg_alloca(cg, cg->i64, "bytes");
	uint32_t n = e->type->size < to->size ? e->type->size : to->size;

	cg_store(cg, cg_const(cg, cg->i64, 0), tmp);
	cg_read(cg, tmp, n, cg_place_of(cg, e));
	return cg_load(cg, cg_type(cg, to), tmp);
}

static LLVMValueRef cast_scalar(struct codegen *cg, struct ast_expr *e)
{
	struct ast_expr *sub = e->u.cast.e;

	if (sub->kind == AST_MAP && type_is_aggregation(sub->type))
		return cg_int_cast(cg, cg_aggregation_value(cg, sub), true, cg_type(cg, e->type));
	if (!cg_is_scalar(sub->type))
		return bytes_as_int(cg, sub, e->type);
	LLVMValueRef v = cg_expr(cg, sub);
	if (e->type->kind == IMAGE_K_BOOL)
		return LLVMBuildZExt(cg->b, cg_truth(cg, v), cg->i8, "");
	if (sub->type->kind == IMAGE_K_POINTER && e->type->kind != IMAGE_K_POINTER)
		v = cg_forget_pointer(cg, v);
	return cg_int_cast(cg, v, sub->type->is_signed, cg_type(cg, e->type));
}

static LLVMValueRef block_scalar(struct codegen *cg, struct ast_expr *e)
{
	struct ast_expr *value = e->u.block->value;

	cg_block_stmts(cg, e->u.block);
	if (!value)
		return NULL;
	return e->type->kind == IMAGE_K_VOID ? cg_expr(cg, value) : cg_expr_as(cg, value, e->type);
}

static LLVMValueRef scalar(struct codegen *cg, struct ast_expr *e)
{
	if (e->load)
		return cg_int_cast(cg, cg_reloc(cg, e->load - 1), e->type->is_signed,
				   cg_type(cg, e->type));
	if (e->is_const && !e->const_str && cg_is_scalar(e->type))
		return const_scalar(cg, e);

	switch (e->kind) {
	case AST_VAR:
		return cg_load(cg, cg_type(cg, e->type), cg_var_storage(cg, e->u.var.decl));
	case AST_MAP:
		return cg_map_read_scalar(cg, e);
	case AST_IDENT:
	case AST_CALL:
		return cg_builtin(cg, e, NULL);
	case AST_UNARY:
		return unary_scalar(cg, e);
	case AST_INCDEC:
		return e->u.incdec.e->kind == AST_MAP ? cg_map_incdec(cg, e, true)
						      : var_incdec(cg, e);
	case AST_BINARY:
		return cg_binary(cg, e);
	case AST_TERNARY:
		return e->type->kind == IMAGE_K_VOID ? ternary_void(cg, e) : ternary_scalar(cg, e);
	case AST_FIELD:
		return field_scalar(cg, e);
	case AST_TUPLE_FIELD:
	case AST_INDEX:
		return cg_read_scalar(cg, e->type, cg_place_of(cg, e));
	case AST_CAST:
		return cast_scalar(cg, e);
	case AST_BLOCK_EXPR:
		return block_scalar(cg, e);
	default:
		cg_fail(cg, e->span, "this expression is not supported yet");
		return LLVMConstNull(cg_type(cg, e->type));
	}
}

LLVMValueRef cg_expr64(struct codegen *cg, struct ast_expr *e)
{
	/* an aggregation where a number is asked for is summed up */
	if (e->kind == AST_MAP && type_is_aggregation(e->type))
		return cg_aggregation_value(cg, e);
	return cg_int_cast(cg, cg_expr(cg, e), e->type->is_signed, cg->i64);
}

LLVMValueRef cg_expr_as(struct codegen *cg, struct ast_expr *e, const struct type *to)
{
	if (e->kind == AST_MAP && type_is_aggregation(e->type))
		return cg_int_cast(cg, cg_aggregation_value(cg, e), true, cg_type(cg, to));
	return cg_int_cast(cg, cg_expr(cg, e), e->type->is_signed, cg_type(cg, to));
}

/* ---- aggregates ------------------------------------------------------------------- */

void cg_store_as(struct codegen *cg, LLVMValueRef v, const struct type *from, LLVMValueRef dst,
		 const struct type *to)
{
	cg_store(cg, cg_int_cast(cg, v, from->is_signed, cg_type(cg, to)), dst);
}

/* Strings and arrays: as much as fits, zeros after it; a cut string keeps its last NUL. */
static void convert_bytes(struct codegen *cg, LLVMValueRef src, const struct type *from,
			  LLVMValueRef dst, const struct type *to)
{
	uint32_t n = from->size < to->size ? from->size : to->size;

	cg_copy(cg, dst, src, n);
	if (to->size > n) {
		/* the tail may start off a word's boundary: byte by byte up to it */
		uint32_t off = n;
		for (; off < to->size && (off & 7); off++)
			cg_store(cg, cg_const(cg, cg->i8, 0), cg_offset(cg, dst, off));
		if (off < to->size)
			cg_zero(cg, cg_offset(cg, dst, off), to->size - off);
	} else if (from->size > to->size && to->kind == IMAGE_K_STRING) {
		cg_store(cg, cg_const(cg, cg->i8, 0), cg_offset(cg, dst, to->size - 1));
	}
}

static bool is_pair(const struct type *t)
{
	return t->kind == IMAGE_K_TUPLE || t->kind == IMAGE_K_RECORD;
}

/* Field @i of @to in a tuple or record of another shape: records go by name. */
const struct type_field *cg_same_field(const struct type *from, const struct type *to, size_t i)
{
	for (size_t j = 0; to->kind == IMAGE_K_RECORD && j < from->fields.len; j++)
		if (!strcmp(from->fields.items[j].name, to->fields.items[i].name))
			return &from->fields.items[j];
	return &from->fields.items[i];
}

void cg_convert(struct codegen *cg, LLVMValueRef src, const struct type *from, LLVMValueRef dst,
		const struct type *to)
{
	if (from->kind == to->kind && (to->kind == IMAGE_K_STRING || to->kind == IMAGE_K_BUFFER)) {
		convert_bytes(cg, src, from, dst, to);
		return;
	}
	if (!is_pair(to) || type_equal(from, to)) {
		cg_copy(cg, dst, src, from->size < to->size ? from->size : to->size);
		return;
	}
	cg_zero(cg, dst, to->size);
	for (size_t i = 0; i < to->fields.len && i < from->fields.len; i++) {
		const struct type_field *t = &to->fields.items[i], *f = cg_same_field(from, to, i);

		cg_copy_as(cg, cg_offset(cg, src, f->offset), f->type,
			   cg_offset(cg, dst, t->offset), t->type);
	}
}

void cg_copy_as(struct codegen *cg, LLVMValueRef src, const struct type *from, LLVMValueRef dst,
		const struct type *to)
{
	if (cg_is_scalar(from))
		cg_store_as(cg, cg_load(cg, cg_type(cg, from), src), from, dst, to);
	else
		cg_convert(cg, src, from, dst, to);
}

bool cg_has_padding(const struct type *t)
{
	uint32_t used = 0;

	for (size_t i = 0; i < t->fields.len; i++)
		used += t->fields.items[i].type->size;
	return used != t->size;
}

static void tuple_into(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst,
		       const struct type *to)
{
	/* keys are compared as bytes: no padding may hold what was there before */
	if (cg_has_padding(to))
		cg_zero(cg, dst, to->size);
	/* in the order written, whatever the order of the record that they go to */
	for (size_t i = 0; i < e->u.tuple.elems.len; i++) {
		const struct type_field *f = cg_same_field(to, e->type, i);

		cg_expr_into(cg, e->u.tuple.elems.items[i], cg_offset(cg, dst, f->offset), f->type);
	}
}

static void ternary_into(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst,
			 const struct type *to)
{
	LLVMBasicBlockRef yes = cg_block(cg, "then"), no = cg_block(cg, "else"),
			  done = cg_block(cg, "endif");

	LLVMBuildCondBr(cg->b, cg_truth(cg, cg_expr(cg, e->u.ternary.cond)), yes, no);
	cg_at(cg, yes);
	cg_expr_into(cg, e->u.ternary.then, dst, to);
	cg_goto(cg, done);
	cg_at(cg, no);
	cg_expr_into(cg, e->u.ternary.otherwise, dst, to);
	cg_goto(cg, done);
	cg_at(cg, done);
}

static void place_into(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst,
		       const struct type *to)
{
	struct cg_place p = cg_place_of(cg, e);

	if (p.space != SPACE_BPF)
		cg_expect_layout(cg, e->type);
	if (p.space == SPACE_BPF) {
		cg_convert(cg, p.addr, e->type, dst, to);
	} else if (is_pair(to) && !type_equal(e->type, to)) {
		LLVMValueRef tmp = cg_temp(cg, e->type->size, "tmp");

		cg_read(cg, tmp, e->type->size, p);
		cg_convert(cg, tmp, e->type, dst, to);
	} else if (to->kind == IMAGE_K_STRING) {
		/* a char array: its text up to the NUL, zeros after it */
		uint32_t n = e->type->size < to->size ? e->type->size : to->size;

		cg_zero(cg, dst, to->size);
		cg_read_chars(cg, dst, n, p);
	} else {
		cg_read(cg, dst, to->size, p);
	}
}

/* An integer's bytes as an array. */
static void int_as_bytes(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst,
			 const struct type *to)
{
	LLVMValueRef v = cg_expr64(cg, e);

	cg_store(cg, cg_int_cast(cg, v, false, cg_int_type(cg, to->size)), dst);
}

static void aggregate_into(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst,
			   const struct type *to)
{
	switch (e->kind) {
	case AST_TUPLE:
	case AST_RECORD:
		tuple_into(cg, e, dst, to);
		break;
	case AST_TYPEINFO:
		cg_expr_into(cg, e->u.sizeof_.shown, dst, to);
		break;
	case AST_TERNARY:
		ternary_into(cg, e, dst, to);
		break;
	case AST_MAP:
		cg_map_read_into(cg, e, dst, to);
		break;
	case AST_IDENT:
	case AST_CALL:
		if (type_equal(e->type, to)) {
			cg_builtin(cg, e, dst);
		} else {
			LLVMValueRef tmp = cg_temp(cg, e->type->size, "value");
			cg_builtin(cg, e, tmp);
			cg_convert(cg, tmp, e->type, dst, to);
		}
		break;
	case AST_CAST:
		if (cg_is_scalar(e->u.cast.e->type))
			int_as_bytes(cg, e->u.cast.e, dst, to);
		else
			place_into(cg, e->u.cast.e, dst, to);
		break;
	case AST_BLOCK_EXPR:
		cg_block_stmts(cg, e->u.block);
		cg_expr_into(cg, e->u.block->value, dst, to);
		break;
	case AST_VAR:
	case AST_UNARY:
	case AST_FIELD:
	case AST_INDEX:
	case AST_TUPLE_FIELD:
		place_into(cg, e, dst, to);
		break;
	default:
		cg_fail(cg, e->span, "this expression is not supported yet");
	}
}

/* Where an expression stands: what a path ends with may fail, and is reached from its start. */
static struct span place_in_script(const struct ast_expr *e)
{
	struct span at = e->span;

	if (e->kind == AST_FIELD && e->u.field.e->span.src == at.src)
		at.begin = e->u.field.e->span.begin;
	return at;
}

LLVMValueRef cg_expr(struct codegen *cg, struct ast_expr *e)
{
	struct span outer = cg->at;
	LLVMValueRef v;

	cg_debug_at(cg, place_in_script(e));
	v = scalar(cg, e);
	cg_debug_at(cg, outer);
	return v;
}

static void load_text(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst,
		      const struct type *to)
{
	LLVMValueRef tmp = dst;

	if (to->size != e->type->size)
		tmp = cg_temp(cg, e->type->size, "argument");
	cg_text_argument(cg, e, tmp);
	if (tmp != dst)
		cg_convert(cg, tmp, e->type, dst, to);
}

void cg_expr_into(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst, const struct type *to)
{
	struct span outer = cg->at;
	uint32_t len;
	const char *text;

	cg_debug_at(cg, place_in_script(e));
	if (e->load && e->type->kind == IMAGE_K_STRING) {
		load_text(cg, e, dst, to);
	} else if (cg_is_scalar(e->type) && cg_is_scalar(to)) {
		cg_store(cg, cg_expr_as(cg, e, to), dst);
	} else if (cg_is_scalar(to) && type_is_aggregation(e->type)) {
		cg_store(cg, cg_expr_as(cg, e, to), dst);
	} else if (to->kind == IMAGE_K_STRING && (text = const_text(e, &len))) {
		if (len > to->size - 1)
			len = to->size - 1;
		cg_store_bytes(cg, dst, text, len, to->size);
	} else {
		aggregate_into(cg, e, dst, to);
	}
	cg_debug_at(cg, outer);
}

LLVMValueRef cg_expr_addr(struct codegen *cg, struct ast_expr *e)
{
	struct cg_place p = {0};

	if (e->kind == AST_VAR || e->kind == AST_TUPLE_FIELD)
		p = cg_place_of(cg, e);
	if (p.addr && p.space == SPACE_BPF)
		return p.addr;
	LLVMValueRef tmp = cg_temp(cg, e->type->size, "tmp");
	cg_expr_into(cg, e, tmp, e->type);
	return tmp;
}

void cg_expr_discard(struct codegen *cg, struct ast_expr *e)
{
	if (is_args(e))
		return;
	if (e->kind == AST_INCDEC && e->u.incdec.e->kind == AST_MAP)
		cg_map_incdec(cg, e, false);
	else if (!e->type || e->type->kind == IMAGE_K_VOID || cg_is_scalar(e->type))
		cg_expr(cg, e);
	else
		cg_expr_addr(cg, e);
}
