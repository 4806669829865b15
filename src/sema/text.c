/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins on text: strlen, strstr, str_concat, and memcmp on bytes of any kind. */
#include <string.h>

#include "internal.h"

/* Text is a string, or characters in an array or behind a pointer. */
static bool want_text(struct sema *s, struct ast_expr *e, size_t i)
{
	struct type *t = sema_expr(s, sema_arg(e, i));
	bool elems;

	if (!t)
		return false;
	elems = t->kind == IMAGE_K_ARRAY || t->kind == IMAGE_K_POINTER;
	if (t->kind == IMAGE_K_STRING ||
	    (elems && t->elem && t->elem->kind == IMAGE_K_INT && t->elem->size == 1))
		return true;
	if (t->kind == IMAGE_K_PROBE)
		s->want_probe_strings = true;
	sema_error(s, sema_arg(e, i)->span,
		   elems ? "%s() expects an array of or a pointer to characters (%s provided)"
			 : "%s() expects a string, an array or a pointer (%s provided)",
		   sema_builtin_name(e), sema_tn(s, t));
	return false;
}

uint32_t sema_text_size(const struct sema_config *c, const struct type *t)
{
	if (t->kind == IMAGE_K_STRING)
		return t->size ? t->size : 1;
	/* read as str() does; of an array, no more than there is, and a NUL */
	if (t->kind == IMAGE_K_ARRAY && t->size < c->max_strlen)
		return t->size + 1;
	return (uint32_t)c->max_strlen;
}

struct type *sema_check_strlen(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = sema_arg(e, 0);

	if (!want_text(s, e, 0))
		return NULL;
	if (x->is_const && x->const_str)
		sema_set_int(e, type_int(s->types, 8, false), strlen(x->const_str));
	return type_int(s->types, 8, false);
}

struct type *sema_check_strstr(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *hay = sema_arg(e, 0), *needle = sema_arg(e, 1);
	bool ok = want_text(s, e, 0) & want_text(s, e, 1);
	const char *found;

	if (!ok)
		return NULL;
	if (hay->is_const && hay->const_str && needle->is_const && needle->const_str) {
		found = strstr(hay->const_str, needle->const_str);
		sema_set_int(e, type_int(s->types, 8, true),
			     found ? (uint64_t)(found - hay->const_str) : UINT64_MAX);
	}
	return type_int(s->types, 8, true);
}

struct type *sema_check_str_concat(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *a = sema_arg(e, 0), *b = sema_arg(e, 1);
	bool ok = want_text(s, e, 0) & want_text(s, e, 1);
	const struct sema_config *c = &s->r->config;

	if (!ok)
		return NULL;
	if (a->is_const && a->const_str && b->is_const && b->const_str) {
		sema_set_string(s, e, arena_printf(s->arena, "%s%s", a->const_str, b->const_str));
		return e->type;
	}
	return type_string(s->types, sema_text_size(c, a->type) + sema_text_size(c, b->type) - 1);
}

struct type *sema_check_memcmp(struct sema *s, struct ast_expr *e)
{
	bool ok = sema_want_int(s, e, 2);

	for (size_t i = 0; i < 2; i++) {
		struct type *t = sema_expr(s, sema_arg(e, i));

		ok &= t != NULL;
		if (t && t->kind == IMAGE_K_PROBE)
			s->want_probe_strings = true;
		if (!t || !(t->kind == IMAGE_K_VOID || t->is_ctx || type_is_aggregation(t)))
			continue;
		sema_error(s, sema_arg(e, i)->span, "memcmp() cannot compare values of type %s",
			   sema_tn(s, t));
		ok = false;
	}
	return ok ? type_int(s->types, 4, true) : NULL;
}
