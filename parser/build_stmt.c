/* SPDX-License-Identifier: Apache-2.0 */
/* Building statements, blocks and the items of a script. */
#include "parse_internal.h"

#include <string.h>

struct ast_stmt *build_stmt(struct parser *p, enum ast_stmt_kind kind, struct span at,
			    struct ast_expr *e)
{
	struct ast_stmt *s = arena_new_of(p->arena, struct ast_stmt);

	s->kind = kind;
	s->span = at;
	s->u.expr = e;
	s->depth = 1;
	if (e)
		build_depth(p, &s->depth, e->depth, at);
	return s;
}

static void over_expr(struct parser *p, struct ast_stmt *s, const struct ast_expr *e)
{
	if (e)
		build_depth(p, &s->depth, e->depth, s->span);
}

static void over_block(struct parser *p, struct ast_stmt *s, const struct ast_block *b)
{
	if (b)
		build_depth(p, &s->depth, b->depth, s->span);
}

static bool is_discard(const struct ast_expr *target)
{
	return target->kind == AST_IDENT && !strcmp(target->u.ident.name, "_");
}

struct ast_stmt *build_assign(struct parser *p, struct span at, struct ast_expr *target,
			      bool compound, enum ast_binary_op op, struct ast_expr *value)
{
	struct ast_stmt *s;

	if (!compound && is_discard(target))
		return build_stmt(p, AST_DISCARD, at, value);
	if (target->kind == AST_FIELD || target->kind == AST_TUPLE_FIELD)
		build_error(p, at,
			    "syntax: Tuples and records are immutable once created. Consider "
			    "creating a new value and assigning it instead.");
	else if (target->kind != AST_VAR && target->kind != AST_MAP)
		build_error(p, at, "syntax: invalid assignment target");
	s = build_stmt(p, AST_ASSIGN, at, NULL);
	s->u.assign.target = target;
	s->u.assign.value = value;
	s->u.assign.compound = compound;
	s->u.assign.op = op;
	over_expr(p, s, target);
	over_expr(p, s, value);
	return s;
}

struct ast_stmt *build_decl(struct parser *p, struct span at, struct ast_expr *var,
			    struct ast_type *type, struct ast_expr *init)
{
	struct ast_stmt *s = build_stmt(p, AST_DECL, at, NULL);

	s->u.decl.var = var;
	s->u.decl.type = type;
	s->u.decl.init = init;
	over_expr(p, s, init);
	for (; type; type = type->typeof_type)
		over_expr(p, s, type->typeof_expr);
	return s;
}

/* The parentheses of a condition are no tuple's: "if (x=1)" is a slip. */
static void check_condition(struct parser *p, const struct ast_expr *cond)
{
	if (cond->kind != AST_TUPLE && cond->kind != AST_RECORD)
		return;
	build_error(p, cond->span, "syntax: expected a condition, found a %s",
		    cond->kind == AST_TUPLE ? "tuple" : "record");
	if (cond->kind == AST_RECORD)
		diag_hint(p->diags, "Did you mean '=='?");
}

struct ast_stmt *build_if(struct parser *p, struct span at, struct ast_expr *cond,
			  struct ast_block *then, struct ast_block *otherwise)
{
	struct ast_stmt *s = build_stmt(p, AST_IF, at, NULL);

	check_condition(p, cond);
	s->u.if_.cond = cond;
	s->u.if_.then = then;
	s->u.if_.otherwise = otherwise;
	over_expr(p, s, cond);
	over_block(p, s, then);
	over_block(p, s, otherwise);
	return s;
}

struct ast_stmt *build_for(struct parser *p, struct span at, struct ast_expr *var,
			   struct ast_expr *begin, struct ast_expr *end, struct ast_block *body)
{
	struct ast_stmt *s = build_stmt(p, end ? AST_FOR_RANGE : AST_FOR_MAP, at, NULL);

	if (!end && begin->kind != AST_MAP)
		build_error(p, begin->span, "syntax: expected map or range in for loop");
	s->u.for_.var = var;
	s->u.for_.map = end ? NULL : begin;
	s->u.for_.begin = end ? begin : NULL;
	s->u.for_.end = end;
	s->u.for_.body = body;
	over_expr(p, s, begin);
	over_expr(p, s, end);
	over_block(p, s, body);
	return s;
}

struct ast_stmt *build_loop(struct parser *p, enum ast_stmt_kind kind, struct span at,
			    struct ast_expr *cond, struct ast_block *body)
{
	struct ast_stmt *s = build_stmt(p, kind, at, NULL);

	check_condition(p, cond);
	s->u.loop.cond = cond;
	s->u.loop.body = body;
	over_expr(p, s, cond);
	over_block(p, s, body);
	return s;
}

struct ast_stmt *build_block_stmt(struct parser *p, struct ast_block *b)
{
	struct ast_stmt *s = build_stmt(p, AST_BLOCK, b->span, NULL);

	s->u.block = b;
	over_block(p, s, b);
	return s;
}

struct stmt_list *build_stmt_list(struct parser *p, struct stmt_list *list, struct ast_stmt *s)
{
	if (!list)
		list = arena_new_of(p->arena, struct stmt_list);
	if (!s)
		return list;
	vec_push(p->arena, &list->v, s);
	list->closed = s->kind != AST_IF && s->kind != AST_BLOCK;
	return list;
}

/* ---- blocks and their values ------------------------------------------------------ */

struct ast_block *build_block(struct parser *p, struct span at, struct stmt_list *stmts,
			      struct ast_stmt *last)
{
	struct ast_block *b = arena_new_of(p->arena, struct ast_block);
	bool value = last && last->kind == AST_EXPR_STMT;

	b->span = at;
	b->depth = 1;
	b->open_end = !last && stmts->v.len && !stmts->closed;
	if (last && !value)
		build_stmt_list(p, stmts, last);
	VEC_MOVE(&b->stmts, &stmts->v);
	for (size_t i = 0; i < b->stmts.len; i++)
		build_depth(p, &b->depth, b->stmts.items[i]->depth, at);
	if (!value)
		return b;
	b->value = last->u.expr;
	build_depth(p, &b->depth, b->value->depth + 1, at);
	return b;
}

struct ast_block *build_block_of(struct parser *p, struct ast_stmt *s)
{
	struct stmt_list *list = build_stmt_list(p, NULL, s);

	return build_block(p, s->span, list, NULL);
}

static void body_of_stmt(struct parser *p, struct ast_stmt *s);

struct ast_block *build_body(struct parser *p, struct ast_block *b)
{
	struct ast_expr *e = b->value;

	b->open_end = false;
	if (e) {
		struct ast_stmt *s = build_stmt(p, AST_EXPR_STMT, e->span, e);

		vec_push(p->arena, &b->stmts, s);
		b->value = NULL;
	}
	for (size_t i = 0; i < b->stmts.len; i++)
		body_of_stmt(p, b->stmts.items[i]);
	return b;
}

/* The blocks inside of an if or a block kept their values until it was known who takes them. */
static void body_of_stmt(struct parser *p, struct ast_stmt *s)
{
	if (s->kind == AST_BLOCK)
		build_body(p, s->u.block);
	if (s->kind != AST_IF)
		return;
	build_body(p, s->u.if_.then);
	if (s->u.if_.otherwise)
		build_body(p, s->u.if_.otherwise);
}

static bool block_has_value(const struct ast_block *b);

/* Whether a statement in last place can be its block's value: every way through it has one. */
static bool stmt_has_value(const struct ast_stmt *s)
{
	if (s->kind == AST_BLOCK)
		return block_has_value(s->u.block);
	return s->kind == AST_IF && s->u.if_.otherwise && block_has_value(s->u.if_.then) &&
	       block_has_value(s->u.if_.otherwise);
}

static bool block_has_value(const struct ast_block *b)
{
	return b->value || (b->open_end && stmt_has_value(b->stmts.items[b->stmts.len - 1]));
}

static struct ast_expr *branch_value(struct parser *p, struct ast_block *b)
{
	struct ast_expr *e = build_block_expr(p, b);

	return !b->stmts.len && b->value ? b->value : e;
}

struct ast_expr *build_if_expr(struct parser *p, struct span at, struct ast_stmt *s)
{
	struct ast_expr *otherwise;

	if (!s->u.if_.otherwise) {
		build_error(p, at, "syntax: an if that is used as a value needs an else");
		return build_block_expr(p, s->u.if_.then);
	}
	otherwise = branch_value(p, s->u.if_.otherwise);
	return build_ternary(p, at, s->u.if_.cond, branch_value(p, s->u.if_.then), otherwise);
}

static struct ast_expr *stmt_to_value(struct parser *p, struct ast_stmt *s)
{
	if (s->kind == AST_BLOCK)
		return build_block_expr(p, s->u.block);
	return build_if_expr(p, s->span, s);
}

struct ast_block *build_value_block(struct parser *p, struct ast_block *b)
{
	if (!b->value && block_has_value(b)) {
		b->value = stmt_to_value(p, b->stmts.items[--b->stmts.len]);
		build_depth(p, &b->depth, b->value->depth + 1, b->span);
	}
	b->open_end = false;
	for (size_t i = 0; i < b->stmts.len; i++)
		body_of_stmt(p, b->stmts.items[i]);
	return b;
}

struct ast_expr *build_block_expr(struct parser *p, struct ast_block *b)
{
	struct ast_expr *e = build_expr(p, AST_BLOCK_EXPR, b->span);

	e->u.block = build_value_block(p, b);
	build_depth(p, &e->depth, b->depth, b->span);
	return e;
}

/* ---- items ------------------------------------------------------------------------- */

void build_section(struct parser *p, struct span at, enum section section, const char *what)
{
	if (p->section > section)
		build_error(p, at, "syntax: %s must appear before probes and functions", what);
	else
		p->section = section;
}

void build_config_item(struct parser *p, struct span at, const struct token *name,
		       struct span value_at, const char *value)
{
	struct ast_config_item item = {at, value_at, name->text, value};

	vec_push(p->arena, &p->program->config, item);
}

void build_import(struct parser *p, struct span at, const struct token *path, bool in_body)
{
	struct ast_import import = {at, path->text, in_body};

	vec_push(p->arena, &p->program->imports, import);
}

void build_map_decl(struct parser *p, struct span at, const struct token *name,
		    const struct token *kind, struct span count_at, const struct token *count)
{
	struct ast_expr *n = build_int(p, count_at, count);
	struct ast_map_decl decl = {.span = at, .name = name->text, .kind = kind->text};

	if (n->u.integer.is_unsigned)
		build_error(p, count_at,
			    "syntax: expected positive integer for map declaration max entries");
	decl.max_entries = (int64_t)n->u.integer.value;
	vec_push(p->arena, &p->program->map_decls, decl);
}

static void check_macro_params(struct parser *p, const struct expr_list *params)
{
	for (size_t i = 0; i < params->v.len; i++) {
		const struct ast_expr *e = params->v.items[i];

		if (e->kind == AST_IDENT && token_is_builtin(e->u.ident.name))
			build_error(p, e->span,
				    "syntax: builtin '%s' can't be used as a macro argument",
				    e->u.ident.name);
	}
}

void build_macro(struct parser *p, struct span at, const struct token *name,
		 struct expr_list *params, struct ast_block *body)
{
	struct ast_macro *m = arena_new_of(p->arena, struct ast_macro);

	m->span = at;
	m->name = name->text;
	m->body = build_value_block(p, body);
	if (params) {
		check_macro_params(p, params);
		VEC_MOVE(&m->params, &params->v);
	}
	vec_push(p->arena, &p->program->macros, m);
}

void build_probe(struct parser *p, struct ast_probe *probe, struct ast_expr *predicate,
		 struct ast_block *body)
{
	probe->predicate = predicate;
	probe->body = body;
	vec_push(p->arena, &p->program->probes, probe);
}
