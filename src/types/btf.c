/* SPDX-License-Identifier: Apache-2.0 */
/* Types from the kernel's BTF: made when asked for, structs filled when looked into. */
#include "types/types_internal.h"

#include <bpf/btf.h>
#include <string.h>

#define MAX_MODIFIERS 32 /* BTF of a broken file may go round in circles */

struct btf_view *types_btf(struct types *ts)
{
	return ts->target ? target_btf_view(ts->target) : NULL;
}

static bool is_modifier(const struct btf_type *t)
{
	return btf_is_mod(t) || btf_is_typedef(t);
}

uint32_t btf_skip(const struct btf_view *v, uint32_t id)
{
	const struct btf_type *t;

	for (unsigned i = 0; i < MAX_MODIFIERS; i++) {
		t = btf_view_type(v, id);
		if (!t || !is_modifier(t))
			return id;
		id = t->type;
	}
	return 0;
}

/* Sizes say more about alignment than BTF does; at most too strict. */
static uint32_t natural_align(uint32_t size)
{
	for (uint32_t align = 8; align > 1; align /= 2) {
		if (size && size % align == 0)
			return align;
	}
	return 1;
}

/* Integers wider than a register are shown as arrays. */
struct type *type_sized_int(struct types *ts, uint32_t size, bool is_signed)
{
	if (size == 1 || size == 2 || size == 4 || size == 8)
		return type_int(ts, size, is_signed);
	if (size % 8 == 0)
		return type_array(ts, type_int(ts, 8, false), size / 8);
	return type_array(ts, type_int(ts, 1, false), size);
}

static struct type *make_int(struct types *ts, const struct btf_type *t)
{
	uint8_t encoding = btf_int_encoding(t);

	if (encoding & BTF_INT_BOOL && t->size == 1)
		return type_simple(ts, IMAGE_K_BOOL);
	return type_sized_int(ts, t->size, encoding & BTF_INT_SIGNED);
}

/* An enumerator of either width; its name's offset in *@name_off. */
static uint64_t enum_value(const struct btf_type *t, unsigned i, uint32_t *name_off)
{
	const struct btf_enum64 *e64;
	const struct btf_enum *e;

	if (btf_is_enum64(t)) {
		e64 = btf_enum64(t) + i;
		*name_off = e64->name_off;
		return btf_enum64_value(e64);
	}
	e = btf_enum(t) + i;
	*name_off = e->name_off;
	return btf_kflag(t) ? (uint64_t)(int64_t)e->val : (uint32_t)e->val;
}

static struct type *make_enum(struct types *ts, const struct btf_view *v, const struct btf_type *t)
{
	const char *name = btf_view_str(v, t->name_off);
	uint32_t size = t->size ? t->size : 4;
	struct type *e;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return type_simple(ts, IMAGE_K_VOID);
	e = type_new(ts, IMAGE_K_ENUM, size, size);
	e->name = name;
	/* kind_flag: has negative values */
	e->is_signed = btf_kflag(t);
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		struct type_enumerator en;
		uint32_t name_off;

		en.value = enum_value(t, i, &name_off);
		en.name = btf_view_str(v, name_off);
		vec_push(ts->arena, &e->enumerators, en);
	}
	return e;
}

/* bpftrace shows arrays of single bytes as strings; flexible ones have no size to show. */
static struct type *make_array(struct types *ts, const struct btf_type *t)
{
	const struct btf_array *a = btf_array(t);
	struct type *elem = btf_type_get(ts, a->type);
	uint64_t size = (uint64_t)elem->size * a->nelems;

	if (elem->kind == IMAGE_K_INT && elem->size == 1 && a->nelems)
		return type_chars(ts, a->nelems);
	if (size > UINT32_MAX || elem->kind == IMAGE_K_VOID)
		return type_array(ts, type_int(ts, 1, false), 0);
	return type_array(ts, elem, a->nelems);
}

/* Looks at the tags between a pointer and its type for __user. */
static enum type_space pointee_space(const struct btf_view *v, uint32_t id)
{
	for (unsigned i = 0; i < MAX_MODIFIERS; i++) {
		const struct btf_type *t = btf_view_type(v, id);

		if (!t || !is_modifier(t))
			break;
		if (btf_is_type_tag(t) && !strcmp(btf_view_str(v, t->name_off), "user"))
			return SPACE_USER;
		id = t->type;
	}
	return SPACE_KERNEL;
}

static struct type *make_pointer(struct types *ts, const struct btf_view *v,
				 const struct btf_type *t)
{
	struct type *to = btf_type_get(ts, t->type);

	return type_pointer(ts, to->kind == IMAGE_K_VOID ? NULL : to, pointee_space(v, t->type));
}

static struct type *make_struct(struct types *ts, const struct btf_view *v,
				const struct btf_type *t, uint32_t id)
{
	bool fwd = btf_is_fwd(t), is_union = fwd ? btf_kflag(t) : btf_is_union(t);
	struct type *s =
		type_new(ts, is_union ? IMAGE_K_UNION : IMAGE_K_STRUCT, fwd ? 0 : t->size, 1);

	s->align = natural_align(s->size);
	s->name = btf_view_str(v, t->name_off);
	s->btf_id = fwd ? 0 : id;
	s->incomplete = true;
	s->owner = ts;
	return s;
}

static struct type *make(struct types *ts, const struct btf_view *v, uint32_t id)
{
	const struct btf_type *t = btf_view_type(v, id);

	if (!t)
		return type_simple(ts, IMAGE_K_VOID);
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		return make_int(ts, t);
	case BTF_KIND_FLOAT:
		return type_float(ts, t->size);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return make_enum(ts, v, t);
	case BTF_KIND_ARRAY:
		return make_array(ts, t);
	case BTF_KIND_PTR:
		return make_pointer(ts, v, t);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_FWD:
		return make_struct(ts, v, t, id);
	}
	return type_simple(ts, IMAGE_K_VOID); /* functions */
}

struct type *btf_type_get(struct types *ts, uint32_t id)
{
	struct btf_view *v = types_btf(ts);
	struct type **slot, *t;

	id = btf_skip(v, id);
	slot = type_table_slot(ts, id, TYPE_KEY(KEY_BTF, 0));
	if (*slot)
		return *slot;
	/* a chain of pointers or arrays that comes back to itself ends here */
	*slot = type_simple(ts, IMAGE_K_VOID);
	t = make(ts, v, id);
	/* the table may have grown meanwhile */
	*type_table_slot(ts, id, TYPE_KEY(KEY_BTF, 0)) = t;
	return t;
}

/* ---- structs -------------------------------------------------------------------- */

/* A wider integer where packing lets the bits run over the end of their own. */
static struct type *holder(struct types *ts, const struct type *t, uint32_t bits)
{
	for (uint32_t size = 1; size <= 8; size *= 2)
		if (bits <= size * 8)
			return type_int(ts, size, t->is_signed);
	return NULL;
}

bool type_place_bits(struct types *ts, struct type_field *f, uint32_t at, uint32_t bits)
{
	uint32_t unit = f->type->size ? f->type->size : 1;

	f->offset = at / (unit * 8) * unit;
	f->bit_size = bits;
	f->bit_off = at - f->offset * 8;
	if (f->bit_off + bits <= unit * 8)
		return true;
	f->offset = at / 8;
	f->bit_off = at % 8;
	if (f->bit_off + bits > unit * 8)
		f->type = holder(ts, f->type, f->bit_off + bits);
	return f->type != NULL;
}

static struct type_field make_field(struct types *ts, const struct btf_view *v,
				    const struct btf_type *t, unsigned i)
{
	const struct btf_member *m = btf_members(t) + i;
	struct type_field f = {.name = btf_view_str(v, m->name_off),
			       .type = btf_type_get(ts, m->type),
			       .loc = LOC_MEMORY};
	uint32_t at = btf_member_bit_offset(t, i), bits = btf_member_bitfield_size(t, i);
	const struct btf_type *base = btf_view_type(v, btf_skip(v, m->type));

	/* before kind_flag the width stood in the integer's own description */
	if (!bits && !btf_kflag(t) && base && btf_is_int(base) &&
	    (btf_int_bits(base) != base->size * 8 || at % 8)) {
		at += btf_int_offset(base);
		bits = btf_int_bits(base);
	}
	if (!bits)
		f.offset = at / 8;
	else if (!type_place_bits(ts, &f, at, bits))
		f = (struct type_field){.name = f.name, .type = type_simple(ts, IMAGE_K_VOID)};
	return f;
}

/* Finds the description of a struct that is known by name only. */
static uint32_t find_definition(struct btf_view *v, const struct type *t)
{
	unsigned kind = t->kind == IMAGE_K_UNION ? BTF_KIND_UNION : BTF_KIND_STRUCT;

	return t->name && *t->name ? btf_view_find(v, kind, t->name) : 0;
}

void type_complete(struct types *ts, struct type *t)
{
	struct btf_view *v;
	const struct btf_type *bt;

	if (!t->incomplete)
		return;
	t->incomplete = false;
	if (t->dwarf) {
		dwarf_complete(ts, t);
		return;
	}
	v = types_btf(ts);
	if (!v)
		return;
	if (!t->btf_id)
		t->btf_id = find_definition(v, t);
	bt = btf_view_type(v, t->btf_id);
	if (!bt)
		return;
	t->size = bt->size;
	t->align = natural_align(t->size);
	for (unsigned i = 0; i < btf_vlen(bt); i++)
		vec_push(ts->arena, &t->fields, make_field(ts, v, bt, i));
}

static struct type_field *find_in_anonymous(struct types *ts, const struct type_field *outer,
					    const char *name)
{
	const struct type_field *inner;
	struct type_field *f;

	if (*outer->name ||
	    (outer->type->kind != IMAGE_K_STRUCT && outer->type->kind != IMAGE_K_UNION))
		return NULL;
	inner = type_find_field(ts, outer->type, name);
	if (!inner)
		return NULL;
	f = arena_new_of(ts->arena, struct type_field);
	*f = *inner;
	f->offset += outer->offset;
	return f;
}

const struct type_field *type_find_field(struct types *ts, struct type *t, const char *name)
{
	type_complete(ts, t);
	for (size_t i = 0; i < t->fields.len; i++) {
		const struct type_field *f = &t->fields.items[i];

		if (*f->name && !strcmp(f->name, name))
			return f;
	}
	for (size_t i = 0; i < t->fields.len; i++) {
		const struct type_field *f = find_in_anonymous(ts, &t->fields.items[i], name);

		if (f)
			return f;
	}
	return NULL;
}

struct type *type_named_struct(struct types *ts, enum image_kind kind, const char *name)
{
	struct type *t = type_new(ts, kind, 0, 1);

	t->name = arena_strdup(ts->arena, name);
	t->incomplete = true;
	t->owner = ts;
	return t;
}

/* ---- by name ---------------------------------------------------------------------- */

struct tag_kind {
	const char *tag;
	uint8_t kinds[2]; /* BTF_KIND_*, 0: none */
};

static const struct tag_kind tag_kinds[] = {
	{"struct", {BTF_KIND_STRUCT}},
	{"union", {BTF_KIND_UNION}},
	{"enum", {BTF_KIND_ENUM, BTF_KIND_ENUM64}},
	{"", {BTF_KIND_TYPEDEF, BTF_KIND_INT}},
};

struct type *types_lookup(struct types *ts, const char *tag, const char *name)
{
	struct type *found = types_find_c_type(ts, tag ? tag : "", name);
	struct btf_view *v;

	if (!found && !tag)
		found = type_basic(ts, name);
	if (!found)
		found = dwarf_lookup(ts, tag, name);
	if (found)
		return found;
	v = types_btf(ts);
	for (size_t i = 0; v && i < sizeof(tag_kinds) / sizeof(*tag_kinds); i++) {
		if (strcmp(tag_kinds[i].tag, tag ? tag : ""))
			continue;
		for (int k = 0; k < 2 && tag_kinds[i].kinds[k]; k++) {
			uint32_t id = btf_view_find(v, tag_kinds[i].kinds[k], name);

			if (id)
				return btf_type_get(ts, id);
		}
	}
	return NULL;
}

bool btf_find_enumerator(struct types *ts, const char *name, uint64_t *value, struct type **type)
{
	struct btf_view *v = types_btf(ts);

	for (uint32_t id = 1; v && id < btf_view_count(v); id++) {
		const struct btf_type *t = btf_view_type(v, id);

		if (!btf_is_any_enum(t))
			continue;
		for (unsigned i = 0; i < btf_vlen(t); i++) {
			uint32_t name_off;
			uint64_t val = enum_value(t, i, &name_off);

			if (strcmp(btf_view_str(v, name_off), name))
				continue;
			*value = val;
			*type = btf_type_get(ts, id);
			return true;
		}
	}
	return false;
}

uint32_t btf_real_align(struct types *ts, const struct type *t)
{
	const struct btf *btf = ts->target && t->btf_id ? target_btf(ts->target) : NULL;
	int align = btf ? btf__align_of(btf, t->btf_id) : 0;

	return align > 0 ? (uint32_t)align : t->align ? t->align : 1;
}

/* ---- C's spelling ------------------------------------------------------------------- */

static const char *spell(struct types *ts, const struct btf_view *v, uint32_t id, unsigned depth);

static const char *spell_function_pointer(struct types *ts, const struct btf_view *v,
					  const struct btf_type *proto, unsigned depth)
{
	const struct btf_param *p = btf_params(proto);
	const char *args = "";

	for (unsigned i = 0; i < btf_vlen(proto); i++)
		args = arena_printf(ts->arena, "%s%s%s", args, i ? ", " : "",
				    p[i].type || i + 1u < btf_vlen(proto)
					    ? spell(ts, v, p[i].type, depth + 1)
					    : "...");
	return arena_printf(ts->arena, "%s (*)(%s)", spell(ts, v, proto->type, depth + 1),
			    *args ? args : "void");
}

static const char *spell_pointer(struct types *ts, const struct btf_view *v,
				 const struct btf_type *t, unsigned depth)
{
	const struct btf_type *to = btf_view_type(v, t->type);
	const char *s;

	if (to && btf_is_func_proto(to))
		return spell_function_pointer(ts, v, to, depth);
	s = spell(ts, v, t->type, depth + 1);
	return arena_printf(ts->arena, "%s%s*", s, s[strlen(s) - 1] == '*' ? "" : " ");
}

/* A qualifier stands before what it qualifies, but behind a pointer. */
static const char *spell_qualified(struct types *ts, const struct btf_view *v, const char *word,
				   const struct btf_type *t, unsigned depth)
{
	const struct btf_type *of = btf_view_type(v, t->type);
	const char *s = spell(ts, v, t->type, depth + 1);

	return of && btf_is_ptr(of) ? arena_printf(ts->arena, "%s %s", s, word)
				    : arena_printf(ts->arena, "%s %s", word, s);
}

static const char *spell_tagged(struct types *ts, const struct btf_view *v, const char *tag,
				const struct btf_type *t)
{
	const char *name = btf_view_str(v, t->name_off);

	return arena_printf(ts->arena, "%s %s", tag, *name ? name : "{...}");
}

static const char *spell(struct types *ts, const struct btf_view *v, uint32_t id, unsigned depth)
{
	const struct btf_type *t = btf_view_type(v, id);

	if (!t || depth > MAX_MODIFIERS)
		return "void";
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
		return spell_pointer(ts, v, t, depth);
	case BTF_KIND_CONST:
		return spell_qualified(ts, v, "const", t, depth);
	case BTF_KIND_VOLATILE:
		return spell_qualified(ts, v, "volatile", t, depth);
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return spell(ts, v, t->type, depth + 1);
	case BTF_KIND_ARRAY:
		return arena_printf(ts->arena, "%s[%u]",
				    spell(ts, v, btf_array(t)->type, depth + 1),
				    btf_array(t)->nelems);
	case BTF_KIND_STRUCT:
		return spell_tagged(ts, v, "struct", t);
	case BTF_KIND_UNION:
		return spell_tagged(ts, v, "union", t);
	case BTF_KIND_FWD:
		return spell_tagged(ts, v, btf_kflag(t) ? "union" : "struct", t);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return spell_tagged(ts, v, "enum", t);
	}
	return btf_view_str(v, t->name_off);
}

const char *btf_spell(struct types *ts, uint32_t id)
{
	return spell(ts, types_btf(ts), id, 0);
}
