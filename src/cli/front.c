/* SPDX-License-Identifier: Apache-2.0 */
/*
 * btrun: runs what is compiled, and becomes btrun-compile for what is not. It is linked without
 * the compiling half, whose memory is gone when it comes back to run the image.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "bind/bind.h"
#include "cli/cache.h"
#include "cli/files.h"
#include "cli/handover.h"
#include "cli/message.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/tools.h"
#include "output/message.h"
#include "runtime/runtime.h"

static void end_stage(void *arg, const char *name)
{
	const struct cli_options *o = arg;

	times_stage(o->clock, name);
	if (o->show_times && !strcmp(name, "wake"))
		times_print(o->clock, stderr);
}

/* Opens the image and runs it. Returns the exit status. */
static int run_image(struct cli_options *o, const void *data, size_t size)
{
	const struct bind_arguments args = {o->words, o->nwords};
	char err[BIND_ERROR_MAX];
	struct target *t;
	struct image img;
	void *bound;
	int status;

	if (image_open(&img, data, size, err, sizeof(err))) {
		cli_error("not a valid image: %s", err);
		return EXIT_FAILURE;
	}
	if (o->dump_image) {
		image_print(stdout, &img);
		fflush(stdout);
	}
	if (o->script_help) {
		image_print_arguments(stderr, &img);
		return EXIT_FAILURE;
	}
	t = cli_open_target(o);
	if (!t)
		return EXIT_FAILURE;
	if (bind_image(&img, data, size, t, &args, &bound, err)) {
		cli_error("%s", err);
		target_close(t);
		return EXIT_FAILURE;
	}
	o->run.no_sync = o->no_sync;
	o->run.stage = end_stage;
	o->run.stage_arg = o;
	times_stage(o->clock, "open");
	status = runtime_run(&img, t, &o->run);
	target_close(t);
	free(bound);
	return status;
}

static bool is_image(const char *data, size_t size)
{
	return size >= strlen(IMAGE_MAGIC) && !memcmp(data, IMAGE_MAGIC, strlen(IMAGE_MAGIC));
}

static bool is_fixed(const char *data, size_t size)
{
	struct image img;
	char err[64];

	return !image_open(&img, data, size, err, sizeof(err)) && !img.config->portable;
}

static int run_image_file(struct cli_options *o, const char *data, size_t size)
{
	if (o->mode == CLI_LIST || o->emit_elf || o->emit_image || o->aot || o->dump) {
		cli_error(
			"'%s' is compiled already: -l, --emit-elf, --emit-image, --aot and -d of a "
			"compiler stage need the script",
			o->file);
		return EXIT_FAILURE;
	}
	if ((o->nwords || o->script_help) && is_fixed(data, size)) {
		cli_error("'%s' is compiled already: its parameters were fixed then", o->file);
		return EXIT_FAILURE;
	}
	return run_image(o, data, size);
}

/* What btrun-compile made. */
static int run_handed_over(struct cli_options *o)
{
	size_t size;
	char *data = handover_take(o->image_fd, &size);
	int status;

	if (!data) {
		cli_error("Failed to read the image: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	status = run_image(o, data, size);
	free(data);
	return status;
}

/* Only returns with an exit status when it did not become the compiler. */
static int become_compiler(const struct cli_options *o, const char *text, size_t size)
{
	return handover_to_compiler(o->argv, o->program ? NULL : text, size, o->clock)
		       ? EXIT_FAILURE
		       : EXIT_SUCCESS;
}

/* What was compiled before is run, as if it had been compiled now. */
static int use_script(struct cli_options *o, const char *text, size_t size)
{
	struct cache_entry entry;
	struct cache_key key;
	bool found = cache_key_make(&key, o, text, size) && cache_find(&key, &entry);
	int status;

	cache_key_free(&key);
	times_stage(o->clock, "cache");
	if (!found)
		return become_compiler(o, text, size);
	if (!o->run.no_warnings)
		fputs(message_colored() ? entry.colored : entry.messages, stderr);
	status = run_image(o, entry.image, entry.image_size);
	cache_entry_free(&entry);
	return status;
}

static int use_file(struct cli_options *o)
{
	size_t size;
	char *data = cli_read_file(o->file, &size);
	int status;

	if (!data)
		return EXIT_FAILURE;
	status = is_image(data, size) ? run_image_file(o, data, size) : use_script(o, data, size);
	free(data);
	return status;
}

static int show_cache(const struct cli_options *o)
{
	bool clear = !strcmp(o->cache_action, "clear");
	int err = clear ? cache_clear(stdout) : cache_show(stdout);

	if (!err)
		return EXIT_SUCCESS;
	cli_error("The cache cannot be %s: %s", clear ? "cleared" : "read", strerror(-err));
	return EXIT_FAILURE;
}

static int show_tools(void)
{
	int err = tools_list(stdout);

	if (!err)
		return EXIT_SUCCESS;
	cli_error("The bundled scripts are not found: %s", strerror(-err));
	return EXIT_FAILURE;
}

static int use_source(struct cli_options *o)
{
	if (o->file)
		return use_file(o);
	if (o->program)
		return use_script(o, o->program, strlen(o->program));
	return become_compiler(o, NULL, 0);
}

static void warn_of_color(void)
{
	const char *mode = getenv("BPFTRACE_COLOR");

	if (mode && strcmp(mode, "auto") && strcmp(mode, "always") && strcmp(mode, "never"))
		cli_warning("Invalid env value! The valid values of `BPFTRACE_COLOR` are "
			    "[auto|always|never]. The current value is %s!",
			    mode);
}

int main(int argc, char **argv)
{
	struct times clock;
	struct cli_options o = {.clock = &clock};
	int status = EXIT_SUCCESS;

	/* begin and end see us by the name that we were called by */
	prctl(PR_SET_NAME, program_invocation_short_name);
	times_start(&clock, NULL);
	if (cli_options_parse(&o, argc, argv)) {
		status = EXIT_FAILURE;
	} else if (o.image_fd >= 0) {
		times_start(&clock, o.times);
		status = run_handed_over(&o);
	} else if (o.mode == CLI_HELP) {
		cli_usage(stdout);
	} else if (o.mode == CLI_VERSION) {
		cli_print_versions(stdout);
	} else if (o.mode == CLI_CACHE) {
		status = show_cache(&o);
	} else if (o.mode == CLI_TOOLS) {
		status = show_tools();
	} else if (o.mode != CLI_FORMAT && cli_check_privileges()) {
		status = EXIT_FAILURE;
	} else {
		warn_of_color();
		status = use_source(&o);
	}
	cli_options_free(&o);
	return cli_flush_stdout(status);
}
