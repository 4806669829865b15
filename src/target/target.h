/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target: what the kernel compiled for (or run on) has.
 *
 * Features are rows of one table, found by trying on the running kernel or by
 * version for another one, and kept for the life of the target. Function and
 * tracepoint lists and BTF are read when first asked for. Both halves use it;
 * it is the only place of the compiling side from which bpf(2) is called.
 */
#ifndef BT_TARGET_H
#define BT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct btf;
struct target;

#define TARGET_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))

/* One feature a line: enum, name for --no-feature, first kernel, words for --info. */
#define TARGET_FEATURES(X)                                                                         \
	X(GLOBAL_DATA, "global_data", TARGET_VERSION(5, 2, 0), "global data")                      \
	X(MMAPABLE, "mmapable", TARGET_VERSION(5, 5, 0), "memory-mapped maps")                     \
	X(RING_BUFFER, "ring_buffer", TARGET_VERSION(5, 8, 0), "ring buffer")                      \
	X(PROBE_READ_KERNEL, "probe_read_kernel", TARGET_VERSION(5, 5, 0),                         \
	  "probe_read_kernel and probe_read_user")                                                 \
	X(BOOT_CLOCK, "boot_clock", TARGET_VERSION(5, 8, 0), "boot-time clock")                    \
	X(BPF_LOOP, "bpf_loop", TARGET_VERSION(5, 17, 0), "bpf_loop")                              \
	X(FOR_EACH_MAP, "for_each_map", TARGET_VERSION(5, 13, 0), "iteration over map elements")   \
	X(PERCPU_LOOKUP, "percpu_lookup", TARGET_VERSION(5, 19, 0),                                \
	  "values of other processors in programs")                                                \
	X(LARGE_KEYS, "large_keys", TARGET_VERSION(5, 11, 0), "map keys above 512 bytes")          \
	X(MAP_BATCH, "map_batch", TARGET_VERSION(5, 6, 0), "batched map operations")               \
	X(BOUNDED_LOOPS, "bounded_loops", TARGET_VERSION(5, 3, 0), "bounded loops")                \
	X(LAZY_HASH, "lazy_hash", TARGET_VERSION(6, 1, 0),                                         \
	  "hash maps that take memory as they fill")                                               \
	X(RAW_TP, "raw_tp", TARGET_VERSION(4, 17, 0), "raw tracepoints")                           \
	X(RAW_TP_TEST_RUN, "raw_tp_test_run", TARGET_VERSION(5, 10, 0),                            \
	  "test runs of raw tracepoint programs")                                                  \
	X(FUNC_IP, "func_ip", TARGET_VERSION(5, 15, 0), "address of the function in kprobes")      \
	X(UPROBE_FUNC_IP, "uprobe_func_ip", TARGET_VERSION(6, 6, 0),                               \
	  "address of the function in uprobes")                                                    \
	X(ATTACH_COOKIE, "attach_cookie", TARGET_VERSION(5, 15, 0), "attach cookies")              \
	X(LINKS, "links", TARGET_VERSION(5, 15, 0), "BPF links to perf events")                    \
	X(KPROBE, "kprobe", TARGET_VERSION(4, 1, 0), "kprobes")                                    \
	X(KPROBE_MULTI, "kprobe_multi", TARGET_VERSION(5, 18, 0), "kprobe.multi links")            \
	X(KPROBE_SESSION, "kprobe_session", TARGET_VERSION(6, 10, 0), "kprobe.session links")      \
	X(UPROBE_MULTI, "uprobe_multi", TARGET_VERSION(6, 6, 0), "uprobe.multi links")             \
	X(REF_CTR, "uprobe_refcount", TARGET_VERSION(4, 20, 0),                                    \
	  "semaphores of USDT probes raised by the kernel")                                        \
	X(FENTRY, "fentry", TARGET_VERSION(5, 5, 0), "fentry and fexit")                           \
	X(ITER, "iter", TARGET_VERSION(5, 8, 0), "iterators")                                      \
	X(D_PATH, "d_path", TARGET_VERSION(5, 10, 0), "d_path")                                    \
	X(BTF, "btf", TARGET_VERSION(5, 2, 0), "kernel BTF")                                       \
	X(CPU_V2, "cpu_v2", TARGET_VERSION(4, 14, 0), "BPF instructions v2")                       \
	X(CPU_V3, "cpu_v3", TARGET_VERSION(5, 12, 0), "BPF instructions v3")                       \
	X(MEMBARRIER, "membarrier", TARGET_VERSION(4, 3, 0), "membarrier(2), global")

#define TARGET_MAX_KEY 512 /* bytes, without LARGE_KEYS */

enum target_feature {
#define X(id, name, since, words) TARGET_F_##id,
	TARGET_FEATURES(X)
#undef X
		TARGET_NFEATURES
};

/* The running kernel. Never NULL; tries nothing yet. Free with target_close(). */
struct target *target_open_running(void);
/*
 * From now on stands for Linux @version (TARGET_VERSION): features, helpers and map types are
 * those of the table, nothing is tried. What no table knows (types, lists of probes) is
 * still the running kernel's.
 */
void target_set_version(struct target *t, uint32_t version);
/* "4.18" or "5.10.3" as TARGET_VERSION; 0: not understood. */
uint32_t target_parse_version(const char *text);

/*
 * From now on stands for any kernel of @version or later (TARGET_VERSION): features as with
 * target_set_version(), and single probes are taken to be there. What is asked for, and had, is
 * noted: target_needs().
 */
void target_set_portable(struct target *t, uint32_t version);
/* Whether it stands for another kernel than the running one, by target_set_version() alone. */
bool target_is_other(const struct target *t);
bool target_is_portable(const struct target *t);

/* What generated code relies on; kinds as enum image_need_kind. */
struct target_need {
	uint32_t kind; /* 0: feature, 1: helper, 2: map type */
	uint32_t id;
	const char *name;
	uint32_t since; /* TARGET_VERSION */
};
#define TARGET_MAX_NEEDS 512
/* Writes at most @max of them; returns how many. */
size_t target_needs(const struct target *t, struct target_need *needs, size_t max);

/* What a kernel has not, and the first one that has it. */
struct target_lack {
	const char *name;
	uint32_t since; /* TARGET_VERSION */
};
/* Whether the kernel is without helper function @helper (enum bpf_func_id), or map type. */
bool target_lacks_helper(struct target *t, uint32_t helper, struct target_lack *lack);
bool target_lacks_map_type(struct target *t, uint32_t type, struct target_lack *lack);
void target_close(struct target *t);

/* Whether the kernel has @f: tried once, then remembered; false when switched off. */
bool target_has(struct target *t, enum target_feature f);
/* Switches features off: "a,b". Returns 0, or -EINVAL with the unknown name in @err. */
int target_disable(struct target *t, const char *names, char *err, size_t errlen);
/*
 * Switches probes off: wildcards for their full names ("kprobe:blk_*,tracepoint:block:*").
 * The text must outlive the target.
 */
void target_hide_probes(struct target *t, const char *patterns);
bool target_hides_probe(const struct target *t, const char *name);
/* Whether target_disable() was called: versions tell less then. */
bool target_was_disabled(const struct target *t);
const char *target_feature_name(enum target_feature f);
/* What it is, for people. */
const char *target_feature_words(enum target_feature f);
/* "Linux 5.8": the first kernel that has it. */
const char *target_feature_since(enum target_feature f);
/* TARGET_VERSION of the kernel compiled for. */
uint32_t target_version(const struct target *t);
/* The process that is to be traced (-p), 0: any. Its files are found as it sees them. */
void target_set_pid(struct target *t, int pid);
int target_pid(const struct target *t);
/*
 * Where debug data are looked for (--debuginfo): see symbols/debug_file.h. NULL: in the usual
 * places. The array must outlive the target.
 */
void target_set_debug_dirs(struct target *t, const char *const *dirs);
const char *const *target_debug_dirs(const struct target *t);
/* @free_it is called with @p when the target is closed; the last one kept goes first. */
void target_keep(struct target *t, void *p, void (*free_it)(void *p));
/* Prints --info's section on the kernel. */
void target_print_info(struct target *t, FILE *out);

/*
 * vmlinux BTF, read on the first call; NULL where there is none. $BPFTRACE_BTF names
 * another file. Belongs to the target.
 */
const struct btf *target_btf(struct target *t);

/*
 * The kernel's configuration as text, "CONFIG_X=y" a line (malloc): /proc/config.gz, or the
 * files that distributions install. NULL where it is not to be had.
 */
char *target_kconfig(struct target *t);

/*
 * The path of a file in tracefs, e.g. "events/sched/sched_switch/format", opened for
 * reading; a negative errno otherwise. tracefs is found where it is mounted
 * (/sys/kernel/tracing, /sys/kernel/debug/tracing, /proc/mounts); where it is not,
 * it is mounted through fsopen/fsmount (no name in any namespace), or, before
 * Linux 5.2, in a private mount namespace of a child.
 */
int target_tracefs_open(struct target *t, const char *path);
/* The whole file as a NUL-terminated string (malloc), or NULL with errno set. */
char *target_tracefs_read(struct target *t, const char *path);

/*
 * Calls @cb for each tracepoint "category:event" whose category and event match the
 * wildcards (target_glob()), sorted by "category:event". @cb returns 0 to go on.
 * Returns 0, what @cb returned, or a negative errno when there is no list.
 */
int target_each_tracepoint(struct target *t, const char *category, const char *event,
			   int (*cb)(const char *category, const char *event, void *arg),
			   void *arg);
/*
 * Raw tracepoints, from the BTF of the kernel and its modules (btf_trace_*), else from the
 * list of tracepoints; @module ("vmlinux") and @name are wildcards; sorted by "module:name".
 */
int target_each_raw_tracepoint(struct target *t, const char *module, const char *name,
			       int (*cb)(const char *module, const char *name, void *arg),
			       void *arg);
bool target_has_tracepoint(struct target *t, const char *category, const char *event);
bool target_has_raw_tracepoint(struct target *t, const char *name);
/*
 * Likewise, and who has it in @module ("vmlinux" or a module's name). The strings of BTF
 * are searched, in place, for btf_trace_@name (0.5 ms, no type is read); where there is
 * no BTF, the event folders.
 */
bool target_raw_tracepoint_module(struct target *t, const char *name, char *module, size_t size);
/*
 * Calls @cb for each function of the kernel and its modules that can be traced; @module
 * ("vmlinux") and @name are wildcards; with one in @name sorted by name. @cb returns 0 to
 * go on. Returns 0, what @cb returned, or -ENOENT when there is no list that can be read.
 */
int target_each_function(struct target *t, const char *module, const char *name,
			 int (*cb)(const char *module, const char *name, void *arg), void *arg);
/* Whether the module is loaded; "vmlinux" always is. */
bool target_has_module(struct target *t, const char *module);
/* Whether vmlinux BTF describes function @name. */
bool target_has_btf_function(struct target *t, const char *name);

/* The id in events/CATEGORY/EVENT/id, or a negative errno. */
int target_tracepoint_id(struct target *t, const char *category, const char *event);

/*
 * The number of the 64-bit system call behind the tracepoint syscalls:sys_enter_@name
 * or sys_exit_@name, or -ENOENT when unknown (the caller then takes the slow way).
 */
int target_syscall_nr(const char *name);
#define TARGET_MAX_SYSCALLS 512
/* The name of 64-bit system call @nr as programs know it, or NULL. */
const char *target_syscall_name(int nr);

/* ---- numbers and their names ------------------------------------------------ */

enum target_names { TARGET_NAMES_ERRORS, TARGET_NAMES_SIGNALS, TARGET_NAMES_SYSCALLS };
/* No number from this one on has a name; none of the names is longer than TARGET_NAME_MAX. */
unsigned target_names_count(enum target_names which);
#define TARGET_NAME_MAX 63
/* The name of @number, or the table's word for numbers without one. Negative errors are errors. */
const char *target_number_name(enum target_names which, int64_t number);
/* "SIGUSR1", "USR1", "SIGRTMIN+3": the signal's number, or -EINVAL. */
int target_signal_number(const char *name);
/* The id of the version-2 control group whose directory is @path. Returns 0 or a negative errno. */
int target_cgroup_id(struct target *t, const char *path, uint64_t *id);
/*
 * How many kernel symbols, functions or data, are called @name: 0, 1, or 2 for several at
 * different addresses; a negative errno where nobody tells.
 */
int target_kernel_symbol(struct target *t, const char *name);
/* Whether process ids are told here by another PID namespace than the first. */
bool target_in_pid_namespace(struct target *t);

/* ---- registers ------------------------------------------------------------ */

struct target_register {
	const char *name;
	uint16_t offset; /* in the struct pt_regs that a probe's program is given */
};

/* Which of them carries what at a function's first instruction. */
#define TARGET_MAX_ARGS 10 /* arg0 to arg9 */
struct target_abi {
	const char *machine;
	const char *args[8];
	unsigned nargs;      /* arguments in registers; the others are 8 bytes each at */
	unsigned stack_args; /* this distance above the stack pointer */
	const char *result, *ip, *sp;
	unsigned breakpoint_size; /* how far ip is behind the breakpoint of a kprobe */
};
const struct target_abi *target_abi(void);
/* The offset of register @name, or -1 when the machine has none of that name. */
int target_register_offset(const char *name);

/* Wildcard match: '*' stands for any run of characters; everything else for itself. */
bool target_glob(const char *pattern, const char *s);
bool target_has_wildcard(const char *pattern);

#endif
