/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON format: one object a line, {"type": ..., "data": ...}. Blanks stand where bpftrace
 * has them; there are readers that match lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "output/json.h"

static void begin(struct outbuf *b, const char *type)
{
	outbuf_puts(b, "{\"type\": \"");
	outbuf_puts(b, type);
	outbuf_puts(b, "\", ");
}

static void begin_data(struct outbuf *b, const char *type)
{
	begin(b, type);
	outbuf_puts(b, "\"data\": ");
}

static void end(struct outbuf *b)
{
	outbuf_puts(b, "}\n");
}

static void put_text(struct outbuf *b, const char *text)
{
	json_string(b, text, strlen(text));
}

/* ---- what scripts print ----------------------------------------------------------- */

static void json_printf(struct output *o, const struct image_action *a, const void *payload)
{
	o->quoted.len = 0;
	printf_run(o, &o->quoted, a, payload);
	begin_data(&o->out, "printf");
	json_string(&o->out, o->quoted.data, o->quoted.len);
	end(&o->out);
}

static void json_print_value(struct output *o, uint32_t type, const void *value)
{
	begin_data(&o->out, "value");
	json_value(o, &o->out, type, value, 1);
	end(&o->out);
}

static const char *const text_types[OUTPUT_NTEXTS] = {
	[OUTPUT_TIME] = "time",
	[OUTPUT_CAT] = "cat",
	[OUTPUT_JOIN] = "join",
	[OUTPUT_SYSTEM] = "syscall",
};

static void json_text_begin(struct output *o, enum output_text_kind kind)
{
	begin_data(&o->out, text_types[kind]);
	outbuf_putc(&o->out, '"');
}

static void json_text_more(struct output *o, enum output_text_kind kind, const char *text,
			   size_t len)
{
	(void)kind;
	json_escaped(&o->out, text, len);
}

static void json_text_end(struct output *o, enum output_text_kind kind)
{
	(void)kind;
	outbuf_putc(&o->out, '"');
	end(&o->out);
}

/* ---- maps ---------------------------------------------------------------------------- */

static void put_range(struct outbuf *b, const struct image_type *t, uint32_t i)
{
	int64_t low, high;
	bool last = false;

	if (t->kind == IMAGE_K_HIST) {
		image_hist_range(i, t->arg[0], &low, &high);
	} else {
		last = i == histogram_buckets(t) - 1;
		low = t->arg[0] + ((int64_t)i - 1) * t->arg[2];
		high = low + t->arg[2];
	}
	if (i) {
		outbuf_puts(b, "\"min\": ");
		json_int(b, low, true);
		outbuf_puts(b, ", ");
	}
	if (!last) {
		outbuf_puts(b, "\"max\": ");
		json_int(b, high == INT64_MAX ? high : high - 1, true); /* 2^63 is cut */
		outbuf_puts(b, ", ");
	}
}

static void put_histogram(struct outbuf *b, const struct image_type *t, const uint64_t *buckets,
			  uint64_t divisor)
{
	struct histogram_range r;

	histogram_range(&r, t, buckets, divisor);
	outbuf_putc(b, '[');
	for (uint32_t i = r.first; i < r.end; i++) {
		if (i > r.first)
			outbuf_putc(b, ',');
		outbuf_putc(b, '{');
		put_range(b, t, i);
		outbuf_puts(b, "\"count\": ");
		json_int(b, buckets[i] / r.divisor, false);
		outbuf_putc(b, '}');
	}
	outbuf_putc(b, ']');
}

static void put_stats(struct outbuf *b, const struct map_row *r, int64_t average, bool is_signed)
{
	outbuf_puts(b, "{\"count\": ");
	json_int(b, r->count, false);
	outbuf_puts(b, ", \"average\": ");
	json_int(b, average, is_signed);
	outbuf_puts(b, ", \"total\": ");
	json_int(b, r->total, is_signed);
	outbuf_putc(b, '}');
}

/* ---- time series --------------------------------------------------------------------- */

struct series {
	struct output *o;
	bool any, is_signed;
};

/* Intervals without a value are left out. */
static void put_interval(uint64_t at, const int64_t *v, void *arg)
{
	struct series *s = arg;
	int64_t ns = (int64_t)at + s->o->clock_off[IMAGE_CLOCK_TAI];
	struct outbuf *b = &s->o->out;
	time_t sec = ns / 1000000000;
	char text[64] = "", fraction[16];
	struct tm tm;

	if (!v)
		return;
	if (localtime_r(&sec, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(fraction, sizeof(fraction), ".%09u", (unsigned)(ns % 1000000000));
	outbuf_puts(b, s->any ? ",{\"interval_start\":\"" : "{\"interval_start\":\"");
	outbuf_puts(b, text);
	outbuf_puts(b, fraction);
	outbuf_puts(b, "\",\"value\":");
	json_int(b, *v, s->is_signed);
	outbuf_putc(b, '}');
	s->any = true;
}

static void put_series(struct output *o, const struct image_type *t,
		       const struct image_tseries_slot *slots)
{
	struct series s = {.o = o, .is_signed = t->flags & IMAGE_TF_SIGNED};

	outbuf_putc(&o->out, '[');
	tseries_each(t, slots, o->last_epoch, put_interval, &s);
	outbuf_putc(&o->out, ']');
}

static void put_row_value(struct output *o, const struct image_map *m, const struct map_row *r,
			  uint64_t divisor)
{
	const struct image_type *t = &o->img->types[m->value];
	bool is_signed = t->flags & IMAGE_TF_SIGNED && t->kind != IMAGE_K_COUNT;
	int64_t v;

	if (!is_aggregation(t)) {
		json_value(o, &o->out, m->value, r->value, divisor);
		return;
	}
	if (is_histogram(t)) {
		put_histogram(&o->out, t, r->buckets, divisor);
		return;
	}
	if (t->kind == IMAGE_K_TSERIES) {
		put_series(o, t, r->slots);
		return;
	}
	v = map_row_number(t, r, divisor);
	if (t->kind == IMAGE_K_STATS)
		put_stats(&o->out, r, v, is_signed);
	else
		json_int(&o->out, v, is_signed);
}

/* The key's text, several keys with a comma and nothing else between them. */
static void put_key(struct output *o, const struct image_map *m, const void *key)
{
	const struct image_type *t = &o->img->types[m->key];

	o->quoted.len = 0;
	o->compact = true;
	if (t->kind == IMAGE_K_TUPLE)
		value_text_parts(o, &o->quoted, t, key, 1);
	else
		value_text(o, &o->quoted, m->key, key, 1);
	o->compact = false;
	json_string(&o->out, o->quoted.data, o->quoted.len);
}

/* The other kinds are of type "map". */
static const char *const map_types[IMAGE_NKINDS] = {
	[IMAGE_K_AVG] = "stats",  [IMAGE_K_STATS] = "stats",     [IMAGE_K_HIST] = "hist",
	[IMAGE_K_LHIST] = "hist", [IMAGE_K_TSERIES] = "tseries",
};

static void json_map(struct output *o, const struct image_map *m, const struct map_row *rows,
		     size_t n, uint64_t divisor)
{
	const char *type = map_types[o->img->types[m->value].kind];

	begin_data(&o->out, type ? type : "map");
	outbuf_puts(&o->out, "{\"@");
	outbuf_puts(&o->out, image_str(o->img, m->name));
	outbuf_puts(&o->out, m->key == IMAGE_NONE ? "\": " : "\": {");
	for (size_t i = 0; i < n; i++) {
		if (i)
			outbuf_puts(&o->out, ", ");
		if (m->key != IMAGE_NONE) {
			put_key(o, m, rows[i].elem->key);
			outbuf_puts(&o->out, ": ");
		}
		put_row_value(o, m, &rows[i], divisor);
	}
	outbuf_puts(&o->out, m->key == IMAGE_NONE ? "}" : "}}");
	end(&o->out);
}

/* ---- tables -------------------------------------------------------------------------- */

static void json_row(struct output *o, const struct image_action *a, const void *tuple)
{
	uint32_t type = o->img->tables[a->table].tuple;
	const struct image_type *t = type == IMAGE_NONE ? NULL : &o->img->types[type];

	begin_data(&o->out, "row");
	outbuf_putc(&o->out, '[');
	for (uint32_t i = 0; t && i < t->count; i++) {
		const struct image_field *f = &o->img->fields[t->fields + i];

		if (i)
			outbuf_puts(&o->out, ", ");
		json_value(o, &o->out, f->type, (const char *)tuple + f->offset, 1);
	}
	outbuf_putc(&o->out, ']');
	end(&o->out);
}

static void json_heading(struct output *o, const struct image_action *a, const uint64_t numbers[2])
{
	(void)a;
	begin_data(&o->out, "cycle");
	outbuf_puts(&o->out, "{\"number\": ");
	json_int(&o->out, numbers[0], false);
	outbuf_puts(&o->out, ", \"edges\": ");
	json_int(&o->out, numbers[1], false);
	outbuf_putc(&o->out, '}');
	end(&o->out);
}

static void json_screen(struct output *o)
{
	(void)o;
}

/* ---- about the run -------------------------------------------------------------------- */

static void put_count(struct output *o, const char *type, const char *what, uint64_t n)
{
	struct outbuf *b = &o->out;

	begin(b, type);
	outbuf_puts(b, "\"count\": ");
	outbuf_u64(b, n);
	outbuf_puts(b, ", \"data\": {\"");
	outbuf_puts(b, what);
	outbuf_puts(b, "\": ");
	outbuf_u64(b, n);
	outbuf_putc(b, '}');
	end(b);
}

static void json_attached(struct output *o, unsigned nprobes)
{
	put_count(o, "attached_probes", "probes", nprobes);
}

static void json_lost(struct output *o, uint64_t n)
{
	put_count(o, "lost_events", "events", n);
}

/* "file:line:column", or "file:line:column-end"; a file's name may hold colons itself. */
static void put_place(struct outbuf *b, const char *where)
{
	const char *col = strrchr(where, ':'), *line = col;

	while (line && line > where && line[-1] != ':')
		line--;
	outbuf_puts(b, ", \"filename\": ");
	if (!col || line == where) {
		put_text(b, where);
		return;
	}
	json_string(b, where, line - 1 - where);
	outbuf_puts(b, ", \"line\": ");
	outbuf_u64(b, strtoul(line, NULL, 10));
	outbuf_puts(b, ", \"col\": ");
	outbuf_u64(b, strtoul(col + 1, NULL, 10));
}

static const char *const message_types[OUTPUT_NMESSAGES] = {
	[OUTPUT_ERRORF] = "errorf",
	[OUTPUT_WARNF] = "warnf",
	[OUTPUT_RUNTIME_ERROR] = "runtime_error",
	[OUTPUT_HELPER_ERROR] = "helper_error",
};

static void json_message(struct output *o, const struct output_message *m)
{
	struct outbuf *b = &o->out;

	begin(b, message_types[m->kind]);
	outbuf_puts(b, "\"msg\": ");
	put_text(b, m->text);
	if (m->helper) {
		outbuf_puts(b, ", \"helper\": ");
		put_text(b, m->helper);
		outbuf_puts(b, ", \"retcode\": ");
		json_int(b, m->retcode, true);
	}
	if (*m->where)
		put_place(b, m->where);
	end(b);
}

static void json_loss(struct output *o, const struct output_loss *l)
{
	struct outbuf *b = &o->out;

	begin(b, l->type);
	outbuf_puts(b, "\"count\": ");
	json_int(b, l->count, false);
	outbuf_puts(b, ", \"data\": {");
	put_text(b, l->what);
	outbuf_puts(b, ": ");
	json_int(b, l->count, false);
	outbuf_putc(b, '}');
	end(b);
}

/* ---- tests and benchmarks ------------------------------------------------------------ */

static void begin_result(struct outbuf *b, const char *type, const char *name)
{
	begin_data(b, type);
	outbuf_putc(b, '{');
	put_text(b, name);
	outbuf_puts(b, ": {");
}

static void json_test(struct output *o, const struct output_test *t)
{
	struct outbuf *b = &o->out;

	begin_result(b, "test_result", t->names[t->index]);
	outbuf_puts(b, "\"duration\": ");
	json_int(b, t->duration_ns, false);
	outbuf_puts(b, t->passed[t->index] ? ", \"passed\": true" : ", \"passed\": false");
	outbuf_puts(b, ", \"output\": ");
	put_text(b, t->output);
	outbuf_puts(b, "}}");
	end(b);
}

static void json_bench(struct output *o, const struct output_bench *bench)
{
	struct outbuf *b = &o->out;

	begin_result(b, "benchmark_result", bench->names[bench->index]);
	outbuf_puts(b, "\"average\": ");
	json_int(b, bench->average_ns, false);
	outbuf_puts(b, ", \"iters\": ");
	json_int(b, bench->iters, false);
	outbuf_puts(b, "}}");
	end(b);
}

static void json_end(struct output *o)
{
	(void)o;
}

const struct output_format output_json_format = {
	.name = "json",
	.printf = json_printf,
	.value = json_print_value,
	.map = json_map,
	.row = json_row,
	.heading = json_heading,
	.screen = json_screen,
	.text_begin = json_text_begin,
	.text_more = json_text_more,
	.text_end = json_text_end,
	.attached = json_attached,
	.lost = json_lost,
	.message = json_message,
	.loss = json_loss,
	.end = json_end,
	.test = json_test,
	.bench = json_bench,
};
