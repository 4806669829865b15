/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of raw tracepoints: the prototype of the typedef btf_trace_NAME in BTF. */
#include "types/types_internal.h"

#include <bpf/btf.h>
#include <string.h>

/* The function type behind btf_trace_@name, or NULL. */
static const struct btf_type *find_prototype(struct btf_view *v, const char *name)
{
	const struct btf_type *t;
	char typedef_name[256];
	uint32_t id;

	snprintf(typedef_name, sizeof(typedef_name), "btf_trace_%s", name);
	id = btf_view_find(v, BTF_KIND_TYPEDEF, typedef_name);
	t = btf_view_type(v, btf_skip(v, id));
	if (!t || !btf_is_ptr(t))
		return NULL;
	t = btf_view_type(v, btf_skip(v, t->type));
	return t && btf_is_func_proto(t) ? t : NULL;
}

static struct type_field make_field(struct types *ts, const struct btf_view *v,
				    const struct btf_param *p, unsigned i)
{
	const char *name = btf_view_str(v, p->name_off);
	struct type_field f = {
		.type = btf_type_get(ts, p->type), .offset = i * 8, .loc = LOC_RAW_ARG};

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
	for (unsigned i = 1; i < btf_vlen(proto); i++)
		vec_push(ts->arena, &args->fields, make_field(ts, v, &p[i], i - 1));
	args->size = args->fields.len * 8;
	return args;
}
