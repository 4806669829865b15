/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User symbols: the mappings of a process say which file an address lies in and where; the
 * program headers of that file turn it into the file's own address; its symbols give the name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <dirent.h>
#include <stdio.h>

#include "symbols/process.h"

#define MAPS_FRESH_NS 1000000000ull /* processes map more, and exec */
/* Where the kernel puts position-independent programs when it does not shuffle addresses. */
#define FIXED_BASE 0x555555554000ull

/* What is known of one address. */
struct found {
	struct module *module; /* NULL: code made at run time */
	uint64_t addr;         /* in the module */
	const struct symtab *table;
	const struct symtab_entry *symbol; /* NULL: none */
	const char *path;
};

/* ---- processes ------------------------------------------------------------------- */

static struct user_cache *cache_of(struct symbols *s)
{
	if (s->user && s->opts.cache == SYMBOLS_CACHE_NONE) {
		user_cache_free(s->user);
		s->user = NULL;
	}
	if (!s->user)
		s->user = calloc(1, sizeof(*s->user));
	return s->user;
}

void symbols_remember(struct symbols *s, int pid)
{
	struct user_cache *u;
	struct process *p;

	if (s->opts.cache == SYMBOLS_CACHE_NONE)
		return;
	u = cache_of(s);
	p = u ? process_get(u, pid) : NULL;
	if (p)
		process_read(u, p);
}

static bool runs(int pid, const struct stat *program)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return !stat(path, &st) && st.st_dev == program->st_dev && st.st_ino == program->st_ino;
}

void symbols_remember_program(struct symbols *s, const char *path)
{
	struct user_cache *u;
	struct dirent *e;
	struct stat st;
	DIR *dir;

	if (s->opts.cache == SYMBOLS_CACHE_NONE || stat(path, &st))
		return;
	u = cache_of(s);
	if (u && s->nprograms < SYMBOLS_PROGRAMS && user_cache_module(u, path))
		s->programs[s->nprograms++] = user_cache_module(u, path);
	dir = opendir("/proc");
	while (dir && (e = readdir(dir)))
		if (atoi(e->d_name) > 0 && runs(atoi(e->d_name), &st))
			symbols_remember(s, atoi(e->d_name));
	if (dir)
		closedir(dir);
}

static int visit_mapping(struct symbols *s, const struct mapping *map,
			 int (*fn)(void *arg, const struct symbols_mapping *m), void *arg)
{
	struct symbols_mapping m = {.start = map->start, .end = map->end};
	uint64_t addr;

	if (!map->module)
		return 0;
	module_read(map->module, &s->opts);
	if (!map->module->elf ||
	    !module_code_address(map->module, map->offset, map->end - map->start, &addr))
		return 0;
	m.delta = map->start - addr;
	m.dev = map->module->dev;
	m.ino = map->module->ino;
	m.elf = map->module->elf;
	return fn(arg, &m);
}

int symbols_each_mapping(struct symbols *s, int pid,
			 int (*fn)(void *arg, const struct symbols_mapping *m), void *arg)
{
	struct user_cache *u = cache_of(s);
	struct process *p = u ? process_get(u, pid) : NULL;
	int err = p ? process_read(u, p) : -ENOMEM;

	for (size_t i = 0; !err && i < p->maps->n; i++)
		err = visit_mapping(s, &p->maps->maps[i], fn, arg);
	return err;
}

/* ---- one address ------------------------------------------------------------------ */

static bool find_in_module(struct module *m, uint64_t addr, struct found *f)
{
	f->module = m;
	f->addr = addr;
	f->path = m->path;
	f->table = &m->syms;
	f->symbol = module_symbol(m, addr);
	return f->symbol;
}

/*
 * A process that was never seen alive: where programs always lie at the same addresses, those
 * that are traced may hold it.
 */
static bool guess_program(struct symbols *s, uint64_t addr, struct found *f)
{
	if (s->opts.cache != SYMBOLS_CACHE_PER_PROGRAM)
		return false;
	for (size_t i = 0; i < s->nprograms; i++) {
		struct module *m = s->programs[i];
		uint64_t at;

		module_read(m, &s->opts);
		at = m->relocatable ? addr - FIXED_BASE : addr;
		if (module_covers(m, at) && find_in_module(m, at, f))
			return true;
	}
	return false;
}

static bool find_jit(struct process *p, uint64_t addr, struct found *f)
{
	f->symbol = process_jit_symbol(p, addr);
	f->table = &p->jit;
	f->module = NULL;
	return f->symbol;
}

static bool find_mapped(struct symbols *s, struct process *p, const struct mapping *map,
			uint64_t addr, struct found *f)
{
	f->path = *map->path ? map->path : NULL;
	if (!map->module)
		return find_jit(p, addr, f);
	module_read(map->module, &s->opts);
	if (!module_address(map->module, addr - map->start + map->offset, &addr))
		return false;
	find_in_module(map->module, addr, f);
	f->path = map->path;
	return true;
}

/* Fills @f; false when nothing is known, not even the file. */
static bool find(struct symbols *s, int pid, uint64_t addr, struct found *f)
{
	struct user_cache *u = cache_of(s);
	struct process *p = u ? process_get(u, pid) : NULL;
	const struct mapping *map;

	*f = (struct found){0};
	if (!p)
		return false;
	if (symbols_now() - p->read_at >= MAPS_FRESH_NS)
		process_read(u, p);
	map = process_find(p, addr);
	if (map)
		return find_mapped(s, p, map, addr, f);
	if (p->maps)
		return find_jit(p, addr, f);
	return guess_program(s, addr, f) || find_jit(p, addr, f);
}

/* ---- names ------------------------------------------------------------------------- */

static const char *name_of(struct symbols *s, const struct found *f)
{
	return symbols_shown_name(s, f->table->names + f->symbol->name);
}

const char *symbols_user(struct symbols *s, int pid, uint64_t addr, uint64_t *offset,
			 const char **module)
{
	struct found f;

	if (!find(s, pid, addr, &f) || !f.symbol)
		return NULL;
	*offset = (f.module ? f.addr : addr) - f.symbol->start;
	if (module)
		*module = f.path;
	return name_of(s, &f);
}

size_t symbols_user_frames(struct symbols *s, int pid, uint64_t addr, bool is_return,
			   struct symbols_frame *frames, size_t max)
{
	struct symbols_frame *last;
	struct found f;
	size_t n = 0;
	bool found;

	if (!max)
		return 0;
	/* a call may be the last of its function's code: what it returns to is another's */
	if (is_return && addr)
		addr--;
	found = find(s, pid, addr, &f);
	if (is_return && !f.symbol) { /* the first byte of a function, where a signal came */
		is_return = false;
		found = find(s, pid, ++addr, &f);
	}
	if (found && f.module && s->opts.debug_info)
		n = module_lines(f.module, &s->opts, f.addr, frames, max);
	if (!n) {
		n = 1;
		frames[0] = (struct symbols_frame){0};
	}
	last = &frames[n - 1];
	last->module = f.path;
	if (!f.symbol) {
		frames[0] = (struct symbols_frame){.module = f.path};
		return 1;
	}
	last->name = name_of(s, &f);
	last->offset = (f.module ? f.addr : addr) - f.symbol->start + (is_return ? 1 : 0);
	return n;
}
