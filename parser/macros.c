/* SPDX-License-Identifier: Apache-2.0 */
/* The macros of a script: which definition a call means. */
#include <string.h>

#include "expand.h"

/* A name may have several definitions, told apart by number and kind of their parameters. */
static bool takes(const struct ast_expr *param, const struct ast_expr *arg)
{
	if (param->kind == AST_VAR)
		return arg->kind == AST_VAR;
	if (param->kind == AST_MAP)
		return arg->kind == AST_MAP && !arg->u.map.key;
	return true;
}

static bool takes_all(const struct ast_macro *m, struct macro_args args)
{
	if (m->params.len != args.len)
		return false;
	for (size_t i = 0; i < args.len; i++)
		if (!takes(m->params.items[i], args.items[i]))
			return false;
	return true;
}

/* ---- definitions ---------------------------------------------------------------- */

static const char *param_name(const struct ast_expr *e)
{
	switch (e->kind) {
	case AST_VAR:
		return e->u.var.name;
	case AST_MAP:
		return e->u.map.name;
	default:
		return e->u.ident.name;
	}
}

/* "$x", "@x" and "x" are three names. */
static bool params_differ(struct macro_table *t, const struct ast_macro *m)
{
	static const char *const sigil[] = {[AST_VAR] = "$", [AST_MAP] = "@", [AST_IDENT] = ""};

	for (size_t i = 0; i < m->params.len; i++) {
		const struct ast_expr *a = m->params.items[i];

		for (size_t j = 0; j < i; j++) {
			const struct ast_expr *b = m->params.items[j];

			if (a->kind != b->kind || strcmp(param_name(a), param_name(b)))
				continue;
			diag_error(t->d, a->span,
				   "The macro has two parameters of the same name: %s%s",
				   sigil[a->kind], param_name(a));
			return false;
		}
	}
	return true;
}

static const struct ast_macro *same_signature(const struct macro_table *t,
					      const struct ast_macro *m)
{
	struct macro_args args = {m->params.items, m->params.len};

	for (size_t i = 0; i < t->macros.len; i++) {
		const struct ast_macro *o = t->macros.items[i];

		if (!strcmp(o->name, m->name) && o->stdlib == m->stdlib && takes_all(o, args))
			return o;
	}
	return NULL;
}

void macros_add(struct macro_table *t, const struct ast_program *p)
{
	for (size_t i = 0; i < p->macros.len; i++) {
		struct ast_macro *m = p->macros.items[i];
		const struct ast_macro *first = same_signature(t, m);

		if (first) {
			diag_error(t->d, m->span, "Redefinition of macro: %s", m->name);
			diag_note(t->d, first->span,
				  "the original definition, which takes the "
				  "same arguments");
			continue;
		}
		if (params_differ(t, m))
			vec_push(t->d->arena, &t->macros, m);
	}
}

/* ---- look-up ----------------------------------------------------------------------- */

/* How far a call is from a definition: a missing argument weighs more than a wrong one. */
static size_t distance(const struct ast_macro *m, struct macro_args args)
{
	size_t n = m->params.len < args.len ? m->params.len : args.len;
	size_t more = m->params.len + args.len - 2 * n, wrong = 0;

	for (size_t i = 0; i < n; i++)
		wrong += !takes(m->params.items[i], args.items[i]);
	return more * 1024 + wrong;
}

static const char *kind_of_arg(const struct ast_expr *e)
{
	switch (e->kind) {
	case AST_VAR:
		return "a variable";
	case AST_MAP:
		return e->u.map.key ? "an element of a map" : "a map";
	case AST_TYPE_EXPR:
		return "a type";
	default:
		return "an expression";
	}
}

static void say_mismatch(struct macro_table *t, const struct ast_macro *m, struct macro_args args,
			 struct span at)
{
	diag_error(t->d, at, "Call to %s() has arguments that do not match any definition.",
		   m->name);
	if (m->params.len != args.len) {
		diag_note(t->d, m->span,
			  "the closest definition of %s() takes %zu argument%s, the call has %zu",
			  m->name, m->params.len, m->params.len == 1 ? "" : "s", args.len);
		return;
	}
	for (size_t i = 0; i < args.len; i++) {
		const struct ast_expr *p = m->params.items[i];

		if (takes(p, args.items[i]))
			continue;
		diag_note(t->d, args.items[i]->span, "%s() expects a %s here, this is %s", m->name,
			  p->kind == AST_MAP ? "map" : "variable", kind_of_arg(args.items[i]));
		diag_note(t->d, p->span, "the parameter of the closest definition");
	}
}

const struct ast_macro *macros_find(struct macro_table *t, const char *name, struct macro_args args,
				    bool stdlib_only, struct span at)
{
	const struct ast_macro *near = NULL, *library = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < t->macros.len; i++) {
		const struct ast_macro *m = t->macros.items[i];
		size_t away;

		if (strcmp(m->name, name) || (stdlib_only && !m->stdlib))
			continue;
		away = distance(m, args);
		if (!away && !m->stdlib)
			return m;
		if (!away && !library)
			library = m;
		if (away < best) {
			best = away;
			near = m;
		}
	}
	if (!library && near && !t->is_builtin(name))
		say_mismatch(t, near, args, at);
	return library;
}
