/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module: a file that processes map, and what its symbols and debug data say of an address.
 *
 * It is opened when a process that maps it is first seen, so that it can still be read when the
 * process has gone; it is read when a name is first asked for.
 */
#ifndef BT_MODULE_H
#define BT_MODULE_H

#include "symbols/debug_file.h"
#include "symbols/internal.h"

struct segment {
	uint64_t offset, size, vaddr; /* in the file, in bytes, address */
	bool code;
};

struct lines;

struct module {
	struct module *next;
	uint64_t dev, ino; /* as /proc/PID/maps has them */
	char *path;
	char *root;       /* "/proc/PID/root" where it lies in another root; NULL: ours */
	int fd, debug_fd; /* -1: none, or not needed any more */
	bool was_read;
	bool relocatable; /* its addresses are relative to where it is mapped */
	Elf *elf, *debug; /* the file, and the one with its debug data; NULL: none */
	void *expanded;   /* what elf_memory() needs: .gnu_debugdata, vDSO */
	struct segment *segments;
	size_t nsegments;
	struct symtab syms;
	struct lines *lines;
	bool lines_tried;
};

/* Takes @fd over. NULL without memory. */
struct module *module_new(const char *path, const char *root, int fd);
/* The code that the kernel maps into every process. NULL when there is none. */
struct module *module_vdso(void);
/* Reads symbols, if that was not done yet. */
void module_read(struct module *m, const struct symbols_options *opts);
void module_free(struct module *m);

/* The file's own address of what lies at @offset of the file. */
bool module_address(const struct module *m, uint64_t offset, uint64_t *addr);
/* Likewise of the code in @size bytes from @offset on, which may begin before it does. */
bool module_code_address(const struct module *m, uint64_t offset, uint64_t size, uint64_t *addr);
/* Whether an address of the file is one of code or data in it. */
bool module_covers(const struct module *m, uint64_t addr);
/* The symbol that holds an address of the file, or NULL. */
const struct symtab_entry *module_symbol(const struct module *m, uint64_t addr);
/*
 * Source and inlined functions: fills @frames with the inlined ones from the innermost on, then
 * one with nothing but file and line. Returns how many, 0 without debug data.
 */
size_t module_lines(struct module *m, const struct symbols_options *opts, uint64_t addr,
		    struct symbols_frame *frames, size_t max);

/* ---- lines.c ---- */
/* NULL when @elf holds no debug data, or no libdw is there. @elf must outlive it. */
struct lines *lines_open(Elf *elf, bool demangle);
size_t lines_find(struct lines *l, uint64_t addr, struct symbols_frame *frames, size_t max);
void lines_close(struct lines *l);

#endif
