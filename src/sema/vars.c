/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables and their scopes: a block is one, and a name may mean one thing only from
 * its declaration (or first assignment) to the end of the block. Unrolling happens here too,
 * so that each repetition has variables of its own.
 */
#include <string.h>

#include "internal.h"

struct local {
	struct sema_var *var;
	struct ast_stmt *decl; /* let, or NULL */
	bool assigned;
};

struct scope {
	struct scope *up;
	VEC(struct local) locals;
};

struct resolver {
	struct sema *s;
	struct sema_work *work;
	struct scope *scope;
	unsigned quiet; /* in sizeof and the like: reading before assigning is fine */
};

/* Every expansion of a macro has variables of its own, whatever they are called. */
static struct local *find_local(struct resolver *r, const struct ast_expr *e)
{
	for (struct scope *sc = r->scope; sc; sc = sc->up) {
		for (size_t i = 0; i < sc->locals.len; i++) {
			const struct sema_var *v = sc->locals.items[i].var;

			if (v->mark == e->u.var.mark && !strcmp(v->name, e->u.var.name))
				return &sc->locals.items[i];
		}
	}
	return NULL;
}

static struct local *new_local(struct resolver *r, struct ast_expr *e, struct ast_stmt *decl)
{
	struct sema_var *v = arena_new_of(r->s->arena, struct sema_var);
	struct local l = {v, decl, !decl};

	v->name = e->u.var.name;
	v->mark = e->u.var.mark;
	v->first = e->span;
	v->index = r->work->prog->nvars++;
	e->u.var.decl = v;
	vec_push(r->s->arena, &r->scope->locals, l);
	return &r->scope->locals.items[r->scope->locals.len - 1];
}

static void resolve_expr(struct ast_expr *e, void *arg);
static void resolve_block(struct ast_block *b, void *arg);

static void use(struct resolver *r, struct ast_expr *e)
{
	struct local *l = find_local(r, e);

	if (!l) {
		sema_error(r->s, e->span, "Undefined or undeclared variable: $%s", e->u.var.name);
		if (e->u.var.mark)
			sema_hint(r->s, "Variables of the caller must be passed into the macro as "
					"arguments.");
		return;
	}
	if (!l->assigned && !r->quiet)
		sema_warning(r->s, e->span, "Variable used before it was assigned: $%s",
			     e->u.var.name);
	e->u.var.decl = l->var;
}

static bool only_typed(const struct ast_expr *e)
{
	return e->kind == AST_SIZEOF || e->kind == AST_OFFSETOF || e->kind == AST_TYPEINFO;
}

static void resolve_expr(struct ast_expr *e, void *arg)
{
	struct resolver *r = arg;
	struct ast_visitor v = {resolve_expr, resolve_block, r};

	if (e->kind == AST_VAR) {
		use(r, e);
		return;
	}
	r->quiet += only_typed(e);
	ast_visit_expr(e, &v);
	r->quiet -= only_typed(e);
}

/* The target of an assignment: first use makes the variable. */
static void assign_target(struct resolver *r, struct ast_stmt *st)
{
	struct ast_expr *t = st->u.assign.target;
	struct local *l;

	if (t->kind != AST_VAR || st->u.assign.compound) {
		resolve_expr(t, r);
		return;
	}
	l = find_local(r, t);
	if (!l)
		l = new_local(r, t, NULL);
	l->assigned = true;
	t->u.var.decl = l->var;
}

static void declare(struct resolver *r, struct ast_stmt *st)
{
	struct ast_expr *var = st->u.decl.var;

	if (find_local(r, var)) {
		sema_error(r->s, st->span,
			   "Variable $%s was already declared. Variable shadowing is not "
			   "allowed.",
			   var->u.var.name);
		return;
	}
	new_local(r, var, st)->assigned = st->u.decl.init != NULL;
}

static void loop(struct resolver *r, struct ast_stmt *st)
{
	struct scope sc = {.up = r->scope};
	struct ast_expr *var = st->u.for_.var;

	if (find_local(r, var)) {
		sema_error(r->s, var->span, "Loop declaration shadows existing variable: $%s",
			   var->u.var.name);
		return;
	}
	r->scope = &sc;
	new_local(r, var, NULL);
	resolve_block(st->u.for_.body, r);
	r->scope = sc.up;
}

/* ---- unrolling ---------------------------------------------------------- */

struct counter {
	size_t n;
};

static void count_block(struct ast_block *b, void *arg);

static void count_expr(struct ast_expr *e, void *arg)
{
	struct ast_visitor v = {count_expr, count_block, arg};

	((struct counter *)arg)->n++;
	ast_visit_expr(e, &v);
}

static void count_block(struct ast_block *b, void *arg)
{
	struct ast_visitor v = {count_expr, count_block, arg};

	for (size_t i = 0; i < b->stmts.len; i++) {
		((struct counter *)arg)->n++;
		ast_visit_stmt(b->stmts.items[i], &v);
	}
}

/* The number of repetitions, or 0 after an error. */
static uint64_t unroll_count(struct resolver *r, struct ast_stmt *st)
{
	struct sema *s = r->s;
	struct ast_expr *n = st->u.loop.cond;

	if (!sema_expr(s, n) || !n->is_const || !sema_is_number(n->type) ||
	    (n->type->is_signed && (int64_t)n->const_int < 0)) {
		sema_error(s, st->span, "invalid unroll value");
		return 0;
	}
	if (n->const_int > SEMA_MAX_UNROLL) {
		sema_error(s, st->span, "unroll maximum value is %d", SEMA_MAX_UNROLL);
		return 0;
	}
	if (!n->const_int)
		sema_error(s, st->span, "unroll minimum value is 1");
	return n->const_int;
}

/* Turns unroll(n) { } into a block of n copies. */
static void unroll(struct resolver *r, struct ast_stmt *st)
{
	struct sema *s = r->s;
	struct ast_block *body = st->u.loop.body, *all;
	struct counter size = {0};
	uint64_t n;

	resolve_expr(st->u.loop.cond, r);
	n = unroll_count(r, st);
	count_block(body, &size);
	if (s->cloned + n * size.n > SEMA_MAX_CLONED) {
		sema_error(s, st->span, "unroll: the script becomes too large");
		return;
	}
	s->cloned += n * size.n;
	all = arena_new_of(s->arena, struct ast_block);
	all->span = body->span;
	for (uint64_t i = 0; i < n; i++) {
		struct ast_stmt *copy = arena_new_of(s->arena, struct ast_stmt);

		copy->kind = AST_BLOCK;
		copy->span = body->span;
		copy->u.block = ast_clone_block(s->arena, body);
		vec_push(s->arena, &all->stmts, copy);
	}
	st->kind = AST_BLOCK;
	st->u.block = all;
	resolve_block(all, r);
}

/* ---- statements --------------------------------------------------------- */

static void resolve_stmt(struct resolver *r, struct ast_stmt *st)
{
	struct ast_visitor v = {resolve_expr, resolve_block, r};

	switch (st->kind) {
	case AST_ASSIGN:
		resolve_expr(st->u.assign.value, r);
		assign_target(r, st);
		break;
	case AST_DECL:
		if (st->u.decl.type && st->u.decl.type->typeof_expr) {
			r->quiet++;
			resolve_expr(st->u.decl.type->typeof_expr, r);
			r->quiet--;
		}
		if (st->u.decl.init)
			resolve_expr(st->u.decl.init, r);
		declare(r, st);
		break;
	case AST_FOR_MAP:
		if (st->u.for_.map->kind == AST_MAP && st->u.for_.map->u.map.key)
			resolve_expr(st->u.for_.map->u.map.key, r);
		loop(r, st);
		break;
	case AST_FOR_RANGE:
		resolve_expr(st->u.for_.begin, r);
		resolve_expr(st->u.for_.end, r);
		loop(r, st);
		break;
	case AST_UNROLL:
		unroll(r, st);
		break;
	default:
		ast_visit_stmt(st, &v);
	}
}

static void resolve_block(struct ast_block *b, void *arg)
{
	struct resolver *r = arg;
	struct scope sc = {.up = r->scope};

	r->scope = &sc;
	for (size_t i = 0; i < b->stmts.len; i++)
		resolve_stmt(r, b->stmts.items[i]);
	if (b->value)
		resolve_expr(b->value, r);
	for (size_t i = 0; i < sc.locals.len; i++)
		if (!sc.locals.items[i].assigned)
			sema_warning(r->s, sc.locals.items[i].decl->span,
				     "Variable $%s was never assigned to.",
				     sc.locals.items[i].var->name);
	r->scope = sc.up;
}

void sema_resolve_vars(struct sema *s, struct sema_work *w)
{
	struct resolver r = {.s = s, .work = w};

	s->work = w;
	s->report = true; /* done once, so what is wrong is said here */
	if (w->prog->predicate)
		resolve_expr(w->prog->predicate, &r);
	resolve_block(w->prog->body, &r);
	s->report = false;
}
