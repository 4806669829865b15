/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "target/target_internal.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

/* Skips a test with the reason on stderr. */
#define skip_unless(condition, reason)                                                             \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s: skipped: %s\n", __func__, reason);                    \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

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

static bool can_load(void)
{
	struct target *t = target_open_running();
	bool ok = target_has(t, TARGET_F_CPU_V2);

	target_close(t);
	return ok;
}

static char *read_file(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_true(getdelim(&text, &size, 0, f) >= 0);
	fclose(f);
	return text;
}

/* ---- wildcards ------------------------------------------------------------- */

static void test_glob(void **state)
{
	static const struct {
		const char *pattern, *s;
		bool matches;
	} rows[] = {
		{"abc", "abc", true},
		{"abc", "abcd", false},
		{"abc", "ab", false},
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"a*", "a", true},
		{"a*c", "abbbc", true},
		{"a*c", "abbbcd", false},
		{"*c*", "abcd", true},
		{"**", "x", true},
		{"*ab", "aab", true},
		{"*aab", "aaab", true},
		{"a?c", "abc", false},
		{"a?c", "a?c", true},
		{"[ab]", "a", false},
		{"[ab]", "[ab]", true},
		{"a.c", "abc", false},
		{"*x*y*z", "1x2y3z", true},
		{"*x*y*z", "1y2x3z", false},
		{"a*b*c", "a*b*c", true},
		{"sys_*_open", "sys_enter_open", true},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (target_glob(rows[i].pattern, rows[i].s) != rows[i].matches)
			fail_msg("'%s' against '%s'", rows[i].pattern, rows[i].s);
	}
	assert_true(target_has_wildcard("a*"));
	assert_false(target_has_wildcard("a?[b]"));
}

/* ---- features -------------------------------------------------------------- */

static unsigned count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void test_nothing_is_tried_before_it_is_asked_for(void **state)
{
	unsigned fds = count_fds();
	struct target *t = target_open_running();

	(void)state;
	for (int f = 0; f < TARGET_NFEATURES; f++)
		assert_int_equal(t->feature[f], FEATURE_UNKNOWN);
	assert_false(t->btf_bytes_tried);
	assert_int_equal(t->tracefs, -1);
	assert_int_equal(count_fds(), fds);
	target_close(t);
}

static void test_features_are_those_of_the_version(void **state)
{
	static const enum target_feature always[] = {
		TARGET_F_GLOBAL_DATA,
		TARGET_F_MMAPABLE,
		TARGET_F_RING_BUFFER,
		TARGET_F_BOOT_CLOCK,
		TARGET_F_PROBE_READ_KERNEL,
		TARGET_F_BPF_LOOP,
		TARGET_F_FOR_EACH_MAP,
		TARGET_F_MAP_BATCH,
		TARGET_F_RAW_TP,
		TARGET_F_RAW_TP_TEST_RUN,
		TARGET_F_ATTACH_COOKIE,
		TARGET_F_LINKS,
		TARGET_F_CPU_V2,
		TARGET_F_CPU_V3,
	};
	struct target *t = *state;
	unsigned fds = count_fds();

	skip_unless(can_load(), "BPF programs cannot be loaded");
	for (size_t i = 0; i < LENGTH(always); i++) {
		unsigned major, minor;

		assert_int_equal(
			sscanf(target_feature_since(always[i]), "Linux %u.%u", &major, &minor), 2);
		/* an older kernel may have a feature backported, a newer one has it */
		if (target_version(t) >= TARGET_VERSION(major, minor, 0) &&
		    !target_has(t, always[i]))
			fail_msg("%s is missing", target_feature_name(always[i]));
	}
	assert_int_equal(count_fds(), fds);
}

static void test_every_feature_can_be_tried(void **state)
{
	struct target *t = *state;
	unsigned fds;

	target_btf_bytes(t);
	tracefs_dir(t);
	fds = count_fds();
	for (int f = 0; f < TARGET_NFEATURES; f++) {
		bool has = target_has(t, f);

		assert_int_equal(t->feature[f], has ? FEATURE_YES : FEATURE_NO);
		assert_int_equal(target_has(t, f), has);
	}
	assert_int_equal(count_fds(), fds);
}

static void test_disable(void **state)
{
	struct target *t = *state;
	char err[64] = "";

	assert_int_equal(target_disable(t, "global_data,ring_buffer", err, sizeof(err)), 0);
	assert_false(target_has(t, TARGET_F_GLOBAL_DATA));
	assert_false(target_has(t, TARGET_F_RING_BUFFER));
	assert_int_equal(t->feature[TARGET_F_MMAPABLE], FEATURE_UNKNOWN);
	assert_int_equal(target_disable(t, "btf,ring", err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "ring");
	assert_false(target_has(t, TARGET_F_BTF));
	assert_null(target_btf(t));
	assert_null(target_btf_view(t));
}

static void test_info(void **state)
{
	struct target *t = *state;
	char *text, err[64];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	target_disable(t, "ring_buffer", err, sizeof(err));
	target_print_info(t, f);
	fclose(f);
	assert_non_null(strstr(text, "Kernel features\n  Instruction limit: "));
	assert_non_null(strstr(text, "\n  ring_buffer: off                 Linux 5.8   ring "));
	if (can_load()) {
		assert_non_null(strstr(text, "Instruction limit: 1000000       btf: yes\n"));
		assert_non_null(
			strstr(text, "\n  raw_tp: yes                      Linux 4.17  raw"));
	}
	free(text);
}

/* ---- tracefs ---------------------------------------------------------------- */

static void assert_is_tracefs(int fd)
{
	struct statfs fs;

	assert_int_equal(fstatfs(fd, &fs), 0);
	assert_int_equal(fs.f_type, TRACEFS_MAGIC);
	assert_int_equal(faccessat(fd, "events/sched", F_OK, 0), 0);
	close(fd);
}

static void test_tracefs_every_way_leaves_nothing_mounted(void **state)
{
	char *before = read_file("/proc/self/mounts"), *after;
	int detached, child;

	(void)state;
	detached = tracefs_mount_detached();
	child = tracefs_mount_in_child();
	after = read_file("/proc/self/mounts");
	assert_string_equal(before, after);
	free(before);
	free(after);
	skip_unless(detached >= 0 && child >= 0, "file systems cannot be mounted");
	assert_is_tracefs(detached);
	assert_is_tracefs(child);
}

static void test_tracefs_files(void **state)
{
	struct target *t = *state;
	char *text;

	skip_unless(tracefs_dir(t) >= 0, "tracefs cannot be reached");
	text = target_tracefs_read(t, "events/sched/sched_switch/format");
	assert_non_null(text);
	assert_non_null(strstr(text, "name: sched_switch\n"));
	assert_non_null(strstr(text, "print fmt:"));
	free(text);
	assert_int_equal(target_tracefs_open(t, "events/sched/nope"), -ENOENT);
	assert_null(target_tracefs_read(t, "events/sched/nope"));
	assert_int_equal(errno, ENOENT);
}

/* ---- tracepoints -------------------------------------------------------------- */

struct seen {
	unsigned n, stop_after;
	char last[256];
	bool sorted, has_wanted;
	const char *wanted;
};

static int see(const char *a, const char *b, void *arg)
{
	struct seen *s = arg;
	char name[256];

	snprintf(name, sizeof(name), "%s:%s", a, b);
	s->sorted = (!s->n || strcmp(s->last, name) < 0) && (s->sorted || !s->n);
	strcpy(s->last, name);
	s->has_wanted |= s->wanted && !strcmp(name, s->wanted);
	return ++s->n == s->stop_after ? 77 : 0;
}

static void test_tracepoints(void **state)
{
	struct target *t = *state;
	struct seen all = {.wanted = "sched:sched_switch"}, some = {0}, one = {0};

	skip_unless(tracefs_dir(t) >= 0, "tracefs cannot be reached");
	assert_true(target_has_tracepoint(t, "sched", "sched_switch"));
	assert_false(target_has_tracepoint(t, "sched", "nope"));
	assert_false(target_has_tracepoint(t, "sched", ".."));
	assert_false(target_has_tracepoint(t, "sched/..", "sched"));
	assert_false(target_has_tracepoint(t, "", ""));
	assert_false(target_has_tracepoint(t, "ftrace", "function"));
	assert_true(target_tracepoint_id(t, "sched", "sched_switch") > 0);
	assert_int_equal(target_tracepoint_id(t, "sched", "nope"), -ENOENT);

	assert_int_equal(target_each_tracepoint(t, "*", "*", see, &all), 0);
	assert_true(all.n > 100 && all.sorted && all.has_wanted);
	assert_int_equal(target_each_tracepoint(t, "sch*", "sched_sw*", see, &some), 0);
	assert_true(some.n >= 1 && some.n < 10 && some.sorted);
	assert_int_equal(target_each_tracepoint(t, "sched", "sched_switch", see, &one), 0);
	assert_int_equal(one.n, 1);
	memset(&one, 0, sizeof(one));
	assert_int_equal(target_each_tracepoint(t, "nope", "*", see, &one), 0);
	assert_int_equal(one.n, 0);
	memset(&some, 0, sizeof(some));
	some.stop_after = 2;
	assert_int_equal(target_each_tracepoint(t, "sched", "*", see, &some), 77);
	assert_int_equal(some.n, 2);
}

static void check_raw_tracepoints(struct target *t)
{
	struct seen all = {.wanted = "vmlinux:sched_switch"}, some = {0}, none = {0};
	char module[64];

	assert_true(target_has_raw_tracepoint(t, "sched_switch"));
	assert_true(target_has_raw_tracepoint(t, "sys_enter"));
	assert_false(target_has_raw_tracepoint(t, "sched_switc"));
	assert_false(target_has_raw_tracepoint(t, "ched_switch"));
	assert_false(target_has_raw_tracepoint(t, "sys_enter_openat"));
	assert_false(target_has_raw_tracepoint(t, ""));
	assert_true(target_raw_tracepoint_module(t, "sched_switch", module, sizeof(module)));
	assert_string_equal(module, "vmlinux");
	assert_int_equal(target_each_raw_tracepoint(t, "*", "*", see, &all), 0);
	assert_true(all.n > 100 && all.sorted && all.has_wanted);
	assert_int_equal(target_each_raw_tracepoint(t, "vm*", "sched_switch", see, &some), 0);
	assert_int_equal(some.n, 1);
	assert_int_equal(target_each_raw_tracepoint(t, "nope", "*", see, &none), 0);
	assert_int_equal(none.n, 0);
}

static void test_raw_tracepoints_from_btf(void **state)
{
	struct target *t = *state;

	skip_unless(target_btf_bytes(t), "the kernel has no BTF");
	check_raw_tracepoints(t);
	/* bytes are enough: no type was read */
	assert_false(t->view_tried || t->btf_tried);
	assert_int_equal(t->tracefs, -1);
}

static void test_raw_tracepoints_from_events(void **state)
{
	struct target *t = *state;
	char err[64];

	skip_unless(tracefs_dir(t) >= 0, "tracefs cannot be reached");
	target_disable(t, "btf", err, sizeof(err));
	check_raw_tracepoints(t);
}

/* ---- system calls --------------------------------------------------------------- */

static int check_number(const char *category, const char *event, void *arg)
{
	(void)category;
	(void)arg;
	if (target_syscall_nr(event + strlen("sys_enter_")) < 0)
		fail_msg("%s has no number", event);
	return 0;
}

static void test_every_system_call_of_the_kernel_has_a_number(void **state)
{
	struct target *t = *state;

	skip_unless(tracefs_dir(t) >= 0, "tracefs cannot be reached");
	/* holds for kernels up to the newest number in src/target/syscalls.c */
	skip_unless(target_version(t) < TARGET_VERSION(6, 19, 0), "the kernel is newer");
	assert_int_equal(target_each_tracepoint(t, "syscalls", "sys_enter_*", check_number, NULL),
			 0);
}

/* How often tracepoint syscalls:sys_enter_@name is hit by one system call @nr; -1: no event. */
static int count_hits(struct target *t, const char *name, int nr)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr)};
	char event[64];
	uint64_t hits = 0;
	int id, fd;

	snprintf(event, sizeof(event), "sys_enter_%s", name);
	id = target_tracepoint_id(t, "syscalls", event);
	if (id < 0)
		return -1;
	attr.config = id;
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -1;
	/* arguments that each of these calls refuses */
	syscall(nr, -1L, 0, 0, -1L, 0, 0);
	assert_int_equal(read(fd, &hits, sizeof(hits)), sizeof(hits));
	close(fd);
	return hits;
}

static void test_system_call_numbers(void **state)
{
	static const char *const names[] = {
		"getppid",    "newstat",    "newlstat",  "newfstat",     "newuname",
		"umount",     "sendfile64", "cachestat", "fchmodat2",    "statmount",
		"futex_wake", "mseal",      "openat",    "epoll_pwait2", "faccessat2",
	};
	struct target *t = *state;
	unsigned tried = 0;

	assert_int_equal(target_syscall_nr("openat"), SYS_openat);
	assert_int_equal(target_syscall_nr("getppid"), SYS_getppid);
	assert_int_equal(target_syscall_nr("nope"), -ENOENT);
	assert_int_equal(target_syscall_nr(""), -ENOENT);
	for (size_t i = 0; i < LENGTH(names); i++) {
		int hits = count_hits(t, names[i], target_syscall_nr(names[i]));

		tried += hits >= 0;
		if (hits != 1 && hits != -1)
			fail_msg("%s: hit %d times", names[i], hits);
	}
	skip_unless(tried, "system call tracepoints cannot be counted");
}

/* ---- BTF -------------------------------------------------------------------------- */

static void test_view_agrees_with_libbpf(void **state)
{
	static const struct {
		unsigned kind;
		const char *name;
	} rows[] = {
		{BTF_KIND_STRUCT, "task_struct"}, {BTF_KIND_STRUCT, "list_head"},
		{BTF_KIND_TYPEDEF, "pid_t"},      {BTF_KIND_FUNC, "bpf_fentry_test1"},
		{BTF_KIND_ENUM, "pid_type"},      {BTF_KIND_STRUCT, "there_is_no_such_struct"},
		{BTF_KIND_UNION, "task_struct"},
	};
	struct target *t = *state;
	struct btf_view *v = target_btf_view(t);
	const struct btf *btf;

	skip_unless(v, "the kernel has no BTF");
	btf = target_btf(t);
	assert_non_null(btf);
	assert_int_equal(btf_view_count(v), btf__type_cnt(btf));
	/* searched for at first, then looked up in the table of names */
	for (int round = 0; round < 12; round++) {
		for (size_t i = 0; i < LENGTH(rows); i++) {
			int id = btf__find_by_name_kind(btf, rows[i].name, rows[i].kind);

			assert_int_equal(btf_view_find(v, rows[i].kind, rows[i].name),
					 id < 0 ? 0 : id);
		}
	}
	for (uint32_t id = 1; id < btf_view_count(v); id += 101) {
		const struct btf_type *a = btf_view_type(v, id), *b = btf__type_by_id(btf, id);

		assert_memory_equal(a, b, sizeof(*a));
		assert_string_equal(btf_view_str(v, a->name_off),
				    btf__name_by_offset(btf, b->name_off));
	}
	assert_null(btf_view_type(v, 0));
	assert_null(btf_view_type(v, btf_view_count(v)));
	assert_string_equal(btf_view_str(v, UINT32_MAX), "");
}

/* A few types as raw BTF (malloc). */
static void *small_btf(__u32 *size)
{
	struct btf *btf = btf__new_empty();
	const void *raw;
	void *copy;
	int i;

	assert_non_null(btf);
	i = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	btf__add_struct(btf, "point", 8);
	btf__add_field(btf, "x", i, 0, 0);
	btf__add_field(btf, "y", i, 32, 0);
	btf__add_enum(btf, "color", 4);
	btf__add_enum_value(btf, "RED", 1);
	raw = btf__raw_data(btf, size);
	copy = malloc(*size);
	memcpy(copy, raw, *size);
	btf__free(btf);
	return copy;
}

static void test_view_refuses_broken_btf(void **state)
{
	__u32 size;
	uint8_t *good = small_btf(&size);

	(void)state;
	for (__u32 len = 0; len <= size; len++) {
		uint8_t *cut = malloc(len ? len : 1);
		struct btf_view *v;

		memcpy(cut, good, len);
		v = btf_view_new(cut, len);
		if ((v != NULL) != (len == size))
			fail_msg("%u of %u bytes", len, size);
		btf_view_free(v);
		free(cut);
	}
	/* whatever is in it: no byte outside is read */
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		uint8_t *bad = malloc(size);
		struct btf_view *v;

		memcpy(bad, good, size);
		for (int k = 0; k < 3; k++)
			bad[random() % size] = random();
		v = btf_view_new(bad, size);
		for (uint32_t id = 1; v && id < btf_view_count(v); id++)
			btf_view_str(v, btf_view_type(v, id)->name_off);
		if (v)
			btf_view_find(v, BTF_KIND_STRUCT, "point");
		btf_view_free(v);
		free(bad);
	}
	free(good);
}

static void test_btf_from_another_file(void **state)
{
	char path[] = "/tmp/btf-test-XXXXXX";
	struct target *t = *state;
	__u32 size;
	void *raw = small_btf(&size);
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, raw, size), size);
	close(fd);
	free(raw);
	setenv("BPFTRACE_BTF", path, 1);
	assert_true(target_has(t, TARGET_F_BTF));
	assert_int_not_equal(btf_view_find(target_btf_view(t), BTF_KIND_STRUCT, "point"), 0);
	assert_false(target_has_raw_tracepoint(t, "sched_switch"));
	unsetenv("BPFTRACE_BTF");
	unlink(path);
}

static void test_no_btf(void **state)
{
	struct target *t = *state;

	setenv("BPFTRACE_BTF", "/nowhere/at/all", 1);
	assert_false(target_has(t, TARGET_F_BTF));
	assert_null(target_btf(t));
	assert_null(target_btf_view(t));
	unsetenv("BPFTRACE_BTF");
}

#define test(f) cmocka_unit_test_setup_teardown(f, open_target, close_target)

static void test_names_of_numbers(void **state)
{
	(void)state;
	assert_string_equal(target_number_name(TARGET_NAMES_ERRORS, 13), "Permission denied");
	assert_string_equal(target_number_name(TARGET_NAMES_ERRORS, -13), "Permission denied");
	assert_string_equal(target_number_name(TARGET_NAMES_ERRORS, INT64_MIN), "Unknown error");
	assert_string_equal(target_number_name(TARGET_NAMES_ERRORS, 41), "Unknown error");
	assert_string_equal(target_number_name(TARGET_NAMES_SIGNALS, 64), "Real-time signal 30");
	assert_string_equal(target_number_name(TARGET_NAMES_SIGNALS, 65), "N/A");
	assert_string_equal(target_number_name(TARGET_NAMES_SYSCALLS, -1), "Unknown syscall");
	for (int which = TARGET_NAMES_ERRORS; which <= TARGET_NAMES_SYSCALLS; which++)
		for (unsigned i = 0; i < target_names_count(which); i++)
			assert_true(strlen(target_number_name(which, i)) <= TARGET_NAME_MAX);
}

static void test_signal_numbers(void **state)
{
	(void)state;
	assert_int_equal(target_signal_number("KILL"), 9);
	assert_int_equal(target_signal_number("SIGKILL"), 9);
	assert_int_equal(target_signal_number("SIGRTMIN"), 34);
	assert_int_equal(target_signal_number("RTMIN+2"), 36);
	assert_int_equal(target_signal_number("RTMAX-1"), 63);
	assert_int_equal(target_signal_number("RTMAX"), 64);
	assert_true(target_signal_number("RTMIN-1") < 0);
	assert_true(target_signal_number("RTMAX-99") < 0);
	assert_true(target_signal_number("SIG") < 0);
	assert_true(target_signal_number("") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_glob),
		test(test_nothing_is_tried_before_it_is_asked_for),
		test(test_features_are_those_of_the_version),
		test(test_every_feature_can_be_tried),
		test(test_disable),
		test(test_info),
		test(test_tracefs_every_way_leaves_nothing_mounted),
		test(test_tracefs_files),
		test(test_tracepoints),
		test(test_raw_tracepoints_from_btf),
		test(test_raw_tracepoints_from_events),
		test(test_every_system_call_of_the_kernel_has_a_number),
		test(test_system_call_numbers),
		test(test_view_agrees_with_libbpf),
		test(test_view_refuses_broken_btf),
		test(test_btf_from_another_file),
		test(test_no_btf),
		test(test_names_of_numbers),
		test(test_signal_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
