/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "image/image.h"

/* Rows of the sample, by index. */
enum { T_INT, T_STRING, T_TUPLE, T_COUNT, T_HIST, T_LHIST, T_STACK, T_ENUM, T_ARRAY, T_BITS };
enum { M_KEYED, M_SCALAR, M_STACKS };
enum { A_PRINTF, A_PRINT_MAP, A_ELEM, A_VALUE, A_EXIT, A_JOIN };

static uint32_t add_type(struct image_builder *b, struct image_type t)
{
	return image_add_type(b, &t);
}

static void add_types(struct image_builder *b)
{
	struct image_field f[] = {
		{.type = T_INT, .offset = 0},
		{.type = T_STRING, .offset = 8},
		{.name = image_add_string(b, "bits"), .type = T_INT, .bit_off = 3, .bit_size = 5}};
	struct image_enumerator e = {.value = 1, .name = image_add_string(b, "ONE")};

	for (size_t i = 0; i < 3; i++)
		image_add_field(b, &f[i]);
	image_add_enumerator(b, &e);
	add_type(b, (struct image_type){.kind = IMAGE_K_INT, .flags = 1, .size = 8});
	add_type(b, (struct image_type){.kind = IMAGE_K_STRING, .size = 16});
	add_type(b, (struct image_type){.kind = IMAGE_K_TUPLE, .size = 24, .count = 2});
	add_type(b, (struct image_type){.kind = IMAGE_K_COUNT, .size = 8});
	add_type(b, (struct image_type){.kind = IMAGE_K_HIST, .size = 65 * 8});
	add_type(b,
		 (struct image_type){.kind = IMAGE_K_LHIST, .size = 12 * 8, .arg = {0, 100, 10}});
	add_type(b, (struct image_type){
			    .kind = IMAGE_K_KSTACK, .size = 8, .elem = M_STACKS, .arg = {127}});
	add_type(b, (struct image_type){.kind = IMAGE_K_ENUM, .size = 4, .count = 1});
	add_type(b,
		 (struct image_type){.kind = IMAGE_K_ARRAY, .size = 32, .elem = T_INT, .count = 4});
	add_type(b,
		 (struct image_type){.kind = IMAGE_K_STRUCT, .size = 8, .count = 1, .fields = 2});
}

static void add_maps(struct image_builder *b)
{
	struct image_map m[] = {
		{.name = image_add_string(b, "x"),
		 .elf_name = image_add_string(b, "AT_x"),
		 .key = T_TUPLE,
		 .value = T_INT,
		 .max_entries = 10},
		{.elf_name = image_add_string(b, "AT_"),
		 .key = IMAGE_NONE,
		 .value = T_COUNT,
		 .flags = IMAGE_MAP_SCALAR | IMAGE_MAP_PERCPU},
		{.elf_name = image_add_string(b, "stack_127"),
		 .key = IMAGE_NONE,
		 .value = IMAGE_NONE,
		 .flags = IMAGE_MAP_INTERNAL | IMAGE_MAP_STACKS},
	};

	for (size_t i = 0; i < 3; i++)
		image_add_map(b, &m[i]);
}

static void add_actions(struct image_builder *b)
{
	struct image_action a[] = {
		{.kind = IMAGE_A_PRINTF,
		 .fmt = image_add_string(b, "%d %s\n"),
		 .type = T_TUPLE,
		 .map = IMAGE_NONE},
		{.kind = IMAGE_A_PRINT_MAP, .type = IMAGE_NONE, .map = M_KEYED, .arg = {5, 2}},
		{.kind = IMAGE_A_PRINT_VALUE, .type = T_INT, .map = IMAGE_NONE},
		{.kind = IMAGE_A_EXIT, .type = IMAGE_NONE, .map = IMAGE_NONE},
		{.kind = IMAGE_A_ROWS, .type = T_TUPLE, .map = M_KEYED, .table = 0},
	};

	for (size_t i = 0; i < 5; i++)
		image_add_action(b, &a[i]);
}

/* rows(@x, 0, ..., key.0 + 1, cond ? key.1 : "z", what was sent); ordered by @x */
static void add_table(struct image_builder *b)
{
	struct image_op ops[] = {
		{.code = IMAGE_OP_VALUE, .map = M_KEYED, .type = T_INT},
		{.code = IMAGE_OP_KEY, .map = IMAGE_NONE, .type = T_INT},
		{.code = IMAGE_OP_CONST, .map = IMAGE_NONE, .value = 1},
		{.code = IMAGE_OP_ADD, .map = IMAGE_NONE},
		{.code = IMAGE_OP_NUMBER, .map = M_SCALAR, .part = IMAGE_PART_COUNT},
		{.code = IMAGE_OP_KEY, .map = IMAGE_NONE, .type = T_STRING, .offset = 8},
		{.code = IMAGE_OP_TEXT, .map = IMAGE_NONE, .type = T_STRING},
		{.code = IMAGE_OP_SELECT, .map = IMAGE_NONE},
	};
	struct image_column columns[] = {
		{.op = 0, .nops = 1, .type = T_INT},
		{.op = 1, .nops = 3, .type = T_INT},
		{.op = 4, .nops = 4, .type = T_STRING},
	};
	struct image_table t = {.tuple = T_TUPLE, .ncolumns = 3, .heading_tuple = IMAGE_NONE};

	ops[6].value = image_add_string(b, "z");
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		image_add_op(b, &ops[i]);
	for (size_t i = 0; i < 3; i++)
		image_add_column(b, &columns[i]);
	image_add_table(b, &t);
}

static void *make_sample(size_t *size)
{
	struct image_builder *b = image_builder_new();
	struct image_config c = {.sync_probes = 1,
				 .script_name = image_add_string(b, "a.bt"),
				 .str_trunc_trailer = image_add_string(b, "..")};
	struct image_probe p = {.name = image_add_string(b, "interval:s:1"),
				.type = image_add_string(b, "interval")};
	struct image_attachment at = {.kind = IMAGE_AT_INTERVAL,
				      .prog = image_add_string(b, "p0"),
				      .nprobes = 1,
				      .arg = {1000000000}};
	void *image;

	add_types(b);
	add_maps(b);
	add_actions(b);
	add_table(b);
	image_add_probe(b, &p);
	image_add_attachment(b, &at);
	image_set_config(b, &c);
	image_set_object(b, "object", 6);
	image = image_finish(b, size);
	image_builder_free(b);
	return image;
}

static int open_copy(const void *image, size_t size)
{
	struct image img;
	char err[256] = "";
	void *copy = malloc(size + 1);
	int ret;

	memcpy(copy, image, size);
	ret = image_open(&img, copy, size, err, sizeof(err));
	if (ret) {
		assert_int_equal(ret, -22);
		assert_string_not_equal(err, "");
	} else {
		FILE *null = fopen("/dev/null", "w");

		image_print(null, &img); /* walks all that was accepted */
		fclose(null);
	}
	free(copy);
	return ret;
}

static void test_round_trip(void **state)
{
	struct image img;
	char err[256];
	size_t size;
	void *image = make_sample(&size);

	(void)state;
	assert_int_equal(image_open(&img, image, size, err, sizeof(err)), 0);
	assert_int_equal(img.ntypes, 10);
	assert_int_equal(img.nfields, 3);
	assert_int_equal(img.nenums, 1);
	assert_int_equal(img.nmaps, 3);
	assert_int_equal(img.nactions, 5);
	assert_int_equal(img.nprobes, 1);
	assert_int_equal(img.nattachments, 1);
	assert_int_equal(img.object_size, 6);
	assert_memory_equal(img.object, "object", 6);
	assert_string_equal(image_str(&img, img.maps[0].name), "x");
	assert_string_equal(image_str(&img, img.actions[0].fmt), "%d %s\n");
	assert_int_equal(img.attachments[0].arg[0], 1000000000);
	assert_string_equal(image_str(&img, img.config->script_name), "a.bt");
	free(image);
}

static void test_same_bytes(void **state)
{
	size_t size1, size2;
	void *a = make_sample(&size1), *b = make_sample(&size2);

	(void)state;
	assert_int_equal(size1, size2);
	assert_memory_equal(a, b, size1);
	free(a);
	free(b);
}

static void test_strings_are_shared(void **state)
{
	struct image_builder *b = image_builder_new();
	char name[16];

	(void)state;
	assert_int_equal(image_add_string(b, ""), 0);
	assert_int_equal(image_add_string(b, "a"), image_add_string(b, "a"));
	for (int i = 0; i < 2000; i++) {
		uint32_t first;

		snprintf(name, sizeof(name), "s%d", i);
		first = image_add_string(b, name);
		assert_int_equal(image_add_string(b, name), first);
	}
	image_builder_free(b);
}

/* ---- damage ---------------------------------------------------------------- */

struct damage {
	struct image img;
	void *image;
	size_t size;
};

static void damage_begin(struct damage *d)
{
	char err[256];

	d->image = make_sample(&d->size);
	assert_int_equal(image_open(&d->img, d->image, d->size, err, sizeof(err)), 0);
}

/* Overwrites @size bytes of the sample at @at and expects a refusal. */
static void check_refused(struct damage *d, const void *at, size_t size, uint64_t value,
			  const char *what)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	value <<= 64 - size * 8;
#endif
	memcpy((void *)at, &value, size);
	if (!open_copy(d->image, d->size))
		fail_msg("accepted: %s", what);
	free(d->image);
}

#define REFUSED(table, row, field, value)                                                          \
	do {                                                                                       \
		struct damage d;                                                                   \
		damage_begin(&d);                                                                  \
		check_refused(&d, &d.img.table[row].field, sizeof(d.img.table[row].field), value,  \
			      #table "[" #row "]." #field " = " #value);                           \
	} while (0)

static void test_types_refused(void **state)
{
	(void)state;
	REFUSED(types, T_INT, kind, IMAGE_NKINDS);
	REFUSED(types, T_INT, kind, IMAGE_K_TSERIES);
	REFUSED(types, T_INT, size, 3);
	REFUSED(types, T_INT, name, 100000);
	REFUSED(types, T_STRING, size, 0);
	REFUSED(types, T_STRING, size, UINT32_MAX);
	REFUSED(types, T_TUPLE, size, 23);
	REFUSED(types, T_TUPLE, fields, 2);
	REFUSED(types, T_TUPLE, fields, UINT32_MAX);
	REFUSED(types, T_TUPLE, count, UINT32_MAX);
	REFUSED(types, T_COUNT, size, 4);
	REFUSED(types, T_HIST, size, 64 * 8);
	REFUSED(types, T_HIST, arg[0], 6);
	REFUSED(types, T_HIST, arg[0], -1);
	REFUSED(types, T_LHIST, arg[2], 0);
	REFUSED(types, T_LHIST, arg[1], -1);
	REFUSED(types, T_LHIST, arg[2], 1);
	REFUSED(types, T_STACK, elem, M_SCALAR);
	REFUSED(types, T_STACK, elem, IMAGE_NONE);
	REFUSED(types, T_STACK, arg[0], 100000);
	REFUSED(types, T_STACK, arg[1], 17);
	REFUSED(types, T_ENUM, count, 2);
	REFUSED(types, T_ENUM, size, 5);
	REFUSED(types, T_ARRAY, elem, T_ARRAY); /* of itself */
	REFUSED(types, T_ARRAY, elem, IMAGE_NONE);
	REFUSED(types, T_ARRAY, elem, T_COUNT);
	REFUSED(types, T_ARRAY, count, 5);
	REFUSED(types, T_ARRAY, count, UINT32_MAX);
	REFUSED(fields, 0, type, T_TUPLE); /* of itself */
	REFUSED(fields, 0, type, T_COUNT);
	REFUSED(fields, 0, offset, 17);
	REFUSED(fields, 1, offset, UINT32_MAX);
	REFUSED(fields, 1, name, 100000);
	REFUSED(fields, 2, bit_off, 60);
	REFUSED(fields, 2, bit_size, 65);
	REFUSED(fields, 2, type, T_STRING);
	REFUSED(enums, 0, name, 100000);
}

static void test_tables_refused(void **state)
{
	(void)state;
	REFUSED(maps, M_KEYED, name, 100000);
	REFUSED(maps, M_KEYED, elf_name, 100000);
	REFUSED(maps, M_KEYED, key, 99);
	REFUSED(maps, M_KEYED, key, IMAGE_NONE);
	REFUSED(maps, M_KEYED, key, T_COUNT);
	REFUSED(maps, M_KEYED, value, IMAGE_NONE);
	REFUSED(maps, M_KEYED, value_off, 8);
	REFUSED(maps, M_KEYED, flags, IMAGE_MAP_PERCPU);
	REFUSED(maps, M_SCALAR, key, T_INT);
	REFUSED(maps, M_SCALAR, value_off, 4);
	REFUSED(maps, M_SCALAR, value, T_INT);
	REFUSED(actions, 0, kind, IMAGE_NACTIONS);
	REFUSED(actions, 0, fmt, 100000);
	REFUSED(actions, 0, where, 100000);
	REFUSED(actions, 0, type, 99);
	REFUSED(actions, 0, type, T_INT);
	REFUSED(actions, 0, map, 99);
	REFUSED(actions, 0, kind, IMAGE_A_PRINT_ELEM); /* no map */
	REFUSED(actions, 0, kind, IMAGE_A_JOIN);       /* an integer in the tuple */
	REFUSED(actions, 0, kind, IMAGE_A_RUNTIME_ERROR);
	REFUSED(actions, 1, map, IMAGE_NONE);
	REFUSED(actions, 1, map, M_STACKS);
	REFUSED(actions, 2, type, IMAGE_NONE);
	REFUSED(actions, 2, type, T_HIST);
	REFUSED(probes, 0, name, 100000);
	REFUSED(probes, 0, type, 100000);
	REFUSED(attachments, 0, kind, IMAGE_NATTACH);
	REFUSED(attachments, 0, prog, 100000);
	REFUSED(attachments, 0, target, 100000);
	REFUSED(attachments, 0, probe, 1);
	REFUSED(attachments, 0, nprobes, 0);
	REFUSED(attachments, 0, nprobes, 2);
	REFUSED(config, 0, script_name, 100000);
	REFUSED(config, 0, str_trunc_trailer, 100000);
	REFUSED(config, 0, missing_probes, 3);
	REFUSED(config, 0, perf_rb_pages, UINT32_MAX);
}

static void test_columns_refused(void **state)
{
	(void)state;
	REFUSED(actions, 4, map, M_SCALAR);
	REFUSED(actions, 4, map, IMAGE_NONE);
	REFUSED(actions, 4, table, 1);
	REFUSED(actions, 4, kind, IMAGE_A_CYCLES); /* the key's parts differ */
	REFUSED(tables, 0, tuple, T_INT);
	REFUSED(tables, 0, tuple, IMAGE_NONE);
	REFUSED(tables, 0, tuple, 99);
	REFUSED(tables, 0, column, 1);
	REFUSED(tables, 0, ncolumns, 0);
	REFUSED(tables, 0, ncolumns, 2);
	REFUSED(tables, 0, ncolumns, 4);
	REFUSED(tables, 0, heading, 100000);
	REFUSED(tables, 0, heading_tuple, T_TUPLE); /* a string in it */
	REFUSED(tables, 0, heading_tuple, 99);
	REFUSED(columns, 0, op, 99);
	REFUSED(columns, 0, nops, 0); /* no result */
	REFUSED(columns, 0, nops, 2); /* two */
	REFUSED(columns, 0, nops, 99);
	REFUSED(columns, 0, type, T_STRING);
	REFUSED(columns, 0, type, T_COUNT);
	REFUSED(columns, 1, type, T_ENUM); /* a number, but not the tuple's */
	REFUSED(columns, 2, type, T_INT);
	REFUSED(columns, 2, op, 5); /* an operand missing */
	REFUSED(ops, 0, code, IMAGE_NOPS);
	REFUSED(ops, 0, map, 99);
	REFUSED(ops, 0, map, M_STACKS);
	REFUSED(ops, 0, map, M_SCALAR); /* an aggregation has no plain value */
	REFUSED(ops, 0, type, T_TUPLE); /* more than there is */
	REFUSED(ops, 0, type, T_COUNT);
	REFUSED(ops, 0, offset, 1);
	REFUSED(ops, 1, offset, 24);
	REFUSED(ops, 1, offset, UINT32_MAX);
	REFUSED(ops, 1, type, 99);
	REFUSED(ops, 1, type, T_STRING); /* added to a number */
	REFUSED(ops, 3, code, IMAGE_OP_SAME);
	REFUSED(ops, 3, code, IMAGE_OP_CAST); /* to how many bytes? */
	REFUSED(ops, 4, map, M_KEYED);        /* no aggregation */
	REFUSED(ops, 4, part, IMAGE_NPARTS);
	REFUSED(ops, 5, type, T_INT); /* the branches differ */
	REFUSED(ops, 6, value, 100000);
	REFUSED(ops, 6, value, -1);
	REFUSED(ops, 6, type, T_INT);
}

#define HEADER_REFUSED(field, value)                                                               \
	do {                                                                                       \
		struct damage d;                                                                   \
		struct image_header *h;                                                            \
		damage_begin(&d);                                                                  \
		h = d.image;                                                                       \
		check_refused(&d, &h->field, sizeof(h->field), value, #field " = " #value);        \
	} while (0)

static void test_header_refused(void **state)
{
	(void)state;
	HEADER_REFUSED(magic[0], 'X');
	HEADER_REFUSED(version, 99);
	HEADER_REFUSED(nsections, 3);
	HEADER_REFUSED(size, 8);
	HEADER_REFUSED(sections[IMAGE_SEC_STRINGS].size, 0);
	HEADER_REFUSED(sections[IMAGE_SEC_STRINGS].size, UINT64_MAX);
	HEADER_REFUSED(sections[IMAGE_SEC_STRINGS].size, 10); /* ends within a string */
	HEADER_REFUSED(sections[IMAGE_SEC_TYPES].offset, 4);
	HEADER_REFUSED(sections[IMAGE_SEC_TYPES].offset, 0);
	HEADER_REFUSED(sections[IMAGE_SEC_TYPES].offset, UINT64_MAX - 7);
	HEADER_REFUSED(sections[IMAGE_SEC_TYPES].size, 7);
	HEADER_REFUSED(sections[IMAGE_SEC_CONFIG].size, 0);
}

static void test_truncated(void **state)
{
	size_t size;
	uint8_t *image = make_sample(&size);

	(void)state;
	for (size_t n = 0; n < size; n++)
		assert_int_not_equal(open_copy(image, n), 0);
	free(image);
}

/* Whatever is accepted must be safe to walk: the sanitizers watch. */
static void test_random_damage(void **state)
{
	size_t size;
	uint8_t *image = make_sample(&size), *copy = malloc(size);
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		memcpy(copy, image, size);
		for (int i = 0; i <= round % 4; i++)
			copy[rand_r(&seed) % size] ^= 1u << rand_r(&seed) % 8;
		open_copy(copy, size);
	}
	free(copy);
	free(image);
}

static void test_deep_types(void **state)
{
	struct image_builder *b = image_builder_new();
	struct image_config c = {0};
	size_t size;
	void *image;

	(void)state;
	/* each array holds sixteen of the one before it, in no space at all */
	add_type(b, (struct image_type){.kind = IMAGE_K_VOID});
	for (uint32_t i = 0; i < 10; i++)
		add_type(b, (struct image_type){.kind = IMAGE_K_ARRAY, .elem = i, .count = 16});
	image_set_config(b, &c);
	image = image_finish(b, &size);
	assert_int_not_equal(open_copy(image, size), 0);
	free(image);
	image_builder_free(b);
}

/* ---- buckets ------------------------------------------------------------------ */

static void test_hist(void **state)
{
	int64_t low, high;

	(void)state;
	assert_int_equal(image_hist_buckets(0), 65);
	assert_int_equal(image_hist_bucket(-1, 0), 0);
	assert_int_equal(image_hist_bucket(0, 0), 1);
	assert_int_equal(image_hist_bucket(1, 0), 2);
	assert_int_equal(image_hist_bucket(2, 0), 3);
	assert_int_equal(image_hist_bucket(3, 0), 3);
	assert_int_equal(image_hist_bucket(1023, 0), 11);
	assert_int_equal(image_hist_bucket(1024, 0), 12);
	assert_int_equal(image_hist_bucket(INT64_MAX, 0), 64);
	image_hist_range(12, 0, &low, &high);
	assert_int_equal(low, 1024);
	assert_int_equal(high, 2048);
	image_hist_range(0, 3, &low, &high);
	assert_true(low == INT64_MIN && high == 0);
}

/* Every bucket holds exactly its range, and the ranges leave no gap. */
static void test_hist_bits(void **state)
{
	int64_t low, high, end = 0;

	(void)state;
	for (unsigned bits = 0; bits <= 5; bits++, end = 0) {
		for (uint32_t i = 1; i < image_hist_buckets(bits); i++) {
			image_hist_range(i, bits, &low, &high);
			assert_int_equal(low, end);
			assert_int_equal(image_hist_bucket(low, bits), i);
			assert_int_equal(image_hist_bucket(high - 1, bits), i);
			end = high;
		}
		assert_true(end == INT64_MAX);
	}
}

static void test_lhist(void **state)
{
	(void)state;
	assert_int_equal(image_lhist_buckets(0, 100, 10), 12);
	assert_int_equal(image_lhist_bucket(-1, 0, 100, 10), 0);
	assert_int_equal(image_lhist_bucket(0, 0, 100, 10), 1);
	assert_int_equal(image_lhist_bucket(99, 0, 100, 10), 10);
	assert_int_equal(image_lhist_bucket(100, 0, 100, 10), 11);
	assert_int_equal(image_lhist_bucket(INT64_MAX, 0, 100, 10), 11);
	/* a step that does not divide the range */
	assert_int_equal(image_lhist_buckets(0, 15, 10), 3);
	assert_int_equal(image_lhist_bucket(13, 0, 15, 10), 2);
	assert_int_equal(image_lhist_bucket(21, 0, 15, 10), 2);
	assert_int_equal(image_lhist_buckets(10, 0, 1), 0);
	assert_int_equal(image_lhist_buckets(0, 10, 0), 0);
	assert_int_equal(image_lhist_buckets(INT64_MIN, INT64_MAX, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_strings_are_shared),
		cmocka_unit_test(test_types_refused),
		cmocka_unit_test(test_tables_refused),
		cmocka_unit_test(test_columns_refused),
		cmocka_unit_test(test_header_refused),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_deep_types),
		cmocka_unit_test(test_hist),
		cmocka_unit_test(test_hist_bits),
		cmocka_unit_test(test_lhist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
