/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fuzzer's target: text through parser, sema and codegen, for one fixed kernel version; the
 * object is thrown away. Built with libFuzzer by tools/fuzz; with replay.c in its place, a
 * program that runs the files named on its command line, which is how the corpus is a test.
 *
 * C definitions and imports are left out: libclang is not ours to test, and files are no input.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ast.h"
#include "codegen/compile.h"

#define KERNEL TARGET_VERSION(6, 12, 0)

static const char *no_environment(const char *name, void *arg)
{
	(void)name;
	(void)arg;
	return NULL;
}

/* Whether there is nothing in it that leads out of the script. */
static bool is_closed(const char *text, size_t size)
{
	struct diag_list d = {.arena = arena_new()};
	const struct ast_program *p = parse_program(&d, diag_add_source(&d, "fuzz", text, size));
	bool closed = !p->c_defs.len && !p->imports.len;

	arena_free(d.arena);
	return closed;
}

static void show_nothing(const struct diag_list *d)
{
	FILE *f = fopen("/dev/null", "we");

	if (!f)
		return;
	diag_print(d, f, true, true);
	fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const params[] = {"1", "two", NULL};
	struct compile_input in = {
		.name = "fuzz",
		.text = (const char *)data,
		.size = size,
		.sema = {.words = params,
			 .nwords = 2,
			 .sync = true,
			 .unsafe = true,
			 .script_name = "fuzz",
			 .getenv = no_environment},
	};
	struct compile_output out;
	struct target *t;

	if (!is_closed(in.text, size))
		return 0;
	t = target_open_running();
	target_set_version(t, KERNEL);
	compile_script(&in, t, false, &out);
	show_nothing(out.diags);
	compile_output_free(&out);
	target_close(t);
	return 0;
}
