/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a run, from an image whose object is put together by hand (bpf_elf.h):
 * BEGIN sends 42, END sends 43, a gated program counts system calls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "bpf_elf.h"
#include "runtime/internal.h"

__attribute__((weak)) bool target_has(struct target *t, enum target_feature f)
{
	(void)t;
	(void)f;
	return !getenv("TEST_NO_MMAP");
}

/* ---- the object ---------------------------------------------------------------------------- */

static void emit_send(struct bpf_elf *e, uint32_t action, uint32_t value)
{
	const struct bpf_insn body[] = {
		MOV_IMM(2, 16),
		MOV_IMM(3, 0),
		CALL(BPF_FUNC_ringbuf_reserve),
		JUMP_EQ(0, 0, 6),
		STORE_IMM(BPF_W, 0, 0, action),
		STORE_IMM(BPF_W, 0, 4, 16),
		STORE_IMM(BPF_DW, 0, 8, value),
		MOV_REG(1, 0),
		MOV_IMM(2, 0),
		CALL(BPF_FUNC_ringbuf_submit),
	};

	bpf_elf_load(e, 1, SYM_EVENTS);
	for (size_t i = 0; i < sizeof(body) / sizeof(body[0]); i++)
		bpf_elf_emit(e, body[i]);
}

static void emit_end(struct bpf_elf *e, const char *name)
{
	bpf_elf_emit(e, MOV_IMM(0, 0));
	bpf_elf_emit(e, EXIT);
	bpf_elf_program(e, name);
}

/* exit(code) as the compiler would write it, but for the event. */
static void emit_exit(struct bpf_elf *e, int code)
{
	bpf_elf_load(e, 1, SYM_CONTROL);
	bpf_elf_emit(e, STORE_IMM(BPF_W, 1, offsetof(struct image_control, active), 0));
	bpf_elf_emit(e, STORE_IMM(BPF_DW, 1, offsetof(struct image_control, exit_code), code));
	bpf_elf_emit(e, STORE_IMM(BPF_W, 1, offsetof(struct image_control, exiting), 1));
}

static void emit_gated_count(struct bpf_elf *e)
{
	bpf_elf_load(e, 6, SYM_CONTROL);
	bpf_elf_emit(e, LOAD(BPF_W, 1, 6, offsetof(struct image_control, active)));
	bpf_elf_emit(e, JUMP_NE(1, 1, 10));
	bpf_elf_emit(e, STORE_IMM(BPF_W, 10, -4, 0));
	bpf_elf_emit(e, MOV_REG(2, 10));
	bpf_elf_emit(e, ADD_IMM(2, -4));
	bpf_elf_load(e, 1, SYM_COUNT);
	bpf_elf_emit(e, CALL(BPF_FUNC_map_lookup_elem));
	bpf_elf_emit(e, JUMP_EQ(0, 0, 3));
	bpf_elf_emit(e, LOAD(BPF_DW, 1, 0, 0));
	bpf_elf_emit(e, ADD_IMM(1, 1));
	bpf_elf_emit(e, STORE(BPF_DW, 0, 0, 1));
}

static void *make_object(size_t *size)
{
	struct bpf_elf e;

	bpf_elf_begin(&e, sizeof(struct image_control));
	emit_send(&e, 0, 42);
	emit_end(&e, "begin");
	emit_send(&e, 1, 43);
	emit_end(&e, "fin");
	emit_exit(&e, 7);
	emit_end(&e, "leave");
	emit_gated_count(&e);
	emit_end(&e, "gated");
	return bpf_elf_finish(&e, size);
}

/* A program that reads a register that was never written. */
static void *make_bad_object(size_t *size)
{
	struct bpf_elf e;

	bpf_elf_begin(&e, sizeof(struct image_control));
	bpf_elf_emit(&e, MOV_REG(0, 9));
	bpf_elf_emit(&e, EXIT);
	bpf_elf_program(&e, "begin");
	return bpf_elf_finish(&e, size);
}

/* ---- the image ------------------------------------------------------------------------------- */

enum {
	WITH_EXIT = 1,
	WITH_GATED = 2,
	WITH_MISSING = 4,
	WARN_MISSING = 8,
	BAD_OBJECT = 16,
	NO_SYNC = 32
};

static void add_attachment(struct image_builder *b, uint32_t kind, const char *prog,
			   const char *probe, const char *target)
{
	struct image_probe p = {.name = image_add_string(b, probe)};
	struct image_attachment at = {.kind = kind,
				      .prog = image_add_string(b, prog),
				      .target = image_add_string(b, target),
				      .nprobes = 1};

	at.probe = image_add_probe(b, &p);
	image_add_attachment(b, &at);
}

static void add_actions(struct image_builder *b)
{
	struct image_type t[] = {{.kind = IMAGE_K_INT, .size = 8, .elem = IMAGE_NONE},
				 {.kind = IMAGE_K_TUPLE, .size = 8, .count = 1},
				 {.kind = IMAGE_K_COUNT, .size = 8}};
	struct image_field f = {0};
	struct image_map m = {.name = image_add_string(b, "c"),
			      .elf_name = image_add_string(b, "AT_c"),
			      .key = IMAGE_NONE,
			      .value = 2,
			      .flags = IMAGE_MAP_SCALAR};
	struct image_action a[] = {{.kind = IMAGE_A_PRINTF,
				    .fmt = image_add_string(b, "begin %d\n"),
				    .type = 1,
				    .map = IMAGE_NONE},
				   {.kind = IMAGE_A_PRINTF,
				    .fmt = image_add_string(b, "end %d\n"),
				    .type = 1,
				    .map = IMAGE_NONE}};

	image_add_field(b, &f);
	for (int i = 0; i < 3; i++)
		image_add_type(b, &t[i]);
	image_add_map(b, &m);
	image_add_action(b, &a[0]);
	image_add_action(b, &a[1]);
}

static void *make_image(unsigned what, size_t *size)
{
	struct image_config c = {.sync_probes = !(what & NO_SYNC),
				 .global_data = 1,
				 .ring_buffer = 1,
				 .print_maps_on_exit = 1,
				 .missing_probes = what & WARN_MISSING ? IMAGE_MISSING_WARN
								       : IMAGE_MISSING_ERROR};
	struct image_builder *b = image_builder_new();
	size_t object_size;
	void *object =
		     what & BAD_OBJECT ? make_bad_object(&object_size) : make_object(&object_size),
	     *image;

	image_set_object(b, object, object_size);
	free(object);
	image_set_config(b, &c);
	add_actions(b);
	add_attachment(b, IMAGE_AT_BEGIN, "begin", "begin", "");
	if (what & WITH_EXIT)
		add_attachment(b, IMAGE_AT_BEGIN, "leave", "begin", "");
	if (what & WITH_GATED)
		add_attachment(b, IMAGE_AT_RAW_TP, "gated", "rawtracepoint:sys_enter", "sys_enter");
	if (what & WITH_MISSING)
		add_attachment(b, IMAGE_AT_RAW_TP, "gated", "rawtracepoint:none", "no_such_thing");
	if (!(what & BAD_OBJECT))
		add_attachment(b, IMAGE_AT_END, "fin", "end", "");
	image = image_finish(b, size);
	image_builder_free(b);
	return image;
}

/* ---- running it
 * ---------------------------------------------------------------------------------- */

struct result {
	int status;
	char text[4096], messages[16384];
};

static void read_back(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, size - 1, f) : 0;

	text[n] = 0;
	if (f)
		fclose(f);
	unlink(path);
}

static int run_here(unsigned what, const struct runtime_options *opts)
{
	struct target *t = target_open_running();
	struct image img;
	char err[256];
	size_t size;
	void *data = make_image(what, &size);
	int status = 99;

	if (image_open(&img, data, size, err, sizeof(err)))
		fprintf(stderr, "%s\n", err);
	else
		status = runtime_run(&img, t, opts);
	free(data);
	target_close(t);
	return status;
}

/* In a process of its own, so that signals and stderr are its own. */
static pid_t start(unsigned what, struct runtime_options *opts, const char *messages)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!freopen(messages, "w", stderr))
		_exit(98);
	exit(run_here(what, opts)); /* exit, not _exit: the leak check runs */
}

static void wait_for(pid_t pid, struct result *r, const char *out, const char *messages)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	read_back(out, r->text, sizeof(r->text));
	read_back(messages, r->messages, sizeof(r->messages));
}

static void names(char *out, char *messages, size_t size)
{
	snprintf(out, size, "/tmp/runtime_test.%d.out", getpid());
	snprintf(messages, size, "/tmp/runtime_test.%d.err", getpid());
}

static struct result run(unsigned what, struct runtime_options opts)
{
	char out[64], messages[64];
	struct result r;

	names(out, messages, sizeof(out));
	if (!opts.output)
		opts.output = out;
	wait_for(start(what, &opts, messages), &r, out, messages);
	return r;
}

#define NEED_ROOT()                                                                                \
	do {                                                                                       \
		if (geteuid())                                                                     \
			skip();                                                                    \
	} while (0)

static long counted(const char *text)
{
	const char *p = strstr(text, "@c: ");

	return p ? strtol(p + 4, NULL, 10) : -1;
}

/* ---- small parts --------------------------------------------------------------------------------
 */

static void check_words(const char *text, const char *const *want)
{
	char err[64] = "";
	char **words = split_words(text, err, sizeof(err));
	size_t i;

	if (!want) {
		assert_null(words);
		assert_string_not_equal(err, "");
		return;
	}
	assert_non_null(words);
	for (i = 0; want[i]; i++) {
		assert_non_null(words[i]);
		assert_string_equal(words[i], want[i]);
	}
	assert_null(words[i]);
	free(words);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_split_words(void **state)
{
	(void)state;
	check_words("ls", WORDS("ls"));
	check_words("  ls   -l\t/tmp  ", WORDS("ls", "-l", "/tmp"));
	check_words("sh -c 'echo \"a  b\"; exit 3'", WORDS("sh", "-c", "echo \"a  b\"; exit 3"));
	check_words("a\"b c\"d 'e'f", WORDS("ab cd", "ef"));
	check_words("a\\ b \\' \\\"", WORDS("a b", "'", "\""));
	check_words("\"a\\\"b\\n\" 'a\\b'", WORDS("a\"b\\n", "a\\b"));
	check_words("'' \"\"", WORDS("", ""));
	check_words("a b c d e f g h i", WORDS("a", "b", "c", "d", "e", "f", "g", "h", "i"));
	check_words("", NULL);
	check_words("   ", NULL);
	check_words("echo 'open", NULL);
	check_words("echo \"open", NULL);
}

static void test_ring_buffer_size(void **state)
{
	(void)state;
	assert_int_equal(ring_buffer_size(0, 24 << 20, 4096), 16 << 20);
	assert_int_equal(ring_buffer_size(0, 0, 4096), 256 << 10);
	assert_int_equal(ring_buffer_size(0, 1000, 4096), 1 << 20);
	assert_int_equal(ring_buffer_size(1, 24 << 20, 4096), 2 * IMAGE_EVENTS_RESERVE);
	assert_int_equal(ring_buffer_size(64, 24 << 20, 4096), 256 << 10);
	assert_int_equal(ring_buffer_size(65, 24 << 20, 4096), 512 << 10);
	assert_int_equal(ring_buffer_size(1024, 24 << 20, 65536), 64 << 20);
}

static void test_wait_for_programs(void **state)
{
	struct target *t = target_open_running();
	char err[64];

	(void)state;
	NEED_ROOT();
	assert_int_equal(wait_for_programs(t), 0);
	assert_int_equal(target_disable(t, "membarrier", err, sizeof(err)), 0);
	assert_int_equal(wait_for_programs(t), 0);
	target_close(t);
}

/* A child that waits, is released, fails to exec, is ended. */
static void test_child(void **state)
{
	struct child c;
	char err[256] = "";
	sigset_t mask;

	(void)state;
	sigemptyset(&mask);
	assert_int_equal(child_prepare(&c, "/bin/sh -c 'exit 5'", &mask, false, err, sizeof(err)),
			 0);
	usleep(20000);
	assert_false(child_ended(&c)); /* held */
	assert_int_equal(child_release(&c), 0);
	while (!child_ended(&c))
		usleep(1000);
	assert_int_equal(WEXITSTATUS(c.status), 5);
	child_stop(&c);

	assert_int_equal(child_prepare(&c, "sleep 1000", &mask, false, err, sizeof(err)), 0);
	assert_int_equal(child_release(&c), 0);
	child_stop(&c);
	assert_int_equal(WTERMSIG(c.status), SIGTERM);

	assert_int_equal(child_prepare(&c, "/no/such/thing", &mask, false, err, sizeof(err)),
			 -ENOENT);
	assert_string_equal(err, "Path '/no/such/thing' does not exist or is not executable (No "
				 "such file or directory)");
}

static void test_notify(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[64] = "";

	(void)state;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/runtime_test.%d.sock", getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	notify_service("READY=1");
	unsetenv("NOTIFY_SOCKET");
	notify_service("not sent");
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	unlink(addr.sun_path);
	close(fd);
}

/* ---- runs
 * ------------------------------------------------------------------------------------------ */

static void test_begin_end(void **state)
{
	struct result r;

	(void)state;
	NEED_ROOT();
	r = run(0, (struct runtime_options){0});
	assert_string_equal(r.messages, "Attached 2 probes\n");
	assert_string_equal(r.text, "begin 42\nend 43\n\n\n");
	assert_int_equal(r.status, 0);
}

static void test_quiet(void **state)
{
	struct result r;

	(void)state;
	NEED_ROOT();
	r = run(0, (struct runtime_options){.quiet = true});
	assert_string_equal(r.messages, "");
}

/* exit() in BEGIN: END runs, the code is handed on, nothing was ever awake. */
static void test_exit_in_begin(void **state)
{
	struct result r;

	(void)state;
	NEED_ROOT();
	r = run(WITH_EXIT | WITH_GATED, (struct runtime_options){0});
	assert_string_equal(r.messages, "Attached 4 probes\n");
	assert_string_equal(r.text, "begin 42\nend 43\n\n\n");
	assert_int_equal(r.status, 7);
}

static void check_child(unsigned what)
{
	struct result r = run(WITH_GATED | what, (struct runtime_options){.command = "/bin/true"});

	assert_string_equal(r.messages, "Attached 3 probes\n");
	assert_memory_equal(r.text, "begin 42\nend 43\n\n\n@c: ", 22);
	/* the child's execve at least came after the gate had opened */
	assert_true(counted(r.text) > 0);
	assert_int_equal(r.status, 0);
}

static void test_child_run(void **state)
{
	(void)state;
	NEED_ROOT();
	check_child(0);
	check_child(NO_SYNC);
	setenv("TEST_NO_MMAP", "1", 1); /* control words copied instead of shared */
	check_child(0);
	unsetenv("TEST_NO_MMAP");
}

static void test_bad_command(void **state)
{
	struct result r;

	(void)state;
	NEED_ROOT();
	r = run(WITH_GATED, (struct runtime_options){.command = "/no/such/thing"});
	assert_int_equal(r.status, 1);
	assert_string_equal(r.text, "");
	assert_non_null(strstr(r.messages, "ERROR: Failed to fork child: Path '/no/such/thing'"));
}

static void test_missing_probe(void **state)
{
	struct result r;

	(void)state;
	NEED_ROOT();
	r = run(WITH_MISSING, (struct runtime_options){.command = "/bin/true"});
	assert_int_equal(r.status, 1);
	assert_string_equal(r.text, "");
	assert_non_null(strstr(r.messages, "ERROR: Unable to attach probe: rawtracepoint:none. If "
					   "this is expected, set the 'missing_probes' config "
					   "variable to 'warn'."));
	r = run(WITH_MISSING | WITH_GATED | WARN_MISSING,
		(struct runtime_options){.command = "/bin/true"});
	assert_int_equal(r.status, 0);
	assert_true(counted(r.text) > 0);
	assert_non_null(strstr(r.messages,
			       "WARNING: Unable to attach probe: rawtracepoint:none. Skipping.\n"));
	assert_non_null(strstr(r.messages, "Attached 3 probes\n"));
}

static void test_refused_program(void **state)
{
	struct result r;

	(void)state;
	NEED_ROOT();
	r = run(BAD_OBJECT, (struct runtime_options){0});
	assert_int_equal(r.status, 1);
	assert_string_equal(r.text, "");
	assert_non_null(strstr(r.messages, "ERROR: Error loading BPF program for begin. Error "
					   "code: -13 (Permission denied)."));
	assert_non_null(strstr(r.messages, "R9 !read_ok"));
	assert_null(strstr(r.messages, "libbpf"));
}

static void test_dry_run(void **state)
{
	struct result r;

	(void)state;
	NEED_ROOT();
	r = run(WITH_GATED, (struct runtime_options){.dry_run = true, .command = "/bin/true"});
	assert_int_equal(r.status, 0);
	assert_string_equal(r.text, "");
}

static void test_bad_output(void **state)
{
	struct result r;

	(void)state;
	NEED_ROOT();
	r = run(0, (struct runtime_options){.output = "/dev/full"});
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.messages, "ERROR: Failed to write output file: \"/dev/full\": No "
					   "space left on device"));
	r = run(0, (struct runtime_options){.output = "/no/such/place"});
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.messages, "ERROR: Failed to open output file: \"/no/such/place\": "
					   "No such file or directory"));
	r = run(0, (struct runtime_options){.format = "yaml"});
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.messages, "ERROR: Invalid output format \"yaml\""));
}

static void test_pid(void **state)
{
	struct result r;
	pid_t pid;

	(void)state;
	NEED_ROOT();
	r = run(WITH_GATED, (struct runtime_options){.pid = 0x3fffff});
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.messages, "ERROR: Failed to attach to pid: "));
	pid = fork();
	if (!pid) {
		usleep(300000);
		_exit(0);
	}
	/* reaped only later: its end is seen all the same */
	r = run(WITH_GATED, (struct runtime_options){.pid = pid});
	assert_int_equal(r.status, 0);
	assert_true(counted(r.text) > 0);
	waitpid(pid, NULL, 0);
}

static void check_signal(int sig)
{
	char out[64], messages[64], line[32] = "";
	struct runtime_options opts = {.output = out};
	struct result r;
	pid_t pid;

	names(out, messages, sizeof(out));
	pid = start(WITH_GATED, &opts, messages);
	for (int i = 0; i < 500 && !strstr(line, "Attached"); i++) {
		FILE *f = fopen(messages, "r");

		usleep(10000);
		if (f && !fgets(line, sizeof(line), f))
			line[0] = 0;
		if (f)
			fclose(f);
	}
	usleep(50000);
	kill(pid, sig);
	kill(pid, sig); /* the same press of the same key */
	wait_for(pid, &r, out, messages);
	assert_int_equal(r.status, 0);
	assert_memory_equal(r.text, "begin 42\nend 43\n\n\n@c: ", 22);
	assert_true(counted(r.text) > 0);
}

static void test_signals(void **state)
{
	(void)state;
	NEED_ROOT();
	check_signal(SIGINT);
	check_signal(SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_words),
		cmocka_unit_test(test_ring_buffer_size),
		cmocka_unit_test(test_wait_for_programs),
		cmocka_unit_test(test_child),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_begin_end),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_exit_in_begin),
		cmocka_unit_test(test_child_run),
		cmocka_unit_test(test_bad_command),
		cmocka_unit_test(test_missing_probe),
		cmocka_unit_test(test_refused_program),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_bad_output),
		cmocka_unit_test(test_pid),
		cmocka_unit_test(test_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
