/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals arrive through a descriptor. While the event loop runs a thread reads it and hands
 * them on through a pipe: the loop may be stuck in a write to somebody who does not read, and
 * a second Ctrl-C has to end the process all the same.
 */
#include <errno.h>
#include <fcntl.h>
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

static int next_from_kernel(const struct signals *s)
{
	struct signalfd_siginfo info;

	return read(s->fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

int signals_next(struct signals *s)
{
	uint8_t sig;

	if (!s->watching)
		return next_from_kernel(s);
	return read(s->handed_on[0], &sig, 1) == 1 ? sig : 0;
}

int signals_fd(const struct signals *s)
{
	return s->watching ? s->handed_on[0] : s->fd;
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

/* The wish to stop is noted by the first; one that is uttered again later is a command. */
static void note_wish(struct signals *s, int sig)
{
	uint64_t since = __atomic_load_n(&s->stopping_since, __ATOMIC_ACQUIRE), now = now_ns();

	if (since && now - since > SAME_WISH_NS)
		die_of(sig);
	if (!since)
		__atomic_store_n(&s->stopping_since, now, __ATOMIC_RELEASE);
}

static void *watch(void *arg)
{
	struct signals *s = arg;
	struct pollfd fds[2] = {{.fd = s->fd, .events = POLLIN},
				{.fd = s->watcher_stop, .events = POLLIN}};
	uint8_t byte;
	int sig;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[1].revents)
			return NULL;
		while ((sig = next_from_kernel(s))) {
			if (sig == SIGINT || sig == SIGTERM)
				note_wish(s, sig);
			byte = sig;
			if (write(s->handed_on[1], &byte, 1) < 0)
				break; /* full of signals that nobody looked at yet */
		}
	}
}

int signals_watch(struct signals *s)
{
	int err;

	if (pipe2(s->handed_on, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	s->watcher_stop = eventfd(0, EFD_CLOEXEC);
	err = s->watcher_stop < 0 ? errno : pthread_create(&s->watcher, NULL, watch, s);
	s->watching = !err;
	if (!err)
		return 0;
	close(s->handed_on[0]);
	close(s->handed_on[1]);
	if (s->watcher_stop >= 0)
		close(s->watcher_stop);
	return -err;
}

void signals_stopping(struct signals *s)
{
	uint64_t none = 0;

	__atomic_compare_exchange_n(&s->stopping_since, &none, now_ns(), false, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE);
}

static void stop_watching(struct signals *s)
{
	if (!s->watching)
		return;
	eventfd_write(s->watcher_stop, 1);
	pthread_join(s->watcher, NULL);
	close(s->watcher_stop);
	close(s->handed_on[0]);
	close(s->handed_on[1]);
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
