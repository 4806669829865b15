/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: one function a kind, found through a table. */
#include <string.h>

#include "internal.h"

static void type_block(struct sema *s, struct ast_block *b);

/* ---- assignments -------------------------------------------------------- */

static const struct {
	enum image_kind kind;
	const char *call;
} direct_calls[] = {
	{IMAGE_K_COUNT, "count()"},
	{IMAGE_K_SUM, "sum(retval)"},
	{IMAGE_K_MIN, "min(retval)"},
	{IMAGE_K_MAX, "max(retval)"},
	{IMAGE_K_AVG, "avg(retval)"},
	{IMAGE_K_STATS, "stats(arg2)"},
	{IMAGE_K_HIST, "hist(retval)"},
	{IMAGE_K_LHIST, "lhist(rand %10, 0, 10, 1)"},
	{IMAGE_K_TSERIES, "tseries(rand %10, 10s, 1)"},
};

/* @a = @b where @b is an aggregation. */
static void not_to_map(struct sema *s, struct ast_stmt *st, struct type *t)
{
	struct ast_expr *value = st->u.assign.value;
	const char *to = st->u.assign.target->u.map.name;

	for (size_t i = 0; i < sizeof(direct_calls) / sizeof(direct_calls[0]); i++) {
		if (direct_calls[i].kind != t->kind)
			continue;
		sema_error(s, st->span,
			   "Map value '%s' cannot be assigned from one map to another. The "
			   "function that returns this type must be called directly e.g. "
			   "`@%s = %s;`.",
			   sema_tn(s, t), to, direct_calls[i].call);
		if (value->kind == AST_MAP && sema_castable(t))
			sema_hint(s,
				  "Add a cast to integer if you want the value of the aggregate, "
				  "e.g. `@%s = (int64)@%s;`.",
				  to, value->u.map.name);
		return;
	}
	sema_error(s, st->span, "Value '%s' cannot be assigned to a map.", sema_tn(s, t));
}

static bool can_store(const struct type *t)
{
	return t->kind != IMAGE_K_VOID && !t->is_ctx && !type_is_aggregation(t);
}

/* The type of x op= value; a map that nothing is known of starts as a number. */
static struct type *compound_type(struct sema *s, struct ast_stmt *st, struct type *current)
{
	struct type *t = st->u.assign.value->type;

	if (!t)
		return NULL;
	if (!current)
		return sema_int_like(t) ? type_int(s->types, 8, t->is_signed || t->is_literal) : t;
	return sema_binary_type(s, st->span, st->u.assign.op, current, t);
}

static void assign_map(struct sema *s, struct ast_stmt *st)
{
	struct ast_expr *target = st->u.assign.target, *value = st->u.assign.value;
	bool ok = sema_map_access(s, target);
	struct sema_map *m = target->u.map.decl;
	struct type *t = sema_value(s, value);

	sema_map_work(s, m)->assigned = true;
	if (st->u.assign.compound)
		t = compound_type(s, st, m->value);
	if (!ok || !t)
		return;
	if (!can_store(t) && !(sema_castable(t) && m->value && m->value->kind == IMAGE_K_INT)) {
		not_to_map(s, st, t);
		return;
	}
	if (!sema_map_value(s, m, t, st->span))
		return;
	target->type = m->value;
	if (!st->u.assign.compound)
		sema_warn_of_cast(s, value, m->value);
}

static void var_mismatch(struct sema *s, struct span at, const struct sema_var *v, struct type *t)
{
	sema_error(s, at,
		   "Type mismatch for $%s: trying to assign value of type '%s' when variable "
		   "already has a type '%s'",
		   v->name, sema_tn(s, t), sema_tn(s, v->type));
}

/* A variable declared with its type: what is assigned has to fit, or is warned of. */
static bool assign_fixed(struct sema *s, struct span at, struct sema_var *v, struct ast_expr *value,
			 struct type *t)
{
	struct type *joined;

	if (sema_is_number(v->type) && (sema_is_number(t) || sema_castable(t))) {
		if (sema_is_literal(s, value) && !sema_const_fits(value, v->type)) {
			var_mismatch(s, at, v, t);
			return false;
		}
		sema_warn_of_cast(s, value, v->type);
		return true;
	}
	joined = sema_join(s, v->type, t);
	if (joined && (joined == v->type || v->type->kind == IMAGE_K_TUPLE ||
		       v->type->kind == IMAGE_K_RECORD))
		return true;
	var_mismatch(s, at, v, t);
	return false;
}

static bool is_address(const struct ast_expr *e)
{
	return e && e->kind == AST_UNARY && e->u.unary.op == AST_ADDROF;
}

static void assign_value(struct sema *s, struct span at, struct sema_var *v, struct ast_expr *value,
			 struct type *t)
{
	struct type *joined;

	if (!can_store(t) && !(sema_castable(t) && (!v->type || sema_is_number(v->type)))) {
		sema_error(s, at, "Value '%s' cannot be assigned to a scratch variable.",
			   sema_tn(s, t));
		return;
	}
	if (v->fixed && v->type) {
		assign_fixed(s, at, v, value, t);
		return;
	}
	joined = sema_join(s, v->type, sema_castable(t) ? sema_number_of(s, t) : t);
	/* what it points to has grown since */
	if (!joined && !s->report && is_address(value))
		joined = t;
	if (!joined) {
		var_mismatch(s, at, v, t);
		return;
	}
	s->changed |= joined != v->type;
	v->type = joined;
	if (value)
		sema_warn_of_cast(s, value, joined);
}

static void assign_var(struct sema *s, struct ast_stmt *st)
{
	struct ast_expr *target = st->u.assign.target;
	struct type *t = sema_value(s, st->u.assign.value);
	struct sema_var *v = target->u.var.decl;

	if (!v)
		return;
	if (st->u.assign.compound)
		t = v->type ? compound_type(s, st, v->type) : NULL;
	if (!t)
		return;
	/* A declared width stays: the result of $x += 1 is cut to it without a word. */
	if (st->u.assign.compound && v->fixed && v->type && sema_is_number(v->type) &&
	    sema_is_number(t))
		t = v->type;
	else
		assign_value(s, st->span, v, st->u.assign.compound ? NULL : st->u.assign.value, t);
	target->type = v->type;
}

/* An aggregation, or blocks that have one for their value. */
static bool ends_in_aggregation(const struct ast_expr *e)
{
	while (e->kind == AST_BLOCK_EXPR && e->u.block->value)
		e = e->u.block->value;
	return sema_is_aggregation_call(e);
}

/* @m = { statements; count() }: the statements, then @m = count(), in a block of their own. */
static bool open_block(struct sema *s, struct ast_stmt *st)
{
	struct ast_expr *value = st->u.assign.value;
	struct ast_stmt *last;
	struct ast_block *b;

	if (st->u.assign.target->kind != AST_MAP || value->kind != AST_BLOCK_EXPR ||
	    st->u.assign.compound || !ends_in_aggregation(value))
		return false;
	b = value->u.block;
	last = arena_new_of(s->arena, struct ast_stmt);
	*last = *st;
	last->u.assign.value = b->value;
	vec_push(s->arena, &b->stmts, last);
	b->value = NULL;
	st->kind = AST_BLOCK;
	st->u.block = b;
	return true;
}

static void type_assign_to(struct sema *s, struct ast_stmt *st)
{
	struct ast_expr *target = st->u.assign.target;

	if (open_block(s, st)) {
		type_block(s, st->u.block);
		return;
	}

	if (target->kind == AST_VAR) {
		assign_var(s, st);
	} else if (target->kind != AST_MAP) {
		sema_error(s, target->span, "Only variables and maps can be assigned to");
	} else if (!st->u.assign.compound && sema_is_aggregation_call(st->u.assign.value)) {
		sema_assign_aggregation(s, st);
	} else {
		assign_map(s, st);
	}
}

static void type_assign(struct sema *s, struct ast_stmt *st)
{
	bool compound = st->u.assign.compound; /* else it may turn into a block */

	type_assign_to(s, st);
	if (compound)
		st->u.assign.warning =
			sema_warn_of_division(s, st->span, st->u.assign.op, st->u.assign.value);
}

static void declare_type(struct sema *s, struct ast_stmt *st, struct sema_var *v)
{
	struct type *t = sema_written_type(s, st->u.decl.type);

	if (!t)
		return;
	if (t->kind == IMAGE_K_VOID || type_is_aggregation(t)) {
		sema_error(s, st->u.decl.type->span, "Invalid variable declaration type: %s",
			   sema_tn(s, t));
		return;
	}
	if (t->kind == IMAGE_K_STRING && !t->size) {
		if (!v->type)
			v->type = type_string(s->types, 1);
		return;
	}
	s->changed |= v->type != t && !(v->type && type_equal(v->type, t));
	if (!v->type || !type_equal(v->type, t))
		v->type = t;
	v->fixed = true;
}

static void type_decl(struct sema *s, struct ast_stmt *st)
{
	struct sema_var *v = st->u.decl.var->u.var.decl;
	struct type *t = NULL;

	if (st->u.decl.init)
		t = sema_expr(s, st->u.decl.init);
	if (!v)
		return;
	if (st->u.decl.type)
		declare_type(s, st, v);
	if (t && (v->type || !st->u.decl.type))
		assign_value(s, st->span, v, st->u.decl.init, t);
	st->u.decl.var->type = v->type;
}

/* ---- control flow ------------------------------------------------------- */

static void mark(struct ast_block *b, bool dead)
{
	for (size_t i = 0; b && i < b->stmts.len; i++)
		b->stmts.items[i]->dead = dead;
}

static void type_if(struct sema *s, struct ast_stmt *st)
{
	struct ast_expr *cond = st->u.if_.cond;
	bool known, truth, discard;

	sema_expr(s, cond);
	sema_condition(s, cond, cond->span);
	known = cond->type && cond->is_const;
	truth = known && sema_const_true(cond);
	mark(st->u.if_.then, known && !truth);
	mark(st->u.if_.otherwise, known && truth);
	/* "if comptime", or about another kernel: what is not taken need not even have types */
	discard = known && (cond->comptime || sema_asks_kernel(cond));
	if (!discard || truth)
		type_block(s, st->u.if_.then);
	if (st->u.if_.otherwise && !(discard && truth))
		type_block(s, st->u.if_.otherwise);
}

static void type_loop_body(struct sema *s, struct ast_block *b)
{
	s->loop_depth++;
	type_block(s, b);
	s->loop_depth--;
}

static void set_loop_var(struct sema *s, struct ast_stmt *st, struct type *t)
{
	struct sema_var *v = st->u.for_.var->u.var.decl;

	if (v && t)
		assign_value(s, st->u.for_.var->span, v, NULL, t);
	st->u.for_.var->type = v ? v->type : NULL;
}

/* What ($kv : @m) gives: the key and the value, aggregations as numbers. */
static struct type *element_type(struct sema *s, struct ast_expr *e, struct sema_map *m)
{
	struct type *pair[2] = {m->key, m->value};

	if (!m->key || !m->value)
		return NULL;
	if (type_is_aggregation(m->value)) {
		if (!sema_castable(m->value)) {
			sema_error(s, e->span, "Loop expression does not support type: %s",
				   sema_tn(s, m->value));
			return NULL;
		}
		pair[1] = sema_number_of(s, m->value);
	}
	return type_tuple(s->types, pair, 2);
}

static void type_for_map(struct sema *s, struct ast_stmt *st)
{
	struct ast_expr *e = st->u.for_.map;
	struct sema_map_work *w;

	if (e->kind != AST_MAP || e->u.map.key) {
		sema_error(s, e->span, "Loop expression must be a map, given as a whole");
		return;
	}
	w = sema_map_work(s, sema_map_whole(s, e));
	if (w->shape == SHAPE_SCALAR) {
		sema_error(s, e->span,
			   "@%s has no explicit keys (scalar map), and cannot be used for "
			   "iteration",
			   e->u.map.name);
		return;
	}
	w->shape = SHAPE_KEYED;
	w->read = true;
	e->type = w->map->value;
	set_loop_var(s, st, element_type(s, e, w->map));
	type_loop_body(s, st->u.for_.body);
}

/* Without bpf_loop the verifier walks every round, so that their number has to be bounded. */
static void warn_of_rounds(struct sema *s, struct ast_stmt *st)
{
	const struct ast_expr *begin = st->u.for_.begin, *end = st->u.for_.end;

	if (!begin->type || !end->type || (begin->is_const && end->is_const) ||
	    target_has(s->target, TARGET_F_BPF_LOOP))
		return;
	sema_warning(s, st->u.for_.begin->span,
		     "On this kernel a loop over a range that is not constant ends after %d rounds",
		     SEMA_MAX_ROUNDS);
	sema_hint(s, "%s lifts that: %s", target_feature_name(TARGET_F_BPF_LOOP),
		  target_feature_since(TARGET_F_BPF_LOOP));
}

static void type_for_range(struct sema *s, struct ast_stmt *st)
{
	struct ast_expr *begin = st->u.for_.begin, *end = st->u.for_.end;
	struct type *b = sema_expr(s, begin), *e = sema_expr(s, end);

	if (b && !sema_is_number(b))
		sema_error(s, st->span, "Loop range requires an integer for the start value");
	if (e && !sema_is_number(e))
		sema_error(s, st->span, "Loop range requires an integer for the end value");
	if (b && e && sema_is_number(b) && sema_is_number(e))
		set_loop_var(s, st, sema_join(s, b, e));
	warn_of_rounds(s, st);
	type_loop_body(s, st->u.for_.body);
}

static void type_while(struct sema *s, struct ast_stmt *st)
{
	sema_warning(s, st->span, "While loops are deprecated and may be removed in the future.");
	sema_hint(s, "For loops support ranges (e.g. `for ($x : $start..$end) { ... }`), and can "
		     "be used in place of while. These are more easily proven to be bounded by "
		     "the verifier.");
	sema_expr(s, st->u.loop.cond);
	sema_condition(s, st->u.loop.cond, st->u.loop.cond->span);
	type_loop_body(s, st->u.loop.body);
}

static void type_jump(struct sema *s, struct ast_stmt *st)
{
	if (!s->loop_depth)
		sema_error(s, st->span, "'%s' statement is not allowed in a probe",
			   st->kind == AST_BREAK ? "break" : "continue");
}

static void type_return(struct sema *s, struct ast_stmt *st)
{
	struct type *t = st->u.expr ? sema_expr(s, st->u.expr) : NULL;

	if (t && !sema_is_number(t))
		sema_error(s, st->span, "Probe return values can only be integers. Found %s",
			   sema_tn(s, t));
}

/* ---- the rest ----------------------------------------------------------- */

/* Discarding what delete() says is its common use. */
static bool may_be_discarded(const struct ast_expr *e)
{
	if (e->kind == AST_INCDEC || e->type->kind == IMAGE_K_VOID)
		return true;
	return e->kind == AST_CALL && e->u.call.builtin && e->u.call.builtin->id == BUILTIN_DELETE;
}

static void type_expr_stmt(struct sema *s, struct ast_stmt *st)
{
	if (sema_expr(s, st->u.expr) && !may_be_discarded(st->u.expr))
		sema_warning(s, st->span, "Return value discarded.");
}

static void type_discard(struct sema *s, struct ast_stmt *st)
{
	sema_expr(s, st->u.expr);
}

static void type_nested(struct sema *s, struct ast_stmt *st)
{
	type_block(s, st->u.block);
}

static void type_unroll(struct sema *s, struct ast_stmt *st)
{
	/* Still here only when its count was wrong, which has been said. */
	(void)s;
	(void)st;
}

typedef void stmt_typer(struct sema *s, struct ast_stmt *st);

static stmt_typer *const typers[] = {
	[AST_EXPR_STMT] = type_expr_stmt, [AST_ASSIGN] = type_assign,
	[AST_DECL] = type_decl,           [AST_IF] = type_if,
	[AST_FOR_MAP] = type_for_map,     [AST_FOR_RANGE] = type_for_range,
	[AST_WHILE] = type_while,         [AST_UNROLL] = type_unroll,
	[AST_BREAK] = type_jump,          [AST_CONTINUE] = type_jump,
	[AST_RETURN] = type_return,       [AST_BLOCK] = type_nested,
	[AST_DISCARD] = type_discard,
};

static bool leaves(const struct ast_stmt *st)
{
	const struct ast_expr *e = st->u.expr;

	if (st->kind == AST_BREAK || st->kind == AST_CONTINUE || st->kind == AST_RETURN)
		return true;
	return st->kind == AST_EXPR_STMT && e->kind == AST_CALL && e->u.call.builtin &&
	       e->u.call.builtin->id == BUILTIN_EXIT;
}

static void type_block(struct sema *s, struct ast_block *b)
{
	for (size_t i = 0; i < b->stmts.len; i++) {
		struct ast_stmt *st = b->stmts.items[i];

		if (st->dead && !s->include_dead)
			continue;
		typers[st->kind](s, st);
		if (leaves(st) && i + 1 < b->stmts.len)
			sema_warning(s, b->stmts.items[i + 1]->span, "Unreachable statement.");
	}
	if (b->value)
		sema_expr(s, b->value);
}

struct type *sema_block_value(struct sema *s, struct ast_block *b)
{
	type_block(s, b);
	return b->value ? b->value->type : type_simple(s->types, IMAGE_K_VOID);
}

void sema_type_program(struct sema *s, struct sema_work *w)
{
	struct ast_expr *cond = w->prog->predicate;

	/* its maps may get their types there; what it lacks on this kernel is no error */
	if (w->dead && (!s->include_dead || s->report))
		return;
	s->work = w;
	s->loop_depth = 0;
	types_use_program(s->types, w->prog->type->flags & PROBE_USER ? w->category : NULL);
	if (cond) {
		sema_expr(s, cond);
		sema_condition(s, cond, cond->span);
	}
	mark(w->prog->body, cond && cond->type && cond->is_const && !sema_const_true(cond));
	type_block(s, w->prog->body);
}
