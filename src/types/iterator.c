/* SPDX-License-Identifier: Apache-2.0 */
/* What programs of iterators are given: struct bpf_iter__NAME of the kernel. */
#include "types/types_internal.h"

#include <bpf/btf.h>

/* Members that are pointers lie in unions, for programs of 32 bits: the first one counts. */
static const struct btf_member *named_member(const struct btf_view *v, const struct btf_member *m)
{
	const struct btf_type *t = btf_view_type(v, m->type);

	if (*btf_view_str(v, m->name_off) || !t || !btf_is_composite(t) || !btf_vlen(t))
		return m;
	return btf_members(t);
}

struct type *types_iterator_context(struct types *ts, const char *name, char *err, size_t errlen)
{
	struct btf_view *v = types_btf(ts);
	const char *full = arena_printf(ts->arena, "bpf_iter__%s", name);
	const struct btf_type *t =
		v ? btf_view_type(v, btf_view_find(v, BTF_KIND_STRUCT, full)) : NULL;
	struct type *ctx;

	if (!t) {
		snprintf(err, errlen, "no BTF data for iter:%s", name);
		return NULL;
	}
	ctx = type_new(ts, IMAGE_K_STRUCT, t->size, 8);
	ctx->is_ctx = true;
	ctx->space = SPACE_CTX;
	ctx->name = full;
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = named_member(v, btf_members(t) + i);
		struct type_field f = {
			.name = btf_view_str(v, m->name_off),
			.type = btf_type_get(ts, m->type),
			.offset = btf_member_bit_offset(t, i) / 8,
			.loc = LOC_CTX,
		};

		f.decl = arena_printf(ts->arena, "%s %s", btf_spell(ts, m->type), f.name);
		vec_push(ts->arena, &ctx->fields, f);
	}
	return ctx;
}
