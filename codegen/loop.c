/* SPDX-License-Identifier: Apache-2.0 */
/* Loops: in the program, or by functions that the kernel calls (see frame.c). */
#include <linux/bpf.h>

#include "codegen/cg.h"

/* The kernel's bpf_loop() does no more (BPF_MAX_LOOPS). */
#define LOOP_MAX (1u << 23)
/* More rounds in the program than this the verifier would not walk. */
#define ROUNDS_MAX 100000

static void loop_body(struct codegen *cg, struct ast_block *body, LLVMBasicBlockRef on_continue,
		      LLVMBasicBlockRef on_break)
{
	struct cg_loop loop = {on_break, on_continue, cg->loop};

	cg->loop = &loop;
	cg_block_stmts(cg, body);
	cg->loop = loop.outer;
	cg_goto(cg, on_continue);
}

/*
 * Loops ask at their end whether to go on: to older kernels (5.10) a way back into a loop has to
 * be a conditional jump, or what follows one.
 */
void cg_while(struct codegen *cg, struct ast_stmt *s)
{
	LLVMBasicBlockRef body = cg_block(cg, "while"), again = cg_block(cg, "again"),
			  done = cg_block(cg, "endwhile");

	cg_needs(cg, TARGET_F_BOUNDED_LOOPS, "a loop");
	LLVMBuildCondBr(cg->b, cg_truth(cg, cg_expr64(cg, s->u.loop.cond)), body, done);
	cg_at(cg, body);
	loop_body(cg, s->u.loop.body, again, done);
	cg_at(cg, again);
	LLVMBuildCondBr(cg->b, cg_truth(cg, cg_expr64(cg, s->u.loop.cond)), body, done);
	cg_at(cg, done);
}

/* ---- the body as a function ------------------------------------------------------- */

static void begin_body(struct codegen *cg, struct cg_function *outer, struct ast_stmt *s,
		       unsigned nparams)
{
	const struct cg_loop_plan *plan = cg_loop_plan(cg, s);
	size_t n = plan - cg->frame.loops.items;

	cg_function_begin(cg, outer, arena_printf(cg->arena, "%s_for%zu", cg->prog->name, n),
			  nparams, s->span);
}

/* Generates the body into the function; true when it may ask to leave the program. */
static bool end_body(struct codegen *cg, struct cg_function *outer, struct ast_stmt *s)
{
	LLVMBasicBlockRef next = cg_block(cg, "next"), stop = cg_block(cg, "stop");

	loop_body(cg, s->u.for_.body, next, stop);
	cg_at(cg, next);
	LLVMBuildRet(cg->b, cg_const(cg, cg->i64, 0));
	cg_at(cg, stop);
	LLVMBuildRet(cg->b, cg_const(cg, cg->i64, 1));
	return cg_function_end(cg, outer);
}

static void leave_if_asked(struct codegen *cg, bool may_ask)
{
	LLVMBasicBlockRef on;

	if (!may_ask)
		return;
	on = cg_block(cg, "endfor");
	LLVMBuildCondBr(cg->b, cg_frame_asks_to_leave(cg), cg->leave, on);
	cg_at(cg, on);
}

/* ---- ranges ----------------------------------------------------------------------- */

bool cg_range_signed(const struct ast_stmt *st)
{
	return st->u.for_.var->u.var.decl->type->is_signed;
}

static LLVMValueRef is_below(struct codegen *cg, struct ast_stmt *s, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildICmp(cg->b, cg_range_signed(s) ? LLVMIntSLT : LLVMIntULT, a, b, "");
}

static void set_number(struct codegen *cg, struct ast_stmt *s, LLVMValueRef n)
{
	const struct sema_var *v = s->u.for_.var->u.var.decl;

	cg_store(cg, cg_int_cast(cg, n, true, cg_type(cg, v->type)), cg_var_storage(cg, v));
}

static LLVMValueRef add_one(struct codegen *cg, LLVMValueRef at)
{
	LLVMValueRef n =
		LLVMBuildAdd(cg->b, cg_load(cg, cg->i64, at), cg_const(cg, cg->i64, 1), "");

	cg_store(cg, n, at);
	return n;
}

/* A range that is not known beforehand ends by itself only as the verifier sees it. */
static LLVMValueRef goes_on(struct codegen *cg, struct ast_stmt *s, LLVMValueRef i,
			    LLVMValueRef end, LLVMValueRef rounds)
{
	LLVMValueRef more = is_below(cg, s, add_one(cg, i), end), few;

	if (!rounds)
		return more;
	few = LLVMBuildICmp(cg->b, LLVMIntULT, add_one(cg, rounds),
			    cg_const(cg, cg->i64, SEMA_MAX_ROUNDS), "");
	return LLVMBuildAnd(cg->b, more, few, "");
}

static void range_in_program(struct codegen *cg, struct ast_stmt *s,
			     const struct cg_loop_plan *plan)
{
	LLVMValueRef i = cg_alloca(cg, cg->i64, "i"), rounds = NULL;
	LLVMBasicBlockRef body = cg_block(cg, "for"), next = cg_block(cg, "next"),
			  done = cg_block(cg, "endfor");

	if (plan->rounds != UINT64_MAX && plan->rounds > ROUNDS_MAX)
		cg_needs(cg, TARGET_F_BPF_LOOP, "a loop of so many rounds");
	cg_needs(cg, TARGET_F_BOUNDED_LOOPS, "a loop");
	LLVMValueRef begin = cg_expr64(cg, s->u.for_.begin), end = cg_expr64(cg, s->u.for_.end);
	cg_store(cg, begin, i);
	if (plan->rounds == UINT64_MAX) {
		rounds = cg_alloca(cg, cg->i64, "rounds");
		cg_store(cg, cg_const(cg, cg->i64, 0), rounds);
	}
	LLVMBuildCondBr(cg->b, is_below(cg, s, begin, end), body, done);
	cg_at(cg, body);
	/* counted apart from the variable, which the body may change */
	set_number(cg, s, cg_load(cg, cg->i64, i));
	loop_body(cg, s->u.for_.body, next, done);
	cg_at(cg, next);
	LLVMBuildCondBr(cg->b, goes_on(cg, s, i, end, rounds), body, done);
	cg_at(cg, done);
}

/* How often the kernel is to call: i64, 0 for a range that ends before it begins. */
static LLVMValueRef count_rounds(struct codegen *cg, struct ast_stmt *s, LLVMValueRef begin,
				 LLVMValueRef end)
{
	LLVMValueRef n = LLVMBuildSub(cg->b, end, begin, ""),
		     most = cg_const(cg, cg->i64, LOOP_MAX);

	n = LLVMBuildSelect(cg->b, is_below(cg, s, begin, end), n, cg_const(cg, cg->i64, 0), "");
	return LLVMBuildSelect(cg->b, LLVMBuildICmp(cg->b, LLVMIntULT, n, most, ""), n, most, "");
}

static void range_by_calls(struct codegen *cg, struct ast_stmt *s, const struct cg_loop_plan *plan)
{
	struct cg_function outer;
	LLVMValueRef begin = cg_expr64(cg, s->u.for_.begin), end = cg_expr64(cg, s->u.for_.end);
	LLVMValueRef n = count_rounds(cg, s, begin, end), i;
	bool known = LLVMIsConstant(begin), may_leave;

	if (!known)
		cg_store(cg, begin, cg_frame_begin_of(cg, plan));
	begin_body(cg, &outer, s, 2);
	LLVMValueRef fn = cg->fn;
	i = LLVMGetParam(fn, 0);
	if (!known)
		begin = cg_load(cg, cg->i64, cg_frame_begin_of(cg, plan));
	set_number(cg, s, LLVMBuildAdd(cg->b, i, begin, ""));
	may_leave = end_body(cg, &outer, s);

	LLVMValueRef args[] = {cg_int_cast(cg, n, false, cg->i32), fn, cg->frame.addr,
			       cg_const(cg, cg->i64, 0)};
	cg_helper(cg, BPF_FUNC_loop, args, 4);
	leave_if_asked(cg, may_leave);
}

/* Without loops in the kernel's programs, a few rounds are written out. */
static void range_unrolled(struct codegen *cg, struct ast_stmt *s, const struct cg_loop_plan *plan)
{
	LLVMBasicBlockRef done = cg_block(cg, "endfor");

	for (uint64_t i = 0; i < plan->rounds; i++) {
		LLVMBasicBlockRef next = cg_block(cg, "next");

		set_number(cg, s, cg_const(cg, cg->i64, s->u.for_.begin->const_int + i));
		loop_body(cg, s->u.for_.body, next, done);
		cg_at(cg, next);
	}
	cg_goto(cg, done);
	cg_at(cg, done);
}

void cg_for_range(struct codegen *cg, struct ast_stmt *s)
{
	const struct cg_loop_plan *plan = cg_loop_plan(cg, s);

	if (plan->function)
		range_by_calls(cg, s, plan);
	else if (plan->rounds <= CG_UNROLL_MAX &&
		 !target_has(cg->r->target, TARGET_F_BOUNDED_LOOPS))
		range_unrolled(cg, s, plan);
	else
		range_in_program(cg, s, plan);
}

/* ---- maps ------------------------------------------------------------------------- */

static void set_value(struct codegen *cg, const struct sema_map *m, LLVMValueRef dst,
		      const struct type *to)
{
	LLVMValueRef key = LLVMGetParam(cg->fn, 1), value = LLVMGetParam(cg->fn, 2);

	if (type_is_aggregation(m->value))
		cg_store(cg, cg_int_cast(cg, cg_aggregation_at(cg, m, key), true, cg_type(cg, to)),
			 dst);
	else
		cg_copy_as(cg, value, m->value, dst, to);
}

/* The element that the body sees is a copy: the map may change while it runs. */
static void set_element(struct codegen *cg, struct ast_stmt *s)
{
	const struct sema_map *m = s->u.for_.map->u.map.decl;
	const struct sema_var *v = s->u.for_.var->u.var.decl;
	const struct type_field *f = v->type->fields.items;
	unsigned parts = cg_var_parts(cg, v);
	LLVMValueRef at;

	if (!parts)
		return;
	at = cg_var_storage(cg, v);
	if (parts == (CG_PART_KEY | CG_PART_VALUE) && cg_has_padding(v->type))
		cg_zero(cg, at, v->type->size);
	if (parts & CG_PART_KEY)
		cg_copy_as(cg, LLVMGetParam(cg->fn, 1), m->key, cg_offset(cg, at, f[0].offset),
			   f[0].type);
	if (parts & CG_PART_VALUE)
		set_value(cg, m, cg_offset(cg, at, f[1].offset), f[1].type);
}

void cg_for_map(struct codegen *cg, struct ast_stmt *s)
{
	const struct sema_map *m = s->u.for_.map->u.map.decl;
	struct cg_function outer;
	bool may_leave;

	if (!cg_needs(cg, TARGET_F_FOR_EACH_MAP, "'for' over a map"))
		return;
	begin_body(cg, &outer, s, 4);
	LLVMValueRef fn = cg->fn;
	set_element(cg, s);
	may_leave = end_body(cg, &outer, s);

	LLVMValueRef args[] = {cg_script_map(cg, m)->var, fn, cg->frame.addr,
			       cg_const(cg, cg->i64, 0)};
	cg_helper(cg, BPF_FUNC_for_each_map_elem, args, 4);
	leave_if_asked(cg, may_leave);
}
