/* SPDX-License-Identifier: Apache-2.0 */
/* test: run once with --test, to return 0. */
#include "probes/probes_internal.h"

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	(void)t;
	return probe_expand_named("test", IMAGE_AT_TEST, parts, nparts, cb, arg, err, errlen);
}

static const char *const aliases[] = {NULL};

const struct probe_type probe_test = {
	.name = "test",
	.aliases = aliases,
	.flags = PROBE_UNGATED | PROBE_NO_WILDCARD | PROBE_RETURNS,
	.expand = expand,
};
