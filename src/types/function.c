/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of the kernel's functions, and what they return, from BTF. */
#include "types/types_internal.h"

#include <bpf/btf.h>
#include <string.h>

static const struct btf_type *find_prototype(struct btf_view *v, const char *name)
{
	const struct btf_type *t = btf_view_type(v, btf_view_find(v, BTF_KIND_FUNC, name));

	t = t ? btf_view_type(v, t->type) : NULL;
	return t && btf_is_func_proto(t) ? t : NULL;
}

static void add_field(struct types *ts, struct type *args, uint32_t type, const char *name)
{
	struct type_field f = {
		.name = name,
		.type = btf_type_get(ts, type),
		.offset = args->size,
		.loc = LOC_RAW_ARG,
		.decl = arena_printf(ts->arena, "%s %s", btf_spell(ts, type), name),
	};

	/* a struct that is handed over by value takes as many words as it needs */
	args->size += f.type->size > 8 ? (f.type->size + 7) / 8 * 8 : 8;
	vec_push(ts->arena, &args->fields, f);
}

struct type *types_function_args(struct types *ts, const char *name, bool result, char *err,
				 size_t errlen)
{
	struct btf_view *v = types_btf(ts);
	const struct btf_type *proto = v ? find_prototype(v, name) : NULL;
	const struct btf_param *p;
	struct type *args;

	if (!proto) {
		snprintf(err, errlen, "no BTF data for the function %s", name);
		return NULL;
	}
	args = type_new(ts, IMAGE_K_STRUCT, 0, 8);
	args->is_ctx = true;
	args->space = SPACE_CTX;
	args->name = arena_printf(ts->arena, "%s_args", name);
	p = btf_params(proto);
	for (unsigned i = 0; i < btf_vlen(proto) && p[i].type; i++) { /* void: variadic */
		const char *arg = btf_view_str(v, p[i].name_off);

		add_field(ts, args, p[i].type, *arg ? arg : arena_printf(ts->arena, "arg%u", i));
	}
	if (result && proto->type)
		add_field(ts, args, proto->type, "retval");
	return args;
}
