/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Macros of the script's C text that are no constants of C: their text is taken as an
 * expression of the script's language, in place of each use, as C would.
 */
#include <string.h>

#include "internal.h"

#define MAX_NESTED     32
#define MAX_EXPANSIONS 5000

struct expander {
	struct sema *s;
	const char *active[MAX_NESTED]; /* macros being expanded, outermost first */
	unsigned nactive;
	size_t done;
	bool failed; /* one complaint of a macro is enough: others are about the same */
};

static void expand(struct ast_expr *e, void *arg);

static void expand_stmts(struct ast_block *b, void *arg)
{
	struct ast_visitor v = {expand, expand_stmts, arg};

	for (size_t i = 0; i < b->stmts.len; i++)
		ast_visit_stmt(b->stmts.items[i], &v);
	if (b->value)
		expand(b->value, arg);
}

/* What a complaint is about stands in the script, not in the macro. */
static void move_expr(struct ast_expr *e, void *arg);

static void move_block(struct ast_block *b, void *arg)
{
	struct ast_visitor v = {move_expr, move_block, arg};

	b->span = *(const struct span *)arg;
	for (size_t i = 0; i < b->stmts.len; i++) {
		b->stmts.items[i]->span = b->span;
		ast_visit_stmt(b->stmts.items[i], &v);
	}
	if (b->value)
		move_expr(b->value, arg);
}

static void move_expr(struct ast_expr *e, void *arg)
{
	struct ast_visitor v = {move_expr, move_block, arg};

	e->span = *(const struct span *)arg;
	if (e->kind == AST_CAST)
		e->u.cast.type->span = e->span;
	ast_visit_expr(e, &v);
}

/* "begin { _ = (TEXT); }" is the smallest script around an expression. */
static struct ast_expr *parse_text(struct sema *s, const char *name, const char *text)
{
	const char *script = arena_printf(s->arena, "begin { _ = (%s); }", text);
	struct diag_list quiet = {.arena = s->arena};
	uint32_t src = diag_add_source(&quiet, name, script, strlen(script));
	struct ast_program *p = parse_program(&quiet, src);
	const struct ast_block *b;

	if (quiet.errors || p->probes.len != 1)
		return NULL;
	b = p->probes.items[0]->body;
	if (b->stmts.len != 1 || b->stmts.items[0]->kind != AST_DISCARD)
		return NULL;
	return b->stmts.items[0]->u.expr;
}

static bool is_active(const struct expander *x, const char *name)
{
	for (unsigned i = 0; i < x->nactive; i++)
		if (!strcmp(x->active[i], name))
			return true;
	return false;
}

static const char *chain(const struct expander *x, const char *name)
{
	const char *text = "";

	for (unsigned i = 0; i < x->nactive; i++)
		text = arena_printf(x->s->arena, "%s%s->", text, x->active[i]);
	return arena_printf(x->s->arena, "%s%s", text, name);
}

static void expand_macro(struct expander *x, struct ast_expr *e, const char *text)
{
	const char *name = e->u.ident.name;
	struct ast_expr *body;
	struct span at = e->span;

	x->failed = true;
	if (is_active(x, name)) {
		diag_error(x->s->diags, at, "Macro recursion: %s", chain(x, name));
		return;
	}
	if (x->nactive == MAX_NESTED || ++x->done > MAX_EXPANSIONS) {
		diag_error(x->s->diags, at, "Macros expand too far: %s", chain(x, name));
		return;
	}
	body = parse_text(x->s, name, text);
	if (!body) {
		diag_error(x->s->diags, at, "unable to expand macro as an expression: %s", text);
		return;
	}
	x->failed = false;
	*e = *body;
	move_expr(e, &at);
	x->active[x->nactive++] = name;
	expand(e, x);
	x->nactive--;
}

static void expand(struct ast_expr *e, void *arg)
{
	struct expander *x = arg;
	struct ast_visitor v = {expand, expand_stmts, arg};
	struct type_constant c;

	if (x->failed)
		return;
	if (e->kind == AST_IDENT && types_find_c_constant(x->s->types, e->u.ident.name, &c)) {
		if (c.expr)
			expand_macro(x, e, c.expr);
		return;
	}
	ast_visit_expr(e, &v);
}

void sema_expand_c_macros(struct sema *s)
{
	struct expander x = {.s = s};

	if (!types_has_c_names(s->types))
		return;
	for (size_t i = 0; i < s->ast->probes.len; i++) {
		struct ast_probe *p = s->ast->probes.items[i];

		if (p->predicate)
			expand(p->predicate, &x);
		expand_stmts(p->body, &x);
	}
}
