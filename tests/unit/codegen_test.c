/* SPDX-License-Identifier: Apache-2.0 */
/* What is generated, read from the LLVM IR and the finished image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "codegen/compile.h"
#include "image/image.h"

struct built {
	struct compile_output out;
	struct target *target;
	char *ir; /* as generated */
	size_t ir_size;
	void *image;
	size_t image_size;
};

static const char *no_env(const char *name, void *arg)
{
	(void)name, (void)arg;
	return NULL;
}

/* Compiles @script; b->image is NULL when there were errors. */
static void build(struct built *b, const char *script, bool sync, const char *without)
{
	struct compile_input in = {
		.name = "stdin",
		.text = script,
		.size = strlen(script),
		.sema = {.sync = sync, .script_name = "stdin", .getenv = no_env},
	};
	struct cg_options opts = {.dump = CG_DUMP_CODEGEN};
	char err[128];

	memset(b, 0, sizeof(*b));
	b->target = target_open_running();
	if (without)
		assert_int_equal(target_disable(b->target, without, err, sizeof(err)), 0);
	if (compile_script(&in, b->target, true, &b->out))
		return;
	opts.dump_to = open_memstream(&b->ir, &b->ir_size);
	b->image = codegen_run(b->out.sema, &opts, &b->image_size);
	fclose(opts.dump_to);
}

static void drop(struct built *b)
{
	free(b->image);
	free(b->ir);
	compile_output_free(&b->out);
	target_close(b->target);
}

/* The text of the first function, up to its end. */
static char *function_text(const struct built *b)
{
	const char *begin = strstr(b->ir, "define ");
	const char *end = begin ? strstr(begin, "\n}") : NULL;

	assert_non_null(end);
	return strndup(begin, end - begin);
}

static void needs_root(void)
{
	if (geteuid()) {
		print_message("skipped: features of the kernel are tried out as root\n");
		skip();
	}
}

#define TICK        "interval:s:1 { @ = count(); }"
#define LOAD_ACTIVE "load volatile i32, ptr @control"

static void the_gate_is_first(void **state)
{
	struct built b;

	(void)state, needs_root();
	build(&b, "interval:s:1 /pid == 1/ { @ = count(); }", true, NULL);
	assert_non_null(b.image);
	char *f = function_text(&b);
	char *gate = strstr(f, LOAD_ACTIVE);
	char *user = strstr(f, "inttoptr (i64 14 "); /* get_current_pid_tgid */
	assert_non_null(gate);
	assert_non_null(user);
	assert_true(gate < user);
	assert_non_null(strstr(f, "awake = icmp eq i32"));
	free(f);
	drop(&b);
}

static void without_sync_there_is_no_gate(void **state)
{
	struct built b;

	(void)state, needs_root();
	build(&b, "interval:s:1 { @ = count(); exit(); }", false, NULL);
	assert_non_null(b.image);
	assert_null(strstr(b.ir, LOAD_ACTIVE));
	assert_null(strstr(b.ir, "store volatile i32 0, ptr @control"));
	drop(&b);
	build(&b, "config = { sync_probes = 0 } " TICK, true, NULL);
	assert_non_null(b.image);
	assert_null(strstr(b.ir, LOAD_ACTIVE));
	drop(&b);
}

static void begin_and_end_are_not_gated(void **state)
{
	struct built b;

	(void)state, needs_root();
	build(&b, "BEGIN { @ = 1; } END { @ = 2; }", true, NULL);
	assert_non_null(b.image);
	assert_null(strstr(b.ir, LOAD_ACTIVE));
	drop(&b);
}

static void exit_closes_the_gate(void **state)
{
	struct built b;

	(void)state, needs_root();
	build(&b, "interval:s:1 { exit(7); @ = 1; }", true, NULL);
	assert_non_null(b.image);
	char *code = strstr(b.ir, "store volatile i64 7");
	char *close = strstr(b.ir, "store volatile i32 0, ptr @control");
	assert_non_null(code);
	assert_non_null(close);
	assert_true(code < close);
	drop(&b);
}

static void without_global_data_an_array_holds_the_gate(void **state)
{
	struct built b;
	struct image img;
	char err[128];

	(void)state, needs_root();
	build(&b, TICK, true, "global_data");
	assert_non_null(b.image);
	assert_null(strstr(b.ir, IMAGE_CONTROL_SECTION));
	assert_non_null(strstr(b.ir, "awake = icmp eq i32"));
	assert_int_equal(image_open(&img, b.image, b.image_size, err, sizeof(err)), 0);
	assert_int_equal(img.config->global_data, 0);
	drop(&b);
}

static void the_same_script_gives_the_same_bytes(void **state)
{
	static const char script[] =
		"BEGIN { @a[1, \"x\"] = 2; } tracepoint:raw_syscalls:sys_enter { @[comm] = "
		"count(); "
		"@h = hist(nsecs); printf(\"%d %s\\n\", pid, comm); } interval:ms:10 { exit(); }";
	struct built a, b;

	(void)state, needs_root();
	build(&a, script, true, NULL);
	build(&b, script, true, NULL);
	assert_non_null(a.image);
	assert_non_null(b.image);
	assert_int_equal(a.image_size, b.image_size);
	assert_memory_equal(a.image, b.image, a.image_size);
	drop(&a);
	drop(&b);
}

static void printf_leaves_room_only_where_something_needs_it(void **state)
{
	struct built b;

	(void)state, needs_root();
	/* helper 134 is ringbuf_query */
	build(&b, "interval:s:1 { printf(\"x\\n\"); }", true, NULL);
	assert_non_null(b.image);
	assert_null(strstr(b.ir, "inttoptr (i64 134 "));
	drop(&b);
	build(&b, "interval:s:1 { printf(\"x\\n\"); clear(@); } interval:s:2 { @ = 1; }", true,
	      NULL);
	assert_non_null(b.image);
	assert_non_null(strstr(b.ir, "inttoptr (i64 134 "));
	drop(&b);
}

static void additions_are_atomic(void **state)
{
	struct built b;
	unsigned n = 0;

	(void)state, needs_root();
	build(&b, "interval:s:1 { @c = count(); @s = sum(2); @n += 3; @m[1]++; }", true, NULL);
	assert_non_null(b.image);
	for (char *p = b.ir; (p = strstr(p, ", i64 ")); p++) {
		char *line = p;
		while (line > b.ir && line[-1] != '\n')
			line--;
		char *add = strstr(line, "atomicrmw volatile add ptr %");
		n += add && add < p;
	}
	assert_int_equal(n, 4);
	drop(&b);
}

static void aggregates_reach_maps_as_bytes(void **state)
{
	struct built b;
	struct image img;
	char err[128];

	(void)state, needs_root();
	build(&b, "interval:s:1 { @[pid, comm, (1, cpu)] = (nsecs, \"ab\"); }", true, NULL);
	assert_non_null(b.image);
	assert_int_equal(image_open(&img, b.image, b.image_size, err, sizeof(err)), 0);
	assert_int_equal(img.nmaps, 1);
	const struct image_type *key = &img.types[img.maps[0].key];
	assert_int_equal(key->kind, IMAGE_K_TUPLE);
	assert_int_equal(key->count, 3);
	assert_int_equal(key->size, 4 + 16 + 8);
	assert_int_equal(img.fields[key->fields + 1].offset, 4);
	assert_int_equal(img.fields[key->fields + 2].offset, 4 + 16);
	assert_int_equal(img.types[img.maps[0].value].kind, IMAGE_K_TUPLE);
	drop(&b);
}

/* Statements share the stack: a hundred keys need no more of it than one. */
static void statements_share_the_stack(void **state)
{
	char script[8192] = "interval:s:1 { ";
	struct built b;

	(void)state, needs_root();
	for (int i = 0; i < 100; i++) {
		char line[64];

		snprintf(line, sizeof(line), "@[%d, comm] = count(); ", i);
		strcat(script, line);
	}
	strcat(script, "}");
	build(&b, script, true, NULL);
	assert_non_null(b.image);
	drop(&b);
}

static void too_much_stack_is_a_clear_error(void **state)
{
	struct built b;

	(void)state, needs_root();
	build(&b,
	      "config = { on_stack_limit = 600 } interval:s:1 { "
	      "@[comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, "
	      "comm, "
	      "comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, "
	      "comm, comm, comm, comm, comm, comm] = (comm, comm, comm, comm, comm, comm); }",
	      true, NULL);
	assert_null(b.image);
	assert_true(b.out.diags->errors > 0);
	assert_non_null(strstr(b.out.diags->diags.items[0].message, "512 bytes of stack"));
	drop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gate_is_first),
		cmocka_unit_test(without_sync_there_is_no_gate),
		cmocka_unit_test(begin_and_end_are_not_gated),
		cmocka_unit_test(exit_closes_the_gate),
		cmocka_unit_test(without_global_data_an_array_holds_the_gate),
		cmocka_unit_test(the_same_script_gives_the_same_bytes),
		cmocka_unit_test(printf_leaves_room_only_where_something_needs_it),
		cmocka_unit_test(additions_are_atomic),
		cmocka_unit_test(aggregates_reach_maps_as_bytes),
		cmocka_unit_test(statements_share_the_stack),
		cmocka_unit_test(too_much_stack_is_a_clear_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
