/* SPDX-License-Identifier: Apache-2.0 */
/* profile: a timer on every CPU. */
#include "probes/probes_internal.h"

#include <errno.h>
#include <string.h>

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	char name[64], count[24];
	struct probe_point p = {.name = name, .attach = IMAGE_AT_PROFILE, .target = ""};
	struct probe_rate r;
	int code = probe_parse_rate("profile", parts, nparts, &r, err, errlen);

	(void)t;
	if (code)
		return code;
	snprintf(count, sizeof(count), "%llu", (unsigned long long)r.count);
	snprintf(name, sizeof(name), "profile:%s:%s", r.unit, count);
	p.parts[0] = r.unit;
	p.parts[1] = count;
	if (!strcmp(r.unit, "hz"))
		p.arg[0] = r.count;
	else
		p.arg[1] = r.period_ns;
	return cb(&p, arg);
}

static int list(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	(void)t;
	return probe_list_units(&probe_profile, pattern, cb, arg);
}

static const char *const aliases[] = {"p", NULL};

const struct probe_type probe_profile = {
	.name = "profile",
	.aliases = aliases,
	.flags = PROBE_NO_WILDCARD | PROBE_HAS_REGS,
	.expand = expand,
	.list = list,
};

/* The highest frequency that the kernel lets an event have, or INT64_MAX. */
static int64_t max_frequency(void)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_max_sample_rate", "re");
	long long max = INT64_MAX;

	if (f && fscanf(f, "%lld", &max) != 1)
		max = INT64_MAX;
	if (f)
		fclose(f);
	return max;
}

static int attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .config = PERF_COUNT_SW_CPU_CLOCK,
				       .freq = at->arg[0] != 0};
	int64_t max;
	int err;

	(void)img;
	if (at->arg[0])
		attr.sample_freq = at->arg[0];
	else
		attr.sample_period = at->arg[1];
	err = probe_attach_everywhere(env, prog, &attr, link);
	max = err && attr.freq ? max_frequency() : INT64_MAX;
	if (at->arg[0] > max)
		snprintf(env->err, sizeof(env->err),
			 "%lld Hz is more than kernel.perf_event_max_sample_rate, %lld",
			 (long long)at->arg[0], (long long)max);
	return err;
}

/* The kernel has made a period of the frequency, too. */
static void wake(const struct image_attachment *at, struct probe_link *link)
{
	probe_link_restart(link, at->arg[0] ? 1000000000 / at->arg[0] : at->arg[1]);
}

const struct attacher attacher_profile = {
	.kind = IMAGE_AT_PROFILE,
	.attach = attach,
	.wake = wake,
};
