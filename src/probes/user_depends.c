/* SPDX-License-Identifier: Apache-2.0 */
/* The files of user space that a script's probes were found in: kept images depend on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/user_path.h"
#include "target/depends.h"
#include "target/target.h"

/* Another program of that name may come to lie in front of it, another library be installed. */
static void note_search(struct target *t)
{
	const char *path = getenv("PATH");
	char dir[4096];

	target_depend(t, "/etc/ld.so.cache");
	while (path && *path) {
		size_t len = strcspn(path, ":");

		if (len && len < sizeof(dir)) {
			snprintf(dir, sizeof(dir), "%.*s", (int)len, path);
			target_depend(t, dir);
		}
		path += len;
		path += *path == ':';
	}
}

void user_paths_note(const struct user_paths *paths, const char *name, struct target *t)
{
	if (target_has_wildcard(name)) {
		target_depend_on_now(t);
		return;
	}
	if (!strchr(name, '/'))
		note_search(t);
	for (size_t i = 0; i < paths->n; i++)
		target_depend(t, paths->items[i]);
}
