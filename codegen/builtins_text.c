/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emitters of the builtins on text: strlen, strstr, str_concat; memcmp.
 *
 * The verifier follows a loop through every turn, and what comes after it once for every turn
 * that may be the last, as long as it knows the numbers that the loop counts. So what a loop has
 * found goes through memory of a map, of which the verifier knows nothing.
 */
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

/* Beyond so many turns a loop is too long for the verifier. */
#define MAX_TURNS 16384
/* What bpf_loop() allows. */
#define MAX_LOOP (1u << 23)

/* The same number, which the verifier no longer knows. */
static LLVMValueRef forget(struct codegen *cg, LLVMValueRef v)
{
	LLVMValueRef p = cg_scratch(cg, 8);

	LLVMSetVolatile(LLVMBuildStore(cg->b, v, p), 1);
	return cg_load_volatile(cg, LLVMTypeOf(v), p);
}

/* ---- text in memory --------------------------------------------------------------- */

static uint32_t text_size(struct codegen *cg, struct ast_expr *e)
{
	return sema_text_size(&cg->r->config, e->type);
}

/* Writes text of whatever kind as a string of text_size() bytes. */
static void text_into(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	uint32_t size = text_size(cg, e);
	struct cg_place p;

	if (e->type->kind == IMAGE_K_STRING) {
		cg_expr_into(cg, e, dst, e->type);
		return;
	}
	cg_zero(cg, dst, size);
	if (e->type->kind == IMAGE_K_POINTER)
		p = (struct cg_place){cg_expr64(cg, e), e->type->space};
	else
		p = cg_place_of(cg, e);
	cg_read_str(cg, dst, size, p.addr, p.space);
}

static LLVMValueRef text_of(struct codegen *cg, struct ast_expr *e)
{
	LLVMValueRef p;

	if (e->type->kind == IMAGE_K_STRING)
		return cg_expr_addr(cg, e);
	p = cg_scratch(cg, text_size(cg, e));
	text_into(cg, e, p);
	return p;
}

/* ---- loops ----------------------------------------------------------------------------- */

/* for (i = 0; i < n; i++), with a block for each turn, and one to leave for. */
struct count {
	LLVMValueRef slot, i;
	LLVMBasicBlockRef head, next, done;
};

static void begin_count(struct codegen *cg, struct count *c, LLVMValueRef n)
{
	LLVMBasicBlockRef body = cg_block(cg, "turn");

	cg_needs(cg, TARGET_F_BOUNDED_LOOPS, "a loop");
	c->slot = cg_alloca(cg, cg->i64, "i");
	c->head = cg_block(cg, "count");
	c->next = cg_block(cg, "next");
	c->done = cg_block(cg, "counted");
	cg_store(cg, cg_const(cg, cg->i64, 0), c->slot);
	cg_goto(cg, c->head);
	cg_at(cg, c->head);
	c->i = cg_load(cg, cg->i64, c->slot);
	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntULT, c->i, n, ""), body, c->done);
	cg_at(cg, body);
}

static void end_count(struct codegen *cg, struct count *c)
{
	cg_goto(cg, c->next);
	cg_at(cg, c->next);
	cg_store(cg, LLVMBuildAdd(cg->b, c->i, cg_const(cg, cg->i64, 1), ""), c->slot);
	cg_goto(cg, c->head);
	cg_at(cg, c->done);
}

static LLVMValueRef byte_at(struct codegen *cg, LLVMValueRef p, LLVMValueRef i)
{
	return cg_load(cg, cg->i8, LLVMBuildGEP2(cg->b, cg->i8, p, &i, 1, ""));
}

/* ---- strlen ------------------------------------------------------------------------------ */

/* The characters before the NUL of the @size bytes at @p: i64. */
static LLVMValueRef length(struct codegen *cg, LLVMValueRef p, uint32_t size)
{
	LLVMBasicBlockRef more = cg_block(cg, "no_nul");
	struct count c;

	begin_count(cg, &c, cg_const(cg, cg->i64, size));
	LLVMBuildCondBr(cg->b, cg_truth(cg, byte_at(cg, p, c.i)), more, c.done);
	cg_at(cg, more);
	end_count(cg, &c);
	return forget(cg, cg_load(cg, cg->i64, c.slot));
}

LLVMValueRef cg_emit_strlen(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *x = cg_arg_of(e, 0);

	(void)dst;
	return length(cg, text_of(cg, x), text_size(cg, x));
}

/* ---- strstr ---------------------------------------------------------------------------------- */

/* What the search works on, one after the other in scratch memory. */
struct search {
	uint32_t hay_size, needle_size;
	LLVMValueRef base;
};
enum { AT_START = 0, AT_MATCHED = 8, AT_RESULT = 16, AT_TEXT = 24 };

static uint32_t padded(uint32_t size)
{
	return (size + 7) & ~7u;
}

static LLVMValueRef word_at(struct codegen *cg, LLVMValueRef base, uint32_t off)
{
	return cg_load_volatile(cg, cg->i64, cg_offset(cg, base, off));
}

static void set_word(struct codegen *cg, LLVMValueRef base, uint32_t off, LLVMValueRef v)
{
	LLVMSetVolatile(LLVMBuildStore(cg->b, v, cg_offset(cg, base, off)), 1);
}

static void return_if(struct codegen *cg, LLVMValueRef cond, LLVMBasicBlockRef stop)
{
	LLVMBasicBlockRef go = cg_block(cg, "go");

	LLVMBuildCondBr(cg->b, cond, stop, go);
	cg_at(cg, go);
}

/*
 * One step, in a function of its own: compares one character of the needle. Returns 1 when the
 * search is over.
 */
static void step(struct codegen *cg, const struct search *s, LLVMValueRef base)
{
	LLVMValueRef zero8 = cg_const(cg, cg->i8, 0), one = cg_const(cg, cg->i64, 1);
	LLVMBasicBlockRef stop = cg_block(cg, "stop"), found = cg_block(cg, "found"),
			  same = cg_block(cg, "same"), other = cg_block(cg, "other");
	LLVMValueRef hay = cg_offset(cg, base, AT_TEXT);
	LLVMValueRef needle = cg_offset(cg, hay, padded(s->hay_size));
	LLVMValueRef start = word_at(cg, base, AT_START), j = word_at(cg, base, AT_MATCHED), at, c,
		     h;

	return_if(cg,
		  LLVMBuildICmp(cg->b, LLVMIntUGE, j, cg_const(cg, cg->i64, s->needle_size), ""),
		  stop);
	c = byte_at(cg, needle, j);
	return_if(cg, LLVMBuildICmp(cg->b, LLVMIntEQ, c, zero8, ""), found);
	at = cg_opaque(cg, LLVMBuildAdd(cg->b, start, j, ""));
	return_if(cg, LLVMBuildICmp(cg->b, LLVMIntUGE, at, cg_const(cg, cg->i64, s->hay_size), ""),
		  stop);
	h = byte_at(cg, hay, at);
	return_if(cg, LLVMBuildICmp(cg->b, LLVMIntEQ, h, zero8, ""), stop);
	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntEQ, h, c, ""), same, other);
	cg_at(cg, same);
	set_word(cg, base, AT_MATCHED, LLVMBuildAdd(cg->b, j, one, ""));
	LLVMBuildRet(cg->b, cg_const(cg, cg->i64, 0));
	cg_at(cg, other);
	set_word(cg, base, AT_START, LLVMBuildAdd(cg->b, start, one, ""));
	set_word(cg, base, AT_MATCHED, cg_const(cg, cg->i64, 0));
	LLVMBuildRet(cg->b, cg_const(cg, cg->i64, 0));
	cg_at(cg, found);
	set_word(cg, base, AT_RESULT, start);
	cg_goto(cg, stop);
	cg_at(cg, stop);
	LLVMBuildRet(cg->b, one);
}

/* long step(u64 turn, void **base) */
static LLVMValueRef step_function(struct codegen *cg, const struct search *s)
{
	const char *name = arena_printf(cg->arena, "strstr_%u_%u", s->hay_size, s->needle_size);
	LLVMTypeRef params[] = {cg->i64, cg->ptr};
	LLVMTypeRef type = LLVMFunctionType(cg->i64, params, 2, 0);
	LLVMValueRef fn = LLVMGetNamedFunction(cg->mod, name);
	LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b);
	LLVMMetadataRef where = LLVMGetCurrentDebugLocation2(cg->b), scope;
	LLVMValueRef outer = cg->fn;

	if (fn)
		return fn;
	fn = cg->fn = LLVMAddFunction(cg->mod, name, type);
	LLVMSetLinkage(fn, LLVMInternalLinkage);
	scope = cg_debug_subprogram(cg, fn, 0, true);
	cg_at(cg, cg_block(cg, "entry"));
	LLVMSetCurrentDebugLocation2(cg->b,
				     LLVMDIBuilderCreateDebugLocation(cg->ctx, 0, 0, scope, NULL));
	step(cg, s, LLVMBuildLoad2(cg->b, cg->ptr, LLVMGetParam(fn, 1), ""));
	cg->fn = outer;
	cg_at(cg, here);
	LLVMSetCurrentDebugLocation2(cg->b, where);
	return fn;
}

/* Without bpf_loop(): turn after turn, as many as the verifier bears. */
static void step_by_step(struct codegen *cg, const struct search *s, LLVMValueRef fn,
			 LLVMValueRef ctx, uint64_t turns)
{
	LLVMTypeRef params[] = {cg->i64, cg->ptr};
	LLVMTypeRef type = LLVMFunctionType(cg->i64, params, 2, 0);
	LLVMBasicBlockRef more = cg_block(cg, "more");
	struct count c;

	if (turns > MAX_TURNS) {
		cg_fail(cg, cg->at,
			"a search in a string of %u bytes for one of %u needs the kernel feature "
			"%s, which came with %s; shorter strings do without: str(s, 64)",
			s->hay_size, s->needle_size, target_feature_name(TARGET_F_BPF_LOOP),
			target_feature_since(TARGET_F_BPF_LOOP));
		return;
	}
	begin_count(cg, &c, cg_const(cg, cg->i64, turns));
	LLVMValueRef args[] = {c.i, ctx};
	LLVMValueRef over = LLVMBuildCall2(cg->b, type, fn, args, 2, "");
	LLVMBuildCondBr(cg->b, cg_truth(cg, over), c.done, more);
	cg_at(cg, more);
	end_count(cg, &c);
}

/* ---- strstr of short needles without bpf_loop() ---- */

/* A needle up to this size is compared in one turn. */
#define SHORT_NEEDLE 32

/* 0 or 1, without a branch: each that the verifier has not followed yet it must remember. */
static LLVMValueRef is_set(struct codegen *cg, LLVMValueRef byte)
{
	LLVMValueRef n = LLVMBuildAdd(cg->b, byte, cg_const(cg, cg->i64, 255), "");

	return LLVMBuildLShr(cg->b, n, cg_const(cg, cg->i64, 8), "");
}

static LLVMValueRef hidden_byte(struct codegen *cg, LLVMValueRef p, LLVMValueRef i)
{
	return cg_opaque(cg, LLVMBuildZExt(cg->b, byte_at(cg, p, i), cg->i64, ""));
}

/* 0 where the needle stands at @hay, up to its NUL. */
static LLVMValueRef difference(struct codegen *cg, LLVMValueRef hay, LLVMValueRef needle,
			       uint32_t size)
{
	LLVMValueRef mask = cg_const(cg, cg->i64, ~0ULL), all = cg_const(cg, cg->i64, 0);

	for (uint32_t i = 0; i < size; i++) {
		LLVMValueRef at = cg_const(cg, cg->i64, i);
		LLVMValueRef n = hidden_byte(cg, needle, at), h = hidden_byte(cg, hay, at);
		LLVMValueRef text = LLVMBuildNeg(cg->b, is_set(cg, n), "");

		mask = LLVMBuildAnd(cg->b, mask, text, "");
		all = LLVMBuildOr(cg->b, all,
				  LLVMBuildAnd(cg->b, LLVMBuildXor(cg->b, h, n, ""), mask, ""), "");
	}
	return all;
}

/* Turn after turn, one for each place where the needle may begin. */
static void place_by_place(struct codegen *cg, const struct search *s)
{
	LLVMBasicBlockRef found = cg_block(cg, "found"), other = cg_block(cg, "other"),
			  more = cg_block(cg, "more");
	LLVMValueRef text = cg_offset(cg, s->base, AT_TEXT), hay, at;
	struct count c;

	begin_count(cg, &c, cg_const(cg, cg->i64, s->hay_size));
	at = cg_opaque(cg, c.i);
	hay = LLVMBuildGEP2(cg->b, cg->i8, text, &at, 1, "");
	LLVMBuildCondBr(cg->b,
			cg_truth(cg, difference(cg, hay, cg_offset(cg, text, padded(s->hay_size)),
						s->needle_size)),
			other, found);
	cg_at(cg, found);
	set_word(cg, s->base, AT_RESULT, at);
	cg_goto(cg, c.done);
	cg_at(cg, other);
	LLVMBuildCondBr(cg->b, cg_truth(cg, byte_at(cg, hay, cg_const(cg, cg->i64, 0))), more,
			c.done);
	cg_at(cg, more);
	end_count(cg, &c);
}

LLVMValueRef cg_emit_strstr(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *hay = cg_arg_of(e, 0), *needle = cg_arg_of(e, 1);
	struct search s = {text_size(cg, hay), text_size(cg, needle), NULL};
	uint64_t turns = (uint64_t)s.hay_size * s.needle_size + 1;
	LLVMValueRef text, ctx = cg_alloca(cg, cg->i64, "search");

	(void)dst;
	s.base = cg_scratch(cg, AT_TEXT + padded(s.hay_size) + padded(s.needle_size));
	text = cg_offset(cg, s.base, AT_TEXT);
	text_into(cg, hay, text);
	text_into(cg, needle, cg_offset(cg, text, padded(s.hay_size)));
	set_word(cg, s.base, AT_START, cg_const(cg, cg->i64, 0));
	set_word(cg, s.base, AT_MATCHED, cg_const(cg, cg->i64, 0));
	set_word(cg, s.base, AT_RESULT, cg_const(cg, cg->i64, -1));
	LLVMBuildStore(cg->b, s.base, ctx);

	if (target_has(cg->r->target, TARGET_F_BPF_LOOP)) {
		LLVMValueRef args[] = {cg_const(cg, cg->i32, turns < MAX_LOOP ? turns : MAX_LOOP),
				       step_function(cg, &s), ctx, cg_const(cg, cg->i64, 0)};
		cg_helper(cg, BPF_FUNC_loop, args, 4);
	} else if (s.needle_size <= SHORT_NEEDLE) {
		place_by_place(cg, &s);
	} else {
		step_by_step(cg, &s, step_function(cg, &s), ctx, turns);
	}
	return word_at(cg, s.base, AT_RESULT);
}

/* ---- str_concat --------------------------------------------------------------------------------
 */

LLVMValueRef cg_emit_str_concat(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *a = cg_arg_of(e, 0), *b = cg_arg_of(e, 1);
	uint32_t first = text_size(cg, a), second = text_size(cg, b);
	LLVMValueRef whole = cg_scratch(cg, e->type->size), rest = text_of(cg, b), n;

	cg_zero(cg, whole, e->type->size);
	text_into(cg, a, whole);
	n = cg_at_most(cg, length(cg, whole, first), first - 1);
	cg_read_str(cg, LLVMBuildGEP2(cg->b, cg->i8, whole, &n, 1, ""), second, rest, SPACE_KERNEL);
	cg_copy(cg, dst, whole, e->type->size);
	return NULL;
}

/* ---- memcmp
 * --------------------------------------------------------------------------------------- */

static LLVMValueRef bytes_of(struct codegen *cg, struct ast_expr *e)
{
	LLVMValueRef p;

	if (!cg_is_scalar(e->type))
		return cg_expr_addr(cg, e);
	p = cg_alloca(cg, cg->i64, "bytes");
	cg_store(cg, cg_expr(cg, e), p);
	return p;
}

/* The difference of the first bytes that differ, as signed characters. */
LLVMValueRef cg_emit_memcmp(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *l = cg_arg_of(e, 0), *r = cg_arg_of(e, 1);
	uint32_t size = l->type->size < r->type->size ? l->type->size : r->type->size;
	LLVMValueRef a = bytes_of(cg, l), b = bytes_of(cg, r), x, y;
	LLVMValueRef n = cg_at_most(cg, cg_expr64(cg, cg_arg_of(e, 2)), size);
	LLVMValueRef result = cg_alloca(cg, cg->i64, "difference");
	LLVMBasicBlockRef differ = cg_block(cg, "differ");
	struct count c;

	(void)dst;
	cg_store(cg, cg_const(cg, cg->i64, 0), result);
	begin_count(cg, &c, n);
	x = byte_at(cg, a, c.i);
	y = byte_at(cg, b, c.i);
	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntEQ, x, y, ""), c.next, differ);
	cg_at(cg, differ);
	x = LLVMBuildSExt(cg->b, x, cg->i64, "");
	y = LLVMBuildSExt(cg->b, y, cg->i64, "");
	cg_store(cg, LLVMBuildSub(cg->b, x, y, ""), result);
	cg_goto(cg, c.done);
	end_count(cg, &c);
	return LLVMBuildTrunc(cg->b, forget(cg, cg_load(cg, cg->i64, result)), cg_type(cg, e->type),
			      "");
}
