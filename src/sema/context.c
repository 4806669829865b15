/* SPDX-License-Identifier: Apache-2.0 */
/* args as a value: a struct that holds each of them, to be stored, printed, used as a key. */
#include <string.h>

#include "internal.h"

/* What fexit calls retval is no argument; what has no size cannot be held. */
static bool is_part(const struct sema_work *w, const struct type_field *f)
{
	if (!f->type || f->type->kind == IMAGE_K_VOID || !f->type->size)
		return false;
	return w->plain != IMAGE_AT_FEXIT || strcmp(f->name, "retval");
}

/* Once for each program, so that it is the same type in every pass. */
static struct type *struct_of_args(struct sema *s, struct sema_program *p)
{
	size_t n = p->args->fields.len, used = 0;
	struct type **types = arena_alloc(s->arena, (n + 1) * sizeof(*types));
	const char **names = arena_alloc(s->arena, (n + 1) * sizeof(*names));

	p->args_parts = arena_alloc(s->arena, (n + 1) * sizeof(*p->args_parts));
	for (size_t i = 0; i < n; i++) {
		const struct type_field *f = &p->args->fields.items[i];

		if (!is_part(s->work, f))
			continue;
		types[used] = f->type->kind == IMAGE_K_POINTER
				      ? sema_in_space(s, f->type, sema_default_space(s))
				      : f->type;
		names[used] = f->name;
		p->args_parts[used++] = f;
	}
	p->args_value = type_struct(s->types, p->args->name, types, names, used);
	return p->args_value;
}

struct type *sema_value(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_expr(s, e);
	struct sema_program *p = s->work->prog;

	if (!t || !t->is_ctx || e->kind != AST_IDENT || strcmp(e->u.ident.name, "args"))
		return t;
	t = p->args_value ? p->args_value : struct_of_args(s, p);
	if (t->size > SEMA_MAX_TUPLE) {
		sema_error(s, e->span,
			   "args is %u bytes here, more than the %d that a value may be", t->size,
			   SEMA_MAX_TUPLE);
		sema_hint(s, "Take the fields that you need.");
		return NULL;
	}
	e->type = t;
	return t;
}
