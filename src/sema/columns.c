/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of rows(), cycles() and their like: expressions over a map's key, the values of maps
 * at that key and what the event knew, computed when they are shown. Here they become
 * operations in postfix (src/image/ops.def).
 */
#include <string.h>

#include "internal.h"

struct emitter {
	struct sema *s;
	struct sema_table *table;
	struct sema_column *column;
	bool ok;
};

/* ---- whether an expression is about the row -------------------------------- */

struct search {
	bool found;
	unsigned depth;
};

static void look_at(struct ast_expr *e, void *arg)
{
	struct search *f = arg;
	struct ast_visitor v = {.expr = look_at, .arg = f};

	f->found |= e->kind == AST_MAP && !e->u.map.key;
	f->found |= e->kind == AST_IDENT && !strcmp(e->u.ident.name, "key");
	if (f->found || f->depth > AST_MAX_DEPTH)
		return;
	f->depth++;
	if (e->kind == AST_BLOCK_EXPR && e->u.block->value)
		look_at(e->u.block->value, f);
	else
		ast_visit_expr(e, &v);
	f->depth--;
}

bool sema_of_row(struct ast_expr *e)
{
	struct search f = {0};

	look_at(e, &f);
	return f.found;
}

/* ---- what they are made of -------------------------------------------------- */

/* A part of the key or of a value: where it begins, and what it is. */
struct place {
	enum image_op_code code;
	struct sema_map *map; /* VALUE */
	struct type *type;
	uint32_t offset;
};

/* Shown as a name or a date, stored as a number; see image_is_number(). */
static bool is_word(const struct type *t)
{
	return sema_int_like(t) || t->kind == IMAGE_K_POINTER || t->kind == IMAGE_K_KSYM ||
	       t->kind == IMAGE_K_USERNAME || t->kind == IMAGE_K_TIMESTAMP ||
	       t->kind == IMAGE_K_CGROUP_PATH || t->kind == IMAGE_K_DISK;
}

static void fail(struct emitter *em, struct ast_expr *e, const char *what)
{
	if (em->ok)
		sema_error(em->s, e->span, "%s cannot be computed when rows are shown", what);
	em->ok = false;
}

static void add(struct emitter *em, struct sema_op op)
{
	vec_push(em->s->arena, &em->column->ops, op);
}

static void add_code(struct emitter *em, enum image_op_code code, bool is_signed)
{
	add(em, (struct sema_op){.code = code, .part = is_signed});
}

static bool is_bare_map(const struct ast_expr *e)
{
	return e->kind == AST_MAP && !e->u.map.key;
}

static bool find_place(struct emitter *em, struct ast_expr *e, struct place *p)
{
	if (e->kind == AST_BLOCK_EXPR && !e->u.block->stmts.len && e->u.block->value)
		return find_place(em, e->u.block->value, p);
	if (e->kind == AST_IDENT) {
		*p = (struct place){.code = IMAGE_OP_KEY, .type = e->type};
		return true;
	}
	if (is_bare_map(e)) {
		*p = (struct place){IMAGE_OP_VALUE, e->u.map.decl, e->u.map.decl->value, 0};
		return !type_is_aggregation(p->type);
	}
	if (e->kind == AST_TUPLE_FIELD && find_place(em, e->u.tuple_field.e, p))
		p->offset += p->type->fields.items[e->u.tuple_field.index].offset;
	else if (e->kind == AST_FIELD && find_place(em, e->u.field.e, p) && e->u.field.resolved &&
		 !e->u.field.resolved->bit_size && p->type->kind != IMAGE_K_POINTER)
		p->offset += e->u.field.resolved->offset;
	else if (e->kind == AST_INDEX && e->u.index.i->is_const &&
		 find_place(em, e->u.index.e, p) && p->type->kind == IMAGE_K_ARRAY)
		p->offset += (uint32_t)e->u.index.i->const_int * p->type->elem->size;
	else
		return false;
	p->type = e->type;
	return true;
}

/* ---- parts of aggregations ---------------------------------------------------- */

static const char *const part_names[IMAGE_NPARTS] = {
	[IMAGE_PART_COUNT] = "count",
	[IMAGE_PART_TOTAL] = "total",
	[IMAGE_PART_AVERAGE] = "average",
};

static bool has_parts(const struct type *t)
{
	return t && (t->kind == IMAGE_K_STATS || t->kind == IMAGE_K_AVG);
}

static unsigned find_part(const char *name)
{
	unsigned i = IMAGE_PART_COUNT;

	while (i < IMAGE_NPARTS && strcmp(part_names[i], name))
		i++;
	return i;
}

bool sema_is_row_part(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = e->u.field.e;

	return s->row && is_bare_map(x) &&
	       has_parts(sema_map_get(s, x->u.map.name, x->span)->value);
}

struct type *sema_row_part(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = e->u.field.e;
	unsigned part = find_part(e->u.field.name);

	if (!sema_row_map(s, x))
		return NULL;
	if (part < IMAGE_NPARTS)
		return type_int(s->types, 8,
				part != IMAGE_PART_COUNT && x->u.map.decl->value->is_signed);
	sema_error(s, e->span, "%s has no part '%s': it has count, average and total",
		   sema_tn(s, x->u.map.decl->value), e->u.field.name);
	return NULL;
}

/* ---- expressions -------------------------------------------------------------- */

static void emit(struct emitter *em, struct ast_expr *e);

static const struct {
	enum ast_binary_op ast;
	enum image_op_code code;
} binary_codes[] = {
	{AST_ADD, IMAGE_OP_ADD}, {AST_SUB, IMAGE_OP_SUB},   {AST_MUL, IMAGE_OP_MUL},
	{AST_DIV, IMAGE_OP_DIV}, {AST_MOD, IMAGE_OP_MOD},   {AST_BAND, IMAGE_OP_BAND},
	{AST_BOR, IMAGE_OP_BOR}, {AST_BXOR, IMAGE_OP_BXOR}, {AST_SHL, IMAGE_OP_SHL},
	{AST_SHR, IMAGE_OP_SHR}, {AST_EQ, IMAGE_OP_EQ},     {AST_NE, IMAGE_OP_NE},
	{AST_LT, IMAGE_OP_LT},   {AST_LE, IMAGE_OP_LE},     {AST_GT, IMAGE_OP_GT},
	{AST_GE, IMAGE_OP_GE},
};

/* Mixed signs are compared and divided as signed numbers; a literal takes the other's sign. */
static bool is_signed(const struct ast_expr *e)
{
	const struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;

	if (l->type->is_literal && (int64_t)l->const_int >= 0)
		return r->type->is_signed;
	if (r->type->is_literal && (int64_t)r->const_int >= 0)
		return l->type->is_signed;
	return l->type->is_signed || r->type->is_signed;
}

static void emit_truth(struct emitter *em, struct ast_expr *e)
{
	emit(em, e);
	add_code(em, IMAGE_OP_NOT, false);
	add_code(em, IMAGE_OP_NOT, false);
}

static void emit_binary(struct emitter *em, struct ast_expr *e)
{
	enum ast_binary_op op = e->u.binary.op;
	struct ast_expr *l = e->u.binary.l, *r = e->u.binary.r;

	if (op == AST_LAND || op == AST_LOR) {
		emit_truth(em, l);
		emit_truth(em, r);
		add_code(em, op == AST_LAND ? IMAGE_OP_BAND : IMAGE_OP_BOR, false);
		return;
	}
	emit(em, l);
	emit(em, r);
	if (!is_word(l->type)) {
		add_code(em, IMAGE_OP_SAME, false);
		if (op == AST_NE)
			add_code(em, IMAGE_OP_NOT, false);
		return;
	}
	for (size_t i = 0; i < sizeof(binary_codes) / sizeof(binary_codes[0]); i++)
		if (binary_codes[i].ast == op)
			add_code(em, binary_codes[i].code, is_signed(e));
}

static void emit_unary(struct emitter *em, struct ast_expr *e)
{
	static const enum image_op_code codes[] = {
		[AST_NEG] = IMAGE_OP_NEG,
		[AST_LNOT] = IMAGE_OP_NOT,
		[AST_BNOT] = IMAGE_OP_BNOT,
	};

	if (e->u.unary.op > AST_BNOT) {
		fail(em, e, "What lies in memory");
		return;
	}
	emit(em, e->u.unary.e);
	add_code(em, codes[e->u.unary.op], false);
}

static void emit_ternary(struct emitter *em, struct ast_expr *e)
{
	emit(em, e->u.ternary.cond);
	emit(em, e->u.ternary.then ? e->u.ternary.then : e->u.ternary.cond);
	emit(em, e->u.ternary.otherwise);
	add_code(em, IMAGE_OP_SELECT, false);
}

static void emit_cast(struct emitter *em, struct ast_expr *e)
{
	if (e->type->kind == IMAGE_K_BOOL && is_word(e->u.cast.e->type)) {
		emit_truth(em, e->u.cast.e);
		return;
	}
	if (!sema_is_number(e->type) || !is_word(e->u.cast.e->type)) {
		fail(em, e, "This cast");
		return;
	}
	emit(em, e->u.cast.e);
	add(em, (struct sema_op){
			.code = IMAGE_OP_CAST, .part = e->type->is_signed, .value = e->type->size});
}

/* Functions that only say what a number is shown as. */
static void emit_call(struct emitter *em, struct ast_expr *e)
{
	static const struct {
		enum builtin_id id;
		size_t number;
	} shown_as[] = {
		{BUILTIN_STRFTIME, 1},
		{BUILTIN_CGROUP_PATH, 0},
		{BUILTIN_KSYM, 0},
		{BUILTIN_DISK_NAME, 0},
	};

	for (size_t i = 0; i < sizeof(shown_as) / sizeof(shown_as[0]); i++) {
		if (e->u.call.builtin->id != shown_as[i].id)
			continue;
		emit(em, sema_arg(e, shown_as[i].number));
		return;
	}
	fail(em, e, arena_printf(em->s->arena, "%s()", e->u.call.name));
}

/* Computed at the event, and sent along. */
static void emit_sent(struct emitter *em, struct ast_expr *e)
{
	struct sema_op op = {.code = IMAGE_OP_SENT, .type = sema_payload_type(em->s, e->type)};

	if (!op.type) {
		fail(em, e,
		     arena_printf(em->s->arena, "A value of type %s", sema_tn(em->s, e->type)));
		return;
	}
	op.value = (int64_t)em->table->sent.len; /* its offset is known when all are */
	vec_push(em->s->arena, &em->table->sent, e);
	add(em, op);
}

static void emit_const(struct emitter *em, struct ast_expr *e)
{
	if (e->const_str)
		add(em,
		    (struct sema_op){.code = IMAGE_OP_TEXT,
				     .type = type_string(em->s->types, strlen(e->const_str) + 1),
				     .text = e->const_str});
	else
		add(em, (struct sema_op){.code = IMAGE_OP_CONST, .value = (int64_t)e->const_int});
}

typedef void emit_fn(struct emitter *em, struct ast_expr *e);

static emit_fn *const emitters[] = {
	[AST_BINARY] = emit_binary, [AST_UNARY] = emit_unary, [AST_TERNARY] = emit_ternary,
	[AST_CAST] = emit_cast,     [AST_CALL] = emit_call,
};
#define NEMITTERS (sizeof(emitters) / sizeof(emitters[0]))

/* A map's merged number, or a part of it. */
static bool emit_merged(struct emitter *em, struct ast_expr *e)
{
	struct ast_expr *x = e->kind == AST_FIELD ? e->u.field.e : e;
	struct sema_op op = {.code = IMAGE_OP_NUMBER};

	if (!is_bare_map(x) || !type_is_aggregation(x->u.map.decl->value))
		return false;
	if (x != e)
		op.part = find_part(e->u.field.name);
	op.map = x->u.map.decl;
	if (x == e && !sema_castable(op.map->value)) {
		sema_error(em->s, e->span,
			   has_parts(op.map->value)
				   ? "%s is several numbers: write @%s.count, @%s.average or "
				     "@%s.total"
				   : "%s is no number that could stand in a row (@%s)",
			   sema_tn(em->s, op.map->value), op.map->name, op.map->name, op.map->name);
		em->ok = false;
	}
	add(em, op);
	return true;
}

static void emit(struct emitter *em, struct ast_expr *e)
{
	struct place p;

	if (!em->ok)
		return;
	if (e->kind == AST_BLOCK_EXPR && !e->u.block->stmts.len && e->u.block->value)
		e = e->u.block->value;
	if (e->is_const && e->type->kind != IMAGE_K_PROBE)
		emit_const(em, e);
	else if (!sema_of_row(e))
		emit_sent(em, e);
	else if (emit_merged(em, e))
		return;
	else if (find_place(em, e, &p))
		add(em, (struct sema_op){
				.code = p.code, .map = p.map, .type = p.type, .offset = p.offset});
	else if (e->kind < NEMITTERS && emitters[e->kind])
		emitters[e->kind](em, e);
	else if (e->kind == AST_MAP)
		fail(em, e,
		     arena_printf(em->s->arena,
				  "@%s at a key of its own (@%s alone is its value at the "
				  "row's key)",
				  e->u.map.name, e->u.map.name));
	else
		fail(em, e, "This");
}

static bool too_deep(const struct sema_column *c)
{
	static const int pops[IMAGE_NOPS] = {
#define OP(id, name, pops, check, eval) [IMAGE_OP_##id] = (pops),
#include "image/ops.def"
#undef OP
	};
	int depth = 0;

	for (size_t i = 0; i < c->ops.len; i++) {
		depth += 1 - pops[c->ops.items[i].code];
		if (depth > IMAGE_OP_STACK)
			return true;
	}
	return false;
}

bool sema_add_column(struct sema *s, struct sema_table *table, struct ast_expr *e,
		     struct type *shown)
{
	struct emitter em = {.s = s, .table = table, .ok = true};

	em.column = arena_new_of(s->arena, struct sema_column);
	em.column->type = shown;
	emit(&em, e);
	if (em.ok && too_deep(em.column)) {
		sema_error(s, e->span, "This is too much for one column");
		em.ok = false;
	}
	vec_push(s->arena, &table->columns, em.column);
	return em.ok;
}

struct type *sema_sent_type(struct sema *s, struct sema_table *table)
{
	size_t n = table->sent.len;
	struct type **elems = arena_alloc(s->arena, (n + 1) * sizeof(*elems)), *t;

	for (size_t i = 0; i < n; i++)
		elems[i] = sema_payload_type(s, table->sent.items[i]->type);
	t = n ? type_tuple(s->types, elems, n) : NULL;
	for (size_t i = 0; i < table->columns.len; i++) {
		struct sema_column *c = table->columns.items[i];

		for (size_t j = 0; j < c->ops.len; j++) {
			struct sema_op *op = &c->ops.items[j];

			if (op->code != IMAGE_OP_SENT)
				continue;
			op->offset = t->fields.items[op->value].offset;
			op->value = 0;
		}
	}
	return t;
}
