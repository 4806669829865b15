/* SPDX-License-Identifier: Apache-2.0 */
/* Time series: the CPUs' intervals merged, and drawn as points over time. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "output/internal.h"

#define GRAPH_WIDTH 53
#define LABEL_WIDTH 21

/* ---- merging -------------------------------------------------------------------- */

static bool better(const struct image_type *t, int64_t a, int64_t b)
{
	bool is_signed = t->flags & IMAGE_TF_SIGNED;
	bool less = is_signed ? a < b : (uint64_t)a < (uint64_t)b;

	return t->arg[2] == IMAGE_TSERIES_MIN ? less : !less && a != b;
}

static void merge_slot(const struct image_type *t, struct image_tseries_slot *into,
		       const struct image_tseries_slot *s)
{
	if (!s->epoch || s->epoch < into->epoch)
		return;
	if (s->epoch > into->epoch) { /* what another CPU had is of a round before */
		*into = *s;
		return;
	}
	switch (t->arg[2]) {
	case IMAGE_TSERIES_AVG:
		into->meta += s->meta;
		into->value = (uint64_t)into->value + (uint64_t)s->value;
		break;
	case IMAGE_TSERIES_SUM:
		into->value = (uint64_t)into->value + (uint64_t)s->value;
		break;
	case IMAGE_TSERIES_LAST:
		if (s->meta > into->meta)
			*into = *s;
		break;
	default:
		if (better(t, s->value, into->value))
			into->value = s->value;
		break;
	}
}

void tseries_merge(const struct image_type *t, struct image_tseries_slot *slots, const void *value)
{
	for (int64_t i = 0; i < t->arg[1]; i++) {
		struct image_tseries_slot s;

		memcpy(&s, (const char *)value + i * sizeof(s), sizeof(s));
		merge_slot(t, &slots[i], &s);
	}
}

uint64_t tseries_last(const struct image_type *t, const struct image_tseries_slot *slots)
{
	uint64_t last = 0;

	for (int64_t i = 0; i < t->arg[1]; i++)
		if (slots[i].epoch > last)
			last = slots[i].epoch;
	return last;
}

/* The slot of interval @epoch, or NULL when nothing was recorded in it. */
static const struct image_tseries_slot *
slot_at(const struct image_type *t, const struct image_tseries_slot *slots, uint64_t epoch)
{
	/* epochs are kept from 1 on, so that 0 is an unused slot */
	const struct image_tseries_slot *s = &slots[(epoch - 1) % (uint64_t)t->arg[1]];

	return s->epoch == epoch ? s : NULL;
}

static int64_t slot_value(const struct image_type *t, const struct image_tseries_slot *s)
{
	if (t->arg[2] != IMAGE_TSERIES_AVG || !s->meta)
		return s->value;
	return divide(s->value, s->meta, t->flags & IMAGE_TF_SIGNED);
}

void tseries_each(const struct image_type *t, const struct image_tseries_slot *slots, uint64_t last,
		  tseries_fn *fn, void *arg)
{
	uint64_t n = t->arg[1], epoch = last >= n ? last - n + 1 : 1;

	/* what was recorded before the first value is not known to be nothing */
	while (epoch < last && !slot_at(t, slots, epoch))
		epoch++;
	for (; epoch <= last; epoch++) {
		const struct image_tseries_slot *s = slot_at(t, slots, epoch);
		int64_t v = s ? slot_value(t, s) : 0;

		fn((epoch - 1) * (uint64_t)t->arg[0], s ? &v : NULL, arg);
	}
}

/* ---- drawing --------------------------------------------------------------------- */

struct graph {
	struct output *o;
	struct outbuf *b;
	const struct image_type *type;
	bool is_signed, any;
	int64_t min, max;
	int zero;        /* column of the line at zero, 0: none */
	unsigned digits; /* of the fraction of a second */
};

static bool less(const struct graph *g, int64_t a, int64_t b)
{
	return g->is_signed ? a < b : (uint64_t)a < (uint64_t)b;
}

static void find_range(uint64_t at, const int64_t *v, void *arg)
{
	struct graph *g = arg;

	(void)at;
	if (!v)
		return;
	if (!g->any || less(g, *v, g->min))
		g->min = *v;
	if (!g->any || less(g, g->max, *v))
		g->max = *v;
	g->any = true;
}

/* A range of one value is drawn with some room on both sides. */
static void widen(struct graph *g)
{
	if (g->min != g->max)
		return;
	if (g->min != (g->is_signed ? INT64_MIN : 0))
		g->min--;
	if (g->max != (g->is_signed ? INT64_MAX : -1))
		g->max++;
}

/* Where @v stands in @width columns. In single precision: for bpftrace's rounding. */
static int column(const struct graph *g, int64_t v, int width)
{
	uint64_t whole = (uint64_t)g->max - (uint64_t)g->min, part = (uint64_t)v - (uint64_t)g->min;
	int at = (float)width * (float)part / (float)whole;

	return at < 0 ? 0 : at > GRAPH_WIDTH - 1 ? GRAPH_WIDTH - 1 : at;
}

static int number_text(const struct graph *g, int64_t v, char *text, size_t size)
{
	return snprintf(text, size, g->is_signed ? "%" PRId64 : "%" PRIu64, v);
}

static void put_range(const struct graph *g, int indent)
{
	char min[24], max[24];

	number_text(g, g->min, min, sizeof(min));
	number_text(g, g->max, max, sizeof(max));
	outbuf_pad(g->b, ' ', indent);
	outbuf_puts(g->b, min);
	if (strlen(min) < LABEL_WIDTH)
		outbuf_pad(g->b, ' ', LABEL_WIDTH - strlen(min));
	if (strlen(max) < GRAPH_WIDTH - LABEL_WIDTH)
		outbuf_pad(g->b, ' ', GRAPH_WIDTH - LABEL_WIDTH - strlen(max));
	outbuf_puts(g->b, max);
	outbuf_putc(g->b, '\n');
}

static void put_time(const struct graph *g, uint64_t tai)
{
	int64_t ns = (int64_t)tai + g->o->clock_off[IMAGE_CLOCK_TAI];
	time_t sec = ns / 1000000000;
	char text[64];
	struct tm tm;

	if (localtime_r(&sec, &tm))
		outbuf_put(g->b, text, strftime(text, sizeof(text), "%H:%M:%S", &tm));
	if (!g->digits)
		return;
	snprintf(text, sizeof(text), ".%09" PRId64, ns % 1000000000);
	outbuf_put(g->b, text, 1 + g->digits);
}

static void put_point(uint64_t at, const int64_t *v, void *arg)
{
	struct graph *g = arg;
	char line[GRAPH_WIDTH], number[24] = "-";

	memset(line, ' ', sizeof(line));
	line[0] = line[GRAPH_WIDTH - 1] = '|';
	if (g->zero)
		line[g->zero] = '.';
	if (v) {
		line[g->min == g->max ? GRAPH_WIDTH / 2 : column(g, *v, GRAPH_WIDTH - 1)] = '*';
		number_text(g, *v, number, sizeof(number));
	}
	put_time(g, at);
	outbuf_putc(g->b, ' ');
	outbuf_put(g->b, line, sizeof(line));
	outbuf_putc(g->b, ' ');
	outbuf_puts(g->b, number);
	outbuf_putc(g->b, '\n');
}

/* "hh:mm:ss.ms": how precise the times are; "μs" takes two bytes for one column. */
static const char *time_heading(struct graph *g)
{
	int64_t interval = g->type->arg[0];

	if (interval >= 1000000000)
		return "hh:mm:ss";
	g->digits = interval >= 1000000 ? 3 : interval >= 1000 ? 6 : 9;
	return g->digits == 3 ? "hh:mm:ss.ms" : g->digits == 6 ? "hh:mm:ss.μs" : "hh:mm:ss.ns";
}

void tseries_text(struct output *o, struct outbuf *b, const struct image_type *t,
		  const struct image_tseries_slot *slots, uint64_t last)
{
	struct graph g = {.o = o, .b = b, .type = t, .is_signed = t->flags & IMAGE_TF_SIGNED};
	const char *heading = time_heading(&g);
	int width = strlen("hh:mm:ss") + (g.digits ? 1 + g.digits : 0);
	char rule[GRAPH_WIDTH];

	tseries_each(t, slots, last, find_range, &g);
	widen(&g);
	if (g.is_signed && g.min < 0 && g.max > 0)
		g.zero = column(&g, 0, GRAPH_WIDTH);
	memset(rule, '_', sizeof(rule));

	put_range(&g, width + 1);
	outbuf_puts(b, heading);
	if (strlen(heading) < (size_t)width + 1)
		outbuf_pad(b, ' ', width + 1 - strlen(heading));
	rule[0] = rule[GRAPH_WIDTH - 1] = '|';
	outbuf_put(b, rule, sizeof(rule));
	outbuf_putc(b, '\n');
	tseries_each(t, slots, last, put_point, &g);
	outbuf_pad(b, ' ', width + 1);
	rule[0] = rule[GRAPH_WIDTH - 1] = 'v';
	outbuf_put(b, rule, sizeof(rule));
	outbuf_putc(b, '\n');
	put_range(&g, width + 1);
}
