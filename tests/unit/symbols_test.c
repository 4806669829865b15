/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "symbols/internal.h"

static int setup(void **state)
{
	*state = symbols_new(NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	symbols_free(*state);
	return 0;
}

__attribute__((noinline)) void symbols_test_landmark(void)
{
	__asm__ volatile("nop; nop; nop; nop");
}

static void test_own_symbol(void **state)
{
	uint64_t addr = (uintptr_t)symbols_test_landmark, offset = 99;
	const char *module = NULL;

	assert_string_equal(symbols_user(*state, getpid(), addr, &offset, &module),
			    "symbols_test_landmark");
	assert_int_equal(offset, 0);
	assert_non_null(strstr(module, "symbols"));
	assert_string_equal(symbols_user(*state, getpid(), addr + 2, &offset, NULL),
			    "symbols_test_landmark");
	assert_int_equal(offset, 2);
}

static void test_library_symbol(void **state)
{
	uint64_t offset;
	const char *module = NULL, *name;

	name = symbols_user(*state, getpid(), (uintptr_t)getppid, &offset, &module);
	assert_non_null(name);
	assert_non_null(strstr(name, "getppid"));
	assert_int_equal(offset, 0);
	assert_non_null(strstr(module, "libc"));
}

static void test_no_user_symbol(void **state)
{
	uint64_t offset;
	int heap = 0;

	assert_null(symbols_user(*state, getpid(), 1, &offset, NULL));
	assert_null(symbols_user(*state, getpid(), (uintptr_t)&heap, &offset, NULL));
	assert_null(symbols_user(*state, 0x7fffffff, (uintptr_t)getppid, &offset, NULL));
}

/* What was learnt of a process outlives it. */
static void test_dead_process(void **state)
{
	uint64_t addr = (uintptr_t)symbols_test_landmark, offset;
	int hold[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(hold), 0);
	pid = fork();
	if (!pid) {
		close(hold[1]);
		_exit(read(hold[0], &c, 1) != 0);
	}
	close(hold[0]);
	assert_non_null(symbols_user(*state, pid, addr, &offset, NULL));
	close(hold[1]);
	waitpid(pid, NULL, 0);
	assert_string_equal(symbols_user(*state, pid, addr, &offset, NULL),
			    "symbols_test_landmark");
}

static void test_demangling(void **state)
{
	static const struct {
		const char *mangled, *text; /* NULL: not a mangled name */
	} rows[] = {
		{"main", NULL},
		{"_Zwrong", NULL},
		{"_ZN2ns4funcEi", "ns::func(int)"},
		{"_ZNSt6vectorIiSaIiEE9push_backERKi",
		 "std::vector<int, std::allocator<int> >::push_back(int const&)"},
		{"_ZN4core3fmt9Formatter3pad17h1234567890abcdefE", "core::fmt::Formatter::pad"},
		{"_RNvC6_123foo3bar", "123foo::bar"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = symbols_demangle(rows[i].mangled);

		if (rows[i].text)
			assert_string_equal(text, rows[i].text);
		else
			assert_null(text);
		free(text);
	}
}

/* A function goes before a label in it, and where sizes are known there are gaps. */
static void test_holder(void **state)
{
	struct symtab t = {0};

	(void)state;
	symtab_add(&t, 100, 50, 0, "function", 8);
	symtab_add(&t, 120, 0, 2, "label", 5);
	symtab_add(&t, 200, 0, 2, "unsized", 7);
	symtab_add(&t, 300, 10, 0, "last", 4);
	symtab_sort(&t);
	assert_null(symtab_holder(&t, 99));
	assert_string_equal(t.names + symtab_holder(&t, 100)->name, "function");
	assert_string_equal(t.names + symtab_holder(&t, 130)->name, "function");
	assert_string_equal(t.names + symtab_holder(&t, 160)->name, "label");
	assert_string_equal(t.names + symtab_holder(&t, 299)->name, "unsized");
	assert_string_equal(t.names + symtab_holder(&t, 309)->name, "last");
	assert_null(symtab_holder(&t, 310));
	symtab_free(&t);
}

static void test_kernel(void **state)
{
	uint64_t offset = 0, addr = symbols_kernel_addr(*state, "vfs_read");

	if (!addr) /* addresses are hidden from this user */
		skip();
	assert_string_equal(symbols_kernel(*state, addr, &offset), "vfs_read");
	assert_int_equal(offset, 0);
	assert_string_equal(symbols_kernel(*state, addr + 5, &offset), "vfs_read");
	assert_int_equal(offset, 5);
}

static void test_no_kernel_symbol(void **state)
{
	uint64_t offset;

	assert_null(symbols_kernel(*state, 0x4d2, &offset));
	assert_null(symbols_kernel(*state, UINT64_MAX, &offset));
	assert_int_equal(symbols_kernel_addr(*state, "no such symbol"), 0);
}

/* Every block device by the number in its sysfs folder. */
static void test_disks(void **state)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *e;
	unsigned n = 0;

	while (dir && (e = readdir(dir))) {
		char path[300], want[256];
		unsigned major, minor;
		FILE *f;

		snprintf(path, sizeof(path), "/sys/block/%s/dev", e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (!f)
			continue;
		assert_int_equal(fscanf(f, "%u:%u", &major, &minor), 2);
		fclose(f);
		snprintf(want, sizeof(want), "%s", e->d_name);
		for (char *p = want; *p; p++)
			*p = *p == '!' ? '/' : *p;
		assert_string_equal(symbols_disk(*state, major << 20 | minor), want);
		n++;
	}
	if (dir)
		closedir(dir);
	if (!n)
		skip();
}

static void test_unknown_disk(void **state)
{
	assert_string_equal(symbols_disk(*state, 4095u << 20 | 77), "4095:77");
	assert_string_equal(symbols_disk(*state, 4094u << 20), "4094:0");
	assert_string_equal(symbols_disk(*state, 4095u << 20 | 77), "4095:77");
}

/* More than are kept at a time. */
static void test_many_disks(void **state)
{
	char want[32];

	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 600; i++) {
			snprintf(want, sizeof(want), "4095:%u", i);
			assert_string_equal(symbols_disk(*state, 4095u << 20 | i), want);
		}
}

static void test_users(void **state)
{
	assert_string_equal(symbols_user_name(*state, 0), "root");
	assert_string_equal(symbols_user_name(*state, 4123456789), "4123456789");
}

static void test_cgroup(void **state)
{
	const char *root = "/sys/fs/cgroup/cgroup.procs";
	struct stat st;

	assert_string_equal(symbols_cgroup(*state, 1234567890123), "1234567890123");
	if (access(root, F_OK)) /* not the unified hierarchy */
		root = "/sys/fs/cgroup/unified/cgroup.procs";
	if (access(root, F_OK) || stat("/sys/fs/cgroup", &st))
		skip();
	if (strstr(root, "unified"))
		assert_int_equal(stat("/sys/fs/cgroup/unified", &st), 0);
	assert_string_equal(symbols_cgroup(*state, st.st_ino), "unified:/");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_own_symbol),   TEST(test_library_symbol),   TEST(test_no_user_symbol),
		TEST(test_demangling),   TEST(test_holder),           TEST(test_dead_process),
		TEST(test_kernel),       TEST(test_no_kernel_symbol), TEST(test_disks),
		TEST(test_unknown_disk), TEST(test_many_disks),       TEST(test_users),
		TEST(test_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
