/* SPDX-License-Identifier: Apache-2.0 */
#include "target/btf_view.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* From so many look-ups on, a table of all names costs less than searching. */
#define LOOKUPS_BEFORE_INDEX 24

struct btf_view {
	const char *types;
	const char *strings;
	uint32_t strings_size;
	uint32_t *offsets; /* of each type in @types; [0] unused */
	uint32_t count, cap;
	unsigned lookups;
	uint32_t *table; /* ids by hash of name, 0: free */
	uint32_t table_mask;
};

/* Bytes that follow struct btf_type for each kind: a fixed part, and one for each of vlen. */
struct kind_size {
	uint8_t fixed, each;
};

static const struct kind_size kind_sizes[NR_BTF_KINDS] = {
	[BTF_KIND_INT] = {sizeof(uint32_t), 0},
	[BTF_KIND_ARRAY] = {sizeof(struct btf_array), 0},
	[BTF_KIND_STRUCT] = {0, sizeof(struct btf_member)},
	[BTF_KIND_UNION] = {0, sizeof(struct btf_member)},
	[BTF_KIND_ENUM] = {0, sizeof(struct btf_enum)},
	[BTF_KIND_FUNC_PROTO] = {0, sizeof(struct btf_param)},
	[BTF_KIND_VAR] = {sizeof(struct btf_var), 0},
	[BTF_KIND_DATASEC] = {0, sizeof(struct btf_var_secinfo)},
	[BTF_KIND_DECL_TAG] = {sizeof(struct btf_decl_tag), 0},
	[BTF_KIND_ENUM64] = {0, sizeof(struct btf_enum64)},
};

static int add_type(struct btf_view *v, uint32_t offset)
{
	if (v->count == v->cap) {
		uint32_t cap = v->cap ? v->cap * 2 : 1024;
		uint32_t *grown = realloc(v->offsets, cap * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		v->offsets = grown;
		v->cap = cap;
	}
	v->offsets[v->count++] = offset;
	return 0;
}

static int index_types(struct btf_view *v, uint32_t size)
{
	uint32_t at = 0;

	while (at < size) {
		const struct btf_type *t = (const void *)(v->types + at);
		unsigned kind;
		uint64_t need;

		if (size - at < sizeof(*t))
			return -EINVAL;
		kind = btf_kind(t);
		if (kind == BTF_KIND_UNKN || kind >= NR_BTF_KINDS)
			return -EINVAL;
		need = sizeof(*t) + kind_sizes[kind].fixed +
		       (uint64_t)kind_sizes[kind].each * btf_vlen(t);
		if (need > size - at)
			return -EINVAL;
		if (add_type(v, at))
			return -ENOMEM;
		at += need;
	}
	return 0;
}

static bool section_fits(const struct btf_header *h, size_t size, uint32_t off, uint32_t len)
{
	return (uint64_t)h->hdr_len + off + len <= size;
}

static bool header_ok(const struct btf_header *h, size_t size)
{
	if (size < sizeof(*h) || h->magic != BTF_MAGIC || h->hdr_len < sizeof(*h))
		return false;
	if (!section_fits(h, size, h->type_off, h->type_len) || (h->hdr_len + h->type_off) % 4)
		return false;
	return h->str_len && section_fits(h, size, h->str_off, h->str_len) &&
	       !((const char *)h)[h->hdr_len + h->str_off + h->str_len - 1];
}

struct btf_view *btf_view_new(const void *data, size_t size)
{
	const struct btf_header *h = data;
	struct btf_view *v;

	if (!header_ok(h, size)) {
		errno = EINVAL;
		return NULL;
	}
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->types = (const char *)data + h->hdr_len + h->type_off;
	v->strings = (const char *)data + h->hdr_len + h->str_off;
	v->strings_size = h->str_len;
	/* vmlinux takes 25 bytes a type: growing the table would cost more than the pass */
	v->cap = h->type_len / 24 + 16;
	v->offsets = malloc(v->cap * sizeof(*v->offsets));
	if (!v->offsets || add_type(v, 0) || index_types(v, h->type_len)) {
		btf_view_free(v);
		errno = EINVAL;
		return NULL;
	}
	return v;
}

void btf_view_free(struct btf_view *v)
{
	if (!v)
		return;
	free(v->offsets);
	free(v->table);
	free(v);
}

uint32_t btf_view_count(const struct btf_view *v)
{
	return v->count;
}

const struct btf_type *btf_view_type(const struct btf_view *v, uint32_t id)
{
	if (!id || id >= v->count)
		return NULL;
	return (const void *)(v->types + v->offsets[id]);
}

const char *btf_view_str(const struct btf_view *v, uint32_t off)
{
	return off < v->strings_size ? v->strings + off : "";
}

static bool is(const struct btf_view *v, uint32_t id, unsigned kind, const char *name)
{
	const struct btf_type *t = btf_view_type(v, id);

	return btf_kind(t) == kind && !strcmp(btf_view_str(v, t->name_off), name);
}

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	while (*s)
		h = (h ^ (uint8_t)*s++) * 16777619u;
	return h;
}

static void build_index(struct btf_view *v)
{
	uint32_t size = 1024;

	while (size < v->count * 2)
		size *= 2;
	v->table = calloc(size, sizeof(*v->table));
	if (!v->table)
		return; /* searching still works */
	v->table_mask = size - 1;
	for (uint32_t id = 1; id < v->count; id++) {
		const char *name = btf_view_str(v, btf_view_type(v, id)->name_off);
		uint32_t i;

		if (!*name)
			continue;
		for (i = hash(name) & v->table_mask; v->table[i]; i = (i + 1) & v->table_mask)
			;
		v->table[i] = id;
	}
}

uint32_t btf_view_find(struct btf_view *v, unsigned kind, const char *name)
{
	if (++v->lookups == LOOKUPS_BEFORE_INDEX)
		build_index(v);
	if (v->table) {
		uint32_t i = hash(name) & v->table_mask;

		for (; v->table[i]; i = (i + 1) & v->table_mask) {
			if (is(v, v->table[i], kind, name))
				return v->table[i];
		}
		return 0;
	}
	for (uint32_t id = 1; id < v->count; id++) {
		if (is(v, id, kind, name))
			return id;
	}
	return 0;
}
