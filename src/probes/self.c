/* SPDX-License-Identifier: Apache-2.0 */
/* self: what happens to the tracer; run by it, not attached. */
#include "probes/probes_internal.h"

#include <errno.h>
#include <string.h>

#define SIGNAL "SIGUSR1" /* the one that nothing else is done on */

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	struct probe_point p = {.name = "self:signal:" SIGNAL,
				.parts = {"signal", SIGNAL},
				.attach = IMAGE_AT_SELF,
				.target = SIGNAL};

	(void)t;
	if (nparts != 2)
		return probe_fail(err, errlen, -EINVAL,
				  "self probe type requires 2 arguments, found %zu", nparts);
	if (strcmp(parts[0], "signal"))
		return probe_fail(err, errlen, -EINVAL, "%s is not a supported trigger", parts[0]);
	if (strcmp(parts[1], SIGNAL))
		return probe_fail(err, errlen, -EINVAL, "%s is not a supported signal", parts[1]);
	return cb(&p, arg);
}

static const char *const aliases[] = {NULL};

const struct probe_type probe_self = {
	.name = "self",
	.aliases = aliases,
	.flags = PROBE_UNGATED | PROBE_NO_WILDCARD | PROBE_SPECIAL,
	.expand = expand,
};
