/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cache.h"
#include "cli/embedded.h"
#include "cli/files.h"
#include "cli/handover.h"
#include "cli/info.h"
#include "cli/list.h"
#include "cli/message.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/portable.h"
#include "codegen/compile.h"
#include "output/message.h"
#include "runtime/runtime.h"

/* ---- a script's own options ------------------------------------------------------- */

static void print_script_options(const struct sema_result *r)
{
	if (!r->options.len) {
		fputs("HINT: no custom program options defined.\n", stderr);
		return;
	}
	fputs("HINT: expected program options:\n", stderr);
	for (size_t i = 0; i < r->options.len; i++) {
		const struct sema_option *opt = &r->options.items[i];

		fprintf(stderr, "--%s", opt->name);
		if (opt->letter)
			fprintf(stderr, ", -%c", opt->letter);
		fprintf(stderr, "%s%s\n", opt->description ? ": " : "",
			opt->description ? opt->description : "");
	}
}

/* ---- compiling -------------------------------------------------------------------- */

static const char *environment(const char *name, void *arg)
{
	(void)arg;
	return getenv(name);
}

static bool sync_wanted(const struct cli_options *o)
{
	const char *env = getenv("BTRUN_SYNC");

	return !o->no_sync && !(env && !strcmp(env, "0"));
}

static void end_stage(void *times, const char *name)
{
	times_stage(times, name);
}

static void fill_input(struct compile_input *in, const struct cli_options *o, const char *text,
		       size_t size)
{
	*in = (struct compile_input){
		.name = o->program || !strcmp(o->file, "-") ? "stdin" : o->file,
		.text = text,
		.size = size,
		.dump = o->dump,
		.stage = end_stage,
		.stage_arg = o->clock,
	};
	in->sema = (struct sema_options){
		.words = o->words,
		.nwords = o->nwords,
		.sync = sync_wanted(o),
		.unsafe = o->run.unsafe,
		.tell_failures = o->runtime_warnings,
		.has_child = o->run.command != NULL,
		.pid = o->run.pid,
		.probe_filter = o->has_probe_filter ? &o->probe_filter : NULL,
		.script_name = in->name,
		.c = {.dirs = o->include_dirs, .files = o->include_files},
		.getenv = environment,
	};
	if (!(o->emit_image || o->aot) || o->no_portable || o->mode == CLI_LIST || o->script_help)
		return;
	in->sema.portable = true;
	in->sema.has_child = true; /* -c, -p: of the run */
	in->sema.pid = 0;
}

/* The compiled script behind a copy of btrun-run. Returns the exit status. */
static int write_program(const char *path, const void *image, size_t image_size)
{
	char runner_path[PATH_MAX], *runner, *program = NULL;
	int err = handover_runner_path(runner_path);
	size_t runner_size, size;

	if (err) {
		cli_error("btrun-run, which the program is made of, is not found: %s",
			  strerror(-err));
		return EXIT_FAILURE;
	}
	runner = cli_read_file(runner_path, &runner_size);
	if (!runner)
		return EXIT_FAILURE;
	program = embedded_program(runner, runner_size, image, image_size, &size);
	free(runner);
	err = program ? cli_write_program(path, program, size) : -ENOMEM;
	free(program);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What is left to do with a script that compiled. Returns the exit status. */
static int use_script(const struct cli_options *o, struct target *t,
		      const struct compile_output *out)
{
	if (o->script_help) {
		print_script_options(out->sema);
		return EXIT_FAILURE;
	}
	if (o->mode == CLI_LIST)
		return cli_list_script(t, out->sema, o->run.verbose) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (!out->sema->programs.len) {
		puts("No probes to attach");
		return EXIT_FAILURE;
	}
	if (o->aot)
		return write_program(o->aot, out->image, out->image_size);
	if (o->emit_image)
		return cli_write_file(o->emit_image, out->image, out->image_size) ? EXIT_FAILURE
										  : EXIT_SUCCESS;
	return handover_to_runner(o->argv, out->image, out->image_size, o->clock) ? EXIT_FAILURE
										  : EXIT_SUCCESS;
}

/* The compiler's messages as the cache keeps them (malloc). */
static char *format_messages(const struct diag_list *d, bool color)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	diag_print(d, f, color, true);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

static void keep(const struct cache_key *k, const struct target *t,
		 const struct compile_output *out)
{
	char *messages = format_messages(out->diags, false);
	char *colored = format_messages(out->diags, true);
	struct cache_entry e = {
		.messages = messages,
		.colored = colored,
		.image = out->image,
		.image_size = out->image_size,
	};

	if (messages && colored)
		cache_store(k, t, &e);
	free(messages);
	free(colored);
}

/* Compiles @text and does with it what was asked for. Returns the exit status. */
static int run_script(const struct cli_options *o, struct target *t, const char *text, size_t size)
{
	bool analyse_only = o->script_help || o->mode == CLI_LIST;
	struct cli_product elf = {0};
	struct compile_output out;
	struct compile_input in;
	struct cache_key key;
	int status = EXIT_FAILURE;
	int err;

	/* before anything is read: what changes meanwhile makes another key */
	bool keeping = cache_key_make(&key, o, text, size);

	times_stage(o->clock, "compiler");
	fill_input(&in, o, text, size);
	if (o->emit_elf && !analyse_only) {
		if (cli_product_begin(&elf, o->emit_elf))
			return EXIT_FAILURE;
		in.emit_elf = elf.temp;
	}
	err = in.sema.portable ? cli_compile_portable(o, &in, &out)
			       : compile_script(&in, t, analyse_only, &out);
	fflush(stdout);
	diag_print(out.diags, stderr, message_colored(), !o->run.no_warnings);
	if (!err && elf.temp)
		err = cli_product_commit(&elf);
	if (!err && keeping && out.sema->programs.len) {
		keep(&key, t, &out);
		times_stage(o->clock, "keep");
	}
	cache_key_free(&key);
	if (!err)
		status = use_script(o, t, &out);
	cli_product_abandon(&elf);
	compile_output_free(&out);
	return status;
}

/* --fmt: in the file of -o, or on standard output. Returns the exit status. */
static int format_text(const struct cli_options *o, const char *text, size_t size)
{
	struct diag_list d = {.arena = arena_new()};
	const char *name = o->program || !strcmp(o->file, "-") ? "stdin" : o->file;
	size_t formatted_size = 0;
	char *formatted;
	int err = 0;

	formatted = format_script(&d, diag_add_source(&d, name, text, size), &formatted_size);
	diag_print(&d, stderr, message_colored(), !o->run.no_warnings);
	if (!formatted)
		err = -EINVAL;
	else if (o->run.output)
		err = cli_write_file(o->run.output, formatted, formatted_size);
	else
		fwrite(formatted, 1, formatted_size, stdout);
	free(formatted);
	arena_free(d.arena);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int use_text(const struct cli_options *o, struct target *t, const char *text, size_t size)
{
	return o->mode == CLI_FORMAT ? format_text(o, text, size) : run_script(o, t, text, size);
}

/* The text that btrun handed over, else what the command line names (malloc). */
static char *read_script(const struct cli_options *o, size_t *size)
{
	char *text;

	if (o->script_fd < 0)
		return cli_read_file(o->file, size);
	text = handover_take(o->script_fd, size);
	if (!text)
		cli_error("Failed to read the script: %s", strerror(errno));
	return text;
}

/* Compiles, lists or formats what the command line names; @t is not needed for the last. */
static int use_source(const struct cli_options *o, struct target *t)
{
	size_t size;
	char *text;
	int status;

	if (o->program)
		return use_text(o, t, o->program, strlen(o->program));
	text = read_script(o, &size);
	if (!text)
		return EXIT_FAILURE;
	status = use_text(o, t, text, size);
	free(text);
	return status;
}

static int dispatch(const struct cli_options *o)
{
	struct target *t;
	int status = EXIT_SUCCESS;

	if (o->mode == CLI_FORMAT)
		return use_source(o, NULL);
	t = cli_open_target(o);
	if (!t)
		return EXIT_FAILURE;
	if (o->mode == CLI_INFO)
		cli_print_info(t, stdout);
	else if (o->mode == CLI_LIST && !o->program && !o->file)
		status =
			cli_list_search(t, o->search, o->run.verbose) ? EXIT_FAILURE : EXIT_SUCCESS;
	else
		status = use_source(o, t);
	target_close(t);
	return status;
}

int cli_main(int argc, char **argv)
{
	struct times clock;
	struct cli_options o = {.clock = &clock};
	int status = EXIT_FAILURE;

	times_start(&clock, NULL);
	if (!cli_options_parse(&o, argc, argv)) {
		if (o.times)
			times_start(&clock, o.times);
		status = dispatch(&o);
	}
	cli_options_free(&o);
	return cli_flush_stdout(status);
}
