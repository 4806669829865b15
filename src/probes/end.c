/* SPDX-License-Identifier: Apache-2.0 */
/* end: runs once, after the other probes have gone to sleep. */
#include "probes/probes_internal.h"

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	(void)t;
	return probe_expand_plain("end", IMAGE_AT_END, parts, nparts, cb, arg, err, errlen);
}

static const char *const aliases[] = {"END", NULL};

const struct probe_type probe_end = {
	.name = "end",
	.aliases = aliases,
	.flags = PROBE_UNGATED | PROBE_NO_WILDCARD | PROBE_NO_PREDICATE | PROBE_SPECIAL,
	.expand = expand,
};
