/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the room share. */
#ifndef BT_OUTPUT_INTERNAL_H
#define BT_OUTPUT_INTERNAL_H

#include <string.h>

#include "output/output.h"

/* ---- bytes on their way out ---------------------------------------------- */

/* Bytes that either grow in memory (file NULL) or are written out when they fill up. */
struct outbuf {
	char *data;
	size_t len, cap;
	FILE *file;
	int fd;  /* of file, -1: none, use stdio */
	int err; /* first failure, negative errno; everything after it is dropped */
};

int outbuf_open(struct outbuf *b, FILE *file, size_t cap);
void outbuf_close(struct outbuf *b);
/* Writes what is there; nothing to do for a buffer in memory. */
void outbuf_flush(struct outbuf *b);
/* Out of line: makes room, then appends. */
void outbuf_put_slow(struct outbuf *b, const char *s, size_t n);

static inline void outbuf_put(struct outbuf *b, const char *s, size_t n)
{
	if (b->cap - b->len < n) {
		outbuf_put_slow(b, s, n);
		return;
	}
	memcpy(b->data + b->len, s, n);
	b->len += n;
}

static inline void outbuf_putc(struct outbuf *b, char c)
{
	outbuf_put(b, &c, 1);
}

static inline void outbuf_puts(struct outbuf *b, const char *s)
{
	outbuf_put(b, s, strlen(s));
}

void outbuf_pad(struct outbuf *b, char c, size_t n);
void outbuf_u64(struct outbuf *b, uint64_t v);
void outbuf_s64(struct outbuf *b, int64_t v);
void outbuf_hex(struct outbuf *b, uint64_t v);
/* @bytes as text: printable ones kept (unless !ascii), others \x..; !escape: "aa bb". */
void outbuf_bytes(struct outbuf *b, const uint8_t *bytes, size_t n, bool ascii, bool escape);

/* ---- one row of a map, merged --------------------------------------------- */

struct map_row {
	const struct output_elem *elem;
	const void *value; /* not an aggregation: its bytes */
	int64_t total;     /* sum; value of min and max; what integers are sorted by */
	uint64_t count;    /* avg, stats: values; min, max: 0 when there was none */
	uint64_t *buckets; /* hist, lhist */
	struct image_tseries_slot *slots; /* tseries */
};

struct map_rows {
	struct map_row *rows;
	size_t n;
	uint64_t *buckets; /* of all rows */
	struct image_tseries_slot *slots;
	uint64_t last_epoch; /* tseries: the newest interval of all rows, 0: none */
};

/* Merges the CPUs' values. Returns 0 or -ENOMEM; free with map_rows_free(). */
int map_rows_merge(const struct output *o, const struct image_map *m,
		   const struct output_elem *elems, size_t n, struct map_rows *out);
/* Likewise, and sorts them as maps are printed. */
int map_rows_read(const struct output *o, const struct image_map *m,
		  const struct output_elem *elems, size_t n, struct map_rows *out);
void map_rows_free(struct map_rows *r);
/* What an aggregation that is no histogram comes to: stats: the average. */
int64_t map_row_number(const struct image_type *t, const struct map_row *r, uint64_t divisor);
int64_t divide(int64_t v, uint64_t divisor, bool is_signed);
bool is_aggregation(const struct image_type *t);
bool is_histogram(const struct image_type *t);
uint32_t histogram_buckets(const struct image_type *t);
/* An integer of @size bytes, sign-extended when @is_signed. */
int64_t load_int(const void *p, uint32_t size, bool is_signed);
/* <0, 0, >0 as the values of a type are ordered; equal only for equal bytes. */
int value_compare(const struct image *img, uint32_t type, const uint8_t *a, const uint8_t *b);

/* ---- formats --------------------------------------------------------------- */

struct printf_program; /* a format string, compiled */

struct output_format {
	const char *name;
	void (*printf)(struct output *o, const struct image_action *a, const void *payload);
	void (*value)(struct output *o, uint32_t type, const void *value);
	void (*map)(struct output *o, const struct image_map *m, const struct map_row *rows,
		    size_t n, uint64_t divisor);
	/* @tuple: the columns of a row, as the action's table lays them out */
	void (*row)(struct output *o, const struct image_action *a, const void *tuple);
	/* above a cycle: its number and its length */
	void (*heading)(struct output *o, const struct image_action *a, const uint64_t numbers[2]);
	void (*screen)(struct output *o);
	void (*text_begin)(struct output *o, enum output_text_kind kind);
	void (*text_more)(struct output *o, enum output_text_kind kind, const char *text,
			  size_t len);
	void (*text_end)(struct output *o, enum output_text_kind kind);
	void (*attached)(struct output *o, unsigned nprobes);
	void (*lost)(struct output *o, uint64_t n);
	void (*message)(struct output *o, const struct output_message *m);
	void (*loss)(struct output *o, const struct output_loss *l);
	void (*end)(struct output *o);
	void (*test)(struct output *o, const struct output_test *t);
	void (*bench)(struct output *o, const struct output_bench *b);
	/*
	 * Formats of stacks have these and none of the above. stacks: takes a map whose key holds
	 * a stack; finish (NULL: nothing to do): when all has been told. Both write to o->stacks;
	 * what else there is goes to standard error as text. 0 or a negative errno.
	 */
	int (*stacks)(struct output *o, const struct image_map *m, const struct map_row *rows,
		      size_t n, uint64_t divisor);
	int (*finish)(struct output *o);
};

extern const struct output_format output_text_format, output_json_format, output_folded_format,
	output_flamegraph_format;

struct flamegraph; /* the stacks so far */
void flamegraph_free(struct flamegraph *g);

struct output {
	const struct image *img;
	struct symbols *sym;
	struct output_opts opts;
	const struct output_format *format;
	const struct output_format *stack_format; /* maps of stacks are told so; NULL: as others */
	struct outbuf out;
	struct outbuf stacks; /* what stack_format writes */
	struct flamegraph *flamegraph;
	struct outbuf scratch;            /* values that are padded to a width */
	struct outbuf quoted;             /* text that is to be escaped */
	struct printf_program **programs; /* one an action, compiled on first use */
	const char *trailer;              /* of cut strings */
	size_t trailer_len;
	size_t cleared;        /* bytes of out when the screen was cleared and nothing came yet */
	unsigned benches_told; /* the table's head has been written */
	uint64_t last_epoch;   /* of the time series being shown: the newest of its map */
	bool unset;            /* showing a value that was never stored */
	bool compact;          /* text without blanks between a value's parts */
	int64_t clock_off[3];  /* enum image_clock to time of day, ns */
	uint64_t frames[OUTPUT_STACK_DEPTH * 4]; /* addresses, or struct bpf_stack_build_id */
};

/* Tests and benchmarks as text: see testing.c. */
void text_test(struct output *o, const struct output_test *t);
void text_bench(struct output *o, const struct output_bench *b);
/* Appends the text of one value; integers are divided by @divisor. */
void value_text(struct output *o, struct outbuf *b, uint32_t type, const void *value,
		uint64_t divisor);
/* The parts of a tuple with ", " between them and nothing around. */
void value_text_parts(struct output *o, struct outbuf *b, const struct image_type *t,
		      const void *value, uint64_t divisor);
/* What a line of /proc/meminfo says now, divided as its type says. */
uint64_t meminfo_now(const struct output *o, const struct image_type *t);
/* Addresses and stacks: see stack.c. */
void ksym_text(struct output *o, struct outbuf *b, uint64_t addr);
void usym_text(struct output *o, struct outbuf *b, int pid, uint64_t addr);
void stack_text(struct output *o, struct outbuf *b, const struct image_type *t, const void *value);
/* A field's integer, bit-fields included. */
int64_t field_int(const struct image *img, const struct image_field *f, const void *base);
size_t string_length(const void *s, size_t size);

/* Runs the format of action @a over the payload. */
void printf_run(struct output *o, struct outbuf *b, const struct image_action *a,
		const void *payload);
/* The same of a row of its table; and of the heading, whose arguments are two words. */
void printf_row(struct output *o, struct outbuf *b, const struct image_action *a,
		const void *tuple);
void printf_heading(struct output *o, struct outbuf *b, const struct image_action *a,
		    const uint64_t numbers[2]);
/* To be called after each thing that was told: shows it where nothing is to be kept back. */
void output_written(struct output *o);
void printf_program_free(struct printf_program *p);

/* Adds one CPU's @value to the merged @slots. */
void tseries_merge(const struct image_type *t, struct image_tseries_slot *slots, const void *value);
/* The newest interval that has a value: image_tseries_slot's epoch, 0: none. */
uint64_t tseries_last(const struct image_type *t, const struct image_tseries_slot *slots);
/*
 * Calls @fn for each interval up to @last, from the first one that has a value; @at is when it
 * began (TAI, ns), @v its value, NULL: none.
 */
typedef void tseries_fn(uint64_t at, const int64_t *v, void *arg);
void tseries_each(const struct image_type *t, const struct image_tseries_slot *slots, uint64_t last,
		  tseries_fn *fn, void *arg);
/* The points of a merged series. */
void tseries_text(struct output *o, struct outbuf *b, const struct image_type *t,
		  const struct image_tseries_slot *slots, uint64_t last);

/* The names of page allocation flags, "GFP_KERNEL|__GFP_ZERO". */
void gfp_text(struct outbuf *b, uint64_t v);
/* The buckets of a histogram that are shown: from the first to the last with something in it. */
struct histogram_range {
	uint32_t first, end;
	uint64_t max;     /* of the counts, divided */
	uint64_t divisor; /* of the counts: 1 or more */
};
void histogram_range(struct histogram_range *r, const struct image_type *t, const uint64_t *buckets,
		     uint64_t divisor);
/* The bars of a merged histogram. */
void histogram_text(struct outbuf *b, const struct image_type *t, const uint64_t *buckets,
		    uint64_t divisor);

#endif
