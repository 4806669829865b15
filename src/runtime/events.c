/* SPDX-License-Identifier: Apache-2.0 */
/* Events from the kernel side: out of the buffer, through the table of actions. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/actions.h"
#include "runtime/perf_events.h"
#include "runtime/ring.h"

/* So many events are taken out before the loop looks at signals and writes. */
#define BATCH 4096

struct events {
	struct ring *ring;
	struct perf_events *perf; /* kernels without ring buffer */
	int map_fd;               /* readable while there are events */
	struct run *run;
	unsigned left; /* of the batch */
	bool limited;
};

static const action_fn *action_of(const struct run *r, const struct image_event *e, size_t size,
				  const struct image_action **action)
{
	const struct image_action *a;
	size_t payload;

	if (size < sizeof(*e) || e->action >= r->img->nactions)
		return NULL;
	a = &r->img->actions[e->action];
	payload = a->type == IMAGE_NONE ? 0 : r->img->types[a->type].size;
	if (size - sizeof(*e) < payload)
		return NULL;
	*action = a;
	return &actions[a->kind];
}

void events_handle(struct run *r, const void *data, size_t size)
{
	const struct image_event *e = data;
	const struct image_action *a;
	const action_fn *fn = action_of(r, e, size, &a);

	r->nevents++;
	if (!fn || !*fn) {
		run_warning(r, "an event of %zu bytes could not be understood", size);
		return;
	}
	(*fn)(r, a, e + 1);
}

static bool take_ring(void *arg, const void *data, size_t size)
{
	struct events *ev = arg;

	ev->run->pause = false;
	events_handle(ev->run, data, size);
	return !ev->limited || (--ev->left && !ev->run->pause);
}

static bool take_perf(void *ctx, const void *data, size_t size)
{
	struct events *ev = ctx;

	ev->run->pause = false;
	events_handle(ev->run, data, size);
	return !ev->run->pause;
}

static uint32_t perf_pages(const struct run *r)
{
	uint32_t bytes = ring_buffer_size(r->img->config->perf_rb_pages, 0, getpagesize());

	return bytes / getpagesize(); /* each CPU has its own */
}

uint64_t events_limit(const struct run *r)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, IMAGE_EVENTS_MAP);

	if (!map || bpf_map__type(map) != BPF_MAP_TYPE_RINGBUF)
		return 0;
	return bpf_map__max_entries(map) - IMAGE_EVENTS_RESERVE;
}

int events_open(struct run *r)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, IMAGE_EVENTS_MAP);
	struct events *ev;

	if (!map) /* nothing in the script ever sends any */
		return 0;
	ev = r->events = calloc(1, sizeof(*ev));
	if (!ev)
		return -ENOMEM;
	ev->run = r;
	ev->map_fd = bpf_map__fd(map);
	if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
		ev->ring = ring_open(bpf_map__fd(map));
	else
		ev->perf = perf_events_open(bpf_map__fd(map), perf_pages(r), take_perf, ev);
	return ev->ring || ev->perf ? 0 : -errno;
}

void events_close(struct run *r)
{
	if (!r->events)
		return;
	ring_close(r->events->ring);
	perf_events_close(r->events->perf);
	free(r->events);
	r->events = NULL;
}

int events_fd(const struct run *r)
{
	if (!r->events)
		return -1;
	return r->events->ring ? r->events->map_fd : perf_events_fd(r->events->perf);
}

static int consume(struct events *ev, bool limited)
{
	int n;

	if (ev->perf) {
		n = perf_events_consume(ev->perf, !limited);
		ev->run->lost_perf = perf_events_lost(ev->perf);
		return n;
	}
	ev->limited = limited;
	ev->left = BATCH;
	return ring_consume(ev->ring, take_ring, ev);
}

int events_consume(struct run *r)
{
	int err = packets_consume(r);

	return !err && r->events ? consume(r->events, true) : err;
}

int events_drain(struct run *r)
{
	int err = packets_consume(r);

	return !err && r->events ? consume(r->events, false) : err;
}
