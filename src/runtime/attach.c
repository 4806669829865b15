/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching everything, asleep; and taking it off again. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "runtime/internal.h"
#include "runtime/stages.h"

/* Kinds that are run by us, not attached. */
static bool is_run(uint32_t kind)
{
	return kind == IMAGE_AT_BEGIN || kind == IMAGE_AT_END || kind == IMAGE_AT_SELF ||
	       kind == IMAGE_AT_TEST || kind == IMAGE_AT_BENCH;
}

void raise_file_limit(const struct run *r)
{
	/* a program, a perf event and a link a probe, on each CPU where it must be; maps */
	rlim_t need = (rlim_t)r->img->nattachments * (2 + r->ncpus) + r->img->nmaps + 64;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= need)
		return;
	limit.rlim_cur = need;
	if (limit.rlim_max < need)
		limit.rlim_max = need;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		run_warning(
			r,
			"couldn't set RLIMIT_NOFILE to %llu (%s). If probes cannot be attached, "
			"try \"ulimit -n\"",
			(unsigned long long)need, strerror(errno));
}

/* Says why. Returns true when the run goes on without this probe. */
static bool may_skip(const struct run *r, const struct image_attachment *at, const char *err)
{
	const char *name = image_str(r->img, r->img->probes[at->probe].name);

	switch (r->img->config->missing_probes) {
	case IMAGE_MISSING_IGNORE:
		return true;
	case IMAGE_MISSING_WARN:
		if (*err)
			run_warning(r, "%s", err);
		run_warning(r, "Unable to attach probe: %s. Skipping.", name);
		return true;
	default:
		if (*err)
			run_error("%s", err);
		run_error("Unable to attach probe: %s. If this is expected, set the "
			  "'missing_probes' config variable to 'warn'.",
			  name);
		return false;
	}
}

static bool has_attachment(const struct image *img, const char *prog)
{
	for (uint32_t i = 0; i < img->nattachments; i++)
		if (!strcmp(image_str(img, img->attachments[i].prog), prog))
			return true;
	return false;
}

/* Programs of a portable image that can do nothing on this kernel are not loaded. */
static void leave_out_unattached(struct run *r)
{
	struct bpf_program *prog;

	if (!r->img->nrelocs)
		return;
	bpf_object__for_each_program(prog, r->obj)
	{
		if (!has_attachment(r->img, bpf_program__name(prog)))
			bpf_program__set_autoload(prog, false);
	}
}

int prepare_programs(struct run *r)
{
	struct attach_env env = {.target = r->target, .pid = traced_pid(r)};

	leave_out_unattached(r);
	for (uint32_t i = 0; i < r->img->nattachments; i++) {
		const struct image_attachment *at = &r->img->attachments[i];
		const struct attacher *attacher = attacher_find(at->kind);
		struct bpf_program *prog;
		int err;

		if (runs_in_mode(r, at->kind) && (!attacher || !attacher->prepare))
			continue;
		prog = object_program(r, at);
		if (!prog)
			return -ENOENT;
		if (!runs_in_mode(r, at->kind)) {
			bpf_program__set_autoload(prog, false);
			continue;
		}
		env.err[0] = 0;
		err = attacher->prepare(&env, r->img, at, prog);
		if (err && !may_skip(r, at, env.err))
			return err;
		if (err)
			bpf_program__set_autoload(prog, false);
	}
	prepare_bench(r);
	return 0;
}

/* What became of attaching the @n rows at @at: counted, or said and perhaps passed over. */
static int attached(struct run *r, const struct image_attachment *at, uint32_t n, int err,
		    const char *why)
{
	if (err)
		return may_skip(r, at, why) ? 0 : err;
	r->link_rows[r->nlinks++] = at - r->img->attachments;
	for (uint32_t i = 0; i < n; i++) {
		if (at[i].flags & IMAGE_ATTACHMENT_AGAIN)
			continue;
		r->nattached += at[i].nprobes;
		r->nwaiting += at[i].kind == IMAGE_AT_ITER ? 0 : at[i].nprobes;
	}
	return 0;
}

static int attach_one(struct run *r, struct attach_env *env, const struct image_attachment *at,
		      struct bpf_program *prog)
{
	const struct attacher *attacher = attacher_find(at->kind);
	int err;

	env->err[0] = 0;
	if (!attacher || !attacher->attach) {
		snprintf(env->err, sizeof(env->err), "%s probes are not supported here",
			 image_attach_name(at->kind));
		err = -ENOTSUP;
	} else {
		err = attacher->attach(env, r->img, at, prog, &r->links[r->nlinks]);
	}
	return attached(r, at, 1, err, env->err);
}

/* One that cannot be had keeps all from being attached: halves then tell which one it is. */
static int attach_many(struct run *r, struct attach_env *env, const struct image_attachment *at,
		       uint32_t n, struct bpf_program *prog)
{
	const struct attacher *attacher = attacher_find(at->kind);
	int err;

	env->err[0] = 0;
	err = attacher->attach_many(env, r->img, at, n, prog, &r->links[r->nlinks]);
	if (!err || n == 1)
		return attached(r, at, n, err, env->err);
	err = attach_many(r, env, at, n / 2, prog);
	return err ? err : attach_many(r, env, at + n / 2, n - n / 2, prog);
}

/* How many of the rows go into one link. */
static uint32_t one_link(const struct image_attachment *at, uint32_t max)
{
	uint32_t n = 1;

	if (attacher_find(at->kind)->many_targets)
		return max;
	while (n < max && at[n].target == at->target)
		n++;
	return n;
}

/* A signal while many probes are being attached ends the attempt. */
static bool interrupted(struct run *r)
{
	int sig;

	while ((sig = signals_next(&r->signals)))
		if (sig == SIGINT || sig == SIGTERM)
			return true;
	return false;
}

/* Attaches the @n rows of one program. */
static int attach_program(struct run *r, struct attach_env *env, const struct image_attachment *at,
			  uint32_t n)
{
	bool many = object_attaches_many(r, at, n);
	struct bpf_program *prog = object_program(r, at);
	uint32_t step;
	int err = 0;

	if (!prog)
		return -ENOENT;
	if (!bpf_program__autoload(prog)) /* left out while loading */
		return 0;
	for (uint32_t i = 0; i < n && !err; i += step) {
		if (interrupted(r))
			return -EINTR;
		step = many ? one_link(at + i, n - i) : 1;
		err = many ? attach_many(r, env, at + i, step, prog)
			   : attach_one(r, env, at + i, prog);
	}
	return err;
}

static bool has_kind(const struct run *r, uint32_t kind)
{
	for (uint32_t i = 0; i < r->img->nattachments; i++)
		if (r->img->attachments[i].kind == kind)
			return true;
	return false;
}

static int nothing_attached(const struct run *r)
{
	if (r->opts->mode != RUNTIME_TEST && has_kind(r, IMAGE_AT_TEST))
		run_error("No probes attached; use --test to run test probes.");
	else if (r->opts->mode != RUNTIME_BENCH && has_kind(r, IMAGE_AT_BENCH))
		run_error("No probes attached; use --bench to run benchmark probes.");
	else
		run_error("Attachment failed for all probes.");
	return -ENOENT;
}

static bool last_runs_first(const struct image_attachment *at)
{
	const struct attacher *a = attacher_find(at->kind);

	return a && a->last_runs_first;
}

/* The rows of one program, the first of which is @row; or that of one that we run ourselves. */
static int attach_rows(struct run *r, struct attach_env *env, uint32_t row)
{
	const struct image_attachment *at = &r->img->attachments[row];

	if (!is_run(at->kind))
		return attach_program(r, env, at, object_same_program(r, at));
	r->nattached += at->nprobes;
	r->nwaiting += at->kind == IMAGE_AT_SELF ? at->nprobes : 0;
	return 0;
}

/*
 * So that probes at one place run in the order of the script: @first are the first rows of the
 * programs.
 */
static int attach_in_order(struct run *r, struct attach_env *env, const uint32_t *first, uint32_t n)
{
	int err = 0;

	for (uint32_t i = 0; i < n && !err; i++)
		if (!last_runs_first(&r->img->attachments[first[i]]))
			err = attach_rows(r, env, first[i]);
	for (uint32_t i = n; i > 0 && !err; i--)
		if (last_runs_first(&r->img->attachments[first[i - 1]]))
			err = attach_rows(r, env, first[i - 1]);
	return err;
}

int attach_all(struct run *r)
{
	struct attach_env env = {
		.target = r->target,
		.pid = traced_pid(r),
		.verbose = r->opts->verbose,
	};
	uint32_t *first = calloc(r->img->nattachments + 1, sizeof(*first)), n = 0;
	int err = -ENOMEM;

	r->links = calloc(r->img->nattachments + 1, sizeof(*r->links));
	r->link_rows = calloc(r->img->nattachments + 1, sizeof(*r->link_rows));
	if (!r->links || !r->link_rows || !first)
		goto out;
	for (uint32_t i = 0; i < r->img->nattachments;) {
		const struct image_attachment *at = &r->img->attachments[i];

		if (runs_in_mode(r, at->kind))
			first[n++] = i;
		i += is_run(at->kind) ? 1 : object_same_program(r, at);
	}
	err = attach_in_order(r, &env, first, n);
	if (!err && !r->nattached)
		err = nothing_attached(r);
out:
	free(first);
	return err;
}

void restart_timers(struct run *r)
{
	for (size_t i = 0; i < r->nlinks; i++) {
		const struct image_attachment *at = &r->img->attachments[r->link_rows[i]];
		const struct attacher *a = attacher_find(at->kind);

		if (a && a->wake && r->links[i])
			a->wake(at, r->links[i]);
	}
}

void detach_all(struct run *r)
{
	if (r->links)
		probe_links_free(r->links, r->nlinks);
	free(r->links);
	free(r->link_rows);
	r->link_rows = NULL;
	r->links = NULL;
	r->nlinks = 0;
}
