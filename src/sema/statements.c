/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins that do something and have no value. */
#include <string.h>

#include "internal.h"

#define JOIN_ARGS 16

static const struct {
	enum builtin_id id;
	enum image_action_kind action;
} printers[] = {
	{BUILTIN_PRINTF, IMAGE_A_PRINTF}, {BUILTIN_CAT, IMAGE_A_CAT},
	{BUILTIN_SYSTEM, IMAGE_A_SYSTEM}, {BUILTIN_ERRORF, IMAGE_A_ERRORF},
	{BUILTIN_WARNF, IMAGE_A_WARNF},
};

/* printf, cat, system, errorf, warnf */
struct type *sema_check_printf(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {0};
	bool fmt = sema_want_string_literal(s, e, 0), ok = true;

	for (size_t i = 1; i < sema_nargs(e); i++)
		ok &= sema_expr(s, sema_arg(e, i)) != NULL;
	if (!fmt || !ok)
		return NULL;
	a.fmt = sema_arg(e, 0)->const_str;
	if (!sema_check_format(s, e, a.fmt, 1, &a.payload))
		return NULL;
	for (size_t i = 0; i < sizeof(printers) / sizeof(printers[0]); i++)
		if (printers[i].id == e->u.call.builtin->id)
			a.kind = printers[i].action;
	sema_add_action(s, e, &a);
	return type_simple(s->types, IMAGE_K_VOID);
}

/* ---- print -------------------------------------------------------------- */

static struct type *print_map(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.kind = IMAGE_A_PRINT_MAP, .map = sema_arg_map(s, e)};

	if (s->loop_depth)
		sema_warning(s, e->span,
			     "Due to it's asynchronous nature using 'print()' in a loop can lead "
			     "to unexpected behavior. The map will likely be updated before the "
			     "runtime can 'print' it.");
	for (size_t i = 1; i < sema_nargs(e); i++) {
		if (!sema_want_int_literal(s, e, i))
			return NULL;
		a.arg[i - 1] = sema_arg(e, i)->const_int;
	}
	if (sema_nargs(e) > 1 && a.map->value && a.map->value->kind == IMAGE_K_STATS)
		sema_warning(s, e->span,
			     "print()'s top and div arguments are ignored when used on stats() "
			     "maps.");
	sema_add_action(s, e, &a);
	return type_simple(s->types, IMAGE_K_VOID);
}

static bool printable(struct sema *s, struct ast_expr *e, struct type *t)
{
	if (t->kind == IMAGE_K_HIST || t->kind == IMAGE_K_LHIST || t->kind == IMAGE_K_TSERIES ||
	    t->kind == IMAGE_K_STATS) {
		sema_error(s, e->span,
			   "Map type %s cannot print the value of individual keys. You must "
			   "print the whole map.",
			   sema_tn(s, t));
		return false;
	}
	if (t->kind == IMAGE_K_VOID || t->is_ctx) {
		sema_error(s, e->span, "%s type passed to print() is not printable", sema_tn(s, t));
		return false;
	}
	return true;
}

struct type *sema_check_print(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.kind = IMAGE_A_PRINT_VALUE};
	struct ast_expr *x = sema_arg(e, 0);
	struct type *t;

	if (x->kind == AST_MAP && !x->u.map.key)
		return print_map(s, e);
	t = sema_value(s, x);
	for (size_t i = 1; i < sema_nargs(e); i++)
		sema_expr(s, sema_arg(e, i));
	if (!t || !printable(s, e, t))
		return NULL;
	if (sema_nargs(e) != 1) {
		sema_error(s, e->span, "Non-map print() only takes 1 argument, %zu found",
			   sema_nargs(e));
		return NULL;
	}
	a.payload = sema_castable(t) ? sema_number_of(s, t) : t;
	sema_add_action(s, e, &a);
	return type_simple(s->types, IMAGE_K_VOID);
}

/* ---- others ------------------------------------------------------------- */

struct type *sema_check_exit(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.kind = IMAGE_A_EXIT};

	if (sema_nargs(e) && !sema_want_int(s, e, 0))
		return NULL;
	sema_add_action(s, e, &a);
	return type_simple(s->types, IMAGE_K_VOID);
}

struct type *sema_check_time(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.kind = IMAGE_A_TIME, .fmt = "%H:%M:%S\n"};

	if (sema_nargs(e)) {
		if (!sema_want_string_literal(s, e, 0))
			return NULL;
		a.fmt = sema_arg(e, 0)->const_str;
	}
	sema_add_action(s, e, &a);
	return type_simple(s->types, IMAGE_K_VOID);
}

/* A vector of strings, as argv: the first so many of them are sent. */
struct type *sema_check_join(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.kind = IMAGE_A_JOIN, .fmt = " "};
	struct type *t = sema_expr(s, sema_arg(e, 0)), *elems[JOIN_ARGS];
	uint64_t size = s->r->config.max_strlen;

	if (sema_nargs(e) == 2) {
		if (!sema_want_string_literal(s, e, 1))
			return NULL;
		a.fmt = sema_arg(e, 1)->const_str;
	}
	if (!t)
		return NULL;
	if (!sema_is_number(t) && t->kind != IMAGE_K_POINTER) {
		sema_error(s, e->span,
			   "join() only supports int or pointer arguments (%s provided)",
			   sema_kind_word(t));
		return NULL;
	}
	for (size_t i = 0; i < JOIN_ARGS; i++)
		elems[i] = type_string(s->types, size < 1024 ? (uint32_t)size : 1024);
	a.payload = type_tuple(s->types, elems, JOIN_ARGS);
	sema_add_action(s, e, &a);
	return type_simple(s->types, IMAGE_K_VOID);
}
