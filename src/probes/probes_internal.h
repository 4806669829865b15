/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/probes/ share. */
#ifndef BT_PROBES_INTERNAL_H
#define BT_PROBES_INTERNAL_H

#include <linux/perf_event.h>

#include "probes/probes.h"

#define PROBE_NAME_MAX 512

/* Attach types newer than some headers: include/uapi/linux/bpf.h. */
#define PROBE_AT_UPROBE_MULTI 48

typedef int probe_point_fn(const struct probe_point *p, void *arg);

extern const struct probe_type probe_fentry, probe_fexit, probe_kprobe, probe_kretprobe;
extern const struct probe_type probe_bench, probe_test;
extern const struct probe_type probe_begin, probe_end, probe_hardware, probe_interval, probe_iter,
	probe_profile, probe_rawtracepoint, probe_self, probe_software, probe_tracepoint,
	probe_uprobe, probe_uretprobe, probe_usdt, probe_watchpoint;
extern const struct attacher attacher_fentry, attacher_fexit, attacher_kprobe, attacher_kretprobe;
extern const struct attacher attacher_hardware, attacher_iter, attacher_usdt, attacher_watchpoint;
extern const struct attacher attacher_interval, attacher_profile, attacher_raw_tp, attacher_btf_tp,
	attacher_software, attacher_tracepoint, attacher_uprobe, attacher_uretprobe;

/* ---- parsing -------------------------------------------------------------- */

/* Writes a message to @err and returns @code. */
int probe_fail(char *err, size_t errlen, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* expand() of "type:name": one probe, called what the script calls it. */
int probe_expand_named(const char *type, enum image_attach_kind kind, const char *const *parts,
		       size_t nparts, probe_point_fn *cb, void *arg, char *err, size_t errlen);
/* expand() of the types that have one name and no parts. */
int probe_expand_plain(const char *type, enum image_attach_kind kind, const char *const *parts,
		       size_t nparts, probe_point_fn *cb, void *arg, char *err, size_t errlen);

/* How often: interval and profile are written alike. */
struct probe_rate {
	const char *unit;   /* "s", "ms", "us" or "hz" */
	uint64_t count;     /* of units, at least 1 */
	uint64_t period_ns; /* for hz rounded down; at most INT64_MAX */
};
int probe_parse_rate(const char *type, const char *const *parts, size_t nparts,
		     struct probe_rate *rate, char *err, size_t errlen);
/* Lists the units: "interval:s:". */
int probe_list_units(const struct probe_type *type, const char *pattern, probe_point_fn *cb,
		     void *arg);

/* software, hardware: an event and how many of it. */
struct probe_counter {
	const char *name;
	uint64_t config; /* of the perf event */
	uint64_t count;  /* by default */
};
struct probe_counters {
	const struct probe_type *type;
	enum image_attach_kind attach;
	const struct probe_counter *events; /* sorted by name */
	size_t n;
};
int probe_expand_counter(const struct probe_counters *c, const char *const *parts, size_t nparts,
			 probe_point_fn *cb, void *arg, char *err, size_t errlen);
int probe_list_counters(const struct probe_counters *c, const char *pattern, probe_point_fn *cb,
			void *arg);

/*
 * Takes -l's search pattern apart. Returns whether @type may match, and what is to be matched
 * behind the type's name in *@rest ("*" for everything). A pattern without a colon searches
 * all types; @by_name_only: the type is only listed when the pattern names it.
 */
bool probe_list_wanted(const struct probe_type *type, const char *pattern, bool by_name_only,
		       const char **rest);

/* ---- attaching ------------------------------------------------------------ */

/* An empty link for about @n attachments. NULL with errno set. */
struct probe_link *probe_link_new(size_t n, bool slow);
struct bpf_link;
/* Takes @bpf over. Returns 0; or -ENOMEM, with @bpf detached, which needs more than @n. */
int probe_link_add(struct probe_link *link, struct bpf_link *bpf);
/* Notes perf event @fd, which is one of the link's, for probe_link_restart(). 0 or -ENOMEM. */
int probe_link_add_timer(struct probe_link *link, int fd);
/* Lets the timers of the link count their period from now on. */
void probe_link_restart(struct probe_link *link, uint64_t period_ns);
size_t probe_link_count(const struct probe_link *link);
/* Calls @undo when the link is freed, after all has been detached. */
void probe_link_on_free(struct probe_link *link, void (*undo)(void *arg), void *arg);

/* Writes "WHAT: reason" to env->err and returns @code (a negative errno). */
int probe_attach_fail(struct attach_env *env, int code, const char *what);
/*
 * Opens a perf event and attaches @prog to it; @cpu -1 is any (then @pid must be one).
 * Returns 0 with the attachment added to @link, or a negative errno with env->err set.
 */
int probe_attach_perf(struct attach_env *env, struct bpf_program *prog,
		      struct perf_event_attr *attr, int pid, int cpu, struct probe_link *link);
/* Programs whose arguments have the kernel's types: fentry, fexit, typed raw tracepoints. */
int probe_prepare_typed(struct attach_env *env, const struct image *img,
			const struct image_attachment *at, struct bpf_program *prog);
int probe_attach_typed(struct attach_env *env, const struct image *img,
		       const struct image_attachment *at, struct bpf_program *prog,
		       struct probe_link **link);
/*
 * The same on each CPU that is online; or, when env->pid is set, on each thread of that process,
 * wherever it runs, and those that it starts. A new link in *@link.
 */
int probe_attach_everywhere(struct attach_env *env, struct bpf_program *prog,
			    struct perf_event_attr *attr, struct probe_link **link);
/* The first CPU that is online. */
int probe_first_cpu(void);

#endif
