/* SPDX-License-Identifier: Apache-2.0 */
/* bench: run again and again with --bench, to be timed. */
#include "probes/probes_internal.h"

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	(void)t;
	return probe_expand_named("bench", IMAGE_AT_BENCH, parts, nparts, cb, arg, err, errlen);
}

static const char *const aliases[] = {NULL};

const struct probe_type probe_bench = {
	.name = "bench",
	.aliases = aliases,
	.flags = PROBE_UNGATED | PROBE_NO_WILDCARD | PROBE_RETURNS,
	.expand = expand,
};
