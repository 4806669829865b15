/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols: addresses to names, device numbers to disks.
 *
 * Everything is read when first asked for and kept until symbols_free(). Takes
 * addresses and numbers, hands on text; running half, no LLVM.
 */
#ifndef BT_SYMBOLS_H
#define BT_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;

enum symbols_cache { /* cache_user_symbols; the numbers are the image's */
		     SYMBOLS_CACHE_NONE,
		     SYMBOLS_CACHE_PER_PID,
		     SYMBOLS_CACHE_PER_PROGRAM,
};

struct symbols_options {
	bool demangle;   /* C++ and Rust */
	bool debug_info; /* source lines and inlined functions of stacks */
	enum symbols_cache cache;
	const char *const *debug_dirs; /* see debug_file.h; NULL: none asked for */
	const char *proc;              /* where loadavg and meminfo are; NULL: /proc */
};

/* @opts is copied, what it points to must outlive it; NULL: demangled, each process by itself. */
struct symbols *symbols_new(const struct symbols_options *opts);
void symbols_free(struct symbols *s);

/*
 * The kernel symbol that holds @addr (from /proc/kallsyms, modules too); the distance
 * from its start in *@offset. NULL when there is none. The string lives as long as @s.
 */
const char *symbols_kernel(struct symbols *s, uint64_t addr, uint64_t *offset);
/* The address of kernel symbol @name, or 0. */
uint64_t symbols_kernel_addr(struct symbols *s, const char *name);
/*
 * What @pid has mapped is read now: it may be gone when its addresses are to become names.
 * Likewise of all processes that run @path, of which new ones may come.
 */
void symbols_remember(struct symbols *s, int pid);
void symbols_remember_program(struct symbols *s, const char *path);
/*
 * The user symbol of process @pid; *@module is the mapped file. NULL when there is none. From
 * the files in /proc/PID/maps: their symbol tables, those of their debug files, .gnu_debugdata;
 * the vDSO; for code made at run time /tmp/perf-PID.map. Without a cache the strings live until
 * the next call.
 */
const char *symbols_user(struct symbols *s, int pid, uint64_t addr, uint64_t *offset,
			 const char **module);
/* One function of those that an address lies in. */
struct symbols_frame {
	const char *name;   /* NULL: not known */
	uint64_t offset;    /* of the address from the function's start, bytes */
	const char *module; /* the mapped file; NULL: not known, or the kernel */
	const char *file;   /* where the source says so; NULL: not known */
	unsigned line;
	bool inlined; /* into the next frame */
};
/*
 * All functions that @addr (with @is_return: the call before it) lies in, innermost first: inlined
 * ones where debug data tells of them, then the one that a symbol names. Returns how many, at least
 * 1 (name NULL when nothing is known) and at most @max. The strings live as long as @s.
 */
size_t symbols_user_frames(struct symbols *s, int pid, uint64_t addr, bool is_return,
			   struct symbols_frame *frames, size_t max);
size_t symbols_kernel_frames(struct symbols *s, uint64_t addr, bool is_return,
			     struct symbols_frame *frames, size_t max);
/* Code of a file that a process has mapped. */
struct symbols_mapping {
	uint64_t start, end;
	uint64_t delta;    /* an address less this is the file's own */
	uint64_t dev, ino; /* of the file; 0: the vDSO */
	void *elf;         /* its Elf, until @fn returns */
};
/*
 * Calls @fn for each such mapping of @pid as it is now, by address, until it fails. Returns what
 * that returned, 0, or -ESRCH when the process is not there.
 */
int symbols_each_mapping(struct symbols *s, int pid,
			 int (*fn)(void *arg, const struct symbols_mapping *m), void *arg);
/*
 * The name of block device @dev (major << 20 | minor): /sys/dev/block/M:m, then
 * /proc/diskstats, else "M:m". Looked up again when a name is older than a second,
 * since devices come and go. The string lives until the next call.
 */
const char *symbols_disk(struct symbols *s, uint32_t dev);
/*
 * The path of the cgroup with id @id (the inode number of its folder), from the root of
 * its hierarchy: "unified:/a/b"; the number as text when there is none. Lives until the
 * next call.
 */
const char *symbols_cgroup(struct symbols *s, uint64_t id);
/* The login name of @uid, or its number as text. Lives until the next call. */
const char *symbols_user_name(struct symbols *s, uint32_t uid);

/* /proc/loadavg as it is now, without its end of line. Lives until the next call. */
const char *symbols_loadavg(struct symbols *s);
/*
 * The line @name ("Buffers") of /proc/meminfo as it is now: bytes, or a number where the line has
 * no unit. False, and 0 in *@value, when there is no such line.
 */
bool symbols_meminfo(struct symbols *s, const char *name, uint64_t *value);

#endif
