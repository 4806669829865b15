/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/tools.h"
#include "codegen/compile.h"

#define MAX_PID 0x400000 /* PID_MAX_LIMIT of 64-bit kernels */

/* ---- what each option does ------------------------------------------------ */

static int set_program(struct cli_options *o, const char *arg)
{
	/* An empty program is no program, as in bpftrace. */
	o->program = *arg ? arg : NULL;
	return 0;
}

static int set_list(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->mode = CLI_LIST;
	return 0;
}

static int set_verbose(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->run.verbose = true;
	return 0;
}

static int set_help(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->mode = CLI_HELP;
	return 0;
}

static int set_version(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->mode = CLI_VERSION;
	return 0;
}

static int set_info(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->mode = CLI_INFO;
	return 0;
}

static int set_fmt(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->mode = CLI_FORMAT;
	return 0;
}

static int set_pid(struct cli_options *o, const char *arg)
{
	o->pid_text = arg;
	return 0;
}

static int set_command(struct cli_options *o, const char *arg)
{
	o->run.command = *arg ? arg : NULL;
	return 0;
}

static int set_output(struct cli_options *o, const char *arg)
{
	o->run.output = *arg ? arg : NULL;
	return 0;
}

static int set_format(struct cli_options *o, const char *arg)
{
	o->run.format = arg;
	return 0;
}

static int set_buffering(struct cli_options *o, const char *arg)
{
	static const char *const modes[] = {
		[OUTPUT_LINE] = "line",
		[OUTPUT_FULL] = "full",
		[OUTPUT_NONE] = "none",
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(arg, modes[i]))
			continue;
		o->run.buffering = i;
		return 0;
	}
	cli_error("USAGE: -B must be either 'line', 'full', or 'none'.");
	return -EINVAL;
}

static int set_run_mode(struct cli_options *o, enum runtime_mode mode, const char *option)
{
	if (o->run.mode != RUNTIME_RUN) {
		cli_error("USAGE: %s conflicts with existing --mode", option);
		return -EINVAL;
	}
	o->run.mode = mode;
	return 0;
}

static int set_test(struct cli_options *o, const char *arg)
{
	(void)arg;
	return set_run_mode(o, RUNTIME_TEST, "--test");
}

static int set_bench(struct cli_options *o, const char *arg)
{
	(void)arg;
	return set_run_mode(o, RUNTIME_BENCH, "--bench");
}

static int set_mode(struct cli_options *o, const char *arg)
{
	if (!strcmp(arg, "test"))
		return set_run_mode(o, RUNTIME_TEST, "--mode");
	if (!strcmp(arg, "bench"))
		return set_run_mode(o, RUNTIME_BENCH, "--mode");
	cli_error("USAGE: --mode can only be 'bench' or 'test'.");
	return -EINVAL;
}

static int set_quiet(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->run.quiet = true;
	return 0;
}

static int warnings_conflict(void)
{
	cli_error("USAGE: -k, --warnings conflicts with --no-warnings");
	return -EINVAL;
}

static int set_warnings(struct cli_options *o, const char *arg)
{
	(void)arg;
	if (o->run.no_warnings)
		return warnings_conflict();
	if (o->runtime_warnings) {
		cli_error("USAGE: -kk has been deprecated. Use a single -k for runtime warnings "
			  "for errors in map lookups and probe reads.");
		return -EINVAL;
	}
	o->runtime_warnings = true;
	return 0;
}

static int set_no_warnings(struct cli_options *o, const char *arg)
{
	(void)arg;
	if (o->runtime_warnings)
		return warnings_conflict();
	o->run.no_warnings = true;
	return 0;
}

/* Adds to a list that ends with NULL. */
static int add_word(const char ***list, const char *word)
{
	const char **longer;
	size_t n = 0;

	while (*list && (*list)[n])
		n++;
	longer = realloc(*list, (n + 2) * sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	longer[n] = word;
	longer[n + 1] = NULL;
	*list = longer;
	return 0;
}

static int set_include_dir(struct cli_options *o, const char *arg)
{
	return add_word(&o->include_dirs, arg);
}

static int set_include(struct cli_options *o, const char *arg)
{
	return add_word(&o->include_files, arg);
}

static int add_debug_dirs(struct cli_options *o, const char *arg)
{
	int err = add_word(&o->debug_dirs, arg);

	o->run.debug_dirs = o->debug_dirs;
	return err;
}

static int parse_pid(const char *text, int *number);

static int add_dwarf_pid(struct cli_options *o, const char *arg)
{
	size_t n = 0;
	int *more;

	while (o->dwarf_pids && o->dwarf_pids[n])
		n++;
	more = realloc(o->dwarf_pids, (n + 2) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	o->run.dwarf_pids = o->dwarf_pids = more;
	more[n] = more[n + 1] = 0;
	return parse_pid(arg, &more[n]);
}

static int set_unsafe(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->run.unsafe = true;
	return 0;
}

static int set_target_kernel(struct cli_options *o, const char *arg)
{
	o->target_kernel = target_parse_version(arg);
	if (o->target_kernel)
		return 0;
	cli_error("USAGE: --target-kernel: not a kernel's version: %s (for example 4.18)", arg);
	return -EINVAL;
}

/* Options that may be given several times: one list, joined by commas. */
static int append(char **list, const char *arg)
{
	char *all = NULL;

	if (asprintf(&all, "%s%s%s", *list ? *list : "", *list ? "," : "", arg) < 0)
		return -ENOMEM;
	free(*list);
	*list = all;
	return 0;
}

static int set_no_feature(struct cli_options *o, const char *arg)
{
	return append(&o->no_feature, arg);
}

static int set_no_probe(struct cli_options *o, const char *arg)
{
	return append(&o->no_probe, arg);
}

static int set_probe_filter(struct cli_options *o, const char *arg)
{
	char why[128];
	int err;

	if (o->has_probe_filter)
		regfree(&o->probe_filter);
	err = regcomp(&o->probe_filter, arg, REG_EXTENDED | REG_NOSUB);
	o->has_probe_filter = !err;
	if (!err)
		return 0;
	regerror(err, &o->probe_filter, why, sizeof(why));
	cli_error("Invalid --probe-filter regex '%s': %s", arg, why);
	return -EINVAL;
}

static int set_time(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->show_times = true;
	return 0;
}

static int set_times(struct cli_options *o, const char *arg)
{
	o->times = arg;
	return 0;
}

static int set_tools(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->mode = CLI_TOOLS;
	return 0;
}

static int set_no_cache(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->no_cache = true;
	return 0;
}

static int set_cache(struct cli_options *o, const char *arg)
{
	if (arg && strcmp(arg, "show") && strcmp(arg, "clear")) {
		cli_error("USAGE: --cache: 'show' or 'clear', not '%s'", arg);
		return -EINVAL;
	}
	o->mode = CLI_CACHE;
	o->cache_action = arg ? arg : "show";
	return 0;
}

static int set_no_sync(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->no_sync = true;
	return 0;
}

static int set_dry_run(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->run.dry_run = true;
	return 0;
}

static int set_emit_elf(struct cli_options *o, const char *arg)
{
	o->emit_elf = arg;
	return 0;
}

static int set_aot(struct cli_options *o, const char *arg)
{
	o->aot = arg;
	return 0;
}

static int set_no_portable(struct cli_options *o, const char *arg)
{
	(void)arg;
	o->no_portable = true;
	return 0;
}

static int set_emit_image(struct cli_options *o, const char *arg)
{
	o->emit_image = arg;
	return 0;
}

/* What handover.c puts in front of the arguments; it is not for the -c command. */
static int take_fd(int *fd, const char *arg)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (end == arg || *end || n < 0 || n > INT_MAX || fcntl(n, F_SETFD, FD_CLOEXEC)) {
		cli_error("USAGE: not an open file: %s", arg);
		return -EINVAL;
	}
	*fd = n;
	return 0;
}

static int set_script_fd(struct cli_options *o, const char *arg)
{
	return take_fd(&o->script_fd, arg);
}

static int set_image_fd(struct cli_options *o, const char *arg)
{
	return take_fd(&o->image_fd, arg);
}

static const struct debug_stage {
	const char *name;
	unsigned compile; /* enum compile_dump */
	unsigned runtime; /* enum runtime_debug */
	bool image;
} debug_stages[] = {
	{"ast", .compile = COMPILE_DUMP_AST},
	{"types", .compile = COMPILE_DUMP_TYPES},
	{"codegen", .compile = COMPILE_DUMP_CODEGEN},
	{"codegen-opt", .compile = COMPILE_DUMP_CODEGEN_OPT},
	{"asm", .compile = COMPILE_DUMP_ASM},
	{"image", .image = true},
	{"libbpf", .runtime = RUNTIME_DEBUG_LIBBPF},
	{"verifier", .runtime = RUNTIME_DEBUG_VERIFIER},
};

/* Switches on the stage called by the @len bytes at @name, or all. */
static int set_stage(struct cli_options *o, const char *name, size_t len)
{
	bool all = len == 3 && !strncmp(name, "all", 3);
	bool found = all;

	for (size_t i = 0; i < sizeof(debug_stages) / sizeof(*debug_stages); i++) {
		const struct debug_stage *s = &debug_stages[i];

		if (!all && (strlen(s->name) != len || strncmp(s->name, name, len)))
			continue;
		o->dump |= s->compile;
		o->run.debug |= s->runtime;
		o->dump_image |= s->image;
		found = true;
	}
	if (found)
		return 0;
	cli_error("USAGE: invalid option for -d: %.*s", (int)len, name);
	return -EINVAL;
}

static int set_debug(struct cli_options *o, const char *arg)
{
	while (*arg) {
		size_t len = strcspn(arg, ",");
		int err = len ? set_stage(o, arg, len) : 0;

		if (err)
			return err;
		arg += len;
		arg += *arg == ',';
	}
	return 0;
}

/* ---- the table -------------------------------------------------------------- */

enum option_group { GROUP_MAIN, GROUP_WHAT, GROUP_OUTPUT, GROUP_SOURCE, GROUP_SAFETY, GROUP_DEBUG };

struct option_row {
	enum option_group group;
	char letter;          /* 0: long only */
	const char *name;     /* NULL: short only */
	const char *arg_name; /* NULL: takes no argument */
	const char *shown;    /* the left column of --help; NULL: not shown */
	const char *help;
	int (*set)(struct cli_options *o, const char *arg);
};

static const struct option_row rows[] = {
	{GROUP_MAIN, 'e', NULL, "PROGRAM", "-e 'program'", "run this program", set_program},
	{GROUP_MAIN, 'l', "list", NULL, "-l, --list [search|filename]",
	 "list the kernel's probes, or those of a script", set_list},
	{GROUP_MAIN, 0, "fmt", NULL, "--fmt",
	 "print the script in the one style there is, and stop", set_fmt},
	{GROUP_MAIN, 'v', "verbose", NULL, "-v, --verbose",
	 "say more; with -l, show the probes' arguments", set_verbose},
	{GROUP_MAIN, 'h', "help", NULL, "-h, --help", "show this help", set_help},
	{GROUP_MAIN, 'V', "version", NULL, "-V, --version", "show the version", set_version},
	{GROUP_MAIN, 0, "tools", NULL, "--tools", "list the bundled scripts, which are run by name",
	 set_tools},
	{GROUP_MAIN, 0, "info", NULL, "--info", "show what this kernel and this build support",
	 set_info},

	{GROUP_WHAT, 'p', "pid", "PID", "-p, --pid PID", "trace only process PID; end with it",
	 set_pid},
	{GROUP_WHAT, 'c', "cmd", "CMD", "-c, --cmd CMD",
	 "run CMD once the probes are awake; end with it", set_command},
	{GROUP_WHAT, 0, "probe-filter", "REGEX", "--probe-filter REGEX",
	 "of the script's probes, attach those that REGEX matches", set_probe_filter},
	{GROUP_WHAT, 0, "dwarf-pid", "PID", "--dwarf-pid PID",
	 "let dw_ustack() walk stacks of process PID, too", add_dwarf_pid},
	{GROUP_WHAT, 0, "test", NULL, "--test", "run the script's test probes", set_test},
	{GROUP_WHAT, 0, "bench", NULL, "--bench", "run and time the script's bench probes",
	 set_bench},
	{GROUP_WHAT, 0, "mode", "MODE", "--mode MODE", "'test' or 'bench', as --test and --bench",
	 set_mode},

	{GROUP_OUTPUT, 'o', "output", "FILE", "-o, --output FILE", "write the output to FILE",
	 set_output},
	{GROUP_OUTPUT, 'f', NULL, "FORMAT", "-f FORMAT",
	 "output format ('text', 'json', 'folded', 'flamegraph')", set_format},
	{GROUP_OUTPUT, 'B', NULL, "MODE", "-B MODE", "output buffering ('line', 'full', 'none')",
	 set_buffering},
	{GROUP_OUTPUT, 'q', "quiet", NULL, "-q, --quiet", "print nothing but the script's output",
	 set_quiet},
	{GROUP_OUTPUT, 'k', "warnings", NULL, "-k, --warnings",
	 "warn when a read of memory or a map's look-up fails in a probe", set_warnings},
	{GROUP_OUTPUT, 0, "no-warnings", NULL, "--no-warnings", "print no warnings",
	 set_no_warnings},

	{GROUP_SOURCE, 'I', NULL, "DIR", "-I DIR", "look for C headers in DIR too",
	 set_include_dir},
	{GROUP_SOURCE, 0, "include", "FILE", "--include FILE", "include FILE before the script",
	 set_include},

	{GROUP_SOURCE, 0, "debuginfo", "DIR[:DIR]", "--debuginfo DIR[:DIR]",
	 "look for debug data of programs in DIR too", add_debug_dirs},

	{GROUP_SAFETY, 0, "unsafe", NULL, "--unsafe",
	 "allow functions that can do harm, such as system()", set_unsafe},
	{GROUP_SAFETY, 0, "no-sync", NULL, "--no-sync",
	 "let each probe record from the moment it is attached\n"
	 "until it is detached (no common start and stop)",
	 set_no_sync},
	{GROUP_SAFETY, 0, "target-kernel", "VERSION", "--target-kernel VERSION",
	 "use nothing that is newer than this kernel, e.g. 4.18", set_target_kernel},
	{GROUP_SAFETY, 0, "no-feature", "FEATURE", "--no-feature FEATURE[,FEATURE]",
	 "do without these kernel features (names: --info)", set_no_feature},
	{GROUP_SAFETY, 0, "no-probe", "PROBE", "--no-probe PROBE[,PROBE]",
	 "do without these probes (wildcards, as -l names them)", set_no_probe},

	{GROUP_DEBUG, 0, "time", NULL, "--time", "show where the time of the start goes", set_time},
	{GROUP_DEBUG, 0, "no-cache", NULL, "--no-cache",
	 "compile the script in any case, and keep nothing", set_no_cache},
	{GROUP_DEBUG, 0, "cache", "[ACTION]", "--cache[=show|clear]",
	 "show, or clear, the cache of compiled scripts", set_cache},
	{GROUP_DEBUG, 0, "dry-run", NULL, "--dry-run", "stop as soon as all probes are attached",
	 set_dry_run},
	{GROUP_DEBUG, 'd', "debug", "STAGE", "-d, --debug STAGE[,STAGE]",
	 "show the product of a stage: 'ast', 'types', 'codegen',\n"
	 "'codegen-opt', 'asm', 'image', 'libbpf', 'verifier' or 'all'",
	 set_debug},
	{GROUP_DEBUG, 0, "emit-elf", "FILE", "--emit-elf FILE",
	 "also write the BPF programs to FILE", set_emit_elf},
	{GROUP_DEBUG, 0, "emit-image", "FILE", "--emit-image FILE",
	 "write the compiled script to FILE and stop;\n"
	 "btrun FILE and btrun-run FILE run it",
	 set_emit_image},
	{GROUP_DEBUG, 0, "no-portable", NULL, "--no-portable",
	 "let the compiled script be for the running kernel alone,\n"
	 "and for these parameters",
	 set_no_portable},
	{GROUP_DEBUG, 0, "aot", "FILE", "--aot FILE",
	 "write the compiled script to FILE as a program of its own,\n"
	 "which needs no compiler, and stop",
	 set_aot},
	/* Taken and ignored, as bpftrace does: BTF is always used where there is any. */
	{GROUP_DEBUG, 'b', "btf", NULL, NULL, NULL, NULL},
	/* Likewise: the kernel raises semaphores for all processes of the file. */
	{GROUP_DEBUG, 0, "usdt-file-activation", NULL, NULL, NULL, NULL},
	/* Likewise: what is generated is always verified. */
	{GROUP_DEBUG, 0, "verify-llvm-ir", NULL, NULL, NULL, NULL},
	/* Between btrun and btrun-compile. */
	{GROUP_DEBUG, 0, "script-fd", "FD", NULL, NULL, set_script_fd},
	{GROUP_DEBUG, 0, "image-fd", "FD", NULL, NULL, set_image_fd},
	{GROUP_DEBUG, 0, "times", "TIMES", NULL, NULL, set_times},
};

#define NROWS    (sizeof(rows) / sizeof(*rows))
#define LONG_VAL 0x1000 /* getopt's value of row i without a letter: LONG_VAL + i */

static const struct option_row *find_row(int value)
{
	if (value >= LONG_VAL)
		return &rows[value - LONG_VAL];
	for (size_t i = 0; i < NROWS; i++)
		if (rows[i].letter && rows[i].letter == value)
			return &rows[i];
	return NULL;
}

/* Fills getopt's own tables; @letters has room for 2 * NROWS + 1, @longs for NROWS + 1. */
static void getopt_tables(char *letters, struct option *longs)
{
	for (size_t i = 0; i < NROWS; i++) {
		const struct option_row *r = &rows[i];

		if (r->letter)
			*letters++ = r->letter;
		if (r->letter && r->arg_name)
			*letters++ = ':';
		if (!r->name)
			continue;
		*longs++ = (struct option){
			.name = r->name,
			.has_arg = !r->arg_name            ? no_argument
				   : r->arg_name[0] == '[' ? optional_argument
							   : required_argument,
			.val = r->letter ? r->letter : LONG_VAL + (int)i,
		};
	}
	*letters = '\0';
	*longs = (struct option){0};
}

/* ---- help ------------------------------------------------------------------- */

#define HELP_COLUMN 15

static void print_row(FILE *out, const struct option_row *r)
{
	const char *p = r->help;
	int width = strlen(r->shown) < HELP_COLUMN ? HELP_COLUMN : 0;

	fprintf(out, "    %-*s", width, r->shown);
	if (!width)
		fprintf(out, "\n%*s", 4 + HELP_COLUMN, "");
	while (*p) {
		size_t len = strcspn(p, "\n");

		fprintf(out, "%.*s\n", (int)len, p);
		p += len;
		if (*p++ != '\n')
			break;
		fprintf(out, "%*s", 4 + HELP_COLUMN, "");
	}
}

void cli_usage(FILE *out)
{
	enum option_group group = GROUP_MAIN;

	fprintf(out,
		"btrun - runs bpftrace scripts: tracing for Linux, all probes awake at once\n"
		"\n"
		"USAGE:\n"
		"    %1$s [options] filename [parameters]\n"
		"    %1$s [options] -            (the script comes from standard input)\n"
		"    %1$s [options] -e 'program' [parameters]\n"
		"    named parameters of a script go after --, e.g. %1$s FILE -- --disk=loop0\n"
		"    %1$s FILE -- --help         shows those that the script takes\n"
		"\n"
		"OPTIONS:\n",
		cli_name());
	for (size_t i = 0; i < NROWS; i++) {
		if (!rows[i].shown)
			continue;
		if (rows[i].group != group)
			fputs(rows[i].group == GROUP_DEBUG ? "\nTROUBLESHOOTING OPTIONS:\n" : "\n",
			      out);
		group = rows[i].group;
		print_row(out, &rows[i]);
	}
	fputs("\n"
	      "EXAMPLES:\n"
	      "    btrun -e 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'\n"
	      "        count system calls by process name\n"
	      "    btrun -e 't:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, "
	      "str(args.filename)); }'\n"
	      "        show who opens which file\n"
	      "    btrun -e 'profile:hz:99 { @[kstack] = count(); }'\n"
	      "        sample kernel stacks 99 times a second\n"
	      "    btrun -lv 'tracepoint:block:*'\n"
	      "        list the block layer's tracepoints with their arguments\n"
	      "\n"
	      "btrun(8) tells more, btrun-language(7) the language.\n",
	      out);
}

/* ---- putting it together ------------------------------------------------------ */

static int parse_pid(const char *text, int *number)
{
	char *end;
	unsigned long long pid;

	errno = 0;
	pid = strtoull(text, &end, 0);
	if (end == text || *end) {
		cli_error("Failed to parse pid: invalid %s: %s",
			  end == text ? "integer" : "trailing bytes", text);
		return -EINVAL;
	}
	if (errno) {
		cli_error("Failed to parse pid: overflow error, maximum value is %llu: %s",
			  ULLONG_MAX, text);
		return -EINVAL;
	}
	if (pid > MAX_PID) {
		cli_error("Pid out of range: %llu", pid);
		return -EINVAL;
	}
	*number = (int)pid;
	return 0;
}

static int check_format(const struct cli_options *o)
{
	const char *name;

	if (output_format_known(o->run.format))
		return 0;
	cli_error("Invalid output format \"%s\"", o->run.format);
	fputs("Valid formats:", stderr);
	for (unsigned i = 0; (name = output_format_name(i)); i++)
		fprintf(stderr, "%s'%s'", i ? ", " : " ", name);
	fputc('\n', stderr);
	return -EINVAL;
}

/* What may not be combined. */
static int check_options(struct cli_options *o)
{
	int err;

	if (o->run.command && o->pid_text) {
		cli_error("USAGE: Cannot use both -c and -p.");
		cli_usage(stderr);
		return -EINVAL;
	}
	err = check_format(o);
	if (err || !o->pid_text)
		return err;
	return parse_pid(o->pid_text, &o->run.pid);
}

static int take_list_words(struct cli_options *o, int n, char **words)
{
	if (n > 1) {
		cli_usage(stderr);
		return -EINVAL;
	}
	if (!n || o->program)
		return 0;
	if (!access(words[0], F_OK))
		o->file = words[0];
	else
		o->search = words[0];
	return 0;
}

/* The name of a file, or where there is none, of a bundled script. */
static const char *find_script(struct cli_options *o, const char *name)
{
	if (strcmp(name, "-") && access(name, F_OK))
		o->found_file = tools_find(name);
	return o->found_file ? o->found_file : name;
}

/* The script's name (without -e) and its parameters. */
static int take_script_words(struct cli_options *o, int n, char **words)
{
	if (!o->program && !n) {
		cli_error("USAGE: filename or -e 'program' required.");
		return -EINVAL;
	}
	if (!o->program) {
		o->file = find_script(o, *words++);
		n--;
	}
	o->words = calloc(n + 1, sizeof(*o->words));
	if (!o->words) {
		cli_error("Out of memory");
		return -EINVAL;
	}
	for (int i = 0; i < n; i++) {
		if (!strcmp(words[i], "--help") || !strcmp(words[i], "-h"))
			o->script_help = true;
		else
			o->words[o->nwords++] = words[i];
	}
	return 0;
}

static bool is_handed_over(const char *word)
{
	static const char *const ours[] = {"--script-fd=", "--image-fd=", "--times="};

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (!strncmp(word, ours[i], strlen(ours[i])))
			return true;
	return false;
}

/* getopt_long() moves the words about. Those handed over, which come first, do not go back. */
static int keep_words(struct cli_options *o, int argc, char **argv)
{
	int first = 1;

	o->argv = calloc(argc + 1, sizeof(*o->argv));
	if (!o->argv) {
		cli_error("Out of memory");
		return -EINVAL;
	}
	while (first < argc && is_handed_over(argv[first]))
		first++;
	o->argv[0] = argv[0];
	memcpy(o->argv + 1, argv + first, (argc - first) * sizeof(*argv));
	return 0;
}

/* Where the output goes and how it is buffered does not change what is compiled. */
static int keep_for_compiling(struct cli_options *o, const struct option_row *r, const char *arg)
{
	int err;

	if ((r->letter && strchr("oBq", r->letter)) || r->set == set_time || !r->shown)
		return 0;
	err = add_word(&o->compile_words, r->name ? r->name : r->arg_name);
	return err ? err : add_word(&o->compile_words, arg ? arg : "");
}

int cli_options_parse(struct cli_options *o, int argc, char **argv)
{
	char letters[2 * NROWS + 1];
	struct option longs[NROWS + 1];
	int value, err;

	o->run.format = "text";
	o->script_fd = o->image_fd = -1;
	err = keep_words(o, argc, argv);
	if (err)
		return err;
	if (argc <= 1) {
		cli_usage(stderr);
		return -EINVAL;
	}
	getopt_tables(letters, longs);
	while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *r = find_row(value);

		if (!r) {
			cli_usage(stderr);
			return -EINVAL;
		}
		err = r->set ? r->set(o, optarg) : 0;
		if (!err)
			err = keep_for_compiling(o, r, optarg);
		if (err)
			return err;
		if (o->mode == CLI_HELP || o->mode == CLI_VERSION)
			return 0;
	}
	err = check_options(o);
	if (err || o->mode == CLI_INFO || o->mode == CLI_CACHE || o->mode == CLI_TOOLS)
		return err;
	if (o->mode == CLI_LIST)
		return take_list_words(o, argc - optind, argv + optind);
	for (int i = optind; i < argc && !err; i++)
		err = add_word(&o->compile_words, argv[i]);
	if (err)
		return err;
	return take_script_words(o, argc - optind, argv + optind);
}

void cli_options_free(struct cli_options *o)
{
	free(o->argv);
	free(o->compile_words);
	free(o->found_file);
	free(o->words);
	free(o->include_dirs);
	free(o->debug_dirs);
	free(o->dwarf_pids);
	if (o->has_probe_filter)
		regfree(&o->probe_filter);
	free(o->include_files);
	free(o->no_feature);
	free(o->no_probe);
}
