/* SPDX-License-Identifier: Apache-2.0 */
/* Names and calls: found in the table of builtins, counted, handed to the row's check. */
#include <string.h>

#include "internal.h"

typedef struct type *check_fn(struct sema *s, struct ast_expr *e);

static check_fn *const checks[] = {
#define BUILTIN(id, name, flags, min, max, check, emit) [BUILTIN_##id] = sema_check_##check,
#include "sema/builtins.def"
#undef BUILTIN
};

const char *sema_builtin_name(const struct ast_expr *e)
{
	return e->kind == AST_CALL ? e->u.call.name : e->u.ident.name;
}

size_t sema_nargs(const struct ast_expr *e)
{
	return e->kind == AST_CALL ? e->u.call.args.len : 0;
}

struct ast_expr *sema_arg(const struct ast_expr *e, size_t i)
{
	return e->u.call.args.items[i];
}

/* ---- words -------------------------------------------------------------- */

const char *sema_kind_word(const struct type *t)
{
	switch (t->kind) {
	case IMAGE_K_INT:
	case IMAGE_K_ENUM:
		return "int";
	case IMAGE_K_BOOL:
		return "bool";
	case IMAGE_K_STRING:
		return "string";
	case IMAGE_K_POINTER:
		return "pointer";
	case IMAGE_K_STRUCT:
	case IMAGE_K_UNION:
		return "c_type";
	case IMAGE_K_ARRAY:
		return "array";
	case IMAGE_K_TUPLE:
		return "tuple";
	case IMAGE_K_RECORD:
		return "record";
	case IMAGE_K_COUNT:
		return "count_t";
	case IMAGE_K_SUM:
		return "sum_t";
	case IMAGE_K_MIN:
		return "min_t";
	case IMAGE_K_MAX:
		return "max_t";
	case IMAGE_K_AVG:
		return "avg_t";
	case IMAGE_K_STATS:
		return "stats_t";
	case IMAGE_K_HIST:
		return "hist_t";
	case IMAGE_K_LHIST:
		return "lhist_t";
	case IMAGE_K_TSERIES:
		return "tseries_t";
	default:
		return image_kind_name(t->kind);
	}
}

/* ---- arguments ---------------------------------------------------------- */

static bool wrong_literal(struct sema *s, struct ast_expr *e, struct ast_expr *x,
			  const char *wanted)
{
	if (x->type)
		sema_error(s, e->span, "%s() expects a %s literal (%s provided)",
			   sema_builtin_name(e), wanted, sema_kind_word(x->type));
	return false;
}

bool sema_want_string_literal(struct sema *s, struct ast_expr *e, size_t i)
{
	struct ast_expr *x = sema_arg(e, i);

	/* Formats may be longer than a string that is handled at run time. */
	if (x->kind == AST_STRING) {
		sema_set_string(s, x, x->u.string.text);
		return true;
	}
	sema_expr(s, x);
	if (x->type && x->is_const && x->type->kind == IMAGE_K_STRING)
		return true;
	wrong_literal(s, e, x, "string");
	if (x->type && x->kind == AST_POSITIONAL)
		sema_hint(s, "Use str($%llu) to treat $%llu as a string",
			  (unsigned long long)x->u.integer.value,
			  (unsigned long long)x->u.integer.value);
	return false;
}

bool sema_want_int_literal(struct sema *s, struct ast_expr *e, size_t i)
{
	struct ast_expr *x = sema_arg(e, i);

	sema_expr(s, x);
	if (x->type && x->is_const && sema_is_number(x->type))
		return true;
	return wrong_literal(s, e, x, "int");
}

bool sema_want_int(struct sema *s, struct ast_expr *e, size_t i)
{
	struct ast_expr *x = sema_arg(e, i);

	sema_expr(s, x);
	if (!x->type)
		return false;
	if (sema_is_number(x->type))
		return true;
	sema_error(s, e->span, "%s() only supports int arguments (%s provided)",
		   sema_builtin_name(e), sema_kind_word(x->type));
	return false;
}

struct sema_map *sema_arg_map(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = sema_arg(e, 0);

	if (x->kind != AST_MAP || x->u.map.key) {
		sema_error(s, x->span, "%s() expects a map argument", sema_builtin_name(e));
		return NULL;
	}
	sema_map_whole(s, x);
	x->type = x->u.map.decl->value;
	return x->u.map.decl;
}

/* "f() requires one argument (0 provided)" */
static bool check_count(struct sema *s, struct ast_expr *e, const struct builtin *b)
{
	size_t n = sema_nargs(e);
	size_t min = (size_t)b->min_args;
	size_t max = b->max_args < 0 ? SEMA_MAX_FMT_ARGS + 1 : (size_t)b->max_args;
	bool few = n < min;
	size_t limit = few ? min : max;
	const char *how;

	if (n >= min && n <= max)
		return true;
	how = min == max || !max ? "requires" : few ? "requires at least" : "takes up to";
	if (!limit)
		sema_error(s, e->span, "%s() requires no arguments (%zu provided)", b->name, n);
	else if (limit == 1)
		sema_error(s, e->span, "%s() %s one argument (%zu provided)", b->name, how, n);
	else
		sema_error(s, e->span, "%s() %s %zu arguments (%zu provided)", b->name, how, limit,
			   n);
	return false;
}

static struct sema_action *new_action(struct sema *s, struct span at, const struct sema_action *a)
{
	struct sema_action *copy;

	if (!s->report || s->fold_only || s->row)
		return NULL;
	copy = arena_new_of(s->arena, struct sema_action);
	*copy = *a;
	copy->span = at;
	copy->index = (uint32_t)s->r->actions.len;
	vec_push(s->arena, &s->r->actions, copy);
	return copy;
}

void sema_add_action(struct sema *s, struct ast_expr *e, const struct sema_action *a)
{
	struct sema_action *copy = new_action(s, e->span, a);

	if (copy)
		e->u.call.action = copy;
}

struct sema_action *sema_add_warning(struct sema *s, struct span at, const char *text)
{
	struct sema_action a = {.kind = IMAGE_A_WARNF, .fmt = text};

	return new_action(s, at, &a);
}

/* ---- names -------------------------------------------------------------- */

/* Builtins of bpftrace that have no row yet. */
static const char *const later[] = {
	"find", "is_err",      "leader_comm", "leader_tid", "pcomm",
	"ppid", "strcontains", "unwatch",     NULL,
};

static bool comes_later(struct sema *s, struct ast_expr *e, const char *name)
{
	for (size_t i = 0; later[i]; i++) {
		if (strcmp(later[i], name))
			continue;
		sema_error(s, e->span, "%s is not supported yet", name);
		return true;
	}
	return false;
}

static struct type *unknown_name(struct sema *s, struct ast_expr *e)
{
	const char *name = e->u.ident.name;
	const struct builtin *b = builtin_find(name);
	const char *near = b ? NULL : diag_did_you_mean(name, builtin_names());

	if (comes_later(s, e, name))
		return NULL;
	sema_error(s, e->span, "Unknown identifier: '%s'", name);
	if (b)
		sema_hint(s, "%s is a function: %s()", name, name);
	else if (near)
		sema_hint(s, "Did you mean: %s?", near);
	return NULL;
}

static struct type *type_constant(struct sema *s, struct ast_expr *e, const struct type_constant *c)
{
	if (c->str)
		sema_set_string(s, e, c->str);
	else if (c->type)
		sema_set_int(e, c->type, c->value);
	else if ((int64_t)c->value < 0)
		sema_set_int(e, sema_negative_type(s, (int64_t)c->value), c->value);
	else
		sema_set_int(e, sema_literal_type(s, c->value), c->value);
	return e->type;
}

struct type *sema_type_ident(struct sema *s, struct ast_expr *e)
{
	const struct builtin *b = builtin_find(e->u.ident.name);
	struct type_constant c;

	if (s->row && !strcmp(e->u.ident.name, "key"))
		return s->row->key;
	if (types_find_c_constant(s->types, e->u.ident.name, &c) && !c.expr)
		return type_constant(s, e, &c);
	if (b && b->flags & BUILTIN_VAR) {
		e->u.ident.builtin = b;
		return checks[b->id](s, e);
	}
	if (!b && types_find_constant(s->types, e->u.ident.name, &c) && !c.expr)
		return type_constant(s, e, &c);
	return unknown_name(s, e);
}

/* ---- calls -------------------------------------------------------------- */

static struct type *unknown_function(struct sema *s, struct ast_expr *e)
{
	const char *near = diag_did_you_mean(e->u.call.name, builtin_names());

	if (comes_later(s, e, e->u.call.name))
		return NULL;
	sema_error(s, e->span, "Unknown function: '%s'", e->u.call.name);
	if (near)
		sema_hint(s, "Did you mean: %s?", near);
	for (size_t i = 0; i < sema_nargs(e); i++)
		sema_expr(s, sema_arg(e, i));
	return NULL;
}

struct type *sema_type_call(struct sema *s, struct ast_expr *e)
{
	const struct builtin *b = builtin_find(e->u.call.name);

	e->u.call.builtin = NULL;
	e->u.call.action = NULL;
	if (e->u.call.macro_bang) {
		sema_error(s, e->span, "Unknown macro: '%s'", e->u.call.name);
		if (b)
			sema_hint(s, "%s is a function: call it without '!'", e->u.call.name);
		return NULL;
	}
	if (!b || !(b->flags & BUILTIN_FUNC))
		return unknown_function(s, e);
	e->u.call.builtin = b;
	if (b->flags & BUILTIN_UNSAFE && !s->opts->unsafe) {
		sema_error(s, e->span, "%s() is an unsafe function being used in safe mode",
			   b->name);
		sema_hint(s, "use --unsafe");
	}
	if (!check_count(s, e, b))
		return NULL;
	if (b->flags & BUILTIN_AGGREGATION) {
		sema_error(s, e->span, "%s() must be assigned directly to a map", b->name);
		return NULL;
	}
	return checks[b->id](s, e);
}
