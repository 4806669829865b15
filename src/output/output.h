/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output: how a value is shown.
 *
 * Takes bytes and the image's description of them and writes them in one of the formats of a
 * table: text, JSON, and for stacks folded lines and flame graphs. Knows nothing of BPF: map
 * contents arrive as plain arrays.
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
	const char *format; /* a name that output_format_name() gives; NULL: "text" */
	output_stack_fn stack;
	void *stack_arg;
	unsigned ncpus; /* values a per-CPU element has */
	bool terminal;  /* file is one that can be cleared */
};

/* The name of format @i, NULL behind the last. */
const char *output_format_name(unsigned i);
/* Whether there is the format @name; NULL: the first. */
bool output_format_known(const char *name);
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
/* A map that the columns of a table name, with its elements. */
struct output_table_map {
	uint32_t map; /* row of MAPS */
	struct output_elem *elems;
	size_t n;
};
/*
 * rows() and cycles(): @maps are all that the action's table names, its own map among them;
 * @payload is what the event knew.
 */
void output_rows(struct output *o, const struct image_action *a, const void *payload,
		 const struct output_table_map *maps, size_t nmaps);
/* screen(): what follows begins at the top of the terminal; elsewhere after an empty line. */
void output_screen(struct output *o);
/* print(@m[k]): the value alone, as bpftrace shows it. */
void output_map_elem(struct output *o, uint32_t map, const void *key, const void *value);
/* What time(), cat(), join() and system() give. */
enum output_text_kind { OUTPUT_TIME, OUTPUT_CAT, OUTPUT_JOIN, OUTPUT_SYSTEM, OUTPUT_NTEXTS };
void output_text(struct output *o, enum output_text_kind kind, const char *text, size_t len);
/* The same in pieces. */
void output_text_begin(struct output *o, enum output_text_kind kind);
void output_text_more(struct output *o, enum output_text_kind kind, const char *text, size_t len);
void output_text_end(struct output *o, enum output_text_kind kind);

/* A message about the script or of its own. The text format writes it to stderr. */
enum output_message_kind {
	OUTPUT_ERRORF,
	OUTPUT_WARNF,
	OUTPUT_RUNTIME_ERROR,
	OUTPUT_HELPER_ERROR,
	OUTPUT_NMESSAGES
};
struct output_message {
	enum output_message_kind kind;
	const char *where; /* "file:line:column-end", "": not known */
	const char *quote; /* the line and what is underlined in it, "": none */
	const char *text;
	const char *helper; /* which failed, NULL: none */
	int64_t retcode;    /* of the helper */
};
void output_message(struct output *o, const struct output_message *m);
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
/* "Lost N events", told as soon as it is noticed. */
void output_lost(struct output *o, uint64_t n);
/* What could not be recorded, told at the end. The text format warns of it on stderr. */
struct output_loss {
	const char *type; /* "lost_updates": what programs know it by */
	const char *what; /* what was lost, or where: a map's or a probe's name */
	uint64_t count;
	const char *text; /* in words */
};
void output_loss(struct output *o, const struct output_loss *l);
/* Between the script's output and the maps that are printed at the end. */
void output_end(struct output *o);
/* After the maps that are printed at the end: nothing more will come but messages. */
void output_finish(struct output *o);
/* Nothing more to write for now: what is buffered becomes visible, unless OUTPUT_FULL. */
void output_idle(struct output *o);
/* The error of the writes so far (negative errno), or 0; flushes nothing. */
int output_error(const struct output *o);
/* Flushes. Returns 0, or a negative errno when any write so far failed (ENOSPC, EPIPE). */
int output_flush(struct output *o);

#endif
