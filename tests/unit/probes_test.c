/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <elf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probes/probes.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

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

/* ---- expansion ------------------------------------------------------------------ */

struct points {
	unsigned n;
	char names[64][128];
	char targets[64][128];
	struct probe_point last;
};

static int collect(const struct probe_point *p, void *arg)
{
	struct points *ps = arg;

	if (ps->n < LENGTH(ps->names)) {
		snprintf(ps->names[ps->n], sizeof(ps->names[0]), "%s", p->name);
		snprintf(ps->targets[ps->n], sizeof(ps->targets[0]), "%s",
			 p->target ? p->target : "");
	}
	ps->n++;
	ps->last = *p;
	return 0;
}

/* Expands "type:part:part" as written. */
static int expand(struct target *t, const char *written, struct points *ps, char err[256])
{
	char text[128], *parts[8], *s = text;
	const struct probe_type *type;
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
	type = probe_type_find(parts[0]);
	if (!type)
		fail_msg("no type %s", parts[0]);
	return type->expand(t, (const char *const *)parts + 1, n - 1, collect, ps, err, 256);
}

static void test_errors(void **state)
{
	static const struct {
		const char *written, *err;
		int code;
	} rows[] = {
#define INVALID(written, text) {written, text, -EINVAL}
		INVALID("tracepoint", "tracepoint probe type requires 2 arguments, found 0"),
		INVALID("tracepoint:sched", "tracepoint probe type requires 2 arguments, found 1"),
		INVALID("t:a:b:c", "tracepoint probe type requires 2 arguments, found 3"),
		INVALID("tracepoint::", "tracepoint probe must have a target"),
		INVALID("tracepoint:sched:", "tracepoint probe must have a target"),
		INVALID("tracepoint::sched_switch", "tracepoint probe must have a target"),
		{"t:sched:nope", "No matches for tracepoint sched:nope.", -ENOENT},
		{"t:sch*:nope*", "No matches for tracepoint sch*:nope*.", -ENOENT},
		{"t:no_such*", "No matches for tracepoint *:no_such*.", -ENOENT},
		{"t:../sched:sched_switch", "No matches for tracepoint ../sched:sched_switch.",
		 -ENOENT},
		INVALID("rawtracepoint",
			"rawtracepoint probe type requires 2 or 1 arguments, found 0"),
		INVALID("rt:a:b:c", "rawtracepoint probe type requires 2 or 1 arguments, found 3"),
		INVALID("rt:", "rawtracepoint should be attached to a function"),
		{"rt:nope", "No matches for rawtracepoint *:nope.", -ENOENT},
		{"rt:nope:sched_switch", "No matches for rawtracepoint nope:sched_switch.",
		 -ENOENT},
		INVALID("interval", "interval probe type requires 1 or 2 arguments, found 0"),
		INVALID("interval:1s:2:3",
			"interval probe type requires 1 or 2 arguments, found 3"),
		INVALID("interval:s:0", "interval frequency should be a positive integer"),
		INVALID("interval:s:-1", "interval frequency should be a positive integer"),
		INVALID("interval:x:1", "x is not an accepted unit of time"),
		INVALID("interval::1", "interval probe must have unit of time"),
		INVALID("interval:999", "Invalid rate of interval probe. Minimum is 1000 or 1us. "
					"Found: 999 nanoseconds"),
		INVALID("i:-5", "Invalid rate of interval probe. Minimum is 1000 or 1us. "
				"Found: -5 nanoseconds"),
		INVALID("interval:hz:2000000000", "Invalid rate of interval probe. Minimum is 1000 "
						  "or 1us. Found: 0 nanoseconds"),
		INVALID("i:s:99999999999999999999999",
			"Invalid rate of interval probe: overflow error, maximum value is "
			"18446744073709551615: 99999999999999999999999"),
		INVALID("i:s:99999999999",
			"Invalid rate of interval probe: overflow error, maximum "
			"value is 9223372036: 99999999999"),
		INVALID("interval:foo", "Invalid rate of interval probe: invalid integer: foo"),
		INVALID("interval:1x",
			"Invalid rate of interval probe: invalid trailing bytes: 1x"),
		INVALID("interval:s:*", "Invalid rate of interval probe: invalid integer: *"),
		INVALID("interval:s:", "Invalid rate of interval probe: invalid integer: "),
		INVALID("interval:*", "* is not an accepted unit of time"),
		INVALID("i:22e3", "Invalid rate of interval probe: coefficient part of scientific "
				  "literal must be 1-9: 22e3"),
		INVALID("profile", "profile probe type requires 1 or 2 arguments, found 0"),
		INVALID("profile:hz:0", "profile frequency should be a positive integer"),
		INVALID("profile:hz:x", "Invalid rate of profile probe: invalid integer: x"),
		INVALID("profile:hz", "Invalid rate of profile probe: invalid integer: hz"),
		INVALID("profile:day:1", "day is not an accepted unit of time"),
		INVALID("software", "software probe type requires 1 or 2 arguments, found 0"),
		INVALID("software:a:b:c", "software probe type requires 1 or 2 arguments, found 3"),
		INVALID("software:nope:1", "nope is not a software probe"),
		INVALID("software:*", "wildcards are not allowed for software probe type"),
		INVALID("software:faults:x",
			"Invalid count for software probe: invalid integer: x"),
		INVALID("s:faults:-1", "software count should be a positive integer"),
		INVALID("software::1", "software probe must have a software event name"),
		INVALID("begin:x", "begin probe type requires 0 arguments, found 1"),
		INVALID("BEGIN:", "begin probe type requires 0 arguments, found 1"),
		INVALID("END:x:y", "end probe type requires 0 arguments, found 2"),
	};
	struct points ps;
	char err[256];

	for (size_t i = 0; i < LENGTH(rows); i++) {
		int code = expand(*state, rows[i].written, &ps, err);

		if (code != rows[i].code || strcmp(err, rows[i].err))
			fail_msg("%s: %d '%s'", rows[i].written, code, err);
		assert_int_equal(ps.n, 0);
	}
}

static void test_names_and_arguments(void **state)
{
	static const struct {
		const char *written, *name;
		enum image_attach_kind attach;
		int64_t arg[2];
	} rows[] = {
		{"begin", "begin", IMAGE_AT_BEGIN},
		{"BEGIN", "begin", IMAGE_AT_BEGIN},
		{"begin:*", "begin", IMAGE_AT_BEGIN},
		{"END", "end", IMAGE_AT_END},
		{"interval:s:1", "interval:s:1", IMAGE_AT_INTERVAL, {1000000000}},
		{"i:ms:10", "interval:ms:10", IMAGE_AT_INTERVAL, {10000000}},
		{"interval:us:1", "interval:us:1", IMAGE_AT_INTERVAL, {1000}},
		{"interval:hz:5", "interval:hz:5", IMAGE_AT_INTERVAL, {200000000}},
		{"interval:1s", "interval:us:1000000", IMAGE_AT_INTERVAL, {1000000000}},
		{"interval:10ms", "interval:us:10000", IMAGE_AT_INTERVAL, {10000000}},
		{"interval:1h", "interval:us:3600000000", IMAGE_AT_INTERVAL, {3600000000000}},
		{"interval:1999", "interval:us:1", IMAGE_AT_INTERVAL, {1000}},
		{"interval:1e3", "interval:us:1", IMAGE_AT_INTERVAL, {1000}},
		{"interval:0x1000", "interval:us:4", IMAGE_AT_INTERVAL, {4000}},
		{"interval:1_000_000", "interval:us:1000", IMAGE_AT_INTERVAL, {1000000}},
		{"interval:s:1e1", "interval:s:10", IMAGE_AT_INTERVAL, {10000000000}},
		{"interval:s:010", "interval:s:8", IMAGE_AT_INTERVAL, {8000000000}},
		{"Interval:s:0b11", "interval:s:3", IMAGE_AT_INTERVAL, {3000000000}},
		{"profile:hz:99", "profile:hz:99", IMAGE_AT_PROFILE, {99, 0}},
		{"p:10ms", "profile:us:10000", IMAGE_AT_PROFILE, {0, 10000000}},
		{"profile:s:2", "profile:s:2", IMAGE_AT_PROFILE, {0, 2000000000}},
		{"software:cpu",
		 "software:cpu",
		 IMAGE_AT_SOFTWARE,
		 {PERF_COUNT_SW_CPU_CLOCK, 1000000}},
		{"s:cpu-clock:100",
		 "software:cpu-clock:100",
		 IMAGE_AT_SOFTWARE,
		 {PERF_COUNT_SW_CPU_CLOCK, 100}},
		{"s:faults:*",
		 "software:faults",
		 IMAGE_AT_SOFTWARE,
		 {PERF_COUNT_SW_PAGE_FAULTS, 100}},
		{"s:major-faults:0",
		 "software:major-faults",
		 IMAGE_AT_SOFTWARE,
		 {PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1}},
		{"s:cs", "software:cs", IMAGE_AT_SOFTWARE, {PERF_COUNT_SW_CONTEXT_SWITCHES, 1000}},
	};
	struct points ps;
	char err[256];

	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (expand(*state, rows[i].written, &ps, err))
			fail_msg("%s: %s", rows[i].written, err);
		assert_int_equal(ps.n, 1);
		assert_string_equal(ps.names[0], rows[i].name);
		assert_int_equal(ps.last.attach, rows[i].attach);
		if (ps.last.arg[0] != rows[i].arg[0] || ps.last.arg[1] != rows[i].arg[1])
			fail_msg("%s: %lld, %lld", rows[i].written, (long long)ps.last.arg[0],
				 (long long)ps.last.arg[1]);
	}
}

static void test_tracepoint_expansion(void **state)
{
	struct target *t = *state;
	struct points ps;
	char err[256];

	skip_unless(target_has_tracepoint(t, "sched", "sched_switch"), "tracefs cannot be reached");
	assert_int_equal(expand(t, "t:sched:sched_switch", &ps, err), 0);
	assert_int_equal(ps.n, 1);
	assert_string_equal(ps.names[0], "tracepoint:sched:sched_switch");
	assert_string_equal(ps.targets[0], "sched:sched_switch");
	assert_int_equal(ps.last.attach, IMAGE_AT_TRACEPOINT);
	assert_int_equal(expand(t, "tracepoint:raw_syscalls:sys_*", &ps, err), 0);
	assert_int_equal(ps.n, 2);
	assert_string_equal(ps.names[0], "tracepoint:raw_syscalls:sys_enter");
	assert_string_equal(ps.names[1], "tracepoint:raw_syscalls:sys_exit");
	/* one part with a wildcard: any category */
	assert_int_equal(expand(t, "tracepoint:sched_proc*_exec", &ps, err), 0);
	assert_int_equal(ps.n, 1);
	assert_string_equal(ps.names[0], "tracepoint:sched:sched_process_exec");

	assert_int_equal(expand(t, "rt:sys_enter", &ps, err), 0);
	assert_int_equal(ps.n, 1);
	assert_string_equal(ps.names[0], "rawtracepoint:vmlinux:sys_enter");
	assert_string_equal(ps.targets[0], "sys_enter");
	assert_int_equal(ps.last.attach, IMAGE_AT_RAW_TP);
	assert_int_equal(expand(t, "rawtracepoint:vm*:sys_e*t*r", &ps, err), 0);
	assert_int_equal(ps.n, 1);
	assert_string_equal(ps.targets[0], "sys_enter");
}

static int stop_at_second(const struct probe_point *p, void *arg)
{
	(void)p;
	return ++*(int *)arg == 2 ? 5 : 0;
}

static void test_callback_stops(void **state)
{
	const char *parts[] = {"sched", "*"};
	struct target *t = *state;
	char err[64] = "";
	int n = 0;

	skip_unless(target_has_tracepoint(t, "sched", "sched_switch"), "tracefs cannot be reached");
	assert_int_equal(
		probe_type_find("t")->expand(t, parts, 2, stop_at_second, &n, err, sizeof(err)), 5);
	assert_int_equal(n, 2);
	assert_string_equal(err, "");
}

/* ---- listing ---------------------------------------------------------------------- */

static void list(struct target *t, const char *pattern, struct points *ps)
{
	memset(ps, 0, sizeof(*ps));
	for (size_t i = 0; probe_types[i]; i++) {
		if (probe_types[i]->list)
			assert_int_equal(probe_types[i]->list(t, pattern, collect, ps), 0);
	}
}

static void test_list(void **state)
{
	struct target *t = *state;
	struct points ps;

	list(t, "interval:*", &ps);
	assert_int_equal(ps.n, 4);
	assert_string_equal(ps.names[0], "interval:hz:");
	assert_string_equal(ps.names[3], "interval:us:");
	list(t, "inter*:*", &ps);
	assert_int_equal(ps.n, 0);
	list(t, "software:cpu*", &ps);
	assert_int_equal(ps.n, 3);
	assert_string_equal(ps.names[0], "software:cpu-clock:");
	assert_string_equal(ps.names[1], "software:cpu-migrations:");
	assert_string_equal(ps.names[2], "software:cpu:");
	list(t, "s:*", &ps);
	assert_int_equal(ps.n, 14);
	list(t, "software:cpu", &ps);
	assert_int_equal(ps.n, 0);
	list(t, "begin", &ps);
	assert_int_equal(ps.n, 0);
	skip_unless(target_has_tracepoint(t, "sched", "sched_switch"), "tracefs cannot be reached");
	list(t, "tracepoint:sched:*switch", &ps);
	assert_int_equal(ps.n, 1);
	assert_string_equal(ps.names[0], "tracepoint:sched:sched_switch");
	list(t, "t:sched_switch", &ps);
	assert_int_equal(ps.n, 1);
	list(t, "sched_switch", &ps);
	assert_int_equal(ps.n, 2);
	assert_string_equal(ps.names[0], "rawtracepoint:vmlinux:sched_switch");
	assert_string_equal(ps.names[1], "tracepoint:sched:sched_switch");
	list(t, "*", &ps);
	assert_true(ps.n > 200);
}

static void test_types(void **state)
{
	const char *const *names = probe_type_names();

	(void)state;
	assert_ptr_equal(probe_type_find("t"), probe_type_find("tracepoint"));
	assert_ptr_equal(probe_type_find("BEGIN"), probe_type_find("begin"));
	assert_ptr_equal(probe_type_find("Begin"), probe_type_find("begin"));
	assert_null(probe_type_find("T"));
	assert_null(probe_type_find(""));
	assert_null(probe_type_find("nope"));
	for (size_t i = 0; names[i]; i++)
		assert_non_null(probe_type_find(names[i]));
	for (size_t i = 0; probe_types[i]; i++) {
		size_t k = 0;

		while (names[k] && strcmp(names[k], probe_types[i]->name))
			k++;
		assert_non_null(names[k]);
	}
	assert_null(attacher_find(IMAGE_AT_BEGIN));
	assert_null(attacher_find(IMAGE_NATTACH));
	assert_true(attacher_find(IMAGE_AT_TRACEPOINT)->slow_detach);
}

/* ---- attaching --------------------------------------------------------------------- */

/* An object file with one program that returns 0, in a section that says its type. */
struct object {
	Elf64_Ehdr ehdr;
	Elf64_Shdr sections[5];
	Elf64_Sym symbols[2];
	struct bpf_insn insns[2];
	char license[8];
	char strings[96];
};

static uint32_t add_name(struct object *o, uint32_t *at, const char *name)
{
	uint32_t offset = *at;

	strcpy(o->strings + offset, name);
	*at += strlen(name) + 1;
	return offset;
}

static void make_object(struct object *o, const char *section)
{
	uint32_t at = 1;

	memset(o, 0, sizeof(*o));
	memcpy(o->ehdr.e_ident, ELFMAG, SELFMAG);
	o->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	o->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	o->ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	o->ehdr.e_type = ET_REL;
	o->ehdr.e_machine = EM_BPF;
	o->ehdr.e_version = EV_CURRENT;
	o->ehdr.e_ehsize = sizeof(o->ehdr);
	o->ehdr.e_shoff = offsetof(struct object, sections);
	o->ehdr.e_shentsize = sizeof(Elf64_Shdr);
	o->ehdr.e_shnum = LENGTH(o->sections);
	o->ehdr.e_shstrndx = 1;
	o->sections[1] = (Elf64_Shdr){.sh_name = add_name(o, &at, ".strtab"),
				      .sh_type = SHT_STRTAB,
				      .sh_offset = offsetof(struct object, strings),
				      .sh_size = sizeof(o->strings),
				      .sh_addralign = 1};
	o->sections[2] = (Elf64_Shdr){.sh_name = add_name(o, &at, section),
				      .sh_type = SHT_PROGBITS,
				      .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
				      .sh_offset = offsetof(struct object, insns),
				      .sh_size = sizeof(o->insns),
				      .sh_addralign = 8};
	o->sections[3] = (Elf64_Shdr){.sh_name = add_name(o, &at, "license"),
				      .sh_type = SHT_PROGBITS,
				      .sh_flags = SHF_ALLOC | SHF_WRITE,
				      .sh_offset = offsetof(struct object, license),
				      .sh_size = 4,
				      .sh_addralign = 1};
	o->sections[4] = (Elf64_Shdr){.sh_name = add_name(o, &at, ".symtab"),
				      .sh_type = SHT_SYMTAB,
				      .sh_offset = offsetof(struct object, symbols),
				      .sh_size = sizeof(o->symbols),
				      .sh_link = 1,
				      .sh_info = 1,
				      .sh_entsize = sizeof(Elf64_Sym),
				      .sh_addralign = 8};
	o->symbols[1] = (Elf64_Sym){.st_name = add_name(o, &at, "prog"),
				    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				    .st_shndx = 2,
				    .st_size = sizeof(o->insns)};
	o->insns[0] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K};
	o->insns[1] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	strcpy(o->license, "GPL");
}

struct attached {
	struct object file;
	struct bpf_object *obj;
	struct bpf_program *prog;
	struct image img;
	struct image_attachment at;
	struct attach_env env;
	int stats;
};

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* Loads the program; false where that cannot be done. */
static bool load(struct attached *a, struct target *t, const char *section, uint32_t kind,
		 const char *target)
{
	memset(a, 0, sizeof(*a));
	libbpf_set_print(silent);
	make_object(&a->file, section);
	a->obj = bpf_object__open_mem(&a->file, sizeof(a->file), NULL);
	assert_non_null(a->obj);
	a->prog = bpf_object__find_program_by_name(a->obj, "prog");
	assert_non_null(a->prog);
	if (bpf_object__load(a->obj)) {
		bpf_object__close(a->obj);
		return false;
	}
	a->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	a->img.strings = target;
	a->at.kind = kind;
	a->env.target = t;
	return true;
}

static void unload(struct attached *a)
{
	bpf_object__close(a->obj);
	close(a->stats);
}

static uint64_t runs(const struct attached *a)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	assert_int_equal(bpf_prog_get_info_by_fd(bpf_program__fd(a->prog), &info, &size), 0);
	return info.run_cnt;
}

static struct probe_link *attach(struct attached *a)
{
	struct probe_link *link = NULL;
	int err = attacher_find(a->at.kind)->attach(&a->env, &a->img, &a->at, a->prog, &link);

	if (err)
		fail_msg("%s", a->env.err);
	assert_non_null(link);
	return link;
}

static void busy(unsigned ms)
{
	struct timespec t;
	uint64_t now, end = 0;

	do {
		clock_gettime(CLOCK_MONOTONIC, &t);
		now = t.tv_sec * 1000000000ull + t.tv_nsec;
		end = end ? end : now + ms * 1000000ull;
	} while (now < end);
}

static void check_tracepoint(struct target *t, const char *section, uint32_t kind,
			     const char *target)
{
	struct attached a;
	struct probe_link *link;
	uint64_t before;

	skip_unless(load(&a, t, section, kind, target), "BPF programs cannot be loaded");
	link = attach(&a);
	for (int i = 0; i < 1000; i++)
		syscall(SYS_getppid);
	assert_true(runs(&a) >= 1000);
	probe_link_free(link);
	before = runs(&a);
	for (int i = 0; i < 1000; i++)
		syscall(SYS_getppid);
	assert_int_equal(runs(&a), before);
	unload(&a);
}

static void test_attach_tracepoint(void **state)
{
	struct target *t = *state;
	char err[64];

	skip_unless(target_has_tracepoint(t, "syscalls", "sys_enter_getppid"),
		    "there is no tracepoint for getppid");
	check_tracepoint(t, "tracepoint", IMAGE_AT_TRACEPOINT, "syscalls:sys_enter_getppid");
	/* the way of kernels before 5.15 */
	target_disable(t, "links", err, sizeof(err));
	check_tracepoint(t, "tracepoint", IMAGE_AT_TRACEPOINT, "syscalls:sys_exit_getppid");
}

static void test_attach_raw_tracepoint(void **state)
{
	check_tracepoint(*state, "raw_tp", IMAGE_AT_RAW_TP, "sys_enter");
}

static void test_attach_what_does_not_exist(void **state)
{
	struct probe_link *link = NULL;
	struct attached a;

	skip_unless(load(&a, *state, "tracepoint", IMAGE_AT_TRACEPOINT, "sched:nope"),
		    "BPF programs cannot be loaded");
	assert_int_equal(attacher_find(a.at.kind)->attach(&a.env, &a.img, &a.at, a.prog, &link),
			 -ENOENT);
	assert_string_equal(a.env.err, "sched:nope: No such file or directory");
	assert_null(link);
	unload(&a);
	assert_true(load(&a, *state, "raw_tp", IMAGE_AT_RAW_TP, "nope"));
	assert_int_equal(attacher_find(a.at.kind)->attach(&a.env, &a.img, &a.at, a.prog, &link),
			 -ENOENT);
	assert_string_equal(a.env.err, "nope: No such file or directory");
	assert_null(link);
	unload(&a);
}

static void test_attach_interval(void **state)
{
	struct probe_link *link;
	struct attached a;
	uint64_t n;

	skip_unless(load(&a, *state, "perf_event", IMAGE_AT_INTERVAL, ""),
		    "BPF programs cannot be loaded");
	a.at.arg[0] = 5000000;
	link = attach(&a);
	usleep(200000);
	n = runs(&a);
	probe_link_free(link);
	/* 40; one CPU only, and later on a busy machine */
	if (n < 20 || n > 60)
		fail_msg("%llu times in 200 ms", (unsigned long long)n);
	n = runs(&a);
	usleep(20000);
	assert_int_equal(runs(&a), n);
	unload(&a);
}

static void test_attach_profile(void **state)
{
	struct probe_link *link;
	struct attached a;
	uint64_t cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t n;

	skip_unless(load(&a, *state, "perf_event", IMAGE_AT_PROFILE, ""),
		    "BPF programs cannot be loaded");
	a.at.arg[1] = 5000000;
	link = attach(&a);
	usleep(200000);
	n = runs(&a);
	probe_link_free(link);
	/* 40 on each; fewer where this process did not get to run in time to look */
	if (n < cpus)
		fail_msg("%llu times in 200 ms", (unsigned long long)n);
	/* by frequency, and in this process only */
	a.at.arg[0] = 500;
	a.at.arg[1] = 0;
	a.env.pid = getpid();
	link = attach(&a);
	n = runs(&a);
	usleep(100000);
	assert_true(runs(&a) - n < 10);
	n = runs(&a);
	busy(200);
	if (runs(&a) - n < 1)
		fail_msg("%llu times in 200 ms of work", (unsigned long long)(runs(&a) - n));
	probe_link_free(link);
	unload(&a);
}

static void test_profile_too_fast(void **state)
{
	struct probe_link *link = NULL;
	struct attached a;

	skip_unless(load(&a, *state, "perf_event", IMAGE_AT_PROFILE, ""),
		    "BPF programs cannot be loaded");
	a.at.arg[0] = 100000000;
	assert_true(attacher_find(a.at.kind)->attach(&a.env, &a.img, &a.at, a.prog, &link) < 0);
	assert_null(link);
	assert_non_null(strstr(a.env.err, "perf_event_max_sample_rate"));
	unload(&a);
}

static void test_attach_software(void **state)
{
	size_t size = 400 * 4096;
	struct probe_link *link;
	struct attached a;
	volatile char *p;

	skip_unless(load(&a, *state, "perf_event", IMAGE_AT_SOFTWARE, "page-faults"),
		    "BPF programs cannot be loaded");
	a.at.arg[0] = PERF_COUNT_SW_PAGE_FAULTS;
	a.at.arg[1] = 1;
	a.env.pid = getpid();
	link = attach(&a);
	p = aligned_alloc(2 * 1024 * 1024, 2 * 1024 * 1024);
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	free((void *)p);
	p = malloc(64 * 4096);
	for (size_t i = 0; i < 64 * 4096; i += 4096)
		p[i] = 1;
	free((void *)p);
	assert_true(runs(&a) > 0);
	probe_link_free(link);
	unload(&a);
}

/* Side by side, and every one of them comes off. */
static void test_detach_many(void **state)
{
	static const char *const events[] = {
		"sched:sched_switch",         "sched:sched_wakeup",
		"syscalls:sys_enter_getppid", "syscalls:sys_exit_getppid",
		"sched:sched_process_exec",   "sched:sched_process_exit",
	};
	struct probe_link *links[LENGTH(events) + 2] = {NULL};
	struct attached a[LENGTH(events)], interval;
	size_t n = 0;

	probe_links_free(NULL, 0);
	probe_link_free(NULL);
	skip_unless(target_has_tracepoint(*state, "sched", "sched_switch"),
		    "tracefs cannot be reached");
	for (; n < LENGTH(events); n++) {
		skip_unless(load(&a[n], *state, "tracepoint", IMAGE_AT_TRACEPOINT, events[n]),
			    "BPF programs cannot be loaded");
		links[n] = attach(&a[n]);
	}
	assert_true(load(&interval, *state, "perf_event", IMAGE_AT_INTERVAL, ""));
	interval.at.arg[0] = 1000000;
	links[n + 1] = attach(&interval); /* links[n] stays NULL */
	probe_links_free(links, LENGTH(links));
	for (size_t i = 0; i < n; i++) {
		uint64_t before = runs(&a[i]);

		syscall(SYS_getppid);
		usleep(1000);
		assert_int_equal(runs(&a[i]), before);
		unload(&a[i]);
	}
	unload(&interval);
}

#define test(f) cmocka_unit_test_setup_teardown(f, open_target, close_target)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_errors),
		test(test_names_and_arguments),
		test(test_tracepoint_expansion),
		test(test_callback_stops),
		test(test_list),
		test(test_types),
		test(test_attach_tracepoint),
		test(test_attach_raw_tracepoint),
		test(test_attach_what_does_not_exist),
		test(test_attach_interval),
		test(test_attach_profile),
		test(test_profile_too_fast),
		test(test_attach_software),
		test(test_detach_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
