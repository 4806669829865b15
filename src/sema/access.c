/* SPDX-License-Identifier: Apache-2.0 */
/* Fields, elements, and what is known of types alone: sizeof, offsetof. */
#include <string.h>

#include "internal.h"

/* char[n] is text. */
static struct type *as_string(struct sema *s, struct type *t)
{
	if (t->kind == IMAGE_K_ARRAY && t->count && t->elem->kind == IMAGE_K_INT &&
	    t->elem->size == 1 && t->elem->is_signed)
		return type_chars(s->types, t->count);
	return t;
}

static void hint_field(struct sema *s, const struct type *t, const char *name)
{
	const char **list = arena_alloc(s->arena, (t->fields.len + 1) * sizeof(*list));
	size_t n = 0;
	const char *near;

	for (size_t i = 0; i < t->fields.len; i++)
		if (t->fields.items[i].name && t->fields.items[i].name[0])
			list[n++] = t->fields.items[i].name;
	near = diag_did_you_mean(name, list);
	if (near)
		sema_hint(s, "Did you mean: %s?", near);
}

static struct type *no_field(struct sema *s, struct ast_expr *e, struct type *of)
{
	const char *name = e->u.field.name;

	if (of->kind == IMAGE_K_RECORD)
		sema_error(s, e->span, "Record does not contain a field named '%s'", name);
	else if (of->is_ctx && strcmp(s->work->prog->type->name, "tracepoint"))
		sema_error(s, e->span, "Can't find function parameter %s", name);
	else if (of->is_ctx && !strncmp(name, "common_", 7))
		sema_error(s, e->span, "BPF does not support accessing common tracepoint fields");
	else if (of->is_ctx)
		sema_error(s, e->span,
			   "Struct/union of type 'struct tracepoint:%s:%s_args' does not contain "
			   "a field named '%s'",
			   s->work->category, s->work->event, name);
	else
		sema_error(s, e->span,
			   "Struct/union of type '%s' does not contain a field named '%s'",
			   sema_tn(s, of), name);
	hint_field(s, of, name);
	return NULL;
}

static const struct type_field *find_field(struct sema *s, struct type *t, const char *name)
{
	if (t->kind == IMAGE_K_STRUCT || t->kind == IMAGE_K_UNION) {
		type_complete(s->types, t);
		return type_find_field(s->types, t, name);
	}
	for (size_t i = 0; i < t->fields.len; i++)
		if (!strcmp(t->fields.items[i].name, name))
			return &t->fields.items[i];
	return NULL;
}

static bool has_fields(const struct type *t)
{
	return t->kind == IMAGE_K_STRUCT || t->kind == IMAGE_K_UNION || t->kind == IMAGE_K_RECORD;
}

static enum type_space space_of_field(const struct sema *s, const struct type *base,
				      const struct type_field *f)
{
	if (base->kind == IMAGE_K_RECORD)
		return SPACE_NONE;
	if (!base->is_ctx)
		return base->space != SPACE_NONE ? base->space : sema_default_space(s);
	return f->type->kind == IMAGE_K_POINTER ? sema_default_space(s) : SPACE_CTX;
}

struct type *sema_type_field(struct sema *s, struct ast_expr *e)
{
	enum type_space space = SPACE_NONE;
	const struct type_field *f;
	struct type *t;

	e->u.field.resolved = NULL;
	if (sema_is_row_part(s, e))
		return sema_row_part(s, e);
	t = sema_expr(s, e->u.field.e);
	if (!t)
		return NULL;
	while (t && t->kind == IMAGE_K_POINTER) {
		space = t->space;
		t = t->elem;
	}
	if (!t || !has_fields(t)) {
		sema_error(s, e->span, "Can not access field '%s' on expression of type '%s'",
			   e->u.field.name, t ? sema_tn(s, t) : "void");
		return NULL;
	}
	f = find_field(s, t, e->u.field.name);
	if (!f)
		return no_field(s, e, t);
	if (!f->type || (f->type->kind == IMAGE_K_VOID && !(s->fold_only && f->type->size))) {
		sema_error(s, e->span, "%s has unsupported type", e->u.field.name);
		return NULL;
	}
	e->u.field.resolved = f;
	sema_fold_typeinfo_field(e);
	if (space == SPACE_NONE)
		space = space_of_field(s, t, f);
	return sema_in_space(s, as_string(s, f->type), space);
}

struct type *sema_type_tuple_field(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_expr(s, e->u.tuple_field.e);
	struct ast_expr *x = e->u.tuple_field.e;
	uint32_t i = e->u.tuple_field.index;

	if (!t)
		return NULL;
	if (t->kind != IMAGE_K_TUPLE) {
		sema_error(s, e->span, "Can not access index '%u' on expression of type '%s'", i,
			   sema_tn(s, t));
		return NULL;
	}
	if (i >= t->fields.len) {
		sema_error(s, e->span, "Invalid tuple index: %u. Found %zu elements in tuple.", i,
			   t->fields.len);
		return NULL;
	}
	if (x->kind == AST_TUPLE && x->u.tuple.elems.items[i]->is_const) {
		e->is_const = true;
		e->const_int = x->u.tuple.elems.items[i]->const_int;
		e->const_str = x->u.tuple.elems.items[i]->const_str;
	}
	return t->fields.items[i].type;
}

/* ---- elements ----------------------------------------------------------- */

static bool check_index(struct sema *s, struct ast_expr *e, struct type *t)
{
	struct ast_expr *i = e->u.index.i;
	uint32_t n = t->kind == IMAGE_K_ARRAY ? t->count : t->kind == IMAGE_K_STRING ? t->size : 0;

	if (!i->type)
		return false;
	if (!sema_is_number(i->type) ||
	    (i->is_const && sema_is_literal(s, i) && (int64_t)i->const_int < 0) ||
	    (!i->is_const && i->type->is_signed && !i->type->is_literal)) {
		sema_error(s, e->span,
			   "The array index operator [] only accepts non-negative integer "
			   "indices. Got: %s",
			   sema_tn(s, i->type));
		return false;
	}
	if (n && i->is_const && i->const_int >= n) {
		sema_error(s, e->span, "the index %llu is out of bounds for array of size %u",
			   (unsigned long long)i->const_int, n);
		return false;
	}
	return true;
}

/* t[0] of a tuple is t.0, and becomes that in the tree. */
static struct type *tuple_element(struct sema *s, struct ast_expr *e, struct type *t)
{
	struct ast_expr *tuple = e->u.index.e, *i = e->u.index.i;
	uint32_t n = (uint32_t)i->const_int;

	if (!i->is_const || i->const_int >= t->fields.len) {
		sema_error(s, e->span, "Invalid tuple index: %llu. Found %zu elements in tuple.",
			   (unsigned long long)i->const_int, t->fields.len);
		return NULL;
	}
	e->kind = AST_TUPLE_FIELD;
	e->u.tuple_field.e = tuple;
	e->u.tuple_field.index = n;
	return t->fields.items[n].type;
}

struct type *sema_type_index(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_expr(s, e->u.index.e);

	sema_expr(s, e->u.index.i);
	if (!t || !check_index(s, e, t))
		return NULL;
	e->u.index.warning = NULL;
	if (t->kind == IMAGE_K_ARRAY && t->count && !e->u.index.i->is_const)
		e->u.index.warning =
			sema_add_warning(s, e->span,
					 "Array access out of bounds. This can lead to unexpected "
					 "results.");
	switch (t->kind) {
	case IMAGE_K_ARRAY:
		return sema_in_space(s, as_string(s, t->elem), t->space);
	case IMAGE_K_POINTER:
		if (t->elem && t->elem->size)
			return sema_in_space(s, as_string(s, t->elem), t->space);
		sema_error(s, e->span,
			   "The array index operator [] cannot be used on a pointer to an "
			   "unsized type (void *).");
		return NULL;
	case IMAGE_K_STRING:
		if (e->u.index.e->is_const && e->u.index.i->is_const) {
			sema_set_int(e, type_int(s->types, 1, true),
				     (uint64_t)(int64_t)
					     e->u.index.e->const_str[e->u.index.i->const_int]);
			return e->type;
		}
		return type_int(s->types, 1, true);
	case IMAGE_K_TUPLE:
		return tuple_element(s, e, t);
	default:
		sema_error(s, e->span,
			   "The array index operator [] can only be used on arrays, pointers, "
			   "and tuples, found %s.",
			   sema_tn(s, t));
		return NULL;
	}
}

/* ---- of types ----------------------------------------------------------- */

/* A bare name is a type's; where there is none, it may be that of a constant. */
static bool is_constant(struct sema *s, const struct ast_type *t)
{
	struct type_constant c;

	return t->name && !t->tag && !t->suffixes.len && !types_lookup(s->types, NULL, t->name) &&
	       types_find_constant(s->types, t->name, &c) && !c.str && !c.expr;
}

struct type *sema_operand_type(struct sema *s, struct ast_type *written, struct ast_expr *x)
{
	struct type *t;

	if (written && is_constant(s, written))
		return type_int(s->types, 8, false);
	if (written)
		return sema_written_type(s, written);
	s->fold_only++;
	t = sema_expr(s, x);
	s->fold_only--;
	return t;
}

struct type *sema_type_sizeof(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_operand_type(s, e->u.sizeof_.type, e->u.sizeof_.e);

	if (!t)
		return NULL;
	if (t->kind == IMAGE_K_STRUCT || t->kind == IMAGE_K_UNION)
		type_complete(s->types, t);
	sema_set_int(e, type_int(s->types, 8, false), t->size);
	if (t->kind != IMAGE_K_ARRAY && sema_kernel_type(s, t))
		sema_expect(s, e, IMAGE_R_TYPE_SIZE, sema_kernel_type(s, t), "");
	return e->type;
}

struct type *sema_type_offsetof(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_operand_type(s, e->u.offsetof_.type, e->u.offsetof_.e);
	if (t && (t->kind == IMAGE_K_STRUCT || t->kind == IMAGE_K_UNION))
		type_complete(s->types, t);

	const char *of = t && t->kind != IMAGE_K_ARRAY ? sema_kernel_type(s, t) : NULL;
	const char *path = NULL;
	uint64_t offset = 0;

	for (size_t i = 0; t && i < e->u.offsetof_.path.len; i++) {
		const char *name = e->u.offsetof_.path.items[i];
		const struct type_field *f;

		if (t->kind != IMAGE_K_STRUCT && t->kind != IMAGE_K_UNION) {
			sema_error(s, e->span, "'%s' is not a C type.", sema_tn(s, t));
			return NULL;
		}
		f = find_field(s, t, name);
		if (!f) {
			sema_error(s, e->span, "'%s' has no field named '%s'", sema_tn(s, t), name);
			hint_field(s, t, name);
			return NULL;
		}
		offset += f->offset;
		path = path ? arena_printf(s->arena, "%s.%s", path, name) : name;
		t = f->type;
	}
	if (!t)
		return NULL;
	sema_set_int(e, type_int(s->types, 8, false), offset);
	if (of && path)
		sema_expect(s, e, IMAGE_R_FIELD, of, path);
	return e->type;
}
