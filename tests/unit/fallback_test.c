/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is generated where the kernel lacks a feature: nothing of the feature. Each property is
 * looked for twice, with the feature and without it, so that neither way can go unnoticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "codegen/compile.h"
#include "image/image.h"
#include "runtime/runtime.h"

static const char *no_env(const char *name, void *arg)
{
	(void)name, (void)arg;
	return NULL;
}

static struct target *target_without(const char *features)
{
	struct target *t = target_open_running();
	char err[128];

	assert_int_equal(target_disable(t, features, err, sizeof(err)), 0);
	return t;
}

static int compile(const char *script, struct target *t, struct compile_output *out)
{
	struct compile_input in = {
		.name = "stdin",
		.text = script,
		.size = strlen(script),
		.sema = {.sync = true, .script_name = "stdin", .getenv = no_env},
	};

	return compile_script(&in, t, false, out);
}

/* ---- properties of an object -------------------------------------------------------- */

typedef bool insn_fn(const struct bpf_insn *insn, int64_t arg);

static bool any_insn(struct bpf_object *obj, insn_fn *is, int64_t arg)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
	{
		const struct bpf_insn *insns = bpf_program__insns(prog);

		for (size_t i = 0; i < bpf_program__insn_cnt(prog); i++) {
			if (is(&insns[i], arg))
				return true;
			i += insns[i].code == (BPF_LD | BPF_IMM | BPF_DW); /* takes two */
		}
	}
	return false;
}

static bool calls(const struct bpf_insn *insn, int64_t helper)
{
	return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg && insn->imm == helper;
}

static bool has_helper(struct bpf_object *obj, int64_t helper)
{
	return any_insn(obj, calls, helper);
}

static bool is_v3(const struct bpf_insn *insn, int64_t arg)
{
	(void)arg;
	return BPF_CLASS(insn->code) == BPF_JMP32;
}

static bool has_v3(struct bpf_object *obj, int64_t arg)
{
	return any_insn(obj, is_v3, arg);
}

static bool fetches(const struct bpf_insn *insn, int64_t arg)
{
	(void)arg;
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC &&
	       insn->imm & BPF_FETCH;
}

static bool has_fetch(struct bpf_object *obj, int64_t arg)
{
	return any_insn(obj, fetches, arg);
}

static bool is_v2(const struct bpf_insn *insn, int64_t arg)
{
	unsigned class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	(void)arg;
	return (class == BPF_JMP || class == BPF_JMP32) &&
	       (op == BPF_JLT || op == BPF_JLE || op == BPF_JSLT || op == BPF_JSLE);
}

static bool has_v2(struct bpf_object *obj, int64_t arg)
{
	return any_insn(obj, is_v2, arg);
}

static bool has_map_type(struct bpf_object *obj, int64_t type)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
	{
		if ((int64_t)bpf_map__type(map) == type)
			return true;
	}
	return false;
}

static bool has_sections(struct bpf_object *obj, int64_t arg)
{
	struct bpf_map *map;

	(void)arg;
	bpf_object__for_each_map(map, obj)
	{
		if (bpf_map__name(map)[0] == '.' || strstr(bpf_map__name(map), ".data"))
			return true;
	}
	return false;
}

static bool has_program_type(struct bpf_object *obj, int64_t type)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
	{
		if ((int64_t)bpf_program__type(prog) == type)
			return true;
	}
	return false;
}

/* ---- with and without ------------------------------------------------------------------ */

#define COUNT_TICKS "interval:s:1 { @ = count(); }"
#define READ_COUNT  "interval:s:1 { @[1] = count(); if (@[1] > 5) { exit(); } }"
#define OPEN        "tracepoint:syscalls:sys_enter_openat "
#define CALLS       "uprobe:/proc/self/exe:main, uprobe:/proc/self/exe:c* { @[probe] = count(); }"
#define COMPARE     "interval:s:1 /uid > 5 && cpu > 1/ { @[gid > 7] = count(); }"

static const struct row {
	const char *without, *script;
	bool (*has)(struct bpf_object *obj, int64_t arg);
	int64_t arg;
	bool instead; /* the property is the fallback's, not the feature's */
} rows[] = {
	{"global_data", COUNT_TICKS, has_sections},
	{"ring_buffer", "interval:s:1 { print(1); }", has_map_type, BPF_MAP_TYPE_RINGBUF},
	{"ring_buffer", "interval:s:1 { print(1); }", has_helper, BPF_FUNC_ringbuf_reserve},
	{"ring_buffer", "interval:s:1 { print(1); }", has_map_type, BPF_MAP_TYPE_PERF_EVENT_ARRAY,
	 true},
	{"probe_read_kernel", "rawtracepoint:sched_switch { print(*(uint64 *)arg1); }", has_helper,
	 BPF_FUNC_probe_read_kernel},
	{"probe_read_kernel", OPEN "{ print(str(args.filename)); }", has_helper,
	 BPF_FUNC_probe_read_user_str},
	{"probe_read_kernel", OPEN "{ print(*(uint64 *)args.filename); }", has_helper,
	 BPF_FUNC_probe_read_user},
	{"boot_clock", "interval:s:1 { print(nsecs); }", has_helper, BPF_FUNC_ktime_get_boot_ns},
	{"boot_clock", "interval:s:1 { print(elapsed); }", has_helper, BPF_FUNC_ktime_get_ns, true},
	{"raw_tp",
	 "tracepoint:syscalls:sys_enter_getppid, tracepoint:syscalls:sys_enter_getpgid "
	 "{ @ = count(); }",
	 has_program_type, BPF_PROG_TYPE_RAW_TRACEPOINT},
	{"raw_tp_test_run", "BEGIN { @ = 1; }", has_program_type, BPF_PROG_TYPE_RAW_TRACEPOINT},
	{"raw_tp_test_run", "END { @ = 1; }", has_program_type, BPF_PROG_TYPE_PERF_EVENT, true},
	{"attach_cookie", CALLS, has_helper, BPF_FUNC_get_attach_cookie},
	{"links", CALLS, has_helper, BPF_FUNC_get_attach_cookie},
	{"percpu_lookup", READ_COUNT, has_helper, 195},
	{"percpu_lookup", READ_COUNT, has_map_type, BPF_MAP_TYPE_PERCPU_HASH},
	{"cpu_v3", COMPARE, has_v3},
	{"cpu_v3", "interval:s:1 { $a = @++; print($a); }", has_fetch},
	{"cpu_v3,cpu_v2", COMPARE, has_v2},
};

static bool feature_is_there(const char *names)
{
	struct target *t = target_open_running();
	bool has = true;

	for (int f = 0; f < TARGET_NFEATURES; f++)
		if (strstr(names, target_feature_name(f)))
			has = has && target_has(t, f);
	target_close(t);
	return has;
}

static bool built_has(const struct row *row, const char *without)
{
	struct target *t = target_without(without);
	struct compile_output out;
	struct bpf_object *obj;
	char err[128];
	struct image img;
	bool has;

	if (compile(row->script, t, &out))
		diag_print(out.diags, stderr, false, false);
	assert_non_null(out.image);
	assert_int_equal(image_open(&img, out.image, out.image_size, err, sizeof(err)), 0);
	obj = bpf_object__open_mem(img.object, img.object_size, NULL);
	assert_non_null(obj);
	has = row->has(obj, row->arg);
	bpf_object__close(obj);
	compile_output_free(&out);
	target_close(t);
	return has;
}

static void what_is_switched_off_is_not_used(void **state)
{
	(void)state;
	if (geteuid()) {
		print_message("skipped: features of the kernel are tried out as root\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];

		if (built_has(row, row->without) != row->instead)
			fail_msg("row %zu, without %s: %s", i, row->without, row->script);
		if (feature_is_there(row->without) && built_has(row, "") == row->instead)
			fail_msg("row %zu, with %s: %s", i, row->without, row->script);
	}
}

/* ---- the layout of loops ------------------------------------------------------------------- */

#define MAX_INSNS 4096

/* How a kernel before 6.8 walks a program: along the edges, those that go on first. */
struct walk {
	const struct bpf_insn *insns;
	size_t n;
	enum { NEW, ON_THE_WAY, DONE } state[MAX_INSNS];
	bool refused;
};

static bool is_jump(const struct bpf_insn *insn)
{
	unsigned class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static void walk_from(struct walk *w, size_t i);

static void walk_to(struct walk *w, size_t from, size_t to)
{
	assert_true(to < w->n);
	if (w->state[to] == ON_THE_WAY && !is_jump(&w->insns[from]))
		w->refused = true;
	if (w->state[to] == NEW)
		walk_from(w, to);
}

static void walk_from(struct walk *w, size_t i)
{
	const struct bpf_insn *insn = &w->insns[i];
	size_t next = i + (insn->code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1);

	w->state[i] = ON_THE_WAY;
	if (insn->code != (BPF_JMP | BPF_EXIT)) {
		if (insn->code != (BPF_JMP | BPF_JA))
			walk_to(w, i, next);
		if (is_jump(insn))
			walk_to(w, i, i + 1 + insn->off);
	}
	w->state[i] = DONE;
}

static bool loops_are_refused(const char *script)
{
	struct target *t = target_without("bpf_loop");
	struct compile_output out;
	struct bpf_program *prog;
	struct bpf_object *obj;
	struct walk *w = calloc(1, sizeof(*w));
	char err[128];
	struct image img;
	bool refused;

	if (compile(script, t, &out))
		diag_print(out.diags, stderr, false, false);
	assert_non_null(out.image);
	assert_int_equal(image_open(&img, out.image, out.image_size, err, sizeof(err)), 0);
	obj = bpf_object__open_mem(img.object, img.object_size, NULL);
	prog = bpf_object__next_program(obj, NULL);
	w->insns = bpf_program__insns(prog);
	w->n = bpf_program__insn_cnt(prog);
	assert_true(w->n < MAX_INSNS);
	walk_from(w, 0);
	refused = w->refused;
	free(w);
	bpf_object__close(obj);
	compile_output_free(&out);
	target_close(t);
	return refused;
}

static void heads_of_loops_are_jumped_to(void **state)
{
	static const char *const scripts[] = {
		"BEGIN { $i = 0; while ($i < 10) { $i++; if ($i == 2) { continue; } if ($i > 4) "
		"{ break; } printf(\"%d\", $i); } }",
		"BEGIN { for ($i : 0..20) { if ($i == 2) { continue; } print($i); if ($i > 4) "
		"{ @[$i] = 1; } } }",
		"BEGIN { $i = 0; while ($i < 10) { $j = 0; while ($j < $i) { $j++; if ($j % 3 == "
		"1) "
		"{ continue; } @n++; } $i++; if (@n > 20) { continue; } print($i); } }",
		"BEGIN { @c = count(); if (@c > 3) { print(1); } if (comm == str($1)) { print(2); "
		"} }",
	};
	static const struct bpf_insn turned_round[] = {
		{.code = BPF_JMP | BPF_JA, .off = 1},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .imm = 1},
		{.code = BPF_JMP | BPF_JLT | BPF_K, .off = -2, .imm = 4},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct walk w = {.insns = turned_round, .n = 4};

	(void)state;
	walk_from(&w, 0);
	assert_true(w.refused); /* what is looked for */
	if (geteuid()) {
		print_message("skipped: features of the kernel are tried out as root\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
		if (loops_are_refused(scripts[i]))
			fail_msg("refused by kernels before 6.8: %s", scripts[i]);
}

/* ---- what holds all fallbacks ------------------------------------------------------------ */

static void helpers_go_with_their_feature(void **state)
{
	static const struct {
		const char *feature;
		uint32_t helper;
	} owned[] = {
		{"ring_buffer", BPF_FUNC_ringbuf_reserve},
		{"probe_read_kernel", BPF_FUNC_probe_read_kernel},
		{"probe_read_kernel", BPF_FUNC_probe_read_user_str},
		{"boot_clock", BPF_FUNC_ktime_get_boot_ns},
		{"attach_cookie", BPF_FUNC_get_attach_cookie},
		{"func_ip", BPF_FUNC_get_func_ip},
		{"bpf_loop", BPF_FUNC_loop},
		{"for_each_map", BPF_FUNC_for_each_map_elem},
	};
	struct target_lack lack;

	(void)state;
	for (size_t i = 0; i < sizeof(owned) / sizeof(*owned); i++) {
		struct target *t = target_without(owned[i].feature);

		target_set_version(t, TARGET_VERSION(7, 2, 0));
		assert_true(target_lacks_helper(t, owned[i].helper, &lack));
		assert_false(target_lacks_helper(t, BPF_FUNC_map_lookup_elem, &lack));
		target_close(t);
	}
	struct target *t = target_without("ring_buffer");

	assert_true(target_lacks_map_type(t, BPF_MAP_TYPE_RINGBUF, &lack));
	target_close(t);
}

/* What is refused where there is nothing to fall back on. */
static void what_has_no_fallback_is_refused(void **state)
{
	static const struct {
		const char *without, *script;
	} scripts[] = {
		{"large_keys",
		 "config = { max_strlen = 1000 } BEGIN { @[str((int8 *)7, 800)] = 1; }"},
		{"for_each_map", "BEGIN { @[1] = 1; print(len(@)); }"},
		{"for_each_map", "BEGIN { @[1] = 1; for ($kv : @) { print($kv); } }"},
		{"bounded_loops", "BEGIN { $i = 0; while ($i < 3) { $i++; } }"},
		{"percpu_lookup", "BEGIN { @ = max(1); if (@ > 3) { exit(); } }"},
	};

	(void)state;
	if (geteuid()) {
		print_message("skipped: features of the kernel are tried out as root\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		struct target *t = target_without(scripts[i].without);
		struct compile_output out;

		assert_int_not_equal(compile(scripts[i].script, t, &out), 0);
		assert_true(out.diags->errors > 0);
		compile_output_free(&out);
		target_close(t);
	}
}

/* The test runs of an image that counts on them are refused where they are switched off. */
static void an_image_is_no_way_around_it(void **state)
{
	struct target *t = target_without("");
	struct runtime_options opts = {.quiet = true};
	struct compile_output out;
	struct image img;
	char err[128];

	(void)state;
	if (geteuid() || !feature_is_there("raw_tp_test_run")) {
		target_close(t);
		print_message("skipped: the kernel cannot test-run raw tracepoints, or not as this "
			      "user\n");
		skip();
	}
	assert_int_equal(compile("BEGIN { exit(3); }", t, &out), 0);
	assert_int_equal(image_open(&img, out.image, out.image_size, err, sizeof(err)), 0);
	assert_int_equal(runtime_run(&img, t, &opts), 3);
	assert_int_equal(target_disable(t, "raw_tp_test_run", err, sizeof(err)), 0);
	assert_int_equal(runtime_run(&img, t, &opts), 1);
	compile_output_free(&out);
	target_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_switched_off_is_not_used),
		cmocka_unit_test(heads_of_loops_are_jumped_to),
		cmocka_unit_test(helpers_go_with_their_feature),
		cmocka_unit_test(what_has_no_fallback_is_refused),
		cmocka_unit_test(an_image_is_no_way_around_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
