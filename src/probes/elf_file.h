/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of a program or library: where they are in the file that is mapped. */
#ifndef BT_PROBES_ELF_FILE_H
#define BT_PROBES_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Elf;

struct elf_segment { /* of code */
	uint64_t offset, size, addr;
};

struct elf_file {
	int fd;
	char *path;
	const char *const *debug_dirs; /* for the caller to set: see debug_file.h */
	struct Elf *elf;
	const uint8_t *bytes; /* the file */
	size_t size;
	struct elf_segment *segments;
	size_t nsegments;
	/* a number of the file's contents: of its build id, else of its headers */
	uint64_t fingerprint;
	char build_id[48]; /* in hexadecimal, "" without */
	bool relocatable;  /* position-independent */
};

struct elf_function {
	const char *name;
	uint64_t addr, size; /* as linked */
};

/*
 * Opens an ELF file of this machine that can be mapped to be run: a program that may be executed,
 * or anything position-independent. Returns 0, or a negative errno (-ENOEXEC: another kind of
 * file).
 */
int elf_file_open(struct elf_file *f, const char *path);
void elf_file_close(struct elf_file *f);

/*
 * Calls @cb for every function of .symtab and .dynsym that is defined, in the tables' order, some
 * of them twice; without .symtab those of the file's separate debug information too. @cb
 * returns 0 to go on. Returns what @cb returned.
 */
int elf_file_each_function(struct elf_file *f, int (*cb)(const struct elf_function *fn, void *arg),
			   void *arg);
/* Likewise for data, too. */
int elf_file_each_symbol(struct elf_file *f, int (*cb)(const struct elf_function *fn, void *arg),
			 void *arg);
/* The address, as linked, of what is called @symbol, function or variable. False: nothing is. */
bool elf_symbol_address(struct Elf *elf, const char *symbol, uint64_t *address);
/* The place in the file of address @addr. False when it is not code. */
bool elf_file_offset(const struct elf_file *f, uint64_t addr, uint64_t *offset);
/* The other way round. */
bool elf_file_address(const struct elf_file *f, uint64_t offset, uint64_t *addr);

/*
 * Whether @at is the first byte of an instruction, counted from @code, which is one, @size
 * bytes. 1: yes, 0: no, -1: the instructions on the way are not all known.
 */
int insn_starts_at(const uint8_t *code, size_t size, size_t at);

#endif
