/* SPDX-License-Identifier: Apache-2.0 */
/* tracepoint: the kernel's events as perf shows them. */
#include "probes/probes_internal.h"

#include <errno.h>
#include <string.h>

struct expansion {
	probe_point_fn *cb;
	void *arg;
	const char *pattern; /* listing: what "category:event" must match; NULL: anything */
	bool found;
};

static int emit(const char *category, const char *event, void *arg)
{
	struct expansion *x = arg;
	char name[PROBE_NAME_MAX];
	struct probe_point p = {.name = name,
				.parts = {category, event},
				.attach = IMAGE_AT_TRACEPOINT,
				.target = name + strlen("tracepoint:")};

	snprintf(name, sizeof(name), "tracepoint:%s:%s", category, event);
	if (x->pattern && !target_glob(x->pattern, p.target))
		return 0;
	x->found = true;
	return x->cb(&p, x->arg);
}

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	/* one part with a wildcard is an event of any category */
	bool any = nparts == 1 && target_has_wildcard(parts[0]);
	const char *category = any ? "*" : nparts ? parts[0] : "";
	const char *event = any ? parts[0] : nparts == 2 ? parts[1] : "";
	struct expansion x = {.cb = cb, .arg = arg};
	int code;

	if (!any && nparts != 2)
		return probe_fail(err, errlen, -EINVAL,
				  "tracepoint probe type requires 2 arguments, found %zu", nparts);
	if (!*category || !*event)
		return probe_fail(err, errlen, -EINVAL, "tracepoint probe must have a target");
	code = target_each_tracepoint(t, category, event, emit, &x);
	if (!x.found && target_is_portable(t) && !target_has_wildcard(category) &&
	    !target_has_wildcard(event)) /* whoever loads it will see */
		code = emit(category, event, &x);
	if (x.found || code > 0)
		return code;
	if (code && code != -ENOENT)
		return probe_fail(err, errlen, code, "cannot read the list of tracepoints: %s",
				  strerror(-code));
	return probe_fail(err, errlen, -ENOENT, "No matches for tracepoint %s:%s.", category,
			  event);
}

static int list(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct expansion x = {.cb = cb, .arg = arg};
	const char *rest;

	if (!probe_list_wanted(&probe_tracepoint, pattern, false, &rest))
		return 0;
	if (!strchr(rest, ':'))
		return target_each_tracepoint(t, "*", rest, emit, &x);
	x.pattern = rest;
	return target_each_tracepoint(t, "*", "*", emit, &x);
}

static const char *const aliases[] = {"t", NULL};

const struct probe_type probe_tracepoint = {
	.name = "tracepoint",
	.aliases = aliases,
	.flags = PROBE_HAS_ARGS,
	.expand = expand,
	.list = list,
};

/* The id of tracepoint "category:event", or a negative errno. */
static int find_id(struct target *t, const char *target)
{
	const char *colon = strchr(target, ':');
	char category[PROBE_NAME_MAX];

	if (!colon || (size_t)(colon - target) >= sizeof(category))
		return -ENOENT;
	memcpy(category, target, colon - target);
	category[colon - target] = 0;
	return target_tracepoint_id(t, category, colon + 1);
}

/*
 * A program sees the events of all CPUs and processes, whichever the perf event is for:
 * the kernel runs it before it looks at that.
 */
static int attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link)
{
	const char *target = image_str(img, at->target);
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT};
	int id = find_id(env->target, target), err;
	struct probe_link *l;

	if (id < 0)
		return probe_attach_fail(env, id, target);
	attr.config = id;
	l = probe_link_new(1, true);
	if (!l)
		return probe_attach_fail(env, -ENOMEM, target);
	err = probe_attach_perf(env, prog, &attr, -1, probe_first_cpu(), l);
	if (err)
		probe_link_free(l);
	else
		*link = l;
	return err;
}

const struct attacher attacher_tracepoint = {
	.kind = IMAGE_AT_TRACEPOINT,
	.attach = attach,
	.slow_detach = true,
};
