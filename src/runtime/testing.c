/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --test and --bench: nothing is attached, the probes of the kind are run one after the other
 * between begin and end, and what they print is kept apart.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/stages.h"

#define PACKET_SIZE 64 /* what a network program is given; the kernel wants a header's worth */

/* A benchmark is repeated until it has run for so long, or so often. */
#define BENCH_NS        2000000
#define BENCH_MAX_ITERS 50000000

struct result {
	uint32_t retval;
	uint64_t ns; /* of one run */
	int exit_code;
	unsigned errors; /* that errorf() told of */
};

struct suite {
	struct run *r;
	const struct image_attachment **rows;
	const char **names;
	bool *passed;
	size_t n;
};

bool runs_in_mode(const struct run *r, uint32_t kind)
{
	enum runtime_mode mode = r->opts->mode;

	if (kind == IMAGE_AT_TEST)
		return mode == RUNTIME_TEST;
	if (kind == IMAGE_AT_BENCH)
		return mode == RUNTIME_BENCH;
	return mode == RUNTIME_RUN || kind == IMAGE_AT_BEGIN || kind == IMAGE_AT_END;
}

void prepare_bench(struct run *r)
{
	for (uint32_t i = 0; i < r->img->nattachments; i++) {
		const struct image_attachment *at = &r->img->attachments[i];
		struct bpf_program *prog =
			at->kind == IMAGE_AT_BENCH ? object_program(r, at) : NULL;

		/* the kernel repeats and times those of the network */
		if (prog && runs_in_mode(r, at->kind))
			bpf_program__set_type(prog, BPF_PROG_TYPE_XDP);
	}
}

/* "test:name" is shown as "name". */
static const char *short_name(const struct run *r, const struct image_attachment *at)
{
	const char *name = image_str(r->img, r->img->probes[at->probe].name);
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static int suite_open(struct suite *s, struct run *r, uint32_t kind)
{
	size_t max = r->img->nattachments + 1;

	*s = (struct suite){
		.r = r,
		.rows = calloc(max, sizeof(*s->rows)),
		.names = calloc(max, sizeof(*s->names)),
		.passed = calloc(max, sizeof(*s->passed)),
	};
	if (!s->rows || !s->names || !s->passed)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->img->nattachments; i++) {
		const struct image_attachment *at = &r->img->attachments[i];

		if (at->kind != kind)
			continue;
		s->rows[s->n] = at;
		s->names[s->n++] = short_name(r, at);
	}
	return 0;
}

static void suite_close(struct suite *s)
{
	free(s->rows);
	free(s->names);
	free(s->passed);
}

/* ---- one run ------------------------------------------------------------------------- */

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Runs the program; @repeat 0: once, as a probe is. */
static int run_row(struct run *r, const struct image_attachment *at, uint32_t repeat,
		   struct result *res)
{
	struct bpf_program *prog = object_program(r, at);
	char packet[PACKET_SIZE] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint64_t begin;
	int err;

	if (!prog)
		return -ENOENT;
	if (repeat) {
		opts.data_in = packet;
		opts.data_size_in = sizeof(packet);
		opts.repeat = repeat;
	}
	begin = now();
	err = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	res->ns = repeat ? opts.duration : now() - begin;
	res->retval = opts.retval;
	if (err)
		run_error("Unable to run probe: %s (%s)",
			  image_str(r->img, r->img->probes[at->probe].name), strerror(-err));
	return err;
}

/* The same, with the events that it sends shown in @file. */
static int run_captured(struct run *r, const struct image_attachment *at, uint32_t repeat,
			FILE *file, struct result *res)
{
	struct output *out = r->out;
	int err, end;

	*res = (struct result){0};
	r->errors = 0;
	r->out = run_output(r, file, "text");
	if (!r->out) {
		r->out = out;
		return -ENOMEM;
	}
	err = run_row(r, at, repeat, res);
	end = events_drain(r);
	output_flush(r->out);
	output_free(r->out);
	r->out = out;
	res->errors = r->errors;
	res->exit_code = (int)control_read(&r->control)->exit_code;
	control_forget_exit(&r->control);
	r->stop = STOP_NONE;
	return err ? err : end;
}

/* ---- tests ----------------------------------------------------------------------------- */

static int run_test(struct suite *s, size_t i)
{
	struct output_test t = {.names = s->names, .passed = s->passed, .n = s->n, .index = i};
	struct result res;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	int err;

	if (!file)
		return -ENOMEM;
	err = run_captured(s->r, s->rows[i], 0, file, &res);
	fclose(file);
	s->passed[i] = !res.retval && !res.exit_code && !res.errors;
	t.output = text;
	t.duration_ns = res.ns;
	if (!err)
		output_test(s->r->out, &t);
	output_idle(s->r->out);
	free(text);
	return err;
}

int run_tests(struct run *r)
{
	struct suite s;
	int err = suite_open(&s, r, IMAGE_AT_TEST);

	for (size_t i = 0; i < s.n && !err; i++) {
		err = run_test(&s, i);
		if (!s.passed[i])
			r->status = 1;
	}
	suite_close(&s);
	return err;
}

/* ---- benchmarks -------------------------------------------------------------------------- */

/* How often next, after @iters runs that took @ns each. */
static uint32_t more_iters(uint32_t iters, uint64_t ns)
{
	uint64_t total = ns * iters, next;

	next = total ? BENCH_NS / ns + 1 : (uint64_t)iters * 1000;
	if (next > (uint64_t)iters * 1000)
		next = (uint64_t)iters * 1000;
	return next > BENCH_MAX_ITERS ? BENCH_MAX_ITERS : (uint32_t)next;
}

static int run_bench(struct suite *s, size_t i, FILE *nowhere)
{
	struct output_bench b = {.names = s->names, .n = s->n, .index = i};
	uint32_t iters = 1;
	struct result res;
	int err;

	for (;;) {
		err = run_captured(s->r, s->rows[i], iters, nowhere, &res);
		if (err)
			return err;
		if (res.exit_code || res.errors) {
			run_error("Benchmark '%s' failed.", s->names[i]);
			s->r->status = 1;
			return 0;
		}
		if (res.retval) /* skipped by the script */
			return 0;
		if (res.ns * iters >= BENCH_NS / 2 || iters >= BENCH_MAX_ITERS)
			break;
		iters = more_iters(iters, res.ns);
	}
	b.average_ns = res.ns;
	b.iters = iters;
	output_bench(s->r->out, &b);
	output_idle(s->r->out);
	return 0;
}

int run_benches(struct run *r)
{
	FILE *nowhere = fopen("/dev/null", "we");
	struct suite s;
	int err = suite_open(&s, r, IMAGE_AT_BENCH);

	if (!nowhere)
		err = -errno;
	for (size_t i = 0; i < s.n && !err; i++)
		err = run_bench(&s, i, nowhere);
	suite_close(&s);
	if (nowhere)
		fclose(nowhere);
	return err;
}
