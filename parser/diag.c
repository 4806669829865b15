/* SPDX-License-Identifier: Apache-2.0 */
/* Sources and diagnostics: collecting, and printing with the place underlined. */
#include "parser.h"

#include <stdlib.h>
#include <string.h>

#define COLOR_RED    "\033[31m"
#define COLOR_YELLOW "\033[33m"
#define COLOR_RESET  "\033[0m"

uint32_t diag_add_source(struct diag_list *d, const char *name, const char *text, size_t size)
{
	struct source s = {
		.name = arena_strdup(d->arena, name),
		.text = arena_strndup(d->arena, text, size),
		.size = (uint32_t)size,
	};

	vec_push(d->arena, &d->sources, s);
	return (uint32_t)d->sources.len - 1;
}

uint32_t diag_add_expansion(struct diag_list *d, struct span definition, struct span call)
{
	struct source s = d->sources.items[definition.src];

	if (!s.expanded)
		s.real = definition.src;
	s.expanded = true;
	s.call = call;
	vec_push(d->arena, &d->sources, s);
	return (uint32_t)d->sources.len - 1;
}

struct span diag_real_span(const struct diag_list *d, struct span at)
{
	if (at.src < d->sources.len && d->sources.items[at.src].expanded)
		at.src = d->sources.items[at.src].real;
	return at;
}

static bool same_place(const struct diag_list *d, struct span a, struct span b)
{
	if (a.begin != b.begin || a.end != b.end)
		return false;
	return diag_real_span(d, a).src == diag_real_span(d, b).src;
}

static bool already_said(const struct diag_list *d, struct span at, const char *message)
{
	for (size_t i = 0; i < d->diags.len; i++) {
		const struct diag *o = &d->diags.items[i];

		if (same_place(d, o->span, at) && !strcmp(o->message, message))
			return true;
	}
	return false;
}

static void __attribute__((format(printf, 4, 0)))
diag_add(struct diag_list *d, enum diag_level level, struct span at, const char *fmt, va_list ap)
{
	struct diag diag = {.level = level, .span = at};
	char buf[1024];

	d->dropped = true;
	if (level == DIAG_ERROR && d->errors >= DIAG_MAX_ERRORS)
		return;
	vsnprintf(buf, sizeof(buf), fmt, ap);
	if (already_said(d, at, buf))
		return;
	d->dropped = false;
	diag.message = arena_strdup(d->arena, buf);
	vec_push(d->arena, &d->diags, diag);
	if (level == DIAG_ERROR)
		d->errors++;
}

void diag_error(struct diag_list *d, struct span at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_add(d, DIAG_ERROR, at, fmt, ap);
	va_end(ap);
}

void diag_warning(struct diag_list *d, struct span at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_add(d, DIAG_WARNING, at, fmt, ap);
	va_end(ap);
}

void diag_hint(struct diag_list *d, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	if (!d->diags.len || d->dropped)
		return;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	d->diags.items[d->diags.len - 1].hint = arena_strdup(d->arena, buf);
}

void diag_note(struct diag_list *d, struct span at, const char *fmt, ...)
{
	struct diag_note note = {.span = at};
	char buf[1024];
	va_list ap;

	if (!d->diags.len || d->dropped)
		return;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	note.message = arena_strdup(d->arena, buf);
	vec_push(d->arena, &d->diags.items[d->diags.len - 1].notes, note);
}

/* ---- places --------------------------------------------------------------- */

/* Line of byte @offset, from 1; the offset of the line's first byte in *@start. */
static unsigned line_of(const struct source *s, uint32_t offset, uint32_t *start)
{
	unsigned line = 1;

	*start = 0;
	if (offset > s->size)
		offset = s->size;
	for (uint32_t i = 0; i < offset; i++) {
		if (s->text[i] != '\n')
			continue;
		line++;
		*start = i + 1;
	}
	return line;
}

static uint32_t line_end(const struct source *s, uint32_t start)
{
	const char *nl = memchr(s->text + start, '\n', s->size - start);

	return nl ? (uint32_t)(nl - s->text) : s->size;
}

void diag_position(const struct diag_list *d, struct span at, unsigned *line, unsigned *col)
{
	uint32_t start;

	*line = 1;
	*col = 1;
	if (at.src >= d->sources.len)
		return;
	*line = line_of(&d->sources.items[at.src], at.begin, &start);
	*col = at.begin - start + 1;
}

/* ---- printing --------------------------------------------------------------- */

static bool is_continuation_byte(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* A longer line is quoted in part: this much in all, and this much before the place. */
#define QUOTE_MAX    1000
#define QUOTE_BEFORE 100

/* Quotes bytes of one line: tabs become four columns, no control character gets through. */
static void print_bytes(FILE *out, const struct source *s, uint32_t begin, uint32_t end)
{
	for (uint32_t i = begin; i < end; i++) {
		unsigned char c = (unsigned char)s->text[i];

		if (c == '\t')
			fputs("    ", out);
		else if (c < 0x20 || c == 0x7f)
			fputc(c == '\r' ? ' ' : '?', out);
		else
			fputc(c, out);
	}
	fputc('\n', out);
}

/* An empty range (the end of the script) is shown as one mark behind the text. */
static void print_underline(FILE *out, const struct source *s, uint32_t first, uint32_t stop,
			    const struct span *at)
{
	bool marked = false;

	for (uint32_t i = first; i < at->end && i < stop; i++) {
		char marker = i < at->begin ? ' ' : '~';

		marked = marked || i >= at->begin;
		for (int n = s->text[i] == '\t' ? 4 : !is_continuation_byte(s->text[i]); n; n--)
			fputc(marker, out);
	}
	fputs(marked ? "\n" : "~\n", out);
}

static void print_line(FILE *out, const struct source *s, uint32_t first, const struct span *at)
{
	uint32_t stop = line_end(s, first);

	if (stop - first > QUOTE_MAX) {
		if (at->begin > first + QUOTE_BEFORE)
			first = at->begin - QUOTE_BEFORE;
		if (stop - first > QUOTE_MAX)
			stop = first + QUOTE_MAX;
	}
	print_bytes(out, s, first, stop);
	print_underline(out, s, first, stop, at);
}

/* A range of several lines is quoted in full, without marks. */
static void print_lines(FILE *out, const struct source *s, uint32_t first, uint32_t last)
{
	for (uint32_t pos = first; pos <= last && pos <= s->size; pos = line_end(s, pos) + 1) {
		uint32_t stop = line_end(s, pos);

		print_bytes(out, s, pos, stop - pos > QUOTE_MAX ? pos + QUOTE_MAX : stop);
	}
}

const char *diag_place(const struct diag_list *d, struct span at)
{
	const struct source *s;
	unsigned begin_line, end_line;
	uint32_t first, last;

	if (at.src >= d->sources.len)
		return "";
	s = &d->sources.items[at.src];
	begin_line = line_of(s, at.begin, &first);
	end_line = line_of(s, at.end, &last);
	if (begin_line != end_line)
		return arena_printf(d->arena, "%s:%u-%u", s->name, begin_line, end_line);
	return arena_printf(d->arena, "%s:%u:%u-%u", s->name, begin_line, at.begin - first + 1,
			    at.end - first + 1);
}

static void print_quote(FILE *out, const struct source *s, const struct span *at)
{
	uint32_t first, last;

	if (line_of(s, at->begin, &first) == line_of(s, at->end, &last))
		print_line(out, s, first, at);
	else
		print_lines(out, s, first, last);
}

const char *diag_quote(const struct diag_list *d, struct span at)
{
	const char *copy;
	char *text = NULL;
	size_t size;
	FILE *f;

	if (at.src >= d->sources.len)
		return "";
	f = open_memstream(&text, &size);
	if (!f)
		return "";
	print_quote(f, &d->sources.items[at.src], &at);
	copy = fclose(f) || !size ? "" : arena_printf(d->arena, "%.*s", (int)size - 1, text);
	free(text);
	return copy;
}

static void print_message(const struct diag_list *d, const struct span *at, const char *color,
			  const char *level, const char *message, FILE *out)
{
	const struct source *s = at->src < d->sources.len ? &d->sources.items[at->src] : NULL;

	if (color)
		fputs(color, out);
	if (s)
		fprintf(out, "%s: ", diag_place(d, *at));
	fprintf(out, "%s: %s%s\n", level, message, color ? COLOR_RESET : "");
	if (s)
		print_quote(out, s, at);
}

/* A longer chain of calls is cut here: it tells nothing new. */
#define MAX_CALLS 10

static void print_calls(const struct diag_list *d, struct span at, const char *level, FILE *out)
{
	for (int i = 0; i < MAX_CALLS && at.src < d->sources.len; i++) {
		const struct source *s = &d->sources.items[at.src];

		if (!s->expanded)
			return;
		at = s->call;
		print_message(d, &at, NULL, level, "expanded from", out);
	}
}

const char *diag_calls(const struct diag_list *d, struct span at, const char *level)
{
	const char *copy;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return "";
	print_calls(d, at, level, f);
	copy = fclose(f) ? "" : arena_strdup(d->arena, text);
	free(text);
	return copy;
}

static void print_one(const struct diag_list *d, const struct diag *g, FILE *out, bool color)
{
	bool error = g->level == DIAG_ERROR;
	const char *tint = !color ? NULL : error ? COLOR_RED : COLOR_YELLOW;

	print_message(d, &g->span, tint, error ? "ERROR" : "WARNING", g->message, out);
	for (size_t i = 0; i < g->notes.len; i++)
		print_message(d, &g->notes.items[i].span, NULL, "NOTE", g->notes.items[i].message,
			      out);
	print_calls(d, g->span, "NOTE", out);
	if (g->hint)
		fprintf(out, "HINT: %s\n", g->hint);
}

static int by_position(const void *va, const void *vb)
{
	const struct diag *a = *(const struct diag *const *)va;
	const struct diag *b = *(const struct diag *const *)vb;

	if (a->level != b->level)
		return a->level == DIAG_ERROR ? -1 : 1;
	if (a->span.src != b->span.src)
		return a->span.src < b->span.src ? -1 : 1;
	if (a->span.begin != b->span.begin)
		return a->span.begin < b->span.begin ? -1 : 1;
	return a < b ? -1 : a > b; /* both in one array: in the order they were said */
}

void diag_print(const struct diag_list *d, FILE *out, bool color, bool warnings)
{
	const struct diag **sorted = arena_alloc(d->arena, (d->diags.len + 1) * sizeof(*sorted));
	char *text = NULL;
	size_t size;
	FILE *f;

	for (size_t i = 0; i < d->diags.len; i++)
		sorted[i] = &d->diags.items[i];
	qsort(sorted, d->diags.len, sizeof(*sorted), by_position);
	/* Written at once: @out may be unbuffered. */
	f = open_memstream(&text, &size);
	if (!f)
		return;
	for (size_t i = 0; i < d->diags.len; i++) {
		if (sorted[i]->level == DIAG_ERROR || warnings)
			print_one(d, sorted[i], f, color);
	}
	fclose(f);
	fwrite(text, 1, size, out);
	free(text);
}

/* ---- did you mean ----------------------------------------------------------- */

#define NAME_MAX_LEN 64

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edit distance with transpositions of neighbours (Damerau, optimal string alignment). */
static size_t edit_distance(const char *a, size_t la, const char *b, size_t lb)
{
	size_t rows[3][NAME_MAX_LEN + 1];
	size_t *before = rows[0], *prev = rows[1], *cur = rows[2];

	for (size_t j = 0; j <= lb; j++)
		prev[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *spare = before;

		cur[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1,
				      prev[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < cur[j])
				cur[j] = before[j - 2] + 1;
		}
		before = prev;
		prev = cur;
		cur = spare;
	}
	return prev[lb];
}

const char *diag_did_you_mean(const char *name, const char *const *candidates)
{
	size_t len = strlen(name), best = len <= 3 ? 1 : len <= 6 ? 2 : 3;
	const char *found = NULL;

	if (!len || len > NAME_MAX_LEN)
		return NULL;
	for (; *candidates; candidates++) {
		size_t n = strlen(*candidates), distance;

		if (n > NAME_MAX_LEN)
			continue;
		distance = edit_distance(name, len, *candidates, n);
		/* Replacing everything is no slip. */
		if (distance >= len || distance >= n || distance > best ||
		    (found && distance == best))
			continue;
		best = distance;
		found = *candidates;
	}
	return found;
}
