/* SPDX-License-Identifier: Apache-2.0 */
/* The room's door: picks the format, keeps the buffer. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "output/folded.h"

#define OUT_SIZE     (256 * 1024)
#define SCRATCH_SIZE 1024

static const struct output_format *const formats[] = {
	&output_text_format, &output_json_format, &output_folded_format, &output_flamegraph_format};
#define NFORMATS (sizeof(formats) / sizeof(*formats))

static const struct output_format *find_format(const char *name)
{
	for (size_t i = 0; i < NFORMATS; i++)
		if (!name || !strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

const char *output_format_name(unsigned i)
{
	return i < NFORMATS ? formats[i]->name : NULL;
}

bool output_format_known(const char *name)
{
	return find_format(name);
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* The clocks are read one after the other: between two of the one, the other. */
static int64_t clock_offset(clockid_t clock)
{
	int64_t before = now_ns(CLOCK_REALTIME), there = now_ns(clock),
		after = now_ns(CLOCK_REALTIME);

	return before + (after - before) / 2 - there;
}

static int64_t whole_seconds(int64_t ns)
{
	const int64_t second = 1000000000, half = second / 2;

	return (ns + (ns < 0 ? -half : half)) / second * second;
}

/* Standard output is for the stacks alone. */
static int open_buffers(struct output *o, const struct output_format *format)
{
	int err;

	o->format = format;
	if (format->stacks) {
		o->format = &output_text_format;
		o->stack_format = format;
		o->opts.terminal = false;
	}
	err = outbuf_open(&o->out, format->stacks ? stderr : o->opts.file, OUT_SIZE);
	if (!err && format->stacks)
		err = outbuf_open(&o->stacks, o->opts.file, OUT_SIZE);
	if (!err)
		err = outbuf_open(&o->scratch, NULL, SCRATCH_SIZE);
	return err ? err : outbuf_open(&o->quoted, NULL, SCRATCH_SIZE);
}

struct output *output_new(const struct image *img, struct symbols *sym,
			  const struct output_opts *opts)
{
	const struct output_format *format = find_format(opts->format);
	struct output *o = format ? calloc(1, sizeof(*o)) : NULL;

	if (!o)
		return NULL;
	o->img = img;
	o->sym = sym;
	o->opts = *opts;
	o->trailer = image_str(img, img->config->str_trunc_trailer);
	o->trailer_len = strlen(o->trailer);
	o->clock_off[IMAGE_CLOCK_BOOT] = clock_offset(CLOCK_BOOTTIME);
	o->clock_off[IMAGE_CLOCK_MONOTONIC] = clock_offset(CLOCK_MONOTONIC);
	/* these two differ by whole seconds */
	o->clock_off[IMAGE_CLOCK_TAI] = whole_seconds(clock_offset(CLOCK_TAI));
	if (!img->config->boot_clock) /* then nsecs is this one */
		o->clock_off[IMAGE_CLOCK_BOOT] = o->clock_off[IMAGE_CLOCK_MONOTONIC];
	o->programs = calloc(2 * (size_t)img->nactions + 1, sizeof(*o->programs));
	if (!o->programs || open_buffers(o, format)) {
		output_free(o);
		return NULL;
	}
	return o;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	for (size_t i = 0; o->programs && i < 2 * (size_t)o->img->nactions; i++)
		printf_program_free(o->programs[i]);
	free(o->programs);
	flamegraph_free(o->flamegraph);
	outbuf_close(&o->out);
	outbuf_close(&o->stacks);
	outbuf_close(&o->scratch);
	outbuf_close(&o->quoted);
	free(o);
}

void output_written(struct output *o)
{
	if (o->opts.buffering != OUTPUT_NONE)
		return;
	outbuf_flush(&o->out);
	outbuf_flush(&o->stacks);
}

void output_printf(struct output *o, const struct image_action *a, const void *payload)
{
	o->format->printf(o, a, payload);
	output_written(o);
}

char *output_format(struct output *o, const struct image_action *a, const void *payload)
{
	struct outbuf b;
	char *text;

	if (outbuf_open(&b, NULL, SCRATCH_SIZE))
		return NULL;
	printf_run(o, &b, a, payload);
	outbuf_putc(&b, 0);
	text = b.data;
	if (b.err) {
		outbuf_close(&b);
		return NULL;
	}
	return text;
}

void output_value(struct output *o, uint32_t type, const void *value)
{
	o->format->value(o, type, value);
	output_written(o);
}

/* A scalar that was never stored is shown as zero; a histogram is not shown. */
static void show_unset(struct output *o, const struct image_map *m, uint64_t divisor)
{
	const struct image_type *t = &o->img->types[m->value];
	struct output_elem elem = {.value = calloc(1, t->size + 1)};
	struct map_row row = {.elem = &elem, .value = elem.value};

	if (m->key == IMAGE_NONE && !is_histogram(t) && t->kind != IMAGE_K_TSERIES && elem.value) {
		o->unset = true;
		o->format->map(o, m, &row, 1, divisor);
		o->unset = false;
	}
	free((void *)elem.value);
}

static void note_error(struct outbuf *b, int err)
{
	b->err = b->err ? b->err : err;
}

void output_map(struct output *o, uint32_t map, struct output_elem *elems, size_t n, uint64_t top,
		uint64_t divisor)
{
	const struct image_map *m = &o->img->maps[map];
	struct map_rows r;
	size_t skip;
	int err;

	if (!n) {
		show_unset(o, m, divisor);
		output_written(o);
		return;
	}
	err = map_rows_read(o, m, elems, n, &r);
	if (err) {
		note_error(&o->out, err);
		return;
	}
	skip = top && n > top ? n - top : 0;
	o->last_epoch = r.last_epoch;
	if (o->stack_format && folded_takes(o, m))
		note_error(&o->stacks,
			   o->stack_format->stacks(o, m, r.rows + skip, n - skip, divisor));
	else
		o->format->map(o, m, r.rows + skip, n - skip, divisor);
	map_rows_free(&r);
	output_written(o);
}

void output_screen(struct output *o)
{
	o->format->screen(o);
	o->cleared = o->out.len;
	output_written(o);
}

void output_map_elem(struct output *o, uint32_t map, const void *key, const void *value)
{
	(void)key;
	output_value(o, o->img->maps[map].value, value);
}

void output_text_begin(struct output *o, enum output_text_kind kind)
{
	o->format->text_begin(o, kind);
}

void output_text_more(struct output *o, enum output_text_kind kind, const char *text, size_t len)
{
	o->format->text_more(o, kind, text, len);
}

void output_text_end(struct output *o, enum output_text_kind kind)
{
	o->format->text_end(o, kind);
	output_written(o);
}

void output_text(struct output *o, enum output_text_kind kind, const char *text, size_t len)
{
	output_text_begin(o, kind);
	output_text_more(o, kind, text, len);
	output_text_end(o, kind);
}

void output_message(struct output *o, const struct output_message *m)
{
	o->format->message(o, m);
	output_written(o);
}

void output_lost(struct output *o, uint64_t n)
{
	o->format->lost(o, n);
	output_written(o);
}

void output_loss(struct output *o, const struct output_loss *l)
{
	o->format->loss(o, l);
	output_written(o);
}

void output_end(struct output *o)
{
	o->format->end(o);
	output_written(o);
}

void output_attached(struct output *o, unsigned nprobes)
{
	o->format->attached(o, nprobes);
	output_written(o);
}

void output_test(struct output *o, const struct output_test *t)
{
	o->format->test(o, t);
	output_written(o);
}

void output_bench(struct output *o, const struct output_bench *b)
{
	o->format->bench(o, b);
	output_written(o);
}

void output_idle(struct output *o)
{
	if (o->cleared && o->cleared == o->out.len) /* never an empty screen in between */
		return;
	o->cleared = 0;
	if (o->opts.buffering == OUTPUT_FULL)
		return;
	outbuf_flush(&o->out);
	outbuf_flush(&o->stacks);
}

int output_error(const struct output *o)
{
	return o->out.err ? o->out.err : o->stacks.err;
}

void output_finish(struct output *o)
{
	if (o->stack_format && o->stack_format->finish)
		note_error(&o->stacks, o->stack_format->finish(o));
}

int output_flush(struct output *o)
{
	outbuf_flush(&o->out);
	outbuf_flush(&o->stacks);
	return output_error(o);
}
