/* SPDX-License-Identifier: Apache-2.0 */
/* config(): the config variables as a record of constants; has_cpid. */
#include "internal.h"

static void add(struct sema *s, struct ast_expr *record, const char *name, struct ast_expr *value)
{
	vec_push(s->arena, &record->u.tuple.names, name);
	vec_push(s->arena, &record->u.tuple.elems, value);
}

/* The call becomes the record in the tree: whoever takes a field of it takes a constant. */
struct type *sema_check_config(struct sema *s, struct ast_expr *e)
{
	struct span at = e->span;
	struct sema_setting set;

	e->kind = AST_RECORD;
	e->u.tuple.elems.len = e->u.tuple.elems.cap = 0;
	e->u.tuple.names.len = e->u.tuple.names.cap = 0;
	e->u.tuple.elems.items = NULL;
	e->u.tuple.names.items = NULL;
	for (size_t i = 0; sema_config_setting(s, i, &set); i++) {
		struct ast_expr *x;

		if (set.text) {
			x = sema_literal_text(s, set.text, at);
		} else {
			x = sema_literal(s, set.is_bool ? AST_BOOL : AST_INT, at);
			x->u.integer.value = set.number;
		}
		add(s, e, set.name, x);
	}
	return sema_expr(s, e);
}
