/* SPDX-License-Identifier: Apache-2.0 */
/* process: what processes have mapped, remembered beyond their end. */
#ifndef BT_PROCESS_H
#define BT_PROCESS_H

#include "symbols/internal.h"
#include "symbols/module.h"

struct mapping {
	uint64_t start, end, offset;
	const char *path;      /* into the text of its maps */
	struct module *module; /* NULL: no file */
};

/* The mappings that hold code, as they were at one moment. */
struct maps {
	struct maps *older;   /* of the same process, before it executed something else */
	struct mapping *maps; /* sorted by address, as the kernel lists them */
	size_t n;
	char *text; /* of /proc/PID/maps */
};

struct process {
	struct process *next;
	int pid;
	uint64_t read_at;  /* ns, of the last try */
	struct maps *maps; /* newest first; NULL: it was gone before it was looked at */
	struct symtab jit; /* from /tmp/perf-PID.map */
	uint64_t jit_size, jit_time;
	bool jit_tried;
};

#define PROCESS_BUCKETS 256

struct user_cache {
	struct process *processes[PROCESS_BUCKETS];
	struct module *modules; /* all, newest first */
	struct module *vdso;
	bool vdso_tried;
};

/* The process, made when it is not known; NULL without memory. */
struct process *process_get(struct user_cache *u, int pid);
/*
 * Reads what it has mapped and opens files that were not seen before. What was known stays when
 * it has gone. Returns 0 or a negative errno.
 */
int process_read(struct user_cache *u, struct process *p);
/* The mapping that holds @addr, newest maps first, or NULL. */
struct mapping *process_find(struct process *p, uint64_t addr);
/* The name that a JIT compiler has left for @addr, or NULL. */
const struct symtab_entry *process_jit_symbol(struct process *p, uint64_t addr);
/* A module for the file at @path of ours. */
struct module *user_cache_module(struct user_cache *u, const char *path);
void user_cache_free(struct user_cache *u);

#endif
