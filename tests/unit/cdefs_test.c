/* SPDX-License-Identifier: Apache-2.0 */
/* The C reader, against the layouts that the C compiler gives the same definitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "types/cdefs.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

/* The same text for the compiler and for the reader. */
#define BOTH(...)                                                                                  \
	__VA_ARGS__                                                                                \
	static const char layout_text[] = #__VA_ARGS__;

BOTH(
	enum color{RED, GREEN = 7, BLUE}; enum sign{MINUS = -3, PLUS = 3};
	enum wide{WIDE = 0x100000000}; struct inner {
		char c;
		short s;
	};
	union either {
		int i;
		char text[6];
		double d;
	};
	struct outer {
		char first;
		int number;
		struct inner in;
		struct inner ins[3];
		union either u;
		struct {
			char hidden;
			union {
				long deep;
				int shallow[2];
			};
		};
		struct {
			unsigned char x;
		} named;
		char text[5];
		signed char octets[3];
		unsigned char raw[3];
		short matrix[2][3];
		void *any;
		struct outer *next;
		struct elsewhere *other;
		int (*call)(int, char *);
		char *strings[2];
		enum color col;
		enum wide w;
		enum sign sg;
		_Bool flag;
		float f;
		unsigned long long u64;
		int tail[];
	};
	struct packed {
		char c;
		int i;
		short s;
	} __attribute__((packed));
	struct aligned {
		char c;
		int i __attribute__((aligned(16)));
	};
	struct bits {
		unsigned a : 3;
		int b : 5;
		unsigned long c : 40;
		unsigned : 0;
		_Bool d : 1;
		unsigned char e : 7;
	};)

struct fixture {
	struct diag_list diags;
	struct target *target;
	struct types *ts;
	int err;
};

static void read_with(struct fixture *fx, const char *text, const struct cdefs_options *o)
{
	char *script = NULL;
	size_t n;
	FILE *f = open_memstream(&script, &n);
	struct ast_program *p;

	fprintf(f, "%s\nBEGIN { }\n", text);
	fclose(f);
	fx->diags = (struct diag_list){.arena = arena_new()};
	fx->target = target_open_running();
	p = parse_program(&fx->diags, diag_add_source(&fx->diags, "stdin", script, n));
	assert_int_equal(fx->diags.errors, 0);
	fx->ts = types_new(fx->diags.arena, fx->target);
	fx->err = cdefs_read(fx->ts, &fx->diags, p, o);
	free(script);
}

static void read_text(struct fixture *fx, const char *text)
{
	struct cdefs_options none = {0};

	read_with(fx, text, &none);
	if (fx->err)
		diag_print(&fx->diags, stderr, false, false);
	assert_int_equal(fx->err, 0);
}

static void finish(struct fixture *fx)
{
	target_close(fx->target);
	arena_free(fx->diags.arena);
}

struct row {
	const char *name, *type;
	size_t offset, size;
};
#define ROW(s, field, type) {#field, type, offsetof(s, field), sizeof(((s *)0)->field)}

static void check_rows(struct fixture *fx, struct type *t, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct type_field *f = type_find_field(fx->ts, t, rows[i].name);

		assert_non_null(f);
		assert_string_equal(type_name(fx->ts, f->type), rows[i].type);
		assert_int_equal(f->offset, rows[i].offset);
		assert_int_equal(f->type->size, rows[i].size);
		assert_int_equal(f->bit_size, 0);
	}
}

static void test_layouts(void **state)
{
	static const struct row rows[] = {
		ROW(struct outer, first, "int8"),
		ROW(struct outer, number, "int32"),
		ROW(struct outer, in, "struct inner"),
		ROW(struct outer, ins, "struct inner[3]"),
		ROW(struct outer, u, "union either"),
		ROW(struct outer, hidden, "int8"),
		ROW(struct outer, deep, "int64"),
		ROW(struct outer, shallow, "int32[2]"),
		ROW(struct outer, named, "struct {uint8}"),
		ROW(struct outer, text, "string[5]"),
		ROW(struct outer, octets, "int8[3]"),
		ROW(struct outer, raw, "uint8[3]"),
		ROW(struct outer, matrix, "int16[3][2]"),
		ROW(struct outer, any, "void *"),
		ROW(struct outer, next, "struct outer *"),
		ROW(struct outer, other, "struct elsewhere *"),
		ROW(struct outer, call, "void *"),
		ROW(struct outer, strings, "int8 *[2]"),
		ROW(struct outer, col, "enum color"),
		ROW(struct outer, w, "enum wide"),
		ROW(struct outer, sg, "enum sign"),
		ROW(struct outer, flag, "bool"),
		ROW(struct outer, f, "void"),
		ROW(struct outer, u64, "uint64"),
	};
	struct fixture fx;
	struct type *t;

	(void)state;
	read_text(&fx, layout_text);
	t = types_lookup(fx.ts, "struct", "outer");
	assert_int_equal(t->size, sizeof(struct outer));
	assert_int_equal(t->align, _Alignof(struct outer));
	check_rows(&fx, t, rows, LENGTH(rows));
	assert_int_equal(type_find_field(fx.ts, t, "tail")->offset, offsetof(struct outer, tail));
	assert_int_equal(type_find_field(fx.ts, t, "tail")->type->count, 0);
	assert_ptr_equal(type_find_field(fx.ts, t, "next")->type->elem, t);
	assert_true(type_find_field(fx.ts, t, "sg")->type->is_signed);
	assert_false(type_find_field(fx.ts, t, "col")->type->is_signed);
	assert_null(type_find_field(fx.ts, t, "nothing"));
	assert_int_equal(types_lookup(fx.ts, "union", "either")->size, sizeof(union either));
	assert_null(types_lookup(fx.ts, "struct", "either"));
	finish(&fx);
}

static void test_packed_and_aligned(void **state)
{
	static const struct row packed[] = {
		ROW(struct packed, c, "int8"),
		ROW(struct packed, i, "int32"),
		ROW(struct packed, s, "int16"),
	};
	static const struct row aligned[] = {
		ROW(struct aligned, c, "int8"),
		ROW(struct aligned, i, "int32"),
	};
	struct fixture fx;
	struct type *t;

	(void)state;
	read_text(&fx, layout_text);
	t = types_lookup(fx.ts, "struct", "packed");
	assert_int_equal(t->size, sizeof(struct packed));
	assert_int_equal(t->align, 1);
	check_rows(&fx, t, packed, LENGTH(packed));
	t = types_lookup(fx.ts, "struct", "aligned");
	assert_int_equal(t->size, sizeof(struct aligned));
	assert_int_equal(t->align, 16);
	check_rows(&fx, t, aligned, LENGTH(aligned));
	finish(&fx);
}

/* The bits of a field, taken out of the bytes of a struct as codegen does. */
static uint64_t take_bits(const struct type_field *f, const void *bytes)
{
	uint64_t v = 0;
	size_t n = (f->bit_off + f->bit_size + 7) / 8;

	assert_in_range(n, 1, 8);
	memcpy(&v, (const char *)bytes + f->offset, n);
	return v << (64 - f->bit_off - f->bit_size) >> (64 - f->bit_size);
}

static void test_bit_fields(void **state)
{
	struct {
		const char *name;
		struct bits value;
		uint64_t all;
	} rows[] = {
		{"a", {.a = 7}, 7},
		{"b", {.b = -1}, 31},
		{"c", {.c = 0xffffffffff}, 0xffffffffff},
		{"d", {.d = 1}, 1},
		{"e", {.e = 127}, 127},
	};
	struct fixture fx;
	struct type *t;

	(void)state;
	read_text(&fx, layout_text);
	t = types_lookup(fx.ts, "struct", "bits");
	assert_int_equal(t->size, sizeof(struct bits));
	assert_int_equal(t->fields.len, LENGTH(rows)); /* the one without a name left out */
	for (size_t i = 0; i < LENGTH(rows); i++)
		for (size_t j = 0; j < LENGTH(rows); j++) {
			const struct type_field *f = type_find_field(fx.ts, t, rows[j].name);

			assert_int_equal(take_bits(f, &rows[i].value), i == j ? rows[j].all : 0);
		}
	assert_true(type_find_field(fx.ts, t, "b")->type->is_signed);
	finish(&fx);
}

static void test_constants(void **state)
{
	static const struct {
		const char *name;
		int64_t value;
		const char *str;
	} rows[] = {
		{"RED", 0, NULL},         {"GREEN", 7, NULL},    {"BLUE", 8, NULL},
		{"MINUS", -3, NULL},      {"WIDE", 0x100000000}, {"FOO", 42, NULL},
		{"BAR", 43, NULL},        {"SHIFT", 1ll << 40},  {"NEGATIVE", -5, NULL},
		{"CHARACTER", 'x', NULL}, {"SIZE", 9, NULL},     {"TEXT", 0, "a\tb"},
		{"JOINED", 0, "onetwo"},  {"SCOPED", 2, NULL},   {"OF_ENUM", 8, NULL},
		{"CALLED", 6, NULL},
	};
	struct fixture fx;
	struct type_constant c;

	(void)state;
	read_text(&fx,
		  "enum color { RED, GREEN = 7, BLUE };\nenum sign { MINUS = -3 };\n"
		  "enum wide { WIDE = 0x100000000 };\nstruct s { char c[9]; };\n"
		  "#define FOO 42\n#define BAR (FOO + 1)\n#define SHIFT (1UL << 40)\n"
		  "#define NEGATIVE (-5)\n#define CHARACTER 'x'\n#define SIZE sizeof(struct s)\n"
		  "#define TEXT \"a\\tb\"\n#define JOINED \"one\" \"two\"\n"
		  "#define SCOPED 1\n#undef SCOPED\n#define SCOPED 2\n#define OF_ENUM BLUE\n"
		  "#define TWICE(x) ((x) * 2)\n#define CALLED TWICE(3)\n"
		  "#define EXPR nsecs / 1000\n#define BROKEN ) {\n#define EMPTY\n"
		  "#define LOCAL_ONE ({ 1; })\n");
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_true(types_find_constant(fx.ts, rows[i].name, &c));
		assert_null(c.expr);
		if (rows[i].str)
			assert_string_equal(c.str, rows[i].str);
		else
			assert_int_equal(c.value, rows[i].value);
	}
	assert_true(types_find_constant(fx.ts, "EXPR", &c));
	assert_string_equal(c.expr, "nsecs / 1000");
	assert_false(types_find_constant(fx.ts, "TWICE", &c));
	assert_false(types_find_constant(fx.ts, "EMPTY", &c));
	assert_true(types_find_constant(fx.ts, "GREEN", &c));
	assert_string_equal(c.type->name, "color");
	finish(&fx);
}

/* Without any C text libclang stays out of it. */
static void test_known_macros(void **state)
{
	static const struct {
		const char *name;
		int64_t value;
	} rows[] = {
		{"AF_INET", AF_INET},           {"AF_INET6", AF_INET6},       {"AF_UNIX", AF_UNIX},
		{"SOCK_STREAM", SOCK_STREAM},   {"IPPROTO_TCP", IPPROTO_TCP}, {"S_IFMT", S_IFMT},
		{"S_IFREG", S_IFREG},           {"O_CREAT", O_CREAT},         {"DT_REG", DT_REG},
		{"SIGKILL", SIGKILL},           {"ENOENT", ENOENT},           {"EAGAIN", EAGAIN},
		{"MSG_DONTWAIT", MSG_DONTWAIT}, {"SOL_SOCKET", SOL_SOCKET},   {"TASK_RUNNING", 0},
		{"TASK_UNINTERRUPTIBLE", 2},    {"TASK_COMM_LEN", 16},
	};
	struct fixture fx;
	struct type_constant c;

	(void)state;
	read_text(&fx, "");
	assert_false(types_has_c_names(fx.ts));
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_true(types_find_constant(fx.ts, rows[i].name, &c));
		assert_int_equal(c.value, rows[i].value);
	}
	assert_false(types_find_constant(fx.ts, "AF_NOTHING", &c));
	finish(&fx);
}

static void skip_without_btf(struct fixture *fx)
{
	if (target_btf(fx->target))
		return;
	print_message("skipped: the kernel has no BTF\n");
	finish(fx);
	skip();
}

/* What the C text only names comes from BTF; what it defines is its own. */
static void test_borrowed(void **state)
{
	struct fixture fx;
	struct type *t;

	(void)state;
	read_text(&fx, "");
	skip_without_btf(&fx);
	finish(&fx);
	read_text(&fx,
		  "#include <linux/no_such_header.h>\n"
		  "struct mine { char c; struct list_head l; u16 n; char name[TASK_COMM_LEN];\n"
		  "	struct task_struct *task; atomic_t count; enum pid_type e; };\n"
		  "struct task_struct { int x; };\n");
	t = types_lookup(fx.ts, "struct", "mine");
	assert_int_equal(type_find_field(fx.ts, t, "l")->offset, 8);
	assert_string_equal(type_name(fx.ts, type_find_field(fx.ts, t, "l")->type),
			    "struct list_head");
	assert_non_null(type_find_field(fx.ts, type_find_field(fx.ts, t, "l")->type, "prev"));
	assert_int_equal(type_find_field(fx.ts, t, "n")->offset, 24);
	assert_int_equal(type_find_field(fx.ts, t, "name")->offset, 26);
	assert_int_equal(type_find_field(fx.ts, t, "task")->offset, 48);
	assert_int_equal(type_find_field(fx.ts, t, "count")->offset, 56);
	assert_non_null(
		type_find_field(fx.ts, type_find_field(fx.ts, t, "count")->type, "counter"));
	assert_int_equal(type_find_field(fx.ts, t, "e")->offset, 60);
	assert_int_equal(t->size, 64);
	t = types_lookup(fx.ts, "struct", "task_struct");
	assert_int_equal(t->size, 4);
	assert_ptr_equal(
		type_find_field(fx.ts, types_lookup(fx.ts, "struct", "mine"), "task")->type->elem,
		t);
	finish(&fx);
}

static void test_conditions(void **state)
{
	struct fixture fx;
	struct type_constant c;
	bool btf;

	(void)state;
	read_text(&fx, "#ifdef BPFTRACE_HAVE_BTF\n#define HAVE 1\n#else\n#define HAVE 0\n#endif\n"
		       "#ifdef CONFIG_NO_SUCH_THING\n#define CONFIGURED 1\n#endif\n");
	btf = target_btf(fx.target) != NULL;
	assert_true(types_find_constant(fx.ts, "HAVE", &c));
	assert_int_equal(c.value, btf);
	assert_false(types_find_constant(fx.ts, "CONFIGURED", &c));
	finish(&fx);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *message;
		uint32_t begin, end;
	} rows[] = {
		{"struct a { int x; nothing y; };", "unknown type name 'nothing'", 18, 25},
		{"#include <nowhere/x.h>", "'nowhere/x.h' file not found", 9, 22},
		{"#define A 1\nstruct a { int A; };", "expected member name", 27, 28},
		{"#error \"no\"\n", "\"no\"", 1, 6},
		{"struct a { int x; };\nstruct a { int y; };", "redefinition of 'a'", 28, 29},
	};
	struct cdefs_options none = {0};
	struct fixture fx;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		read_with(&fx, rows[i].text, &none);
		assert_int_equal(fx.err, -EINVAL);
		assert_true(fx.diags.errors > 0);
		assert_non_null(strstr(fx.diags.diags.items[0].message, rows[i].message));
		assert_int_equal(fx.diags.diags.items[0].span.begin, rows[i].begin);
		assert_int_equal(fx.diags.diags.items[0].span.end, rows[i].end);
		finish(&fx);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),      cmocka_unit_test(test_packed_and_aligned),
		cmocka_unit_test(test_bit_fields),   cmocka_unit_test(test_constants),
		cmocka_unit_test(test_known_macros), cmocka_unit_test(test_borrowed),
		cmocka_unit_test(test_conditions),   cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
