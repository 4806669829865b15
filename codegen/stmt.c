/* SPDX-License-Identifier: Apache-2.0 */
/* Statements and scratch variables. */
#include "codegen/cg.h"

LLVMValueRef cg_var_storage(struct codegen *cg, const struct sema_var *v)
{
	LLVMValueRef *slot = &cg->vars[v->index];

	if (*slot)
		return *slot;
	if (cg_is_scalar(v->type) || v->type->size <= cg->r->config.on_stack_limit) {
		LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b);

		*slot = cg_alloca_var(cg, v->type->size, v->name);
		/* defined on every path, for the verifier's sake */
		LLVMPositionBuilderBefore(cg->b, LLVMGetBasicBlockTerminator(cg->entry));
		cg_zero(cg, *slot, (v->type->size + 7) & ~7u);
		cg_at(cg, here);
		return *slot;
	}
	/* large ones live in scratch, below which temporaries never fall back */
	if (!cg->scratch_slot)
		cg->scratch_slot = cg_alloca_var(cg, 8, "scratch");
	uint32_t at = cg->scratch_top;
	cg->scratch_top += (v->type->size + 7) & ~7u;
	cg->scratch_floor = cg->scratch_top;
	if (cg->scratch_top > cg->scratch_need)
		cg->scratch_need = cg->scratch_top;

	/* its address, computed once past the gate, so that every later use is dominated */
	LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b);
	LLVMPositionBuilderBefore(cg->b, LLVMGetBasicBlockTerminator(cg->setup));
	LLVMValueRef base = LLVMBuildLoad2(cg->b, cg->ptr, cg->scratch_slot, "");
	*slot = cg_offset(cg, base, at);
	if (!at) /* keep it an instruction of its own: its users come later */
		*slot = base;
	cg_at(cg, here);
	return *slot;
}

static void assign_var(struct codegen *cg, struct ast_expr *target, struct ast_expr *value)
{
	const struct sema_var *v = target->u.var.decl;
	LLVMValueRef at = cg_var_storage(cg, v);

	if (cg_is_scalar(v->type)) {
		cg_store(cg, cg_expr_as(cg, value, v->type), at);
		return;
	}
	/* by way of a temporary: the value may be made from the variable itself */
	LLVMValueRef tmp = cg_temp(cg, v->type->size, "value");
	cg_expr_into(cg, value, tmp, v->type);
	cg_copy(cg, at, tmp, v->type->size);
}

static bool is_aggregation_call(const struct ast_expr *e)
{
	return e->kind == AST_CALL && e->u.call.builtin &&
	       (e->u.call.builtin->flags & BUILTIN_AGGREGATION);
}

static void compound_var(struct codegen *cg, struct ast_stmt *s)
{
	const struct sema_var *v = s->u.assign.target->u.var.decl;
	LLVMValueRef by = cg_expr_as(cg, s->u.assign.value, v->type);
	LLVMValueRef at = cg_var_storage(cg, v), old = cg_load(cg, cg_type(cg, v->type), at);

	if (v->type->kind == IMAGE_K_POINTER && v->type->elem && v->type->elem->size)
		by = LLVMBuildMul(cg->b, by, cg_const(cg, cg->i64, v->type->elem->size), "");
	cg_store(cg, cg_arith(cg, s->u.assign.op, old, by, v->type->is_signed), at);
}

static void stmt_assign(struct codegen *cg, struct ast_stmt *s)
{
	struct ast_expr *target = s->u.assign.target, *value = s->u.assign.value;

	if (target->kind == AST_MAP) {
		if (s->u.assign.compound)
			cg_map_compound(cg, target, s->u.assign.op, value);
		else if (is_aggregation_call(value))
			cg_aggregate(cg, target, value);
		else
			cg_map_assign(cg, target, value);
	} else if (s->u.assign.compound) {
		compound_var(cg, s);
	} else {
		assign_var(cg, target, value);
	}
}

static void stmt_decl(struct codegen *cg, struct ast_stmt *s)
{
	const struct sema_var *v = s->u.decl.var->u.var.decl;

	if (s->u.decl.init)
		assign_var(cg, s->u.decl.var, s->u.decl.init);
	else if (v && v->type && v->type->size)
		cg_zero(cg, cg_var_storage(cg, v), v->type->size);
}

static void stmt_if(struct codegen *cg, struct ast_stmt *s)
{
	struct ast_expr *cond = s->u.if_.cond;

	if (cond->is_const && !cond->const_str) {
		if (cond->const_int)
			cg_block_stmts(cg, s->u.if_.then);
		else if (s->u.if_.otherwise)
			cg_block_stmts(cg, s->u.if_.otherwise);
		return;
	}
	LLVMBasicBlockRef yes = cg_block(cg, "if"), done = cg_block(cg, "endif");
	LLVMBasicBlockRef no = s->u.if_.otherwise ? cg_block(cg, "else") : done;

	LLVMBuildCondBr(cg->b, cg_truth(cg, cg_expr64(cg, cond)), yes, no);
	cg_at(cg, yes);
	cg_block_stmts(cg, s->u.if_.then);
	cg_goto(cg, done);
	if (s->u.if_.otherwise) {
		cg_at(cg, no);
		cg_block_stmts(cg, s->u.if_.otherwise);
		cg_goto(cg, done);
	}
	cg_at(cg, done);
}

static void loop_body(struct codegen *cg, struct ast_block *body, LLVMBasicBlockRef on_continue,
		      LLVMBasicBlockRef on_break)
{
	struct cg_loop loop = {on_break, on_continue, cg->loop};

	cg->loop = &loop;
	cg_block_stmts(cg, body);
	cg->loop = loop.outer;
	cg_goto(cg, on_continue);
}

static void stmt_while(struct codegen *cg, struct ast_stmt *s)
{
	LLVMBasicBlockRef head = cg_block(cg, "while"), body = cg_block(cg, "body"),
			  done = cg_block(cg, "endwhile");

	cg_needs(cg, TARGET_F_BOUNDED_LOOPS, "a loop");
	cg_goto(cg, head);
	cg_at(cg, head);
	LLVMBuildCondBr(cg->b, cg_truth(cg, cg_expr64(cg, s->u.loop.cond)), body, done);
	cg_at(cg, body);
	loop_body(cg, s->u.loop.body, head, done);
	cg_at(cg, done);
}

static void stmt_for_range(struct codegen *cg, struct ast_stmt *s)
{
	const struct sema_var *v = s->u.for_.var->u.var.decl;
	LLVMValueRef at = cg_var_storage(cg, v), i = cg_alloca(cg, cg->i64, "i");
	LLVMBasicBlockRef head = cg_block(cg, "for"), body = cg_block(cg, "body"),
			  next = cg_block(cg, "next"), done = cg_block(cg, "endfor");

	cg_needs(cg, TARGET_F_BOUNDED_LOOPS, "a loop");
	cg_store(cg, cg_expr64(cg, s->u.for_.begin), i);
	LLVMValueRef end = cg_expr64(cg, s->u.for_.end);
	cg_goto(cg, head);
	cg_at(cg, head);
	LLVMValueRef now = cg_load(cg, cg->i64, i);
	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntSLT, now, end, ""), body, done);
	cg_at(cg, body);
	cg_store(cg, cg_int_cast(cg, now, true, cg_type(cg, v->type)), at);
	loop_body(cg, s->u.for_.body, next, done);
	cg_at(cg, next);
	/* counted apart from the variable, which the body may change */
	LLVMValueRef again =
		LLVMBuildAdd(cg->b, cg_load(cg, cg->i64, i), cg_const(cg, cg->i64, 1), "");
	cg_store(cg, again, i);
	cg_goto(cg, head);
	cg_at(cg, done);
}

static void stmt_unroll(struct codegen *cg, struct ast_stmt *s)
{
	for (uint64_t i = 0; i < s->u.loop.cond->const_int; i++)
		cg_block_stmts(cg, s->u.loop.body);
}

/* What follows a jump is generated into a block that nothing reaches, and dropped. */
static void jump(struct codegen *cg, LLVMBasicBlockRef to)
{
	cg_goto(cg, to);
	cg_at(cg, cg_block(cg, "unreachable"));
}

void cg_leave(struct codegen *cg)
{
	jump(cg, cg->leave);
}

static void stmt_return(struct codegen *cg, struct ast_stmt *s)
{
	struct ast_expr *e = s->u.expr;

	if (e && e->type && cg->prog->type->flags & PROBE_RETURNS)
		cg_store(cg, cg_int_cast(cg, cg_expr64(cg, e), true, cg->i32), cg_result(cg));
	else if (e)
		cg_expr_discard(cg, e);
	cg_leave(cg);
}

static void cg_stmt(struct codegen *cg, struct ast_stmt *s)
{
	if (s->dead)
		return;
	cg_debug_at(cg, s->span);
	switch (s->kind) {
	case AST_EXPR_STMT:
	case AST_DISCARD:
		cg_expr_discard(cg, s->u.expr);
		break;
	case AST_ASSIGN:
		stmt_assign(cg, s);
		break;
	case AST_DECL:
		stmt_decl(cg, s);
		break;
	case AST_IF:
		stmt_if(cg, s);
		break;
	case AST_WHILE:
		stmt_while(cg, s);
		break;
	case AST_FOR_RANGE:
		stmt_for_range(cg, s);
		break;
	case AST_UNROLL:
		stmt_unroll(cg, s);
		break;
	case AST_BREAK:
		jump(cg, cg->loop->on_break);
		break;
	case AST_CONTINUE:
		jump(cg, cg->loop->on_continue);
		break;
	case AST_RETURN:
		stmt_return(cg, s);
		break;
	case AST_BLOCK:
		cg_block_stmts(cg, s->u.block);
		break;
	case AST_FOR_MAP:
		cg_fail(cg, s->span, "'for' over a map is not supported yet");
		break;
	}
}

void cg_block_stmts(struct codegen *cg, struct ast_block *blk)
{
	for (size_t i = 0; i < blk->stmts.len; i++) {
		uint32_t mark = cg->scratch_top;

		cg_stmt_begin(cg);
		cg_stmt(cg, blk->stmts.items[i]);
		cg_stmt_end(cg);
		/* temporaries end with their statement, variables do not */
		cg->scratch_top = mark > cg->scratch_floor ? mark : cg->scratch_floor;
	}
}
