/* SPDX-License-Identifier: Apache-2.0 */
/* Attach points to probes, without those that the target is to do without (--no-probe). */
#include "probes/probes_internal.h"

#include <errno.h>
#include <string.h>

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

static int stop(const struct probe_point *p, void *arg)
{
	(void)p;
	(void)arg;
	return 1;
}

/* Cuts "a:b:c" at the colons, in place. */
static size_t split(char *text, const char **parts, size_t max)
{
	size_t n = 0;

	for (char *colon; n < max; text = colon + 1) {
		parts[n++] = text;
		colon = strchr(text, ':');
		if (!colon)
			break;
		*colon = 0;
	}
	return n;
}

int probe_exists(struct target *t, const char *text, char *err, size_t errlen)
{
	const struct probe_type *type;
	char copy[PROBE_NAME_MAX];
	const char *parts[8];
	size_t n;
	int code;

	if (strlen(text) >= sizeof(copy))
		return probe_fail(err, errlen, -EINVAL, "Invalid probe: %s", text);
	n = split(strcpy(copy, text), parts, 8);
	type = probe_type_find(parts[0]);
	if (!type)
		return probe_fail(err, errlen, -EINVAL, "Invalid probe type: %s", parts[0]);
	code = probe_expand(type, t, parts + 1, n - 1, stop, NULL, err, errlen);
	return code == -EINVAL || code > 0 ? code : 0;
}
