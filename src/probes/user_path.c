/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/user_path.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/elf_file.h"

#define LOADER_CACHE "/etc/ld.so.cache"

/* Where the loader looks besides its cache. */
static const char *const library_folders[] = {
	"/lib64", "/usr/lib64", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
	"/lib",   "/usr/lib",   "/usr/local/lib",
};

/* ---- lists of paths ------------------------------------------------------------ */

int user_paths_add(struct user_paths *paths, const char *path)
{
	char **items = realloc(paths->items, (paths->n + 1) * sizeof(*items));
	char *copy = strdup(path);

	if (items)
		paths->items = items;
	if (!items || !copy) {
		free(copy);
		return -ENOMEM;
	}
	items[paths->n++] = copy;
	return 0;
}

void user_paths_free(struct user_paths *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		free(paths->items[i]);
	free(paths->items);
	*paths = (struct user_paths){0};
}

static bool is_elf(const char *path)
{
	struct elf_file f;

	if (elf_file_open(&f, path))
		return false;
	elf_file_close(&f);
	return true;
}

/* ---- as another process sees them ------------------------------------------------ */

static bool same_namespace(int pid)
{
	char path[64];
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	if (stat("/proc/self/ns/mnt", &ours) || stat(path, &theirs))
		return true;
	return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* What to put in front of a path: "" or "/proc/PID/root". */
static void root_of(int pid, char *root, size_t size)
{
	*root = 0;
	if (pid && !same_namespace(pid))
		snprintf(root, size, "/proc/%d/root", pid);
}

char *user_path_of_process(int pid)
{
	char link[64], exe[PATH_MAX], root[64], *path = NULL;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	n = readlink(link, exe, sizeof(exe) - 1);
	if (n <= 0)
		return NULL;
	exe[n] = 0;
	root_of(pid, root, sizeof(root));
	return asprintf(&path, "%s%s", root, exe) < 0 ? NULL : path;
}

/* The value of PATH in the process's environment as it was started; malloc, or NULL. */
static char *path_variable_of(int pid)
{
	char name[64], *line = NULL, *value = NULL;
	size_t size = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/environ", pid);
	f = fopen(name, "re");
	while (f && getdelim(&line, &size, 0, f) > 0 && !value)
		if (!strncmp(line, "PATH=", 5))
			value = strdup(line + 5);
	free(line);
	if (f)
		fclose(f);
	return value;
}

/* ---- what processes have mapped ---------------------------------------------------- */

/* One line of /proc/PID/maps: the path of a file that is mapped to be run, or NULL. */
static char *mapped_code(char *line)
{
	char perms[5];
	int at = 0;

	line[strcspn(line, "\n")] = 0;
	if (sscanf(line, "%*x-%*x %4s %*x %*s %*s %n", perms, &at) < 1 || !at)
		return NULL;
	return perms[2] == 'x' && line[at] == '/' ? line + at : NULL;
}

static bool listed(const struct user_paths *paths, const char *path)
{
	for (size_t i = 0; i < paths->n; i++)
		if (!strcmp(paths->items[i], path))
			return true;
	return false;
}

static int add_mapped(struct user_paths *paths, int pid)
{
	char name[64], root[64], path[PATH_MAX + 64], *line = NULL, *file;
	size_t size = 0;
	int err = 0;
	FILE *f;

	root_of(pid, root, sizeof(root));
	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	f = fopen(name, "re");
	while (f && !err && getline(&line, &size, f) > 0) {
		file = mapped_code(line);
		if (!file)
			continue;
		snprintf(path, sizeof(path), "%s%s", root, file);
		if (!listed(paths, path) && is_elf(path))
			err = user_paths_add(paths, path);
	}
	free(line);
	if (f)
		fclose(f);
	return err;
}

static int add_all_mapped(struct user_paths *paths)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	while (dir && !err && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			err = add_mapped(paths, atoi(entry->d_name));
	if (dir)
		closedir(dir);
	return err;
}

/* ---- libraries ------------------------------------------------------------------------ */

/* ldconfig's cache, glibc's sysdeps/generic/dl-cache.h; offsets count from the header. */
struct cache_header {
	char magic[20]; /* CACHE_MAGIC */
	uint32_t nlibs, len_strings;
	uint8_t flags, pad[3];
	uint32_t extension_offset, unused[3];
};
struct cache_entry {
	int32_t flags;
	uint32_t name, path, os_version;
	uint64_t hwcap;
};
#define CACHE_MAGIC "glibc-ld.so.cache1.1"

/* "libc" stands for libc.so.6 and the like, "libssl.so.3" for itself and "libssl.so.3.1". */
static bool library_matches(const char *soname, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(soname, name, n))
		return false;
	soname += n;
	if (!*soname)
		return true;
	return strstr(name, ".so") ? *soname == '.' : !strncmp(soname, ".so", 3);
}

static int find_in_cache(struct user_paths *paths, const char *data, size_t size, const char *name,
			 const char *root)
{
	const char *at = memmem(data, size, CACHE_MAGIC, strlen(CACHE_MAGIC));
	const struct cache_header *h = (const void *)at;
	const struct cache_entry *e = (const void *)(h + 1);
	size_t left = at ? size - (at - data) : 0;

	/* the old format may come before, and keeps the alignment */
	if (left < sizeof(*h) || (uintptr_t)h % 4 || (left - sizeof(*h)) / sizeof(*e) < h->nlibs ||
	    data[size - 1])
		return 0;
	for (uint32_t i = 0; i < h->nlibs; i++) {
		char path[PATH_MAX];

		if (e[i].name >= left || e[i].path >= left ||
		    !library_matches(at + e[i].name, name))
			continue;
		snprintf(path, sizeof(path), "%s%s", root, at + e[i].path);
		if (is_elf(path)) /* and not of another machine */
			return user_paths_add(paths, path);
	}
	return 0;
}

static int search_cache(struct user_paths *paths, const char *name, const char *root)
{
	char path[128];
	struct stat st;
	char *data;
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s" LOADER_CACHE, root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && st.st_size > 0) {
		data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data != MAP_FAILED) {
			err = find_in_cache(paths, data, st.st_size, name, root);
			munmap(data, st.st_size);
		}
	}
	close(fd);
	return err;
}

static int search_folders(struct user_paths *paths, const char *name, const char *root)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(library_folders) / sizeof(*library_folders); i++) {
		char path[PATH_MAX];
		DIR *dir;
		struct dirent *entry;

		snprintf(path, sizeof(path), "%s%s", root, library_folders[i]);
		dir = opendir(path);
		while (dir && !err && !paths->n && (entry = readdir(dir))) {
			snprintf(path, sizeof(path), "%s%s/%s", root, library_folders[i],
				 entry->d_name);
			if (library_matches(entry->d_name, name) && is_elf(path))
				err = user_paths_add(paths, path);
		}
		if (dir)
			closedir(dir);
	}
	return err;
}

/* The process may have loaded another one than the loader would take today. */
static int search_process(struct user_paths *paths, const char *name, int pid)
{
	struct user_paths mapped = {0};
	int err = add_mapped(&mapped, pid);

	for (size_t i = 0; i < mapped.n && !err && !paths->n; i++)
		if (library_matches(strrchr(mapped.items[i], '/') + 1, name))
			err = user_paths_add(paths, mapped.items[i]);
	user_paths_free(&mapped);
	return err;
}

static int find_library(struct user_paths *paths, const char *name, int pid, const char *root)
{
	int err = pid ? search_process(paths, name, pid) : 0;

	if (!err && !paths->n)
		err = search_cache(paths, name, root);
	if (!err && !paths->n)
		err = search_folders(paths, name, root);
	return err;
}

/* ---- programs --------------------------------------------------------------------------- */

static int try_path(struct user_paths *paths, const char *root, const char *folder,
		    const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s%s%s", root, folder, *folder ? "/" : "", name);
	return is_elf(path) ? user_paths_add(paths, path) : 0;
}

static int find_program(struct user_paths *paths, const char *name, int pid, const char *root)
{
	char *variable = *root ? path_variable_of(pid) : NULL, *save = NULL, *copy = NULL;
	const char *ours = getenv("PATH");
	int err = 0;

	if (!variable && ours)
		variable = strdup(ours);
	if (variable)
		copy = strtok_r(variable, ":", &save);
	for (; copy && !err && !paths->n; copy = strtok_r(NULL, ":", &save))
		err = try_path(paths, root, copy, name);
	free(variable);
	return err;
}

static int find_wildcards(struct user_paths *paths, const char *name, const char *root)
{
	char pattern[PATH_MAX];
	glob_t found;
	int err = 0;

	snprintf(pattern, sizeof(pattern), "%s%s", root, name);
	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && !err; i++)
		if (is_elf(found.gl_pathv[i]))
			err = user_paths_add(paths, found.gl_pathv[i]);
	globfree(&found);
	return err;
}

int user_paths_find(struct user_paths *paths, const char *name, int pid)
{
	char root[64];
	int err;

	*paths = (struct user_paths){0};
	if (!strcmp(name, "*"))
		return pid ? add_mapped(paths, pid) : add_all_mapped(paths);
	root_of(pid, root, sizeof(root));
	if (strchr(name, '*'))
		return find_wildcards(paths, name, root);
	/* a path that is already one of another process's stays */
	err = try_path(paths, strncmp(name, "/proc/", 6) ? root : "", "", name);
	if (err || paths->n || strchr(name, '/'))
		return err;
	if (!strncmp(name, "lib", 3))
		err = find_library(paths, name, pid, root);
	if (!err && !paths->n)
		err = find_program(paths, name, pid, root);
	return err;
}
