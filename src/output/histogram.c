/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms as bars. */
#include "output/internal.h"

#define LABEL_WIDTH 16
#define COUNT_WIDTH 8
#define BAR_WIDTH   52

/* Where bucket begins or ends: a number as text; plain when no suffix may stand behind it. */
struct edge {
	char text[32];
	int64_t value;
	bool plain;
};

/* The end of bucket @i (the start of the next one) of hist(v, bits). */
static void hist_edge(struct edge *e, uint32_t i, unsigned bits)
{
	uint64_t per_power = 1ull << bits;
	unsigned width;

	e->plain = i <= 2 * per_power;
	if (e->plain) {
		e->value = i;
		snprintf(e->text, sizeof(e->text), "%u", i);
		return;
	}
	width = (i >> bits) - 1;
	snprintf(e->text, sizeof(e->text), "%llu%.1s",
		 (unsigned long long)(per_power + (i & (per_power - 1))) << width % 10,
		 &"\0KMGTPE"[width / 10]);
}

static void lhist_edge(struct edge *e, uint32_t i, const int64_t *arg)
{
	int64_t v = arg[0] + (int64_t)i * arg[2];

	e->value = v;
	e->plain = arg[2] % 1024 != 0;
	if (e->plain || !v || v % 1024)
		snprintf(e->text, sizeof(e->text), "%lld", (long long)v);
	else if (v % (1024 * 1024))
		snprintf(e->text, sizeof(e->text), "%lldK", (long long)v / 1024);
	else
		snprintf(e->text, sizeof(e->text), "%lldM", (long long)v / (1024 * 1024));
}

static void get_edge(struct edge *e, const struct image_type *t, uint32_t i)
{
	if (t->kind == IMAGE_K_HIST)
		hist_edge(e, i, t->arg[0]);
	else
		lhist_edge(e, i, t->arg);
}

static void put_label(struct outbuf *b, const struct image_type *t, uint32_t i)
{
	bool last = t->kind == IMAGE_K_LHIST && i == histogram_buckets(t) - 1;
	struct edge low, high;
	char label[80];

	if (i)
		get_edge(&low, t, i - 1);
	if (!last)
		get_edge(&high, t, i);
	if (!i)
		snprintf(label, sizeof(label), "(..., %s)", high.text);
	else if (last)
		snprintf(label, sizeof(label), "[%s, ...)", low.text);
	else if (low.plain && high.plain && low.value + 1 == high.value)
		snprintf(label, sizeof(label), "[%s]", low.text);
	else
		snprintf(label, sizeof(label), "[%s, %s)", low.text, high.text);
	outbuf_puts(b, label);
	if (strlen(label) < LABEL_WIDTH)
		outbuf_pad(b, ' ', LABEL_WIDTH - strlen(label));
}

static void put_bar(struct outbuf *b, uint64_t count, uint64_t max)
{
	/* in single precision, for the same rounding as bpftrace's */
	int width = max ? (int)((float)count / (float)max * BAR_WIDTH) : 0;
	char number[24];
	int len = snprintf(number, sizeof(number), "%llu", (unsigned long long)count);

	if (len < COUNT_WIDTH)
		outbuf_pad(b, ' ', COUNT_WIDTH - len);
	outbuf_put(b, number, len);
	outbuf_puts(b, " |");
	outbuf_pad(b, '@', width);
	outbuf_pad(b, ' ', BAR_WIDTH - width);
	outbuf_puts(b, "|\n");
}

void histogram_range(struct histogram_range *r, const struct image_type *t, const uint64_t *buckets,
		     uint64_t divisor)
{
	uint32_t n = histogram_buckets(t);

	*r = (struct histogram_range){.divisor = divisor};
	if (!divisor || t->kind == IMAGE_K_LHIST) /* a divisor says nothing to lhist */
		r->divisor = 1;
	for (uint32_t i = 0; i < n; i++) {
		if (!buckets[i])
			continue;
		if (!r->end)
			r->first = i;
		r->end = i + 1;
		if (buckets[i] / r->divisor > r->max)
			r->max = buckets[i] / r->divisor;
	}
}

void histogram_text(struct outbuf *b, const struct image_type *t, const uint64_t *buckets,
		    uint64_t divisor)
{
	struct histogram_range r;

	histogram_range(&r, t, buckets, divisor);
	for (uint32_t i = r.first; i < r.end; i++) {
		put_label(b, t, i);
		put_bar(b, buckets[i] / r.divisor, r.max);
	}
}
