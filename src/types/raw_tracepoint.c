/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of raw tracepoints, from BTF: the kernel's own functions __probestub_NAME (since
 * Linux 6.5) and __traceiter_NAME (since 5.10) name the parameters; the typedef
 * btf_trace_NAME only says their types.
 */
#include "types/types_internal.h"

#include <bpf/btf.h>
#include <string.h>

struct prototype_source {
	const char *prefix;
	uint8_t kind;
};

static const struct prototype_source sources[] = {
	{"__probestub_", BTF_KIND_FUNC},
	{"__traceiter_", BTF_KIND_FUNC},
	{"btf_trace_", BTF_KIND_TYPEDEF},
};

/* The prototype that @src has for tracepoint @name, or NULL. */
static const struct btf_type *prototype_from(struct btf_view *v, const struct prototype_source *src,
					     const char *name)
{
	const struct btf_type *t;
	char full[256];

	snprintf(full, sizeof(full), "%s%s", src->prefix, name);
	t = btf_view_type(v, btf_skip(v, btf_view_find(v, src->kind, full)));
	/* a function's type, or the pointer behind the typedef, leads to the prototype */
	if (t && (btf_is_func(t) || btf_is_ptr(t)))
		t = btf_view_type(v, btf_skip(v, t->type));
	return t && btf_is_func_proto(t) ? t : NULL;
}

static const struct btf_type *find_prototype(struct btf_view *v, const char *name)
{
	const struct btf_type *t = NULL;

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources) && !t; i++)
		t = prototype_from(v, &sources[i], name);
	return t;
}

static struct type_field make_field(struct types *ts, const struct btf_view *v,
				    const struct btf_param *p, unsigned i, uint32_t slot)
{
	const char *name = btf_view_str(v, p->name_off);
	struct type_field f = {
		.type = btf_type_get(ts, p->type), .offset = slot * 8, .loc = LOC_RAW_ARG};

	f.name = *name ? name : arena_printf(ts->arena, "arg%u", i);
	f.decl = arena_printf(ts->arena, "%s %s", btf_spell(ts, p->type), f.name);
	return f;
}

struct type *types_raw_tracepoint_args(struct types *ts, const char *name, char *err, size_t errlen)
{
	struct btf_view *v = types_btf(ts);
	const struct btf_type *proto;
	const struct btf_param *p;
	struct type *args;

	if (!v) {
		snprintf(err, errlen,
			 "rawtracepoints require kernel BTF. Try using a 'tracepoint' instead.");
		return NULL;
	}
	proto = find_prototype(v, name);
	if (!proto) {
		snprintf(err, errlen, "no BTF data for the arguments of rawtracepoint %s", name);
		return NULL;
	}
	args = type_new(ts, IMAGE_K_STRUCT, 0, 8);
	args->is_ctx = true;
	args->space = SPACE_CTX;
	args->name = arena_printf(ts->arena, "rawtracepoint:vmlinux:%s_args", name);
	p = btf_params(proto);
	/* the first one is the probe's own data, which programs do not see */
	for (unsigned i = 1; i < btf_vlen(proto); i++) {
		struct type_field f = make_field(ts, v, &p[i], i - 1, args->size / 8);

		/* a struct that is handed over by value takes as many words as it needs */
		args->size += f.type->size > 8 ? (f.type->size + 7) / 8 * 8 : 8;
		vec_push(ts->arena, &args->fields, f);
	}
	return args;
}
