/* SPDX-License-Identifier: Apache-2.0 */
/* Attach points to probes, without those that the target is to do without (--no-probe). */
#include "probes/probes_internal.h"

#include <errno.h>

struct filter {
	struct target *t;
	probe_point_fn *cb;
	void *arg;
	bool hidden, found;
};

static int pass(const struct probe_point *p, void *arg)
{
	struct filter *f = arg;

	if (target_hides_probe(f->t, p->name)) {
		f->hidden = true;
		return 0;
	}
	f->found = true;
	return f->cb(p, f->arg);
}

int probe_expand(const struct probe_type *type, struct target *t, const char *const *parts,
		 size_t nparts, probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	struct filter f = {.t = t, .cb = cb, .arg = arg};
	int code = type->expand(t, parts, nparts, pass, &f, err, errlen);

	if (code || f.found || !f.hidden)
		return code;
	return probe_fail(err, errlen, -ENOENT, "No matches for %s: switched off by --no-probe.",
			  type->name);
}
