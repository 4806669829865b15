/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the formatter: filled up to a width, with comments among them. */
#include "formatter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TAB          8
#define CONTINUATION 4 /* blanks beyond the first line of what was broken */

int format_writer_open(struct format_writer *w)
{
	*w = (struct format_writer){0};
	w->out = open_memstream(&w->text, &w->size);
	return w->out ? 0 : -errno;
}

char *format_writer_close(struct format_writer *w, size_t *size)
{
	bool failed;

	if (w->line_open)
		fputc('\n', w->out);
	failed = ferror(w->out);
	failed |= fclose(w->out) != 0;
	free(w->pieces);
	if (failed) {
		free(w->text);
		return NULL;
	}
	*size = w->size;
	return w->text;
}

/* ---- lines ------------------------------------------------------------------------ */

static void put_indent(struct format_writer *w, unsigned spaces)
{
	for (unsigned i = 0; i < w->indent; i++)
		fputc('\t', w->out);
	for (unsigned i = 0; i < spaces; i++)
		fputc(' ', w->out);
}

/* Ends the line before, and leaves a blank one where that was asked for. */
static void begin_line(struct format_writer *w, bool closing)
{
	if (w->line_open)
		fputc('\n', w->out);
	if (w->blank && w->wrote && !w->opened && !closing)
		fputc('\n', w->out);
	w->blank = false;
	w->opened = false;
	w->after_comment = false;
	w->wrote = true;
	w->line_open = true;
}

static unsigned columns(const struct format_piece *p)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->len; i++)
		n += ((unsigned char)p->text[i] & 0xc0) != 0x80;
	return n;
}

/* How wide the pieces from @i on are, up to the next place where a line is as well broken. */
static unsigned chunk_width(const struct format_writer *w, size_t i)
{
	unsigned width = 0, level = w->pieces[i].level;

	for (size_t j = i; j < w->n; j++) {
		const struct format_piece *p = &w->pieces[j];

		if (j > i && (p->flags & FORMAT_MUST_BREAK || (p->level && p->level <= level)))
			break;
		if (p->flags & FORMAT_COMMENT && j > i)
			break;
		width += columns(p) + (j > i && p->flags & FORMAT_SPACE ? 1 : 0);
	}
	return width;
}

static void put_comment_lines(struct format_writer *w, const char *text, uint32_t len);

static unsigned put_piece(struct format_writer *w, const struct format_piece *p)
{
	if (p->flags & FORMAT_COMMENT)
		put_comment_lines(w, p->text, p->len);
	else
		fwrite(p->text, 1, p->len, w->out);
	return columns(p);
}

void format_end_line(struct format_writer *w)
{
	unsigned col = w->indent * TAB;
	bool closing;

	if (!w->n)
		return;
	closing = w->pieces[0].len == 1 && *w->pieces[0].text == '}';
	begin_line(w, closing);
	put_indent(w, 0);
	for (size_t i = 0; i < w->n; i++) {
		const struct format_piece *p = &w->pieces[i];
		unsigned space = i && p->flags & FORMAT_SPACE ? 1 : 0;

		if (i && (p->flags & FORMAT_MUST_BREAK ||
			  (p->level && col + space + chunk_width(w, i) > FORMAT_WIDTH))) {
			unsigned spaces = p->flags & FORMAT_OUTDENT ? 0 : CONTINUATION;

			fputc('\n', w->out);
			put_indent(w, spaces);
			col = w->indent * TAB + spaces;
			space = 0;
		}
		if (space)
			fputc(' ', w->out);
		col += space + put_piece(w, p);
	}
	w->opened = w->pieces[w->n - 1].len == 1 && *w->pieces[w->n - 1].text == '{';
	w->n = 0;
	w->break_next = false;
}

/* Between a comment and what stands beside it there is a blank, but not next to brackets. */
static unsigned beside_comment(struct format_writer *w, const char *text, unsigned flags)
{
	struct format_piece *last = w->n ? &w->pieces[w->n - 1] : NULL;

	if (!last)
		return flags;
	if (flags & FORMAT_COMMENT && (*last->text == '(' || *last->text == '['))
		return flags & ~FORMAT_SPACE;
	if (!(last->flags & FORMAT_COMMENT))
		return flags;
	if (flags & FORMAT_OUTDENT) /* "else", and what is said about it */
		last->flags |= FORMAT_OUTDENT;
	return strchr(")],;", *text) ? flags : flags | FORMAT_SPACE;
}

void format_piece(struct format_writer *w, const char *text, uint32_t len, unsigned flags,
		  unsigned level)
{
	struct format_piece *more;

	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		more = realloc(w->pieces, w->cap * sizeof(*more));
		if (!more)
			abort();
		w->pieces = more;
	}
	if (w->break_next)
		flags |= FORMAT_MUST_BREAK;
	w->break_next = false;
	flags = beside_comment(w, text, flags);
	w->pieces[w->n++] = (struct format_piece){text, len, flags, level};
}

void format_indent(struct format_writer *w, int by)
{
	w->indent += by;
}

void format_blank_line(struct format_writer *w, bool always)
{
	if (always || !w->n)
		w->blank = true;
}

bool format_after_comment(const struct format_writer *w)
{
	return w->after_comment;
}

/* ---- comments ------------------------------------------------------------------------ */

static uint32_t trimmed(const char *text, uint32_t len)
{
	while (len && strchr(" \t\r\f\v", text[len - 1]))
		len--;
	return len;
}

/* Lines that begin with a star are put below the first one's; others stay where they are. */
static void put_comment_lines(struct format_writer *w, const char *text, uint32_t len)
{
	const char *end = text + len;

	for (bool first = true; text < end; first = false) {
		const char *nl = memchr(text, '\n', end - text), *stop = nl ? nl : end;
		const char *p = text;

		if (!first) {
			fputc('\n', w->out);
			while (p < stop && (*p == ' ' || *p == '\t'))
				p++;
			if (p < stop && *p == '*')
				put_indent(w, 1);
			else
				p = text;
		}
		fwrite(p, 1, trimmed(p, stop - p), w->out);
		text = stop + 1;
	}
}

void format_comment(struct format_writer *w, const char *text, uint32_t len, bool own_line,
		    bool ends_line)
{
	bool breaks = ends_line || text[1] == '/' || memchr(text, '\n', len);

	len = trimmed(text, len);
	if (w->n) {
		format_piece(w, text, len,
			     FORMAT_SPACE | FORMAT_COMMENT | (own_line ? FORMAT_MUST_BREAK : 0), 0);
		w->break_next = breaks;
		return;
	}
	if (!breaks) { /* a statement follows on the line */
		format_piece(w, text, len, FORMAT_COMMENT, 0);
		return;
	}
	if (!own_line && w->line_open) {
		fputc(' ', w->out);
	} else {
		begin_line(w, false);
		put_indent(w, 0);
		w->after_comment = true;
	}
	put_comment_lines(w, text, len);
}

/* ---- C ----------------------------------------------------------------------------------- */

static int brace_depth(const char *p, const char *end)
{
	int depth = 0;

	for (; p < end; p++)
		depth += (*p == '{') - (*p == '}');
	return depth;
}

void format_c_text(struct format_writer *w, const char *text, uint32_t len, bool indent)
{
	const char *end = text + len;
	int depth = 0;

	begin_line(w, false);
	for (bool first = true; text < end; first = false) {
		const char *nl = memchr(text, '\n', end - text), *stop = nl ? nl : end;
		const char *p = text;

		while (indent && p < stop && (*p == ' ' || *p == '\t'))
			p++;
		if (!first)
			fputc('\n', w->out);
		for (int i = p < stop && *p == '}'; i < depth && indent && p < stop; i++)
			fputc('\t', w->out);
		if (indent && p < stop && *p == '*')
			fputc(' ', w->out);
		fwrite(p, 1, trimmed(p, stop - p), w->out);
		depth += brace_depth(p, stop);
		text = stop + 1;
	}
	if (indent)
		fputc(';', w->out);
}
