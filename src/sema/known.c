/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known before any probe has been looked for: which probes the kernel has, and which
 * predicates can therefore never hold.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* ---- probe_exists() -------------------------------------------------------- */

static int stop(const struct probe_point *p, void *arg)
{
	(void)p;
	(void)arg;
	return 1;
}

/* Cuts "a:b:c" at the colons; "" has one part. */
static size_t split(struct arena *a, const char *text, const char **parts, size_t max)
{
	size_t n = 0;

	for (;;) {
		size_t len = strcspn(text, ":");

		if (n < max)
			parts[n] = arena_strndup(a, text, len);
		n++;
		if (!text[len])
			return n < max ? n : max;
		text += len + 1;
	}
}

/* 1: there is one, 0: there is none, negative: it is written wrong, or cannot be told (@err). */
static int look_for(struct sema *s, const char *text, char *err, size_t errlen)
{
	const struct probe_type *type;
	const char *parts[8];
	size_t n = split(s->arena, text, parts, 8);
	int code;

	type = probe_type_find(parts[0]);
	if (!type) {
		snprintf(err, errlen, "Invalid probe type: %s", parts[0]);
		return -EINVAL;
	}
	code = probe_expand(type, s->target, parts + 1, n - 1, stop, NULL, err, errlen);
	if (code == -EINVAL || code > 0)
		return code;
	return 0;
}

static struct sema_known_probe *remember(struct sema *s, const char *text)
{
	struct sema_known_probe *k;
	char err[256] = "";

	for (size_t i = 0; i < s->known_probes.len; i++)
		if (!strcmp(s->known_probes.items[i]->text, text))
			return s->known_probes.items[i];
	k = arena_new_of(s->arena, struct sema_known_probe);
	k->text = text;
	k->found = look_for(s, text, err, sizeof(err));
	k->err = arena_strdup(s->arena, err);
	vec_push(s->arena, &s->known_probes, k);
	return k;
}

struct type *sema_check_probe_exists(struct sema *s, struct ast_expr *e)
{
	const struct sema_known_probe *k;

	if (!sema_want_string_literal(s, e, 0))
		return NULL;
	k = remember(s, sema_arg(e, 0)->const_str);
	if (k->found < 0) {
		sema_error(s, sema_arg(e, 0)->span, "%s", k->err);
		return NULL;
	}
	sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL), k->found > 0);
	return e->type;
}

/* ---- predicates --------------------------------------------------------------- */

/* Functions that are constants, whatever probe they stand in. */
static bool is_constant_call(const char *name)
{
	static const enum builtin_id ids[] = {BUILTIN_PROBE_EXISTS, BUILTIN_FIELD_EXISTS,
					      BUILTIN_GETOPT,       BUILTIN_STR,
					      BUILTIN_STRNCMP,      BUILTIN_NCPUS};
	const struct builtin *b = builtin_find(name);

	for (size_t i = 0; b && i < sizeof(ids) / sizeof(*ids); i++)
		if (b->id == ids[i])
			return true;
	return false;
}

static void see_expr(struct ast_expr *e, void *arg);

static void see_block(struct ast_block *b, void *arg)
{
	(void)b;
	*(bool *)arg = false;
}

/* *@arg goes false where e needs the probe, or the event, to be told. */
static void see_expr(struct ast_expr *e, void *arg)
{
	struct ast_visitor v = {see_expr, see_block, arg};
	bool *pure = arg;

	switch (e->kind) {
	case AST_INT:
	case AST_BOOL:
	case AST_STRING:
	case AST_POSITIONAL:
	case AST_NPARAMS:
	case AST_UNARY:
	case AST_BINARY:
		break;
	case AST_IDENT:
		*pure &= is_constant_call(e->u.ident.name);
		break;
	case AST_CALL:
		*pure &= is_constant_call(e->u.call.name);
		break;
	default:
		*pure = false;
	}
	if (*pure)
		ast_visit_expr(e, &v);
}

enum truth { NO, YES, UNKNOWN };

static enum truth constant_truth(struct sema *s, const struct ast_expr *e)
{
	struct ast_expr *copy = ast_clone_expr(s->arena, e);
	bool pure = true;

	see_expr(copy, &pure);
	if (!pure || !sema_expr(s, copy) || !copy->is_const)
		return UNKNOWN;
	return sema_const_true(copy) ? YES : NO;
}

static enum truth truth_of(struct sema *s, const struct ast_expr *e)
{
	enum truth l, r, decides;

	if (e->kind == AST_UNARY && e->u.unary.op == AST_LNOT) {
		l = truth_of(s, e->u.unary.e);
		return l == UNKNOWN ? UNKNOWN : l == YES ? NO : YES;
	}
	if (e->kind != AST_BINARY || (e->u.binary.op != AST_LAND && e->u.binary.op != AST_LOR))
		return constant_truth(s, e);
	decides = e->u.binary.op == AST_LAND ? NO : YES;
	l = truth_of(s, e->u.binary.l);
	r = l == decides ? l : truth_of(s, e->u.binary.r);
	if (l == decides || r == decides)
		return decides;
	return l == UNKNOWN || r == UNKNOWN ? UNKNOWN : l;
}

bool sema_never_holds(struct sema *s, const struct ast_expr *predicate)
{
	return predicate && truth_of(s, predicate) == NO;
}

/* ---- conditions on the kernel -------------------------------------------------------- */

static void find_question(struct ast_expr *e, void *arg)
{
	const struct ast_visitor v = {find_question, NULL, arg};

	if (e->kind == AST_CALL && e->u.call.builtin &&
	    (e->u.call.builtin->id == BUILTIN_PROBE_EXISTS ||
	     e->u.call.builtin->id == BUILTIN_FIELD_EXISTS))
		*(bool *)arg = true;
	else if (e->kind != AST_BLOCK_EXPR)
		ast_visit_expr(e, &v);
}

bool sema_asks_kernel(struct ast_expr *e)
{
	bool found = false;

	find_question(e, &found);
	return found;
}

/* ---- maps of dead code ----------------------------------------------------------- */

struct mention {
	const char *name;
	bool dead, found, keyed;
};

static void find_in_block(struct ast_block *b, void *arg);

static void find_in_expr(struct ast_expr *e, void *arg)
{
	struct mention *m = arg;
	struct ast_visitor v = {find_in_expr, find_in_block, m};

	if (e->kind == AST_MAP && m->dead && !strcmp(e->u.map.name, m->name)) {
		m->found = true;
		m->keyed |= e->u.map.key != NULL;
	}
	ast_visit_expr(e, &v);
}

static void find_in_block(struct ast_block *b, void *arg)
{
	struct mention *m = arg;
	struct ast_visitor v = {find_in_expr, find_in_block, m};
	bool was = m->dead;

	for (size_t i = 0; i < b->stmts.len; i++) {
		m->dead = was || b->stmts.items[i]->dead;
		ast_visit_stmt(b->stmts.items[i], &v);
	}
	m->dead = was;
	if (b->value)
		find_in_expr(b->value, m);
}

bool sema_dead_code_mentions(struct sema *s, const char *map, bool *keyed)
{
	struct mention m = {.name = map};

	for (size_t i = 0; i < s->works.len; i++) {
		m.dead = s->works.items[i]->dead;
		find_in_block(s->works.items[i]->prog->body, &m);
	}
	for (size_t i = 0; i < s->dead_probes.len; i++) {
		m.dead = true;
		find_in_block(s->dead_probes.items[i]->body, &m);
	}
	*keyed = m.keyed;
	return m.found;
}
