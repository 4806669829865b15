/* SPDX-License-Identifier: Apache-2.0 */
/* Which files the C definitions came from, and which are missing: a kept image depends on both. */
#include <sys/utsname.h>

#include "target/depends.h"
#include "types/cdefs_internal.h"

static void note_file(CXFile file, CXSourceLocation *stack, unsigned n, CXClientData arg)
{
	struct cdefs_reader *r = arg;

	(void)stack;
	if (n) /* 0: the script's own text */
		target_depend(r->ts->target, cdefs_string(r, r->c.getFileName(file)));
}

/* A header that was taken as empty may be installed later. */
static void note_missing(struct cdefs_reader *r, const char *dir)
{
	for (size_t i = 0; i < r->empty_headers.len; i++)
		target_depend(r->ts->target,
			      arena_printf(r->arena, "%s/%s", dir, r->empty_headers.items[i]));
}

void cdefs_note_files(struct cdefs_reader *r)
{
	const char *const *dirs = r->opts->dirs;
	struct target *t = r->ts->target;
	struct utsname u;

	if (!t)
		return;
	r->c.getInclusions(r->tu, note_file, r);
	note_missing(r, "/usr/local/include");
	note_missing(r, "/usr/include");
	for (size_t i = 0; dirs && dirs[i]; i++) {
		note_missing(r, dirs[i]);
		target_depend(t, dirs[i]); /* a header may come to lie in front of another */
	}
	if (uname(&u))
		return;
	target_depend(t, arena_printf(r->arena, "/lib/modules/%s/build", u.release));
	target_depend(t, arena_printf(r->arena, "/lib/modules/%s/source", u.release));
}
