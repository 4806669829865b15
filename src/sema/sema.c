/* SPDX-License-Identifier: Apache-2.0 */
/* The order of sema's work, from the tree as parsed to the result. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* ---- complaints --------------------------------------------------------- */

static const char *format(struct sema *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;
	char *text;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = arena_alloc(s->arena, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	return text;
}

void sema_error(struct sema *s, struct span at, const char *fmt, ...)
{
	va_list ap;

	if (!s->report)
		return;
	va_start(ap, fmt);
	diag_error(s->diags, at, "%s", format(s, fmt, ap));
	va_end(ap);
}

void sema_warning(struct sema *s, struct span at, const char *fmt, ...)
{
	va_list ap;

	if (!s->report || s->fold_only)
		return;
	va_start(ap, fmt);
	diag_warning(s->diags, at, "%s", format(s, fmt, ap));
	va_end(ap);
}

void sema_hint(struct sema *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->report || !s->diags->diags.len)
		return;
	va_start(ap, fmt);
	diag_hint(s->diags, "%s", format(s, fmt, ap));
	va_end(ap);
}

const char *sema_tn(struct sema *s, const struct type *t)
{
	if (!t)
		return "none";
	if (type_is_aggregation(t))
		return t->is_signed || t->kind == IMAGE_K_COUNT || t->kind == IMAGE_K_HIST ||
				       t->kind == IMAGE_K_LHIST
			       ? sema_kind_word(t)
			       : arena_printf(s->arena, "u%s", sema_kind_word(t));
	return type_name(s->types, t);
}

/* ---- the fixed point ---------------------------------------------------- */

static void type_all(struct sema *s)
{
	s->changed = false;
	for (size_t i = 0; i < s->works.len; i++)
		sema_type_program(s, s->works.items[i]);
}

static void settle(struct sema *s)
{
	for (unsigned i = 0; i < SEMA_MAX_PASSES && !s->want_probe_strings; i++) {
		type_all(s);
		if (!s->changed)
			return;
	}
}

/* Maps that are read but never assigned hold zeros. */
static bool default_values(struct sema *s)
{
	bool any = false;

	for (size_t i = 0; i < s->maps.len; i++) {
		struct sema_map_work *w = s->maps.items[i];

		if (w->map->value || w->assigned || !w->read)
			continue;
		w->map->value = type_int(s->types, 8, true);
		any = true;
	}
	return any;
}

static bool any_untyped(const struct sema *s)
{
	for (size_t i = 0; i < s->maps.len; i++)
		if (!s->maps.items[i]->map->value)
			return true;
	return false;
}

/* What is filled in code alone that cannot even be typed on this kernel is always empty. */
static void empty_maps(struct sema *s)
{
	for (size_t i = 0; i < s->maps.len; i++) {
		struct sema_map_work *w = s->maps.items[i];

		bool keyed;

		if (w->map->value || !sema_dead_code_mentions(s, w->map->name, &keyed))
			continue;
		w->map->value = type_int(s->types, 8, true);
		if (w->shape == SHAPE_UNKNOWN)
			w->shape = keyed ? SHAPE_KEYED : SHAPE_SCALAR;
		if (w->shape == SHAPE_KEYED && !w->map->key)
			w->map->key = type_int(s->types, 8, true);
		w->assigned = true;
	}
}

/* A failed assignment leaves a variable without a type: then that is the error. */
static void report_untyped(struct sema *s)
{
	if (s->diags->errors)
		return;
	for (size_t i = 0; i < s->untyped.len; i++)
		sema_error(s, s->untyped.items[i], "Could not resolve the type of this variable");
}

/*
 * Code that an option of the command line rules out is checked like any other, and gives maps
 * their types; but actions, stacks and maps that only it uses are left out.
 */
static void keep_live(struct sema *s)
{
	s->include_dead = false;
	s->r->actions.len = 0;
	s->r->stacks.len = 0;
	s->r->remember = NULL;
	s->untyped.len = 0;
	type_all(s);
}

static void type_programs(struct sema *s)
{
	s->include_dead = true;
	settle(s);
	if (any_untyped(s)) {
		empty_maps(s);
		settle(s);
	}
	if (default_values(s))
		settle(s);
	if (s->want_probe_strings)
		return;
	s->report = true;
	type_all(s);
	keep_live(s);
	sema_finish_maps(s);
	sema_finish_stacks(s);
	sema_check_options(s);
	report_untyped(s);
	s->report = false;
}

/* ---- one run ------------------------------------------------------------ */

static void analyse(struct sema *s)
{
	sema_config_defaults(&s->r->config);
	sema_config_run(s);
	if (s->diags->errors)
		return;
	types_set_max_strlen(s->types, (uint32_t)s->r->config.max_strlen);
	sema_make_programs(s);
	s->probes_failed = s->diags->errors > 0;
	for (size_t i = 0; i < s->works.len; i++)
		sema_resolve_vars(s, s->works.items[i]);
	type_programs(s);
	if (!s->diags->errors)
		s->r->ast = sema_display(s);
}

static void start(struct sema *s, const struct sema *from)
{
	*s = (struct sema){
		.arena = from->arena,
		.types = from->types,
		.target = from->target,
		.diags = from->diags,
		.opts = from->opts,
		.words = from->words,
		.ast = from->ast,
		.probe_strings = from->want_probe_strings,
	};
	s->r = arena_new_of(s->arena, struct sema_result);
	s->r->arena = s->arena;
	s->r->types = s->types;
	s->r->target = s->target;
	s->r->diags = s->diags;
	s->r->opts = s->opts;
}

struct sema_result *sema_run(struct ast_program *p, struct diag_list *d, struct target *t,
			     const struct sema_options *opts)
{
	size_t ndiags = d->diags.len;
	unsigned nerrors = d->errors;
	struct sema first = {
		.arena = d->arena,
		.target = t,
		.diags = d,
		.opts = opts,
		.ast = p,
	};
	struct sema s;

	first.types = types_new(d->arena, t);
	if (cdefs_read(first.types, d, p, &opts->c))
		return NULL;
	sema_expand_c_macros(&first);
	if (d->errors)
		return NULL;
	first.words = sema_sort_words(d->arena, p, opts);
	start(&s, &first);
	analyse(&s);
	if (s.want_probe_strings && !s.probe_strings) {
		/* See struct sema: once more, with probe as a string. */
		d->diags.len = ndiags;
		d->errors = nerrors;
		first.want_probe_strings = true;
		start(&s, &first);
		analyse(&s);
	}
	return d->errors ? NULL : s.r;
}
