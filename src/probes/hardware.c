/* SPDX-License-Identifier: Apache-2.0 */
/* hardware: the processor's counters, every so many events. */
#include "probes/probes_internal.h"

#include <errno.h>

/* Sorted by name, aliases too, as they are listed. */
static const struct probe_counter events[] = {
	{"backend-stalls", PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1000000},
	{"branch-instructions", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000},
	{"branch-misses", PERF_COUNT_HW_BRANCH_MISSES, 100000},
	{"branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000},
	{"bus-cycles", PERF_COUNT_HW_BUS_CYCLES, 100000},
	{"cache-misses", PERF_COUNT_HW_CACHE_MISSES, 1000000},
	{"cache-references", PERF_COUNT_HW_CACHE_REFERENCES, 1000000},
	{"cpu-cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000},
	{"cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000},
	{"frontend-stalls", PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1000000},
	{"instructions", PERF_COUNT_HW_INSTRUCTIONS, 1000000},
	{"ref-cycles", PERF_COUNT_HW_REF_CPU_CYCLES, 1000000},
};

static const struct probe_counters counters = {
	.type = &probe_hardware,
	.attach = IMAGE_AT_HARDWARE,
	.events = events,
	.n = sizeof(events) / sizeof(*events),
};

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	(void)t;
	return probe_expand_counter(&counters, parts, nparts, cb, arg, err, errlen);
}

static int list(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	(void)t;
	return probe_list_counters(&counters, pattern, cb, arg);
}

static const char *const aliases[] = {"h", NULL};

const struct probe_type probe_hardware = {
	.name = "hardware",
	.aliases = aliases,
	.flags = PROBE_NO_WILDCARD | PROBE_HAS_REGS,
	.expand = expand,
	.list = list,
};

/* Virtual machines often have no counters, and no processor has all of them. */
static int attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.config = at->arg[0],
		.sample_period = at->arg[1],
	};
	int err = probe_attach_everywhere(env, prog, &attr, link);

	if (err == -ENOENT || err == -EOPNOTSUPP || err == -ENODEV || err == -EINVAL)
		return probe_fail(env->err, sizeof(env->err), err,
				  "hardware:%s: this machine's processor does not count it (as is "
				  "common in virtual machines)",
				  image_str(img, at->target));
	return err;
}

const struct attacher attacher_hardware = {.kind = IMAGE_AT_HARDWARE, .attach = attach};
