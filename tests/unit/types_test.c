/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/btf_view.h"
#include "types/types.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

#define skip_unless(condition, reason)                                                             \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s: skipped: %s\n", __func__, reason);                    \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

/* ---- a small kernel: BTF made here ------------------------------------------- */

struct fixture {
	struct arena *arena;
	struct target *target;
	struct types *ts;
};

/* Adds a function type of one void pointer and the parameters given. */
static int add_prototype(struct btf *b, int first, int p1, const char *n1, int p2, const char *n2)
{
	int proto = btf__add_func_proto(b, 0);

	btf__add_func_param(b, n1 ? "__data" : NULL, first);
	btf__add_func_param(b, n1, p1);
	btf__add_func_param(b, n2, p2);
	return proto;
}

static struct btf *make_btf(void)
{
	struct btf *b = btf__new_empty();
	int i, u, c, l, uc, boolean, pv, node, pn, uni, arr, chars, bytes, flex, cn, user, big,
		proto;

	i = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	u = btf__add_int(b, "unsigned int", 4, 0);
	c = btf__add_int(b, "char", 1, BTF_INT_SIGNED);
	uc = btf__add_int(b, "unsigned char", 1, 0);
	l = btf__add_int(b, "long", 8, BTF_INT_SIGNED);
	boolean = btf__add_int(b, "_Bool", 1, BTF_INT_BOOL);
	big = btf__add_int(b, "__int128", 16, BTF_INT_SIGNED);
	pv = btf__add_ptr(b, 0);
	arr = btf__add_array(b, i, i, 3);
	chars = btf__add_array(b, i, c, 16);
	bytes = btf__add_array(b, i, uc, 6);
	flex = btf__add_array(b, i, c, 0);
	user = btf__add_ptr(b, btf__add_type_tag(b, "user", c));
	btf__add_enum(b, "color", 4);
	btf__add_enum_value(b, "RED", 1);
	btf__add_enum_value(b, "BLUE", 7);
	btf__add_enum64(b, "wide", 8, false);
	btf__add_enum64_value(b, "HUGE_ONE", 0x100000000ull);

	/* the anonymous union of struct node comes before it: so does its id */
	uni = btf__add_union(b, NULL, 8);
	btf__add_field(b, "as_long", l, 0, 0);
	btf__add_field(b, "as_int", u, 0, 0);
	cn = btf__add_const(b, btf__add_volatile(b, btf__add_typedef(b, "myint_t", i)));
	node = btf__add_struct(b, "node", 96);
	pn = node + 1;
	btf__add_field(b, "next", pn, 0, 0);
	btf__add_field(b, NULL, uni, 64, 0);
	btf__add_field(b, "flag", u, 128, 1);
	btf__add_field(b, "mode", u, 129, 7);
	btf__add_field(b, "rest", u, 136, 24);
	btf__add_field(b, "on", boolean, 160, 0);
	btf__add_field(b, "name", chars, 192, 0);
	btf__add_field(b, "mac", bytes, 320, 0);
	btf__add_field(b, "triple", arr, 384, 0);
	btf__add_field(b, "text", user, 512, 0);
	btf__add_field(b, "number", cn, 576, 0);
	btf__add_field(b, "anything", pv, 640, 0);
	btf__add_field(b, "tail", flex, 768, 0);
	assert_int_equal(btf__add_ptr(b, node), pn);
	btf__add_struct(b, "holder", 112);
	btf__add_field(b, "inner", node, 0, 0);
	btf__add_field(b, "wide", big, 768, 0);
	btf__add_typedef(b, "node_t", node);

	proto = add_prototype(b, pv, pn, NULL, u, NULL);
	btf__add_typedef(b, "btf_trace_old_one", btf__add_ptr(b, proto));
	btf__add_typedef(b, "btf_trace_new_one", btf__add_ptr(b, proto));
	proto = add_prototype(b, pv, pn, "node", u, "bytes");
	btf__add_func(b, "__traceiter_new_one", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(b, u);
	btf__add_func_param(b, "", pv);
	btf__add_func_param(b, "node", pn);
	btf__add_func_param(b, "bytes", u);
	btf__add_func(b, "returns_u32", BTF_FUNC_STATIC, proto);
	return b;
}

static int setup(void **state)
{
	static char path[] = "/tmp/types-test-XXXXXX";
	struct fixture *f = calloc(1, sizeof(*f));
	struct btf *b = make_btf();
	__u32 size;
	const void *raw = btf__raw_data(b, &size);
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, raw, size) != size)
		return -1;
	close(fd);
	btf__free(b);
	f->arena = arena_new();
	f->target = target_open_running();
	setenv("BPFTRACE_BTF", path, 1);
	/* read while the file is there */
	if (!target_btf_view(f->target))
		return -1;
	unsetenv("BPFTRACE_BTF");
	unlink(path);
	f->ts = types_new(f->arena, f->target);
	*state = f;
	return 0;
}

static int setup_running(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new();
	f->target = target_open_running();
	f->ts = types_new(f->arena, f->target);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	target_close(f->target);
	arena_free(f->arena);
	free(f);
	return 0;
}

#define assert_name(ts, t, text) assert_string_equal(type_name(ts, t), text)

/* ---- the model ------------------------------------------------------------------ */

static void test_layout(void **state)
{
	struct c_layout {
		uint8_t a;
		uint64_t b;
		uint16_t c;
		char d[5];
		uint32_t e;
		struct {
			uint8_t x;
			uint16_t y;
		} f;
	};
	const uint32_t offsets[] = {
		offsetof(struct c_layout, a), offsetof(struct c_layout, b),
		offsetof(struct c_layout, c), offsetof(struct c_layout, d),
		offsetof(struct c_layout, e), offsetof(struct c_layout, f),
	};
	struct fixture *fx = *state;
	struct types *ts = fx->ts;
	struct type *pair[] = {type_int(ts, 1, false), type_int(ts, 2, false)};
	struct type *elems[] = {
		type_int(ts, 1, false), type_int(ts, 8, false), type_int(ts, 2, false),
		type_string(ts, 5),     type_int(ts, 4, false), type_tuple(ts, pair, 2),
	};
	struct type *t = type_tuple(ts, elems, LENGTH(elems));

	assert_int_equal(t->size, sizeof(struct c_layout));
	assert_int_equal(t->align, _Alignof(struct c_layout));
	for (size_t i = 0; i < LENGTH(offsets); i++)
		assert_int_equal(t->fields.items[i].offset, offsets[i]);
	assert_int_equal(type_tuple(ts, NULL, 0)->size, 0);
	assert_int_equal(type_tuple(ts, pair, 2)->size, 4);
}

static void test_names(void **state)
{
	struct fixture *fx = *state;
	struct types *ts = fx->ts;
	struct type *pair[] = {type_int(ts, 8, true), type_string(ts, 16)};
	const char *const fields[] = {"a", "b"};

	assert_name(ts, type_int(ts, 8, false), "uint64");
	assert_name(ts, type_int(ts, 1, true), "int8");
	assert_name(ts, type_simple(ts, IMAGE_K_BOOL), "bool");
	assert_name(ts, type_simple(ts, IMAGE_K_VOID), "void");
	assert_name(ts, pair[1], "string[16]");
	assert_name(ts, type_tuple(ts, pair, 2), "(int64,string[16])");
	assert_name(ts, type_tuple(ts, NULL, 0), "()");
	assert_name(ts, type_record(ts, pair, fields, 2), "record { .a = int64, .b = string[16] }");
	assert_name(ts, type_array(ts, pair[0], 4), "int64[4]");
	assert_name(ts, type_pointer(ts, NULL, SPACE_KERNEL), "void *");
	assert_name(ts, type_pointer(ts, type_int(ts, 1, false), SPACE_USER), "uint8 *");
	assert_name(ts, types_lookup(ts, "struct", "node"), "struct node");
	assert_name(ts, types_lookup(ts, "enum", "color"), "enum color");
	assert_name(ts, type_simple(ts, IMAGE_K_COUNT), "count_t");
	assert_name(ts, type_aggregation(ts, IMAGE_K_SUM, true, 0, 0, 0), "sum_t");
	assert_name(ts, type_aggregation(ts, IMAGE_K_MAX, false, 0, 0, 0), "umax_t");
	assert_name(ts, type_aggregation(ts, IMAGE_K_HIST, false, 0, 0, 0), "hist_t");
	for (int k = 0; k < IMAGE_NKINDS; k++) {
		if (k != IMAGE_K_ARRAY && k != IMAGE_K_INT)
			assert_true(strlen(type_name(ts, type_simple(ts, k))) > 0);
	}
}

static void test_equality(void **state)
{
	struct fixture *fx = *state;
	struct types *ts = fx->ts;
	struct type *i64 = type_int(ts, 8, true), *u64 = type_int(ts, 8, false);
	struct type *a[] = {i64, u64}, *b[] = {i64, i64};
	const char *const xy[] = {"x", "y"}, *const xz[] = {"x", "z"};

	assert_ptr_equal(i64, type_int(ts, 8, true));
	assert_ptr_equal(type_string(ts, 16), type_string(ts, 16));
	assert_ptr_equal(type_pointer(ts, i64, SPACE_USER), type_pointer(ts, i64, SPACE_USER));
	assert_false(type_equal(i64, u64));
	assert_false(type_equal(type_string(ts, 16), type_string(ts, 17)));
	assert_true(type_equal(type_tuple(ts, a, 2), type_tuple(ts, a, 2)));
	assert_false(type_equal(type_tuple(ts, a, 2), type_tuple(ts, b, 2)));
	assert_false(type_equal(type_tuple(ts, a, 2), type_record(ts, a, xy, 2)));
	assert_true(type_equal(type_record(ts, a, xy, 2), type_record(ts, a, xy, 2)));
	assert_false(type_equal(type_record(ts, a, xy, 2), type_record(ts, a, xz, 2)));
	assert_true(type_equal(type_copy(ts, i64), i64));
	assert_false(
		type_equal(type_pointer(ts, i64, SPACE_USER), type_pointer(ts, u64, SPACE_USER)));
	assert_false(type_equal(type_array(ts, i64, 2), type_array(ts, i64, 3)));
	assert_false(type_equal(type_aggregation(ts, IMAGE_K_LHIST, true, 0, 10, 1),
				type_aggregation(ts, IMAGE_K_LHIST, true, 0, 10, 2)));
	assert_true(type_is_int(i64) && type_is_int(type_simple(ts, IMAGE_K_BOOL)));
	assert_true(type_is_aggregate(type_string(ts, 4)) && !type_is_aggregate(i64));
	assert_true(type_is_aggregation(type_simple(ts, IMAGE_K_COUNT)) &&
		    !type_is_aggregation(i64));
}

/* A copy may be changed and added to without the original noticing. */
static void test_copy(void **state)
{
	struct fixture *fx = *state;
	struct type *e[] = {type_int(fx->ts, 8, true)};
	struct type *t = type_tuple(fx->ts, e, 1), *copy = type_copy(fx->ts, t);
	struct type_field f = {.name = "more", .type = e[0]};

	vec_push(fx->arena, &copy->fields, f);
	copy->fields.items[0].name = "changed";
	vec_push(fx->arena, &t->fields, f);
	t->fields.items[1].name = "other";
	assert_int_equal(t->fields.len, 2);
	assert_string_equal(t->fields.items[0].name, "");
	assert_string_equal(copy->fields.items[1].name, "more");
}

static void test_aggregation_sizes(void **state)
{
	struct fixture *fx = *state;
	struct types *ts = fx->ts;

	assert_int_equal(type_aggregation(ts, IMAGE_K_COUNT, true, 0, 0, 0)->size, 8);
	assert_int_equal(type_aggregation(ts, IMAGE_K_MIN, true, 0, 0, 0)->size, 16);
	assert_int_equal(type_aggregation(ts, IMAGE_K_AVG, true, 0, 0, 0)->size, 16);
	assert_int_equal(type_aggregation(ts, IMAGE_K_HIST, true, 3, 0, 0)->size,
			 8 * image_hist_buckets(3));
	assert_int_equal(type_aggregation(ts, IMAGE_K_LHIST, true, 0, 100, 10)->size, 8 * 12);
	assert_int_equal(type_simple(ts, IMAGE_K_USTACK)->size, 16);
	assert_int_equal(type_simple(ts, IMAGE_K_DISK)->size, 4);
}

/* ---- names to types ----------------------------------------------------------------- */

static void test_basic_names(void **state)
{
	static const struct {
		const char *name, *type;
	} rows[] = {
		{"int8", "int8"},
		{"uint64", "uint64"},
		{"int32_t", "int32"},
		{"u16", "uint16"},
		{"__s64", "int64"},
		{"int", "int32"},
		{"unsigned", "uint32"},
		{"unsigned int", "uint32"},
		{"long unsigned int", "uint64"},
		{"unsigned long long", "uint64"},
		{"long long int", "int64"},
		{"short", "int16"},
		{"short unsigned int", "uint16"},
		{"unsigned char", "uint8"},
		{"signed char", "int8"},
		{"size_t", "uint64"},
		{"pid_t", "int32"},
		{"bool", "bool"},
		{"void", "void"},
		{"umode_t", "uint16"},
	};
	static const char *const none[] = {"",         "nope", "long long long", "unsigned signed",
					   "char int", "intt", "struct",         "long short"};
	struct fixture *fx = *state;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct type *t = types_lookup(fx->ts, NULL, rows[i].name);

		assert_non_null(t);
		assert_name(fx->ts, t, rows[i].type);
	}
	for (size_t i = 0; i < LENGTH(none); i++) {
		if (types_lookup(fx->ts, NULL, none[i]))
			fail_msg("'%s' is a type", none[i]);
	}
}

static void test_btf_names(void **state)
{
	struct fixture *fx = *state;
	struct types *ts = fx->ts;

	assert_name(ts, types_lookup(ts, NULL, "myint_t"), "int32");
	assert_name(ts, types_lookup(ts, NULL, "node_t"), "struct node");
	assert_ptr_equal(types_lookup(ts, NULL, "node_t"), types_lookup(ts, "struct", "node"));
	assert_null(types_lookup(ts, "union", "node"));
	assert_null(types_lookup(ts, NULL, "node"));
	assert_null(types_lookup(ts, "struct", "myint_t"));
	assert_int_equal(types_lookup(ts, "enum", "wide")->size, 8);
}

struct field_row {
	const char *name, *type;
	uint32_t offset, bit_off, bit_size;
};

static void check_field(struct types *ts, struct type *t, const struct field_row *row)
{
	const struct type_field *f = type_find_field(ts, t, row->name);

	if (!f)
		fail_msg("no field %s", row->name);
	assert_name(ts, f->type, row->type);
	assert_int_equal(f->offset, row->offset);
	assert_int_equal(f->bit_off, row->bit_off);
	assert_int_equal(f->bit_size, row->bit_size);
	assert_int_equal(f->loc, LOC_MEMORY);
}

static void test_struct_fields(void **state)
{
	static const struct field_row rows[] = {
		{"next", "struct node *", 0}, {"as_long", "int64", 8},
		{"as_int", "uint32", 8},      {"flag", "uint32", 16, 0, 1},
		{"mode", "uint32", 16, 1, 7}, {"rest", "uint32", 16, 8, 24},
		{"on", "bool", 20},           {"name", "string[16]", 24},
		{"mac", "string[6]", 40},     {"triple", "int32[3]", 48},
		{"text", "int8 *", 64},       {"number", "int32", 72},
		{"anything", "void *", 80},   {"tail", "int8[0]", 96},
	};
	struct fixture *fx = *state;
	struct types *ts = fx->ts;
	struct type *t = types_lookup(ts, "struct", "node"), *holder;

	assert_true(t->incomplete);
	assert_int_equal(t->size, 96);
	for (size_t i = 0; i < LENGTH(rows); i++)
		check_field(ts, t, &rows[i]);
	assert_false(t->incomplete);
	assert_null(type_find_field(ts, t, "nope"));
	assert_null(type_find_field(ts, t, ""));
	assert_int_equal(type_find_field(ts, t, "text")->type->space, SPACE_USER);
	assert_int_equal(type_find_field(ts, t, "next")->type->space, SPACE_KERNEL);
	/* a list leads back to its own struct */
	assert_ptr_equal(type_find_field(ts, t, "next")->type->elem, t);
	holder = types_lookup(ts, "struct", "holder");
	assert_ptr_equal(type_find_field(ts, holder, "inner")->type, t);
	assert_name(ts, type_find_field(ts, holder, "wide")->type, "uint64[2]");
	/* the anonymous union itself */
	assert_name(ts, t->fields.items[1].type, "union {int64,uint32}");
}

static void test_enumerators(void **state)
{
	struct fixture *fx = *state;
	struct type_constant c;

	/* twice: the second time from memory */
	for (int i = 0; i < 2; i++) {
		assert_true(types_find_constant(fx->ts, "BLUE", &c));
		assert_int_equal(c.value, 7);
		assert_name(fx->ts, c.type, "enum color");
		assert_int_equal(c.type->enumerators.len, 2);
		assert_true(types_find_constant(fx->ts, "HUGE_ONE", &c));
		assert_int_equal(c.value, 0x100000000ull);
		assert_false(types_find_constant(fx->ts, "GREEN", &c));
	}
}

/* Every member of some large structs, against libbpf's own reading. */
static void test_kernel_structs(void **state)
{
	static const char *const names[] = {"task_struct", "request",    "sk_buff",  "file",
					    "bio",         "net_device", "tcp_sock", "mm_struct"};
	struct fixture *fx = *state;
	const struct btf *btf = target_btf(fx->target);

	skip_unless(btf, "the kernel has no BTF");
	for (size_t i = 0; i < LENGTH(names); i++) {
		int id = btf__find_by_name_kind(btf, names[i], BTF_KIND_STRUCT);
		struct type *t = types_lookup(fx->ts, "struct", names[i]);
		const struct btf_type *bt;

		if (id < 0)
			continue;
		bt = btf__type_by_id(btf, id);
		type_complete(fx->ts, t);
		assert_int_equal(t->size, bt->size);
		assert_int_equal(t->fields.len, btf_vlen(bt));
		for (int m = 0; m < btf_vlen(bt); m++) {
			const struct type_field *f = &t->fields.items[m];
			__s64 size = btf__resolve_size(btf, btf_members(bt)[m].type);

			assert_int_equal(f->offset * 8 + f->bit_off, btf_member_bit_offset(bt, m));
			assert_int_equal(f->bit_size, btf_member_bitfield_size(bt, m));
			if (size != f->type->size)
				fail_msg("%s.%s: %lld, not %u", names[i], f->name, (long long)size,
					 f->type->size);
			assert_true(f->bit_off + f->bit_size <= 64);
		}
	}
}

/* ---- tracepoints ------------------------------------------------------------------------ */

#define COMMON                                                                                     \
	"name: x\nID: 1\nformat:\n"                                                                \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"             \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

static struct type *parse(struct fixture *fx, const char *category, const char *event, bool raw,
			  const char *format)
{
	char err[256] = "";
	struct type *t = types_parse_format(fx->ts, category, event, raw, format, err, sizeof(err));

	if (!t)
		fail_msg("%s", err);
	assert_true(t->is_ctx);
	assert_false(t->incomplete);
	return t;
}

struct args_row {
	const char *name, *type;
	uint32_t offset;
	enum type_field_loc loc;
};

static void check_args(struct fixture *fx, struct type *args, const struct args_row *rows, size_t n)
{
	assert_int_equal(args->fields.len, n);
	for (size_t i = 0; i < n; i++) {
		const struct type_field *f = &args->fields.items[i];

		assert_string_equal(f->name, rows[i].name);
		assert_name(fx->ts, f->type, rows[i].type);
		if (f->offset != rows[i].offset || f->loc != rows[i].loc)
			fail_msg("%s: offset %u, location %d", f->name, f->offset, f->loc);
	}
}

static void test_format_fields(void **state)
{
	static const char format[] =
		COMMON "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
		       "\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;\n"
		       "\tfield:long state;\toffset:32;\tsize:8;\tsigned:1;\n"
		       "\tfield:bool ok;\toffset:40;\tsize:1;\tsigned:0;\n"
		       "\tfield:unsigned char addr[6];\toffset:41;\tsize:6;\tsigned:0;\n"
		       "\tfield:__data_loc char[] cmd;\toffset:48;\tsize:4;\tsigned:0;\n"
		       "\tfield:__data_loc u32[] cpus;\toffset:52;\tsize:4;\tsigned:0;\n"
		       "\tfield:__rel_loc char[] rel;\toffset:56;\tsize:4;\tsigned:0;\n"
		       "\tfield:char long_name[NAME_LEN];\toffset:60;\tsize:20;\tsigned:0;\n"
		       "\tfield:int v[MAX_N];\toffset:80;\tsize:12;\tsigned:1;\n"
		       "\tfield:struct node * n;\toffset:96;\tsize:8;\tsigned:0;\n"
		       "\tfield:const void *fn;\toffset:104;\tsize:8;\tsigned:0;\n"
		       "\tfield:enum color c;\toffset:112;\tsize:4;\tsigned:0;\n"
		       "\tfield:enum unknown e;\toffset:116;\tsize:4;\tsigned:1;\n"
		       "\tfield:some_t odd;\toffset:120;\tsize:2;\tsigned:1;\n"
		       "\tfield:struct unknown s;\toffset:122;\tsize:3;\tsigned:0;\n"
		       "\tfield:const char __user * path;\toffset:128;\tsize:8;\tsigned:0;\n"
		       "\tfield:const char *const * argv;\toffset:136;\tsize:8;\tsigned:0;\n"
		       "\tfield:void (*call)(int);\toffset:144;\tsize:8;\tsigned:0;\n"
		       "\tfield:struct node copy;\toffset:152;\tsize:96;\tsigned:0;\n"
		       "\nprint fmt: \"field:int no; offset:1; size:1; signed:0;\", 1\n";
	static const struct args_row rows[] = {
		{"comm", "string[16]", 8, LOC_CTX},       {"pid", "int32", 24, LOC_CTX},
		{"state", "int64", 32, LOC_CTX},          {"ok", "bool", 40, LOC_CTX},
		{"addr", "uint8[6]", 41, LOC_CTX},        {"cmd", "string[1024]", 48, LOC_DATA_LOC},
		{"cpus", "uint32[0]", 52, LOC_DATA_LOC},  {"rel", "string[1024]", 56, LOC_REL_LOC},
		{"long_name", "string[20]", 60, LOC_CTX}, {"v", "int32[3]", 80, LOC_CTX},
		{"n", "struct node *", 96, LOC_CTX},      {"fn", "void *", 104, LOC_CTX},
		{"c", "enum color", 112, LOC_CTX},        {"e", "int32", 116, LOC_CTX},
		{"odd", "int16", 120, LOC_CTX},           {"s", "uint8[3]", 122, LOC_CTX},
		{"path", "uint8 *", 128, LOC_CTX},        {"argv", "uint8 * *", 136, LOC_CTX},
		{"copy", "struct node", 152, LOC_CTX},
	};
	struct fixture *fx = *state;
	bool unsigned_char = target_version(fx->target) >= TARGET_VERSION(6, 2, 0);
	struct type *t = parse(fx, "cat", "ev", false, format), *n;

	skip_unless(unsigned_char, "char is signed on this kernel");
	check_args(fx, t, rows, LENGTH(rows));
	assert_string_equal(t->name, "tracepoint:cat:ev_args");
	assert_int_equal(t->size, 248);
	assert_int_equal(type_find_field(fx->ts, t, "path")->type->space, SPACE_USER);
	assert_int_equal(type_find_field(fx->ts, t, "argv")->type->space, SPACE_KERNEL);
	/* the struct behind a pointer is found when it is looked into */
	n = type_find_field(fx->ts, t, "n")->type->elem;
	assert_int_equal(type_find_field(fx->ts, n, "mac")->offset, 40);
	assert_true(type_equal(n, types_lookup(fx->ts, "struct", "node")));
}

static const char openat_format[] =
	COMMON "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
	       "\tfield:int dfd;\toffset:16;\tsize:8;\tsigned:0;\n"
	       "\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;\n"
	       "\tfield:int flags;\toffset:32;\tsize:8;\tsigned:0;\n"
	       "\tfield:umode_t mode;\toffset:40;\tsize:8;\tsigned:0;\n"
	       "\tfield:__data_loc char[] __filename_val;\toffset:48;\tsize:4;\tsigned:0;\n\n"
	       "print fmt: \"dfd: 0x%08lx\"\n";

static void test_system_call_format(void **state)
{
	static const struct args_row perf[] = {
		{"__syscall_nr", "int32", 8, LOC_CTX},
		{"dfd", "uint64", 16, LOC_CTX},
		{"filename", "uint8 *", 24, LOC_CTX},
		{"flags", "uint64", 32, LOC_CTX},
		{"mode", "uint64", 40, LOC_CTX},
		{"__filename_val", "string[64]", 48, LOC_DATA_LOC},
	};
	static const struct args_row raw[] = {
		{"__syscall_nr", "int32", 0, LOC_SYS_NR}, {"dfd", "uint64", 0, LOC_SYS_ARG},
		{"filename", "uint8 *", 1, LOC_SYS_ARG},  {"flags", "uint64", 2, LOC_SYS_ARG},
		{"mode", "uint64", 3, LOC_SYS_ARG},
	};
	static const struct args_row ret[] = {
		{"__syscall_nr", "int32", 0, LOC_SYS_NR},
		{"ret", "int64", 0, LOC_SYS_RET},
	};
	static const char exit_format[] =
		COMMON "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
		       "\tfield:long ret;\toffset:16;\tsize:8;\tsigned:1;\n";
	struct fixture *fx = *state;
	struct type *t;

	skip_unless(target_version(fx->target) >= TARGET_VERSION(6, 2, 0),
		    "char is signed on this kernel");
	types_set_max_strlen(fx->ts, 64);
	t = parse(fx, "syscalls", "sys_enter_openat", false, openat_format);
	check_args(fx, t, perf, LENGTH(perf));
	assert_int_equal(type_find_field(fx->ts, t, "filename")->type->space, SPACE_USER);
	t = parse(fx, "syscalls", "sys_enter_openat", true, openat_format);
	check_args(fx, t, raw, LENGTH(raw));
	t = parse(fx, "syscalls", "sys_exit_openat", true, exit_format);
	check_args(fx, t, ret, LENGTH(ret));
}

static void test_format_that_is_none(void **state)
{
	static const char *const lines[] = {
		"\tfield:int x;\toffset:8;\tsize:4;\n",
		"\tfield:int x\toffset:8;\n",
		"\tfield:;\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfield:int [4];\toffset:8;size:4;signed:0;\n",
		"\tfield:int ];\toffset:8;size:4;signed:0;\n",
		"field:\n",
		"\tfield:* ;\toffset:8;size:8;signed:0;\n",
	};
	struct fixture *fx = *state;
	char err[128] = "";

	for (size_t i = 0; i < LENGTH(lines); i++) {
		struct type *t =
			types_parse_format(fx->ts, "a", "b", false, lines[i], err, sizeof(err));

		assert_non_null(t);
		assert_int_equal(t->fields.len, 0);
	}
	assert_null(types_parse_format(fx->ts, "a", "b", false, "", err, sizeof(err)));
	assert_string_equal(err, "could not parse the format of tracepoint a:b");
}

static char *printed(struct fixture *fx, struct type *t)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	types_print_fields(fx->ts, t, f);
	fclose(f);
	return text;
}

static void test_print_fields(void **state)
{
	struct fixture *fx = *state;
	char *text = printed(fx, parse(fx, "syscalls", "sys_enter_openat", true, openat_format));

	assert_string_equal(text, "    int __syscall_nr\n    int dfd\n"
				  "    const char * filename\n    int flags\n    umode_t mode\n");
	free(text);
	text = printed(fx, types_lookup(fx->ts, "struct", "holder"));
	assert_string_equal(text, "    struct node inner\n    uint64[2] wide\n");
	free(text);
}

static void test_running_tracepoints(void **state)
{
	struct fixture *fx = *state;
	char err[256] = "", *text;
	struct type *t;

	skip_unless(target_has_tracepoint(fx->target, "sched", "sched_switch"),
		    "tracefs cannot be reached");
	t = types_tracepoint_args(fx->ts, "sched", "sched_switch", false, err, sizeof(err));
	assert_non_null(t);
	assert_name(fx->ts, type_find_field(fx->ts, t, "next_comm")->type, "string[16]");
	text = printed(fx, t);
	assert_non_null(strstr(text, "    char prev_comm[16]\n    pid_t prev_pid\n"));
	free(text);
	assert_null(types_tracepoint_args(fx->ts, "sched", "nope", false, err, sizeof(err)));
	assert_string_equal(err, "Tracepoint not found: sched:nope");
}

static int check_event(const char *category, const char *event, void *arg)
{
	struct fixture *fx = arg;
	char err[256] = "";
	struct type *t = types_tracepoint_args(fx->ts, category, event,
					       !strcmp(category, "syscalls"), err, sizeof(err));

	if (!t)
		fail_msg("%s:%s: %s", category, event, err);
	for (size_t i = 0; i < t->fields.len; i++) {
		const struct type_field *f = &t->fields.items[i];

		if (f->type->kind == IMAGE_K_VOID || !*f->name)
			fail_msg("%s:%s: %s", category, event, f->decl);
		type_name(fx->ts, f->type);
	}
	return 0;
}

static int check_raw(const char *module, const char *name, void *arg)
{
	struct fixture *fx = arg;
	char err[256] = "";

	if (strcmp(module, "vmlinux"))
		return 0;
	if (!types_raw_tracepoint_args(fx->ts, name, err, sizeof(err)))
		fail_msg("%s: %s", name, err);
	return 0;
}

static void test_every_tracepoint_of_the_kernel(void **state)
{
	struct fixture *fx = *state;

	skip_unless(target_has_tracepoint(fx->target, "sched", "sched_switch"),
		    "tracefs cannot be reached");
	assert_int_equal(target_each_tracepoint(fx->target, "*", "*", check_event, fx), 0);
	skip_unless(target_btf_view(fx->target), "the kernel has no BTF");
	assert_int_equal(target_each_raw_tracepoint(fx->target, "*", "*", check_raw, fx), 0);
}

/* A function's parameters, all of them, and what it returns (void here: nothing). */
static void test_function_args(void **state)
{
	static const struct args_row rows[] = {
		{"arg0", "void *", 0, LOC_RAW_ARG},
		{"node", "struct node *", 8, LOC_RAW_ARG},
		{"bytes", "uint32", 16, LOC_RAW_ARG},
		{"retval", "uint32", 24, LOC_RAW_ARG},
	};
	struct fixture *fx = *state;
	char err[256] = "", *text;
	struct type *t = types_function_args(fx->ts, "returns_u32", true, err, sizeof(err));

	assert_non_null(t);
	assert_true(t->is_ctx);
	check_args(fx, t, rows, 4);
	text = printed(fx, t);
	assert_string_equal(text,
			    "    void * arg0\n    struct node * node\n    unsigned int bytes\n"
			    "    unsigned int retval\n");
	free(text);
	check_args(fx, types_function_args(fx->ts, "returns_u32", false, err, sizeof(err)), rows,
		   3);
	t = types_function_args(fx->ts, "__traceiter_new_one", true, err, sizeof(err));
	assert_non_null(t);
	assert_null(type_find_field(fx->ts, t, "retval"));
	assert_null(types_function_args(fx->ts, "no_one", true, err, sizeof(err)));
	assert_string_equal(err, "no BTF data for the function no_one");
}

static void test_raw_tracepoint_args(void **state)
{
	static const struct args_row named[] = {
		{"node", "struct node *", 0, LOC_RAW_ARG},
		{"bytes", "uint32", 8, LOC_RAW_ARG},
	};
	static const struct args_row unnamed[] = {
		{"arg0", "struct node *", 0, LOC_RAW_ARG},
		{"arg1", "uint32", 8, LOC_RAW_ARG},
	};
	struct fixture *fx = *state;
	char err[256] = "", *text;
	struct type *t = types_raw_tracepoint_args(fx->ts, "new_one", err, sizeof(err));

	assert_non_null(t);
	check_args(fx, t, named, 2);
	text = printed(fx, t);
	assert_string_equal(text, "    struct node * node\n    unsigned int bytes\n");
	free(text);
	t = types_raw_tracepoint_args(fx->ts, "old_one", err, sizeof(err));
	assert_non_null(t);
	check_args(fx, t, unnamed, 2);
	assert_null(types_raw_tracepoint_args(fx->ts, "no_one", err, sizeof(err)));
	assert_non_null(strstr(err, "no_one"));
}

/* ---- the image ----------------------------------------------------------------------------- */

static void test_to_image(void **state)
{
	struct fixture *fx = *state;
	struct types *ts = fx->ts;
	struct image_builder *b = image_builder_new();
	struct type *elems[] = {types_lookup(ts, "struct", "node"), type_int(ts, 4, true),
				types_lookup(ts, "enum", "color"),
				type_array(ts, type_int(ts, 2, false), 3)};
	uint32_t row = type_to_image(b, type_tuple(ts, elems, 4)), node;
	struct image_config config = {0};
	struct image img;
	char err[256] = "";
	size_t size;
	void *data;

	assert_int_equal(type_to_image(b, elems[1]), type_to_image(b, type_int(ts, 4, true)));
	image_set_config(b, &config);
	data = image_finish(b, &size);
	image_builder_free(b);
	if (image_open(&img, data, size, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(img.types[row].kind, IMAGE_K_TUPLE);
	assert_int_equal(img.types[row].count, 4);
	assert_int_equal(img.types[row].size, 96 + 4 + 4 + 8);
	node = img.fields[img.types[row].fields].type;
	assert_int_equal(img.types[node].kind, IMAGE_K_STRUCT);
	/* 12 of its own, and the two of its anonymous union */
	assert_int_equal(img.types[node].count, 14);
	assert_string_equal(image_str(&img, img.types[node].name), "node");
	assert_int_equal(img.fields[img.types[node].fields + 4].bit_off, 1);
	assert_int_equal(img.fields[img.types[node].fields + 4].bit_size, 7);
	/* pointers are not followed, else this would not end */
	assert_int_equal(img.types[img.fields[img.types[node].fields].type].elem, IMAGE_NONE);
	assert_int_equal(img.nenums, 2);
	assert_int_equal(img.enums[1].value, 7);
	free(data);
}

#define test(f)         cmocka_unit_test_setup_teardown(f, setup, teardown)
#define test_running(f) cmocka_unit_test_setup_teardown(f, setup_running, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_layout),
		test(test_names),
		test(test_equality),
		test(test_copy),
		test(test_aggregation_sizes),
		test(test_basic_names),
		test(test_btf_names),
		test(test_struct_fields),
		test(test_enumerators),
		test_running(test_kernel_structs),
		test(test_format_fields),
		test(test_system_call_format),
		test(test_format_that_is_none),
		test(test_print_fields),
		test_running(test_running_tracepoints),
		test_running(test_every_tracepoint_of_the_kernel),
		test(test_function_args),
		test(test_raw_tracepoint_args),
		test(test_to_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
