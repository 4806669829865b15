/* SPDX-License-Identifier: Apache-2.0 */
/* Types of integers and literals, types joined, types as a script writes them. */
#include <string.h>

#include "internal.h"

static unsigned bytes_for(uint64_t magnitude)
{
	if (magnitude <= INT8_MAX)
		return 0;
	if (magnitude <= INT16_MAX)
		return 1;
	return magnitude <= INT32_MAX ? 2 : 3;
}

/* Positive literals take the smallest signed type and leave the sign open. */
struct type *sema_literal_type(struct sema *s, uint64_t value)
{
	unsigned i = bytes_for(value);

	if (value > INT64_MAX) {
		if (!s->literal_u64)
			s->literal_u64 = type_copy(s->types, type_int(s->types, 8, false));
		return s->literal_u64;
	}
	if (!s->literal[i]) {
		s->literal[i] = type_copy(s->types, type_int(s->types, 1u << i, true));
		s->literal[i]->is_literal = true;
	}
	return s->literal[i];
}

struct type *sema_negative_type(struct sema *s, int64_t value)
{
	unsigned i = bytes_for(~(uint64_t)value);

	if (!s->negative[i])
		s->negative[i] = type_copy(s->types, type_int(s->types, 1u << i, true));
	return s->negative[i];
}

bool sema_is_literal(const struct sema *s, const struct ast_expr *e)
{
	if (!e->is_const || !e->type)
		return false;
	if (e->type == s->literal_u64)
		return true;
	for (unsigned i = 0; i < 4; i++)
		if (e->type == s->literal[i] || e->type == s->negative[i])
			return true;
	return false;
}

bool sema_castable(const struct type *t)
{
	switch (t->kind) {
	case IMAGE_K_COUNT:
	case IMAGE_K_SUM:
	case IMAGE_K_MIN:
	case IMAGE_K_MAX:
	case IMAGE_K_AVG:
		return true;
	default:
		return false;
	}
}

bool sema_is_number(const struct type *t)
{
	return t->kind == IMAGE_K_INT || t->kind == IMAGE_K_ENUM;
}

bool sema_int_like(const struct type *t)
{
	return sema_is_number(t) || t->kind == IMAGE_K_BOOL || sema_castable(t);
}

struct type *sema_number_of(struct sema *s, struct type *agg)
{
	return type_int(s->types, 8, agg->is_signed);
}

bool sema_fits(const struct type *from, const struct type *to)
{
	if (from->is_signed == to->is_signed || from->is_literal)
		return from->size <= to->size;
	return !from->is_signed && from->size < to->size;
}

/* Whether the number e->const_int is one of those that a @to holds. */
bool sema_const_fits(const struct ast_expr *e, const struct type *to)
{
	unsigned bits = 8 * to->size - to->is_signed;

	if (e->type->is_signed && (int64_t)e->const_int < 0)
		return to->is_signed && ~e->const_int >> bits == 0;
	return bits >= 64 || e->const_int >> bits == 0;
}

void sema_warn_of_cast(struct sema *s, struct ast_expr *e, const struct type *to)
{
	if (!e->type || !sema_is_number(e->type) || !sema_is_number(to) || sema_is_literal(s, e) ||
	    sema_fits(e->type, to) ||
	    (e->is_const && e->kind != AST_CAST && sema_const_fits(e, to)))
		return;
	sema_warning(s, e->span,
		     "Expression of type: %s being cast to type: %s. This may cause unexpected "
		     "results. Use an explicit cast to suppress this warning.",
		     sema_tn(s, e->type), sema_tn(s, to));
}

/* ---- joining ------------------------------------------------------------ */

static struct type *int_of(struct sema *s, struct type *like, unsigned size, bool is_signed,
			   bool literal)
{
	if (like->kind == IMAGE_K_INT && like->size == size && like->is_signed == is_signed &&
	    like->is_literal == literal)
		return like;
	if (!literal)
		return type_int(s->types, size, is_signed);
	/* Joined literals stay open in sign; only signed literals are open. */
	return sema_literal_type(s, size == 1   ? INT8_MAX
				    : size == 2 ? INT16_MAX
				    : size == 4 ? INT32_MAX
						: INT64_MAX);
}

static struct type *join_ints(struct sema *s, struct type *a, struct type *b)
{
	unsigned size = a->size > b->size ? a->size : b->size;

	if (a->kind == IMAGE_K_ENUM && b->kind == IMAGE_K_ENUM && a->name && b->name &&
	    !strcmp(a->name, b->name))
		return a;
	if (a->is_signed == b->is_signed)
		return int_of(s, a, size, a->is_signed, a->is_literal && b->is_literal);
	if (a->is_literal || b->is_literal)
		return int_of(s, a, size, a->is_literal ? b->is_signed : a->is_signed, false);
	if (a->is_signed && a->size > b->size)
		return a;
	if (b->is_signed && b->size > a->size)
		return b;
	return int_of(s, a, size < 8 ? size * 2 : 8, true, false);
}

static const struct type_field *named_field(const struct type *t, const char *name)
{
	for (size_t i = 0; i < t->fields.len; i++)
		if (!strcmp(t->fields.items[i].name, name))
			return &t->fields.items[i];
	return NULL;
}

/* Tuples element by element; records by name, in the order of the first. */
static struct type *join_tuples(struct sema *s, struct type *a, struct type *b)
{
	size_t n = a->fields.len;
	struct type **elems = arena_alloc(s->arena, (n + 1) * sizeof(*elems));
	const char **names = arena_alloc(s->arena, (n + 1) * sizeof(*names));
	bool same = true;

	if (n != b->fields.len)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct type_field *fa = &a->fields.items[i], *fb = &b->fields.items[i];

		if (a->kind == IMAGE_K_RECORD)
			fb = named_field(b, fa->name);
		elems[i] = fb ? sema_join(s, fa->type, fb->type) : NULL;
		if (!elems[i])
			return NULL;
		names[i] = fa->name;
		same &= elems[i] == fa->type;
	}
	if (same)
		return a;
	return a->kind == IMAGE_K_RECORD ? type_record(s->types, elems, names, n)
					 : type_tuple(s->types, elems, n);
}

static bool same_name(const struct type *a, const struct type *b)
{
	return a == b || (a->name && b->name && !strcmp(a->name, b->name)) ||
	       (!a->name && !b->name && a->btf_id == b->btf_id && a->btf_id);
}

static bool same_pointee(const struct type *a, const struct type *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->kind != b->kind)
		return false;
	switch (a->kind) {
	case IMAGE_K_STRUCT:
	case IMAGE_K_UNION:
	case IMAGE_K_ENUM:
		return same_name(a, b);
	case IMAGE_K_POINTER:
		return same_pointee(a->elem, b->elem);
	case IMAGE_K_ARRAY:
		return a->count == b->count && same_pointee(a->elem, b->elem);
	default:
		return a->size == b->size && a->is_signed == b->is_signed;
	}
}

/* Of strings of one size, which is shown as cut earlier when it is full. */
static int cut_rank(const struct type *t)
{
	return t->arg[0] ? 2 : t->arg[1] ? 0 : 1;
}

static struct type *join_same_kind(struct sema *s, struct type *a, struct type *b)
{
	switch (a->kind) {
	case IMAGE_K_STRING:
	case IMAGE_K_BUFFER:
		if (a->size == b->size)
			return cut_rank(b) > cut_rank(a) ? b : a;
		return a->size > b->size ? a : b;
	case IMAGE_K_TUPLE:
	case IMAGE_K_RECORD:
		return join_tuples(s, a, b);
	case IMAGE_K_POINTER:
		return same_pointee(a->elem, b->elem) ? a : NULL;
	case IMAGE_K_STRUCT:
	case IMAGE_K_UNION:
		return same_name(a, b) ? a : NULL;
	case IMAGE_K_ARRAY:
		return a->count == b->count && same_pointee(a->elem, b->elem) ? a : NULL;
	default:
		return !memcmp(a->arg, b->arg, sizeof(a->arg)) ? a : NULL;
	}
}

struct type *sema_join(struct sema *s, struct type *a, struct type *b)
{
	if (a == b || !b)
		return a;
	if (!a)
		return b;
	if (sema_castable(b))
		b = sema_number_of(s, b);
	if (sema_is_number(a) && sema_is_number(b))
		return join_ints(s, a, b);
	if (a->kind == b->kind)
		return join_same_kind(s, a, b);
	if ((a->kind == IMAGE_K_PROBE && b->kind == IMAGE_K_STRING) ||
	    (b->kind == IMAGE_K_PROBE && a->kind == IMAGE_K_STRING))
		s->want_probe_strings = true;
	return NULL;
}

/* ---- address spaces ----------------------------------------------------- */

struct type *sema_in_space(struct sema *s, struct type *t, enum type_space space)
{
	struct type *copy;

	if (!t || space == SPACE_NONE || t->space != SPACE_NONE)
		return t;
	switch (t->kind) {
	case IMAGE_K_POINTER:
		return type_pointer(s->types, t->elem, space);
	case IMAGE_K_STRUCT:
	case IMAGE_K_UNION:
		/* The copy needs the fields: the original may be completed only later. */
		type_complete(s->types, t);
		break;
	case IMAGE_K_ARRAY:
	case IMAGE_K_STRING:
		break;
	default:
		return t;
	}
	copy = type_copy(s->types, t);
	copy->space = space;
	return copy;
}

/* What an integer made a pointer points into: what the probe is about. */
enum type_space sema_default_space(const struct sema *s)
{
	if (s->work && s->work->prog->type->flags & PROBE_USER)
		return SPACE_USER;
	return SPACE_KERNEL;
}

/* ---- types as written --------------------------------------------------- */

static const struct {
	const char *name;
	unsigned size;
	bool is_signed;
} int_names[] = {
	{"int8", 1, true},   {"int16", 2, true},   {"int32", 4, true},   {"int64", 8, true},
	{"uint8", 1, false}, {"uint16", 2, false}, {"uint32", 4, false}, {"uint64", 8, false},
};

static const char *const type_names[] = {
	"int8",   "int16",  "int32", "int64", "uint8",  "uint16",
	"uint32", "uint64", "bool",  "void",  "string", NULL,
};

/* Types of the language that nothing here makes yet. */
static const char *const later[] = {
	"buffer",   "inet",   "username_t", "mac_address", "cgroup_path_t", "timestamp", "kstack_t",
	"ustack_t", "ksym_t", "usym_t",     NULL,
};

static struct type *basic_type(struct sema *s, const char *name)
{
	for (size_t i = 0; i < sizeof(int_names) / sizeof(int_names[0]); i++)
		if (!strcmp(name, int_names[i].name))
			return type_int(s->types, int_names[i].size, int_names[i].is_signed);
	if (!strcmp(name, "bool"))
		return type_simple(s->types, IMAGE_K_BOOL);
	if (!strcmp(name, "void"))
		return type_simple(s->types, IMAGE_K_VOID);
	return NULL;
}

static struct type *unknown_type(struct sema *s, struct ast_type *t)
{
	const char *near = t->tag ? NULL : diag_did_you_mean(t->name, type_names);

	for (size_t i = 0; !t->tag && later[i]; i++) {
		if (strcmp(t->name, later[i]))
			continue;
		sema_error(s, t->span, "type %s is not supported yet", t->name);
		return NULL;
	}
	sema_error(s, t->span, "Cannot resolve unknown type \"%s%s%s\"", t->tag ? t->tag : "",
		   t->tag ? " " : "", t->name);
	if (near)
		sema_hint(s, "Did you mean: %s?", near);
	return NULL;
}

/* string, string[64]: the suffix is a capacity, not an array. */
static struct type *string_type(struct sema *s, struct ast_type *t, size_t *suffix)
{
	int64_t n = 0;

	if (t->suffixes.len && t->suffixes.items[0].kind == AST_SUFFIX_ARRAY) {
		n = t->suffixes.items[0].count;
		*suffix = 1;
		if (n < 1 || n > (1 << 20)) {
			sema_error(s, t->span, "Invalid size of a string: %lld", (long long)n);
			return NULL;
		}
	}
	return type_string(s->types, (uint32_t)n);
}

static struct type *innermost(struct sema *s, struct ast_type *t, size_t *suffix)
{
	struct type *found;

	if (t->typeof_expr) {
		s->fold_only++;
		found = sema_expr(s, t->typeof_expr);
		s->fold_only--;
		return found;
	}
	if (t->typeof_type)
		return sema_written_type(s, t->typeof_type);
	if (!t->name)
		return NULL;
	if (!t->tag && !strcmp(t->name, "string"))
		return string_type(s, t, suffix);
	found = t->tag ? NULL : basic_type(s, t->name);
	if (!found)
		found = types_lookup(s->types, t->tag, t->name);
	return found ? found : unknown_type(s, t);
}

struct type *sema_written_type(struct sema *s, struct ast_type *t)
{
	size_t i = 0;
	struct type *type = innermost(s, t, &i);

	for (; type && i < t->suffixes.len; i++) {
		const struct ast_type_suffix *x = &t->suffixes.items[i];

		if (x->kind == AST_SUFFIX_POINTER) {
			type = type_pointer(s->types, type->kind == IMAGE_K_VOID ? NULL : type,
					    SPACE_NONE);
			continue;
		}
		if (x->count > 0 && (uint64_t)x->count > (1u << 20) / (type->size + 1)) {
			sema_error(s, t->span, "Array too large: %lld elements",
				   (long long)x->count);
			return NULL;
		}
		type = type_array(s->types, type, x->count < 0 ? 0 : (uint32_t)x->count);
	}
	return type;
}
