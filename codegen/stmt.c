/* SPDX-License-Identifier: Apache-2.0 */
/* Statements. */
#include "codegen/cg.h"

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

	if (cg_pointer_step(v->type) > 1)
		by = LLVMBuildMul(cg->b, by, cg_const(cg, cg->i64, cg_pointer_step(v->type)), "");
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
		cg_while(cg, s);
		break;
	case AST_FOR_RANGE:
		cg_for_range(cg, s);
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
		cg_for_map(cg, s);
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
