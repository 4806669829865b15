/* SPDX-License-Identifier: Apache-2.0 */
/* @m = count() and its kin: the only way that an aggregation comes to be. */
#include <string.h>

#include "internal.h"

static const struct {
	enum builtin_id id;
	enum image_kind kind;
} kinds[] = {
	{BUILTIN_COUNT, IMAGE_K_COUNT},     {BUILTIN_SUM, IMAGE_K_SUM},
	{BUILTIN_MIN, IMAGE_K_MIN},         {BUILTIN_MAX, IMAGE_K_MAX},
	{BUILTIN_AVG, IMAGE_K_AVG},         {BUILTIN_STATS, IMAGE_K_STATS},
	{BUILTIN_HIST, IMAGE_K_HIST},       {BUILTIN_LHIST, IMAGE_K_LHIST},
	{BUILTIN_TSERIES, IMAGE_K_TSERIES},
};

bool sema_is_aggregation_call(const struct ast_expr *e)
{
	const struct builtin *b;

	if (e->kind != AST_CALL || e->u.call.macro_bang)
		return false;
	b = builtin_find(e->u.call.name);
	return b && b->flags & BUILTIN_AGGREGATION;
}

static enum image_kind kind_of(enum builtin_id id)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].id == id)
			return kinds[i].kind;
	return IMAGE_K_VOID;
}

static bool check_number_arg(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_expr(s, sema_arg(e, 0));

	if (!t)
		return false;
	if (sema_is_number(t) || sema_castable(t))
		return true;
	bool hist = e->u.call.builtin->id == BUILTIN_HIST ||
		    e->u.call.builtin->id == BUILTIN_LHIST ||
		    e->u.call.builtin->id == BUILTIN_TSERIES;
	sema_error(s, e->span, "%s() only supports %s arguments (%s provided)",
		   sema_builtin_name(e), hist ? "int" : "integer",
		   hist ? sema_kind_word(t) : sema_tn(s, t));
	return false;
}

static bool hist_bits(struct sema *s, struct ast_expr *e, int64_t *bits)
{
	if (sema_nargs(e) < 2)
		return true;
	if (!sema_want_int_literal(s, e, 1))
		return false;
	*bits = (int64_t)sema_arg(e, 1)->const_int;
	if (*bits >= 0 && *bits <= 5)
		return true;
	sema_error(s, e->span, "hist: bits %lld must be 0..5", (long long)*bits);
	return false;
}

static bool lhist_range(struct sema *s, struct ast_expr *e, int64_t *range)
{
	static const char *const words[] = {
		"invalid min value (must be non-negative literal)",
		"invalid max value (must be non-negative literal)",
		"invalid step value",
	};
	int64_t min, max, step;

	for (size_t i = 0; i < 3; i++) {
		struct ast_expr *x = sema_arg(e, i + 1);

		if (!sema_expr(s, x))
			return false;
		if (!x->is_const || !sema_is_number(x->type) || (int64_t)x->const_int < 0) {
			sema_error(s, e->span, "lhist: %s", words[i]);
			return false;
		}
		range[i] = (int64_t)x->const_int;
	}
	min = range[0], max = range[1], step = range[2];
	if (step < 1)
		sema_error(s, e->span, "lhist() step must be >= 1 (%lld provided)",
			   (long long)step);
	else if (min > max)
		sema_error(s, e->span,
			   "lhist() min must be less than max (provided min %lld and max %lld)",
			   (long long)min, (long long)max);
	else if ((max - min) / step > 1000)
		sema_error(s, e->span,
			   "lhist() too many buckets, must be <= 1000 (would need %lld)",
			   (long long)((max - min) / step));
	else if (max - min < step)
		sema_error(s, e->span,
			   "lhist() step is too large for the given range (provided step %lld "
			   "for range %lld)",
			   (long long)step, (long long)(max - min));
	else
		return true;
	return false;
}

/* How the values of one interval become one: none (the last one counts), or by name. */
static bool tseries_agg(struct sema *s, struct ast_expr *e, int64_t *agg)
{
	static const char *const names[IMAGE_NTSERIES] = {
		[IMAGE_TSERIES_AVG] = "avg",
		[IMAGE_TSERIES_MAX] = "max",
		[IMAGE_TSERIES_MIN] = "min",
		[IMAGE_TSERIES_SUM] = "sum",
	};

	if (sema_nargs(e) < 4)
		return true;
	if (!sema_want_string_literal(s, e, 3))
		return false;
	for (size_t i = 0; i < IMAGE_NTSERIES; i++) {
		if (!names[i] || strcmp(names[i], sema_arg(e, 3)->const_str))
			continue;
		*agg = (int64_t)i;
		return true;
	}
	sema_error(s, e->span,
		   "tseries() expects one of the following aggregation functions: avg, max, min, "
		   "sum (\"%s\" provided)",
		   sema_arg(e, 3)->const_str);
	return false;
}

/* interval_ns and num_intervals */
static bool tseries_number(struct sema *s, struct ast_expr *e, size_t i, const char *name,
			   int64_t *v)
{
	struct ast_expr *x = sema_arg(e, i);

	if (!sema_expr(s, x))
		return false;
	if (!x->is_const || !sema_is_number(x->type) || (int64_t)x->const_int < 0) {
		sema_error(s, e->span, "tseries: invalid %s value (must be non-negative literal)",
			   name);
		return false;
	}
	*v = (int64_t)x->const_int;
	if (*v >= 1)
		return true;
	sema_error(s, e->span, "tseries() %s must be >= 1 (%lld provided)", name, (long long)*v);
	return false;
}

static bool tseries_args(struct sema *s, struct ast_expr *e, int64_t *arg)
{
	if (!tseries_number(s, e, 1, "interval_ns", &arg[0]) ||
	    !tseries_number(s, e, 2, "num_intervals", &arg[1]) || !tseries_agg(s, e, &arg[2]))
		return false;
	if (arg[1] <= IMAGE_TSERIES_MAX_INTERVALS)
		return true;
	sema_error(s, e->span, "tseries() num_intervals must be <= %d (%lld provided)",
		   IMAGE_TSERIES_MAX_INTERVALS, (long long)arg[1]);
	return false;
}

static bool check_rest(struct sema *s, struct ast_expr *e, int64_t *arg)
{
	if (e->u.call.builtin->id == BUILTIN_HIST)
		return hist_bits(s, e, arg);
	if (e->u.call.builtin->id == BUILTIN_LHIST)
		return lhist_range(s, e, arg);
	if (e->u.call.builtin->id == BUILTIN_TSERIES)
		return tseries_args(s, e, arg);
	return true;
}

/* The number's sign is the aggregation's; seen over all its uses, as for a map's value. */
static bool is_signed(struct sema *s, struct ast_expr *e, struct sema_map_work *w)
{
	enum image_kind kind = kind_of(e->u.call.builtin->id);
	struct type *t;

	if (kind == IMAGE_K_COUNT || kind == IMAGE_K_HIST || kind == IMAGE_K_LHIST)
		return false;
	t = sema_arg(e, 0)->type;
	w->arg = sema_join(s, w->arg, sema_castable(t) ? sema_number_of(s, t) : t);
	return w->arg->is_signed;
}

/* Types the call; what it makes of the map's value, or NULL. */
static struct type *aggregation(struct sema *s, struct ast_expr *e, struct sema_map_work *w)
{
	const struct builtin *b = e->u.call.builtin;
	int64_t arg[3] = {0};

	if (b->max_args && (!check_number_arg(s, e) || !check_rest(s, e, arg)))
		return NULL;
	return type_aggregation(s->types, kind_of(b->id), is_signed(s, e, w), arg[0], arg[1],
				arg[2]);
}

static bool counted(struct sema *s, struct ast_expr *e)
{
	const struct builtin *b = e->u.call.builtin;
	size_t n = sema_nargs(e);

	if (n >= (size_t)b->min_args && n <= (size_t)b->max_args)
		return true;
	/* sema_type_call() says what is wrong with the number of arguments. */
	sema_type_call(s, e);
	return false;
}

static bool same_aggregation(const struct type *a, const struct type *b)
{
	return a->kind == b->kind && !memcmp(a->arg, b->arg, sizeof(a->arg));
}

void sema_assign_aggregation(struct sema *s, struct ast_stmt *st)
{
	struct ast_expr *target = st->u.assign.target, *call = st->u.assign.value;
	bool ok = sema_map_access(s, target);
	struct sema_map *m = target->u.map.decl;
	struct sema_map_work *w = sema_map_work(s, m);
	struct type *t;

	w->assigned = true;
	call->type = NULL;
	call->is_const = false;
	call->u.call.action = NULL;
	call->u.call.builtin = builtin_find(call->u.call.name);
	if (!counted(s, call))
		return;
	t = aggregation(s, call, w);
	if (!t || !ok)
		return;
	if (m->value && m->value->kind == t->kind && !same_aggregation(m->value, t)) {
		sema_error(s, call->span,
			   t->kind == IMAGE_K_HIST
				   ? "Different bits in a single hist unsupported"
				   : "Different %s bounds in a single map unsupported",
			   call->u.call.name);
		return;
	}
	if (m->value && m->value->kind != t->kind) {
		sema_error(s, call->span,
			   "Type mismatch for @%s: trying to assign value of type '%s' when map "
			   "already has a type '%s'",
			   m->name, sema_tn(s, t), sema_tn(s, m->value));
		return;
	}
	if (!m->value || m->value->is_signed != t->is_signed) {
		m->value = t;
		s->changed = true;
	}
	call->type = target->type = m->value;
}

/* Never called: sema_type_call() refuses aggregations, assignments come to the above. */
struct type *sema_check_aggregation(struct sema *s, struct ast_expr *e)
{
	(void)s;
	(void)e;
	return NULL;
}
