/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader's side of a BPF ring buffer (BPF_MAP_TYPE_RINGBUF, see ringbuf.rst in the kernel's
 * documentation). Unlike libbpf's it maps the data a window at a time: a buffer of 16 MB, which
 * lies twice in the address range, would count as 32 MB of memory of this process.
 */
#ifndef BT_RUNTIME_RING_H
#define BT_RUNTIME_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

/* Opens the ring buffer map @map_fd, which stays the caller's. NULL with errno set. */
struct ring *ring_open(int map_fd);
void ring_close(struct ring *r);

/* Called with each record of @size bytes, 8-byte aligned; false: enough for now. */
typedef bool ring_record_fn(void *arg, const void *data, size_t size);

/*
 * Hands on the records that are there, each once, in their order. Returns 0 when there are no more,
 * 1 when @fn said that it was enough, or a negative errno.
 */
int ring_consume(struct ring *r, ring_record_fn *fn, void *arg);

#endif
