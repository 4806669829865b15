/* SPDX-License-Identifier: Apache-2.0 */
/* Between waking and sleeping: events, signals, the ends of processes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "runtime/stages.h"

/* How long a loss or an exit that no event tells of may go unnoticed. */
#define TICK_MS 100
/*
 * Under load events are let gather for a moment: while the reader lags, the kernel side
 * need not wake it, and one write carries many lines.
 */
#define LOAD_EVENTS 16
#define GATHER_NS   300000

static int watch_fd(int ep, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (fd < 0)
		return 0;
	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static void set_stop(struct run *r, enum stop_reason reason)
{
	if (r->stop == STOP_NONE)
		r->stop = reason;
}

static void take_signals(struct run *r)
{
	int sig;

	while ((sig = signals_next(&r->signals))) {
		if (sig == SIGINT || sig == SIGTERM)
			set_stop(r, STOP_SIGNAL);
		else if (sig == SIGUSR1 && object_run_programs(r, IMAGE_AT_SELF))
			set_stop(r, STOP_ERROR);
	}
	if (child_ended(&r->child)) /* SIGCHLD, whoever's it was */
		set_stop(r, STOP_CHILD);
}

/* Where there are no pidfds the tick looks. */
static void check_pid(struct run *r, bool pidfd_ready)
{
	if (r->opts->pid &&
	    (pidfd_ready || (r->pid_fd < 0 && kill(r->opts->pid, 0) && errno == ESRCH)))
		set_stop(r, STOP_PID);
}

static void check_kernel_side(struct run *r)
{
	if (control_read(&r->control)->exiting)
		set_stop(r, STOP_EXIT);
	report_lost_events(r, false);
}

static void gather(void)
{
	const struct timespec moment = {.tv_nsec = GATHER_NS};

	nanosleep(&moment, NULL);
}

static int wait_for_something(struct run *r, int ep, int timeout)
{
	struct epoll_event events[8];
	bool pidfd_ready = false, signal_ready = false;
	int n = epoll_wait(ep, events, 8, timeout);

	if (n < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < n; i++) {
		pidfd_ready |= events[i].data.fd == r->pid_fd;
		signal_ready |= events[i].data.fd == signals_fd(&r->signals);
	}
	if (signal_ready)
		take_signals(r);
	check_pid(r, pidfd_ready);
	return 0;
}

/* Returns 1 when there may be more events, 0 when not, or a negative errno. */
static int turn(struct run *r, int ep, bool more)
{
	uint64_t before = r->nevents;
	int err = wait_for_something(r, ep, more ? 0 : TICK_MS);

	if (!err)
		err = events_consume(r);
	if (err < 0)
		return err;
	check_kernel_side(r);
	output_idle(r->out);
	if (output_error(r->out))
		set_stop(r, STOP_OUTPUT);
	if (!err && r->nevents - before > LOAD_EVENTS && r->stop == STOP_NONE)
		gather();
	return err;
}

int event_loop(struct run *r)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), err;

	if (ep < 0)
		return -errno;
	err = watch_fd(ep, signals_fd(&r->signals));
	if (!err)
		err = watch_fd(ep, events_fd(r));
	if (!err)
		err = watch_fd(ep, packets_fd(r));
	if (!err)
		err = watch_fd(ep, r->pid_fd);
	if (!err && child_ended(&r->child)) /* before anybody looked at its signal */
		set_stop(r, STOP_CHILD);
	while (err >= 0 && r->stop == STOP_NONE)
		err = turn(r, ep, err > 0);
	close(ep);
	return err < 0 ? err : 0;
}
