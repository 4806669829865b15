/* SPDX-License-Identifier: Apache-2.0 */
/* interval: a timer on one CPU. */
#include "probes/probes_internal.h"

#include <errno.h>

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	char name[64], count[24];
	struct probe_point p = {.name = name, .attach = IMAGE_AT_INTERVAL, .target = ""};
	struct probe_rate r;
	int code = probe_parse_rate("interval", parts, nparts, &r, err, errlen);

	(void)t;
	if (code)
		return code;
	if (r.period_ns < 1000)
		return probe_fail(err, errlen, -EINVAL,
				  "Invalid rate of interval probe. Minimum is 1000 or 1us. "
				  "Found: %llu nanoseconds",
				  (unsigned long long)r.period_ns);
	snprintf(count, sizeof(count), "%llu", (unsigned long long)r.count);
	snprintf(name, sizeof(name), "interval:%s:%s", r.unit, count);
	p.parts[0] = r.unit;
	p.parts[1] = count;
	p.arg[0] = r.period_ns;
	return cb(&p, arg);
}

static int list(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	(void)t;
	return probe_list_units(&probe_interval, pattern, cb, arg);
}

static const char *const aliases[] = {"i", NULL};

const struct probe_type probe_interval = {
	.name = "interval",
	.aliases = aliases,
	.flags = PROBE_NO_WILDCARD | PROBE_HAS_REGS,
	.expand = expand,
	.list = list,
};

static int attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = at->arg[0],
	};
	struct probe_link *l = probe_link_new(1, false);
	int err;

	(void)img;
	if (!l)
		return probe_attach_fail(env, -ENOMEM, "interval");
	err = probe_attach_perf(env, prog, &attr, -1, probe_first_cpu(), l);
	if (err)
		probe_link_free(l);
	else
		*link = l;
	return err;
}

static void wake(const struct image_attachment *at, struct probe_link *link)
{
	probe_link_restart(link, at->arg[0]);
}

const struct attacher attacher_interval = {
	.kind = IMAGE_AT_INTERVAL,
	.attach = attach,
	.wake = wake,
};
