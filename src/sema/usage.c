/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe's body mentions, which decides how it can be attached and shared. */
#include <string.h>

#include "internal.h"

#define MAX_DEPTH 2000

struct usage_walk {
	struct sema_usage found;
	unsigned depth;
};

static void see_name(struct sema_usage *u, const char *name)
{
	const struct builtin *b = builtin_find(name);

	if (!b)
		return;
	/* the others depend on the function, as args does */
	u->args |= b->id == BUILTIN_ARGS || b->id == BUILTIN_UADDR ||
		   b->id == BUILTIN_SOCKET_COOKIE || b->id == BUILTIN_SKBOUTPUT;
	u->argn |= b->id == BUILTIN_ARGN;
	u->probe |= b->id == BUILTIN_PROBE;
	u->stack |=
		b->id == BUILTIN_KSTACK || b->id == BUILTIN_USTACK || b->id == BUILTIN_DW_USTACK;
}

static void see_block(struct ast_block *b, void *arg);

static void see_expr(struct ast_expr *e, void *arg)
{
	struct usage_walk *w = arg;
	struct ast_visitor v = {see_expr, see_block, w};

	if (e->kind == AST_IDENT)
		see_name(&w->found, e->u.ident.name);
	else if (e->kind == AST_CALL)
		see_name(&w->found, e->u.call.name);
	if (++w->depth > MAX_DEPTH)
		w->found.too_deep = true;
	else
		ast_visit_expr(e, &v);
	w->depth--;
}

static void see_block(struct ast_block *b, void *arg)
{
	struct usage_walk *w = arg;
	struct ast_visitor v = {see_expr, see_block, w};

	if (++w->depth > MAX_DEPTH) {
		w->found.too_deep = true;
		w->depth--;
		return;
	}
	for (size_t i = 0; i < b->stmts.len; i++)
		ast_visit_stmt(b->stmts.items[i], &v);
	if (b->value)
		see_expr(b->value, w);
	w->depth--;
}

struct sema_usage sema_probe_usage(const struct ast_probe *p)
{
	struct usage_walk w = {0};

	if (p->predicate)
		see_expr(p->predicate, &w);
	if (p->body)
		see_block(p->body, &w);
	return w.found;
}
