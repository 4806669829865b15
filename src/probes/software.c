/* SPDX-License-Identifier: Apache-2.0 */
/* software: the kernel's own counters, every so many events. */
#include "probes/probes_internal.h"

/* Sorted by name, aliases too, as they are listed. */
static const struct probe_counter events[] = {
	{"alignment-faults", PERF_COUNT_SW_ALIGNMENT_FAULTS, 1},
	{"bpf-output", PERF_COUNT_SW_BPF_OUTPUT, 1},
	{"context-switches", PERF_COUNT_SW_CONTEXT_SWITCHES, 1000},
	{"cpu-clock", PERF_COUNT_SW_CPU_CLOCK, 1000000},
	{"cpu-migrations", PERF_COUNT_SW_CPU_MIGRATIONS, 1},
	{"cpu", PERF_COUNT_SW_CPU_CLOCK, 1000000},
	{"cs", PERF_COUNT_SW_CONTEXT_SWITCHES, 1000},
	{"dummy", PERF_COUNT_SW_DUMMY, 1},
	{"emulation-faults", PERF_COUNT_SW_EMULATION_FAULTS, 1},
	{"faults", PERF_COUNT_SW_PAGE_FAULTS, 100},
	{"major-faults", PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1},
	{"minor-faults", PERF_COUNT_SW_PAGE_FAULTS_MIN, 100},
	{"page-faults", PERF_COUNT_SW_PAGE_FAULTS, 100},
	{"task-clock", PERF_COUNT_SW_TASK_CLOCK, 1},
};

static const struct probe_counters counters = {
	.type = &probe_software,
	.attach = IMAGE_AT_SOFTWARE,
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

static const char *const aliases[] = {"s", NULL};

const struct probe_type probe_software = {
	.name = "software",
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
		.config = at->arg[0],
		.sample_period = at->arg[1],
	};

	(void)img;
	return probe_attach_everywhere(env, prog, &attr, link);
}

const struct attacher attacher_software = {.kind = IMAGE_AT_SOFTWARE, .attach = attach};
