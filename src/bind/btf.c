/* SPDX-License-Identifier: Apache-2.0 */
/* Members, sizes, enumerators and arguments, found in the kernel's BTF by name. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bind/internal.h"
#include "target/btf_view.h"

#define MAX_MODIFIERS 32 /* BTF of a broken file may go round in circles */
#define MAX_DEPTH     16 /* of anonymous members in anonymous members, of arrays of arrays */
#define MAX_LAYOUT    8  /* of structs in structs */

struct member {
	uint32_t type;
	uint64_t at;   /* bits */
	uint32_t bits; /* 0: no bit-field */
};

static uint32_t skip(const struct btf_view *v, uint32_t id)
{
	for (unsigned i = 0; i < MAX_MODIFIERS; i++) {
		const struct btf_type *t = btf_view_type(v, id);

		if (!t || !(btf_is_mod(t) || btf_is_typedef(t)))
			return id;
		id = t->type;
	}
	return 0;
}

/* ---- types by name ------------------------------------------------------------- */

struct tag {
	const char *word;
	uint8_t kinds[2]; /* BTF_KIND_*, 0: none */
};

static const struct tag tags[] = {
	{"struct ", {BTF_KIND_STRUCT}},
	{"union ", {BTF_KIND_UNION}},
	{"enum ", {BTF_KIND_ENUM, BTF_KIND_ENUM64}},
	{"", {BTF_KIND_TYPEDEF, BTF_KIND_INT}},
};

/* "struct foo", "union foo", "enum foo", "foo_t": its id without typedefs, 0: none. */
static uint32_t find_type(struct btf_view *v, const char *name)
{
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		size_t len = strlen(tags[i].word);

		if (strncmp(name, tags[i].word, len))
			continue;
		for (int k = 0; k < 2 && tags[i].kinds[k]; k++) {
			uint32_t id = btf_view_find(v, tags[i].kinds[k], name + len);

			if (id)
				return skip(v, id);
		}
		return 0;
	}
	return 0;
}

static uint64_t size_of(const struct btf_view *v, uint32_t id, unsigned depth)
{
	const struct btf_type *t = btf_view_type(v, skip(v, id));

	if (!t || depth > MAX_DEPTH)
		return 0;
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FLOAT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return t->size;
	case BTF_KIND_PTR:
		return 8;
	case BTF_KIND_ARRAY:
		return size_of(v, btf_array(t)->type, depth + 1) * btf_array(t)->nelems;
	}
	return 0;
}

int find_type_size(struct target *t, const char *type, struct bind_value *value)
{
	struct btf_view *v = target_btf_view(t);
	uint32_t id = v ? find_type(v, type) : 0;

	if (!id)
		return -ENOENT;
	value->value = size_of(v, id, 0);
	return 0;
}

/* ---- members --------------------------------------------------------------------- */

static struct member member_of(const struct btf_view *v, const struct btf_type *t, unsigned i)
{
	const struct btf_member *m = btf_members(t) + i;
	const struct btf_type *base = btf_view_type(v, skip(v, m->type));
	struct member out = {
		.type = m->type,
		.at = btf_member_bit_offset(t, i),
		.bits = btf_member_bitfield_size(t, i),
	};

	/* before kind_flag the width stood in the integer's own description */
	if (!out.bits && !btf_kflag(t) && base && btf_is_int(base) &&
	    (btf_int_bits(base) != base->size * 8 || out.at % 8)) {
		out.at += btf_int_offset(base);
		out.bits = btf_int_bits(base);
	}
	return out;
}

static bool is_named(const struct btf_view *v, uint32_t off, const char *name, size_t len)
{
	const char *s = btf_view_str(v, off);

	return !strncmp(s, name, len) && !s[len];
}

/* Named members first, then those of anonymous ones. */
static bool find_member(const struct btf_view *v, uint32_t id, const char *name, size_t len,
			struct member *out, unsigned depth)
{
	const struct btf_type *t = btf_view_type(v, skip(v, id));

	if (!t || !btf_is_composite(t) || depth > MAX_DEPTH)
		return false;
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		if (len && is_named(v, btf_members(t)[i].name_off, name, len)) {
			*out = member_of(v, t, i);
			return true;
		}
	}
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = btf_members(t) + i;

		if (*btf_view_str(v, m->name_off) ||
		    !find_member(v, m->type, name, len, out, depth + 1))
			continue;
		out->at += btf_member_bit_offset(t, i);
		return true;
	}
	return false;
}

/* A forward declaration stands for the struct of its name. */
static uint32_t pointed_to(struct btf_view *v, uint32_t id)
{
	const struct btf_type *t;

	for (unsigned i = 0; i < MAX_DEPTH; i++) {
		t = btf_view_type(v, id = skip(v, id));
		if (!t || !btf_is_ptr(t))
			break;
		id = t->type;
	}
	t = btf_view_type(v, id);
	if (t && btf_is_fwd(t))
		return btf_view_find(v, btf_kflag(t) ? BTF_KIND_UNION : BTF_KIND_STRUCT,
				     btf_view_str(v, t->name_off));
	return id;
}

int find_field(struct target *t, const char *type, const char *path, bool follow, uint64_t *at_bits,
	       struct bind_value *value)
{
	struct btf_view *v = target_btf_view(t);
	struct member m = {.type = v ? find_type(v, type) : 0};
	uint64_t at = 0;

	if (!m.type)
		return -ENOENT;
	while (*path) {
		size_t len = strcspn(path, ".");
		uint32_t id = follow ? pointed_to(v, m.type) : m.type;

		if (m.bits || !find_member(v, id, path, len, &m, 0))
			return -ENOENT;
		at += m.at;
		path += len + (path[len] == '.');
	}
	*at_bits = at;
	value->size = m.bits ? m.bits : size_of(v, m.type, 0);
	return 0;
}

/* ---- all that a type consists of --------------------------------------------------- */

static void mix(uint64_t *h, uint64_t v)
{
	for (int i = 0; i < 8; i++, v >>= 8)
		*h = (*h ^ (v & 0xff)) * 1099511628211ull; /* FNV-1a */
}

static void mix_text(uint64_t *h, const char *s)
{
	for (; *s; s++)
		*h = (*h ^ (uint8_t)*s) * 1099511628211ull;
	mix(h, 0);
}

static void layout(const struct btf_view *v, uint32_t id, uint64_t *h, unsigned depth)
{
	const struct btf_type *t = btf_view_type(v, skip(v, id));

	if (!t || depth > MAX_LAYOUT)
		return;
	mix(h, btf_kind(t) == BTF_KIND_ENUM64 ? BTF_KIND_ENUM : btf_kind(t));
	mix(h, size_of(v, id, 0));
	if (btf_is_array(t)) {
		mix(h, btf_array(t)->nelems);
		layout(v, btf_array(t)->type, h, depth + 1);
	}
	for (unsigned i = 0; btf_is_composite(t) && i < btf_vlen(t); i++) {
		struct member m = member_of(v, t, i);

		mix_text(h, btf_view_str(v, btf_members(t)[i].name_off));
		mix(h, m.at);
		mix(h, m.bits);
		layout(v, m.type, h, depth + 1);
	}
}

int find_layout(struct target *t, const char *type, struct bind_value *value)
{
	struct btf_view *v = target_btf_view(t);
	uint32_t id = v ? find_type(v, type) : 0;

	if (!id)
		return -ENOENT;
	value->value = 14695981039346656037ull;
	layout(v, id, &value->value, 0);
	return 0;
}

/* ---- enumerators --------------------------------------------------------------------- */

static bool enumerator_of(const struct btf_view *v, const struct btf_type *t, const char *name,
			  uint64_t *value)
{
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		if (btf_is_enum64(t)) {
			if (strcmp(btf_view_str(v, btf_enum64(t)[i].name_off), name))
				continue;
			*value = btf_enum64_value(btf_enum64(t) + i);
			return true;
		}
		if (strcmp(btf_view_str(v, btf_enum(t)[i].name_off), name))
			continue;
		*value = btf_kflag(t) ? (uint64_t)(int64_t)btf_enum(t)[i].val
				      : (uint32_t)btf_enum(t)[i].val;
		return true;
	}
	return false;
}

int find_enumerator(struct target *t, const char *name, struct bind_value *value)
{
	struct btf_view *v = target_btf_view(t);

	for (uint32_t id = 1; v && id < btf_view_count(v); id++) {
		const struct btf_type *e = btf_view_type(v, id);

		if (btf_is_any_enum(e) && enumerator_of(v, e, name, &value->value))
			return 0;
	}
	return -ENOENT;
}

/* ---- arguments ------------------------------------------------------------------------ */

/* Argument @name among the parameters from @first on: its place in words of the context. */
static int find_parameter(const struct btf_view *v, const struct btf_type *proto, unsigned first,
			  const char *name, struct bind_value *value)
{
	const struct btf_param *p = btf_params(proto);
	uint64_t at = 0;

	for (unsigned i = first; i < btf_vlen(proto); i++) {
		const char *own = btf_view_str(v, p[i].name_off);
		uint64_t size = size_of(v, p[i].type, 0);
		char made[16];

		snprintf(made, sizeof(made), "arg%u", i - first);
		if (!strcmp(*own ? own : made, name)) {
			value->value = at;
			value->size = size;
			return 0;
		}
		/* a struct that is handed over by value takes as many words as it needs */
		at += size > 8 ? (size + 7) / 8 * 8 : 8;
	}
	if (*name)
		return -ENOENT;
	value->value = at;
	value->size = size_of(v, proto->type, 0);
	return 0;
}

static const struct btf_type *prototype(const struct btf_view *v, uint32_t id)
{
	const struct btf_type *t = btf_view_type(v, skip(v, id));

	/* a function's type, or the pointer behind a typedef, leads to the prototype */
	if (t && (btf_is_func(t) || btf_is_ptr(t)))
		t = btf_view_type(v, skip(v, t->type));
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* See src/types/raw_tracepoint.c: who names the parameters. */
int find_raw_argument(struct target *t, const char *tracepoint, const char *name,
		      struct bind_value *value)
{
	static const struct {
		const char *prefix;
		uint8_t kind;
	} sources[] = {
		{"__probestub_", BTF_KIND_FUNC},
		{"__traceiter_", BTF_KIND_FUNC},
		{"btf_trace_", BTF_KIND_TYPEDEF},
	};
	struct btf_view *v = target_btf_view(t);

	for (size_t i = 0; v && i < sizeof(sources) / sizeof(*sources); i++) {
		const struct btf_type *proto;
		char full[256];

		snprintf(full, sizeof(full), "%s%s", sources[i].prefix, tracepoint);
		proto = prototype(v, btf_view_find(v, sources[i].kind, full));
		if (proto) /* the first parameter is the probe's own */
			return find_parameter(v, proto, 1, name, value);
	}
	return -ENOENT;
}

int find_function_argument(struct target *t, const char *function, const char *name,
			   struct bind_value *value)
{
	struct btf_view *v = target_btf_view(t);
	const struct btf_type *proto =
		v ? prototype(v, btf_view_find(v, BTF_KIND_FUNC, function)) : NULL;

	return proto ? find_parameter(v, proto, 0, name, value) : -ENOENT;
}
