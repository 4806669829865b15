/* SPDX-License-Identifier: Apache-2.0 */
/* Exact text. What is compared with stems from bpftrace 0.27, run on the same values. */
#include <time.h>

#include <unistd.h>

#include "output_fixture.h"

/* ---- printf -------------------------------------------------------------------------- */

static void check_int(const char *fmt, int64_t value, uint32_t size, bool is_signed,
		      const char *text)
{
	struct fixture f;
	struct part part = {"", 0, 0};
	uint32_t tuple;

	begin(&f);
	part.type = type(&f, IMAGE_K_INT, size, is_signed);
	tuple = compound(&f, IMAGE_K_TUPLE, size, &part, 1);
	action(&f, fmt, tuple);
	ready(&f);
	output_printf(f.o, &f.img.actions[0], &value);
	expect(&f, text);
	end(&f);
}

static void test_printf_integers(void **state)
{
	(void)state;
	check_int("[%d]", -1, 8, true, "[-1]");
	check_int("[%i]", -7, 4, true, "[-7]");
	check_int("[%5d]", 2, 8, true, "[    2]");
	check_int("[%-5d]", 3, 8, true, "[3    ]");
	check_int("[%05d]", 4, 8, true, "[00004]");
	check_int("[%05d]", -5, 8, true, "[-0005]");
	check_int("[%+d]", 5, 8, true, "[+5]");
	check_int("[%+05d]", 5, 8, true, "[+0005]");
	check_int("[% d]", 6, 8, true, "[ 6]");
	check_int("[%.3d]", 5, 8, true, "[005]");
	check_int("[%8.3d]", 5, 8, true, "[     005]");
	check_int("[%08.3d]", 5, 8, true, "[     005]");
	check_int("[%-08d]", 5, 8, true, "[5       ]");
	check_int("[%d]", 5000000000, 8, true, "[705032704]"); /* an int, as in C */
	check_int("[%ld]", 5000000000, 8, true, "[5000000000]");
	check_int("[%lld]", -1, 8, true, "[-1]");
	check_int("[%jd]", -1, 8, true, "[-1]");
	check_int("[%zd]", -1, 8, true, "[-1]");
	check_int("[%td]", -1, 8, true, "[-1]");
	check_int("[%ld]", INT64_MIN, 8, true, "[-9223372036854775808]");
	check_int("[%hhd]", 300, 8, true, "[44]");
	check_int("[%hd]", 70000, 8, true, "[4464]");
	check_int("[%hhu]", 300, 8, true, "[44]");
	check_int("[%hu]", 70000, 8, true, "[4464]");
	check_int("[%hhx]", 511, 8, true, "[ff]");
	check_int("[%u]", -1, 8, true, "[4294967295]");
	check_int("[%lu]", -1, 8, true, "[18446744073709551615]");
	check_int("[%u]", -5, 1, true, "[4294967291]"); /* an int8, widened */
	check_int("[%lx]", -5, 1, true, "[fffffffffffffffb]");
	check_int("[%d]", 200, 1, false, "[200]");
	check_int("[%x]", 255, 8, true, "[ff]");
	check_int("[%X]", 255, 8, true, "[FF]");
	check_int("[%#x]", 255, 8, true, "[0xff]");
	check_int("[%#X]", 255, 8, true, "[0XFF]");
	check_int("[%#x]", 0, 8, true, "[0]");
	check_int("[%08x]", 255, 8, true, "[000000ff]");
	check_int("[%#08x]", 255, 8, true, "[0x0000ff]");
	check_int("[%-8x|]", 255, 8, true, "[ff      |]");
	check_int("[%x]", -1, 8, true, "[ffffffff]");
	check_int("[%lx]", -1, 8, true, "[ffffffffffffffff]");
	check_int("[%o]", 8, 8, true, "[10]");
	check_int("[%#o]", 8, 8, true, "[010]");
	check_int("[%c]", 65, 8, true, "[A]");
	check_int("[%5c]", 65, 8, true, "[    A]");
	check_int("[%-5c]", 65, 8, true, "[A    ]");
	check_int("[%p]", 4096, 8, false, "[0x1000]");
	check_int("[%p]", 0, 8, false, "[0]");
	check_int("[%20p]", 4096, 8, false, "[              0x1000]");
	check_int("[%-10p]", 4096, 8, false, "[0x1000    ]");
	check_int("[%s]", -5, 8, true, "[-5]");
	check_int("[%5s]", 7, 8, true, "[    7]");
	check_int("100%% %d%%", 5, 8, true, "100% 5%");
	check_int("%d and %d", 5, 8, true, "5 and %d"); /* nothing there for the second */
	check_int("%k %d", 5, 8, true, "%k 5");
	check_int("%", 5, 8, true, "%");
}

/* The same conversions as printf(3) itself has. */
static void test_printf_against_c(void **state)
{
	static const char *const flags[] = {"", "-", "+", " ", "#", "0", "-+", "+0", " 0", "#0"};
	static const char *const sizes[] = {"", "1", "12", ".0", ".5", "12.5", "3.7"};
	static const int64_t values[] = {1, -1, 255, -4096, INT64_MAX, INT64_MIN};
	static const char kinds[] = "diuxXo";
	char fmt[64], want[128];

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		for (size_t j = 0; j < sizeof(sizes) / sizeof(*sizes); j++)
			for (size_t k = 0; k < sizeof(values) / sizeof(*values); k++)
				for (const char *c = kinds; *c; c++) {
					snprintf(fmt, sizeof(fmt), "%%%s%sl%c", flags[i], sizes[j],
						 *c);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
					snprintf(want, sizeof(want), fmt, values[k]);
#pragma GCC diagnostic pop
					check_int(fmt, values[k], 8, true, want);
				}
}

static void check_bytes(const char *fmt, uint32_t kind, uint32_t size, const void *value,
			const char *text)
{
	struct fixture f;
	struct part part = {"", 0, 0};
	uint32_t tuple;

	begin(&f);
	part.type = type_args(&f, kind, size, kind == IMAGE_K_KSTACK ? 127 : 0, 0, 0);
	tuple = compound(&f, IMAGE_K_TUPLE, size, &part, 1);
	action(&f, fmt, tuple);
	ready(&f);
	output_printf(f.o, &f.img.actions[0], value);
	expect(&f, text);
	end(&f);
}

static void test_printf_strings(void **state)
{
	static const char buffer[] = "\3\0\0\0hi\1\0";
	static const char too_long[] = "\377\0\0\0hi";

	(void)state;
	check_bytes("[%s]", IMAGE_K_STRING, 16, "abc\0aaaaaaaaaaaa", "[abc]");
	check_bytes("[%10s]", IMAGE_K_STRING, 4, "abc", "[       abc]");
	check_bytes("[%-10s]", IMAGE_K_STRING, 4, "abc", "[abc       ]");
	check_bytes("[%.2s]", IMAGE_K_STRING, 4, "abc", "[ab]");
	check_bytes("[%5.1s]", IMAGE_K_STRING, 4, "abc", "[    a]");
	check_bytes("[%s]", IMAGE_K_STRING, 4, "abcd", "[abcd..]"); /* cut: no NUL */
	check_bytes("[%r]", IMAGE_K_BUFFER, 8, buffer, "[hi\\x01]");
	check_bytes("[%rx]", IMAGE_K_BUFFER, 8, buffer, "[\\x68\\x69\\x01]");
	check_bytes("[%rh]", IMAGE_K_BUFFER, 8, buffer, "[68 69 01]");
	check_bytes("[%10r]", IMAGE_K_BUFFER, 8, buffer, "[    hi\\x01]");
	check_bytes("[%-10rh]", IMAGE_K_BUFFER, 8, buffer, "[68 69 01  ]");
	check_bytes("[%r]", IMAGE_K_BUFFER, 6, too_long, "[hi]"); /* no more than there is */
	check_bytes("[%s]", IMAGE_K_BOOL, 1, "\1", "[true]");
	check_bytes("[%d]", IMAGE_K_BOOL, 1, "\1", "[1]");
	check_bytes("[%5s]", IMAGE_K_BOOL, 1, "\1", "[ true]");
	check_bytes("[%s]", IMAGE_K_POINTER, 8, "\0\20\0\0\0\0\0\0", "[0x1000]");
	check_bytes("[%s]", IMAGE_K_INET, 20, "\2\0\0\0\177\0\0\1            ", "[127.0.0.1]");
	check_bytes("[%s]", IMAGE_K_INET, 20, "\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", "[::1]");
	check_bytes("[%s]", IMAGE_K_INET, 20, "\5\0\0\0\177\0\0\1            ", "[]");
	check_bytes("[%s]", IMAGE_K_MAC, 6, "\xaa\xbb\xcc\x01\x02\x03", "[AA:BB:CC:01:02:03]");
	check_bytes("[%s]", IMAGE_K_USERNAME, 8, "\0\0\0\0\0\0\0\0", "[root]");
	check_bytes("[%s]", IMAGE_K_PROBE, 4, "\0\0\0\0", "[interval:s:1]");
	check_bytes("[%s]", IMAGE_K_KSYM, 8, "\xd2\4\0\0\0\0\0\0", "[0x4d2]");
	check_bytes("[%s]", IMAGE_K_KSYM, 8, "\0\0\0\0\0\0\0\0", "[0]");
	check_bytes("[%s]", IMAGE_K_USYM, 16, "\xd2\4\0\0\0\0\0\0\xff\xff\xff\x7f\0\0\0\0",
		    "[0x4d2]");
	check_bytes("[%s]", IMAGE_K_DISK, 4, "\x05\0\xf0\x3f", "[1023:5]");
	check_bytes("[%s]", IMAGE_K_KSTACK, 8, "\7\0\0\0\0\0\0\0",
		    "[\n        0x1234\n        0xabcd\n]");
	check_bytes("[%s]", IMAGE_K_KSTACK, 8, "\xfe\xff\xff\xff\xff\xff\xff\xff", "[\n]");
	check_bytes("[%20s]", IMAGE_K_KSTACK, 8, "\xfe\xff\xff\xff\xff\xff\xff\xff",
		    "[                   \n]");
}

static void test_stack_modes(void **state)
{
	static const struct {
		uint32_t kind, size;
		int mode;
		const char *text;
	} rows[] = {
		{IMAGE_K_KSTACK, 8, IMAGE_STACK_PERF, "\n\t1234 0x1234\n\tabcd 0xabcd\n\n"},
		{IMAGE_K_KSTACK, 8, IMAGE_STACK_RAW, "\n1234\nabcd\n\n"},
		{IMAGE_K_USTACK, 16, IMAGE_STACK_PERF,
		 "\n\t1234 0x1234 ([unknown])\n\tabcd 0xabcd ([unknown])\n\n"},
		{IMAGE_K_USTACK, 16, IMAGE_STACK_BPFTRACE, "\n        0x1234\n        0xabcd\n\n"},
	};
	const uint64_t value[2] = {7, 0x7fffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		uint32_t t;

		begin(&f);
		t = type_args(&f, rows[i].kind, rows[i].size, 127, rows[i].mode, 0);
		ready(&f);
		output_value(f.o, t, value);
		expect(&f, rows[i].text);
		end(&f);
	}
}

static void test_several_arguments(void **state)
{
	struct fixture f;
	struct {
		int32_t a;
		char s[12];
		uint64_t b;
	} payload = {-3, "hello", 9};
	struct part parts[] = {{"", 0, 0}, {"", 0, 4}, {"", 0, 16}};
	char *text;

	(void)state;
	begin(&f);
	parts[0].type = type(&f, IMAGE_K_INT, 4, true);
	parts[1].type = type(&f, IMAGE_K_STRING, 12, false);
	parts[2].type = type(&f, IMAGE_K_INT, 8, false);
	action(&f, "%d|%-6s|%x\n", compound(&f, IMAGE_K_TUPLE, 24, parts, 3));
	action(&f, "no arguments: %d %%\n", IMAGE_NONE);
	ready(&f);
	output_printf(f.o, &f.img.actions[0], &payload);
	output_printf(f.o, &f.img.actions[1], NULL);
	expect(&f, "-3|hello |9\nno arguments: %d %\n");
	text = output_format(f.o, &f.img.actions[0], &payload);
	assert_string_equal(text, "-3|hello |9\n");
	free(text);
	end(&f);
}

/* ---- values ------------------------------------------------------------------------------ */

static void test_compounds(void **state)
{
	struct fixture f;
	struct {
		int32_t a;
		char s[4];
		int32_t arr[3];
		uint32_t bits;
	} value = {1, "x", {1, -2, 3}, 0x2d};
	uint32_t i32, u32, str, arr, tuple, outer, record, empty;
	struct image_type t = {.kind = IMAGE_K_ARRAY, .size = 12, .count = 3};

	(void)state;
	begin(&f);
	i32 = type(&f, IMAGE_K_INT, 4, true);
	u32 = type(&f, IMAGE_K_INT, 4, false);
	str = type(&f, IMAGE_K_STRING, 4, false);
	t.elem = i32;
	arr = image_add_type(f.b, &t);
	tuple = compound(&f, IMAGE_K_TUPLE, 8, (struct part[]){{"", i32, 0}, {"", str, 4}}, 2);
	outer = compound(&f, IMAGE_K_TUPLE, 24, (struct part[]){{"", i32, 0}, {"", tuple, 0}}, 2);
	record = compound(&f, IMAGE_K_STRUCT, 24,
			  (struct part[]){{"a", i32, 0},
					  {"s", str, 4},
					  {"arr", arr, 8},
					  {"lo", u32, 20, 0, 3},
					  {"hi", i32, 20, 3, 3}},
			  5);
	empty = compound(&f, IMAGE_K_STRUCT, 0, NULL, 0);
	ready(&f);
	output_value(f.o, outer, &value);
	output_value(f.o, record, &value);
	output_value(f.o, arr, value.arr);
	output_value(f.o, empty, &value);
	expect(&f, "(1, (1, x))\n"
		   "{ .a = 1, .s = x, .arr = [1,-2,3], .lo = 5, .hi = -3 }\n"
		   "[1,-2,3]\n"
		   "{}\n");
	end(&f);
}

static void test_enum(void **state)
{
	struct fixture f;
	struct image_enumerator e = {.value = 2};
	struct image_type t = {.kind = IMAGE_K_ENUM, .size = 4, .count = 1};
	uint32_t row;

	(void)state;
	begin(&f);
	e.name = image_add_string(f.b, "TWO");
	image_add_enumerator(f.b, &e);
	row = image_add_type(f.b, &t);
	action(&f, "%s %d\n",
	       compound(&f, IMAGE_K_TUPLE, 8, (struct part[]){{"", row, 0}, {"", row, 0}}, 2));
	ready(&f);
	output_value(f.o, row, &(uint32_t){2});
	output_value(f.o, row, &(uint32_t){7});
	output_printf(f.o, &f.img.actions[0], &(uint64_t){2});
	expect(&f, "TWO\n7\nTWO 2\n");
	end(&f);
}

static void test_timestamp(void **state)
{
	struct fixture f;
	struct image_type t = {
		.kind = IMAGE_K_TIMESTAMP, .size = 8, .arg = {IMAGE_CLOCK_MONOTONIC}};
	uint32_t row;
	struct timespec real, mono;
	char want[64];

	(void)state;
	begin(&f);
	t.name = image_add_string(f.b, "%s.%l %%f");
	row = image_add_type(f.b, &t);
	ready(&f);
	do { /* both readings well within one second */
		clock_gettime(CLOCK_REALTIME, &real);
		clock_gettime(CLOCK_MONOTONIC, &mono);
	} while (real.tv_nsec > 900000000 || real.tv_nsec < 100000000);
	output_value(f.o, row, &(uint64_t){mono.tv_sec * 1000000000ull + mono.tv_nsec});
	output_flush(f.o);
	fflush(f.file);
	snprintf(want, sizeof(want), "%lld.", (long long)real.tv_sec);
	assert_memory_equal(f.text, want, strlen(want));
	assert_string_equal(f.text + strlen(want) + 3, " %f\n");
	end(&f);
}

/* ---- maps -------------------------------------------------------------------------------- */

static void test_map_order(void **state)
{
	struct fixture f;
	int64_t keys[] = {1, 2, -3, 4}, values[] = {-5, 3, 100000, -5};
	struct output_elem e[4];
	uint32_t i64, u64, str, by_value, unsigned_value, by_key;
	char strings[4][8] = {"a", "b", "c", "d"};

	(void)state;
	begin(&f);
	i64 = type(&f, IMAGE_K_INT, 8, true);
	u64 = type(&f, IMAGE_K_INT, 8, false);
	str = type(&f, IMAGE_K_STRING, 8, false);
	by_value = map(&f, "v", i64, i64, 0);
	unsigned_value = map(&f, "u", i64, u64, 0);
	by_key = map(&f, "k", i64, str, 0);
	ready(&f);
	for (int i = 0; i < 4; i++)
		e[i] = (struct output_elem){&keys[3 - i], &values[3 - i]};
	output_map(f.o, by_value, e, 4, 0, 0);
	expect(&f, "@v[1]: -5\n@v[4]: -5\n@v[2]: 3\n@v[-3]: 100000\n");
	output_map(f.o, unsigned_value, e, 4, 0, 0);
	expect(&f, "@u[2]: 3\n@u[-3]: 100000\n@u[1]: 18446744073709551611\n"
		   "@u[4]: 18446744073709551611\n");
	output_map(f.o, by_value, e, 4, 2, 0);
	expect(&f, "@v[2]: 3\n@v[-3]: 100000\n");
	output_map(f.o, by_value, e, 4, 0, 3);
	expect(&f, "@v[1]: -1\n@v[4]: -1\n@v[2]: 1\n@v[-3]: 33333\n");
	for (int i = 0; i < 4; i++)
		e[i] = (struct output_elem){&keys[i], strings[i]};
	output_map(f.o, by_key, e, 4, 0, 0);
	expect(&f, "@k[-3]: c\n@k[1]: a\n@k[2]: b\n@k[4]: d\n");
	output_map(f.o, by_key, e, 0, 0, 0);
	expect(&f, "");
	end(&f);
}

static void test_map_keys(void **state)
{
	struct fixture f;
	struct {
		int64_t a;
		char s[8];
	} keys[] = {{-1, "b"}, {1, "a"}, {-1, "a"}};
	uint8_t yes = 1;
	uint64_t stack = 7;
	struct output_elem e[3], one = {&stack, &yes};
	uint32_t i64, str, boolean, tuple, keyed, stacks, named;

	(void)state;
	begin(&f);
	i64 = type(&f, IMAGE_K_INT, 8, true);
	str = type(&f, IMAGE_K_STRING, 8, false);
	boolean = type(&f, IMAGE_K_BOOL, 1, false);
	tuple = compound(&f, IMAGE_K_TUPLE, 16, (struct part[]){{"", i64, 0}, {"", str, 8}}, 2);
	keyed = map(&f, "tk", tuple, boolean, 0);
	stacks = map(&f, "", type_args(&f, IMAGE_K_KSTACK, 8, 127, 0, 0), boolean, 0);
	named = map(&f, "name", str, boolean, 0);
	ready(&f);
	for (int i = 0; i < 3; i++)
		e[i] = (struct output_elem){&keys[i], &yes};
	output_map(f.o, keyed, e, 3, 0, 0);
	expect(&f, "@tk[-1, a]: true\n@tk[-1, b]: true\n@tk[1, a]: true\n");
	output_map(f.o, stacks, &one, 1, 0, 0);
	expect(&f, "@[\n        0x1234\n        0xabcd\n]: true\n");
	one.key = "(odd)\0\0";
	output_map(f.o, named, &one, 1, 0, 0);
	expect(&f, "@name[(odd)]: true\n");
	output_map_elem(f.o, keyed, &keys[0], &yes);
	expect(&f, "true\n");
	end(&f);
}

static void test_scalars(void **state)
{
	struct fixture f;
	int64_t v = -42;
	struct output_elem e = {NULL, &v};
	uint32_t i64, str, z, s;

	(void)state;
	begin(&f);
	i64 = type(&f, IMAGE_K_INT, 8, true);
	str = type(&f, IMAGE_K_STRING, 8, false);
	z = map(&f, "z", IMAGE_NONE, i64, 0);
	s = map(&f, "s", IMAGE_NONE, str, 0);
	ready(&f);
	output_map(f.o, z, &e, 1, 0, 0);
	output_map(f.o, z, &e, 0, 0, 0);
	output_map(f.o, s, &e, 0, 0, 0);
	expect(&f, "@z: -42\n@z: 0\n@s: \n");
	end(&f);
}

static void test_aggregations(void **state)
{
	struct fixture f;
	/* two CPUs each */
	int64_t count[] = {3, 4}, min[] = {-3, 1, -9, 0}, max[] = {5, 1, 9, 1},
		avg[] = {10, 1, -31, 2}, none[4] = {0};
	uint32_t c, mn, mx, a, st, us;
	struct output_elem e = {0};

	(void)state;
	begin(&f);
#define SCALAR(name, kind, size, is_signed)                                                        \
	map(&f, name, IMAGE_NONE, type(&f, kind, size, is_signed), IMAGE_MAP_PERCPU)
	c = SCALAR("c", IMAGE_K_COUNT, 8, false);
	mn = SCALAR("min", IMAGE_K_MIN, 16, true);
	mx = SCALAR("max", IMAGE_K_MAX, 16, true);
	a = SCALAR("avg", IMAGE_K_AVG, 16, true);
	st = SCALAR("st", IMAGE_K_STATS, 16, true);
	us = SCALAR("us", IMAGE_K_SUM, 8, false);
	ready(&f);
	e.value = count;
	output_map(f.o, c, &e, 1, 0, 0);
	e.value = min; /* the second CPU has no value */
	output_map(f.o, mn, &e, 1, 0, 0);
	e.value = max;
	output_map(f.o, mx, &e, 1, 0, 2);
	e.value = avg;
	output_map(f.o, a, &e, 1, 0, 0);
	output_map(f.o, st, &e, 1, 0, 0);
	output_map(f.o, st, &e, 1, 0, 3);
	e.value = none;
	output_map(f.o, st, &e, 1, 0, 0);
	output_map(f.o, a, &e, 0, 0, 0);
	e.value = (int64_t[]){-2, 1};
	output_map(f.o, us, &e, 1, 0, 0);
	expect(&f, "@c: 7\n@min: -3\n@max: 4\n@avg: -7\n"
		   "@st: { .count = 3, .average = -7, .total = -21 }\n"
		   "@st: { .count = 3, .average = -2, .total = -21 }\n"
		   "@st: { .count = 0, .average = 0, .total = 0 }\n"
		   "@avg: 0\n@us: 18446744073709551615\n");
	end(&f);
}

static void test_aggregation_order(void **state)
{
	struct fixture f;
	int64_t mins[][4] = {{-5, 1}, {3, 1}, {-7, 1}},
		avgs[][4] = {{7, 1}, {-5, 1}, {30, 3, 2, 1}};
	struct output_elem e[3], g[3];
	uint32_t str, mn, av;

	(void)state;
	begin(&f);
	str = type(&f, IMAGE_K_STRING, 2, false);
	mn = map(&f, "mm", str, type(&f, IMAGE_K_MIN, 16, true), IMAGE_MAP_PERCPU);
	av = map(&f, "av", str, type(&f, IMAGE_K_AVG, 16, true), IMAGE_MAP_PERCPU);
	ready(&f);
	for (int i = 0; i < 3; i++) {
		e[i] = (struct output_elem){&"a\0b\0c"[i * 2], mins[i]};
		g[i] = (struct output_elem){&"a\0b\0c"[i * 2], avgs[i]};
	}
	output_map(f.o, mn, e, 3, 0, 0);
	output_map(f.o, av, g, 3, 0, 0);
	expect(&f, "@mm[c]: -7\n@mm[a]: -5\n@mm[b]: 3\n@av[b]: -5\n@av[a]: 7\n@av[c]: 8\n");
	end(&f);
}

/* ---- histograms --------------------------------------------------------------------------- */

#define FULL  "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"
#define HALF  "@@@@@@@@@@@@@@@@@@@@@@@@@@                          "
#define EMPTY "                                                    "

static void check_hist(unsigned bits, const int64_t *values, size_t n, uint64_t divisor,
		       const char *text)
{
	struct fixture f;
	uint32_t nbuckets = image_hist_buckets(bits);
	uint64_t *buckets = calloc((size_t)nbuckets * NCPUS, 8);
	struct output_elem e = {NULL, buckets};
	uint32_t m;

	for (size_t i = 0; i < n; i++) /* on both CPUs in turn */
		buckets[image_hist_bucket(values[i], bits) + (i % NCPUS) * nbuckets]++;
	begin(&f);
	m = map(&f, "h", IMAGE_NONE, type_args(&f, IMAGE_K_HIST, nbuckets * 8, bits, 0, 0),
		IMAGE_MAP_PERCPU);
	ready(&f);
	output_map(f.o, m, &e, 1, 0, divisor);
	expect(&f, text);
	end(&f);
	free(buckets);
}

static void test_hist(void **state)
{
	static const int64_t spread[] = {5, 1, 0, -4, 2048}, big[] = {INT64_MAX};
	static const int64_t kilo[] = {512 << 10, 1 << 20, 3 << 20}, few[] = {5, 5, 1};
	static const int64_t one_bit[] = {3, 5, 6, 768, 513}, two_bits[] = {3, 4, 9, 1500};

	(void)state;
	check_hist(0, spread, 5, 0,
		   "@h:\n"
		   "(..., 0)               1 |" FULL "|\n"
		   "[0]                    1 |" FULL "|\n"
		   "[1]                    1 |" FULL "|\n"
		   "[2, 4)                 0 |" EMPTY "|\n"
		   "[4, 8)                 1 |" FULL "|\n"
		   "[8, 16)                0 |" EMPTY "|\n"
		   "[16, 32)               0 |" EMPTY "|\n"
		   "[32, 64)               0 |" EMPTY "|\n"
		   "[64, 128)              0 |" EMPTY "|\n"
		   "[128, 256)             0 |" EMPTY "|\n"
		   "[256, 512)             0 |" EMPTY "|\n"
		   "[512, 1K)              0 |" EMPTY "|\n"
		   "[1K, 2K)               0 |" EMPTY "|\n"
		   "[2K, 4K)               1 |" FULL "|\n\n");
	check_hist(0, kilo, 3, 0,
		   "@h:\n"
		   "[512K, 1M)             1 |" FULL "|\n"
		   "[1M, 2M)               1 |" FULL "|\n"
		   "[2M, 4M)               1 |" FULL "|\n\n");
	check_hist(0, big, 1, 0, "@h:\n[4E, 8E)               1 |" FULL "|\n\n");
	check_hist(0, few, 3, 0,
		   "@h:\n"
		   "[1]                    1 |" HALF "|\n"
		   "[2, 4)                 0 |" EMPTY "|\n"
		   "[4, 8)                 2 |" FULL "|\n\n");
	check_hist(0, few, 3, 2,
		   "@h:\n"
		   "[1]                    0 |" EMPTY "|\n"
		   "[2, 4)                 0 |" EMPTY "|\n"
		   "[4, 8)                 1 |" FULL "|\n\n");
	check_hist(1, one_bit, 3, 0,
		   "@h:\n"
		   "[3]                    1 |" FULL "|\n"
		   "[4, 6)                 1 |" FULL "|\n"
		   "[6, 8)                 1 |" FULL "|\n\n");
	check_hist(1, one_bit + 3, 2, 0,
		   "@h:\n"
		   "[512, 768)             1 |" FULL "|\n"
		   "[768, 1024)            1 |" FULL "|\n\n");
	check_hist(2, two_bits, 2, 0,
		   "@h:\n[3]                    1 |" FULL "|\n[4]                    1 |" FULL
		   "|\n\n");
	check_hist(2, two_bits + 3, 1, 0, "@h:\n[1280, 1536)           1 |" FULL "|\n\n");
	check_hist(5, (int64_t[]){63, 66}, 2, 0,
		   "@h:\n"
		   "[63]                   1 |" FULL "|\n"
		   "[64, 66)               0 |" EMPTY "|\n"
		   "[66, 68)               1 |" FULL "|\n\n");
	check_hist(0, NULL, 0, 0, "@h:\n\n"); /* emptied by zero() */
}

static void check_lhist(int64_t min, int64_t max, int64_t step, const int64_t *values, size_t n,
			const char *text)
{
	struct fixture f;
	uint32_t nbuckets = image_lhist_buckets(min, max, step);
	uint64_t *buckets = calloc((size_t)nbuckets * NCPUS, 8);
	struct output_elem e = {"k", buckets};
	uint32_t m;

	for (size_t i = 0; i < n; i++)
		buckets[image_lhist_bucket(values[i], min, max, step)]++;
	begin(&f);
	m = map(&f, "l", type(&f, IMAGE_K_STRING, 2, false),
		type_args(&f, IMAGE_K_LHIST, nbuckets * 8, min, max, step), IMAGE_MAP_PERCPU);
	ready(&f);
	output_map(f.o, m, &e, 1, 0, 7); /* the divisor says nothing here */
	expect(&f, text);
	end(&f);
	free(buckets);
}

static void test_lhist(void **state)
{
	(void)state;
	check_lhist(0, 30, 10, (int64_t[]){5, -5, 105}, 3,
		    "@l[k]:\n"
		    "(..., 0)               1 |" FULL "|\n"
		    "[0, 10)                1 |" FULL "|\n"
		    "[10, 20)               0 |" EMPTY "|\n"
		    "[20, 30)               0 |" EMPTY "|\n"
		    "[30, ...)              1 |" FULL "|\n\n");
	check_lhist(0, 10240, 1024, (int64_t[]){8200, 20000}, 2,
		    "@l[k]:\n"
		    "[8K, 9K)               1 |" FULL "|\n"
		    "[9K, 10K)              0 |" EMPTY "|\n"
		    "[10K, ...)             1 |" FULL "|\n\n");
	check_lhist(
		0, 15, 10, (int64_t[]){5, 13, 17, 21}, 4,
		"@l[k]:\n"
		"[0, 10)                1 |@@@@@@@@@@@@@@@@@                                   |\n"
		"[10, ...)              3 |" FULL "|\n\n");
	check_lhist(2, 10, 1, (int64_t[]){3, 1}, 2,
		    "@l[k]:\n"
		    "(..., 2)               1 |" FULL "|\n"
		    "[2]                    0 |" EMPTY "|\n"
		    "[3]                    1 |" FULL "|\n\n");
	check_lhist(0, 100, 10, (int64_t[]){200}, 1,
		    "@l[k]:\n[100, ...)             1 |" FULL "|\n\n");
}

/* ---- writing -------------------------------------------------------------------------------- */

/* ---- time series -------------------------------------------------------------------------- */

/* Two intervals of a second, recorded on both CPUs; the row of the newer one. */
static void check_tseries(enum image_tseries_agg agg, const struct image_tseries_slot *slots,
			  const char *row)
{
	struct output_elem e = {NULL, slots};
	const int64_t second = 1000000000;
	struct fixture f;
	uint32_t m;

	begin(&f);
	m = map(&f, "t", IMAGE_NONE,
		type_args(&f, IMAGE_K_TSERIES, image_tseries_size(second, 2), second, 2, agg),
		IMAGE_MAP_PERCPU);
	ready(&f);
	output_map(f.o, m, &e, 1, 0, 0);
	assert_int_equal(output_flush(f.o), 0);
	fflush(f.file);
	if (!strstr(f.text, row))
		fail_msg("no '%s' in:\n%s", row, f.text);
	end(&f);
}

static void test_tseries(void **state)
{
	/* interval 9 (epoch 10, slot 1) on both CPUs; slot 0 is of different rounds */
	const struct image_tseries_slot both[2 * NCPUS] = {
		{1, 1, 9}, {10, 5, 10}, {2, 1, 7}, {4, 3, 10}};
	/* the second CPU has not come to interval 9 yet */
	const struct image_tseries_slot one[2 * NCPUS] = {
		{1, 1, 9}, {10, 5, 10}, {2, 1, 9}, {400, 3, 8}};

	(void)state;
	check_tseries(IMAGE_TSERIES_LAST, both, "* 10\n");
	check_tseries(IMAGE_TSERIES_AVG, both, "| 1\n");
	check_tseries(IMAGE_TSERIES_MAX, both, "* 10\n");
	check_tseries(IMAGE_TSERIES_MIN, both, "* 4\n");
	check_tseries(IMAGE_TSERIES_SUM, both, "* 14\n");
	check_tseries(IMAGE_TSERIES_SUM, one, "* 10\n");
	check_tseries(IMAGE_TSERIES_SUM, one,
		      "*                                                   | 3\n");
	assert_int_equal(image_tseries_size(0, 5), 0);
	assert_int_equal(image_tseries_size(1, IMAGE_TSERIES_MAX_INTERVALS + 1), 0);
}

static void test_buffering(void **state)
{
	static const struct {
		enum output_buffering mode;
		const char *at_once, *when_idle;
	} rows[] = {{OUTPUT_NONE, "x\n", "x\n"}, {OUTPUT_LINE, "", "x\n"}, {OUTPUT_FULL, "", ""}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fixture f;

		begin(&f);
		ready_with(&f, rows[i].mode);
		fflush(f.file);
		output_text(f.o, OUTPUT_CAT, "x\n", 2);
		assert_string_equal(f.text, rows[i].at_once);
		output_idle(f.o);
		assert_string_equal(f.text, rows[i].when_idle);
		expect(&f, "x\n");
		end(&f);
	}
}

static void test_long_output(void **state)
{
	struct fixture f;
	size_t size = 3u << 20;
	char *big = malloc(size + 1);

	(void)state;
	memset(big, 'x', size);
	big[size] = 0;
	begin(&f);
	ready(&f);
	output_text(f.o, OUTPUT_CAT, "a", 1);
	for (size_t i = 0; i < size; i += 1000)
		output_text(f.o, OUTPUT_CAT, big + i, size - i < 1000 ? size - i : 1000);
	output_text(f.o, OUTPUT_CAT, big, size);
	output_flush(f.o);
	fflush(f.file);
	assert_int_equal(f.size, 2 * size + 1);
	end(&f);
	free(big);
}

static void test_full_disk(void **state)
{
	struct output_opts opts = {.file = fopen("/dev/full", "w"), .ncpus = 1};
	struct fixture f;
	struct output *o;

	(void)state;
	begin(&f);
	ready(&f);
	o = output_new(&f.img, f.sym, &opts);
	output_text(o, OUTPUT_CAT, "x\n", 2);
	assert_int_equal(output_error(o), 0); /* nothing was written yet */
	assert_int_equal(output_flush(o), -28);
	output_text(o, OUTPUT_CAT, "y\n", 2);
	assert_int_equal(output_flush(o), -28); /* it stays said */
	output_free(o);
	opts.format = "yaml";
	assert_null(output_new(&f.img, f.sym, &opts));
	fclose(opts.file);
	end(&f);
}

/* At once with what follows, so that the screen is never seen empty. */
static void test_screen(void **state)
{
	struct fixture f;
	uint32_t t;

	(void)state;
	begin(&f);
	f.terminal = true;
	t = type(&f, IMAGE_K_INT, 8, true);
	ready(&f);
	output_screen(f.o);
	output_idle(f.o);
	fflush(f.file);
	assert_int_equal(f.size, 0);
	output_value(f.o, t, &(int64_t){7});
	output_idle(f.o);
	fflush(f.file);
	assert_string_equal(f.text, "\033[H\033[J7\n");
	end(&f);

	begin(&f);
	ready(&f);
	output_screen(f.o);
	expect(&f, "\n");
	end(&f);
}

/* What the files say when it is shown, not when it was sent. */
static void test_machine(void **state)
{
	struct symbols_options o = {.cache = SYMBOLS_CACHE_PER_PID};
	char dir[] = "/tmp/btrun-proc-XXXXXX", path[64];
	struct symbols *s;
	uint64_t v;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	o.proc = dir;
	s = symbols_new(&o);
	assert_string_equal(symbols_loadavg(s), "");
	assert_false(symbols_meminfo(s, "Buffers", &v));
	snprintf(path, sizeof(path), "%s/loadavg", dir);
	file = fopen(path, "w");
	fputs("0.12 0.30 0.22 1/123 4567\n", file);
	fclose(file);
	assert_string_equal(symbols_loadavg(s), "0.12 0.30 0.22 1/123 4567");
	unlink(path);
	snprintf(path, sizeof(path), "%s/meminfo", dir);
	file = fopen(path, "w");
	fputs("MemTotal:       16384 kB\nBuffersX: 1 kB\nBuffers:  10 kB\nHugePages_Total: 3\n",
	      file);
	fclose(file);
	assert_true(symbols_meminfo(s, "Buffers", &v));
	assert_int_equal(v, 10240);
	assert_true(symbols_meminfo(s, "HugePages_Total", &v));
	assert_int_equal(v, 3);
	assert_false(symbols_meminfo(s, "Buff", &v));
	assert_int_equal(v, 0);
	unlink(path);
	rmdir(dir);
	symbols_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_printf_integers),
		cmocka_unit_test(test_printf_against_c),
		cmocka_unit_test(test_printf_strings),
		cmocka_unit_test(test_stack_modes),
		cmocka_unit_test(test_several_arguments),
		cmocka_unit_test(test_compounds),
		cmocka_unit_test(test_enum),
		cmocka_unit_test(test_timestamp),
		cmocka_unit_test(test_map_order),
		cmocka_unit_test(test_map_keys),
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_aggregations),
		cmocka_unit_test(test_aggregation_order),
		cmocka_unit_test(test_hist),
		cmocka_unit_test(test_lhist),
		cmocka_unit_test(test_tseries),
		cmocka_unit_test(test_buffering),
		cmocka_unit_test(test_long_output),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
