/* SPDX-License-Identifier: Apache-2.0 */
/* fentry, fexit: functions of the kernel with their arguments as BTF describes them. */
#include "probes/probes_internal.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* An attach point as written. */
struct fentry_spec {
	const struct probe_type *type;
	enum image_attach_kind attach;
	const char *module, *func; /* module NULL: not written */
};

struct expansion {
	const struct fentry_spec *spec;
	struct target *target;
	probe_point_fn *cb;
	void *arg;
	bool found;
};

/* ---- expanding ----------------------------------------------------------------- */

static int parse(struct fentry_spec *f, const char *const *parts, size_t nparts, char *err,
		 size_t errlen)
{
	if (nparts < 1 || nparts > 3)
		return probe_fail(err, errlen, -EINVAL,
				  "%s probe type requires 1 or 3 arguments, found %zu",
				  f->type->name, nparts);
	if (nparts > 1 && !strcmp(parts[0], "bpf"))
		return probe_fail(err, errlen, -EINVAL,
				  "the 'bpf' variant of this probe is not supported yet");
	if (nparts == 3)
		return probe_fail(err, errlen, -EINVAL,
				  "Only the 'bpf' variant of this probe supports 4 arguments");
	f->module = nparts == 2 ? parts[0] : NULL;
	f->func = parts[nparts - 1];
	if (!*f->func)
		return probe_fail(err, errlen, -EINVAL, "fentry/fexit should specify a function");
	return 0;
}

/* What modules have is described in BTF of their own, which libbpf looks through. */
static bool is_described(struct target *t, const char *module, const char *func)
{
	return strcmp(module, "vmlinux") || target_has_btf_function(t, func);
}

static int emit(const char *module, const char *func, void *arg)
{
	struct expansion *x = arg;
	char name[PROBE_NAME_MAX], target[PROBE_NAME_MAX];
	struct probe_point p = {
		.name = name, .parts = {module, func}, .attach = x->spec->attach, .target = target};
	bool own = strcmp(module, "vmlinux");

	if (!is_described(x->target, module, func))
		return 0;
	snprintf(name, sizeof(name), "%s:%s:%s", x->spec->type->name, module, func);
	snprintf(target, sizeof(target), "%s%s%s", own ? module : "", own ? ":" : "", func);
	x->found = true;
	return x->cb(&p, x->arg);
}

/* A name that several modules have must be told apart. */
struct modules {
	unsigned n;
	char first[64];
};

static int count_module(const char *module, const char *func, void *arg)
{
	struct modules *m = arg;

	(void)func;
	if (m->n && !strcmp(m->first, module))
		return 0;
	if (!m->n++)
		snprintf(m->first, sizeof(m->first), "%s", module);
	return 0;
}

static int expand_one(const struct fentry_spec *f, struct expansion *x, char *err, size_t errlen)
{
	const char *module = f->module ? f->module : "*";
	struct modules m = {0};
	int code = target_each_function(x->target, module, f->func, count_module, &m);

	if (m.n > 1)
		return probe_fail(err, errlen, -EINVAL,
				  "ambiguous attach point, please specify module containing the "
				  "function '%s'",
				  f->func);
	if (m.n)
		return emit(m.first, f->func, x);
	/* no list: BTF has one of its own */
	if (code == -ENOENT && target_glob(module, "vmlinux"))
		return emit("vmlinux", f->func, x);
	return 0;
}

static int no_matches(const struct fentry_spec *f, struct target *t, char *err, size_t errlen)
{
	char why[128] = ".";

	if (!target_has(t, TARGET_F_FENTRY))
		snprintf(why, sizeof(why),
			 ": this kernel has no fentry and fexit, which came with %s.",
			 target_feature_since(TARGET_F_FENTRY));
	return probe_fail(err, errlen, -ENOENT, "No matches for %s %s%s%s%s", f->type->name,
			  f->module ? f->module : "", f->module ? ":" : "", f->func, why);
}

static int expand_as(struct fentry_spec *f, struct target *t, const char *const *parts,
		     size_t nparts, probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	struct expansion x = {.spec = f, .target = t, .cb = cb, .arg = arg};
	int code = parse(f, parts, nparts, err, errlen);
	bool any;

	if (code)
		return code;
	any = target_has(t, TARGET_F_FENTRY);
	if (any && target_has_wildcard(f->func))
		code = target_each_function(t, f->module ? f->module : "*", f->func, emit, &x);
	else if (any)
		code = expand_one(f, &x, err, errlen);
	if (x.found || code == -EINVAL)
		return code;
	return no_matches(f, t, err, errlen);
}

static int expand_fentry(struct target *t, const char *const *parts, size_t nparts,
			 probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	struct fentry_spec f = {.type = &probe_fentry, .attach = IMAGE_AT_FENTRY};

	return expand_as(&f, t, parts, nparts, cb, arg, err, errlen);
}

static int expand_fexit(struct target *t, const char *const *parts, size_t nparts,
			probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	struct fentry_spec f = {.type = &probe_fexit, .attach = IMAGE_AT_FEXIT};

	return expand_as(&f, t, parts, nparts, cb, arg, err, errlen);
}

/* ---- listing ---------------------------------------------------------------------- */

static int list_as(struct fentry_spec *f, struct target *t, const char *pattern, bool by_name_only,
		   probe_point_fn *cb, void *arg)
{
	struct expansion x = {.spec = f, .target = t, .cb = cb, .arg = arg};
	char module[64] = "*";
	const char *rest, *colon;
	int code;

	if (!probe_list_wanted(f->type, pattern, by_name_only, &rest) ||
	    !target_has(t, TARGET_F_FENTRY))
		return 0;
	colon = strchr(rest, ':');
	if (colon) {
		snprintf(module, sizeof(module), "%.*s", (int)(colon - rest), rest);
		rest = colon + 1;
	}
	code = target_each_function(t, module, rest, emit, &x);
	return code == -ENOENT ? 0 : code;
}

static int list_fentry(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct fentry_spec f = {.type = &probe_fentry, .attach = IMAGE_AT_FENTRY};

	return list_as(&f, t, pattern, false, cb, arg);
}

static int list_fexit(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct fentry_spec f = {.type = &probe_fexit, .attach = IMAGE_AT_FEXIT};

	return list_as(&f, t, pattern, true, cb, arg);
}

static const char *const fentry_aliases[] = {"f", "kfunc", NULL};
static const char *const fexit_aliases[] = {"fr", "kretfunc", NULL};

const struct probe_type probe_fentry = {
	.name = "fentry",
	.aliases = fentry_aliases,
	.flags = PROBE_HAS_ARGS | PROBE_HAS_FUNC,
	.expand = expand_fentry,
	.list = list_fentry,
};

const struct probe_type probe_fexit = {
	.name = "fexit",
	.aliases = fexit_aliases,
	.flags = PROBE_HAS_ARGS | PROBE_HAS_RETVAL | PROBE_HAS_FUNC,
	.expand = expand_fexit,
	.list = list_fexit,
};

/* ---- attaching ----------------------------------------------------------------------- */

int probe_prepare_typed(struct attach_env *env, const struct image *img,
			const struct image_attachment *at, struct bpf_program *prog)
{
	const char *target = image_str(img, at->target);
	int err = bpf_program__set_attach_target(prog, 0, target);

	return err ? probe_attach_fail(env, err == -ESRCH ? -ENOENT : err, target) : 0;
}

int probe_attach_typed(struct attach_env *env, const struct image *img,
		       const struct image_attachment *at, struct bpf_program *prog,
		       struct probe_link **link)
{
	const char *target = image_str(img, at->target);
	struct probe_link *l = probe_link_new(1, true);
	struct bpf_link *bpf;
	int err;

	if (!l)
		return probe_attach_fail(env, -ENOMEM, target);
	bpf = bpf_program__attach_trace(prog);
	if (!bpf) {
		err = -errno;
		probe_link_free(l);
		return probe_attach_fail(env, err, target);
	}
	probe_link_add(l, bpf);
	*link = l;
	return 0;
}

const struct attacher attacher_fentry = {
	.kind = IMAGE_AT_FENTRY,
	.prepare = probe_prepare_typed,
	.attach = probe_attach_typed,
	.slow_detach = true,
	.last_runs_first = true,
};
const struct attacher attacher_fexit = {
	.kind = IMAGE_AT_FEXIT,
	.prepare = probe_prepare_typed,
	.attach = probe_attach_typed,
	.slow_detach = true,
	.last_runs_first = true,
};
