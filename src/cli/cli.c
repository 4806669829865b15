/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/info.h"
#include "cli/list.h"
#include "cli/message.h"
#include "cli/options.h"
#include "codegen/compile.h"
#include "runtime/runtime.h"

/* ---- running ------------------------------------------------------------------- */

/* Opens the image and runs it. Returns the exit status. */
static int run_image(const struct cli_options *o, struct target *t, const void *data, size_t size)
{
	struct image img;
	char err[256];

	if (image_open(&img, data, size, err, sizeof(err))) {
		cli_error("not a valid image: %s", err);
		return EXIT_FAILURE;
	}
	if (o->dump_image) {
		image_print(stdout, &img);
		fflush(stdout);
	}
	return runtime_run(&img, t, &o->run);
}

static bool is_image(const char *data, size_t size)
{
	return size >= sizeof(struct image_header) &&
	       !memcmp(data, IMAGE_MAGIC, strlen(IMAGE_MAGIC));
}

static int run_image_file(const struct cli_options *o, struct target *t, const char *data,
			  size_t size)
{
	if (o->mode == CLI_LIST || o->emit_elf || o->emit_image || o->dump) {
		cli_error("'%s' is compiled already: -l, --emit-elf, --emit-image and -d of a "
			  "compiler stage need the script",
			  o->file);
		return EXIT_FAILURE;
	}
	if (o->nparams || o->nnamed || o->script_help) {
		cli_error("'%s' is compiled already: its parameters were fixed then", o->file);
		return EXIT_FAILURE;
	}
	return run_image(o, t, data, size);
}

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

		fprintf(stderr, "--%s%s%s\n", opt->name, opt->description ? ": " : "",
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

static void fill_input(struct compile_input *in, const struct cli_options *o, const char *text,
		       size_t size)
{
	*in = (struct compile_input){
		.name = o->program || !strcmp(o->file, "-") ? "stdin" : o->file,
		.text = text,
		.size = size,
		.dump = o->dump,
	};
	in->sema = (struct sema_options){
		.params = o->params,
		.nparams = o->nparams,
		.named = o->named,
		.nnamed = o->nnamed,
		.sync = sync_wanted(o),
		.unsafe = o->run.unsafe,
		.has_child = o->run.command != NULL,
		.pid = o->run.pid,
		.script_name = in->name,
		.c = {.dirs = o->include_dirs, .files = o->include_files},
		.getenv = environment,
	};
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
	if (o->emit_image)
		return cli_write_file(o->emit_image, out->image, out->image_size) ? EXIT_FAILURE
										  : EXIT_SUCCESS;
	return run_image(o, t, out->image, out->image_size);
}

/* Compiles @text and does with it what was asked for. Returns the exit status. */
static int run_script(const struct cli_options *o, struct target *t, const char *text, size_t size)
{
	bool analyse_only = o->script_help || o->mode == CLI_LIST;
	struct cli_product elf = {0};
	struct compile_output out;
	struct compile_input in;
	int status = EXIT_FAILURE;
	int err;

	fill_input(&in, o, text, size);
	if (o->emit_elf && !analyse_only) {
		if (cli_product_begin(&elf, o->emit_elf))
			return EXIT_FAILURE;
		in.emit_elf = elf.temp;
	}
	err = compile_script(&in, t, analyse_only, &out);
	fflush(stdout);
	diag_print(out.diags, stderr, cli_color(), !o->run.no_warnings);
	if (!err && elf.temp)
		err = cli_product_commit(&elf);
	if (!err)
		status = use_script(o, t, &out);
	cli_product_abandon(&elf);
	compile_output_free(&out);
	return status;
}

/* Runs or lists what the command line names: a program, a script or an image. */
static int run_source(const struct cli_options *o, struct target *t)
{
	size_t size;
	char *data;
	int status;

	if (o->program)
		return run_script(o, t, o->program, strlen(o->program));
	data = cli_read_file(o->file, &size);
	if (!data)
		return EXIT_FAILURE;
	status = is_image(data, size) ? run_image_file(o, t, data, size)
				      : run_script(o, t, data, size);
	free(data);
	return status;
}

/* ---- what may be asked -------------------------------------------------------------- */

static int check_privileges(void)
{
	if (!geteuid())
		return 0;
	cli_error("%s currently only supports running as the root user.", cli_name());
	return -EPERM;
}

static int check_pid(const struct cli_options *o)
{
	int fd;

	if (!o->pid_text)
		return 0;
	fd = syscall(SYS_pidfd_open, o->run.pid, 0);
	if (fd < 0 && errno == ENOSYS) /* before Linux 5.3 */
		return 0;
	if (fd < 0) {
		cli_error("Failed to attach to pid: Unable to open pidfd (%s)", strerror(errno));
		return -EINVAL;
	}
	close(fd);
	return 0;
}

static int disable_features(const struct cli_options *o, struct target *t)
{
	char err[128] = "";

	if (!o->no_feature || !target_disable(t, o->no_feature, err, sizeof(err)))
		return 0;
	fflush(stdout);
	cli_error("USAGE: --no-feature: unknown feature '%s'; the features are:", err);
	for (unsigned f = 0; f < TARGET_NFEATURES; f++)
		fprintf(stderr, "%s%s", f ? "," : "", target_feature_name(f));
	fputc('\n', stderr);
	return -EINVAL;
}

static int dispatch(const struct cli_options *o)
{
	struct target *t;
	int status = EXIT_FAILURE;

	if (check_privileges() || check_pid(o))
		return EXIT_FAILURE;
	if (o->runtime_warnings)
		cli_warning("-k: reads of memory that fail in a probe are not reported yet");
	t = target_open_running();
	if (o->target_kernel)
		target_set_version(t, o->target_kernel);
	target_set_pid(t, o->run.pid);
	if (disable_features(o, t))
		goto out;
	status = EXIT_SUCCESS;
	if (o->mode == CLI_INFO)
		cli_print_info(t, stdout);
	else if (o->mode == CLI_LIST && !o->program && !o->file)
		status =
			cli_list_search(t, o->search, o->run.verbose) ? EXIT_FAILURE : EXIT_SUCCESS;
	else
		status = run_source(o, t);
out:
	target_close(t);
	return status;
}

/* A full disk behind standard output is a failure like any other. */
static int flush_stdout(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (status == EXIT_SUCCESS)
		cli_error("Failed to write output: %s", strerror(errno));
	return EXIT_FAILURE;
}

static void warn_of_color(void)
{
	const char *mode = getenv("BPFTRACE_COLOR");

	if (mode && strcmp(mode, "auto") && strcmp(mode, "always") && strcmp(mode, "never"))
		cli_warning("Invalid env value! The valid values of `BPFTRACE_COLOR` are "
			    "[auto|always|never]. The current value is %s!",
			    mode);
}

/*
 * Ours, and the bpftrace whose language, options and output they are. Whoever calls the command
 * by that name looks for its version in the first line.
 */
static void print_versions(void)
{
	bool stands_in = !strcmp(cli_name(), "bpftrace");

	if (!stands_in)
		puts("btrun v" BTRUN_VERSION);
	puts("bpftrace v" CLI_BPFTRACE_VERSION);
	if (stands_in)
		puts("btrun v" BTRUN_VERSION);
}

int cli_main(int argc, char **argv)
{
	struct cli_options o = {0};
	int status = EXIT_SUCCESS;

	warn_of_color();
	if (cli_options_parse(&o, argc, argv))
		status = EXIT_FAILURE;
	else if (o.mode == CLI_HELP)
		cli_usage(stdout);
	else if (o.mode == CLI_VERSION)
		print_versions();
	else
		status = dispatch(&o);
	cli_options_free(&o);
	return flush_stdout(status);
}
