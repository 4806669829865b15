/* SPDX-License-Identifier: Apache-2.0 */
/* kprobe, fentry and their returns: what is written wrong, and the kernel's functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "probes/probes.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

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
	char first[128];
	struct probe_point last;
	bool unsafe;
};

static int collect(const struct probe_point *p, void *arg)
{
	struct points *ps = arg;

	if (!ps->n++)
		snprintf(ps->first, sizeof(ps->first), "%s", p->name);
	ps->last = *p;
	ps->unsafe = p->unsafe;
	return 0;
}

static int expand(struct target *t, const char *written, struct points *ps, char err[256])
{
	char text[256], *parts[8], *s = text;
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", written);
	for (;;) {
		parts[n++] = s;
		s = strchr(s, ':');
		if (!s)
			break;
		*s++ = 0;
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
		INVALID("kprobe", "kprobe probe type requires 1 or 2 arguments, found 0"),
		INVALID("kr:a:b:c", "kretprobe probe type requires 1 or 2 arguments, found 3"),
		INVALID("kprobe:", "kprobes should be attached to a function or an address"),
		INVALID("k:vmlinux:", "kprobes should be attached to a function or an address"),
		INVALID("kprobe:a+1+2", "Cannot take more than one offset"),
		INVALID("kprobe:a+", "Invalid offset"),
		INVALID("kprobe:+1", "Invalid offset"),
		INVALID("kprobe:a+x", "Invalid offset: invalid integer: x"),
		INVALID("kretprobe:a+1", "Offset not allowed"),
		INVALID("fentry", "fentry probe type requires 1 or 3 arguments, found 0"),
		INVALID("fr:a:b:c:d", "fexit probe type requires 1 or 3 arguments, found 4"),
		INVALID("f:a:b:c", "Only the 'bpf' variant of this probe supports 4 arguments"),
		INVALID("f:bpf:x", "the 'bpf' variant of this probe is not supported yet"),
		INVALID("kfunc:", "fentry/fexit should specify a function"),
		INVALID("kretfunc:vmlinux:", "fentry/fexit should specify a function"),
		{"kprobe:no_mod:vfs_read",
		 "specified module no_mod in probe kprobe:no_mod:vfs_read is not loaded.", -ENOENT},
		{"kprobe:no_such_function", "No matches for kprobe no_such_function", -ENOENT},
		{"kr:no_such_*", "No matches for kretprobe no_such_*", -ENOENT},
		{"f:no_such_function", "No matches for fentry no_such_function", -ENOENT},
		{"fr:vmlinux:no_such_*", "No matches for fexit vmlinux:no_such_*", -ENOENT},
	};
	struct points ps;
	char err[256];

	for (size_t i = 0; i < LENGTH(rows); i++) {
		int code = expand(*state, rows[i].written, &ps, err);

		/* a kernel without such probes says so behind it */
		if (code != rows[i].code || strncmp(err, rows[i].err, strlen(rows[i].err)))
			fail_msg("%s: %d '%s'", rows[i].written, code, err);
		assert_int_equal(ps.n, 0);
	}
}

static void test_address(void **state)
{
	struct points ps;
	char err[256];

	assert_int_equal(expand(*state, "k:0xffffffff81000000", &ps, err), 0);
	assert_string_equal(ps.first, "kprobe:18446744071578845184");
	assert_true(ps.unsafe);
	assert_int_equal((uint64_t)ps.last.arg[0], 0xffffffff81000000);
}

static int count(const char *module, const char *name, void *arg)
{
	(void)module;
	assert_true(!strncmp(name, "vfs_", 4));
	++*(unsigned *)arg;
	return 0;
}

static int in_order(const char *module, const char *name, void *arg)
{
	char *last = arg;

	(void)module;
	assert_true(strcmp(last, name) <= 0);
	snprintf(last, 256, "%s", name);
	return 0;
}

static int stop(const char *module, const char *name, void *arg)
{
	assert_string_equal(module, "vmlinux");
	assert_string_equal(name, "vfs_read");
	++*(unsigned *)arg;
	return 7;
}

/* The list that there is: the tracer's, or all symbols. */
static void test_functions(void **state)
{
	unsigned n = 0;
	char last[256] = "";

	if (target_each_function(*state, "*", "vfs_read", stop, &n) == -ENOENT)
		skip();
	assert_int_equal(n, 1);
	assert_int_equal(target_each_function(*state, "vmlinux", "vfs_*", count, &n), 0);
	assert_true(n > 20);
	assert_int_equal(target_each_function(*state, "*", "vfs_read", stop, &n), 7);
	assert_int_equal(target_each_function(*state, "*", "a*", in_order, last), 0);
	assert_true(*last == 'a');
	assert_int_equal(target_each_function(*state, "no_mod", "*", count, &n), 0);
	assert_true(target_has_module(*state, "vmlinux"));
	assert_false(target_has_module(*state, "no_mod"));
}

static void test_expansion(void **state)
{
	struct target *t = *state;
	struct points ps;
	char err[256];

	if (!target_has(t, TARGET_F_KPROBE) || !target_has(t, TARGET_F_FENTRY))
		skip();
	assert_int_equal(expand(t, "k:vfs_read", &ps, err), 0);
	assert_int_equal(ps.n, 1);
	assert_string_equal(ps.first, "kprobe:vfs_read");
	assert_int_equal(expand(t, "k:vfs_read+4", &ps, err), 0);
	assert_string_equal(ps.first, "kprobe:vfs_read+4");
	assert_int_equal(ps.last.arg[0], 4);
	assert_int_equal(expand(t, "kr:vmlinux:vfs_rea*", &ps, err), 0);
	assert_string_equal(ps.first, "kretprobe:vmlinux:vfs_read");
	assert_true(ps.n > 1);
	assert_int_equal(expand(t, "f:vfs_read", &ps, err), 0);
	assert_int_equal(ps.n, 1);
	assert_string_equal(ps.first, "fentry:vmlinux:vfs_read");
	assert_int_equal(ps.last.attach, IMAGE_AT_FENTRY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_expansion),
	};

	return cmocka_run_group_tests(tests, open_target, close_target);
}
