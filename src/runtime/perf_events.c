/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events by way of perf buffers, one a processor, on kernels without ring buffer. They are given
 * on in the order of their times: what is read is kept until everything older has been read.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/perf_events.h"

/* One record, in the order of its members; PERF_SAMPLE_TIME | PERF_SAMPLE_RAW. */
struct sample {
	struct perf_event_header header;
	uint64_t time;
	uint32_t size;
	uint8_t data[]; /* not at a multiple of 8: copied to where it is */
};

struct lost_record {
	struct perf_event_header header;
	uint64_t id, lost;
};

struct kept {
	uint64_t time;
	uint64_t number; /* of its coming, which is the order on one processor */
	size_t at;       /* in the store */
	uint32_t size;
};

struct store {
	uint8_t *bytes;
	size_t used, size;
};

struct perf_events {
	struct perf_buffer *buffer;
	perf_event_fn *fn;
	void *arg;
	struct kept *kept;
	size_t nkept, cap;
	struct store store, spare;
	uint64_t number, lost;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Appends the bytes, 8-byte aligned. */
static bool append(struct store *store, const uint8_t *bytes, uint32_t n)
{
	if (store->used + n > store->size) {
		size_t size = 2 * (store->used + n);
		uint8_t *p = realloc(store->bytes, size);

		if (!p)
			return false;
		store->bytes = p;
		store->size = size;
	}
	memcpy(store->bytes + store->used, bytes, n);
	store->used += (n + 7) & ~(size_t)7;
	return true;
}

static bool make_room(struct perf_events *p)
{
	size_t cap = p->cap ? 2 * p->cap : 256;
	struct kept *kept;

	if (p->nkept < p->cap)
		return true;
	kept = realloc(p->kept, cap * sizeof(*kept));
	if (!kept)
		return false;
	p->kept = kept;
	p->cap = cap;
	return true;
}

static enum bpf_perf_event_ret keep(struct perf_events *p, const struct sample *s)
{
	const size_t head = offsetof(struct sample, data);
	struct kept k;

	if (s->header.size < head || s->header.size - head < s->size)
		return LIBBPF_PERF_EVENT_ERROR;
	k = (struct kept){s->time, p->number++, p->store.used, s->size};
	if (make_room(p) && append(&p->store, s->data, s->size))
		p->kept[p->nkept++] = k;
	else
		p->lost++;
	return LIBBPF_PERF_EVENT_CONT;
}

static enum bpf_perf_event_ret take(void *arg, int cpu, struct perf_event_header *header)
{
	struct perf_events *p = arg;

	(void)cpu;
	if (header->type == PERF_RECORD_SAMPLE)
		return keep(p, (const struct sample *)header);
	if (header->type == PERF_RECORD_LOST)
		p->lost += ((const struct lost_record *)header)->lost;
	return LIBBPF_PERF_EVENT_CONT;
}

static int by_time(const void *pa, const void *pb)
{
	const struct kept *a = pa, *b = pb;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

/* Drops the first @n; what is left is kept in the other store. */
static void drop(struct perf_events *p, size_t n)
{
	struct store old = p->store;
	size_t left = 0;

	p->store = p->spare;
	p->store.used = 0;
	p->spare = old;
	for (size_t i = n; i < p->nkept; i++) {
		struct kept k = p->kept[i];
		const uint8_t *bytes = old.bytes + k.at;

		k.at = p->store.used;
		if (append(&p->store, bytes, k.size))
			p->kept[left++] = k;
		else
			p->lost++;
	}
	p->nkept = left;
}

/* Gives on what is from before @end, as far as it is wanted now, or @all of it. Whether it was. */
static bool give(struct perf_events *p, uint64_t end, bool all)
{
	bool wanted = true;
	size_t n = 0;

	qsort(p->kept, p->nkept, sizeof(*p->kept), by_time);
	for (; n < p->nkept && p->kept[n].time < end && (wanted || all); n++)
		wanted = p->fn(p->arg, p->store.bytes + p->kept[n].at, p->kept[n].size);
	drop(p, n);
	return wanted || all;
}

/*
 * Read twice: what happened before the first time, but was being written, is there the second
 * time. What happened since then stays until the next call, which it has woken by then.
 */
int perf_events_consume(struct perf_events *p, bool all)
{
	uint64_t start = now_ns();
	int err = perf_buffer__consume(p->buffer);

	if (err >= 0)
		err = perf_buffer__consume(p->buffer);
	if (p->nkept && !give(p, all ? UINT64_MAX : start, all) && err >= 0)
		return 1;
	return err < 0 ? err : 0;
}

struct perf_events *perf_events_open(int map_fd, size_t pages, perf_event_fn *fn, void *arg)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
		.sample_period = 1,
		.wakeup_events = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	struct perf_events *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->fn = fn;
	p->arg = arg;
	p->buffer = perf_buffer__new_raw(map_fd, pages, &attr, take, p, NULL);
	if (p->buffer)
		return p;
	free(p);
	return NULL;
}

void perf_events_close(struct perf_events *p)
{
	if (!p)
		return;
	perf_buffer__free(p->buffer);
	free(p->kept);
	free(p->store.bytes);
	free(p->spare.bytes);
	free(p);
}

int perf_events_fd(const struct perf_events *p)
{
	return perf_buffer__epoll_fd(p->buffer);
}

uint64_t perf_events_lost(const struct perf_events *p)
{
	return p->lost;
}
