/* SPDX-License-Identifier: Apache-2.0 */
/* iter: every object of a kind that the kernel has, once, when the run starts. */
#include "probes/probes_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "target/btf_view.h"

#define CONTEXT "bpf_iter__" /* the struct that an iterator's program is given */
#define PINS    "/sys/fs/bpf/"

/* ---- expanding ------------------------------------------------------------------- */

static bool has_iterator(struct target *t, const char *name)
{
	struct btf_view *v = target_btf_view(t);
	char type[128];

	snprintf(type, sizeof(type), CONTEXT "%s", name);
	return v && btf_view_find(v, BTF_KIND_STRUCT, type);
}

static int parse(struct target *t, const char *const *parts, size_t nparts, char *err,
		 size_t errlen)
{
	if (nparts != 1 && nparts != 2)
		return probe_fail(err, errlen, -EINVAL,
				  "iter probe type takes 2 arguments (1 optional)");
	if (target_has_wildcard(parts[0]) || (nparts == 2 && target_has_wildcard(parts[1])))
		return probe_fail(err, errlen, -EINVAL,
				  "iter probe type does not support wildcards");
	if (!*parts[0])
		return probe_fail(err, errlen, -EINVAL, "iter should specify a iterator's name");
	if (nparts == 2 && !*parts[1])
		return probe_fail(err, errlen, -EINVAL, "iter should specify the name of the pin");
	if (!has_iterator(t, parts[0]))
		return probe_fail(err, errlen, -EINVAL,
				  "iter %s not available for your kernel version.", parts[0]);
	return 0;
}

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	char name[PROBE_NAME_MAX], target[PROBE_NAME_MAX];
	struct probe_point p = {.name = name, .attach = IMAGE_AT_ITER, .target = target};
	const char *pin = nparts == 2 ? parts[1] : "";
	int code = parse(t, parts, nparts, err, errlen);

	if (code)
		return code;
	p.parts[0] = parts[0];
	p.parts[1] = *pin ? pin : NULL;
	snprintf(name, sizeof(name), "iter:%s%s%s", parts[0], *pin ? ":" : "", pin);
	snprintf(target, sizeof(target), "%s%s%s%s", parts[0], *pin ? ":" : "",
		 *pin && *pin != '/' ? PINS : "", pin);
	return cb(&p, arg);
}

/* ---- listing ------------------------------------------------------------------------ */

/* A variant of the same struct for the verifier. */
static bool is_variant(const char *name)
{
	return strstr(name, "__safe_");
}

static int list(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct btf_view *v = target_btf_view(t);
	const char *rest;
	int err = 0;

	if (!v || !probe_list_wanted(&probe_iter, pattern, false, &rest))
		return 0;
	for (uint32_t id = 1; id < btf_view_count(v) && !err; id++) {
		const struct btf_type *type = btf_view_type(v, id);
		const char *found = btf_view_str(v, type->name_off);
		char name[PROBE_NAME_MAX];
		struct probe_point p = {.name = name, .attach = IMAGE_AT_ITER};

		if (BTF_INFO_KIND(type->info) != BTF_KIND_STRUCT ||
		    strncmp(found, CONTEXT, strlen(CONTEXT)) || is_variant(found))
			continue;
		p.parts[0] = found + strlen(CONTEXT);
		snprintf(name, sizeof(name), "iter:%s", p.parts[0]);
		err = target_glob(rest, p.parts[0]) ? cb(&p, arg) : 0;
	}
	return err;
}

static const char *const aliases[] = {"it", NULL};

const struct probe_type probe_iter = {
	.name = "iter",
	.aliases = aliases,
	.flags = PROBE_UNGATED | PROBE_NO_WILDCARD,
	.expand = expand,
	.list = list,
};

/* ---- attaching ------------------------------------------------------------------------ */

static int prepare(struct attach_env *env, const struct image *img,
		   const struct image_attachment *at, struct bpf_program *prog)
{
	const char *target = image_str(img, at->target);
	char name[128];
	int err;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(target, ":"), target);
	err = bpf_program__set_attach_target(prog, 0, name);
	return err ? probe_attach_fail(env, err == -ESRCH ? -ENOENT : err, name) : 0;
}

static int attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link)
{
	const char *target = image_str(img, at->target);
	union bpf_iter_link_info info = {.task.pid = env->pid};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);
	struct probe_link *l = probe_link_new(1, false);
	struct bpf_link *bpf;
	int err;

	if (!l)
		return probe_attach_fail(env, -ENOMEM, target);
	if (env->pid) {
		opts.link_info = &info;
		opts.link_info_len = sizeof(info);
	}
	bpf = bpf_program__attach_iter(prog, &opts);
	if (!bpf) {
		err = -errno;
		probe_link_free(l);
		if (env->pid && (err == -EINVAL || err == -E2BIG))
			return probe_fail(env->err, sizeof(env->err), err,
					  "iter:%s of one process only needs Linux 6.1", target);
		return probe_attach_fail(env, err, target);
	}
	err = probe_link_add(l, bpf);
	*link = l;
	return err;
}

const struct attacher attacher_iter = {
	.kind = IMAGE_AT_ITER,
	.prepare = prepare,
	.attach = attach,
};
