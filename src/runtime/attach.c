/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching everything, asleep; and taking it off again. */
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

static int attach_one(struct run *r, struct attach_env *env, const struct image_attachment *at)
{
	const struct attacher *attacher = attacher_find(at->kind);
	struct bpf_program *prog = object_program(r, at);
	int err;

	if (!prog)
		return -ENOENT;
	env->err[0] = 0;
	if (!attacher || !attacher->attach) {
		snprintf(env->err, sizeof(env->err), "%s probes are not supported here",
			 image_attach_name(at->kind));
		err = -ENOTSUP;
	} else {
		err = attacher->attach(env, r->img, at, prog, &r->links[r->nlinks]);
	}
	if (!err) {
		r->nlinks++;
		r->nattached += at->nprobes;
		r->nwaiting += at->nprobes;
		return 0;
	}
	return may_skip(r, at, env->err) ? 0 : err;
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

int attach_all(struct run *r)
{
	struct attach_env env = {
		.target = r->target,
		.pid = r->child.pid ? r->child.pid : r->opts->pid,
		.verbose = r->opts->verbose,
	};

	r->links = calloc(r->img->nattachments + 1, sizeof(*r->links));
	if (!r->links)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->img->nattachments; i++) {
		const struct image_attachment *at = &r->img->attachments[i];
		int err;

		if (interrupted(r))
			return -EINTR;
		if (is_run(at->kind)) {
			r->nattached += at->nprobes;
			r->nwaiting += at->kind == IMAGE_AT_SELF ? at->nprobes : 0;
			continue;
		}
		err = attach_one(r, &env, at);
		if (err)
			return err;
	}
	if (r->nattached)
		return 0;
	run_error("Attachment failed for all probes.");
	return -ENOENT;
}

void detach_all(struct run *r)
{
	if (r->links)
		probe_links_free(r->links, r->nlinks);
	free(r->links);
	r->links = NULL;
	r->nlinks = 0;
}
