/* SPDX-License-Identifier: Apache-2.0 */
/* The command of -c: forked early, held at a pipe until everything is awake, then executed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/internal.h"

#define TERM_TIMEOUT_MS 2000

/* ---- words ------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/*
 * Copies one word from @p to *@out, quotes removed, and ends it. Returns its end in the
 * text, or NULL when a quote is not closed.
 */
static const char *copy_word(const char *p, char **out)
{
	char quote = 0, *to = *out;

	for (; *p && (quote || !is_blank(*p)); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"') {
			quote = quote ? 0 : *p;
			continue;
		}
		if (*p == '\\' && p[1] && quote != '\'' &&
		    (!quote || p[1] == '"' || p[1] == '\\' || p[1] == '$' || p[1] == '`'))
			p++;
		*to++ = *p;
	}
	*to++ = 0;
	*out = to;
	return quote ? NULL : p;
}

char **split_words(const char *text, char *err, size_t errlen)
{
	size_t len = strlen(text), max = len / 2 + 2, n = 0;
	char **words = malloc(max * sizeof(*words) + len + max);
	char *to = (char *)(words + max);

	if (!words) {
		snprintf(err, errlen, "%s", strerror(ENOMEM));
		return NULL;
	}
	for (;;) {
		while (is_blank(*text))
			text++;
		if (!*text)
			break;
		words[n++] = to;
		text = copy_word(text, &to);
		if (!text) {
			snprintf(err, errlen, "a quote is not closed");
			free(words);
			return NULL;
		}
	}
	words[n] = NULL;
	if (n)
		return words;
	snprintf(err, errlen, "Empty command (%s)", strerror(ENOENT));
	free(words);
	return NULL;
}

/* ---- where the program is ------------------------------------------------------ */

static bool is_executable(const char *path)
{
	return !access(path, X_OK);
}

/* Whether execvp() would find @name. */
static bool command_exists(const char *name)
{
	const char *path = getenv("PATH"), *end;
	char file[4096];

	if (strchr(name, '/'))
		return is_executable(name);
	for (path = path ? path : "/bin:/usr/bin"; path; path = *end ? end + 1 : NULL) {
		int len;

		end = strchrnul(path, ':');
		len = end - path;
		if (snprintf(file, sizeof(file), "%.*s%s%s", len, path, len ? "/" : "./", name) <
			    (int)sizeof(file) &&
		    is_executable(file))
			return true;
	}
	return false;
}

/* ---- the child's side ------------------------------------------------------------ */

static void run_child(char **words, const sigset_t *mask, int go_fd, int error_fd, pid_t parent,
		      bool stop)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	char go;
	int err = 0;

	/* it does not outlive us, whatever ends us */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	sigaction(SIGPIPE, &dfl, NULL);
	pthread_sigmask(SIG_SETMASK, mask, NULL);
	if (stop)
		ptrace(PTRACE_TRACEME, 0, NULL, NULL); /* without it the command runs, too */
	/* all that is ours is done now: the first thing behind the gate is the command's exec */
	if (write(error_fd, &err, sizeof(err)) != sizeof(err) || read(go_fd, &go, 1) != 1)
		_exit(1);
	execvp(words[0], words);
	err = errno;
	if (write(error_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* What the child has to tell: 0, its errno, or nothing when its end was closed (by exec). */
static ssize_t read_report(int fd, int *err)
{
	ssize_t n;

	do
		n = read(fd, err, sizeof(*err));
	while (n < 0 && errno == EINTR);
	return n;
}

static int fork_child(struct child *c, char **words, const sigset_t *mask, bool stop)
{
	int go[2], error[2], err;
	pid_t parent = getpid();

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		err = -errno;
		close(go[0]);
		close(go[1]);
		return err;
	}
	c->pid = fork();
	if (!c->pid) {
		close(go[1]); /* else our own end would keep it waiting after the parent's death */
		run_child(words, mask, go[0], error[1], parent, stop);
	}
	err = -errno;
	close(go[0]);
	close(error[1]);
	c->go_fd = go[1];
	c->error_fd = error[0];
	if (c->pid > 0) {
		int ready;

		return read_report(error[0], &ready) == sizeof(ready) ? 0 : -ECHILD;
	}
	c->pid = 0;
	close(go[1]);
	close(error[0]);
	return err;
}

/* ---- our side ---------------------------------------------------------------------- */

int child_prepare(struct child *c, const char *command, const sigset_t *mask, bool stop, char *err,
		  size_t errlen)
{
	char **words = split_words(command, err, errlen);
	int ret;

	memset(c, 0, sizeof(*c));
	if (!words)
		return -EINVAL;
	if (!command_exists(words[0])) {
		snprintf(err, errlen, "Path '%s' does not exist or is not executable (%s)",
			 words[0], strerror(ENOENT));
		free(words);
		return -ENOENT;
	}
	ret = fork_child(c, words, mask, stop);
	c->stops = stop;
	if (ret)
		snprintf(err, errlen, "Unable to fork child process (%s)", strerror(-ret));
	free(words);
	return ret;
}

/*
 * Waits until it has executed the command. What else would stop it goes on to it: only the trap
 * that comes with exec is ours.
 */
static void wait_for_exec(struct child *c)
{
	while (waitpid(c->pid, &c->status, __WALL) == c->pid) {
		int sig = WIFSTOPPED(c->status) ? WSTOPSIG(c->status) : 0;

		if (!WIFSTOPPED(c->status)) {
			c->reaped = true;
			return;
		}
		if (sig == SIGTRAP) {
			c->stopped = true;
			return;
		}
		ptrace(PTRACE_CONT, c->pid, NULL, (void *)(intptr_t)sig);
	}
}

int child_release(struct child *c)
{
	int err = 0;

	if (write(c->go_fd, "g", 1) != 1)
		return -errno;
	if (read_report(c->error_fd, &err) == sizeof(err))
		return -err;
	if (c->stops)
		wait_for_exec(c);
	return 0;
}

void child_continue(struct child *c)
{
	if (c->stopped)
		ptrace(PTRACE_DETACH, c->pid, NULL, NULL);
	c->stopped = false;
}

bool child_ended(struct child *c)
{
	if (c->pid && !c->reaped && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->reaped = true;
	return c->reaped;
}

void child_stop(struct child *c)
{
	const struct timespec tick = {.tv_nsec = 10000000};

	if (!c->pid)
		return;
	child_continue(c);
	close(c->go_fd);
	close(c->error_fd);
	if (!child_ended(c)) {
		kill(c->pid, SIGTERM);
		kill(c->pid, SIGCONT); /* a stopped one would never see it */
	}
	for (int ms = 0; !child_ended(c) && ms < TERM_TIMEOUT_MS; ms += 10)
		nanosleep(&tick, NULL);
	if (!c->reaped) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, &c->status, 0);
	}
	*c = (struct child){.reaped = true, .status = c->status};
}
