/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/io.h"

#define TEMPORARY   ".new-" /* what a file is called while it is written */
#define ABANDONED_S 3600    /* such a file is nobody's after that */

/* ---- where ------------------------------------------------------------------------ */

int cache_dir_path(char *path, const char *rest)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	if (base && *base == '/')
		n = snprintf(path, CACHE_PATH_MAX, "%s/btrun/scripts%s", base, rest);
	else if (!geteuid())
		n = snprintf(path, CACHE_PATH_MAX, "/var/cache/btrun/scripts%s", rest);
	else if (home && *home == '/')
		n = snprintf(path, CACHE_PATH_MAX, "%s/.cache/btrun/scripts%s", home, rest);
	else
		return -ENOENT;
	return n < CACHE_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Makes the directory and, open to all, those above it. */
static int make_path(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

int cache_dir_open(bool make)
{
	char path[CACHE_PATH_MAX];
	struct stat st;
	int err = cache_dir_path(path, "");
	int dir;

	if (!err && make)
		err = make_path(path);
	if (err)
		return err;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if (!fstat(dir, &st) && st.st_uid == geteuid() && !(st.st_mode & 022))
		return dir;
	close(dir);
	return -EPERM;
}

/* ---- reading ------------------------------------------------------------------------- */

char *cache_dir_read(int dir, const char *name, size_t max, size_t *size)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *data = NULL;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & 022) && st.st_size > 0 && (uint64_t)st.st_size <= max) {
		*size = st.st_size;
		data = malloc(*size + 1);
		if (data && io_read(fd, data, *size, 0)) {
			free(data);
			data = NULL;
		}
	}
	close(fd);
	return data;
}

void cache_dir_touch(int dir, const char *name)
{
	utimensat(dir, name, NULL, AT_SYMLINK_NOFOLLOW);
}

/* ---- what is there -------------------------------------------------------------------- */

struct file_list {
	struct cache_file *files;
	size_t n, cap;
};

static bool is_temporary(const char *name)
{
	return !strncmp(name, TEMPORARY, strlen(TEMPORARY));
}

static int add_file(struct file_list *l, int dir, const char *name)
{
	struct cache_file *more;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return 0; /* somebody was faster, or it is none of ours */
	if (is_temporary(name)) {
		if (st.st_mtim.tv_sec + ABANDONED_S < time(NULL))
			unlinkat(dir, name, 0);
		return 0;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		more = realloc(l->files, l->cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->files = more;
	}
	l->files[l->n].size = st.st_size;
	l->files[l->n].used = st.st_mtim;
	snprintf(l->files[l->n++].name, sizeof(l->files->name), "%s", name);
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct cache_file *)a)->used;
	const struct timespec *y = &((const struct cache_file *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

/* Sorted, those used last first. The caller frees l->files. */
static int list_files(int dir, struct file_list *l)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	*l = (struct file_list){0};
	if (!d) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (!err && (e = readdir(d)))
		err = add_file(l, dir, e->d_name);
	closedir(d);
	if (l->n)
		qsort(l->files, l->n, sizeof(*l->files), newest_first);
	return err;
}

int cache_dir_each(int dir, int (*cb)(int dir, const struct cache_file *f, void *arg), void *arg)
{
	struct file_list l;
	int err = list_files(dir, &l);

	for (size_t i = 0; !err && i < l.n; i++)
		err = cb(dir, &l.files[i], arg);
	free(l.files);
	return err;
}

static int count_file(int dir, const struct cache_file *f, void *arg)
{
	struct cache_use *use = arg;

	(void)dir;
	use->files++;
	use->bytes += f->size;
	return 0;
}

int cache_dir_use(int dir, struct cache_use *use)
{
	*use = (struct cache_use){0};
	return cache_dir_each(dir, count_file, use);
}

struct trimming {
	uint64_t left, limit;
	int removed;
};

static int trim_file(int dir, const struct cache_file *f, void *arg)
{
	struct trimming *t = arg;

	t->left += f->size;
	if (t->left <= t->limit)
		return 0;
	if (!unlinkat(dir, f->name, 0))
		t->removed++;
	else if (errno != ENOENT)
		return -errno;
	return 0;
}

int cache_dir_trim(int dir, uint64_t limit)
{
	struct trimming t = {.limit = limit};
	int err = cache_dir_each(dir, trim_file, &t);

	return err ? err : t.removed;
}

/* ---- writing ---------------------------------------------------------------------------- */

int cache_dir_write(int dir, const char *name, const char *data, size_t size)
{
	struct cache_use use;
	struct timespec now;
	char temporary[96];
	int fd, err;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(temporary, sizeof(temporary), TEMPORARY "%d-%lld-%ld", getpid(),
		 (long long)now.tv_sec, now.tv_nsec);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = io_write(fd, data, size);
	if (close(fd) && !err)
		err = -errno;
	if (!err && renameat(dir, temporary, dir, name))
		err = -errno;
	if (err)
		unlinkat(dir, temporary, 0);
	else if (!cache_dir_use(dir, &use) && use.bytes > CACHE_LIMIT)
		cache_dir_trim(dir, CACHE_LIMIT / 4 * 3);
	return err;
}
