/* SPDX-License-Identifier: Apache-2.0 */
/* What stands below a node: the one place that knows all of the tree's edges. */
#include "ast.h"

static void one(struct ast_expr *e, const struct ast_visitor *v)
{
	if (e)
		v->expr(e, v->arg);
}

static void all(struct ast_expr *const *items, size_t n, const struct ast_visitor *v)
{
	for (size_t i = 0; i < n; i++)
		one(items[i], v);
}

static void block(struct ast_block *b, const struct ast_visitor *v)
{
	if (b)
		v->block(b, v->arg);
}

static void written(struct ast_type *t, const struct ast_visitor *v)
{
	if (!t)
		return;
	if (v->type)
		v->type(t, v->arg);
	else
		ast_visit_type(t, v);
}

void ast_visit_type(struct ast_type *t, const struct ast_visitor *v)
{
	one(t->typeof_expr, v);
	written(t->typeof_type, v);
}

void ast_visit_expr(struct ast_expr *e, const struct ast_visitor *v)
{
	switch (e->kind) {
	case AST_MAP:
		one(e->u.map.key, v);
		break;
	case AST_CALL:
		all(e->u.call.args.items, e->u.call.args.len, v);
		break;
	case AST_UNARY:
		one(e->u.unary.e, v);
		break;
	case AST_INCDEC:
		one(e->u.incdec.e, v);
		break;
	case AST_BINARY:
		one(e->u.binary.l, v);
		one(e->u.binary.r, v);
		break;
	case AST_TERNARY:
		one(e->u.ternary.cond, v);
		one(e->u.ternary.then, v);
		one(e->u.ternary.otherwise, v);
		break;
	case AST_FIELD:
		one(e->u.field.e, v);
		break;
	case AST_TUPLE_FIELD:
		one(e->u.tuple_field.e, v);
		break;
	case AST_INDEX:
		one(e->u.index.e, v);
		one(e->u.index.i, v);
		break;
	case AST_CAST:
		written(e->u.cast.type, v);
		one(e->u.cast.e, v);
		break;
	case AST_TUPLE:
	case AST_RECORD:
		all(e->u.tuple.elems.items, e->u.tuple.elems.len, v);
		break;
	case AST_SIZEOF:
	case AST_TYPEINFO:
	case AST_TYPE_EXPR:
		written(e->u.sizeof_.type, v);
		one(e->u.sizeof_.e, v);
		break;
	case AST_OFFSETOF:
		written(e->u.offsetof_.type, v);
		one(e->u.offsetof_.e, v);
		break;
	case AST_BLOCK_EXPR:
		block(e->u.block, v);
		break;
	case AST_INT:
	case AST_STRING:
	case AST_BOOL:
	case AST_POSITIONAL:
	case AST_NPARAMS:
	case AST_VAR:
	case AST_IDENT:
		break;
	}
}

void ast_visit_stmt(struct ast_stmt *st, const struct ast_visitor *v)
{
	switch (st->kind) {
	case AST_EXPR_STMT:
	case AST_DISCARD:
	case AST_RETURN:
		one(st->u.expr, v);
		break;
	case AST_ASSIGN:
		one(st->u.assign.value, v);
		one(st->u.assign.target, v);
		break;
	case AST_DECL:
		written(st->u.decl.type, v);
		one(st->u.decl.init, v);
		one(st->u.decl.var, v);
		break;
	case AST_IF:
		one(st->u.if_.cond, v);
		block(st->u.if_.then, v);
		block(st->u.if_.otherwise, v);
		break;
	case AST_FOR_MAP:
		one(st->u.for_.map, v);
		one(st->u.for_.var, v);
		block(st->u.for_.body, v);
		break;
	case AST_FOR_RANGE:
		one(st->u.for_.begin, v);
		one(st->u.for_.end, v);
		one(st->u.for_.var, v);
		block(st->u.for_.body, v);
		break;
	case AST_WHILE:
	case AST_UNROLL:
		one(st->u.loop.cond, v);
		block(st->u.loop.body, v);
		break;
	case AST_BLOCK:
		block(st->u.block, v);
		break;
	case AST_BREAK:
	case AST_CONTINUE:
		break;
	}
}
