/* SPDX-License-Identifier: Apache-2.0 */
/* uprobe and uretprobe: what attach points stand for, and where instructions begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/elf_file.h"
#include "probes/probes.h"
#include "probes/user_path.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))
#define SELF      "/proc/self/exe"

/* Found by name in this very program. */
__attribute__((noinline, used)) int uprobe_test_one(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}

__attribute__((noinline, used)) int uprobe_test_two(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 2;
}

static int open_target(void **state)
{
	*state = target_open_running();
	return 0;
}

static int close_target(void **state)
{
	target_close(*state);
	return 0;
}

struct points {
	unsigned n;
	char names[8][128];
	struct probe_point last;
	char unsafe[512];
};

static int collect(const struct probe_point *p, void *arg)
{
	struct points *ps = arg;

	if (ps->n < LENGTH(ps->names))
		snprintf(ps->names[ps->n], sizeof(ps->names[0]), "%s", p->name);
	ps->n++;
	ps->last = *p;
	snprintf(ps->unsafe, sizeof(ps->unsafe), "%s", p->unsafe ? p->unsafe : "");
	return 0;
}

static int expand(struct target *t, const char *written, struct points *ps, char err[256])
{
	char text[256], *save = NULL, *parts[8] = {0};
	size_t n = 0;

	/* "a::b" has an empty part, which strtok would pass over */
	snprintf(text, sizeof(text), "%s", written);
	for (char *s = text; n < LENGTH(parts); *save = 0, s = save + 1) {
		parts[n++] = s;
		save = strchr(s, ':');
		if (!save)
			break;
	}
	memset(ps, 0, sizeof(*ps));
	*err = 0;
	return probe_type_find(parts[0])->expand(t, (const char *const *)parts + 1, n - 1, collect,
						 ps, err, 256);
}

static void test_errors(void **state)
{
	static const struct {
		const char *written, *err;
		int code;
	} rows[] = {
#define INVALID(written, text) {written, text, -EINVAL}
		INVALID("uprobe", "uprobe probe type requires 2 or 3 arguments, found 0"),
		INVALID("u:" SELF, "uprobe probe type requires 2 or 3 arguments, found 1"),
		INVALID("ur:a:b:c:d", "uretprobe probe type requires 2 or 3 arguments, found 4"),
		INVALID("uprobe::main", "uprobe should have a target"),
		INVALID("uprobe:" SELF ":",
			"uprobe should be attached to a function and/or address"),
		INVALID("uprobe:" SELF ":c:main", "unsupported language type: c"),
		INVALID("ur:" SELF ":@:a.c:1", "Source code location not allowed"),
		INVALID("uprobe:" SELF ":@:a.c:x", "Invalid line number: invalid integer: x"),
		INVALID("uprobe:" SELF ":@:a.c:0", "Invalid line number: 0"),
		INVALID("uprobe:" SELF ":@:a.c:1:0", "Invalid column number: 0"),
		INVALID("uprobe:/bin/*:@:a.c:1", "Cannot use wildcards with source code location"),
		INVALID("uprobe:" SELF ":@:a.c", "Invalid uprobe arguments, expected format: "
						 "uprobe:TARGET@FILE:LINE[:COL]"),
		INVALID("uprobe:" SELF ":a+1+2", "Cannot take more than one offset"),
		INVALID("uprobe:" SELF ":a+", "Invalid offset"),
		INVALID("uprobe:" SELF ":+4", "Invalid offset"),
		INVALID("uprobe:" SELF ":a+x", "Invalid offset: invalid integer: x"),
		INVALID("uretprobe:" SELF ":a+4", "Offset not allowed"),
		INVALID("uprobe:/bin/*:0x10", "Cannot use wildcards with absolute address"),
		INVALID("uprobe:" SELF ":0x1", "Address 0x1 is not code of " SELF),
		INVALID("uprobe:" SELF ":uprobe_test_one+999999",
			"Offset outside the function bounds ('uprobe_test_one' size is "),
		{"uprobe:/no/such:main",
		 "uprobe target file '/no/such' does not exist or is not executable", -ENOENT},
		{"uprobe:no_such_program:main",
		 "uprobe target file 'no_such_program' does not exist or is not executable",
		 -ENOENT},
		{"uprobe:/etc/passwd:main",
		 "uprobe target file '/etc/passwd' does not exist or is not executable", -ENOENT},
		{"uprobe:" SELF ":no_such", "No matches for uprobe " SELF ":no_such.", -ENOENT},
		{"uprobe:" SELF ":cpp:no_such", "No matches for uprobe " SELF ":no_such.", -ENOENT},
		{"ur:" SELF ":no_such*", "No matches for uretprobe " SELF ":no_such*.", -ENOENT},
	};
	struct points ps;
	char err[256];

	for (size_t i = 0; i < LENGTH(rows); i++) {
		int code = expand(*state, rows[i].written, &ps, err);

		/* a row that ends with a space goes on with a number */
		size_t n = strlen(rows[i].err) + (rows[i].err[strlen(rows[i].err) - 1] != ' ');

		if (code != rows[i].code || strncmp(err, rows[i].err, n))
			fail_msg("%s: %d '%s'", rows[i].written, code, err);
		assert_int_equal(ps.n, 0);
	}
}

static void test_functions(void **state)
{
	struct points ps;
	char err[256], exe[256] = "";

	assert_true(readlink(SELF, exe, sizeof(exe) - 1) > 0);
	assert_int_equal(expand(*state, "u:" SELF ":uprobe_test_*", &ps, err), 0);
	assert_int_equal(ps.n, 2);
	assert_string_equal(ps.names[0], "uprobe:" SELF ":uprobe_test_one");
	assert_string_equal(ps.names[1], "uprobe:" SELF ":uprobe_test_two");
	assert_int_equal(ps.last.attach, IMAGE_AT_UPROBE);
	assert_true(ps.last.arg[0] > 0);
	assert_true(ps.last.arg[1] != 0);
	assert_int_equal(expand(*state, "ur:" SELF ":uprobe_test_one", &ps, err), 0);
	assert_int_equal(ps.n, 1);
	assert_string_equal(ps.names[0], "uretprobe:" SELF ":uprobe_test_one");
	assert_int_equal(ps.last.attach, IMAGE_AT_URETPROBE);
	assert_string_equal(ps.unsafe, "");
}

/* The first byte of the function is an instruction, and so is what comes behind it. */
static void test_offsets(void **state)
{
	const uint8_t *code = (const uint8_t *)(uintptr_t)uprobe_test_one;
	char written[128], err[256];
	struct points ps;
	int64_t start;
	size_t second = 1;

	assert_int_equal(expand(*state, "u:" SELF ":uprobe_test_one", &ps, err), 0);
	start = ps.last.arg[0];
	while (insn_starts_at(code, 16, second) != 1)
		second++;
	snprintf(written, sizeof(written), "u:" SELF ":uprobe_test_one+%zu", second);
	assert_int_equal(expand(*state, written, &ps, err), 0);
	assert_int_equal(ps.n, 1);
	assert_int_equal(ps.last.arg[0], start + (int64_t)second);
	assert_string_equal(ps.unsafe, "");
	if (second == 1)
		return;
	assert_int_equal(expand(*state, "u:" SELF ":uprobe_test_one+1", &ps, err), 0);
	if (strncmp(ps.unsafe, "Could not add uprobe into middle of instruction: ", 49))
		fail_msg("%s", ps.unsafe);
}

static void test_list(void **state)
{
	const struct probe_type *u = probe_type_find("u"), *ur = probe_type_find("ur");
	struct points ps = {0};

	assert_int_equal(u->list(*state, "uprobe:" SELF ":uprobe_test_*", collect, &ps), 0);
	assert_int_equal(ps.n, 2);
	assert_int_equal(ur->list(*state, "uprobe:" SELF ":uprobe_test_*", collect, &ps), 0);
	assert_int_equal(ps.n, 2);
	assert_int_equal(u->list(*state, "*:" SELF ":uprobe_test_one", collect, &ps), 0);
	assert_int_equal(ur->list(*state, "*:" SELF ":uprobe_test_one", collect, &ps), 0);
	assert_int_equal(ps.n, 3);
	/* nothing that would read every program there is */
	assert_int_equal(u->list(*state, "*:*", collect, &ps), 0);
	assert_int_equal(u->list(*state, "uprobe_test_one", collect, &ps), 0);
	assert_int_equal(ps.n, 3);
}

static void test_paths(void **state)
{
	struct user_paths paths;
	char *own;

	(void)state;
	assert_int_equal(user_paths_find(&paths, "sh", 0), 0);
	assert_int_equal(paths.n, 1);
	assert_true(paths.items[0][0] == '/' && strstr(paths.items[0], "/sh"));
	user_paths_free(&paths);
	assert_int_equal(user_paths_find(&paths, "libc", 0), 0);
	assert_int_equal(paths.n, 1);
	assert_non_null(strstr(paths.items[0], "/libc.so"));
	user_paths_free(&paths);
	assert_int_equal(user_paths_find(&paths, "libc", getpid()), 0);
	assert_int_equal(paths.n, 1);
	assert_non_null(strstr(paths.items[0], "/libc.so"));
	user_paths_free(&paths);
	assert_int_equal(user_paths_find(&paths, "*", getpid()), 0);
	assert_true(paths.n >= 3); /* this program, libc, the loader */
	user_paths_free(&paths);
	assert_int_equal(user_paths_find(&paths, "/bin/s*", 0), 0);
	assert_true(paths.n >= 1);
	user_paths_free(&paths);
	own = user_path_of_process(getpid());
	assert_non_null(strstr(own, "uprobe_test"));
	free(own);
}

#if defined(__x86_64__)
/* Instructions one after the other, from an assembler. */
static void test_instructions(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
#define INSN(bytes) {bytes, sizeof(bytes) - 1}
		INSN("\x55"),                                     /* push %rbp */
		INSN("\x48\x89\xe5"),                             /* mov %rsp,%rbp */
		INSN("\xf3\x0f\x1e\xfa"),                         /* endbr64 */
		INSN("\x48\x83\xec\x08"),                         /* sub $8,%rsp */
		INSN("\x48\x8b\x05\x01\x02\x03\x04"),             /* mov 0x4030201(%rip),%rax */
		INSN("\x48\x8b\x44\x24\x08"),                     /* mov 8(%rsp),%rax */
		INSN("\x8b\x04\x25\x01\x02\x03\x04"),             /* mov 0x4030201,%eax */
		INSN("\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08"), /* movabs */
		INSN("\x66\xb8\x01\x02"),                         /* mov $0x201,%ax */
		INSN("\xe8\x01\x02\x03\x04"),                     /* call */
		INSN("\x0f\x84\x01\x02\x03\x04"),                 /* je */
		INSN("\xf6\xc1\x01"),                             /* test $1,%cl */
		INSN("\xf7\xd8"),                                 /* neg %eax */
		INSN("\xf7\xc1\x01\x02\x03\x04"),                 /* test $0x4030201,%ecx */
		INSN("\x66\x0f\x3a\x0f\xc1\x08"),                 /* palignr $8,%xmm1,%xmm0 */
		INSN("\x66\x0f\x38\x00\xc1"),                     /* pshufb %xmm1,%xmm0 */
		INSN("\xc5\xf8\x77"),                             /* vzeroupper */
		INSN("\xc5\xfd\x6f\x07"),                         /* vmovdqa (%rdi),%ymm0 */
		INSN("\xc4\xe3\x7d\x39\xc1\x01"),                 /* vextracti128 $1,%ymm0,%xmm1 */
		INSN("\x62\xf1\xfe\x48\x6f\x07"),                 /* vmovdqu64 (%rdi),%zmm0 */
		INSN("\xc8\x10\x00\x00"),                         /* enter $16,$0 */
		INSN("\x64\x48\x8b\x04\x25\x28\x00\x00\x00"),     /* mov %fs:0x28,%rax */
		INSN("\xc3"),                                     /* ret */
	};
	uint8_t code[256];
	size_t at = 0, start[LENGTH(rows) + 1];

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		start[i] = at;
		memcpy(code + at, rows[i].bytes, rows[i].n);
		at += rows[i].n;
	}
	for (size_t i = 0, next = 0; i < at; i++) {
		bool begins = next < LENGTH(rows) && start[next] == i;

		if (insn_starts_at(code, at, i) != begins)
			fail_msg("byte %zu, near instruction %zu", i, next);
		next += begins;
	}
	assert_int_equal(insn_starts_at(code, at, at), 0);
	assert_int_equal(insn_starts_at(code, 2, 3), -1);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),       cmocka_unit_test(test_functions),
		cmocka_unit_test(test_offsets),      cmocka_unit_test(test_list),
		cmocka_unit_test(test_paths),
#if defined(__x86_64__)
		cmocka_unit_test(test_instructions),
#endif
	};

	return cmocka_run_group_tests(tests, open_target, close_target);
}
