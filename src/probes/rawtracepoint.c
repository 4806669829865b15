/* SPDX-License-Identifier: Apache-2.0 */
/* rawtracepoint: a tracepoint with its arguments as the kernel hands them over. */
#include "probes/probes_internal.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

struct expansion {
	probe_point_fn *cb;
	void *arg;
	const char *pattern; /* listing: what "module:name" must match; NULL: anything */
	bool found;
};

static int emit(const char *module, const char *tracepoint, void *arg)
{
	struct expansion *x = arg;
	char name[PROBE_NAME_MAX];
	struct probe_point p = {.name = name,
				.parts = {module, tracepoint},
				.attach = IMAGE_AT_RAW_TP,
				.target = tracepoint};

	snprintf(name, sizeof(name), "rawtracepoint:%s:%s", module, tracepoint);
	if (x->pattern && !target_glob(x->pattern, name + strlen("rawtracepoint:")))
		return 0;
	x->found = true;
	return x->cb(&p, x->arg);
}

/* One tracepoint needs no list. */
static int expand_one(struct target *t, const char *module, const char *name, struct expansion *x)
{
	char found[64];

	if (!target_raw_tracepoint_module(t, name, found, sizeof(found))) {
		if (!target_is_portable(t))
			return 0;
		/* whoever loads it will see */
		snprintf(found, sizeof(found), "%s",
			 target_has_wildcard(module) ? "vmlinux" : module);
	}
	if (!target_glob(module, found))
		return 0;
	return emit(found, name, x);
}

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	const char *module = nparts == 2 ? parts[0] : "*", *name;
	struct expansion x = {.cb = cb, .arg = arg};
	int code;

	if (nparts != 1 && nparts != 2)
		return probe_fail(err, errlen, -EINVAL,
				  "rawtracepoint probe type requires 2 or 1 arguments, found %zu",
				  nparts);
	name = parts[nparts - 1];
	if (!*name)
		return probe_fail(err, errlen, -EINVAL,
				  "rawtracepoint should be attached to a function");
	code = target_has_wildcard(name) ? target_each_raw_tracepoint(t, module, name, emit, &x)
					 : expand_one(t, module, name, &x);
	if (x.found || code > 0)
		return code;
	if (code && code != -ENOENT)
		return probe_fail(err, errlen, code, "cannot read the list of raw tracepoints: %s",
				  strerror(-code));
	return probe_fail(err, errlen, -ENOENT, "No matches for rawtracepoint %s:%s.", module,
			  name);
}

static int list(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct expansion x = {.cb = cb, .arg = arg};
	const char *rest;

	if (!probe_list_wanted(&probe_rawtracepoint, pattern, false, &rest))
		return 0;
	if (!strchr(rest, ':'))
		return target_each_raw_tracepoint(t, "*", rest, emit, &x);
	x.pattern = rest;
	return target_each_raw_tracepoint(t, "*", "*", emit, &x);
}

static const char *const aliases[] = {"rt", NULL};

const struct probe_type probe_rawtracepoint = {
	.name = "rawtracepoint",
	.aliases = aliases,
	.flags = PROBE_HAS_ARGS | PROBE_HAS_ARGN,
	.expand = expand,
	.list = list,
};

static int attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link)
{
	const char *target = image_str(img, at->target);
	struct probe_link *l = probe_link_new(1, false);
	struct bpf_link *bpf;
	int err;

	if (!l)
		return probe_attach_fail(env, -ENOMEM, target);
	bpf = bpf_program__attach_raw_tracepoint(prog, target);
	if (!bpf) {
		err = -errno;
		probe_link_free(l);
		/* the kernel knows how many arguments there are, and what the program reads */
		if (err == -EINVAL)
			return probe_fail(env->err, sizeof(env->err), err,
					  "%s: the script reads more arguments (argN) than it has",
					  target);
		return probe_attach_fail(env, err, target);
	}
	probe_link_add(l, bpf);
	*link = l;
	return 0;
}

const struct attacher attacher_raw_tp = {.kind = IMAGE_AT_RAW_TP, .attach = attach};
const struct attacher attacher_btf_tp = {
	.kind = IMAGE_AT_BTF_TP,
	.prepare = probe_prepare_typed,
	.attach = probe_attach_typed,
};
