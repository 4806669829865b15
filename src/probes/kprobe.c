/* SPDX-License-Identifier: Apache-2.0 */
/* kprobe, kretprobe: functions of the kernel, where they begin and return. */
#include "probes/probes_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* An attach point as written, parameters in their places. */
struct kprobe_spec {
	const struct probe_type *type;
	enum image_attach_kind attach;
	const char *module; /* NULL: not written */
	const char *func;   /* "": address */
	char func_buf[PROBE_NAME_MAX];
	uint64_t offset;
};

struct expansion {
	const struct kprobe_spec *spec;
	probe_point_fn *cb;
	void *arg;
	bool found;
	int result; /* of cb, where one function is enough */
};

/* ---- expanding ----------------------------------------------------------------- */

static int parse_offset(struct kprobe_spec *k, const char *func, char *err, size_t errlen)
{
	const char *plus = strchr(func, '+');
	char why[256];

	if (k->attach == IMAGE_AT_KRETPROBE)
		return probe_fail(err, errlen, -EINVAL, "Offset not allowed");
	if (strchr(plus + 1, '+'))
		return probe_fail(err, errlen, -EINVAL, "Cannot take more than one offset");
	if (plus == func || !plus[1] || (size_t)(plus - func) >= sizeof(k->func_buf))
		return probe_fail(err, errlen, -EINVAL, "Invalid offset");
	if (probe_parse_uint(plus + 1, &k->offset, why, sizeof(why)))
		return probe_fail(err, errlen, -EINVAL, "Invalid offset: %s", why);
	memcpy(k->func_buf, func, plus - func);
	k->func = k->func_buf;
	return 0;
}

static int parse(struct kprobe_spec *k, const char *const *parts, size_t nparts, char *err,
		 size_t errlen)
{
	const char *func;
	char why[256];

	if (nparts != 1 && nparts != 2)
		return probe_fail(err, errlen, -EINVAL,
				  "%s probe type requires 1 or 2 arguments, found %zu",
				  k->type->name, nparts);
	func = parts[nparts - 1];
	k->module = nparts == 2 ? parts[0] : NULL;
	k->func = func;
	if (!*func)
		return probe_fail(err, errlen, -EINVAL,
				  "kprobes should be attached to a function or an address");
	if (strchr(func, '+'))
		return parse_offset(k, func, err, errlen);
	if (!probe_parse_uint(func, &k->offset, why, sizeof(why)))
		k->func = "";
	return 0;
}

/* "MODULE:FUNCTION+OFFSET"; the list may be long: by hand. Returns the end. */
static char *put(char *to, const char *end, const char *text)
{
	while (*text && to < end)
		*to++ = *text++;
	*to = 0;
	return to;
}

static int emit(const char *module, const char *func, void *arg)
{
	struct expansion *x = arg;
	const struct kprobe_spec *k = x->spec;
	char name[PROBE_NAME_MAX], target[PROBE_NAME_MAX], offset[24] = "", *at;
	const char *end = name + sizeof(name) - 1;
	struct probe_point p = {.name = name,
				.parts = {module, func},
				.attach = k->attach,
				.target = func,
				.arg = {(int64_t)k->offset}};

	if (k->offset)
		snprintf(offset, sizeof(offset), "+%" PRIu64, k->offset);
	at = put(put(name, end, k->type->name), end, ":");
	if (k->module)
		at = put(put(at, end, module), end, ":");
	put(put(at, end, func), end, offset);
	if (k->module && strcmp(module, "vmlinux")) {
		snprintf(target, sizeof(target), "%s:%s", module, func);
		p.target = target;
	}
	x->found = true;
	return x->cb(&p, x->arg);
}

static int emit_address(const struct kprobe_spec *k, probe_point_fn *cb, void *arg)
{
	char name[PROBE_NAME_MAX];
	struct probe_point p = {.name = name,
				.attach = k->attach,
				.target = "",
				.arg = {(int64_t)k->offset},
				.unsafe = "Probing by address requires --unsafe"};

	snprintf(name, sizeof(name), "%s:%" PRIu64, k->type->name, k->offset);
	return cb(&p, arg);
}

/* Functions of one name in several modules are one probe to the kernel. */
static int emit_one(const char *module, const char *func, void *arg)
{
	struct expansion *x = arg;

	x->result = emit(module, func, x);
	return 1;
}

static int no_matches(const struct kprobe_spec *k, struct target *t, char *err, size_t errlen)
{
	bool any = target_has(t, TARGET_F_KPROBE);

	return probe_fail(err, errlen, -ENOENT, "No matches for %s %s%s%s%s", k->type->name,
			  k->module ? k->module : "", k->module ? ":" : "", k->func,
			  any ? "." : ": this kernel has no kprobes.");
}

static int expand_functions(const struct kprobe_spec *k, struct target *t, probe_point_fn *cb,
			    void *arg, char *err, size_t errlen)
{
	struct expansion x = {.spec = k, .cb = cb, .arg = arg};
	const char *module = k->module ? k->module : "*";
	bool wild = target_has_wildcard(k->func) || (k->module && target_has_wildcard(k->module));
	int code;

	if (!wild && target_is_portable(t)) /* whoever loads it will see */
		return emit(k->module ? k->module : "vmlinux", k->func, &x);
	if (k->module && !target_has_wildcard(k->module) && !target_has_module(t, k->module))
		return probe_fail(err, errlen, -ENOENT,
				  "specified module %s in probe %s:%s:%s is not loaded.", k->module,
				  k->type->name, k->module, k->func);
	if (!target_has(t, TARGET_F_KPROBE))
		return no_matches(k, t, err, errlen);
	code = target_each_function(t, module, k->func, wild ? emit : emit_one, &x);
	if (x.found)
		return wild ? code : x.result;
	if (code == -ENOENT && !wild) /* no list: the kernel will tell */
		return emit(k->module ? k->module : "vmlinux", k->func, &x);
	return no_matches(k, t, err, errlen);
}

static int expand_as(struct kprobe_spec *k, struct target *t, const char *const *parts,
		     size_t nparts, probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	int code = parse(k, parts, nparts, err, errlen);

	if (code)
		return code;
	if (!*k->func)
		return emit_address(k, cb, arg);
	return expand_functions(k, t, cb, arg, err, errlen);
}

static int expand_kprobe(struct target *t, const char *const *parts, size_t nparts,
			 probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	struct kprobe_spec k = {.type = &probe_kprobe, .attach = IMAGE_AT_KPROBE};

	return expand_as(&k, t, parts, nparts, cb, arg, err, errlen);
}

static int expand_kretprobe(struct target *t, const char *const *parts, size_t nparts,
			    probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	struct kprobe_spec k = {.type = &probe_kretprobe, .attach = IMAGE_AT_KRETPROBE};

	return expand_as(&k, t, parts, nparts, cb, arg, err, errlen);
}

/* ---- listing ---------------------------------------------------------------------- */

static int list_as(struct kprobe_spec *k, struct target *t, const char *pattern, bool by_name_only,
		   probe_point_fn *cb, void *arg)
{
	struct expansion x = {.spec = k, .cb = cb, .arg = arg};
	char module[64] = "*";
	const char *rest, *colon;
	int code;

	if (!probe_list_wanted(k->type, pattern, by_name_only, &rest) ||
	    !target_has(t, TARGET_F_KPROBE))
		return 0;
	colon = strchr(rest, ':');
	if (colon) {
		snprintf(module, sizeof(module), "%.*s", (int)(colon - rest), rest);
		k->module = module;
		rest = colon + 1;
	}
	code = target_each_function(t, module, rest, target_has_wildcard(rest) ? emit : emit_one,
				    &x);
	if (x.found && !target_has_wildcard(rest))
		return x.result;
	return code == -ENOENT ? 0 : code;
}

static int list_kprobe(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct kprobe_spec k = {.type = &probe_kprobe, .attach = IMAGE_AT_KPROBE};

	return list_as(&k, t, pattern, false, cb, arg);
}

static int list_kretprobe(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct kprobe_spec k = {.type = &probe_kretprobe, .attach = IMAGE_AT_KRETPROBE};

	return list_as(&k, t, pattern, true, cb, arg);
}

static const char *const kprobe_aliases[] = {"k", NULL};
static const char *const kretprobe_aliases[] = {"kr", NULL};

const struct probe_type probe_kprobe = {
	.name = "kprobe",
	.aliases = kprobe_aliases,
	.flags = PROBE_HAS_REGS | PROBE_HAS_ARGN | PROBE_HAS_FUNC,
	.expand = expand_kprobe,
	.list = list_kprobe,
};

const struct probe_type probe_kretprobe = {
	.name = "kretprobe",
	.aliases = kretprobe_aliases,
	.flags = PROBE_HAS_REGS | PROBE_HAS_RETVAL | PROBE_HAS_FUNC,
	.expand = expand_kretprobe,
	.list = list_kretprobe,
};

/* ---- attaching ----------------------------------------------------------------------- */

static int failed(struct attach_env *env, int err, const char *target)
{
	if (err == -EILSEQ) {
		snprintf(env->err, sizeof(env->err),
			 "Possible attachment attempt in the middle of an instruction, try a "
			 "different offset.");
		return err;
	}
	return probe_attach_fail(env, err, target);
}

static int attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link)
{
	const char *target = image_str(img, at->target);
	LIBBPF_OPTS(bpf_kprobe_opts, opts, .bpf_cookie = at->cookie, .offset = at->arg[0],
		    .retprobe = at->kind == IMAGE_AT_KRETPROBE,
		    .attach_mode = target_has(env->target, TARGET_F_LINKS)
					   ? PROBE_ATTACH_MODE_DEFAULT
					   : PROBE_ATTACH_MODE_PERF);
	struct probe_link *l = probe_link_new(1, true);
	struct bpf_link *bpf;
	int err;

	if (!l)
		return failed(env, -ENOMEM, target);
	bpf = bpf_program__attach_kprobe_opts(prog, *target ? target : NULL, &opts);
	if (!bpf) {
		err = -errno;
		probe_link_free(l);
		return failed(env, err, target);
	}
	probe_link_add(l, bpf);
	*link = l;
	return 0;
}

/* Such links know functions by name, at their beginning. */
static bool can_attach_many(struct target *t, int pid, const struct image *img,
			    const struct image_attachment *at, size_t n)
{
	(void)pid;
	for (size_t i = 0; i < n; i++) {
		const char *target = image_str(img, at[i].target);

		if (at[i].arg[0] || !*target || strchr(target, ':'))
			return false;
	}
	return target_has(t, TARGET_F_KPROBE_MULTI);
}

static int attach_many(struct attach_env *env, const struct image *img,
		       const struct image_attachment *at, size_t n, struct bpf_program *prog,
		       struct probe_link **link)
{
	const char *target = image_str(img, at->target);
	const char **names = calloc(n, sizeof(*names));
	__u64 *cookies = calloc(n, sizeof(*cookies));
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = names, .cookies = cookies, .cnt = n,
		    .retprobe = at->kind == IMAGE_AT_KRETPROBE);
	struct probe_link *l = probe_link_new(1, true);
	struct bpf_link *bpf;
	int err = -ENOMEM;

	if (!names || !cookies || !l) {
		probe_attach_fail(env, err, target);
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		names[i] = image_str(img, at[i].target);
		cookies[i] = at[i].cookie;
	}
	bpf = bpf_program__attach_kprobe_multi_opts(prog, NULL, &opts);
	err = bpf ? 0 : -errno;
	if (err) {
		failed(env, err, target);
		goto out;
	}
	probe_link_add(l, bpf);
	*link = l;
	l = NULL;
out:
	probe_link_free(l);
	free(names);
	free(cookies);
	return err;
}

const struct attacher attacher_kprobe = {
	.kind = IMAGE_AT_KPROBE,
	.attach = attach,
	.slow_detach = true,
	.last_runs_first = true,
	.can_attach_many = can_attach_many,
	.attach_many = attach_many,
	.many_type = BPF_TRACE_KPROBE_MULTI,
	.many_targets = true,
};
const struct attacher attacher_kretprobe = {
	.kind = IMAGE_AT_KRETPROBE,
	.attach = attach,
	.slow_detach = true,
	.can_attach_many = can_attach_many,
	.attach_many = attach_many,
	.many_type = BPF_TRACE_KPROBE_MULTI,
	.many_targets = true,
};
