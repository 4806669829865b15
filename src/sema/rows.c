/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins that show maps as tables: rows, cycles, screen. */
#include <string.h>

#include "internal.h"

/* ---- typing in a row ------------------------------------------------------- */

struct type *sema_row_map(struct sema *s, struct ast_expr *e)
{
	struct sema_map *m = sema_map_whole(s, e), *rows = s->row;
	struct sema_map_work *w = sema_map_work(s, m);

	if (w->shape == SHAPE_KEYED && m != rows) {
		if (rows->key && !sema_map_key(s, m, rows->key, e->span))
			return NULL;
		if (m->key && !sema_map_key(s, rows, m->key, e->span))
			return NULL;
	}
	if (!m->value)
		return NULL;
	return sema_castable(m->value) ? sema_number_of(s, m->value) : m->value;
}

/* ---- which map's rows -------------------------------------------------------- */

struct first_map {
	struct sema *s;
	struct sema_map *map;
	unsigned depth;
};

static void look_for_map(struct ast_expr *e, void *arg)
{
	struct first_map *f = arg;
	struct ast_visitor v = {.expr = look_for_map, .arg = f};

	if (f->map || f->depth > AST_MAX_DEPTH)
		return;
	if (e->kind == AST_MAP && !e->u.map.key) {
		struct sema_map *m = sema_map_get(f->s, e->u.map.name, e->span);

		if (sema_map_work(f->s, m)->shape != SHAPE_SCALAR)
			f->map = m;
		return;
	}
	f->depth++;
	if (e->kind == AST_BLOCK_EXPR && e->u.block->value)
		look_for_map(e->u.block->value, f);
	else
		ast_visit_expr(e, &v);
	f->depth--;
}

/* The first map with keys that is named: in the order, else in the columns. */
static struct sema_map *map_of_rows(struct sema *s, struct ast_expr *e, size_t columns)
{
	struct first_map f = {.s = s};

	look_for_map(sema_arg(e, 0), &f);
	for (size_t i = columns; i < sema_nargs(e); i++)
		look_for_map(sema_arg(e, i), &f);
	if (!f.map)
		sema_error(s, e->span,
			   "%s() shows the elements of a map: name one with keys, as in "
			   "rows(@bytes, 10, \"%%d %%d\\n\", key, @bytes)",
			   sema_builtin_name(e));
	return f.map;
}

/* ---- the table ------------------------------------------------------------------ */

static bool type_columns(struct sema *s, struct ast_expr *e, size_t columns)
{
	bool ok = sema_expr(s, sema_arg(e, 0)) != NULL;

	for (size_t i = columns; i < sema_nargs(e); i++)
		ok &= sema_expr(s, sema_arg(e, i)) != NULL;
	return ok;
}

/* stats and histograms are told of where they stand, not by the format. */
static bool is_shown(struct sema *s, struct sema_table *table, struct ast_expr *e)
{
	return !type_is_aggregation(e->type) || sema_add_column(s, table, e, e->type);
}

static bool fill_table(struct sema *s, struct ast_expr *e, size_t columns, const char *fmt,
		       struct sema_table *table)
{
	struct type *order = sema_arg(e, 0)->type;
	bool ok = true;

	for (size_t i = columns; i < sema_nargs(e); i++)
		ok &= is_shown(s, table, sema_arg(e, i));
	if (!is_shown(s, table, sema_arg(e, 0)) || !ok ||
	    !sema_check_format(s, e, fmt, columns, &table->tuple))
		return false;
	order = sema_payload_type(s, order);
	if (!order) {
		sema_error(s, sema_arg(e, 0)->span, "rows cannot be ordered by a value of type %s",
			   sema_tn(s, sema_arg(e, 0)->type));
		return false;
	}
	ok = sema_add_column(s, table, sema_arg(e, 0), order);
	for (size_t i = columns; i < sema_nargs(e); i++)
		ok &= sema_add_column(s, table, sema_arg(e, i),
				      table->tuple->fields.items[i - columns].type);
	return ok;
}

/*
 * rows(order, limit, fmt, columns...), cycles(@map, limit, heading, fmt, columns...): what
 * they share. @columns: the first argument that is one.
 */
static struct type *check_table(struct sema *s, struct ast_expr *e, struct sema_action *a,
				size_t columns)
{
	bool limit = sema_want_int_literal(s, e, 1), fmt, ok;

	fmt = sema_want_string_literal(s, e, columns - 1);
	a->map = map_of_rows(s, e, columns);
	if (!a->map)
		return NULL;
	s->row = a->map;
	ok = type_columns(s, e, columns);
	s->row = NULL;
	if (!ok || !limit || !fmt || !a->map->key)
		return NULL;
	if (!s->report || s->fold_only)
		return type_simple(s->types, IMAGE_K_VOID);
	a->arg[0] = sema_arg(e, 1)->const_int;
	a->fmt = sema_arg(e, columns - 1)->const_str;
	a->table = a->table ? a->table : arena_new_of(s->arena, struct sema_table);
	if (!fill_table(s, e, columns, a->fmt, a->table))
		return NULL;
	a->payload = sema_sent_type(s, a->table);
	sema_add_action(s, e, a);
	return type_simple(s->types, IMAGE_K_VOID);
}

struct type *sema_check_rows(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.kind = IMAGE_A_ROWS};

	return check_table(s, e, &a, 3);
}

/* ---- graphs ------------------------------------------------------------------------ */

/* The ends of the map's keys, which become one type where one holds both. */
static bool has_edges(struct sema *s, struct ast_expr *e, struct sema_map *m)
{
	struct type *key = m->key, *ends[2];

	if ((key->kind == IMAGE_K_TUPLE || key->kind == IMAGE_K_RECORD) && key->fields.len == 2) {
		ends[0] = ends[1] =
			sema_join(s, key->fields.items[0].type, key->fields.items[1].type);
		if (ends[0] && type_equal(key->fields.items[0].type, key->fields.items[1].type))
			return true;
		if (ends[0] && key->kind == IMAGE_K_TUPLE)
			return sema_map_key(s, m, type_tuple(s->types, ends, 2), e->span);
	}
	sema_error(s, sema_arg(e, 0)->span,
		   "cycles() expects a map whose keys are edges, two of one type: @%s[from, to]",
		   m->name);
	return false;
}

/* "%d" is which cycle it is, a second one how many edges it has. */
static bool check_heading(struct sema *s, struct ast_expr *e, struct sema_table *table)
{
	const char *fmt = sema_arg(e, 2)->const_str;
	struct type *numbers[2] = {type_int(s->types, 8, false), type_int(s->types, 8, false)};
	size_t n = 0;

	table->heading = fmt;
	while ((fmt = strchr(fmt, '%'))) {
		size_t len = sema_conversion_length(fmt);
		char last = len ? fmt[len - 1] : '%';

		fmt += len ? len : 1;
		if (last == '%')
			continue;
		if (!strchr("diu", last) || ++n > 2) {
			sema_error(s, sema_arg(e, 2)->span,
				   "The heading of cycles() takes two numbers at most: which cycle "
				   "it is, and of how many edges");
			return false;
		}
	}
	if (n)
		table->heading_tuple = type_tuple(s->types, numbers, n);
	return true;
}

struct type *sema_check_cycles(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.kind = IMAGE_A_CYCLES};
	bool heading = sema_want_string_literal(s, e, 2);
	struct sema_map *m = sema_arg_map(s, e);

	if (!m || !heading)
		return NULL;
	if (m->key && !has_edges(s, e, m))
		return NULL;
	a.table = arena_new_of(s->arena, struct sema_table);
	if (!check_heading(s, e, a.table))
		return NULL;
	return check_table(s, e, &a, 4);
}

/* ---- the terminal ------------------------------------------------------------------- */

struct type *sema_check_screen(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.kind = IMAGE_A_SCREEN};

	sema_add_action(s, e, &a);
	return type_simple(s->types, IMAGE_K_VOID);
}
