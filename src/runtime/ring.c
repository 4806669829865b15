/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ring.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define WINDOW (256u << 10) /* bytes of data mapped at a time; a longer record has more */

/*
 * The map as a file: a page with the reader's position, which it writes, one with the writers',
 * and the data twice, so that no record is cut at the end. Positions only grow.
 */
struct ring {
	int fd;
	size_t page, size;
	unsigned long *consumer;
	const unsigned long *producer;
	const uint8_t *window;
	unsigned long window_at; /* position of its first byte, a multiple of the page size */
	size_t window_size;
};

static void *map_pages(const struct ring *r, size_t size, int prot, off_t offset)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, r->fd, offset);

	return p == MAP_FAILED ? NULL : p;
}

struct ring *ring_open(int map_fd)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	struct ring *r;
	int err;

	if (bpf_obj_get_info_by_fd(map_fd, &info, &len))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->fd = map_fd;
	r->page = sysconf(_SC_PAGESIZE);
	r->size = info.max_entries;
	r->consumer = map_pages(r, r->page, PROT_READ | PROT_WRITE, 0);
	if (r->consumer)
		r->producer = map_pages(r, r->page, PROT_READ, r->page);
	if (r->producer)
		return r;
	err = errno;
	ring_close(r);
	errno = err;
	return NULL;
}

static void unmap_window(struct ring *r)
{
	if (r->window)
		munmap((void *)r->window, r->window_size);
	r->window = NULL;
	r->window_size = 0;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	unmap_window(r);
	if (r->producer)
		munmap((void *)r->producer, r->page);
	if (r->consumer)
		munmap(r->consumer, r->page);
	free(r);
}

/* The @n bytes at position @at, valid until the next call; NULL with errno set. */
static const void *view(struct ring *r, unsigned long at, size_t n)
{
	unsigned long begin = at & ~(r->page - 1);
	size_t size;

	/* positions only grow: @at never lies before the window */
	if (r->window && at + n <= r->window_at + r->window_size)
		return r->window + (at - r->window_at);
	size = at - begin + n;
	size = size < WINDOW ? WINDOW : size;
	size = size < r->size ? size : r->size + r->page;
	size = (size + r->page - 1) & ~(r->page - 1);
	unmap_window(r);
	r->window = map_pages(r, size, PROT_READ, 2 * r->page + (begin & (r->size - 1)));
	if (!r->window)
		return NULL;
	r->window_at = begin;
	r->window_size = size;
	return r->window + (at - begin);
}

/*
 * Takes the record at @at, when it is finished. Returns the bytes that it takes up, 0 when it is
 * still being written, or a negative errno.
 */
static long take_record(struct ring *r, unsigned long at, ring_record_fn *fn, void *arg,
			bool *go_on)
{
	const uint32_t *header = view(r, at, BPF_RINGBUF_HDR_SZ);
	size_t size, whole;
	const char *record;
	uint32_t word;

	if (!header)
		return -errno;
	/* acquire: a record that is not busy any more is there as a whole */
	word = __atomic_load_n(header, __ATOMIC_ACQUIRE);
	if (word & BPF_RINGBUF_BUSY_BIT)
		return 0;
	size = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	whole = (size + BPF_RINGBUF_HDR_SZ + 7) & ~(size_t)7;
	if (whole > r->size)
		return -EPROTO;
	if (word & BPF_RINGBUF_DISCARD_BIT)
		return whole;
	record = view(r, at, whole);
	if (!record)
		return -errno;
	*go_on = fn(arg, record + BPF_RINGBUF_HDR_SZ, size);
	return whole;
}

int ring_consume(struct ring *r, ring_record_fn *fn, void *arg)
{
	unsigned long at = __atomic_load_n(r->consumer, __ATOMIC_RELAXED);
	bool go_on = true;

	while (at != __atomic_load_n(r->producer, __ATOMIC_ACQUIRE)) {
		long n = take_record(r, at, fn, arg, &go_on);

		if (n <= 0)
			return n;
		at += n;
		/* release: the space is the writers' once we are done with it */
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
		if (!go_on)
			return 1;
	}
	return 0;
}
