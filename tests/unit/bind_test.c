/* SPDX-License-Identifier: Apache-2.0 */
/* Portable images: what constants come to, and what is put where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/bpf.h>

#include "bind/bind.h"

#define LDDW(dst) ((struct bpf_insn){.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (dst)})

static const struct bind_arguments none;

/* ---- a sample: two programs, one for kernels with a struct that there is not ------------ */

enum { R_THERE, R_MISSING, R_FIELD, R_CONTEXT, R_NUMBER, R_TEXT, NR };
enum { AT_A, AT_B };

static void add_relocs(struct image_builder *b)
{
	uint32_t task = image_add_string(b, "struct task_struct");
	struct image_reloc r[NR] = {
		[R_THERE] = {IMAGE_R_FIELD_EXISTS, .a = task, .b = image_add_string(b, "pid")},
		[R_MISSING] = {IMAGE_R_FIELD_EXISTS, .a = task,
			       .b = image_add_string(b, "no_such")},
		[R_FIELD] = {IMAGE_R_FIELD, .a = task, .b = image_add_string(b, "no_such")},
		[R_CONTEXT] = {IMAGE_R_ARGUMENT, .size = 0},
		[R_NUMBER] = {IMAGE_R_ARGUMENT, .size = 0},
		[R_TEXT] = {IMAGE_R_TEXT, .size = 1, .value = 0},
	};

	for (int i = 0; i < NR; i++)
		image_add_reloc(b, &r[i]);
}

static void add_sites(struct image_builder *b)
{
	struct bpf_insn object[] = {
		LDDW(1),
		{0},
		LDDW(2),
		{0},
		LDDW(3),
		{0},
		{.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 3, .src_reg = 1},
		LDDW(4),
		{0},
	};
	struct image_site sites[] = {
		{0, R_NUMBER, IMAGE_SITE_VALUE, 0},
		{16, R_FIELD, IMAGE_SITE_VALUE, 0},
		{32, R_CONTEXT, IMAGE_SITE_OFFSET, 0},
		{56, R_TEXT, IMAGE_SITE_VALUE, 0},
	};

	for (size_t i = 0; i < sizeof(sites) / sizeof(*sites); i++)
		image_add_site(b, &sites[i]);
	image_set_object(b, object, sizeof(object));
}

static void add_programs(struct image_builder *b)
{
	static const char *const names[] = {"a", "b"};
	struct image_condition c[] = {
		{IMAGE_C_VALUE, R_THERE},
		/* not (there and not missing) */
		{IMAGE_C_VALUE, R_THERE},
		{IMAGE_C_VALUE, R_MISSING},
		{IMAGE_C_NOT, 0},
		{IMAGE_C_AND, 0},
		{IMAGE_C_NOT, 0},
	};

	for (size_t i = 0; i < 6; i++)
		image_add_condition(b, &c[i]);
	for (uint32_t i = 0; i < 2; i++) {
		struct image_probe probe = {image_add_string(b, names[i]),
					    image_add_string(b, "begin")};
		struct image_attachment at = {.kind = IMAGE_AT_BEGIN,
					      .prog = image_add_string(b, names[i]),
					      .probe = i,
					      .nprobes = 1};
		struct image_point p = {.prog = at.prog,
					.type = probe.type,
					.condition = i,
					.nconditions = i ? 5 : 1};

		image_add_probe(b, &probe);
		image_add_attachment(b, &at);
		image_add_point(b, &p);
	}
}

static void *sample(size_t *size, uint32_t since)
{
	struct image_builder *b = image_builder_new();
	struct image_config c = {.portable = 1};
	struct image_argument number = {.kind = IMAGE_K_INT, .position = 1, .value = 7};
	struct image_argument text = {.kind = IMAGE_K_STRING,
				      .name = image_add_string(b, "disk"),
				      .letter = 'd',
				      .text = image_add_string(b, "sda")};
	struct image_need need = {.kind = IMAGE_NEED_FEATURE,
				  .name = image_add_string(b, since ? "no such one" : "cpu_v2"),
				  .since = since};
	void *image;

	image_add_argument(b, &number);
	image_add_argument(b, &text);
	image_add_need(b, &need);
	add_relocs(b);
	add_sites(b);
	add_programs(b);
	image_set_config(b, &c);
	image = image_finish(b, size);
	image_builder_free(b);
	return image;
}

static void with_btf(struct target *t)
{
	struct bind_value v;

	if (!bind_find(t, IMAGE_R_TYPE_SIZE, "struct task_struct", "", &v))
		return;
	target_close(t);
	print_message("skipped: the kernel's types (BTF) cannot be read\n");
	skip();
}

/* ---- tests --------------------------------------------------------------------------- */

static void test_bound(void **state)
{
	const char *words[] = {"--disk=loop0", "0x20", "-d", "loop1"};
	const struct bind_arguments args = {words, 4};
	struct target *t = target_open_running();
	char err[BIND_ERROR_MAX];
	struct bpf_insn i[9];
	size_t size;
	void *image = sample(&size, 0), *bound;
	struct image img;

	(void)state;
	with_btf(t);
	assert_int_equal(bind_image(&img, image, size, t, &args, &bound, err), 0);
	/* b is for kernels without the field */
	assert_int_equal(img.nattachments, 1);
	assert_string_equal(image_str(&img, img.attachments[0].prog), "a");
	assert_int_equal(img.config->portable, 0);
	memcpy(i, img.object, sizeof(i));
	assert_int_equal(i[0].imm, 0x20);
	assert_int_equal(i[2].code, BPF_JMP | BPF_CALL);
	assert_int_equal(i[2].imm, BIND_POISON + R_FIELD);
	assert_int_equal(i[6].off, 0x20);
	assert_memory_equal(&i[7].imm, "loop", 4);
	assert_memory_equal(&i[8].imm, "1\0\0\0", 4);
	free(bound);
	free(image);
	target_close(t);
}

static void test_arguments(void **state)
{
	static const struct {
		const char *words[3], *says;
	} rows[] = {
		{{"1", "--disk=x"}, NULL},
		{{"-5", "--disk="}, NULL},
		{{"5ms"}, NULL},
		{{"--disk", "loop0"}, NULL},
		{{"-dloop0"}, NULL},
		{{"abc"}, "parameter $1 invalid integer (value: abc)"},
		{{"--disk"}, "--disk expects a string"},
		{{"-x"}, "unexpected program command line options: -x; expected"},
		{{"--disks=5"},
		 "unexpected program command line options: --disks; expected program options: "
		 "--disk"},
		{{"--disk=0123456789012345678901234567890123456789012345678901234567890123"},
		 "too long"},
	};
	struct target *t = target_open_running();
	char err[BIND_ERROR_MAX];
	size_t size;
	void *image = sample(&size, 0), *bound;
	struct image img;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bind_arguments args = {rows[i].words, 0};
		int ret;

		while (args.nwords < 3 && args.words[args.nwords])
			args.nwords++;
		ret = bind_image(&img, image, size, t, &args, &bound, err);
		free(bound);
		assert_int_equal(ret != 0, rows[i].says != NULL);
		if (ret && !strstr(err, rows[i].says))
			fail_msg("\"%s\" says nothing of \"%s\"", err, rows[i].says);
	}
	free(image);
	target_close(t);
}

static void test_needs(void **state)
{
	struct target *t = target_open_running();
	size_t size, older_size, both_size;
	char err[BIND_ERROR_MAX];
	void *image = sample(&size, TARGET_VERSION(200, 3, 0)), *bound, *both;
	void *older = sample(&older_size, 0);
	struct image_builder *b;
	struct image img;

	(void)state;
	with_btf(t);
	assert_int_not_equal(bind_image(&img, image, size, t, &none, &bound, err), 0);
	assert_string_equal(err, "the compiled script needs the kernel feature no such one, which "
				 "came with Linux 200.3");
	assert_int_equal(image_open(&img, image, size, err, sizeof(err)), 0);
	b = image_builder_from(&img);
	image_set_older(b, older, older_size);
	both = image_finish(b, &both_size);
	image_builder_free(b);
	assert_int_equal(bind_image(&img, both, both_size, t, &none, &bound, err), 0);
	free(bound);
	free(both);
	free(older);
	free(image);
	target_close(t);
}

/* Everything that stands in a portable image, changed to what cannot be. */
static void test_hostile(void **state)
{
	size_t size;
	char *image = sample(&size, 0), err[256];
	struct image img;

	(void)state;
	assert_int_equal(image_open(&img, image, size, err, sizeof(err)), 0);
#define REFUSED(table, row, field, bad)                                                            \
	do {                                                                                       \
		char *copy = malloc(size);                                                         \
		struct image other;                                                                \
		size_t at = (const char *)&img.table[row].field - image;                           \
		__typeof__(img.table[row].field) value = (bad);                                    \
		memcpy(copy, image, size);                                                         \
		memcpy(copy + at, (const void *)&value, sizeof(value));                            \
		if (!image_open(&other, copy, size, err, sizeof(err)))                             \
			fail_msg(#table "[%d]." #field " = " #bad " is taken", row);               \
		free(copy);                                                                        \
	} while (0)
	REFUSED(needs, 0, kind, IMAGE_NNEEDS);
	REFUSED(needs, 0, name, 1 << 20);
	REFUSED(relocs, 0, kind, IMAGE_NRELOCS);
	REFUSED(relocs, 0, a, 1 << 20);
	REFUSED(relocs, 0, b, 1 << 20);
	REFUSED(relocs, 0, where, 1 << 20);
	REFUSED(relocs, R_NUMBER, size, 2);
	REFUSED(relocs, R_TEXT, size, 0);
	REFUSED(relocs, R_TEXT, value, 8);
	REFUSED(sites, 0, offset, 4);
	REFUSED(sites, 0, offset, 1 << 20);
	REFUSED(sites, 3, offset, 64);
	REFUSED(sites, 1, offset, 8);
	REFUSED(sites, 1, offset, 0);
	REFUSED(sites, 0, reloc, NR);
	REFUSED(sites, 0, how, IMAGE_NSITES);
	REFUSED(sites, 1, how, IMAGE_SITE_OFFSET);
	REFUSED(conditions, 0, op, IMAGE_NCONDITIONS);
	REFUSED(conditions, 0, op, IMAGE_C_NOT);
	REFUSED(conditions, 0, reloc, NR);
	REFUSED(points, 0, prog, 1 << 20);
	REFUSED(points, 0, type, 1 << 20);
	REFUSED(points, 0, nparts, IMAGE_POINT_PARTS + 1);
	REFUSED(points, 1, condition, 3);
	REFUSED(points, 1, nconditions, 6);
	REFUSED(points, 1, nconditions, UINT32_MAX);
	REFUSED(points, 0, operands, 1 << 20);
	REFUSED(arguments, 0, kind, IMAGE_K_ARRAY);
	REFUSED(arguments, 0, letter, 'x');
	REFUSED(arguments, 1, letter, 1000);
	REFUSED(arguments, 0, position, 0);
	REFUSED(arguments, 1, position, 1);
	REFUSED(arguments, 1, text, 1 << 20);
	REFUSED(config, 0, machine, 1 << 20);
	free(image);
}

/* The kernel's own BTF: what has been the same for long. */
static void test_found(void **state)
{
	struct target *t = target_open_running();
	struct bind_value v, w;

	(void)state;
	with_btf(t);
	assert_int_equal(bind_find(t, IMAGE_R_FIELD, "struct task_struct", "comm", &v), 0);
	assert_int_equal(v.size, 16);
	assert_int_equal(bind_find(t, IMAGE_R_FIELD, "struct list_head", "prev", &v), 0);
	assert_int_equal(v.value, 8);
	/* in an anonymous struct within an anonymous union, since long */
	assert_int_equal(bind_find(t, IMAGE_R_FIELD, "struct page", "mapping", &v), 0);
	assert_int_equal(v.size, 8);
	assert_int_equal(bind_find(t, IMAGE_R_FIELD, "struct file", "f_path.dentry", &v), 0);
	assert_int_equal(bind_find(t, IMAGE_R_FIELD, "struct path", "dentry", &w), 0);
	assert_int_equal(bind_find(t, IMAGE_R_FIELD, "struct file", "f_path", &v), 0);
	assert_int_equal(bind_find(t, IMAGE_R_FIELD, "struct file", "", &v), 0);
	assert_int_not_equal(bind_find(t, IMAGE_R_FIELD, "struct list_head", "prev.next", &v), 0);
	assert_int_equal(bind_find(t, IMAGE_R_FIELD_EXISTS, "struct list_head", "prev.next", &v),
			 0);
	assert_int_equal(v.value, 1);
	assert_int_equal(bind_find(t, IMAGE_R_ENUM, "", "BPF_MAP_TYPE_ARRAY", &v), 0);
	assert_int_equal(v.value, BPF_MAP_TYPE_ARRAY);
	assert_int_not_equal(bind_find(t, IMAGE_R_ENUM, "", "NO_SUCH_ENUMERATOR", &v), 0);
	assert_int_equal(bind_find(t, IMAGE_R_RAW_ARG, "sched_process_exit", "p", &v), 0);
	assert_int_equal(v.value, 0);
	assert_int_not_equal(bind_find(t, IMAGE_R_RAW_ARG, "sched_process_exit", "q", &v), 0);
	assert_int_equal(bind_find(t, IMAGE_R_TRACEPOINT, "sched:sched_process_exec", "pid", &v),
			 0);
	assert_int_equal(v.size, 4);
	assert_int_not_equal(bind_find(t, IMAGE_R_TRACEPOINT, "../../x:y", "pid", &v), 0);
	target_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound), cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_needs), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
