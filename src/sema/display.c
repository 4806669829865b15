/* SPDX-License-Identifier: Apache-2.0 */
/* The tree for -d: each probe once, typed, its predicate showing the gate. */
#include "internal.h"

static struct ast_expr *typed(struct sema *s, enum ast_expr_kind kind, struct span at)
{
	struct ast_expr *e = arena_new_of(s->arena, struct ast_expr);

	e->kind = kind;
	e->span = at;
	e->type = type_simple(s->types, IMAGE_K_BOOL);
	return e;
}

static struct ast_expr *binary(struct sema *s, enum ast_binary_op op, struct ast_expr *l,
			       struct ast_expr *r, struct span at)
{
	struct ast_expr *e = typed(s, AST_BINARY, at);

	e->u.binary.op = op;
	e->u.binary.l = l;
	e->u.binary.r = r;
	return e;
}

/* active == true [&& predicate] */
static struct ast_expr *gate(struct sema *s, struct ast_expr *predicate, struct span at)
{
	struct ast_expr *active = typed(s, AST_IDENT, at), *yes = typed(s, AST_BOOL, at), *open;

	active->u.ident.name = "active";
	yes->u.integer.value = 1;
	open = binary(s, AST_EQ, active, yes, at);
	return predicate ? binary(s, AST_LAND, open, predicate, at) : open;
}

static struct ast_probe *display_probe(struct sema *s, struct ast_probe *probe)
{
	struct ast_probe *shown = arena_new_of(s->arena, struct ast_probe);
	const struct sema_program *first = NULL;
	bool gated = false;

	*shown = *probe;
	for (size_t i = 0; i < s->works.len; i++) {
		if (s->works.items[i]->probe != probe || s->works.items[i]->dead)
			continue;
		if (!first)
			first = s->works.items[i]->prog;
		gated |= s->works.items[i]->prog->gated;
	}
	if (first) {
		shown->predicate = first->predicate;
		shown->body = first->body;
	}
	if (gated)
		shown->predicate = gate(s, shown->predicate, probe->span);
	return shown;
}

struct ast_program *sema_display(struct sema *s)
{
	struct ast_program *p = arena_new_of(s->arena, struct ast_program);

	*p = *s->ast;
	p->probes.items = NULL;
	p->probes.len = p->probes.cap = 0;
	for (size_t i = 0; i < s->ast->probes.len; i++)
		vec_push(s->arena, &p->probes, display_probe(s, s->ast->probes.items[i]));
	return p;
}
