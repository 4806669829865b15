/* SPDX-License-Identifier: Apache-2.0 */
/* Operators, the conditional expression and casts. */
#include <string.h>

#include "internal.h"

static bool is_comparison(enum ast_binary_op op)
{
	return op >= AST_EQ && op <= AST_GE;
}

static bool is_logical(enum ast_binary_op op)
{
	return op == AST_LAND || op == AST_LOR;
}

static struct type *not_on_types(struct sema *s, struct span at, enum ast_binary_op op,
				 struct type *l, struct type *r)
{
	sema_error(s, at, "The %s operator can not be used on expressions of types %s, %s",
		   ast_binary_op_text(op), sema_tn(s, l), sema_tn(s, r));
	return NULL;
}

static struct type *two_pointers(struct sema *s, struct span at, enum ast_binary_op op,
				 struct type *l, struct type *r)
{
	if (!is_comparison(op) && !is_logical(op))
		return not_on_types(s, at, op, l, r);
	if (is_comparison(op) && !sema_join(s, l, r))
		sema_warning(s, at, "comparison of distinct pointer types: %s, %s",
			     l->elem ? sema_tn(s, l->elem) : "void",
			     r->elem ? sema_tn(s, r->elem) : "void");
	return type_simple(s->types, IMAGE_K_BOOL);
}

static struct type *pointer_type(struct sema *s, struct span at, enum ast_binary_op op,
				 struct type *l, struct type *r)
{
	bool left = l->kind == IMAGE_K_POINTER;
	struct type *ptr = left ? l : r, *other = left ? r : l;

	if (other->kind == IMAGE_K_POINTER)
		return two_pointers(s, at, op, l, r);
	if (!sema_int_like(other))
		return not_on_types(s, at, op, l, r);
	if (is_comparison(op) || is_logical(op))
		return type_simple(s->types, IMAGE_K_BOOL);
	if (op == AST_ADD || (op == AST_SUB && left))
		return ptr;
	return not_on_types(s, at, op, l, r);
}

static bool flexible(const struct type *t)
{
	return t->kind == IMAGE_K_INT && t->is_literal;
}

static struct type *int_type(struct sema *s, struct span at, enum ast_binary_op op, struct type *l,
			     struct type *r)
{
	bool ls = l->is_signed, rs = r->is_signed;

	if (is_comparison(op) || is_logical(op) ||
	    (l->kind == IMAGE_K_BOOL && r->kind == IMAGE_K_BOOL))
		return type_simple(s->types, IMAGE_K_BOOL);
	/* A literal takes the sign of the other side. */
	if (flexible(l) && !flexible(r))
		ls = rs;
	else if (flexible(r) && !flexible(l))
		rs = ls;
	/* Two signed numbers divide as in C; an unsigned one may be read as negative. */
	if ((op == AST_DIV || op == AST_MOD) && ls != rs)
		sema_warning(s, at,
			     "signed operands for '%s' can lead to undefined behavior "
			     "(cast to unsigned to silence warning)",
			     ast_binary_op_text(op));
	return type_int(s->types, 8, ls || rs || op == AST_SUB);
}

static bool compares_as_bytes(const struct type *t)
{
	switch (t->kind) {
	case IMAGE_K_STRING:
	case IMAGE_K_ARRAY:
	case IMAGE_K_TUPLE:
	case IMAGE_K_RECORD:
	case IMAGE_K_DISK:
	case IMAGE_K_BUFFER:
	case IMAGE_K_KSTACK:
	case IMAGE_K_USTACK:
		return true;
	default:
		return false;
	}
}

static struct type *array_type(struct sema *s, struct span at, enum ast_binary_op op,
			       struct type *l, struct type *r)
{
	if (op != AST_EQ && op != AST_NE) {
		sema_error(s, at, "The %s operator cannot be used on arrays.",
			   ast_binary_op_text(op));
		return NULL;
	}
	if (l->count != r->count) {
		sema_error(s, at, "Only arrays of same size support comparison operators.");
		return NULL;
	}
	if (l->elem->kind != IMAGE_K_INT || r->elem->kind != IMAGE_K_INT ||
	    l->elem->size != r->elem->size) {
		sema_error(s, at,
			   "Only arrays of same sized integer support comparison operators.");
		return NULL;
	}
	return type_simple(s->types, IMAGE_K_BOOL);
}

struct type *sema_binary_type(struct sema *s, struct span at, enum ast_binary_op op, struct type *l,
			      struct type *r)
{
	if (!l || !r)
		return NULL;
	if (l->kind == IMAGE_K_POINTER || r->kind == IMAGE_K_POINTER)
		return pointer_type(s, at, op, l, r);
	if (sema_int_like(l) && sema_int_like(r))
		return int_type(s, at, op, l, r);
	if (l->kind == IMAGE_K_PROBE || r->kind == IMAGE_K_PROBE) {
		s->want_probe_strings = true;
		return NULL;
	}
	if (l->kind == IMAGE_K_ARRAY && r->kind == IMAGE_K_ARRAY)
		return array_type(s, at, op, l, r);
	if (!sema_join(s, l, r)) {
		sema_error(s, at, "Type mismatch for '%s': comparing %s with %s",
			   ast_binary_op_text(op), sema_tn(s, l), sema_tn(s, r));
		return NULL;
	}
	if ((op != AST_EQ && op != AST_NE) || !compares_as_bytes(l))
		return not_on_types(s, at, op, l, r);
	return type_simple(s->types, IMAGE_K_BOOL);
}

struct sema_action *sema_warn_of_division(struct sema *s, struct span at, enum ast_binary_op op,
					  const struct ast_expr *by)
{
	if ((op != AST_DIV && op != AST_MOD) || (by->is_const && by->const_int))
		return NULL;
	return sema_add_warning(s, at,
				"Divide or modulo by 0 detected. This can lead to unexpected "
				"results. 1 is being used as the result.");
}

/* Numbers of different signs compared: one is read with the other's sign. */
static void warn_of_sign(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;
	struct type *both;

	/* what a script is given is read as a literal is */
	if (l->load || r->load)
		return;
	if (!is_comparison(e->u.binary.op) || !sema_is_number(l->type) || !sema_is_number(r->type))
		return;
	both = sema_join(s, l->type, r->type);
	sema_warn_of_cast(s, l, both);
	sema_warn_of_cast(s, r, both);
}

/* An arm (or right side) that is never run is typed too, but nothing is said of it. */
static void type_arm(struct sema *s, struct ast_expr *arm, bool taken)
{
	bool report = s->report;

	s->report = report && taken;
	sema_expr(s, arm);
	s->report = report;
}

/* The right side is never run then, and may be about what this kernel has not. */
static bool decides(const struct ast_expr *l, enum ast_binary_op op)
{
	return l->type && l->is_const &&
	       (sema_int_like(l->type) || l->type->kind == IMAGE_K_STRING) &&
	       sema_const_true(l) == (op == AST_LOR);
}

/* getopt("disk", "") == "": known when the image is loaded. */
static bool load_text_compare(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;
	struct sema_reloc is = {.kind = IMAGE_R_ARGUMENT_IS};

	if (e->u.binary.op != AST_EQ || !l->load || l->type->kind != IMAGE_K_STRING ||
	    !r->is_const || !r->const_str)
		return false;
	is.size = s->r->relocs.items[l->load - 1].size;
	is.b = r->const_str;
	sema_set_load(s, e, type_simple(s->types, IMAGE_K_BOOL), &is);
	return true;
}

struct type *sema_type_binary(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;
	enum ast_binary_op op = e->u.binary.op;
	struct type *t;

	sema_expr(s, l);
	if (is_logical(op) && decides(l, op)) {
		type_arm(s, r, false);
		if (!r->type) {
			sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL), op == AST_LOR);
			return e->type;
		}
	} else {
		sema_expr(s, r);
	}
	if (!l->type || !r->type)
		return NULL;
	if (sema_fold_typeinfo_compare(s, e) || load_text_compare(s, e))
		return e->type;
	if (l->is_const && (r->is_const || is_logical(op)) && sema_fold_binary(s, e))
		return e->type;
	t = sema_binary_type(s, e->span, op, l->type, r->type);
	if (!t)
		return NULL;
	warn_of_sign(s, e);
	e->u.binary.warning = sema_warn_of_division(s, e->span, op, r);
	return t;
}

/* &$x, &@m[k] (null without such an element), &@m (the map itself, for functions of the kernel) */
static struct type *address_of(struct sema *s, struct ast_expr *x)
{
	struct type *t;

	if (x->kind == AST_MAP && !x->u.map.key) {
		t = sema_map_whole(s, x)->value;
		sema_map_work(s, x->u.map.decl)->read = true;
		x->type = t;
	} else {
		t = sema_expr(s, x);
	}
	if (t && type_is_aggregation(t) && x->u.map.key) {
		sema_error(s, x->span,
			   "A value of type %s has no address: each processor has its own",
			   sema_tn(s, t));
		return NULL;
	}
	return t ? type_pointer(s->types, t, SPACE_KERNEL) : NULL;
}

struct type *sema_type_unary(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = e->u.unary.e;
	enum ast_unary_op op = e->u.unary.op;
	struct type *t;

	if (op == AST_ADDROF)
		return address_of(s, x);
	t = sema_expr(s, x);
	if (!t)
		return NULL;
	if (x->is_const && sema_fold_unary(s, e))
		return e->type;
	if (op == AST_LNOT &&
	    (sema_is_number(t) || t->kind == IMAGE_K_BOOL || t->kind == IMAGE_K_POINTER))
		return type_simple(s->types, IMAGE_K_BOOL);
	if (op == AST_DEREF && t->kind == IMAGE_K_STRUCT && t->is_ctx)
		return t;
	if (op == AST_DEREF && t->kind == IMAGE_K_POINTER && t->elem &&
	    !type_is_aggregation(t->elem))
		return sema_in_space(s, t->elem, t->space);
	if (op == AST_DEREF && sema_is_number(t))
		return type_int(s->types, 8, false);
	if ((op == AST_NEG || op == AST_BNOT) && sema_is_number(t))
		return type_int(s->types, 8, t->is_signed);
	sema_error(s, e->span, "The %s operator can not be used on expressions of type '%s'",
		   ast_unary_op_text(op), sema_tn(s, t));
	return NULL;
}

/* ---- conditions --------------------------------------------------------- */

bool sema_condition(struct sema *s, struct ast_expr *cond, struct span at)
{
	struct type *t = cond->type;

	if (!t)
		return false;
	if (sema_is_number(t) || t->kind == IMAGE_K_BOOL || t->kind == IMAGE_K_POINTER)
		return true;
	if (t->kind == IMAGE_K_STRING && cond->is_const) {
		/* Known, so what it is made of does not matter any more. */
		sema_set_int(cond, type_simple(s->types, IMAGE_K_BOOL), sema_const_true(cond));
		cond->const_str = NULL;
		return true;
	}
	sema_error(s, at, "Invalid condition: %s", sema_kind_word(t));
	return false;
}

static void copy_constant(struct ast_expr *to, const struct ast_expr *from)
{
	to->is_const = from->is_const;
	to->const_int = from->const_int;
	to->const_str = from->const_str;
}

/* The type that both branches have, or NULL. */
static struct type *branches_type(struct sema *s, struct ast_expr *e, struct type *then,
				  struct type *other)
{
	struct type *t;

	if (!then || !other)
		return then ? then : other;
	t = sema_join(s, sema_castable(then) ? sema_number_of(s, then) : then, other);
	if (!t)
		sema_error(s, e->span,
			   "Branches must return the same type or compatible types: have '%s' "
			   "and '%s'",
			   sema_tn(s, then), sema_tn(s, other));
	return t;
}

/* The condition is known: in the last pass the branch taken stands for the whole. */
static struct type *take_branch(struct sema *s, struct ast_expr *e, const struct ast_expr *taken,
				struct type *both)
{
	struct ast_expr copy;

	if (taken->is_const && taken->type->kind != IMAGE_K_PROBE) {
		copy_constant(e, taken);
		return both;
	}
	if (!s->report)
		return both;
	copy = *taken;
	*e = copy;
	return e->type;
}

/*
 * field_exists(...) ? a.b : c.d in a portable image: a field that this kernel does not have is
 * of the type of the other arm, which is there for kernels that have not that one.
 */
static void type_foreign(struct sema *s, struct ast_expr *then, struct ast_expr *other)
{
	type_arm(s, then, false);
	type_arm(s, other, false);
	if (then->type && !other->type)
		sema_type_foreign_field(s, other, then->type);
	else if (other->type && !then->type)
		sema_type_foreign_field(s, then, other->type);
}

/* Its type is known, but not from a description of it. */
static bool is_foreign(const struct ast_expr *e)
{
	return e->kind == AST_FIELD && e->type && e->u.field.resolved &&
	       e->u.field.resolved->foreign;
}

struct type *sema_type_ternary(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *cond = e->u.ternary.cond;
	struct ast_expr *then = e->u.ternary.then ? e->u.ternary.then : cond;
	struct ast_expr *other = e->u.ternary.otherwise, *taken, whole;
	bool known, truth;
	struct type *t;

	sema_expr(s, cond);
	known = cond->type && cond->is_const;
	truth = known && sema_const_true(cond);
	if (s->opts->portable && then != cond && !known && sema_asks_kernel(cond))
		type_foreign(s, then, other);
	if (then != cond && !is_foreign(then))
		type_arm(s, then, !known || truth);
	if (!is_foreign(other))
		type_arm(s, other, !known || !truth);
	whole = *cond; /* the check may turn a constant string into its truth */
	if (cond->type && !sema_condition(s, cond, e->span))
		return NULL;
	if (then == cond)
		then = &whole;
	taken = truth ? then : other;
	t = branches_type(s, e, then->type, other->type);
	if (!t || !known || !taken->type)
		return t;
	return take_branch(s, e, taken, t);
}

/* ---- casts -------------------------------------------------------------- */

static struct type *no_cast(struct sema *s, struct ast_expr *e, struct type *from, struct type *to)
{
	sema_error(s, e->span, "Cannot cast from \"%s\" to \"%s\"", sema_tn(s, from),
		   sema_tn(s, to));
	return NULL;
}

static bool scalar(const struct type *t)
{
	return sema_int_like(t) || t->kind == IMAGE_K_POINTER;
}

static bool is_constant_of(const struct type *t, uint64_t v)
{
	for (size_t i = 0; i < t->enumerators.len; i++)
		if (sema_truncated(t->enumerators.items[i].value, t) == sema_truncated(v, t))
			return true;
	return !t->enumerators.len;
}

static struct type *cast_to_number(struct sema *s, struct ast_expr *e, struct type *from,
				   struct type *to)
{
	struct ast_expr *x = e->u.cast.e;
	bool bytes = from->kind == IMAGE_K_ARRAY && from->size == to->size;
	bool text = to->kind == IMAGE_K_BOOL && from->kind == IMAGE_K_STRING;

	if (!scalar(from) && !bytes && !text)
		return no_cast(s, e, from, to);
	if (to->kind == IMAGE_K_ENUM && sema_is_literal(s, x) &&
	    !is_constant_of(to, x->const_int)) {
		sema_error(s, e->span, "Enum: %s doesn't contain a variant value of %lld",
			   to->name ? to->name : "", (long long)x->const_int);
		return NULL;
	}
	if (x->is_const && from->kind != IMAGE_K_PROBE) {
		uint64_t v = to->kind == IMAGE_K_BOOL ? sema_const_true(x)
						      : sema_truncated(x->const_int, to);

		sema_set_int(e, to, v);
	}
	return to;
}

/* int8[8] of a number or of another array, int8[] taking its count from what is cast. */
static struct type *cast_to_array(struct sema *s, struct ast_expr *e, struct type *from,
				  struct type *to)
{
	struct type *elem = to->elem;

	if (elem->kind != IMAGE_K_INT && elem->kind != IMAGE_K_BOOL)
		return no_cast(s, e, from, to);
	if (!to->count) {
		if (!elem->size || from->size % elem->size) {
			sema_error(s, e->span,
				   "Cannot determine array size: the element size is "
				   "incompatible with the cast integer size");
			return NULL;
		}
		to = type_array(s->types, elem, from->size / elem->size);
	}
	if (sema_is_number(from) &&
	    (to->size == from->size || (to->size <= 8 && to->size > from->size)))
		return to;
	if ((from->kind == IMAGE_K_BOOL || from->kind == IMAGE_K_STRING) && to->size == from->size)
		return to;
	return no_cast(s, e, from, to);
}

static struct type *cast_to_pointer(struct sema *s, struct ast_expr *e, struct type *from,
				    struct type *to)
{
	enum type_space space = sema_default_space(s);

	if (!scalar(from) && from->kind != IMAGE_K_ARRAY)
		return no_cast(s, e, from, to);
	if (from->kind == IMAGE_K_ARRAY && from->size != 8)
		return no_cast(s, e, from, to);
	if (from->kind == IMAGE_K_POINTER && from->space != SPACE_NONE)
		space = from->space;
	if (e->u.cast.e->is_const && from->kind != IMAGE_K_PROBE) {
		e->is_const = true;
		e->const_int = e->u.cast.e->const_int;
	}
	return type_pointer(s->types, to->elem, space);
}

struct type *sema_type_cast(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = e->u.cast.e;
	struct type *from = sema_expr(s, x), *to = sema_written_type(s, e->u.cast.type);

	if (!from || !to)
		return NULL;
	if (from->kind == IMAGE_K_STRUCT || from->kind == IMAGE_K_UNION) {
		sema_error(s, e->span, "Cannot cast from C type \"%s\"", sema_tn(s, from));
		return NULL;
	}
	if (from->kind == IMAGE_K_VOID) {
		sema_error(s, e->span, "Cannot cast from \"%s\" type", sema_tn(s, from));
		return NULL;
	}
	if (!x->is_const && to->kind == IMAGE_K_INT && from->kind == IMAGE_K_INT &&
	    type_equal(from, to))
		sema_warning(s, e->span, "Unnecessary cast: expression is already of type %s",
			     sema_tn(s, from));
	switch (to->kind) {
	case IMAGE_K_INT:
	case IMAGE_K_BOOL:
	case IMAGE_K_ENUM:
		return cast_to_number(s, e, from, to);
	case IMAGE_K_POINTER:
		return cast_to_pointer(s, e, from, to);
	case IMAGE_K_ARRAY:
		return cast_to_array(s, e, from, to);
	case IMAGE_K_STRING:
		if (from->kind != IMAGE_K_STRING || (to->size && to->size < from->size))
			return no_cast(s, e, from, to);
		copy_constant(e, x);
		return to->size ? to : from;
	default:
		return no_cast(s, e, from, to);
	}
}
