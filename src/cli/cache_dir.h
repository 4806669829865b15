/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of the cache: whose it is, how its files are read, written and thrown away. */
#ifndef BT_CLI_CACHE_DIR_H
#define BT_CLI_CACHE_DIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CACHE_PATH_MAX PATH_MAX
#define CACHE_LIMIT    (64ull << 20) /* bytes of all entries; those unused the longest go first */

struct cache_file {
	char name[NAME_MAX + 1];
	uint64_t size;
	struct timespec used;
};

struct cache_use {
	size_t files;
	uint64_t bytes;
};

/*
 * The path into @path (CACHE_PATH_MAX bytes): $XDG_CACHE_HOME/btrun/scripts, for root
 * /var/cache/btrun/scripts, for others ~/.cache/btrun/scripts, and @rest behind it. Returns 0 or a
 * negative errno.
 */
int cache_dir_path(char *path, const char *rest);
/*
 * Opens it, making it first with @make. Returns a descriptor, or a negative errno: -EPERM where it
 * is not the caller's own or others may write into it.
 */
int cache_dir_open(bool make);
/*
 * The bytes of a file (malloc, 8-byte aligned); NULL unless it is a plain file of the caller's own
 * with at most @max bytes.
 */
char *cache_dir_read(int dir, const char *name, size_t max, size_t *size);
/* Lets it count as used now. */
void cache_dir_touch(int dir, const char *name);
/* Writes a file whole or not at all, and keeps the directory within CACHE_LIMIT. */
int cache_dir_write(int dir, const char *name, const char *data, size_t size);
/* Calls @cb for each entry, those used last first, until it returns something else than 0. */
int cache_dir_each(int dir, int (*cb)(int dir, const struct cache_file *f, void *arg), void *arg);
int cache_dir_use(int dir, struct cache_use *use);
/* Removes entries until @limit bytes are left. Returns how many, or a negative errno. */
int cache_dir_trim(int dir, uint64_t limit);

#endif
