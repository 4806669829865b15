/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line as a struct: what was asked for, checked, nothing done yet.
 */
#ifndef BT_CLI_OPTIONS_H
#define BT_CLI_OPTIONS_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/times.h"
#include "runtime/runtime.h"

enum cli_mode {
	CLI_RUN,
	CLI_LIST,
	CLI_FORMAT,
	CLI_INFO,
	CLI_HELP,
	CLI_VERSION,
	CLI_CACHE,
	CLI_TOOLS
};

struct cli_options {
	enum cli_mode mode;
	const char *program; /* -e; NULL: none */
	const char *file;    /* script or image, "-": standard input; NULL with -e */
	char *found_file;    /* where @file was found by its name (malloc), NULL: it was not */
	const char *search;  /* -l without a script: what to look for */
	/* The script's parameters and options; ends with NULL, strings belong to argv. */
	const char **words;
	size_t nwords;
	const char **debug_dirs; /* --debuginfo; ends with NULL, NULL: none */
	regex_t probe_filter;    /* --probe-filter */
	bool has_probe_filter;
	int *dwarf_pids;            /* --dwarf-pid; ends with 0, NULL: none */
	const char **include_dirs;  /* -I; ends with NULL, NULL: none */
	const char **include_files; /* --include, likewise */
	bool script_help;           /* --help stood behind -- */
	unsigned dump;              /* -d: enum compile_dump bits */
	bool dump_image;
	bool no_sync;
	bool runtime_warnings;  /* -k */
	uint32_t target_kernel; /* --target-kernel as TARGET_VERSION, 0: the running one */
	char *no_feature;       /* names joined by commas (malloc), NULL: none */
	char *no_probe;         /* wildcards joined by commas (malloc), NULL: none */
	const char *emit_elf;
	const char *emit_image;
	bool no_portable;     /* images for the running kernel alone */
	const char *aot;      /* file of the program to be written, NULL: none */
	const char *pid_text; /* -p as written, NULL: none */
	bool no_cache;
	bool show_times;            /* --time */
	const char *times;          /* of the programs before this one; NULL: none */
	struct times *clock;        /* the caller's */
	const char *cache_action;   /* --cache: "show" or "clear"; NULL: not asked for */
	const char **compile_words; /* what of it may matter to compiling; ends with NULL */
	char **argv;                /* as given, before it was read; ends with NULL (malloc) */
	int script_fd;              /* memory files handed over by the other program; */
	int image_fd;               /* -1: none */
	struct runtime_options run;
};

/*
 * Reads the command line into @o, which the caller has zeroed and frees with
 * cli_options_free(), also after a failure. Returns 0, or -EINVAL after printing what is wrong.
 */
int cli_options_parse(struct cli_options *o, int argc, char **argv);
void cli_options_free(struct cli_options *o);
/* Prints the text of --help. */
void cli_usage(FILE *out);

#endif
