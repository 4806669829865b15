/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typeinfo(): what a type is called, as a record that is known at compile time, so that a
 * macro can tell by its argument's type what to do.
 */
#include <string.h>

#include "internal.h"

/* The kind of a type in one word: "int" for all widths, "pointer" for all pointers. */
static const char *base_type(struct sema *s, const struct type *t)
{
	switch (t->kind) {
	case IMAGE_K_BUFFER:
		return "buffer";
	case IMAGE_K_INT:
	case IMAGE_K_ENUM:
	case IMAGE_K_BOOL:
	case IMAGE_K_STRING:
	case IMAGE_K_POINTER:
	case IMAGE_K_STRUCT:
	case IMAGE_K_UNION:
	case IMAGE_K_ARRAY:
	case IMAGE_K_TUPLE:
	case IMAGE_K_RECORD:
		return sema_kind_word(t);
	default:
		return sema_tn(s, t);
	}
}

struct ast_expr *sema_literal(struct sema *s, enum ast_expr_kind kind, struct span at)
{
	struct ast_expr *e = arena_new_of(s->arena, struct ast_expr);

	e->kind = kind;
	e->span = at;
	e->depth = 1;
	return e;
}

struct ast_expr *sema_literal_text(struct sema *s, const char *value, struct span at)
{
	struct ast_expr *e = sema_literal(s, AST_STRING, at);
	size_t max = s->r->config.max_strlen - 1;

	e->u.string.text = arena_strndup(s->arena, value, strnlen(value, max));
	e->u.string.len = (uint32_t)strlen(e->u.string.text);
	return e;
}

static void add(struct sema *s, struct ast_expr *record, const char *name, struct ast_expr *value)
{
	vec_push(s->arena, &record->u.tuple.names, name);
	vec_push(s->arena, &record->u.tuple.elems, value);
}

struct type *sema_type_typeinfo(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_operand_type(s, e->u.sizeof_.type, e->u.sizeof_.e);
	struct ast_expr *record;

	if (!t)
		return NULL;
	record = sema_literal(s, AST_RECORD, e->span);
	add(s, record, "btf_id", sema_literal(s, AST_INT, e->span));
	add(s, record, "base_type", sema_literal_text(s, base_type(s, t), e->span));
	add(s, record, "full_type", sema_literal_text(s, sema_tn(s, t), e->span));
	e->u.sizeof_.shown = record;
	return sema_expr(s, record);
}

/* A record of constants: one written out, or typeinfo()'s; it may be the value of a block. */
static const struct ast_expr *constants(const struct ast_expr *e)
{
	while (e->kind == AST_BLOCK_EXPR && !e->u.block->stmts.len && e->u.block->value)
		e = e->u.block->value;
	if (e->kind == AST_TYPEINFO)
		return e->u.sizeof_.shown;
	if (e->kind != AST_RECORD)
		return NULL;
	for (size_t i = 0; i < e->u.tuple.elems.len; i++)
		if (!e->u.tuple.elems.items[i]->is_const)
			return NULL;
	return e;
}

/* The record behind typeinfo(), likewise; NULL for all else. */
static const struct ast_expr *shown(const struct ast_expr *e)
{
	while (e->kind == AST_BLOCK_EXPR && !e->u.block->stmts.len && e->u.block->value)
		e = e->u.block->value;
	return e->kind == AST_TYPEINFO ? e->u.sizeof_.shown : NULL;
}

bool sema_fold_typeinfo_field(struct ast_expr *e)
{
	const struct ast_expr *record = constants(e->u.field.e), *x;

	for (size_t i = 0; record && i < record->u.tuple.names.len; i++) {
		if (strcmp(record->u.tuple.names.items[i], e->u.field.name))
			continue;
		x = record->u.tuple.elems.items[i];
		e->is_const = x->is_const;
		e->const_int = x->const_int;
		e->const_str = x->const_str;
		return x->is_const;
	}
	return false;
}

bool sema_fold_typeinfo_compare(struct sema *s, struct ast_expr *e)
{
	const struct ast_expr *l = shown(e->u.binary.l), *r = shown(e->u.binary.r);
	bool same = true;

	if (!l || !r || (e->u.binary.op != AST_EQ && e->u.binary.op != AST_NE))
		return false;
	for (size_t i = 0; i < l->u.tuple.elems.len; i++) {
		const struct ast_expr *a = l->u.tuple.elems.items[i],
				      *b = r->u.tuple.elems.items[i];

		same &= a->kind == AST_STRING ? !strcmp(a->u.string.text, b->u.string.text)
					      : a->const_int == b->const_int;
	}
	sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL), same == (e->u.binary.op == AST_EQ));
	return true;
}

/* ---- is_literal() -------------------------------------------------------------------- */

static bool is_literal(const struct ast_expr *e)
{
	switch (e->kind) {
	case AST_INT:
	case AST_STRING:
	case AST_BOOL:
	case AST_POSITIONAL:
	case AST_NPARAMS:
		return true;
	case AST_UNARY:
		return e->u.unary.op == AST_NEG && e->u.unary.e->kind == AST_INT;
	default:
		return false;
	}
}

struct type *sema_check_is_literal(struct sema *s, struct ast_expr *e)
{
	s->fold_only++;
	sema_expr(s, sema_arg(e, 0));
	s->fold_only--;
	sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL), is_literal(sema_arg(e, 0)));
	return e->type;
}
