/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output: how a value is shown.
 *
 * Takes bytes and the image's description of them and writes text (a table of formats
 * leaves room for JSON). Knows nothing of BPF: map contents arrive as plain arrays.
 */
#ifndef BT_OUTPUT_H
#define BT_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "image/image.h"
#include "symbols/symbols.h"

enum output_buffering { OUTPUT_LINE, OUTPUT_FULL, OUTPUT_NONE };

struct output;

enum output_limits { OUTPUT_STACK_DEPTH = 1024 }; /* frames asked for at most */

/* One element of a map: key bytes, and the value of each CPU (ncpus values, 8-byte stride;
 * 1 when the map is not per-CPU). */
struct output_elem {
	const void *key; /* NULL when scalar */
	const void *value;
};

/*
 * Gives the frames of a stack as they lie in the map: addresses, or struct bpf_stack_build_id.
 * Fills @frames (@size bytes, enough for OUTPUT_STACK_DEPTH of them); returns their number or a
 * negative errno.
 */
typedef int (*output_stack_fn)(void *arg, uint32_t map, int64_t id, void *frames, size_t size);

struct output_opts {
	FILE *file; /* where to; the caller closes it */
	enum output_buffering buffering;
	const char *format; /* "text" */
	output_stack_fn stack;
	void *stack_arg;
	unsigned ncpus; /* values a per-CPU element has */
};

/* Returns NULL when the format is unknown. @img and @sym must outlive it. */
struct output *output_new(const struct image *img, struct symbols *sym,
			  const struct output_opts *opts);
void output_free(struct output *o);

/* printf and friends: @payload is the tuple of action @a. */
void output_printf(struct output *o, const struct image_action *a, const void *payload);
/* The same into a string (malloc), for cat, system and errorf. */
char *output_format(struct output *o, const struct image_action *a, const void *payload);
/* print(value). */
void output_value(struct output *o, uint32_t type, const void *value);
/*
 * One map with its elements, sorted and laid out as bpftrace does; @top and @divisor 0: none.
 * A scalar map without element (@n 0: nothing stored yet) is shown as zero. Values are
 * the value proper: without the set word.
 */
void output_map(struct output *o, uint32_t map, struct output_elem *elems, size_t n, uint64_t top,
		uint64_t divisor);
/* print(@m[k]): the value alone, as bpftrace shows it. */
void output_map_elem(struct output *o, uint32_t map, const void *key, const void *value);
/* Text as it is: time(), join(), cat(). */
void output_text(struct output *o, const char *text, size_t len);
/* Test @index of @n, the first @index + 1 of which have run. */
struct output_test {
	const char *const *names;
	const bool *passed;
	size_t n, index;
	uint64_t duration_ns;
	const char *output; /* what it printed */
};
void output_test(struct output *o, const struct output_test *t);
struct output_bench {
	const char *const *names;
	size_t n, index;
	uint64_t average_ns, iters;
};
void output_bench(struct output *o, const struct output_bench *b);
/* "Attached N probes"; the text format tells it on stderr, away from the data. */
void output_attached(struct output *o, unsigned nprobes);
/* Nothing more to write for now: what is buffered becomes visible, unless OUTPUT_FULL. */
void output_idle(struct output *o);
/* The error of the writes so far (negative errno), or 0; flushes nothing. */
int output_error(const struct output *o);
/* Flushes. Returns 0, or a negative errno when any write so far failed (ENOSPC, EPIPE). */
int output_flush(struct output *o);

#endif
