/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts compiled for Linux 4.18, whatever is running: the bundled ones use nothing that is
 * newer, in helpers, map types, instructions and size; what cannot do without is refused.
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
#include <dirent.h>
#include <linux/bpf.h>

#include "codegen/compile.h"
#include "image/image.h"

#define OLD            TARGET_VERSION(4, 18, 0)
#define LAST_HELPER    BPF_FUNC_get_current_cgroup_id /* of 4.18 */
#define LAST_MAP_TYPE  BPF_MAP_TYPE_SOCKHASH
#define LAST_PROG_TYPE BPF_PROG_TYPE_LIRC_MODE2
#define MAX_INSNS      4096 /* a program, until 5.2 */

static const char *no_env(const char *name, void *arg)
{
	(void)name, (void)arg;
	return NULL;
}

static int compile_old(const char *name, const char *text, struct target *t,
		       struct compile_output *out)
{
	struct compile_input in = {
		.name = name,
		.text = text,
		.size = strlen(text),
		.sema = {.sync = true, .script_name = name, .getenv = no_env},
	};

	target_set_version(t, OLD);
	return compile_script(&in, t, false, out);
}

static void check_insn(const char *script, const struct bpf_insn *insns, size_t i)
{
	const struct bpf_insn *insn = &insns[i];
	unsigned class = BPF_CLASS(insn->code);

	if (class == BPF_JMP32)
		fail_msg("%s: 32-bit jump at %zu", script, i);
	if (class == BPF_LD && insn->src_reg > BPF_PSEUDO_MAP_FD)
		fail_msg("%s: a constant of kind %d at %zu", script, insn->src_reg, i);
	if ((class == BPF_ALU || class == BPF_ALU64) && insn->off)
		fail_msg("%s: signed division or move at %zu", script, i);
	if (class == BPF_ALU64 && BPF_OP(insn->code) == BPF_END)
		fail_msg("%s: byte swap without condition at %zu", script, i);
	if (class == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC && insn->imm != BPF_ADD)
		fail_msg("%s: atomic operation %d at %zu", script, insn->imm, i);
	if (class != BPF_JMP)
		return;
	if (BPF_OP(insn->code) == BPF_CALL && insn->src_reg)
		fail_msg("%s: call of a function at %zu", script, i);
	if (BPF_OP(insn->code) == BPF_CALL && (unsigned)insn->imm > LAST_HELPER)
		fail_msg("%s: helper %d at %zu", script, insn->imm, i);
}

static void check_object(const char *script, const struct image *img)
{
	struct bpf_object *obj = bpf_object__open_mem(img->object, img->object_size, NULL);
	struct bpf_program *prog;
	struct bpf_map *map;

	assert_non_null(obj);
	bpf_object__for_each_map(map, obj)
	{
		if (bpf_map__type(map) > LAST_MAP_TYPE)
			fail_msg("%s: map %s has type %d", script, bpf_map__name(map),
				 bpf_map__type(map));
		if (bpf_map__name(map)[0] == '.')
			fail_msg("%s: global data in %s", script, bpf_map__name(map));
	}
	bpf_object__for_each_program(prog, obj)
	{
		size_t n = bpf_program__insn_cnt(prog);

		if (!n || n > MAX_INSNS)
			fail_msg("%s: %zu instructions in %s", script, n, bpf_program__name(prog));
		assert_true(bpf_program__type(prog) <= LAST_PROG_TYPE);
		assert_int_equal(bpf_program__expected_attach_type(prog), 0);
		assert_int_equal(bpf_program__flags(prog), 0);
		for (size_t i = 0; i < n; i++) {
			check_insn(script, bpf_program__insns(prog), i);
			/* a 64-bit constant takes two */
			i += bpf_program__insns(prog)[i].code == (BPF_LD | BPF_IMM | BPF_DW);
		}
	}
	bpf_object__close(obj);
}

static char *read_script(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 16);

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
	fclose(f);
	return text;
}

/* @hidden: probes that the kernel is to be without, so that a script takes another way. */
static void check_script(const char *path, const char *hidden)
{
	struct target *t = target_open_running();
	struct compile_output out;
	char *text = read_script(path), err[128];
	struct image img;

	target_hide_probes(t, hidden);
	if (compile_old(path, text, t, &out))
		diag_print(out.diags, stderr, false, false);
	assert_non_null(out.image);
	assert_int_equal(image_open(&img, out.image, out.image_size, err, sizeof(err)), 0);
	assert_int_equal(img.config->global_data, 0);
	assert_int_equal(img.config->ring_buffer, 0);
	assert_int_equal(img.config->boot_clock, 0);
	check_object(path, &img);
	compile_output_free(&out);
	target_close(t);
	free(text);
}

static void bundled_scripts_use_nothing_newer(void **state)
{
	static const char *const hidden[] = {
		"",
		"rawtracepoint:*:block_io_*",
		"rawtracepoint:*:block_io_*,kprobe:*",
	};
	DIR *dir = opendir(BTRUN_SCRIPTS);
	struct dirent *e;
	unsigned n = 0;

	(void)state;
	if (access("/sys/kernel/btf/vmlinux", R_OK) || geteuid()) {
		print_message("skipped: the scripts' types come from the running kernel\n");
		skip();
	}
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		char path[512];

		/* syscall_name() needs global data, and says so */
		if (!strstr(e->d_name, ".bt") || !strcmp(e->d_name, "syscount.bt"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", BTRUN_SCRIPTS, e->d_name);
		for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
			check_script(path, hidden[i]);
		n++;
	}
	closedir(dir);
	assert_true(n >= 2);
}

static void refused(const char *script, const char *message)
{
	struct target *t = target_open_running();
	struct compile_output out;

	assert_int_not_equal(compile_old("stdin", script, t, &out), 0);
	assert_true(out.diags->errors > 0);
	for (size_t i = 0; i < out.diags->diags.len; i++) {
		const struct diag *d = &out.diags->diags.items[i];

		if (d->level != DIAG_ERROR)
			continue;
		assert_string_equal(d->message, message);
		assert_true(d->span.end > 0);
		break;
	}
	compile_output_free(&out);
	target_close(t);
}

static void what_cannot_do_without_is_refused(void **state)
{
	(void)state;
	refused("BEGIN { @a[1] = 1; print(len(@a)); }",
		"len() of a map needs the kernel feature for_each_map, which came with Linux 5.13");
	refused("BEGIN { @i = 0; while (@i < 5) { @i++; } }",
		"a loop needs the kernel feature bounded_loops, which came with Linux 5.3");
	refused("fentry:vfs_read { @ = count(); }",
		"No matches for fentry vfs_read: this kernel has no fentry and fexit, which came "
		"with Linux 5.5.");
	refused("BEGIN { $x = jiffies; print($x); }",
		"this needs the BPF helper jiffies64, which came with Linux 5.6");
	refused("BEGIN { @c = max(cpu); if ((int64)@c > 3) { exit(); } }",
		"this needs the BPF helper map_lookup_percpu_elem, which came with Linux 5.19");
}

static void versions_are_read(void **state)
{
	(void)state;
	assert_int_equal(target_parse_version("4.18"), TARGET_VERSION(4, 18, 0));
	assert_int_equal(target_parse_version("5.10.3"), TARGET_VERSION(5, 10, 3));
	assert_int_equal(target_parse_version("7.2"), TARGET_VERSION(7, 2, 0));
	for (const char **p =
		     (const char *[]){"", "5", "x", "5.x", "5.10.", "5.10.1.2", "4.18x", NULL};
	     *p; p++)
		assert_int_equal(target_parse_version(*p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bundled_scripts_use_nothing_newer),
		cmocka_unit_test(what_cannot_do_without_is_refused),
		cmocka_unit_test(versions_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
