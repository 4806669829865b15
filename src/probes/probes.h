/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probes: the probe types, one file each.
 *
 * For the compiling half: struct probe_type says how an attach point is written
 * and which probes of the target it stands for. For the running half: struct
 * attacher says how a program gets attached and comes off again. Both are rows of tables.
 */
#ifndef BT_PROBES_H
#define BT_PROBES_H

#include "image/image.h"
#include "target/target.h"

/* ---- matching and listing (no bpf_object in sight) ----------------------- */

/* One concrete probe, wildcards resolved. Strings live until the callback returns. */
struct probe_point {
	const char *name; /* fully expanded: "tracepoint:sched:sched_switch" */
	/* after the provider: {"sched", "sched_switch"}, {"vmlinux", "sched_switch"} for
	 * rawtracepoint, {"us", "10000"} for interval:10ms; NULL-filled */
	const char *parts[4];
	enum image_attach_kind attach; /* the plain way to attach it */
	const char *target;            /* as struct image_attachment */
	int64_t arg[3];
	const char *operands; /* usdt: where the arguments are (usdt_operands.h); else NULL */
	const char *unsafe;   /* why it takes --unsafe, NULL: it does not */
};

enum probe_type_flags {
	PROBE_UNGATED = 1,  /* begin, end, iter, test, bench, self */
	PROBE_HAS_ARGS = 2, /* builtin args may be used */
	PROBE_HAS_ARGN = 4, /* arg0, arg1, ... may be used */
	PROBE_HAS_RETVAL = 8,
	PROBE_NO_WILDCARD = 16,
	PROBE_NO_PREDICATE = 32, /* begin, end */
	PROBE_SPECIAL = 64,      /* probetype() is "special" */
	PROBE_HAS_REGS = 128,    /* the context is struct pt_regs: arg0, reg() */
	PROBE_HAS_FUNC = 256,
	PROBE_USER = 512,     /* pointers are the process's */
	PROBE_RETURNS = 1024, /* what the body returns is the program's result */
};

struct probe_type {
	const char *name;           /* "tracepoint" */
	const char *const *aliases; /* {"t", NULL}; old names too */
	unsigned flags;
	/*
	 * Calls @cb for every probe that the written parts stand for (sorted; at least one or
	 * an error). Returns 0, what @cb returned, or a negative errno with a message in @err
	 * (bpftrace's wording where it has one). -ENOENT: well-formed, but no such probe.
	 */
	int (*expand)(struct target *t, const char *const *parts, size_t nparts,
		      int (*cb)(const struct probe_point *p, void *arg), void *arg, char *err,
		      size_t errlen);
	/*
	 * For -l: names all probes of the type that match @pattern as the user wrote it:
	 * "provider:rest" (the provider a name, an alias or a wildcard), or "rest" for any
	 * provider; "" and "*" are everything. A rest without a colon is the last part, of any
	 * category. Call it for every type. NULL: nothing to list.
	 */
	int (*list)(struct target *t, const char *pattern,
		    int (*cb)(const struct probe_point *p, void *arg), void *arg);
};

/*
 * A number as the language writes it: 0x, 0b, octal, 1e6, 1_000, and the suffixes of C and of
 * time ("10ms" is ns). Returns 0, or -EINVAL with what is wrong in @why.
 */
int probe_parse_uint(const char *text, uint64_t *value, char *why, size_t size);
/*
 * Whether there is a probe @text ("kprobe:vfs_read", wildcards too): 1 or 0; -EINVAL with a
 * message in @err where that is no way to write one, or another negative errno.
 */
int probe_exists(struct target *t, const char *text, char *err, size_t errlen);
/* The type's expand, without probes that the target hides. */
int probe_expand(const struct probe_type *type, struct target *t, const char *const *parts,
		 size_t nparts, int (*cb)(const struct probe_point *p, void *arg), void *arg,
		 char *err, size_t errlen);
/* By name or alias, case as written ("BEGIN" and "begin"); NULL when unknown. */
const struct probe_type *probe_type_find(const char *name);
/* All types, ending with NULL, in the order of -l's output. */
extern const struct probe_type *const probe_types[];
/* All names and aliases, ending with NULL, for "did you mean". */
const char *const *probe_type_names(void);

/* ---- symbols of the file that a user probe is in ----------------------------- */

struct probe_user_symbol {
	uint64_t address; /* relative: counted from the probe's own address */
	uint64_t size;    /* bytes, 0: not known */
	bool relative;    /* the file may be mapped anywhere */
};

/*
 * Finds symbol @name (function or data) of the file @path, in which there is a probe at file
 * offset @offset. Returns 0, -ENOENT without such a symbol, or another negative errno.
 */
int probe_user_symbol(const char *path, uint64_t offset, const char *name,
		      struct probe_user_symbol *sym);

/* ---- attaching ----------------------------------------------------------- */

struct bpf_program;
struct probe_link; /* whatever holds the attachment; one or more file descriptors */

struct attach_env {
	struct target *target;
	int pid; /* -p: this process only, 0: all */
	bool verbose;
	char err[256]; /* reason of the last failure, in words */
};

struct attacher {
	enum image_attach_kind kind;
	/*
	 * Attaches @prog as row @at says. Returns 0 and a link in *@link (owned by the caller), or
	 * a negative errno with env->err set; -ENOENT where the probe does not exist.
	 * NULL for kinds that are not attached but run (begin, end, self, test, bench).
	 */
	int (*attach)(struct attach_env *env, const struct image *img,
		      const struct image_attachment *at, struct bpf_program *prog,
		      struct probe_link **link);
	/* NULL, or: the probes wake; what counts time counts from now on. */
	void (*wake)(const struct image_attachment *at, struct probe_link *link);
	/* How long detaching takes: slow ones are detached side by side. */
	bool slow_detach;
	/* Of several programs at one place the kernel runs the one first that came last. */
	bool last_runs_first;
	/*
	 * NULL, or: tells libbpf before the program is loaded what it will be attached to.
	 * Returns as attach.
	 */
	int (*prepare)(struct attach_env *env, const struct image *img,
		       const struct image_attachment *at, struct bpf_program *prog);
	/*
	 * Kinds that can attach one program to many places at once; else NULL and 0. The
	 * program has to be loaded as @many_type (enum bpf_attach_type) for it, and is then
	 * attached in no other way. @at: rows that lie together, of one program; and of one
	 * target, unless many_targets.
	 */
	bool (*can_attach_many)(struct target *t, int pid, const struct image *img,
				const struct image_attachment *at, size_t n);
	int (*attach_many)(struct attach_env *env, const struct image *img,
			   const struct image_attachment *at, size_t n, struct bpf_program *prog,
			   struct probe_link **link);
	unsigned many_type;
	bool many_targets;
};

/* The row of @kind, or NULL when this build cannot attach it. */
const struct attacher *attacher_find(uint32_t kind);
/* The descriptor of its (first) attachment; belongs to the link. */
int probe_link_fd(const struct probe_link *link);
/* Detaches and frees. NULL is allowed. */
void probe_link_free(struct probe_link *link);
/* Detaches @n links at once, slow ones in threads of their own. */
void probe_links_free(struct probe_link **links, size_t n);

#endif
