/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the room share. */
#ifndef BT_SYMBOLS_INTERNAL_H
#define BT_SYMBOLS_INTERNAL_H

#include "symbols/symbols.h"

/* ---- a table of symbols, sorted by address ------------------------------- */

struct symtab_entry {
	uint64_t start;
	uint32_t size; /* 0: up to the next one */
	uint32_t name; /* offset in names */
	uint32_t rank; /* of several at one address the lowest is shown */
};

struct symtab {
	struct symtab_entry *entries;
	size_t n, cap;
	char *names;
	size_t names_size, names_cap;
};

/* Returns 0 or -ENOMEM. */
int symtab_add(struct symtab *t, uint64_t start, uint64_t size, unsigned rank, const char *name,
	       size_t name_len);
void symtab_sort(struct symtab *t);
/* The entry that holds @addr: the last one that starts at or before it, or NULL. */
const struct symtab_entry *symtab_find(const struct symtab *t, uint64_t addr);
void symtab_free(struct symtab *t);

/* ---- the parts, each made on first use ------------------------------------ */

struct user_cache;
struct name_cache;

struct symbols {
	struct symtab kernel;
	bool kernel_read;
	struct user_cache *user;
	struct name_cache *names;
};

void user_cache_free(struct user_cache *u);
void name_cache_free(struct name_cache *n);

/* Reads all of a file (procfs and sysfs files have no size); malloc, NUL-terminated. */
char *symbols_read_file(const char *path, size_t *size);
/* Monotonic ns, good enough to tell a second. */
uint64_t symbols_now(void);

#endif
