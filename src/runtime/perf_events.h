/* SPDX-License-Identifier: Apache-2.0 */
/* Events by way of perf buffers, in the order of their times. */
#ifndef BT_RUNTIME_PERF_EVENTS_H
#define BT_RUNTIME_PERF_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct perf_events;

/*
 * One event; @data is 8-byte aligned and valid during the call. Returns whether the next one may
 * follow in this call; else it comes with the next.
 */
typedef bool perf_event_fn(void *arg, const void *data, size_t size);

/*
 * Opens a buffer of @pages pages (a power of two) on each processor for map @map_fd. Returns NULL
 * with errno set on failure.
 */
struct perf_events *perf_events_open(int map_fd, size_t pages, perf_event_fn *fn, void *arg);
void perf_events_close(struct perf_events *p);
/* To be watched for reading. */
int perf_events_fd(const struct perf_events *p);
/*
 * Gives on the events that are there, or, unless @all, those from before the call; the others
 * come with the next one, as do those that the function wants later. With @all nothing may be
 * sending any more. Returns 0, 1 when there is more to be given on at once, or a negative errno.
 */
int perf_events_consume(struct perf_events *p, bool all);
/* How many the kernel had no room for, or we no memory. */
uint64_t perf_events_lost(const struct perf_events *p);

#endif
