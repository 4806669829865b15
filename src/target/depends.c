/* SPDX-License-Identifier: Apache-2.0 */
#include "target/depends.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/target_internal.h"

#define NS_PER_S  1000000000ll
#define MAX_FILES 4096 /* beyond, looking at all of them would cost as much as compiling */

struct target_file_state target_file_state(const char *path)
{
	struct target_file_state s = {0};
	struct stat st;

	if (stat(path, &st))
		return s;
	s.device = st.st_dev;
	s.inode = st.st_ino;
	s.size = st.st_size;
	s.mtime = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	s.ctime = st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec;
	return s;
}

/* @path as seen from anywhere (malloc), NULL without memory or place. */
static char *absolute(const char *path)
{
	char cwd[PATH_MAX], *whole;

	if (*path == '/')
		return strdup(path);
	if (!getcwd(cwd, sizeof(cwd)))
		return NULL;
	whole = malloc(strlen(cwd) + strlen(path) + 2);
	if (whole)
		stpcpy(stpcpy(stpcpy(whole, cwd), "/"), path);
	return whole;
}

static bool noted(const struct target_depends *d, const char *path)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->files[i].path, path))
			return true;
	return false;
}

static bool make_room(struct target_depends *d)
{
	size_t cap = d->cap ? 2 * d->cap : 16;
	struct target_dependency *more;

	if (d->n < d->cap)
		return true;
	more = realloc(d->files, cap * sizeof(*more));
	if (!more)
		return false;
	d->files = more;
	d->cap = cap;
	return true;
}

void target_depend(struct target *t, const char *path)
{
	struct target_depends *d = &t->depends;
	char *whole = absolute(path);

	if (whole && noted(d, whole)) {
		free(whole);
		return;
	}
	if (!whole || d->n == MAX_FILES || !make_room(d)) {
		free(whole);
		d->on_now = true; /* rather not kept than kept too long */
		return;
	}
	d->files[d->n++] = (struct target_dependency){whole, target_file_state(whole)};
}

void target_depend_on_now(struct target *t)
{
	t->depends.on_now = true;
}

const struct target_dependency *target_dependencies(const struct target *t, size_t *n)
{
	*n = t->depends.n;
	return t->depends.files;
}

bool target_depends_on_now(const struct target *t)
{
	return t->depends.on_now;
}

void depends_free(struct target_depends *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->files[i].path);
	free(d->files);
	*d = (struct target_depends){0};
}
