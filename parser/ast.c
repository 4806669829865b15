/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of trees, and the spelling of operators. */
#include "ast.h"

static struct ast_type *clone_type(struct arena *a, const struct ast_type *t);

/* Copies the array of @from into @to, an exact copy of the struct around it. */
#define CLONE_VEC(a, v)                                                                            \
	do {                                                                                       \
		size_t clone_n = (v)->len;                                                         \
		__typeof__((v)->items) clone_from = (v)->items;                                    \
		(v)->items = NULL;                                                                 \
		(v)->len = (v)->cap = 0;                                                           \
		for (size_t clone_i = 0; clone_i < clone_n; clone_i++)                             \
			vec_push(a, v, clone_from[clone_i]);                                       \
	} while (0)
#define CLONE_VEC_WITH(a, v, clone)                                                                \
	do {                                                                                       \
		CLONE_VEC(a, v);                                                                   \
		for (size_t clone_i = 0; clone_i < (v)->len; clone_i++)                            \
			(v)->items[clone_i] = clone(a, (v)->items[clone_i]);                       \
	} while (0)

static void clone_children(struct arena *a, struct ast_expr *e)
{
	switch (e->kind) {
	case AST_INT:
	case AST_STRING:
	case AST_BOOL:
	case AST_POSITIONAL:
	case AST_NPARAMS:
		break;
	case AST_VAR:
		e->u.var.decl = NULL;
		break;
	case AST_MAP:
		e->u.map.key = ast_clone_expr(a, e->u.map.key);
		e->u.map.decl = NULL;
		break;
	case AST_IDENT:
		e->u.ident.builtin = NULL;
		break;
	case AST_CALL:
		CLONE_VEC_WITH(a, &e->u.call.args, ast_clone_expr);
		e->u.call.builtin = NULL;
		e->u.call.action = NULL;
		break;
	case AST_UNARY:
		e->u.unary.e = ast_clone_expr(a, e->u.unary.e);
		break;
	case AST_INCDEC:
		e->u.incdec.e = ast_clone_expr(a, e->u.incdec.e);
		break;
	case AST_BINARY:
		e->u.binary.l = ast_clone_expr(a, e->u.binary.l);
		e->u.binary.r = ast_clone_expr(a, e->u.binary.r);
		break;
	case AST_TERNARY:
		e->u.ternary.cond = ast_clone_expr(a, e->u.ternary.cond);
		e->u.ternary.then = ast_clone_expr(a, e->u.ternary.then);
		e->u.ternary.otherwise = ast_clone_expr(a, e->u.ternary.otherwise);
		break;
	case AST_FIELD:
		e->u.field.e = ast_clone_expr(a, e->u.field.e);
		e->u.field.resolved = NULL;
		break;
	case AST_TUPLE_FIELD:
		e->u.tuple_field.e = ast_clone_expr(a, e->u.tuple_field.e);
		break;
	case AST_INDEX:
		e->u.index.e = ast_clone_expr(a, e->u.index.e);
		e->u.index.i = ast_clone_expr(a, e->u.index.i);
		break;
	case AST_CAST:
		e->u.cast.type = clone_type(a, e->u.cast.type);
		e->u.cast.e = ast_clone_expr(a, e->u.cast.e);
		break;
	case AST_TUPLE:
	case AST_RECORD:
		CLONE_VEC_WITH(a, &e->u.tuple.elems, ast_clone_expr);
		CLONE_VEC(a, &e->u.tuple.names);
		break;
	case AST_SIZEOF:
	case AST_TYPEINFO:
	case AST_TYPE_EXPR:
		e->u.sizeof_.type = clone_type(a, e->u.sizeof_.type);
		e->u.sizeof_.e = ast_clone_expr(a, e->u.sizeof_.e);
		e->u.sizeof_.shown = NULL;
		break;
	case AST_OFFSETOF:
		e->u.offsetof_.type = clone_type(a, e->u.offsetof_.type);
		e->u.offsetof_.e = ast_clone_expr(a, e->u.offsetof_.e);
		CLONE_VEC(a, &e->u.offsetof_.path);
		break;
	case AST_BLOCK_EXPR:
		e->u.block = ast_clone_block(a, e->u.block);
		break;
	}
}

struct ast_expr *ast_clone_expr(struct arena *a, const struct ast_expr *e)
{
	struct ast_expr *c;

	if (!e)
		return NULL;
	c = arena_new_of(a, struct ast_expr);
	*c = *e;
	c->type = NULL;
	c->is_const = false;
	c->const_int = 0;
	c->const_str = NULL;
	clone_children(a, c);
	return c;
}

static struct ast_type *clone_type(struct arena *a, const struct ast_type *t)
{
	struct ast_type *c;

	if (!t)
		return NULL;
	c = arena_new_of(a, struct ast_type);
	*c = *t;
	c->typeof_expr = ast_clone_expr(a, t->typeof_expr);
	c->typeof_type = clone_type(a, t->typeof_type);
	CLONE_VEC(a, &c->suffixes);
	return c;
}

static struct ast_stmt *clone_stmt(struct arena *a, const struct ast_stmt *s)
{
	struct ast_stmt *c = arena_new_of(a, struct ast_stmt);

	*c = *s;
	c->dead = false;
	switch (c->kind) {
	case AST_BREAK:
	case AST_CONTINUE:
		break;
	case AST_EXPR_STMT:
	case AST_DISCARD:
	case AST_RETURN:
		c->u.expr = ast_clone_expr(a, s->u.expr);
		break;
	case AST_ASSIGN:
		c->u.assign.target = ast_clone_expr(a, s->u.assign.target);
		c->u.assign.value = ast_clone_expr(a, s->u.assign.value);
		break;
	case AST_DECL:
		c->u.decl.var = ast_clone_expr(a, s->u.decl.var);
		c->u.decl.type = clone_type(a, s->u.decl.type);
		c->u.decl.init = ast_clone_expr(a, s->u.decl.init);
		break;
	case AST_IF:
		c->u.if_.cond = ast_clone_expr(a, s->u.if_.cond);
		c->u.if_.then = ast_clone_block(a, s->u.if_.then);
		c->u.if_.otherwise = ast_clone_block(a, s->u.if_.otherwise);
		break;
	case AST_FOR_MAP:
	case AST_FOR_RANGE:
		c->u.for_.var = ast_clone_expr(a, s->u.for_.var);
		c->u.for_.map = ast_clone_expr(a, s->u.for_.map);
		c->u.for_.begin = ast_clone_expr(a, s->u.for_.begin);
		c->u.for_.end = ast_clone_expr(a, s->u.for_.end);
		c->u.for_.body = ast_clone_block(a, s->u.for_.body);
		break;
	case AST_WHILE:
	case AST_UNROLL:
		c->u.loop.cond = ast_clone_expr(a, s->u.loop.cond);
		c->u.loop.body = ast_clone_block(a, s->u.loop.body);
		break;
	case AST_BLOCK:
		c->u.block = ast_clone_block(a, s->u.block);
		break;
	}
	return c;
}

struct ast_block *ast_clone_block(struct arena *a, const struct ast_block *b)
{
	struct ast_block *c;

	if (!b)
		return NULL;
	c = arena_new_of(a, struct ast_block);
	*c = *b;
	CLONE_VEC_WITH(a, &c->stmts, clone_stmt);
	c->value = ast_clone_expr(a, b->value);
	return c;
}

const char *ast_binary_op_text(enum ast_binary_op op)
{
	static const char *const text[] = {
		[AST_ADD] = "+",   [AST_SUB] = "-",  [AST_MUL] = "*", [AST_DIV] = "/",
		[AST_MOD] = "%",   [AST_BAND] = "&", [AST_BOR] = "|", [AST_BXOR] = "^",
		[AST_SHL] = "<<",  [AST_SHR] = ">>", [AST_EQ] = "==", [AST_NE] = "!=",
		[AST_LT] = "<",    [AST_LE] = "<=",  [AST_GT] = ">",  [AST_GE] = ">=",
		[AST_LAND] = "&&", [AST_LOR] = "||",
	};

	return text[op];
}

const char *ast_unary_op_text(enum ast_unary_op op)
{
	static const char *const text[] = {
		[AST_NEG] = "-",   [AST_LNOT] = "!",   [AST_BNOT] = "~",
		[AST_DEREF] = "*", [AST_ADDROF] = "&",
	};

	return text[op];
}
