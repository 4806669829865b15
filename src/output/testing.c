/* SPDX-License-Identifier: Apache-2.0 */
/* Results of tests and benchmarks as text. */
#include <stdio.h>
#include <unistd.h>

#include "output/internal.h"

#define GREEN "\033[32m"
#define RED   "\033[31m"
#define RESET "\033[0m"

#define NAME_WIDTH 40
#define TIME_WIDTH 15

static void mark(struct output *o, const char *color, const char *text)
{
	bool colored = o->out.fd >= 0 && isatty(o->out.fd);

	if (colored)
		outbuf_puts(&o->out, color);
	outbuf_puts(&o->out, text);
	outbuf_puts(&o->out, colored ? RESET " " : " ");
}

static void line(struct output *o, const char *color, const char *what, const char *name)
{
	mark(o, color, what);
	outbuf_puts(&o->out, name);
	outbuf_putc(&o->out, '\n');
}

static void number(struct output *o, size_t n, const char *what)
{
	outbuf_u64(&o->out, n);
	outbuf_puts(&o->out, n == 1 ? " test" : " tests");
	outbuf_puts(&o->out, what);
}

/* "12 ms": the largest unit of which there is one. */
static void duration(struct output *o, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "μs"}, {1, "ns"}};
	size_t i = 0;

	while (i < 3 && ns < units[i].ns)
		i++;
	outbuf_u64(&o->out, ns / units[i].ns);
	outbuf_putc(&o->out, ' ');
	outbuf_puts(&o->out, units[i].name);
}

/* What a failed test printed, without empty lines. */
static void lines_of(struct output *o, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n) {
			outbuf_put(&o->out, text, n);
			outbuf_putc(&o->out, '\n');
		}
		text += n + (text[n] == '\n');
	}
}

static void summary(struct output *o, const struct output_test *t)
{
	size_t passed = 0;

	for (size_t i = 0; i < t->n; i++)
		passed += t->passed[i];
	mark(o, GREEN, "[==========]");
	number(o, t->n, " ran.\n");
	mark(o, GREEN, "[  PASSED  ]");
	number(o, passed, ".\n");
	if (passed == t->n)
		return;
	mark(o, RED, "[  FAILED  ]");
	number(o, t->n - passed, ", listed below:\n");
	for (size_t i = 0; i < t->n; i++)
		if (!t->passed[i])
			line(o, RED, "[  FAILED  ]", t->names[i]);
}

void text_test(struct output *o, const struct output_test *t)
{
	const char *name = t->names[t->index];
	bool passed = t->passed[t->index];

	if (!t->index) {
		mark(o, GREEN, "[==========]");
		outbuf_puts(&o->out, "Running ");
		number(o, t->n, ".\n");
	}
	line(o, GREEN, "[ RUN      ]", name);
	if (!passed)
		lines_of(o, t->output);
	mark(o, passed ? GREEN : RED, passed ? "[       OK ]" : "[  FAILED  ]");
	outbuf_puts(&o->out, name);
	outbuf_puts(&o->out, " (");
	duration(o, t->duration_ns);
	outbuf_puts(&o->out, ")\n");
	if (t->index + 1 == t->n)
		summary(o, t);
}

static void column(struct output *o, const char *text, size_t width)
{
	size_t n = strlen(text);

	outbuf_puts(&o->out, text);
	outbuf_pad(&o->out, ' ', n < width ? width - n : 1);
}

void text_bench(struct output *o, const struct output_bench *b)
{
	static const char last[] = "Iterations";
	size_t width = NAME_WIDTH;
	char text[32];

	for (size_t i = 0; i < b->n; i++)
		if (strlen(b->names[i]) > width)
			width = strlen(b->names[i]);
	if (!o->benches_told++) {
		column(o, "Benchmark", width + 1);
		column(o, "Time(ns)", TIME_WIDTH);
		outbuf_puts(&o->out, last);
		outbuf_putc(&o->out, '\n');
		outbuf_pad(&o->out, '-', width + 1 + TIME_WIDTH + strlen(last));
		outbuf_putc(&o->out, '\n');
	}
	column(o, b->names[b->index], width + 1);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)b->average_ns);
	column(o, text, TIME_WIDTH);
	outbuf_u64(&o->out, b->iters);
	outbuf_putc(&o->out, '\n');
}
