/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins that work on maps: has_key, delete, len, clear, zero. */
#include <string.h>

#include "internal.h"

/* f(@m, key): the map must be keyed, and the key fit. */
static struct type *keyed_call(struct sema *s, struct ast_expr *e, const char *what)
{
	struct sema_map *m = sema_arg_map(s, e);
	struct ast_expr *key = sema_arg(e, 1);
	struct type *t = sema_expr(s, key);
	struct sema_map_work *w;

	if (!m)
		return NULL;
	w = sema_map_work(s, m);
	if (w->shape == SHAPE_SCALAR) {
		sema_error(s, e->span,
			   "call to %s expects a map with explicit keys (non-scalar map)", what);
		return NULL;
	}
	w->shape = SHAPE_KEYED;
	if (!t || !sema_map_key(s, m, t, e->span))
		return NULL;
	return type_simple(s->types, IMAGE_K_BOOL);
}

struct type *sema_check_has_key(struct sema *s, struct ast_expr *e)
{
	if (sema_nargs(e) == 2)
		return keyed_call(s, e, "has_key()");
	sema_error(s, e->span, "has_key() requires 2 arguments (1 provided)");
	return NULL;
}

/* delete(@m[k]), delete(@m) */
static struct type *delete_one(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = sema_arg(e, 0);
	struct sema_map_work *w;

	if (x->kind == AST_MAP && x->u.map.key) {
		if (!sema_map_access(s, x))
			return NULL;
		x->type = x->u.map.decl->value;
		return type_simple(s->types, IMAGE_K_BOOL);
	}
	if (!sema_arg_map(s, e))
		return NULL;
	w = sema_map_work(s, x->u.map.decl);
	if (w->shape == SHAPE_KEYED) {
		sema_error(s, e->span,
			   "call to delete() with a single argument expects a map without "
			   "explicit keys (scalar map)");
		return NULL;
	}
	w->shape = SHAPE_SCALAR;
	return type_simple(s->types, IMAGE_K_BOOL);
}

struct type *sema_check_delete(struct sema *s, struct ast_expr *e)
{
	if (sema_nargs(e) == 2)
		return keyed_call(s, e, "delete() with two arguments");
	return delete_one(s, e);
}

struct type *sema_check_len(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = sema_arg(e, 0);
	struct sema_map_work *w;

	if (x->kind == AST_MAP && !x->u.map.key) {
		w = sema_map_work(s, sema_map_whole(s, x));
		x->type = w->map->value;
		if (w->shape != SHAPE_SCALAR) {
			w->shape = SHAPE_KEYED;
			return type_int(s->types, 8, true);
		}
		sema_error(s, e->span,
			   "call to len() expects a map with explicit keys (non-scalar map)");
		return NULL;
	}
	if (!sema_expr(s, x))
		return NULL;
	if (x->type->kind == IMAGE_K_KSTACK || x->type->kind == IMAGE_K_USTACK)
		return type_int(s->types, 8, true);
	sema_error(s, e->span, "call to len() expects a map, ustack, or kstack");
	return NULL;
}

struct type *sema_check_map_op(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.map = sema_arg_map(s, e)};

	if (!a.map)
		return NULL;
	a.kind = e->u.call.builtin->id == BUILTIN_CLEAR ? IMAGE_A_CLEAR : IMAGE_A_ZERO;
	sema_add_action(s, e, &a);
	return type_simple(s->types, IMAGE_K_VOID);
}
