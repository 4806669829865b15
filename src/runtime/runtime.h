/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime: the life of a run.
 *
 * Takes an image and loads it, attaches everything asleep, runs BEGIN, wakes, reads
 * events, puts all to sleep again, drains, runs END, prints the maps, detaches. Needs libbpf and
 * libelf; nothing of the compiling half.
 */
#ifndef BT_RUNTIME_H
#define BT_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "image/image.h"
#include "output/output.h"
#include "target/target.h"

enum runtime_debug { RUNTIME_DEBUG_LIBBPF = 1, RUNTIME_DEBUG_VERIFIER = 2 };

enum runtime_mode {
	RUNTIME_RUN,   /* attach the probes; test and bench are passed over */
	RUNTIME_TEST,  /* run begin, the test probes, end */
	RUNTIME_BENCH, /* likewise the bench probes, timed */
};

struct runtime_options {
	enum runtime_mode mode;

	const char *output; /* -o FILE, NULL: stdout */
	enum output_buffering buffering;
	const char *format;    /* -f, "text" */
	const char *command;   /* -c CMD: words split as a shell would, no shell run; NULL: none */
	int pid;               /* -p, 0: none */
	const int *dwarf_pids; /* --dwarf-pid; ends with 0, NULL: none */
	const char *const *debug_dirs; /* --debuginfo: see debug_file.h; NULL: none */
	bool quiet, verbose, dry_run, unsafe;
	bool no_warnings;
	bool no_sync;   /* the gate is open before anything is attached */
	unsigned debug; /* enum runtime_debug bits */
	/* Told of each stage's end: "load", "attach", "begin", "wake"; may be NULL. */
	void (*stage)(void *arg, const char *name);
	void *stage_arg;
};

/*
 * Runs the image to its end. Returns the exit status: 0, what exit(code) said, or 1 after
 * a failure (message on stderr, nothing left attached, no child left).
 */
int runtime_run(const struct image *img, struct target *t, const struct runtime_options *opts);

#endif
