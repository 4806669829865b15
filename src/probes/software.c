/* SPDX-License-Identifier: Apache-2.0 */
/* software: the kernel's own counters, every so many events. */
#include "probes/probes_internal.h"

#include <errno.h>
#include <string.h>

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

struct software_event {
	const char *name;
	enum perf_sw_ids config;
	uint64_t count; /* by default */
};

/* Sorted by name, aliases too, as they are listed. */
static const struct software_event events[] = {
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

static const struct software_event *find_event(const char *name)
{
	for (size_t i = 0; i < LENGTH(events); i++) {
		if (!strcmp(events[i].name, name))
			return &events[i];
	}
	return NULL;
}

static int parse_count(const char *part, uint64_t *count, char *err, size_t errlen)
{
	char why[256];

	*count = 0;
	if (!part || !strcmp(part, "*"))
		return 0;
	if (probe_parse_uint(part, count, why, sizeof(why)))
		return probe_fail(err, errlen, -EINVAL, "Invalid count for software probe: %s",
				  why);
	return 0;
}

/* Checks in the order in which bpftrace complains. */
static int parse(const char *const *parts, size_t nparts, const struct software_event **event,
		 uint64_t *count, char *err, size_t errlen)
{
	if (nparts != 1 && nparts != 2)
		return probe_fail(err, errlen, -EINVAL,
				  "software probe type requires 1 or 2 arguments, found %zu",
				  nparts);
	if (parse_count(nparts == 2 ? parts[1] : NULL, count, err, errlen))
		return -EINVAL;
	if (!*parts[0])
		return probe_fail(err, errlen, -EINVAL,
				  "software probe must have a software event name");
	if (target_has_wildcard(parts[0]))
		return probe_fail(err, errlen, -EINVAL,
				  "wildcards are not allowed for software probe type");
	*event = find_event(parts[0]);
	if (!*event)
		return probe_fail(err, errlen, -EINVAL, "%s is not a software probe", parts[0]);
	if (*count > INT64_MAX)
		return probe_fail(err, errlen, -EINVAL,
				  "software count should be a positive integer");
	return 0;
}

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	char name[64], text[24] = "";
	struct probe_point p = {.name = name, .attach = IMAGE_AT_SOFTWARE};
	const struct software_event *event = NULL;
	uint64_t count;
	int code = parse(parts, nparts, &event, &count, err, errlen);

	(void)t;
	if (code)
		return code;
	if (count)
		snprintf(text, sizeof(text), ":%llu", (unsigned long long)count);
	snprintf(name, sizeof(name), "software:%s%s", event->name, text);
	p.parts[0] = event->name;
	p.parts[1] = count ? text + 1 : NULL;
	p.target = event->name;
	p.arg[0] = event->config;
	p.arg[1] = count ? count : event->count;
	return cb(&p, arg);
}

static int list(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	const char *rest;
	int err = 0;

	(void)t;
	if (!probe_list_wanted(&probe_software, pattern, false, &rest))
		return 0;
	for (size_t i = 0; i < LENGTH(events) && !err; i++) {
		char name[64];
		struct probe_point p = {.name = name, .parts = {events[i].name}};

		snprintf(name, sizeof(name), "software:%s:", events[i].name);
		err = target_glob(rest, name + strlen("software:")) ? cb(&p, arg) : 0;
	}
	return err;
}

static const char *const aliases[] = {"s", NULL};

const struct probe_type probe_software = {
	.name = "software",
	.aliases = aliases,
	.flags = PROBE_NO_WILDCARD,
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
	return probe_attach_all_cpus(env, prog, &attr, link);
}

const struct attacher attacher_software = {.kind = IMAGE_AT_SOFTWARE, .attach = attach};
