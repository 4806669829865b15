/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the room share. */
#ifndef BT_SYMBOLS_INTERNAL_H
#define BT_SYMBOLS_INTERNAL_H

#include "symbols/demangle.h"
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
/*
 * The entry whose code holds @addr, where sizes are known: a function goes before a label in
 * it, and between functions there is none. NULL when there is none.
 */
const struct symtab_entry *symtab_holder(const struct symtab *t, uint64_t addr);
void symtab_free(struct symtab *t);

/* ---- the parts, each made on first use ------------------------------------ */

struct user_cache;
struct name_cache;
struct module;

#define SYMBOLS_PROGRAMS 64 /* that are looked into for processes that were never seen */

/* A name as it is shown, by its place in memory. */
struct shown_name {
	const char *name;
	char *text;
};

struct symbols {
	struct symbols_options opts;
	struct symtab kernel;
	bool kernel_read;
	struct user_cache *user;
	struct name_cache *names;
	char loadavg[128];
	struct module *programs[SYMBOLS_PROGRAMS];
	size_t nprograms;
	struct shown_name *shown; /* hashed by name; size a power of two */
	size_t nshown, shown_cap;
};

/* @name demangled where that is asked for and can be done. Lives as long as @s. */
const char *symbols_shown_name(struct symbols *s, const char *name);
void user_cache_free(struct user_cache *u);
void name_cache_free(struct name_cache *n);

/* Reads all of a file (procfs and sysfs files have no size); malloc, NUL-terminated. */
char *symbols_read_file(const char *path, size_t *size);
char *symbols_read_fd(int fd, size_t *size);
/* Makes room for @need elements of @size bytes. Returns 0 or -ENOMEM. */
int symbols_grow(void **p, size_t *cap, size_t need, size_t size);
/* Monotonic ns, good enough to tell a second. */
uint64_t symbols_now(void);

#endif
