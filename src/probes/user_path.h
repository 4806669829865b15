/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and libraries as a script names them, to files. */
#ifndef BT_PROBES_USER_PATH_H
#define BT_PROBES_USER_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct user_paths {
	char **items; /* each one malloc */
	size_t n;
};

/*
 * Finds the ELF files that @name stands for: a path, which may have wildcards; the name of a
 * program in $PATH; the name of a library ("libc", "libssl.so.3") as the loader finds it; "*":
 * whatever is mapped. With @pid, not 0, as that process sees files. Only "*" and wildcards give
 * several. Returns 0 (none found is 0, too) or -ENOMEM; free with user_paths_free().
 */
int user_paths_find(struct user_paths *paths, const char *name, int pid);
/* Adds a copy of @path. Returns 0 or -ENOMEM. */
int user_paths_add(struct user_paths *paths, const char *path);
/* The file that process @pid runs, as "/path" or "/proc/PID/root/path"; malloc, or NULL. */
char *user_path_of_process(int pid);
void user_paths_free(struct user_paths *paths);

struct target;
/* Tells the target that what is compiled depends on these files, as @name was looked up. */
void user_paths_note(const struct user_paths *paths, const char *name, struct target *t);

#endif
