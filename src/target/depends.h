/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a compilation depended on: the files that it looked at, so that its product can be kept
 * and used again as long as they are as they were. The kernel itself, the script and the options
 * are not listed: who keeps the product makes them part of its name.
 */
#ifndef BT_TARGET_DEPENDS_H
#define BT_TARGET_DEPENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target;

/* A file as it was found; one that was looked for in vain has inode 0. */
struct target_file_state {
	uint64_t device, inode, size;
	int64_t mtime, ctime; /* ns since 1970 */
};

struct target_dependency {
	char *path; /* absolute */
	struct target_file_state state;
};

/*
 * Notes that what is compiled depends on the file or directory at @path as it is now, or on there
 * being none. To be called before it is read.
 */
void target_depend(struct target *t, const char *path);
/*
 * Notes that it depends on what nobody can tell later to have stayed the same: running
 * processes, loaded BPF programs. It must not be kept then.
 */
void target_depend_on_now(struct target *t);

/* The files noted so far, in no particular order; they belong to the target. */
const struct target_dependency *target_dependencies(const struct target *t, size_t *n);
bool target_depends_on_now(const struct target *t);

/* The state of the file at @path; links are followed. */
struct target_file_state target_file_state(const char *path);

#endif
