/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals arrive through a descriptor, in the event loop. While results are printed nobody
 * reads it (a write may block for long), so a thread does, and ends the process.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/internal.h"

/*
 * One press of Ctrl-C may come as several signals (timeout(1) signals the process and
 * then its group): those that follow this soon are the same wish.
 */
#define SAME_WISH_NS 300000000ull

int signals_open(struct signals *s)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t mask;
	int err;

	memset(s, 0, sizeof(*s));
	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGUSR1);
	err = pthread_sigmask(SIG_BLOCK, &mask, &s->old);
	if (err)
		return -err;
	s->fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->fd < 0) {
		err = -errno;
		pthread_sigmask(SIG_SETMASK, &s->old, NULL);
		return err;
	}
	sigaction(SIGPIPE, &ignore, &s->old_pipe); /* a closed pipe is an error of write(2) */
	return 0;
}

int signals_next(struct signals *s)
{
	struct signalfd_siginfo info;

	return read(s->fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* As if it had never been blocked: the shell sees a process that died of the signal. */
static void die_of(int sig)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t mask;

	sigaction(sig, &dfl, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, sig);
	raise(sig);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	_exit(128 + sig);
}

static void *watch(void *arg)
{
	struct signals *s = arg;
	struct pollfd fds[2] = {{.fd = s->fd, .events = POLLIN},
				{.fd = s->watcher_stop, .events = POLLIN}};
	uint64_t since = now_ns();
	int sig;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[1].revents)
			return NULL;
		sig = signals_next(s);
		if ((sig == SIGINT || sig == SIGTERM) && now_ns() - since > SAME_WISH_NS)
			die_of(sig);
	}
}

void signals_watch(struct signals *s)
{
	if (s->watching)
		return;
	s->watcher_stop = eventfd(0, EFD_CLOEXEC);
	if (s->watcher_stop < 0)
		return;
	s->watching = !pthread_create(&s->watcher, NULL, watch, s);
	if (!s->watching)
		close(s->watcher_stop);
}

static void stop_watching(struct signals *s)
{
	if (!s->watching)
		return;
	eventfd_write(s->watcher_stop, 1);
	pthread_join(s->watcher, NULL);
	close(s->watcher_stop);
	s->watching = false;
}

void signals_close(struct signals *s)
{
	stop_watching(s);
	while (signals_next(s)) /* what came while we were busy ending is dealt with */
		;
	close(s->fd);
	sigaction(SIGPIPE, &s->old_pipe, NULL);
	pthread_sigmask(SIG_SETMASK, &s->old, NULL);
}
