/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one run, and what the files of the room share. */
#ifndef BT_RUNTIME_INTERNAL_H
#define BT_RUNTIME_INTERNAL_H

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>

#include "probes/probes.h"
#include "runtime/runtime.h"

struct bpf_object;
struct bpf_program;

/* ---- the control words ------------------------------------------------------ */

struct control {
	int map_fd;
	size_t size;                 /* of the map's value, bytes */
	struct image_control *words; /* the kernel's own when mapped, else a copy */
	bool mapped;
	bool clock_boot; /* start_ns is of the boot-time clock */
};

/* Finds the words in the loaded object. Returns 0 or a negative errno. */
int control_open(struct control *c, struct bpf_object *obj, const struct image_config *config);
void control_close(struct control *c);
/* The words as they are now; valid until the next call. */
const struct image_control *control_read(struct control *c);
/* Before anything runs: the -c child's pid (0: none), and image_control's events_limit. */
int control_prepare(struct control *c, uint64_t cpid, uint64_t events_limit);
/* Opens the gate before its moment, for --no-sync: elapsed stays 0 until control_wake(). */
int control_unlock(struct control *c);
/* Notes the moment and opens the gate. */
int control_wake(struct control *c);
/* As if exit() had not been called. */
int control_forget_exit(struct control *c);
/* Closes the gate; programs may still be running, see wait_for_programs(). */
int control_sleep(struct control *c);

/* Returns when every BPF program that was running at the call has ended. */
int wait_for_programs(struct target *t);

/* ---- the -c child ------------------------------------------------------------ */

struct child {
	pid_t pid;    /* 0: none */
	int go_fd;    /* written to: exec now */
	int error_fd; /* closed by a successful exec, else carries its errno */
	bool stops;   /* when it has executed the command */
	bool stopped; /* it has, and waits */
	bool reaped;
	int status; /* as waitpid() gives it, when reaped */
};

/*
 * Splits @text into words as a shell does (blanks; ' ", \), without expansions. Returns
 * a NULL-terminated array (one malloc), or NULL with a message in @err.
 */
char **split_words(const char *text, char *err, size_t errlen);
/*
 * Forks a child that waits to be released. @mask is the signal mask that the command
 * gets; with @stop it will stop when it has executed it. Returns 0, or a negative errno with a
 * message in @err.
 */
int child_prepare(struct child *c, const char *command, const sigset_t *mask, bool stop, char *err,
		  size_t errlen);
/*
 * Lets it exec. Returns 0 or the negative errno of exec. When it was to stop it has stopped then,
 * before the first instruction of the command, and child_continue() lets it run.
 */
int child_release(struct child *c);
void child_continue(struct child *c);
/*
 * Lets a stopped one run to its entry point, and stops it there. Returns 0, or a negative errno
 * when it did not come there or has no such place; it may have ended then.
 */
int child_run_to_entry(struct child *c);
/* Whether it has ended; does not wait. */
bool child_ended(struct child *c);
/* Ends it where it still runs (SIGTERM, after two seconds SIGKILL) and reaps it. */
void child_stop(struct child *c);

/* ---- signals ------------------------------------------------------------------ */

struct signals {
	int fd;       /* signalfd: SIGINT, SIGTERM, SIGCHLD, SIGUSR1 */
	sigset_t old; /* the caller's mask */
	struct sigaction old_pipe;
	/* the thread that reads fd while events are taken and results printed */
	pthread_t watcher;
	bool watching;
	int watcher_stop;        /* eventfd */
	int handed_on[2];        /* pipe: a byte a signal */
	uint64_t stopping_since; /* ns, 0: not yet; the thread's and ours */
};

int signals_open(struct signals *s);
void signals_close(struct signals *s);
/* The next signal, or 0. Does not wait. */
int signals_next(struct signals *s);
/* To be watched for reading. */
int signals_fd(const struct signals *s);
/* Starts the thread: a SIGINT or SIGTERM a while after the first ends the process at once. */
int signals_watch(struct signals *s);
/* The run ends for another reason: from a moment on the first signal counts as the second. */
void signals_stopping(struct signals *s);

/* ---- the run ------------------------------------------------------------------ */

enum stop_reason {
	STOP_NONE,
	STOP_EXIT,   /* exit() */
	STOP_SIGNAL, /* SIGINT, SIGTERM */
	STOP_CHILD,  /* the -c child ended */
	STOP_PID,    /* the -p process ended */
	STOP_OUTPUT, /* nothing can be written any more */
	STOP_DONE,   /* nothing that could ever happen is attached */
	STOP_ERROR,
};

struct unwind;

struct run {
	const struct image *img;
	struct target *target;
	const struct runtime_options *opts;

	struct bpf_object *obj;
	int *map_fds;              /* by row of MAPS */
	uint32_t *map_value_sizes; /* likewise, bytes of one CPU's */
	bool *was_zeroed;          /* by row of MAPS: scalar aggregations emptied by zero() */
	unsigned ncpus;
	struct control control;
	bool control_open;

	FILE *file; /* -o, or stdout */
	struct output *out;
	struct symbols *sym;

	struct unwind *unwind; /* dw_ustack; NULL: not used */

	struct child child;
	int pid_fd; /* of the -p process, -1: none or not to be had */
	struct signals signals;
	bool signals_open;

	struct events *events;
	struct packets *packets; /* skboutput(), NULL: none */
	uint64_t nevents;        /* taken out so far */
	uint64_t lost_perf;      /* told by the perf buffers */
	uint64_t lost_reported;  /* events already told to be lost */
	uint64_t lost_told_at;   /* when, ns */

	struct probe_link **links;
	uint32_t *link_rows; /* of ATTACHMENTS, the first of each link */
	size_t nlinks;
	uint64_t *misses;   /* by row of ATTACHMENTS, first of a program: see misses.c */
	unsigned nattached; /* probes, BEGIN and END included */
	unsigned nwaiting;  /* probes that something may still happen to */

	bool woken; /* the gate was open at some time */
	enum stop_reason stop;
	unsigned errors; /* that errorf() told of */
	int status;      /* for failures; exit() has its own in the control words */
};

/* An output of this run that writes to @file, or NULL. */
struct output *run_output(struct run *r, FILE *file, const char *format);
/* Messages on stderr: "ERROR: ...", "WARNING: ..." (unless no_warnings). */
void run_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void run_warning(const struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- the object ------------------------------------------------------------------ */

/* Opens and loads the object; a refused program is explained on stderr. */
int object_load(struct run *r);
/* The program of attachment @at, or NULL with a message on stderr. */
struct bpf_program *object_program(const struct run *r, const struct image_attachment *at);
/* The process that probes are attached to where they can be: -c's or -p's, 0: all. */
static inline int traced_pid(const struct run *r)
{
	return r->child.pid ? r->child.pid : r->opts->pid;
}
/* How many rows of ATTACHMENTS from @at on are of the same program. */
uint32_t object_same_program(const struct run *r, const struct image_attachment *at);
/*
 * Tells each program that has to know it what it will be attached to. One that cannot be had is
 * left out, or makes this fail.
 */
int prepare_programs(struct run *r);
/* Whether the program of the @n rows at @at is loaded to be attached to all of them at once. */
bool object_attaches_many(const struct run *r, const struct image_attachment *at, uint32_t n);
/* Runs the programs of all attachments of @kind once, in their order. */
int object_run_programs(struct run *r, uint32_t kind);
/* Runs the program, of a kind that is not attached, once. Returns 0 or a negative errno. */
int run_program(const struct run *r, const struct bpf_program *prog);
/* Size of the ring buffer in bytes: a power of two, from the setting or the memory. */
uint32_t ring_buffer_size(uint32_t pages, uint64_t available_kb, uint32_t page_size);

/* ---- maps ------------------------------------------------------------------------ */

/* The elements of a map as output takes them; one malloc each for elems, keys, values. */
struct map_contents {
	struct output_elem *elems;
	size_t n, cap;
	uint8_t *keys, *values;
	size_t key_size, value_size; /* of one element, all CPUs */
};

/* Reads row @map. A scalar that nothing was stored in has no elements. */
int map_read(struct run *r, uint32_t map, struct map_contents *c);
void map_contents_free(struct map_contents *c);
int map_clear(struct run *r, uint32_t map);
int map_zero(struct run *r, uint32_t map);
/* output_stack_fn */
int map_stack(void *run, uint32_t map, int64_t id, void *frames, size_t size);

/* ---- unwinding --------------------------------------------------------------------- */

/* Before the object is loaded: gives its maps what they need. 0 or a negative errno. */
int unwind_prepare(struct run *r);
/* After it: reads what the processes have mapped that were asked for. Failures are told. */
int unwind_open(struct run *r);
/* What @pid has mapped now; what was known of it is forgotten. */
void unwind_add_process(struct run *r, int pid);
void unwind_close(struct run *r);

/* ---- packets ----------------------------------------------------------------------- */

/* The files and buffers of skboutput(), where the script has any. 0 or a negative errno. */
int packets_open(struct run *r);
void packets_close(struct run *r);
/* To be watched for reading, -1: none. */
int packets_fd(const struct run *r);
/* Writes all that have come. */
int packets_consume(struct run *r);

/* ---- events ---------------------------------------------------------------------- */

/* How full printf may make the ring buffer, in bytes; 0 without ring buffer. */
uint64_t events_limit(const struct run *r);
/* Opens the ring (or perf) buffer. */
int events_open(struct run *r);
void events_close(struct run *r);
/* To be watched for reading. */
int events_fd(const struct run *r);
/*
 * Takes events out until there is none left, or for a limited time so that the caller can look
 * at other things. Returns 1 when there may be more, 0 when not, or a negative errno.
 */
int events_consume(struct run *r);
/* Takes all out, however long it takes. */
int events_drain(struct run *r);
/* What to do for one event. @data is 8-byte aligned. */
void events_handle(struct run *r, const void *data, size_t size);

/* ---- notifications --------------------------------------------------------------- */

/* sd_notify(3): sends @state to the socket in $NOTIFY_SOCKET; silent without one. */
void notify_service(const char *state);

#endif
