/* SPDX-License-Identifier: Apache-2.0 */
/* usdt: the probes that programs and libraries were given by their authors. */
#include "probes/probes_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probes/uprobe.h"
#include "probes/usdt_notes.h"
#include "probes/user_path.h"

/* An attach point as written; each part may have wildcards. */
struct usdt_spec {
	const char *path; /* "*": whatever the process has mapped, or any does */
	const char *provider, *name;
};

struct expansion {
	const struct usdt_spec *spec;
	const struct elf_file *file;
	const char *path;
	probe_point_fn *cb;
	void *arg;
	size_t found;
};

/* ---- expanding --------------------------------------------------------------------- */

/* "path:name", "path:provider:name"; with a process "name" alone, and the path may be left out. */
static int parse(struct usdt_spec *u, struct target *t, const char *const *parts, size_t nparts,
		 char *err, size_t errlen)
{
	bool of_process = target_pid(t);

	if (nparts != 2 && nparts != 3 && !(nparts == 1 && of_process))
		return probe_fail(err, errlen, -EINVAL,
				  "usdt probe type requires 2 or 3 arguments, found %zu", nparts);
	u->path = nparts > 1 ? parts[0] : "";
	u->provider = nparts == 3 && *parts[1] ? parts[1] : "*";
	u->name = parts[nparts - 1];
	if (!*u->name)
		return probe_fail(err, errlen, -EINVAL,
				  "usdt probe must have a target function or wildcard");
	if (!*u->path && !of_process)
		return probe_fail(
			err, errlen, -EINVAL,
			"usdt probe must specify at least path or pid to probe. To target "
			"all paths/pids set the path to '*'.");
	if (!*u->path)
		u->path = "*";
	return 0;
}

static int emit(struct expansion *x, const struct usdt_note *note)
{
	char name[PROBE_NAME_MAX], full[4096];
	struct probe_point p = {
		.name = name,
		.parts = {x->path, note->provider, note->name},
		.attach = IMAGE_AT_USDT,
		.target = uprobe_file(x->path, full),
		.operands = note->operands,
		.arg = {(int64_t)(x->file->base + note->offset), (int64_t)x->file->fingerprint,
			(int64_t)(note->semaphore ? x->file->base + note->semaphore : 0)}};

	snprintf(name, sizeof(name), "usdt:%s:%s:%s", x->path, note->provider, note->name);
	x->found++;
	return x->cb(&p, x->arg);
}

static int expand_path(struct expansion *x, const char *path)
{
	struct usdt_notes notes;
	struct elf_file f;
	int err = elf_file_open(&f, path);

	if (err)
		return 0; /* gone since it was found */
	x->path = path;
	x->file = &f;
	err = usdt_notes_read(&notes, &f);
	for (size_t i = 0; i < notes.n && !err; i++)
		if (target_glob(x->spec->provider, notes.items[i].provider) &&
		    target_glob(x->spec->name, notes.items[i].name))
			err = emit(x, &notes.items[i]);
	usdt_notes_free(&notes);
	elf_file_close(&f);
	return err;
}

static int expand_spec(struct target *t, const struct usdt_spec *u, probe_point_fn *cb, void *arg,
		       char *err, size_t errlen)
{
	struct expansion x = {.spec = u, .cb = cb, .arg = arg};
	struct user_paths paths;
	int code = user_paths_find(&paths, u->path, target_pid(t));

	if (!code && !paths.n && strcmp(u->path, "*")) {
		code = probe_fail(err, errlen, -ENOENT,
				  "usdt target file '%s' does not exist or is not executable",
				  u->path);
		goto out;
	}
	for (size_t i = 0; i < paths.n && !code; i++)
		code = expand_path(&x, paths.items[i]);
	if (!code && !x.found)
		code = probe_fail(err, errlen, -ENOENT, "No matches for usdt %s:%s:%s.",
				  paths.n == 1 ? paths.items[0] : u->path, u->provider, u->name);
out:
	user_paths_free(&paths);
	return code;
}

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	struct usdt_spec u;
	int code = parse(&u, t, parts, nparts, err, errlen);

	return code ? code : expand_spec(t, &u, cb, arg, err, errlen);
}

/* ---- listing ------------------------------------------------------------------------- */

struct listing {
	probe_point_fn *cb;
	void *arg;
	char last[PROBE_NAME_MAX];
};

/* A probe of several places is listed once. */
static int list_once(const struct probe_point *p, void *arg)
{
	struct listing *l = arg;

	if (!strcmp(l->last, p->name))
		return 0;
	snprintf(l->last, sizeof(l->last), "%s", p->name);
	return l->cb(p, l->arg);
}

/* What comes after the probe type; without a process there must be a path. */
static int list(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct listing l = {.cb = cb, .arg = arg};
	struct usdt_spec u = {.provider = "*", .name = "*"};
	char *copy, *colon, err[256];
	const char *rest;
	int code = 0;

	if (!probe_list_wanted(&probe_usdt, pattern, false, &rest))
		return 0;
	copy = strdup(rest);
	if (!copy)
		return -ENOMEM;
	u.path = copy;
	colon = strrchr(copy, ':');
	if (colon) {
		*colon = 0;
		u.name = colon[1] ? colon + 1 : "*";
		colon = strchr(copy, ':');
	}
	if (colon) {
		*colon = 0;
		u.provider = colon[1] ? colon + 1 : "*";
	}
	if (!*u.path)
		u.path = "*";
	if (target_pid(t) || strchr(u.path, '/') || !target_has_wildcard(u.path))
		code = expand_spec(t, &u, list_once, &l, err, sizeof(err));
	free(copy);
	return code > 0 ? code : 0;
}

static const char *const aliases[] = {"U", NULL};

const struct probe_type probe_usdt = {
	.name = "usdt",
	.aliases = aliases,
	.flags = PROBE_USER | PROBE_HAS_REGS | PROBE_HAS_ARGN | PROBE_HAS_FUNC,
	.expand = expand,
	.list = list,
};

const struct attacher attacher_usdt = {
	.kind = IMAGE_AT_USDT,
	.attach = uprobe_attach,
	.slow_detach = true,
	.last_runs_first = true,
	.can_attach_many = uprobe_can_attach_many,
	.attach_many = uprobe_attach_many,
	.many_type = PROBE_AT_UPROBE_MULTI,
};
