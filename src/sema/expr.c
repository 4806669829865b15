/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: one function a kind, found through a table. */
#include <string.h>

#include "internal.h"

static struct type *type_integer(struct sema *s, struct ast_expr *e)
{
	sema_set_int(e, sema_literal_type(s, e->u.integer.value), e->u.integer.value);
	return e->type;
}

static struct type *type_bool(struct sema *s, struct ast_expr *e)
{
	sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL), e->u.integer.value != 0);
	return e->type;
}

static struct type *type_text(struct sema *s, struct ast_expr *e)
{
	uint64_t max = s->r->config.max_strlen;

	if (strlen(e->u.string.text) > max - 1) {
		sema_error(s, e->span, "String is too long (over %llu bytes): %s",
			   (unsigned long long)max, e->u.string.text);
		return NULL;
	}
	sema_set_string(s, e, e->u.string.text);
	return e->type;
}

static struct type *type_var(struct sema *s, struct ast_expr *e)
{
	struct sema_var *v = e->u.var.decl;

	if (!v)
		return NULL;
	if (!v->type && s->report)
		vec_push(s->arena, &s->untyped, e->span);
	return v->type;
}

/* What x++ makes of x: as wide as can be, signed unless x is known not to be. */
static struct type *incremented(struct sema *s, const struct ast_expr *e, struct type *t)
{
	if (t && t->kind == IMAGE_K_POINTER)
		return t;
	return type_int(s->types, 8, !t || t->is_signed || e->u.incdec.decrement);
}

static struct type *incdec_map(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = e->u.incdec.e;
	struct sema_map *m;
	struct type *t;

	if (!sema_map_access(s, x))
		return NULL;
	m = x->u.map.decl;
	t = incremented(s, e, m->value);
	if (!sema_map_value(s, m, t, e->span))
		return NULL;
	x->type = m->value;
	return t;
}

static struct type *incdec_var(struct sema *s, struct ast_expr *e)
{
	struct sema_var *v = e->u.incdec.e->u.var.decl;
	struct type *t, *joined;

	if (!v || !v->type)
		return NULL;
	e->u.incdec.e->type = v->type;
	if (v->fixed && sema_is_number(v->type))
		return v->type;
	t = incremented(s, e, v->type);
	joined = v->fixed ? NULL : sema_join(s, v->type, t);
	if (!joined) {
		sema_error(s, e->span,
			   "Type mismatch for $%s: trying to assign value of type '%s' when "
			   "variable already has a type '%s'",
			   v->name, sema_tn(s, t), sema_tn(s, v->type));
		return NULL;
	}
	s->changed |= joined != v->type;
	v->type = e->u.incdec.e->type = joined;
	return t;
}

static struct type *type_incdec(struct sema *s, struct ast_expr *e)
{
	if (e->u.incdec.e->kind == AST_MAP)
		return incdec_map(s, e);
	if (e->u.incdec.e->kind == AST_VAR)
		return incdec_var(s, e);
	sema_error(s, e->span, "The %s operator must be applied to a map or variable",
		   e->u.incdec.decrement ? "--" : "++");
	return NULL;
}

/* ---- tuples and records ------------------------------------------------- */

#define MAX_LEAVES 1024

/* Elements of a tuple, nested ones too: bounds what joining and printing may cost. */
static size_t leaves(const struct type *t)
{
	size_t n = 0;

	if (t->kind != IMAGE_K_TUPLE && t->kind != IMAGE_K_RECORD)
		return 1;
	for (size_t i = 0; i < t->fields.len; i++)
		n += leaves(t->fields.items[i].type);
	return n + 1;
}

static struct type *element(struct sema *s, struct ast_expr *x, const char *of)
{
	struct type *t = sema_value(s, x);

	if (!t)
		return NULL;
	if (sema_castable(t))
		return sema_number_of(s, t);
	if (type_is_aggregation(t)) {
		sema_error(s, x->span, "Map type %s cannot exist inside a %s.", sema_tn(s, t), of);
		return NULL;
	}
	if (t->kind == IMAGE_K_VOID || t->is_ctx) {
		sema_error(s, x->span, "Value '%s' cannot exist inside a %s.", sema_tn(s, t), of);
		return NULL;
	}
	return t;
}

static struct type *type_elements(struct sema *s, struct ast_expr *e, const char *of)
{
	size_t n = e->u.tuple.elems.len, total = 0;
	struct type **elems = arena_alloc(s->arena, (n + 1) * sizeof(*elems));
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		elems[i] = element(s, e->u.tuple.elems.items[i], of);
		ok &= elems[i] != NULL;
		total += elems[i] ? leaves(elems[i]) : 0;
	}
	if (!ok)
		return NULL;
	if (total > MAX_LEAVES) {
		sema_error(s, e->span, "A %s may hold up to %d values, nested ones counted", of,
			   MAX_LEAVES);
		return NULL;
	}
	if (e->kind == AST_TUPLE)
		return type_tuple(s->types, elems, n);
	return type_record(s->types, elems, e->u.tuple.names.items, n);
}

static struct type *type_tuple_expr(struct sema *s, struct ast_expr *e)
{
	return type_elements(s, e, "tuple");
}

static bool names_differ(struct sema *s, struct ast_expr *e)
{
	for (size_t i = 0; i < e->u.tuple.names.len; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(e->u.tuple.names.items[i], e->u.tuple.names.items[j]))
				continue;
			sema_error(s, e->span, "Duplicate field name in record: %s",
				   e->u.tuple.names.items[i]);
			return false;
		}
	}
	return true;
}

static struct type *type_record_expr(struct sema *s, struct ast_expr *e)
{
	return names_differ(s, e) ? type_elements(s, e, "record") : NULL;
}

/* ---- the rest ----------------------------------------------------------- */

/* A block that is no more than a value is as constant as that. */
static struct type *type_block(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_block_value(s, e->u.block);
	const struct ast_expr *value = e->u.block->value;

	if (!t || !value || !value->is_const || e->u.block->stmts.len)
		return t;
	e->is_const = true;
	e->const_int = value->const_int;
	e->const_str = value->const_str;
	return t;
}

static struct type *type_type_expr(struct sema *s, struct ast_expr *e)
{
	sema_error(s, e->span, "typeof is an argument for macros only, where they expect a type");
	return NULL;
}

static struct type *type_nparams(struct sema *s, struct ast_expr *e)
{
	struct sema_reloc count = {.kind = IMAGE_R_NARGUMENTS, .value = s->words->params.len};

	if (sema_loads_arguments(s))
		return sema_set_load(s, e, type_int(s->types, 8, false), &count);
	sema_set_int(e, sema_literal_type(s, s->words->params.len), s->words->params.len);
	return e->type;
}

typedef struct type *typer(struct sema *s, struct ast_expr *e);

static typer *const typers[] = {
	[AST_INT] = type_integer,
	[AST_STRING] = type_text,
	[AST_BOOL] = type_bool,
	[AST_POSITIONAL] = sema_type_positional,
	[AST_NPARAMS] = type_nparams,
	[AST_VAR] = type_var,
	[AST_MAP] = sema_type_map,
	[AST_IDENT] = sema_type_ident,
	[AST_CALL] = sema_type_call,
	[AST_UNARY] = sema_type_unary,
	[AST_INCDEC] = type_incdec,
	[AST_BINARY] = sema_type_binary,
	[AST_TERNARY] = sema_type_ternary,
	[AST_FIELD] = sema_type_field,
	[AST_TUPLE_FIELD] = sema_type_tuple_field,
	[AST_INDEX] = sema_type_index,
	[AST_CAST] = sema_type_cast,
	[AST_TUPLE] = type_tuple_expr,
	[AST_RECORD] = type_record_expr,
	[AST_SIZEOF] = sema_type_sizeof,
	[AST_OFFSETOF] = sema_type_offsetof,
	[AST_TYPEINFO] = sema_type_typeinfo,
	[AST_TYPE_EXPR] = type_type_expr,
	[AST_BLOCK_EXPR] = type_block,
};

struct type *sema_expr(struct sema *s, struct ast_expr *e)
{
	struct sema_map *row = s->row;
	struct type *t;

	if (row && !sema_of_row(e)) /* known at the event */
		s->row = NULL;

	e->type = NULL;
	e->is_const = false;
	e->const_int = 0;
	e->const_str = NULL;
	e->load = 0;
	t = typers[e->kind](s, e);
	s->row = row;
	e->type = t;
	if (!t)
		e->is_const = false;
	else if (e->comptime && !e->is_const)
		sema_error(s, e->span, "Unable to resolve comptime expression");
	return t;
}
