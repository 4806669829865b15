/* SPDX-License-Identifier: Apache-2.0 */
/* Building expressions: one node each. */
#include "parse_internal.h"

#include <stdlib.h>
#include <string.h>

struct span span_join(struct span a, struct span b)
{
	if (b.begin < a.begin)
		a.begin = b.begin;
	if (b.end > a.end)
		a.end = b.end;
	return a;
}

struct span span_first_line(const struct parser *p, struct span at)
{
	const char *text = p->diags->sources.items[p->src].text;
	const char *nl = memchr(text + at.begin, '\n', at.end - at.begin);

	if (nl)
		at.end = (uint32_t)(nl - text);
	return at;
}

struct ast_expr *build_expr(struct parser *p, enum ast_expr_kind kind, struct span at)
{
	struct ast_expr *e = arena_new_of(p->arena, struct ast_expr);

	e->kind = kind;
	e->span = at;
	e->depth = 1;
	return e;
}

void build_depth(struct parser *p, uint32_t *depth, uint32_t child, struct span at)
{
	if (child + 1 > *depth)
		*depth = child + 1;
	if (*depth <= AST_MAX_DEPTH || p->aborted)
		return;
	build_error(p, at, "syntax: nested too deeply, at most %u levels are allowed",
		    AST_MAX_DEPTH);
	p->aborted = true;
}

/* @child may be NULL. */
static void over(struct parser *p, struct ast_expr *e, const struct ast_expr *child)
{
	if (child)
		build_depth(p, &e->depth, child->depth, e->span);
}

static void over_type(struct parser *p, struct ast_expr *e, const struct ast_type *t)
{
	for (; t; t = t->typeof_type)
		over(p, e, t->typeof_expr);
}

struct ast_expr *build_int(struct parser *p, struct span at, const struct token *t)
{
	struct ast_expr *e = build_expr(p, AST_INT, at);
	struct literal_int i;
	const char *error = literal_int(p->arena, t->text, &i);

	if (error)
		build_error(p, at, "syntax: %s", error);
	e->u.integer.value = i.value;
	e->u.integer.is_unsigned = i.value > INT64_MAX;
	e->u.integer.duration = i.duration;
	return e;
}

struct ast_expr *build_string(struct parser *p, struct span at, const struct token *t)
{
	struct ast_expr *e = build_expr(p, AST_STRING, at);

	e->u.string.text = t->text;
	e->u.string.len = t->len;
	return e;
}

struct ast_expr *build_bool(struct parser *p, struct span at, bool value)
{
	struct ast_expr *e = build_expr(p, AST_BOOL, at);

	e->u.integer.value = value;
	return e;
}

struct ast_expr *build_param(struct parser *p, struct span at, const struct token *t)
{
	struct ast_expr *e = build_expr(p, AST_POSITIONAL, at);
	uint64_t n = 0;
	bool good = true;

	for (const char *s = t->text; *s; s++)
		good = good && *s >= '0' && *s <= '9' && !__builtin_mul_overflow(n, 10, &n) &&
		       !__builtin_add_overflow(n, (uint64_t)(*s - '0'), &n);
	if (!good || !n || n > INT64_MAX)
		build_error(p, at,
			    "syntax: param $%s is out of integer range [1, 9223372036854775807]",
			    t->text);
	e->u.integer.value = n;
	return e;
}

struct ast_expr *build_var(struct parser *p, struct span at, const struct token *t)
{
	struct ast_expr *e = build_expr(p, AST_VAR, at);

	e->u.var.name = t->text;
	return e;
}

struct ast_expr *build_ident(struct parser *p, struct span at, const struct token *t)
{
	struct ast_expr *e = build_expr(p, AST_IDENT, at);

	e->u.ident.name = t->text;
	return e;
}

struct ast_expr *build_map(struct parser *p, struct span at, const struct token *t,
			   struct span keys_at, struct expr_list *keys)
{
	struct ast_expr *e = build_expr(p, AST_MAP, at);

	e->u.map.name = t->text;
	if (!keys)
		return e;
	e->u.map.key =
		keys->v.len == 1 ? keys->v.items[0] : build_tuple(p, keys_at, AST_TUPLE, keys);
	over(p, e, e->u.map.key);
	return e;
}

struct ast_expr *build_call(struct parser *p, struct span at, const struct token *name, bool bang,
			    struct expr_list *args)
{
	struct ast_expr *e = build_expr(p, AST_CALL, at);

	e->u.call.name = name->text;
	e->u.call.macro_bang = bang;
	if (!args)
		return e;
	VEC_MOVE(&e->u.call.args, &args->v);
	for (size_t i = 0; i < args->v.len; i++)
		over(p, e, args->v.items[i]);
	return e;
}

struct ast_expr *build_unary(struct parser *p, struct span at, enum ast_unary_op op,
			     struct ast_expr *e)
{
	struct ast_expr *u = build_expr(p, AST_UNARY, at);

	if (op == AST_ADDROF && e->kind != AST_VAR && e->kind != AST_MAP)
		build_error(
			p, e->span,
			"syntax: address-of operator (&) can only be used on a map or variable");
	u->u.unary.op = op;
	u->u.unary.e = e;
	over(p, u, e);
	return u;
}

struct ast_expr *build_incdec(struct parser *p, struct span at, struct span op_at, bool decrement,
			      bool prefix, struct ast_expr *e)
{
	struct ast_expr *u = build_expr(p, AST_INCDEC, at);

	if (e->kind != AST_VAR && e->kind != AST_MAP)
		build_error(p, prefix ? e->span : op_at,
			    "syntax: increment/decrement requires a variable or map");
	u->u.incdec.decrement = decrement;
	u->u.incdec.prefix = prefix;
	u->u.incdec.e = e;
	over(p, u, e);
	return u;
}

struct ast_expr *build_binary(struct parser *p, struct span op_at, enum ast_binary_op op,
			      struct ast_expr *l, struct ast_expr *r)
{
	struct ast_expr *e = build_expr(p, AST_BINARY, span_join(l->span, r->span));

	e->u.binary.op = op;
	e->u.binary.op_span = op_at;
	e->u.binary.l = l;
	e->u.binary.r = r;
	over(p, e, l);
	over(p, e, r);
	return e;
}

struct ast_expr *build_ternary(struct parser *p, struct span at, struct ast_expr *cond,
			       struct ast_expr *then, struct ast_expr *otherwise)
{
	struct ast_expr *e = build_expr(p, AST_TERNARY, at);

	e->u.ternary.cond = cond;
	e->u.ternary.then = then;
	e->u.ternary.otherwise = otherwise;
	over(p, e, cond);
	over(p, e, then);
	over(p, e, otherwise);
	return e;
}

struct ast_expr *build_field(struct parser *p, struct span at, struct ast_expr *e,
			     struct span name_at, const struct token *name, bool arrow)
{
	struct ast_expr *f = build_expr(p, AST_FIELD, at);

	f->u.field.e = e;
	f->u.field.name = name->text;
	f->u.field.name_span = name_at;
	f->u.field.arrow = arrow;
	over(p, f, e);
	return f;
}

struct ast_expr *build_tuple_field(struct parser *p, struct span at, struct ast_expr *e,
				   struct span index_at, const struct token *index)
{
	struct ast_expr *f = build_expr(p, AST_TUPLE_FIELD, at);
	struct literal_int i;
	const char *error = literal_int(p->arena, index->text, &i);

	if (error)
		build_error(p, index_at, "syntax: %s", error);
	else if (i.value > INT32_MAX)
		build_error(p, index_at, "syntax: tuple index out of range: %s", index->text);
	f->u.tuple_field.e = e;
	f->u.tuple_field.index = (uint32_t)i.value;
	over(p, f, e);
	return f;
}

struct ast_expr *build_index(struct parser *p, struct span at, struct ast_expr *e,
			     struct ast_expr *i)
{
	struct ast_expr *x = build_expr(p, AST_INDEX, at);

	x->u.index.e = e;
	x->u.index.i = i;
	over(p, x, e);
	over(p, x, i);
	return x;
}

struct ast_expr *build_cast(struct parser *p, struct span at, struct ast_type *type,
			    struct ast_expr *e)
{
	struct ast_expr *c = build_expr(p, AST_CAST, at);

	c->u.cast.type = type;
	c->u.cast.e = e;
	over(p, c, e);
	over_type(p, c, type);
	return c;
}

struct ast_expr *build_tuple(struct parser *p, struct span at, enum ast_expr_kind kind,
			     struct expr_list *elems)
{
	struct ast_expr *e = build_expr(p, kind, at);

	if (!elems)
		return e;
	VEC_MOVE(&e->u.tuple.elems, &elems->v);
	VEC_MOVE(&e->u.tuple.names, &elems->names);
	for (size_t i = 0; i < elems->v.len; i++)
		over(p, e, elems->v.items[i]);
	return e;
}

struct ast_expr *build_typed(struct parser *p, struct span at, enum ast_expr_kind kind,
			     struct ast_type *type, struct ast_expr *e)
{
	struct ast_expr *s = build_expr(p, kind, at);

	s->u.sizeof_.type = type;
	s->u.sizeof_.e = e;
	over(p, s, e);
	over_type(p, s, type);
	return s;
}

struct ast_expr *build_offsetof(struct parser *p, struct span at, struct ast_type *type,
				struct ast_expr *e, struct name_list *path)
{
	struct ast_expr *o = build_expr(p, AST_OFFSETOF, at);

	o->u.offsetof_.type = type;
	o->u.offsetof_.e = e;
	VEC_MOVE(&o->u.offsetof_.path, &path->v);
	over(p, o, e);
	over_type(p, o, type);
	return o;
}

/* ---- lists and types ---------------------------------------------------------- */

struct expr_list *build_expr_list(struct parser *p, struct expr_list *list, struct ast_expr *e)
{
	if (!list)
		list = arena_new_of(p->arena, struct expr_list);
	vec_push(p->arena, &list->v, e);
	return list;
}

struct expr_list *build_record_field(struct parser *p, struct expr_list *list, struct span at,
				     const struct token *name, struct ast_expr *e)
{
	list = build_expr_list(p, list, e);
	for (size_t i = 0; i < list->names.len; i++) {
		if (strcmp(list->names.items[i], name->text))
			continue;
		build_error(p, at, "syntax: Named argument list already contains name: %s",
			    name->text);
		break;
	}
	vec_push(p->arena, &list->names, name->text);
	return list;
}

struct name_list *build_name_list(struct parser *p, struct name_list *list, const struct token *t)
{
	if (!list)
		list = arena_new_of(p->arena, struct name_list);
	vec_push(p->arena, &list->v, t->text);
	return list;
}

struct ast_type *build_type(struct parser *p, struct span at, const char *tag,
			    const struct token *name)
{
	struct ast_type *t = arena_new_of(p->arena, struct ast_type);

	t->span = at;
	t->tag = tag;
	t->name = name->text;
	return t;
}

struct ast_type *build_typeof(struct parser *p, struct span at, struct ast_type *type,
			      struct ast_expr *e)
{
	struct ast_type *t = arena_new_of(p->arena, struct ast_type);

	t->span = at;
	t->typeof_type = type;
	t->typeof_expr = e;
	return t;
}

void build_type_suffix(struct parser *p, struct ast_type *t, struct span at,
		       enum ast_type_suffix_kind kind, const struct token *count)
{
	struct ast_type_suffix s = {.kind = kind, .count = kind == AST_SUFFIX_ARRAY ? -1 : 0};
	struct literal_int i;

	t->span = at;
	if (count) {
		struct span count_at = {p->src, count->begin, count->end};
		const char *error = literal_int(p->arena, count->text, &i);

		if (!error && i.value > INT32_MAX)
			error = arena_printf(p->arena, "array size out of range: %s", count->text);
		if (error)
			build_error(p, count_at, "syntax: %s", error);
		s.count = error ? 0 : (int64_t)i.value;
	}
	if (t->suffixes.len == AST_MAX_SUFFIXES) {
		build_error(p, at, "syntax: a type has at most %d suffixes", AST_MAX_SUFFIXES);
		return;
	}
	vec_push(p->arena, &t->suffixes, s);
}
