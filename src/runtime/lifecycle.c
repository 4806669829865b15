/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One start, one stop. Everything is loaded and attached asleep; BEGIN runs; one write
 * wakes all. At the end one write puts all to sleep, what still runs is waited for, the
 * buffer is drained, END runs, the maps are printed; only then is anything detached.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/stages.h"

static void end_stage(const struct run *r, const char *name)
{
	if (r->opts->stage)
		r->opts->stage(r->opts->stage_arg, name);
}

/* ---- before anything is attached ---------------------------------------------------- */

static int failed(const char *what, int err)
{
	if (err)
		run_error("%s: %s", what, strerror(-err));
	return err;
}

struct output *run_output(struct run *r, FILE *file, const char *format)
{
	struct output_opts o = {
		.file = file,
		.buffering = r->opts->buffering,
		.format = format,
		.stack = map_stack,
		.stack_arg = r,
		.ncpus = r->ncpus,
		.terminal = isatty(fileno(file)),
	};

	return output_new(r->img, r->sym, &o);
}

static int open_output(struct run *r)
{
	r->file = r->opts->output ? fopen(r->opts->output, "we") : stdout;
	if (!r->file) {
		run_error("Failed to open output file: \"%s\": %s", r->opts->output,
			  strerror(errno));
		return -errno;
	}
	r->out = !open_symbols(r) ? run_output(r, r->file, r->opts->format) : NULL;
	if (r->out)
		return 0;
	if (output_format_known(r->opts->format))
		return failed("Failed to open the output", -ENOMEM);
	run_error("Invalid output format \"%s\"", r->opts->format);
	return -EINVAL;
}

static int watch_process(struct run *r)
{
	if (!r->opts->pid)
		return 0;
	r->pid_fd = syscall(SYS_pidfd_open, r->opts->pid, 0);
	if (r->pid_fd >= 0 || (errno != ESRCH && !kill(r->opts->pid, 0)))
		return 0; /* without pidfds the loop asks now and then */
	run_error("Failed to attach to pid: Unable to open pidfd (%s)", strerror(errno));
	return -ESRCH;
}

static int prepare_child(struct run *r)
{
	char err[256];
	int ret;

	if (!r->opts->command)
		return 0;
	ret = child_prepare(&r->child, r->opts->command, &r->signals.old,
			    shows_user_addresses(r->img), err, sizeof(err));
	if (ret)
		run_error("Failed to fork child: %s", err);
	return ret;
}

static int load(struct run *r)
{
	int err = object_load(r);

	if (err)
		return err;
	err = control_open(&r->control, r->obj, r->img->config);
	r->control_open = !err;
	if (!err)
		err = control_prepare(&r->control, r->child.pid, events_limit(r));
	if (err)
		return failed("The control words cannot be reached", err);
	if (!err)
		err = failed("Failed to open the event buffer", events_open(r));
	return err ? err : failed("Failed to take packets", packets_open(r));
}

static int prepare(struct run *r)
{
	int err = failed("Failed to set up signals", signals_open(&r->signals));

	r->signals_open = !err;
	if (!err)
		err = open_output(r);
	if (!err)
		err = watch_process(r);
	if (!err)
		err = prepare_child(r);
	if (err)
		return err;
	raise_file_limit(r);
	remember_programs(r);
	err = load(r);
	if (!err)
		err = unwind_open(r);
	if (err)
		return err;
	end_stage(r, "load");
	if (r->opts->no_sync)
		err = failed("Failed to wake the probes", control_unlock(&r->control));
	if (!err)
		err = attach_all(r);
	end_stage(r, "attach");
	return err;
}

/* ---- start --------------------------------------------------------------------------- */

static bool exiting(struct run *r)
{
	return control_read(&r->control)->exiting;
}

/* The gate opens here, and the command starts behind it. */
static int wake(struct run *r)
{
	int err;

	note_misses(r);
	/* before, so that none is just about to fire; after, so that the first is not early */
	restart_timers(r);
	err = failed("Failed to wake the probes", control_wake(&r->control));
	restart_timers(r);

	r->woken = !err;
	if (err || !r->child.pid)
		return err;
	err = failed("Failed to run child", child_release(&r->child));
	if (!err && r->child.stopped)
		remember_child(r);
	child_continue(&r->child);
	return err;
}

static void announce(struct run *r)
{
	if (!r->opts->quiet)
		output_attached(r->out, r->nattached);
	/* for test drivers; what begin printed is still in the buffer, and comes after it */
	if (getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED")) {
		puts("__BPFTRACE_NOTIFY_PROBES_ATTACHED");
		fflush(stdout);
	}
	output_idle(r->out);
	notify_service("READY=1\nSTATUS=Processing events...");
}

static int run_suites(struct run *r)
{
	int err = 0;

	if (r->stop == STOP_NONE)
		err = r->opts->mode == RUNTIME_TEST ? run_tests(r) : run_benches(r);
	if (r->stop == STOP_NONE)
		r->stop = STOP_DONE;
	return err;
}

static int start(struct run *r)
{
	int err = failed("Failed to watch for signals", signals_watch(&r->signals));

	if (!err)
		err = object_run_programs(r, IMAGE_AT_BEGIN);
	if (!err)
		err = failed("Failed to read events", events_drain(r));
	if (err)
		return err;
	end_stage(r, "begin");
	if (exiting(r))
		r->stop = STOP_EXIT;
	else
		err = wake(r);
	if (err)
		return err;
	if (r->opts->mode != RUNTIME_RUN)
		return run_suites(r);
	end_stage(r, "wake");
	if (r->stop == STOP_NONE && !r->nwaiting && !r->child.pid)
		r->stop = STOP_DONE;
	announce(r);
	return 0;
}

/* ---- stop ----------------------------------------------------------------------------- */

static int fall_asleep(struct run *r)
{
	int err = failed("Failed to stop the probes", control_sleep(&r->control));
	bool attached = r->nlinks;

	if (!r->img->config->sync_probes)
		detach_all(r); /* no gate: only detaching ends their running */
	if (err || !r->woken || !attached)
		return err; /* nobody there to be waited for */
	return failed("Failed to wait for probes", wait_for_programs(r->target));
}

static int finish(struct run *r)
{
	int err;

	signals_stopping(&r->signals);
	notify_service("STOPPING=1\nSTATUS=Shutting down...");
	err = fall_asleep(r);
	if (r->misses) /* it woke */
		note_misses(r);
	r->skip_commands = r->stop == STOP_SIGNAL;
	if (!err)
		err = failed("Failed to read events", events_drain(r));
	r->skip_commands = false;
	if (!err)
		err = object_run_programs(r, IMAGE_AT_END);
	if (!err)
		err = failed("Failed to read events", events_drain(r));
	output_end(r->out);
	if (!err && r->img->config->print_maps_on_exit && r->opts->mode == RUNTIME_RUN)
		print_maps(r);
	output_finish(r->out);
	output_flush(r->out);
	if (r->opts->mode == RUNTIME_BENCH)
		return err; /* what was repeated a million times lost events; nobody misses them */
	report_losses(r);
	report_misses(r);
	output_flush(r->out);
	return err;
}

/* A reader that went away is no failure; a full disk is one. */
static int check_output(struct run *r)
{
	int err = output_flush(r->out);

	if (!err && r->file != stdout && fflush(r->file))
		err = -errno;
	if (!err || err == -EPIPE)
		return 0;
	if (r->opts->output)
		run_error("Failed to write output file: \"%s\": %s", r->opts->output,
			  strerror(-err));
	else
		run_error("Failed to write output: %s", strerror(-err));
	return err;
}

/* The start failed halfway: nothing is to be recorded or shown any more. */
static int give_up(struct run *r)
{
	control_sleep(&r->control);
	output_flush(r->out);
	return 1;
}

static int run_to_end(struct run *r)
{
	int err, end;

	if (start(r))
		return give_up(r);
	if (r->stop != STOP_EXIT && iterate_all(r))
		return give_up(r);
	err = r->stop == STOP_NONE ? failed("Failed to wait for events", event_loop(r)) : 0;
	end = finish(r);
	err = err ? err : end;
	end = check_output(r);
	if (err || end || r->stop == STOP_ERROR || r->status)
		return 1;
	if (output_error(r->out) == -EPIPE)
		return 128 + SIGPIPE; /* as a shell tells of bpftrace, which the signal ends */
	return control_read(&r->control)->exit_code;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void clean_up(struct run *r)
{
	child_stop(&r->child);
	detach_all(r);
	events_close(r);
	packets_close(r);
	unwind_close(r);
	if (r->control_open)
		control_close(&r->control);
	bpf_object__close(r->obj);
	free(r->map_fds);
	free(r->map_value_sizes);
	free(r->was_zeroed);
	free(r->misses);
	output_free(r->out);
	symbols_free(r->sym);
	if (r->file && r->file != stdout)
		fclose(r->file);
	if (r->pid_fd >= 0)
		close(r->pid_fd);
	if (r->signals_open)
		signals_close(&r->signals);
}

int runtime_run(const struct image *img, struct target *t, const struct runtime_options *opts)
{
	struct run *r = calloc(1, sizeof(*r));
	int ncpus = libbpf_num_possible_cpus(), status = 1;

	if (!r || ncpus < 1) {
		run_error("%s", r ? "The number of CPUs cannot be read" : "Out of memory");
		free(r);
		return 1;
	}
	r->img = img;
	r->target = t;
	r->opts = opts;
	r->ncpus = ncpus;
	r->pid_fd = -1;
	if (!prepare(r))
		status = opts->dry_run ? 0 : run_to_end(r);
	clean_up(r);
	free(r);
	return status;
}
