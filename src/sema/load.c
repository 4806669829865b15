/* SPDX-License-Identifier: Apache-2.0 */
/* Portable images: values that are known when the image is loaded, not when it is compiled. */
#include <string.h>

#include "internal.h"

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

uint32_t sema_reloc_row(struct sema *s, const struct sema_reloc *r)
{
	for (size_t i = 0; i < s->r->relocs.len; i++) {
		const struct sema_reloc *o = &s->r->relocs.items[i];

		if (o->kind == r->kind && o->flags == r->flags && o->size == r->size &&
		    o->value == r->value && same_text(o->a, r->a) && same_text(o->b, r->b))
			return (uint32_t)i;
	}
	vec_push(s->arena, &s->r->relocs, *r);
	return (uint32_t)s->r->relocs.len - 1;
}

struct type *sema_set_load(struct sema *s, struct ast_expr *e, struct type *t,
			   const struct sema_reloc *r)
{
	struct sema_reloc row = *r;

	row.span = e->span;
	e->type = t;
	e->load = sema_reloc_row(s, &row) + 1;
	return t;
}

/* Of the program in hand: it is refused where a kernel has another value. */
static void expect_row(struct sema *s, const struct sema_reloc *r)
{
	struct sema_program *p = s->work ? s->work->prog : NULL;
	uint32_t row = sema_reloc_row(s, r);

	for (size_t i = 0; p && i < p->expects.len; i++)
		if (p->expects.items[i] == row)
			return;
	if (p)
		vec_push(s->arena, &p->expects, row);
}

void sema_expect(struct sema *s, struct ast_expr *e, enum image_reloc_kind kind, const char *a,
		 const char *b)
{
	struct sema_reloc r = {
		.kind = kind, .flags = IMAGE_RELOC_EXACT, .a = a, .b = b, .span = e->span};

	r.value = e->const_int;
	if (s->opts->portable && e->is_const && (s->report || !s->include_dead))
		expect_row(s, &r);
}

const char *sema_kernel_type(struct sema *s, const struct type *t)
{
	while (t && t->kind == IMAGE_K_ARRAY)
		t = t->elem;
	if (!t || !t->btf_id || !t->name || !*t->name)
		return NULL;
	return arena_printf(s->arena, "%s %s", t->kind == IMAGE_K_UNION ? "union" : "struct",
			    t->name);
}

uint32_t sema_argument_row(struct sema *s, const struct sema_argument *a)
{
	for (size_t i = 0; i < s->r->arguments.len; i++) {
		struct sema_argument *o = &s->r->arguments.items[i];

		if (o->position != a->position || !same_text(o->name, a->name) ||
		    o->kind != a->kind)
			continue;
		if (!o->describe)
			o->describe = a->describe;
		if (!o->letter)
			o->letter = a->letter;
		return (uint32_t)i;
	}
	vec_push(s->arena, &s->r->arguments, *a);
	return (uint32_t)s->r->arguments.len - 1;
}

struct type *sema_type_foreign_field(struct sema *s, struct ast_expr *e, struct type *like)
{
	struct type_field *f;
	struct type *t;

	if (e->kind != AST_FIELD || e->type || !like ||
	    (like->kind != IMAGE_K_POINTER && like->kind != IMAGE_K_INT &&
	     like->kind != IMAGE_K_STRING))
		return NULL;
	t = sema_expr(s, e->u.field.e);
	while (t && t->kind == IMAGE_K_POINTER)
		t = t->elem;
	if (!t || !t->btf_id || !t->name || !*t->name ||
	    type_find_field(s->types, t, e->u.field.name))
		return NULL;
	f = arena_new_of(s->arena, struct type_field);
	f->name = e->u.field.name;
	f->type = like;
	f->foreign = true;
	e->u.field.resolved = f;
	e->type = like;
	return like;
}
