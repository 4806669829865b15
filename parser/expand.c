/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expanding macros. A call is replaced by a copy of the macro's body: parameters stand for
 * the call's arguments, and every other variable of the body gets the mark of this expansion,
 * so that it meets none of the caller's. Arguments are expanded where they are written, before
 * they are put into the copy, and not looked at again.
 */
#include <string.h>

#include "expand.h"
#include "library.h"

struct frame {
	struct frame *up;
	const struct ast_macro *macro;
	struct ast_expr *const *args; /* one for each parameter */
	uint32_t *sizes;              /* in nodes */
	uint32_t mark;
	uint32_t src; /* the macro's source as seen through this call */
};

struct expander {
	struct macro_table t;
	struct stdlib stdlib;
	struct diag_list *d;
	struct frame *frame; /* NULL: the script itself */
	uint32_t marks;
	size_t nodes;     /* made so far */
	unsigned level;   /* of the node being looked at */
	uint32_t deepest; /* depth of the deepest of the siblings seen */
	bool failed;
};

static void expand_expr(struct ast_expr *e, void *arg);
static void expand_block(struct ast_block *b, void *arg);
static void expand_type(struct ast_type *t, void *arg);

static struct ast_visitor visitor(struct expander *x)
{
	return (struct ast_visitor){expand_expr, expand_block, x, expand_type};
}

/* ---- limits --------------------------------------------------------------------- */

static void count(struct expander *x, size_t nodes, struct span at)
{
	if (!x->frame || x->failed)
		return;
	x->nodes += nodes;
	if (x->nodes <= EXPAND_MAX_NODES)
		return;
	diag_error(x->d, at, "The script becomes too large when its macros are expanded");
	x->failed = true;
}

static bool enter(struct expander *x, struct span at, uint32_t *outer)
{
	if (x->failed)
		return false;
	if (x->level >= AST_MAX_DEPTH) {
		diag_error(x->d, at,
			   "Nested too deeply when macros are expanded, at most %d levels "
			   "are allowed",
			   AST_MAX_DEPTH);
		x->failed = true;
		return false;
	}
	x->level++;
	*outer = x->deepest;
	x->deepest = 0;
	return true;
}

/* Sets the depth of a node whose children have been expanded. */
static void leave(struct expander *x, struct span at, uint32_t *depth, uint32_t outer)
{
	x->level--;
	*depth = x->deepest + 1;
	x->deepest = *depth > outer ? *depth : outer;
	if (*depth <= AST_MAX_DEPTH || x->failed)
		return;
	diag_error(x->d, at,
		   "Nested too deeply when macros are expanded, at most %d levels are "
		   "allowed",
		   AST_MAX_DEPTH);
	x->failed = true;
}

static void deepen(struct expander *x, uint32_t depth)
{
	if (depth > x->deepest)
		x->deepest = depth;
}

static void measure_block(struct ast_block *b, void *arg);

static void measure(struct ast_expr *e, void *arg)
{
	struct ast_visitor v = {measure, measure_block, arg, NULL};

	++*(uint32_t *)arg;
	ast_visit_expr(e, &v);
}

static void measure_block(struct ast_block *b, void *arg)
{
	struct ast_visitor v = {measure, measure_block, arg, NULL};

	for (size_t i = 0; i < b->stmts.len; i++) {
		++*(uint32_t *)arg;
		ast_visit_stmt(b->stmts.items[i], &v);
	}
	if (b->value)
		measure(b->value, arg);
}

/* ---- parameters ------------------------------------------------------------------- */

static void place(const struct expander *x, struct span *at)
{
	if (x->frame)
		at->src = x->frame->src;
}

/* The number of the parameter called @name of this kind, or -1. */
static int param_of(const struct expander *x, enum ast_expr_kind kind, const char *name)
{
	for (size_t i = 0; x->frame && i < x->frame->macro->params.len; i++) {
		const struct ast_expr *p = x->frame->macro->params.items[i];
		const char *called = p->kind == AST_VAR   ? p->u.var.name
				     : p->kind == AST_MAP ? p->u.map.name
							  : p->u.ident.name;

		if (p->kind == kind && !strcmp(called, name))
			return (int)i;
	}
	return -1;
}

/* What the identifier @name stands for, or NULL. */
static struct ast_expr *given(const struct expander *x, const char *name)
{
	int i = param_of(x, AST_IDENT, name);

	return i < 0 ? NULL : x->frame->args[i];
}

static struct ast_expr *copy_given(struct expander *x, const char *name, struct span at)
{
	int i = param_of(x, AST_IDENT, name);

	count(x, x->frame->sizes[i], at);
	return x->failed ? NULL : ast_clone_expr(x->d->arena, x->frame->args[i]);
}

static void expand_var(struct expander *x, struct ast_expr *e)
{
	int i = param_of(x, AST_VAR, e->u.var.name);

	if (i >= 0) {
		e->u.var.name = x->frame->args[i]->u.var.name;
		e->u.var.mark = x->frame->args[i]->u.var.mark;
	} else if (x->frame) {
		e->u.var.mark = x->frame->mark;
	}
}

static void expand_map(struct expander *x, struct ast_expr *e)
{
	int i = param_of(x, AST_MAP, e->u.map.name);

	if (i >= 0)
		e->u.map.name = x->frame->args[i]->u.map.name;
	else if (x->frame)
		diag_error(x->d, e->span,
			   "Unhygienic access to map: @%s. Maps must be passed into the macro as "
			   "arguments.",
			   e->u.map.name);
}

static void check_shadow(struct expander *x, const struct ast_expr *var)
{
	struct span at = var->span;

	place(x, &at);
	if (param_of(x, AST_VAR, var->u.var.name) >= 0)
		diag_error(x->d, at, "Variable declaration shadows macro arg $%s", var->u.var.name);
}

/* ---- types -------------------------------------------------------------------------- */

/* A bare name in the place of a type that stands for an argument which is no type. */
static bool is_value_name(const struct expander *x, const struct ast_type *t)
{
	const struct ast_expr *e;

	if (!t || !t->name || t->tag || t->suffixes.len)
		return false;
	e = given(x, t->name);
	if (!e || e->kind == AST_TYPE_EXPR)
		return false;
	return e->kind != AST_IDENT || x->t.is_builtin(e->u.ident.name);
}

static const char *plain_name(const struct ast_expr *e)
{
	const struct ast_type *t;

	if (e->kind == AST_IDENT)
		return e->u.ident.name;
	if (e->kind != AST_TYPE_EXPR)
		return NULL;
	t = e->u.sizeof_.type->typeof_type;
	return t && !t->tag && !t->suffixes.len ? t->name : NULL;
}

static void replace_name(struct expander *x, struct ast_type *t, const struct ast_expr *e)
{
	const char *plain = plain_name(e);
	struct ast_expr *copy;

	if (plain) {
		t->name = plain;
	} else if (e->kind == AST_TYPE_EXPR && !t->tag) {
		copy = copy_given(x, t->name, t->span);
		if (!copy)
			return;
		t->name = NULL;
		t->typeof_type = copy->u.sizeof_.type->typeof_type;
		t->typeof_expr = copy->u.sizeof_.type->typeof_expr;
	} else {
		diag_error(
			x->d, t->span,
			"The parameter %s of macro %s is part of a type here, but what it stands "
			"for cannot be",
			t->name, x->frame->macro->name);
		diag_note(x->d, e->span, "the argument");
		if (e->kind != AST_TYPE_EXPR)
			diag_hint(x->d, "A value in parentheses before another is a cast. A type "
					"is passed as typeof(...).");
	}
}

/* A type is no level of the tree of its own. */
static void expand_type(struct ast_type *t, void *arg)
{
	struct expander *x = arg;
	struct ast_visitor v = visitor(x);
	const struct ast_expr *e;

	count(x, 1, t->span);
	if (x->failed)
		return;
	place(x, &t->span);
	e = t->name ? given(x, t->name) : NULL;
	if (e) {
		replace_name(x, t, e);
		deepen(x, e->depth);
	} else if (is_value_name(x, t->typeof_type)) {
		t->typeof_expr = copy_given(x, t->typeof_type->name, t->span);
		t->typeof_type = NULL;
		deepen(x, t->typeof_expr ? t->typeof_expr->depth : 0);
	} else {
		ast_visit_type(t, &v);
	}
}

/* sizeof(x), typeinfo(x), offsetof(x, ...): what the parser took for a type may be a value. */
static bool expand_operand(struct expander *x, struct ast_type **t, struct ast_expr **e)
{
	if (!is_value_name(x, *t))
		return false;
	*e = copy_given(x, (*t)->name, (*t)->span);
	*t = NULL;
	deepen(x, *e ? (*e)->depth : 0);
	return true;
}

/* The names of a.b.c, outermost first; false when it is something else. */
static bool names_of(struct expander *x, struct ast_expr *o, const struct ast_expr *e)
{
	if (e->kind == AST_FIELD && !e->u.field.arrow) {
		if (!names_of(x, o, e->u.field.e))
			return false;
		vec_push(x->d->arena, &o->u.offsetof_.path, e->u.field.name);
		return true;
	}
	if (e->kind != AST_IDENT)
		return false;
	vec_push(x->d->arena, &o->u.offsetof_.path, e->u.ident.name);
	return true;
}

/* The field of offsetof() may be a parameter, too. */
static void expand_path(struct expander *x, struct ast_expr *o)
{
	const struct ast_expr *e;

	if (o->u.offsetof_.path.len != 1)
		return;
	e = given(x, o->u.offsetof_.path.items[0]);
	if (!e)
		return;
	o->u.offsetof_.path.items = NULL;
	o->u.offsetof_.path.len = o->u.offsetof_.path.cap = 0;
	if (names_of(x, o, e))
		return;
	diag_error(x->d, o->span, "The field of offsetof() must be a name, or names with dots");
	diag_note(x->d, e->span, "the argument");
}

/* ---- calls --------------------------------------------------------------------------- */

static bool is_recursive(struct expander *x, const struct ast_macro *m, struct span at)
{
	const char *chain = m->name;
	const struct frame *f = x->frame;

	while (f && f->macro != m)
		f = f->up;
	if (!f)
		return false;
	for (f = x->frame; f; f = f->up) {
		chain = arena_printf(x->d->arena, "%s > %s", f->macro->name, chain);
		if (f->macro == m)
			break;
	}
	diag_error(x->d, at, "Recursive macro call detected. Call chain: %s", chain);
	diag_note(x->d, m->span, "the macro's definition");
	return true;
}

/* A variable or map given for a value is not changed through it. */
static struct ast_expr *as_value(struct expander *x, struct ast_expr *e)
{
	struct ast_expr *b;

	if (e->kind != AST_VAR && (e->kind != AST_MAP || e->u.map.key))
		return e;
	b = arena_new_of(x->d->arena, struct ast_expr);
	b->kind = AST_BLOCK_EXPR;
	b->span = e->span;
	b->u.block = arena_new_of(x->d->arena, struct ast_block);
	b->u.block->span = e->span;
	b->u.block->value = e;
	b->u.block->depth = e->depth + 1;
	b->depth = e->depth + 2;
	return b;
}

static struct frame *new_frame(struct expander *x, const struct ast_macro *m,
			       struct macro_args args, struct span call)
{
	struct frame *f = arena_new_of(x->d->arena, struct frame);
	struct ast_expr **values = arena_alloc(x->d->arena, (args.len + 1) * sizeof(*values));

	f->sizes = arena_alloc(x->d->arena, (args.len + 1) * sizeof(*f->sizes));
	for (size_t i = 0; i < args.len; i++) {
		values[i] = args.items[i];
		if (m->params.items[i]->kind != AST_IDENT)
			continue;
		values[i] = as_value(x, values[i]);
		measure(values[i], &f->sizes[i]);
	}
	f->args = values;
	f->macro = m;
	f->mark = ++x->marks;
	f->src = diag_add_expansion(x->d, m->span, call);
	f->up = x->frame;
	return f;
}

/* A body that is a value and nothing else needs no block; variables stay protected by it. */
static bool is_bare_value(const struct ast_block *b)
{
	return !b->stmts.len && b->value && b->value->kind != AST_VAR && b->value->kind != AST_MAP;
}

static void put_body(struct expander *x, struct ast_expr *e, const struct ast_macro *m,
		     struct macro_args args)
{
	struct frame *f = new_frame(x, m, args, e->span);
	struct ast_block *body = ast_clone_block(x->d->arena, m->body);
	bool comptime = e->comptime;

	x->frame = f;
	count(x, 1, e->span);
	expand_block(body, x);
	x->frame = f->up;
	if (is_bare_value(body)) {
		*e = *body->value;
		e->comptime |= comptime;
		return;
	}
	e->kind = AST_BLOCK_EXPR;
	e->u.block = body;
}

static void load_stdlib(struct expander *x)
{
	const struct ast_program *p;

	for (size_t i = 0; (p = stdlib_parse(x->d, i)); i++)
		macros_add(&x->t, p);
	x->stdlib.loaded = true;
}

static void expand_call(struct expander *x, struct ast_expr *e)
{
	struct macro_args args = {0};
	const char *name = e->u.ident.name;
	const struct ast_macro *m;

	if (e->kind == AST_CALL) {
		args = (struct macro_args){e->u.call.args.items, e->u.call.args.len};
		name = e->u.call.name;
	}
	if (stdlib_offers(&x->stdlib, x->d->arena, name))
		load_stdlib(x);
	m = macros_find(&x->t, name, args, x->frame && x->frame->macro->stdlib, e->span);
	if (m && !is_recursive(x, m, e->span))
		put_body(x, e, m, args);
}

/* ---- the walk ---------------------------------------------------------------------- */

static void expand_ident(struct expander *x, struct ast_expr *e)
{
	struct ast_expr *copy;

	if (!given(x, e->u.ident.name)) {
		expand_call(x, e);
		return;
	}
	copy = copy_given(x, e->u.ident.name, e->span);
	if (!copy)
		return;
	copy->comptime |= e->comptime;
	*e = *copy;
	deepen(x, e->depth - 1);
}

static void expand_expr(struct ast_expr *e, void *arg)
{
	struct expander *x = arg;
	struct ast_visitor v = visitor(x);
	bool done = false;
	uint32_t outer;

	if (!enter(x, e->span, &outer))
		return;
	count(x, 1, e->span);
	place(x, &e->span);
	switch (e->kind) {
	case AST_VAR:
		expand_var(x, e);
		break;
	case AST_MAP:
		expand_map(x, e);
		break;
	case AST_BINARY:
		place(x, &e->u.binary.op_span);
		break;
	case AST_FIELD:
		place(x, &e->u.field.name_span);
		break;
	case AST_SIZEOF:
	case AST_TYPEINFO:
		done = expand_operand(x, &e->u.sizeof_.type, &e->u.sizeof_.e);
		break;
	case AST_OFFSETOF:
		done = expand_operand(x, &e->u.offsetof_.type, &e->u.offsetof_.e);
		expand_path(x, e);
		break;
	case AST_IDENT:
		expand_ident(x, e);
		done = true;
		break;
	default:
		break;
	}
	if (!done)
		ast_visit_expr(e, &v);
	if (e->kind == AST_CALL && !x->failed)
		expand_call(x, e);
	leave(x, e->span, &e->depth, outer);
}

static void expand_stmt(struct expander *x, struct ast_stmt *st)
{
	struct ast_visitor v = visitor(x);
	uint32_t outer;

	if (!enter(x, st->span, &outer))
		return;
	count(x, 1, st->span);
	place(x, &st->span);
	if (st->kind == AST_DECL)
		check_shadow(x, st->u.decl.var);
	else if (st->kind == AST_FOR_MAP || st->kind == AST_FOR_RANGE)
		check_shadow(x, st->u.for_.var);
	ast_visit_stmt(st, &v);
	/* A macro without a value is used as a statement: its body is one. */
	if (st->kind == AST_EXPR_STMT && st->u.expr->kind == AST_BLOCK_EXPR &&
	    !st->u.expr->u.block->value) {
		st->kind = AST_BLOCK;
		st->u.block = st->u.expr->u.block;
	}
	leave(x, st->span, &st->depth, outer);
}

static void expand_block(struct ast_block *b, void *arg)
{
	struct expander *x = arg;
	uint32_t outer;

	if (!enter(x, b->span, &outer))
		return;
	place(x, &b->span);
	for (size_t i = 0; i < b->stmts.len; i++)
		expand_stmt(x, b->stmts.items[i]);
	if (b->value)
		expand_expr(b->value, x);
	leave(x, b->span, &b->depth, outer);
}

void parse_expand_macros(struct diag_list *d, struct ast_program *p,
			 bool (*is_builtin)(const char *name))
{
	struct expander x = {.t = {.d = d, .is_builtin = is_builtin}, .d = d};

	macros_add(&x.t, p);
	for (size_t i = 0; i < p->probes.len && !x.failed; i++) {
		if (p->probes.items[i]->predicate)
			expand_expr(p->probes.items[i]->predicate, &x);
		expand_block(p->probes.items[i]->body, &x);
	}
}
