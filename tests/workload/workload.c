/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: workload [--name COMM] [--wait] [--hold] COMMAND WORDS...
 *
 *   getppid THREADS CALLS     each thread calls getppid CALLS times (0: until the end of
 *                             standard input) and prints "CALLS NANOSECONDS"
 *   call THREADS CALLS        likewise, functions of its own: see call.c
 *   locks ring|order          four threads take four mutexes, two each: see locks.c
 *   usdt COUNT                passes the probes of usdt.c
 *   open PATH COUNT           opens and closes PATH
 *   read PATH [SIZE COUNT]... reads SIZE bytes from the start of PATH, COUNT times
 *   write PATH [SIZE COUNT].. likewise, writing
 *   alloc PAIRS LEAKS         see alloc.c
 *   block DEVICE STEP...      see block.c
 *   int80 NUMBER COUNT        makes 32-bit system call NUMBER, COUNT times; exit status 77 where
 *                             the kernel or the processor has none
 *   measure PROGRAM WORDS...  runs PROGRAM with its standard output thrown away, prints
 *                             "NANOSECONDS PEAK_KIB STATUS"; forked from here, where there is
 *                             little memory for it to inherit as its peak
 *
 * --name: the process name. --wait: prints "ready", then waits for a line on standard input
 * before it begins. --hold: prints "done" and waits for another line before it ends.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 64

void workload_die(const char *what)
{
	fprintf(stderr, "workload: %s: %s\n", what, strerror(errno));
	exit(1);
}

unsigned long long workload_number(const char *text)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (end == text || *end || errno) {
		fprintf(stderr, "workload: not a number: %s\n", text);
		exit(1);
	}
	return n;
}

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* ---- calls --------------------------------------------------------------------- */

struct caller {
	pthread_t thread;
	void (*call)(unsigned long long n);
	unsigned long long calls; /* to be made; 0: until stopped; then: made */
	unsigned long long ns;
	const bool *stop;
};

static void call_getppid(unsigned long long n)
{
	(void)n;
	syscall(SYS_getppid);
}

static void *call_again_and_again(void *arg)
{
	struct caller *c = arg;
	unsigned long long limit = c->calls ? c->calls : ~0ull;
	unsigned long long start = now_ns(), n;

	/* A look at the flag now and then costs the loop nothing that could be measured. */
	for (n = 0; n < limit; n++) {
		if (!(n & 255) && __atomic_load_n(c->stop, __ATOMIC_RELAXED))
			break;
		c->call(n);
	}
	c->ns = now_ns() - start;
	c->calls = n;
	return NULL;
}

static void wait_for_end_of_input(void)
{
	char buf[64];

	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		;
}

static int run_calls(int nwords, char **words, void (*call)(unsigned long long n))
{
	struct caller callers[MAX_THREADS] = {0};
	unsigned long long calls;
	bool stop = false;
	unsigned n;

	if (nwords != 3)
		return 2;
	n = workload_number(words[1]);
	calls = workload_number(words[2]);
	if (!n || n > MAX_THREADS)
		return 2;
	for (unsigned i = 0; i < n; i++) {
		callers[i].call = call;
		callers[i].calls = calls;
		callers[i].stop = &stop;
		errno = pthread_create(&callers[i].thread, NULL, call_again_and_again, &callers[i]);
		if (errno)
			workload_die("pthread_create");
	}
	if (!calls)
		wait_for_end_of_input();
	__atomic_store_n(&stop, !calls, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < n; i++) {
		pthread_join(callers[i].thread, NULL);
		printf("%llu %llu\n", callers[i].calls, callers[i].ns);
	}
	return 0;
}

static int run_getppid(int nwords, char **words)
{
	return run_calls(nwords, words, call_getppid);
}

static int run_call(int nwords, char **words)
{
	return run_calls(nwords, words, workload_call);
}

/* ---- files --------------------------------------------------------------------- */

static int run_open(int nwords, char **words)
{
	unsigned long long count;

	if (nwords != 3)
		return 2;
	count = workload_number(words[2]);
	for (unsigned long long i = 0; i < count; i++) {
		int fd = open(words[1], O_RDONLY);

		if (fd < 0)
			workload_die(words[1]);
		close(fd);
	}
	return 0;
}

/* Reads or writes (SIZE COUNT)... at the start of a file. */
static int transfer(int nwords, char **words, int flags,
		    ssize_t (*one)(int fd, void *buf, size_t size))
{
	int fd;

	if (nwords < 4 || nwords % 2)
		return 2;
	fd = open(words[1], flags, 0600);
	if (fd < 0)
		workload_die(words[1]);
	for (int i = 2; i < nwords; i += 2) {
		size_t size = workload_number(words[i]);
		unsigned long long count = workload_number(words[i + 1]);
		void *buf = calloc(1, size + 1);

		for (unsigned long long n = 0; n < count; n++) {
			lseek(fd, 0, SEEK_SET);
			if (one(fd, buf, size) < 0)
				workload_die(words[1]);
		}
		free(buf);
	}
	close(fd);
	return 0;
}

static ssize_t write_one(int fd, void *buf, size_t size)
{
	return write(fd, buf, size);
}

static int run_read(int nwords, char **words)
{
	return transfer(nwords, words, O_RDONLY, read);
}

static int run_write(int nwords, char **words)
{
	return transfer(nwords, words, O_WRONLY | O_CREAT, write_one);
}

/* ---- 32-bit system calls ----------------------------------------------------------- */

#if defined(__x86_64__)
static void no_int80(int sig)
{
	(void)sig;
	_exit(77);
}

static int run_int80(int nwords, char **words)
{
	unsigned long long number, count;

	if (nwords != 3)
		return 2;
	number = workload_number(words[1]);
	count = workload_number(words[2]);
	signal(SIGSEGV, no_int80);
	signal(SIGILL, no_int80);
	for (unsigned long long i = 0; i < count; i++) {
		long result;

		__asm__ volatile("int $0x80"
				 : "=a"(result)
				 : "a"(number)
				 : "memory", "r8", "r9", "r10", "r11");
		if (result == -ENOSYS)
			return 77;
	}
	return 0;
}
#else
static int run_int80(int nwords, char **words)
{
	(void)nwords, (void)words;
	return 77;
}
#endif

/* ---- measure ---------------------------------------------------------------------- */

static void exec_quietly(char **words)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execvp(words[0], words);
	_exit(127);
}

static int run_measure(int nwords, char **words)
{
	unsigned long long start = now_ns();
	struct rusage usage;
	int status;
	pid_t pid;

	if (nwords < 2)
		return 2;
	pid = fork();
	if (pid < 0)
		workload_die("fork");
	if (!pid)
		exec_quietly(words + 1);
	if (wait4(pid, &status, 0, &usage) < 0)
		workload_die("wait4");
	printf("%llu %ld %d\n", now_ns() - start, usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

/* ---- what there is --------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(int nwords, char **words);
} commands[] = {
	{"alloc", workload_alloc}, {"getppid", run_getppid},  {"call", run_call},
	{"open", run_open},        {"read", run_read},        {"write", run_write},
	{"block", workload_block}, {"measure", run_measure},  {"int80", run_int80},
	{"usdt", workload_usdt},   {"locks", workload_locks},
};

static int run_command(int nwords, char **words)
{
	int status = 2;

	for (size_t i = 0; nwords && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(words[0], commands[i].name))
			status = commands[i].run(nwords, words);
	if (status == 2)
		fputs("usage: see the head of tests/workload/workload.c\n", stderr);
	return status;
}

static void wait_for_line(const char *word)
{
	char c;

	puts(word);
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		;
}

int main(int argc, char **argv)
{
	bool wait = false, hold = false;
	int i, status;

	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--wait"))
			wait = true;
		else if (!strcmp(argv[i], "--hold"))
			hold = true;
		else if (!strcmp(argv[i], "--name") && i + 1 < argc)
			prctl(PR_SET_NAME, argv[++i]);
	}
	if (wait)
		wait_for_line("ready");
	status = run_command(argc - i, argv + i);
	fflush(stdout);
	if (hold)
		wait_for_line("done");
	return status;
}
