/* SPDX-License-Identifier: Apache-2.0 */
/* The text format. */
#include <inttypes.h>
#include <stdlib.h>

#include "output/internal.h"
#include "output/message.h"

static void text_printf(struct output *o, const struct image_action *a, const void *payload)
{
	printf_run(o, &o->out, a, payload);
}

static void text_value(struct output *o, uint32_t type, const void *value)
{
	value_text(o, &o->out, type, value, 1);
	outbuf_putc(&o->out, '\n');
}

static void put_stats(struct outbuf *b, const struct map_row *r, int64_t average, bool is_signed)
{
	outbuf_puts(b, "{ .count = ");
	outbuf_u64(b, r->count);
	outbuf_puts(b, ", .average = ");
	if (is_signed)
		outbuf_s64(b, average);
	else
		outbuf_u64(b, average);
	outbuf_puts(b, ", .total = ");
	if (is_signed)
		outbuf_s64(b, r->total);
	else
		outbuf_u64(b, r->total);
	outbuf_puts(b, " }");
}

static void put_row_value(struct output *o, const struct image_map *m, const struct map_row *r,
			  uint64_t divisor)
{
	const struct image_type *t = &o->img->types[m->value];
	bool is_signed = t->flags & IMAGE_TF_SIGNED && t->kind != IMAGE_K_COUNT;
	int64_t v;

	if (!is_aggregation(t)) {
		value_text(o, &o->out, m->value, r->value, divisor);
		return;
	}
	v = map_row_number(t, r, divisor);
	if (t->kind == IMAGE_K_STATS)
		put_stats(&o->out, r, v, is_signed);
	else if (is_signed)
		outbuf_s64(&o->out, v);
	else
		outbuf_u64(&o->out, v);
}

static void put_key(struct output *o, const struct image_map *m, const void *key)
{
	const struct image_type *t;

	if (m->key == IMAGE_NONE)
		return;
	t = &o->img->types[m->key];
	outbuf_putc(&o->out, '[');
	if (t->kind == IMAGE_K_TUPLE) /* several keys: no parentheses */
		value_text_parts(o, &o->out, t, key, 1);
	else
		value_text(o, &o->out, m->key, key, 1);
	outbuf_putc(&o->out, ']');
}

static void text_map(struct output *o, const struct image_map *m, const struct map_row *rows,
		     size_t n, uint64_t divisor)
{
	const struct image_type *t = &o->img->types[m->value];

	for (size_t i = 0; i < n; i++) {
		outbuf_putc(&o->out, '@');
		outbuf_puts(&o->out, image_str(o->img, m->name));
		put_key(o, m, rows[i].elem->key);
		if (is_histogram(t)) {
			outbuf_put(&o->out, ":\n", 2);
			histogram_text(&o->out, t, rows[i].buckets, divisor);
		} else if (t->kind == IMAGE_K_TSERIES) {
			outbuf_put(&o->out, ":\n", 2);
			tseries_text(o, &o->out, t, rows[i].slots, o->last_epoch);
		} else {
			outbuf_put(&o->out, ": ", 2);
			put_row_value(o, m, &rows[i], divisor);
		}
		outbuf_putc(&o->out, '\n');
	}
}

static void text_row(struct output *o, const struct image_action *a, const void *tuple)
{
	printf_row(o, &o->out, a, tuple);
}

static void text_heading(struct output *o, const struct image_action *a, const uint64_t numbers[2])
{
	printf_heading(o, &o->out, a, numbers);
}

/* The cursor goes home and the rest is cleared, with what follows in the same write. */
static void text_screen(struct output *o)
{
	outbuf_puts(&o->out, o->opts.terminal ? "\033[H\033[J" : "\n");
}

static void text_text_begin(struct output *o, enum output_text_kind kind)
{
	(void)o;
	(void)kind;
}

static void text_text_more(struct output *o, enum output_text_kind kind, const char *text,
			   size_t len)
{
	(void)kind;
	outbuf_put(&o->out, text, len);
}

static void text_text_end(struct output *o, enum output_text_kind kind)
{
	if (kind == OUTPUT_JOIN || kind == OUTPUT_SYSTEM)
		outbuf_putc(&o->out, '\n');
}

/* ---- messages: to stderr, away from the data, but not before what came before them ---- */

static void text_lost(struct output *o, uint64_t n)
{
	output_idle(o);
	fprintf(stderr, "Lost %" PRIu64 " events\n", n);
}

static void text_message(struct output *o, const struct output_message *m)
{
	enum message_level level = m->kind == OUTPUT_ERRORF ? MESSAGE_ERROR : MESSAGE_WARNING;
	char *text;

	output_idle(o);
	if (!m->helper) {
		message_put(level, m->where, m->quote, m->text);
		return;
	}
	if (asprintf(&text, "%s\nAdditional Info - helper: %s, retcode: %" PRId64, m->text,
		     m->helper, m->retcode) < 0)
		return;
	message_put(level, m->where, m->quote, text);
	free(text);
}

static void text_loss(struct output *o, const struct output_loss *l)
{
	output_idle(o);
	message_put(MESSAGE_WARNING, NULL, NULL, l->text);
}

static void text_end(struct output *o)
{
	outbuf_put(&o->out, "\n\n", 2);
}

static void text_attached(struct output *o, unsigned nprobes)
{
	(void)o;
	fprintf(stderr, "Attached %u probe%s\n", nprobes, nprobes == 1 ? "" : "s");
}

const struct output_format output_text_format = {
	.name = "text",
	.printf = text_printf,
	.value = text_value,
	.map = text_map,
	.row = text_row,
	.heading = text_heading,
	.screen = text_screen,
	.text_begin = text_text_begin,
	.text_more = text_text_more,
	.text_end = text_text_end,
	.attached = text_attached,
	.lost = text_lost,
	.message = text_message,
	.loss = text_loss,
	.end = text_end,
	.test = text_test,
	.bench = text_bench,
};
