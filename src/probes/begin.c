/* SPDX-License-Identifier: Apache-2.0 */
/* begin: runs once, before the other probes wake. */
#include "probes/probes_internal.h"

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	(void)t;
	return probe_expand_plain("begin", IMAGE_AT_BEGIN, parts, nparts, cb, arg, err, errlen);
}

static const char *const aliases[] = {"BEGIN", NULL};

const struct probe_type probe_begin = {
	.name = "begin",
	.aliases = aliases,
	.flags = PROBE_UNGATED | PROBE_NO_WILDCARD | PROBE_NO_PREDICATE | PROBE_SPECIAL,
	.expand = expand,
};
