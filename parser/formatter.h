/* SPDX-License-Identifier: Apache-2.0 */
/* The formatter's lines: pieces of text that are put together and broken where they are long. */
#ifndef BT_FORMATTER_H
#define BT_FORMATTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FORMAT_WIDTH 100 /* columns of a line */

enum format_flags {
	FORMAT_SPACE = 1, /* a blank before it, unless it begins a line */
	FORMAT_MUST_BREAK = 2,
	FORMAT_OUTDENT = 4, /* at the start of a line it stands as far left as the first piece */
	FORMAT_COMMENT = 8,
};

struct format_piece {
	const char *text;
	uint32_t len;
	unsigned flags;
	unsigned level; /* it may begin a line: the lower the better; 0: it may not */
};

struct format_writer {
	FILE *out;
	char *text;
	size_t size;
	struct format_piece *pieces; /* of the line that is being put together */
	size_t n, cap;
	unsigned indent;
	bool line_open;     /* the last line waits for a comment, or its end */
	bool opened;        /* it ends with an opening brace: no blank line behind it */
	bool blank;         /* a blank line before the next one */
	bool after_comment; /* the last line is a comment */
	bool wrote;         /* anything at all */
	bool break_next;    /* a comment ends the line: the next piece begins one */
};

/* Returns 0 or a negative errno. */
int format_writer_open(struct format_writer *w);
/* The whole text (malloc), NULL when memory was short. */
char *format_writer_close(struct format_writer *w, size_t *size);
void format_piece(struct format_writer *w, const char *text, uint32_t len, unsigned flags,
		  unsigned level);
/* The pieces so far are a line; without any nothing happens. */
void format_end_line(struct format_writer *w);
void format_indent(struct format_writer *w, int by);
/* A blank line before the next line, except behind an opening and before a closing brace. */
void format_blank_line(struct format_writer *w, bool always);
/* @own_line: it began one; @ends_line: nothing followed it on its line. */
void format_comment(struct format_writer *w, const char *text, uint32_t len, bool own_line,
		    bool ends_line);
/* A C definition, its lines indented by their braces with @indent, or as they are. */
void format_c_text(struct format_writer *w, const char *text, uint32_t len, bool indent);
bool format_after_comment(const struct format_writer *w);

#endif
