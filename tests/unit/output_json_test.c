/* SPDX-License-Identifier: Apache-2.0 */
/* JSON to the letter; what is compared with stems from bpftrace 0.27, run on the same values. */
#include "output_fixture.h"

static void begin_json(struct fixture *f)
{
	begin(f);
	f->format = "json";
}

/* ---- strings ------------------------------------------------------------------------- */

static void check_string(const char *text, const char *json)
{
	char want[256], value[64] = {0};
	struct fixture f;
	uint32_t t;

	begin_json(&f);
	t = type(&f, IMAGE_K_STRING, sizeof(value), false);
	ready(&f);
	memcpy(value, text, strlen(text));
	output_value(f.o, t, value);
	snprintf(want, sizeof(want), "{\"type\": \"value\", \"data\": \"%s\"}\n", json);
	expect(&f, want);
	end(&f);
}

static void test_escapes(void **state)
{
	(void)state;
	check_string("", "");
	check_string("plain", "plain");
	check_string("a\"b\\c", "a\\\"b\\\\c");
	check_string("\t\n\r", "\\t\\n\\r");
	check_string("\x01\x1f\b", "\\u0001\\u001f\\u0008");
	check_string("\x7f", "\x7f");
}

static void test_utf8(void **state)
{
	(void)state;
	check_string("\xc3\xa9", "\xc3\xa9");
	check_string("\xe2\x82\xac.", "\xe2\x82\xac.");
	check_string("\xf0\x9f\x90\x9d", "\xf0\x9f\x90\x9d");
	/* cut, too long for what it says, half of a pair, beyond the last */
	check_string("a\xc3", "a\\ufffd");
	check_string("\xe2\x82", "\\ufffd\\ufffd");
	check_string("\xc0\xaf", "\\ufffd\\ufffd");
	check_string("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd");
	check_string("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
	check_string("\xff\xfe", "\\ufffd\\ufffd");
}

/* ---- values -------------------------------------------------------------------------- */

static void check_int(int64_t v, bool is_signed, const char *json)
{
	struct fixture f;
	char want[128];
	uint32_t t;

	begin_json(&f);
	t = type(&f, IMAGE_K_INT, 8, is_signed);
	ready(&f);
	output_value(f.o, t, &v);
	snprintf(want, sizeof(want), "{\"type\": \"value\", \"data\": %s}\n", json);
	expect(&f, want);
	end(&f);
}

/* What a double cannot hold is a string. */
static void test_integers(void **state)
{
	(void)state;
	check_int(0, true, "0");
	check_int(-1, true, "-1");
	check_int(-1, false, "\"18446744073709551615\"");
	check_int(1ll << 53, true, "9007199254740992");
	check_int((1ll << 53) + 1, true, "\"9007199254740993\"");
	check_int(-(1ll << 53) - 1, true, "\"-9007199254740993\"");
	check_int((1ll << 53) + 2, true, "9007199254740994");
	check_int(INT64_MIN, true, "-9223372036854775808");
	check_int(INT64_MAX, true, "\"9223372036854775807\"");
}

static void test_compounds(void **state)
{
	struct {
		int32_t a;
		char s[4];
		int32_t arr[3];
		uint32_t bits;
	} value = {1, "\"", {1, -2, 3}, 0x2d};
	struct image_type t = {.kind = IMAGE_K_ARRAY, .size = 12, .count = 3};
	uint32_t i32, u32, str, boolean, arr, tuple, record, empty, nothing;
	struct fixture f;

	(void)state;
	begin_json(&f);
	i32 = type(&f, IMAGE_K_INT, 4, true);
	u32 = type(&f, IMAGE_K_INT, 4, false);
	str = type(&f, IMAGE_K_STRING, 4, false);
	boolean = type(&f, IMAGE_K_BOOL, 1, false);
	nothing = type(&f, IMAGE_K_VOID, 4, false);
	t.elem = i32;
	arr = image_add_type(f.b, &t);
	tuple = compound(&f, IMAGE_K_TUPLE, 8,
			 (struct part[]){{"", i32, 0}, {"", boolean, 0}, {"", str, 4}}, 3);
	record = compound(&f, IMAGE_K_STRUCT, 24,
			  (struct part[]){{"a", tuple, 0},
					  {"arr", arr, 8},
					  {"lo", u32, 20, 0, 3},
					  {"hi", i32, 20, 3, 3},
					  {"f", nothing, 20}},
			  5);
	empty = compound(&f, IMAGE_K_RECORD, 0, NULL, 0);
	ready(&f);
	output_value(f.o, record, &value);
	output_value(f.o, empty, &value);
	expect(&f, "{\"type\": \"value\", \"data\": {\"a\": [1,true,\"\\\"\"], \"arr\": [1,-2,3], "
		   "\"lo\": 5, \"hi\": -3, \"f\": null}}\n"
		   "{\"type\": \"value\", \"data\": {}}\n");
	end(&f);
}

/* Enumerators are numbers, unlike in text; addresses too; bytes are signed, as char is. */
static void test_numbers_of_a_kind(void **state)
{
	const uint8_t buffer[12] = {3, 0, 0, 0, 'a', 0, 0xff, 'x'};
	struct image_type t = {.kind = IMAGE_K_ENUM, .size = 4, .count = 1};
	struct image_enumerator e = {.value = 2};
	uint32_t enumeration, pointer, bytes;
	struct fixture f;

	(void)state;
	begin_json(&f);
	e.name = image_add_string(f.b, "TWO");
	image_add_enumerator(f.b, &e);
	enumeration = image_add_type(f.b, &t);
	pointer = type(&f, IMAGE_K_POINTER, 8, false);
	bytes = type(&f, IMAGE_K_BUFFER, 12, false);
	ready(&f);
	output_value(f.o, enumeration, &(uint32_t){2});
	output_value(f.o, pointer, &(uint64_t){0x32});
	output_value(f.o, bytes, buffer);
	expect(&f, "{\"type\": \"value\", \"data\": 2}\n"
		   "{\"type\": \"value\", \"data\": 50}\n"
		   "{\"type\": \"value\", \"data\": [97,0,-1]}\n");
	end(&f);
}

/* What has no form of its own is its text. */
static void test_names(void **state)
{
	const uint64_t stack[2] = {7, 0x7fffffff};
	uint32_t ustack, mac, probe;
	struct fixture f;

	(void)state;
	begin_json(&f);
	ustack = type_args(&f, IMAGE_K_USTACK, 16, 127, IMAGE_STACK_BPFTRACE, 0);
	mac = type(&f, IMAGE_K_MAC, 6, false);
	probe = type(&f, IMAGE_K_PROBE, 4, false);
	ready(&f);
	output_value(f.o, ustack, stack);
	output_value(f.o, mac, "\x00\x1b\x44\x11\x3a\xb7");
	output_value(f.o, probe, &(uint32_t){0});
	expect(&f, "{\"type\": \"value\", \"data\": \"\\n        0x1234\\n        0xabcd\\n\"}\n"
		   "{\"type\": \"value\", \"data\": \"00:1B:44:11:3A:B7\"}\n"
		   "{\"type\": \"value\", \"data\": \"interval:s:1\"}\n");
	end(&f);
}

/* ---- maps ------------------------------------------------------------------------------ */

static void test_keys(void **state)
{
	struct {
		int32_t n;
		char s[4];
	} keys[] = {{1, "a b"}, {2, "\""}};
	const int64_t values[] = {10, 20};
	struct output_elem elems[] = {{&keys[0], &values[0]}, {&keys[1], &values[1]}};
	uint32_t i32, i64, str, tuple, nested, record, m[3];
	struct fixture f;

	(void)state;
	begin_json(&f);
	i32 = type(&f, IMAGE_K_INT, 4, true);
	i64 = type(&f, IMAGE_K_INT, 8, true);
	str = type(&f, IMAGE_K_STRING, 4, false);
	tuple = compound(&f, IMAGE_K_TUPLE, 8, (struct part[]){{"", i32, 0}, {"", str, 4}}, 2);
	nested = compound(&f, IMAGE_K_TUPLE, 8, (struct part[]){{"", tuple, 0}, {"", i32, 0}}, 2);
	record = compound(&f, IMAGE_K_RECORD, 8, (struct part[]){{"n", i32, 0}, {"s", str, 4}}, 2);
	m[0] = map(&f, "t", tuple, i64, 0);
	m[1] = map(&f, "", nested, i64, 0);
	m[2] = map(&f, "r", record, i64, 0);
	ready(&f);
	output_map(f.o, m[0], elems, 2, 0, 0);
	output_map(f.o, m[1], elems, 1, 0, 0);
	output_map(f.o, m[2], elems, 2, 1, 4);
	expect(&f, "{\"type\": \"map\", \"data\": {\"@t\": {\"1,a b\": 10, \"2,\\\"\": 20}}}\n"
		   "{\"type\": \"map\", \"data\": {\"@\": {\"(1,a b),1\": 10}}}\n"
		   "{\"type\": \"map\", \"data\": {\"@r\": {\"{.n=2,.s=\\\"}\": 5}}}\n");
	end(&f);
}

static void test_key_of_frames(void **state)
{
	const int64_t stack = 7, value = 1;
	struct output_elem elem = {.key = &stack, .value = &value};
	struct fixture f;
	uint32_t m;

	(void)state;
	begin_json(&f);
	m = map(&f, "s", type_args(&f, IMAGE_K_KSTACK, 8, 127, IMAGE_STACK_BPFTRACE, 0),
		type(&f, IMAGE_K_INT, 8, true), 0);
	ready(&f);
	output_map(f.o, m, &elem, 1, 0, 0);
	expect(&f, "{\"type\": \"map\", \"data\": {\"@s\": {\"\\n0x1234\\n0xabcd\\n\": 1}}}\n");
	end(&f);
}

static void test_aggregations(void **state)
{
	static const struct {
		uint32_t kind;
		const char *json;
	} rows[] = {
		{IMAGE_K_SUM, "{\"type\": \"map\", \"data\": {\"@m\": -1}}\n"},
		{IMAGE_K_MIN, "{\"type\": \"map\", \"data\": {\"@m\": -5}}\n"},
		{IMAGE_K_MAX, "{\"type\": \"map\", \"data\": {\"@m\": 4}}\n"},
		{IMAGE_K_AVG, "{\"type\": \"stats\", \"data\": {\"@m\": 0}}\n"},
		{IMAGE_K_STATS, "{\"type\": \"stats\", \"data\": "
				"{\"@m\": {\"count\": 3, \"average\": 0, \"total\": -1}}}\n"},
	};
	const int64_t cpus[NCPUS][2] = {{4, 1}, {-5, 2}};
	const int64_t single[NCPUS] = {4, -5};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool small = rows[i].kind == IMAGE_K_SUM;
		struct output_elem elem = {.value = small ? (void *)single : (void *)cpus};
		struct fixture f;
		uint32_t m;

		begin_json(&f);
		m = map(&f, "m", IMAGE_NONE, type(&f, rows[i].kind, small ? 8 : 16, true),
			IMAGE_MAP_PERCPU);
		ready(&f);
		output_map(f.o, m, &elem, 1, 0, 0);
		expect(&f, rows[i].json);
		end(&f);
	}
}

static void set(uint64_t *buckets, unsigned bits, int64_t v, uint64_t count)
{
	buckets[image_hist_bucket(v, bits)] = count;
}

static void test_hist(void **state)
{
	uint64_t *buckets = calloc(NCPUS * image_hist_buckets(0), 8);
	struct output_elem elem = {.key = &(int64_t){1}, .value = buckets};
	uint32_t m, h;
	struct fixture f;

	(void)state;
	begin_json(&f);
	h = type(&f, IMAGE_K_HIST, image_hist_buckets(0) * 8, false);
	m = map(&f, "h", type(&f, IMAGE_K_INT, 8, true), h, IMAGE_MAP_PERCPU);
	ready(&f);
	output_map(f.o, m, &elem, 1, 0, 0);
	set(buckets, 0, -3, 1);
	set(buckets, 0, 2, 4);
	output_map(f.o, m, &elem, 1, 0, 2);
	memset(buckets, 0, image_hist_buckets(0) * 8);
	set(buckets, 0, INT64_MAX, 1);
	output_map(f.o, m, &elem, 1, 0, 0);
	expect(&f,
	       "{\"type\": \"hist\", \"data\": {\"@h\": {\"1\": []}}}\n"
	       "{\"type\": \"hist\", \"data\": {\"@h\": {\"1\": [{\"max\": -1, \"count\": 0},"
	       "{\"min\": 0, \"max\": 0, \"count\": 0},{\"min\": 1, \"max\": 1, \"count\": 0},"
	       "{\"min\": 2, \"max\": 3, \"count\": 2}]}}}\n"
	       "{\"type\": \"hist\", \"data\": {\"@h\": {\"1\": [{\"min\": 4611686018427387904, "
	       "\"max\": \"9223372036854775807\", \"count\": 1}]}}}\n");
	end(&f);
	free(buckets);
}

static void test_lhist(void **state)
{
	uint64_t buckets[NCPUS][6] = {{1, 2, 0, 0, 0, 5}};
	struct output_elem elem = {.value = buckets};
	struct fixture f;
	uint32_t m;

	(void)state;
	begin_json(&f);
	m = map(&f, "l", IMAGE_NONE, type_args(&f, IMAGE_K_LHIST, 48, -10, 10, 5),
		IMAGE_MAP_PERCPU);
	ready(&f);
	output_map(f.o, m, &elem, 1, 0, 2);
	expect(&f,
	       "{\"type\": \"hist\", \"data\": {\"@l\": [{\"max\": -11, \"count\": 1},"
	       "{\"min\": -10, \"max\": -6, \"count\": 2},{\"min\": -5, \"max\": -1, \"count\": 0},"
	       "{\"min\": 0, \"max\": 4, \"count\": 0},{\"min\": 5, \"max\": 9, \"count\": 0},"
	       "{\"min\": 10, \"count\": 5}]}}\n");
	end(&f);
}

/* ---- everything else ---------------------------------------------------------------------- */

static void test_printf(void **state)
{
	struct part part = {"", 0, 0};
	struct fixture f;

	(void)state;
	begin_json(&f);
	part.type = type(&f, IMAGE_K_INT, 8, true);
	action(&f, "a \"%5d\"\n", compound(&f, IMAGE_K_TUPLE, 8, &part, 1));
	ready(&f);
	output_printf(f.o, &f.img.actions[0], &(int64_t){-3});
	expect(&f, "{\"type\": \"printf\", \"data\": \"a \\\"   -3\\\"\\n\"}\n");
	end(&f);
}

static void test_texts(void **state)
{
	struct fixture f;

	(void)state;
	begin_json(&f);
	ready(&f);
	output_text(f.o, OUTPUT_TIME, "12:00\n", 6);
	output_text(f.o, OUTPUT_JOIN, "a b", 3);
	output_text_begin(f.o, OUTPUT_SYSTEM);
	output_text_more(f.o, OUTPUT_SYSTEM, "o\n", 2);
	output_text_more(f.o, OUTPUT_SYSTEM, "k\n", 2);
	output_text_end(f.o, OUTPUT_SYSTEM);
	output_text(f.o, OUTPUT_CAT, "", 0);
	output_end(f.o);
	expect(&f, "{\"type\": \"time\", \"data\": \"12:00\\n\"}\n"
		   "{\"type\": \"join\", \"data\": \"a b\"}\n"
		   "{\"type\": \"syscall\", \"data\": \"o\\nk\\n\"}\n"
		   "{\"type\": \"cat\", \"data\": \"\"}\n");
	end(&f);
}

static void test_messages(void **state)
{
	const struct output_message said = {
		.kind = OUTPUT_WARNF, .where = "a:b.bt:12:7-9", .quote = "x", .text = "so\n"};
	const struct output_message failed = {.kind = OUTPUT_HELPER_ERROR,
					      .where = "stdin:1:87-90",
					      .quote = "",
					      .text = "Bad address",
					      .helper = "probe_read_user",
					      .retcode = -14};
	const struct output_message unplaced = {
		.kind = OUTPUT_RUNTIME_ERROR, .where = "", .quote = "", .text = "no"};
	struct fixture f;

	(void)state;
	begin_json(&f);
	ready(&f);
	output_message(f.o, &said);
	output_message(f.o, &failed);
	output_message(f.o, &unplaced);
	expect(&f,
	       "{\"type\": \"warnf\", \"msg\": \"so\\n\", \"filename\": \"a:b.bt\", \"line\": 12, "
	       "\"col\": 7}\n"
	       "{\"type\": \"helper_error\", \"msg\": \"Bad address\", \"helper\": "
	       "\"probe_read_user\", \"retcode\": -14, \"filename\": \"stdin\", \"line\": 1, "
	       "\"col\": 87}\n"
	       "{\"type\": \"runtime_error\", \"msg\": \"no\"}\n");
	end(&f);
}

static void test_counts(void **state)
{
	const struct output_loss loss = {
		.type = "lost_updates", .what = "@a", .count = 3, .text = "not shown"};
	struct fixture f;

	(void)state;
	begin_json(&f);
	ready(&f);
	output_attached(f.o, 2);
	output_lost(f.o, 7);
	output_loss(f.o, &loss);
	expect(&f, "{\"type\": \"attached_probes\", \"count\": 2, \"data\": {\"probes\": 2}}\n"
		   "{\"type\": \"lost_events\", \"count\": 7, \"data\": {\"events\": 7}}\n"
		   "{\"type\": \"lost_updates\", \"count\": 3, \"data\": {\"@a\": 3}}\n");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_compounds),
		cmocka_unit_test(test_numbers_of_a_kind),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_key_of_frames),
		cmocka_unit_test(test_aggregations),
		cmocka_unit_test(test_hist),
		cmocka_unit_test(test_lhist),
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
