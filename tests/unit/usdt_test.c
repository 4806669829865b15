/* SPDX-License-Identifier: Apache-2.0 */
/* usdt: what attach points stand for, and how operands are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../workload/usdt_note.h"
#include "probes/probes.h"
#include "probes/usdt_notes.h"
#include "probes/usdt_operands.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))
#define SELF      "/proc/self/exe"

/* Found by their notes in this very program. */
__attribute__((used)) static void probes_to_find(int n)
{
	__asm__ volatile(USDT_NOTE("first", "alpha", "0", "-4@%%edi") : : "D"(n));
	__asm__ volatile(USDT_NOTE("first", "beta", "0", "") : :);
	__asm__ volatile(USDT_NOTE("second", "alpha", "0", "8@$1 8@$2") : :);
	__asm__ volatile(USDT_NOTE("first", "alpha", "0", "-4@%%esi") : : "S"(n));
}

/* ---- operands ------------------------------------------------------------------ */

#if defined(__x86_64__)
static void test_operands(void **state)
{
	/* offsets in struct pt_regs: ax 80, bp 32, di 112, si 104, r9 64, ip 128 */
	static const struct {
		const char *text;
		struct usdt_operand op;
	} rows[] = {
		{"-4@$-5", {USDT_CONSTANT, 4, true, -5, -1, -1, 0, 0}},
		{"8@$0xffffffffffffffff", {USDT_CONSTANT, 8, false, -1, -1, -1, 0, 0}},
		{"%rax", {USDT_REGISTER, 8, false, 0, 80, -1, 0, 0}},
		{"4@%eax", {USDT_REGISTER, 4, false, 0, 80, -1, 0, 0}},
		{"-2@%ax", {USDT_REGISTER, 2, true, 0, 80, -1, 0, 0}},
		{"1@%al", {USDT_REGISTER, 1, false, 0, 80, -1, 0, 0}},
		{"1@%ah", {USDT_REGISTER, 1, false, 0, 80, -1, 0, 8}},
		{"1@%dil", {USDT_REGISTER, 1, false, 0, 112, -1, 0, 0}},
		{"4@%r9d", {USDT_REGISTER, 4, false, 0, 64, -1, 0, 0}},
		{"8@(%rdi)", {USDT_MEMORY, 8, false, 0, 112, -1, 1, 0}},
		{"-1@-8(%rbp)", {USDT_MEMORY, 1, true, -8, 32, -1, 1, 0}},
		{"4@16(%rdi,%rsi,4)", {USDT_MEMORY, 4, false, 16, 112, 104, 4, 0}},
		{"4@(%rdi,%rsi)", {USDT_MEMORY, 4, false, 0, 112, 104, 1, 0}},
		{"2@0x10(,%rsi,8)", {USDT_MEMORY, 2, false, 16, -1, 104, 8, 0}},
		{"4@-100(%rip)", {USDT_MEMORY, 4, false, -100, 128, -1, 1, 0}},
		{"4@4096", {USDT_MEMORY, 4, false, 4096, -1, -1, 0, 0}},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct usdt_operand *want = &rows[i].op;
		struct usdt_operand op;
		char why[128];

		if (usdt_operand_parse(rows[i].text, 0, &op, why, sizeof(why)))
			fail_msg("%s: %s", rows[i].text, why);
		if (op.kind != want->kind || op.size != want->size ||
		    op.is_signed != want->is_signed || op.value != want->value ||
		    op.base != want->base || op.index != want->index || op.scale != want->scale ||
		    op.shift != want->shift)
			fail_msg("%s: kind %d size %d %ld base %d index %d", rows[i].text, op.kind,
				 op.size, (long)op.value, op.base, op.index);
	}
}

static void test_operands_not_understood(void **state)
{
	static const char *const rows[] = {
		"3@%eax",     "8f@%xmm0",    "16@%xmm0",  "8@%xmm0",         "4@",
		"4@$",        "4@$x",        "4@%eax+1",  "8@8(%rax",        "8@8()",
		"8@(%rax,%)", "8@(%rax,,1)", "8@%fs:8",   "8@(%rax,%rbx,3)", "4@name(%rip)",
		"@%rax",      "x@%rax",      "8@(%rax)!", "8@(%rax,%rbx,0)", "4@%",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct usdt_operand op;
		char why[128] = "";
		int code = usdt_operand_parse(rows[i], 0, &op, why, sizeof(why));

		if (code != -EINVAL || strcmp(why, rows[i]))
			fail_msg("%s: %d '%s'", rows[i], code, why);
	}
}
#endif

static void test_list_of_operands(void **state)
{
	const char *text = " 8@$1  4@$2 x 2@$3 ";
	struct usdt_operand op;
	char why[128];

	(void)state;
	assert_int_equal(usdt_operands_count(text), 4);
	assert_int_equal(usdt_operands_count(""), 0);
	assert_int_equal(usdt_operand_parse(text, 1, &op, why, sizeof(why)), 0);
	assert_int_equal(op.value, 2);
	assert_int_equal(usdt_operand_parse(text, 2, &op, why, sizeof(why)), -EINVAL);
	assert_int_equal(usdt_operand_parse(text, 3, &op, why, sizeof(why)), 0);
	assert_int_equal(op.value, 3);
	assert_int_equal(usdt_operand_parse(text, 4, &op, why, sizeof(why)), -ENOENT);
	assert_int_equal(usdt_operand_parse("", 0, &op, why, sizeof(why)), -ENOENT);
}

/* ---- attach points ------------------------------------------------------------------ */

struct points {
	unsigned n;
	char names[8][128], operands[8][64];
	int64_t offsets[8];
};

static int collect(const struct probe_point *p, void *arg)
{
	struct points *ps = arg;

	assert_true(ps->n < LENGTH(ps->names));
	snprintf(ps->names[ps->n], sizeof(ps->names[0]), "%s", p->name);
	snprintf(ps->operands[ps->n], sizeof(ps->operands[0]), "%s",
		 p->operands ? p->operands : "");
	ps->offsets[ps->n++] = p->arg[0];
	return 0;
}

static int expand_parts(struct target *t, size_t n, const char *const *parts, struct points *ps,
			char err[256])
{
	memset(ps, 0, sizeof(*ps));
	*err = 0;
	return probe_type_find("U")->expand(t, parts, n, collect, ps, err, 256);
}
#define EXPAND(t, ps, err, ...)                                                                    \
	expand_parts(t, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                    \
		     (const char *[]){__VA_ARGS__}, ps, err)

static void test_notes(void **state)
{
	struct target *t = target_open_running();
	struct points ps;
	char err[256];

	(void)state;
	assert_int_equal(EXPAND(t, &ps, err, SELF, "first", "*"), 0);
	assert_int_equal(ps.n, 3);
	assert_string_equal(ps.names[0], "usdt:" SELF ":first:alpha");
	assert_string_equal(ps.names[1], ps.names[0]);
	assert_true(ps.offsets[0] > 0 && ps.offsets[0] < ps.offsets[1]);
	assert_string_equal(ps.operands[0], "-4@%edi");
	assert_string_equal(ps.operands[1], "-4@%esi");
	assert_string_equal(ps.names[2], "usdt:" SELF ":first:beta");
	assert_string_equal(ps.operands[2], "");
	assert_int_equal(EXPAND(t, &ps, err, SELF, "alpha"), 0); /* of any provider */
	assert_int_equal(ps.n, 3);
	assert_string_equal(ps.names[2], "usdt:" SELF ":second:alpha");
	assert_int_equal(EXPAND(t, &ps, err, SELF, "", "bet*"), 0);
	assert_int_equal(ps.n, 1);
	target_close(t);
}

static void test_of_a_process(void **state)
{
	struct target *t = target_open_running();
	struct points ps;
	char err[256];

	(void)state;
	target_set_pid(t, getpid());
	assert_int_equal(EXPAND(t, &ps, err, "beta"), 0);
	assert_int_equal(ps.n, 1);
	assert_int_equal(EXPAND(t, &ps, err, "", "second", "*"), 0);
	assert_int_equal(ps.n, 1);
	assert_int_equal(EXPAND(t, &ps, err, "*", "second", "alpha"), 0);
	assert_int_equal(ps.n, 1);
	target_close(t);
}

static void test_errors(void **state)
{
	struct target *t = target_open_running();
	struct points ps;
	char err[256];

	(void)state;
	assert_int_equal(EXPAND(t, &ps, err, "a"), -EINVAL);
	assert_string_equal(err, "usdt probe type requires 2 or 3 arguments, found 1");
	assert_int_equal(EXPAND(t, &ps, err, "a", "b", "c", "d"), -EINVAL);
	assert_int_equal(EXPAND(t, &ps, err, SELF, "first", ""), -EINVAL);
	assert_string_equal(err, "usdt probe must have a target function or wildcard");
	assert_int_equal(EXPAND(t, &ps, err, "", "first", "alpha"), -EINVAL);
	assert_int_equal(EXPAND(t, &ps, err, "/no/such", "alpha"), -ENOENT);
	assert_string_equal(err, "usdt target file '/no/such' does not exist or is not executable");
	assert_int_equal(EXPAND(t, &ps, err, SELF, "first", "gamma"), -ENOENT);
	assert_string_equal(err, "No matches for usdt " SELF ":first:gamma.");
	assert_int_equal(ps.n, 0);
	target_close(t);
}

/* A probe of two places is listed once. */
static void test_list(void **state)
{
	struct target *t = target_open_running();
	struct points ps = {0};

	(void)state;
	assert_int_equal(probe_type_find("usdt")->list(t, "usdt:" SELF ":first:*", collect, &ps),
			 0);
	assert_int_equal(ps.n, 2);
	memset(&ps, 0, sizeof(ps));
	assert_int_equal(probe_type_find("usdt")->list(t, "*:" SELF ":*", collect, &ps), 0);
	assert_int_equal(ps.n, 3);
	memset(&ps, 0, sizeof(ps));
	assert_int_equal(probe_type_find("usdt")->list(t, "*:*", collect, &ps), 0);
	assert_int_equal(ps.n, 0); /* of no file: nothing */
	target_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_operands_not_understood),
#endif
		cmocka_unit_test(test_list_of_operands),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_of_a_process),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_list),
	};

	(void)probes_to_find;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
