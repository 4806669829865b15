/* SPDX-License-Identifier: Apache-2.0 */
/* What software and hardware have in common: counters, and a probe every so many events. */
#include "probes/probes_internal.h"

#include <errno.h>
#include <string.h>

static const struct probe_counter *find_event(const struct probe_counters *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		if (!strcmp(c->events[i].name, name))
			return &c->events[i];
	}
	return NULL;
}

static int parse_count(const char *type, const char *part, uint64_t *count, char *err,
		       size_t errlen)
{
	char why[256];

	*count = 0;
	if (!part || !strcmp(part, "*"))
		return 0;
	if (probe_parse_uint(part, count, why, sizeof(why)))
		return probe_fail(err, errlen, -EINVAL, "Invalid count for %s probe: %s", type,
				  why);
	return 0;
}

/* Checks in the order in which bpftrace complains. */
static int parse(const struct probe_counters *c, const char *const *parts, size_t nparts,
		 const struct probe_counter **event, uint64_t *count, char *err, size_t errlen)
{
	const char *type = c->type->name;

	if (nparts != 1 && nparts != 2)
		return probe_fail(err, errlen, -EINVAL,
				  "%s probe type requires 1 or 2 arguments, found %zu", type,
				  nparts);
	if (parse_count(type, nparts == 2 ? parts[1] : NULL, count, err, errlen))
		return -EINVAL;
	if (!*parts[0])
		return probe_fail(err, errlen, -EINVAL, "%s probe must have a %s event name", type,
				  type);
	if (target_has_wildcard(parts[0]))
		return probe_fail(err, errlen, -EINVAL,
				  "wildcards are not allowed for %s probe type", type);
	*event = find_event(c, parts[0]);
	if (!*event)
		return probe_fail(err, errlen, -EINVAL, "%s is not a %s probe", parts[0], type);
	if (*count > INT64_MAX)
		return probe_fail(err, errlen, -EINVAL, "%s count should be a positive integer",
				  type);
	return 0;
}

int probe_expand_counter(const struct probe_counters *c, const char *const *parts, size_t nparts,
			 probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	char name[64], text[24] = "";
	struct probe_point p = {.name = name, .attach = c->attach};
	const struct probe_counter *event = NULL;
	uint64_t count;
	int code = parse(c, parts, nparts, &event, &count, err, errlen);

	if (code)
		return code;
	if (count)
		snprintf(text, sizeof(text), ":%llu", (unsigned long long)count);
	snprintf(name, sizeof(name), "%s:%s%s", c->type->name, event->name, text);
	p.parts[0] = event->name;
	p.parts[1] = count ? text + 1 : NULL;
	p.target = event->name;
	p.arg[0] = event->config;
	p.arg[1] = count ? count : event->count;
	return cb(&p, arg);
}

int probe_list_counters(const struct probe_counters *c, const char *pattern, probe_point_fn *cb,
			void *arg)
{
	const char *rest;
	int err = 0;

	if (!probe_list_wanted(c->type, pattern, false, &rest))
		return 0;
	for (size_t i = 0; i < c->n && !err; i++) {
		char name[64];
		struct probe_point p = {.name = name, .parts = {c->events[i].name}};

		snprintf(name, sizeof(name), "%s:%s:", c->type->name, c->events[i].name);
		err = target_glob(rest, name + strlen(c->type->name) + 1) ? cb(&p, arg) : 0;
	}
	return err;
}
