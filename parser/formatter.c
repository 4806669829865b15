/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formatter. It goes over the tokens, not the tree: names, numbers and strings stay as they
 * are written, and the comments between them have a place. What it decides is white space, and
 * the semicolons and commas that are optional. Lines are filled up to WIDTH columns.
 */
#include "parse_internal.h"
#include "grammar.tab.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "formatter.h"

/* ---- brackets ------------------------------------------------------------------ */

/* What a brace holds. */
enum brace_flags {
	BRACE_INLINE = 1, /* stays within its line */
	BRACE_VALUE = 2,  /* or something around it: its last expression may be its value */
	BRACE_EXPR = 4,   /* part of an expression: the line goes on behind it */
	BRACE_CONFIG = 8, /* NAME = VALUE, semicolons optional */
};

struct formatter {
	struct format_writer *w;
	const char *text;
	const struct token *tok;
	uint32_t n;
	uint8_t *braces; /* flags, by the index of the opening brace */
	uint32_t depth;  /* open brackets */
	uint32_t open[PARSE_MAX_BRACKETS];
	uint16_t item;        /* kind of the token that began the item at the top, TOK_END: none */
	bool item_is_next;    /* the next token at the top begins an item */
	unsigned config_part; /* tokens of a setting seen: NAME, =, VALUE */
};

static uint16_t kind(const struct formatter *f, uint32_t i)
{
	return i < f->n ? f->tok[i].kind : TOK_END;
}

static uint16_t before(const struct formatter *f, uint32_t i)
{
	return i ? f->tok[i - 1].kind : TOK_END;
}

static bool is_brace(uint16_t k)
{
	return k == '{' || k == TOK_BRACE_EXPR;
}

static bool opens(uint16_t k)
{
	return is_brace(k) || k == '(' || k == '[' || k == TOK_CAST_PAREN || k == TOK_TYPE_PAREN;
}

/* The bracket that token @i, which is read now, stands in; TOKEN_NONE at the top. */
static uint32_t innermost(const struct formatter *f)
{
	return f->depth ? f->open[f->depth - 1] : TOKEN_NONE;
}

static unsigned flags_around(const struct formatter *f)
{
	for (uint32_t i = f->depth; i; i--)
		if (is_brace(f->tok[f->open[i - 1]].kind))
			return f->braces[f->open[i - 1]];
	return 0;
}

/* ---- blanks between two tokens ------------------------------------------------------ */

static bool is_type_star(const struct formatter *f, uint32_t i)
{
	if (kind(f, i) != '*')
		return false;
	while (kind(f, i) == '*')
		i++;
	switch (kind(f, i)) {
	case ')':
	case ',':
	case '=':
	case ';':
	case '[':
	case '{':
	case '}':
		return true;
	default:
		return false;
	}
}

static bool closes_cast(const struct formatter *f, uint32_t i)
{
	return kind(f, i) == ')' && f->tok[i].match != TOKEN_NONE &&
	       f->tok[f->tok[i].match].kind == TOK_CAST_PAREN;
}

static bool ends_operand(const struct formatter *f, uint32_t i)
{
	return token_ends_operand(kind(f, i)) && !closes_cast(f, i);
}

/* Whether the operator @i stands before its only operand. */
static bool is_prefix(const struct formatter *f, uint32_t i)
{
	switch (kind(f, i)) {
	case '!':
		return true;
	case '-':
	case '~':
	case '&':
	case '*':
	case TOK_INCR:
	case TOK_DECR:
		return !is_type_star(f, i) && (!i || !ends_operand(f, i - 1));
	default:
		return false;
	}
}

static bool is_keyword_of_call(uint16_t k)
{
	return k == TOK_IDENT || k == TOK_SIZEOF || k == TOK_OFFSETOF || k == TOK_TYPEOF ||
	       k == TOK_TYPEINFO || k == '!';
}

static bool is_macro_bang(const struct formatter *f, uint32_t i)
{
	return kind(f, i) == '!' && before(f, i) == TOK_IDENT;
}

/* "- -x" would become another operator. */
static bool would_merge(const struct formatter *f, uint32_t i)
{
	uint16_t a = before(f, i), b = kind(f, i);

	return (a == '-' && (b == '-' || b == TOK_DECR)) || (a == '&' && b == '&');
}

static bool in_parens(const struct formatter *f)
{
	uint32_t o = innermost(f);

	return o != TOKEN_NONE && f->tok[o].kind == '(';
}

/* Whether there is a blank before token @i, when it does not begin a line. */
static bool space_before(const struct formatter *f, uint32_t i)
{
	uint16_t a = before(f, i), b = kind(f, i);

	if (b == ')' || b == ']' || b == ',' || b == ';' || b == '.' || b == TOK_ARROW ||
	    b == TOK_DOTDOT || b == TOK_PRED_END)
		return false;
	if (a == '(' || a == '[' || a == TOK_CAST_PAREN || a == TOK_TYPE_PAREN || a == '.' ||
	    a == TOK_ARROW || a == TOK_DOTDOT || a == TOK_PRED_BEGIN)
		return false;
	if (a == '!' && is_macro_bang(f, i - 1))
		return false;
	if (i && is_prefix(f, i - 1))
		return would_merge(f, i);
	if (i && closes_cast(f, i - 1))
		return false;
	if (a == '*' && is_type_star(f, i - 1))
		return b != '*' && b != '[';
	if ((a == '=' || b == '=') && in_parens(f))
		return false; /* (a=1, b=2) */
	if (b == '(' || b == TOK_TYPE_PAREN)
		return !is_keyword_of_call(a);
	if (b == '[')
		return false;
	if (b == TOK_INCR || b == TOK_DECR)
		return is_prefix(f, i);
	if (b == '!' && is_macro_bang(f, i))
		return false;
	if (b == ':' && (a == '?' || (a == TOK_VAR && i > 1 && f->tok[i - 2].kind == TOK_LET)))
		return false;
	return true;
}

/* ---- what braces hold: before anything is written -------------------------------- */

static bool has_comment(const struct formatter *f, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		for (uint32_t p = f->tok[i].end; p + 1 < f->tok[i + 1].begin; p++)
			if (f->text[p] == '/')
				return true;
	return false;
}

/* A value of one or two plain statements stays within its line. */
static bool fits_inline(const struct formatter *f, uint32_t i)
{
	unsigned statements = 0;

	for (uint32_t j = i + 1; j < f->tok[i].match; j++) {
		uint16_t k = f->tok[j].kind;

		statements += k == ';';
		if (k == TOK_WHILE || k == TOK_FOR || k == TOK_UNROLL || k == TOK_IF || k == '{')
			return false;
	}
	return statements < 3 && !has_comment(f, i, f->tok[i].match);
}

static void mark_value(struct formatter *f, uint32_t i)
{
	f->braces[i] |= BRACE_EXPR | BRACE_VALUE;
	if (fits_inline(f, i))
		f->braces[i] |= BRACE_INLINE;
}

static uint32_t next_brace(const struct formatter *f, uint32_t i)
{
	while (i < f->n && f->tok[i].kind != '{')
		i = opens(f->tok[i].kind) ? f->tok[i].match + 1 : i + 1;
	return i;
}

/* The branches of an if that is a value. */
static void mark_branches(struct formatter *f, uint32_t i)
{
	for (;;) {
		i = next_brace(f, i);
		if (i >= f->n)
			return;
		mark_value(f, i);
		i = f->tok[i].match + 1;
		if (kind(f, i) != TOK_ELSE)
			return;
	}
}

/* A macro of one value that fits into a line is one. */
static void mark_macro(struct formatter *f, uint32_t i)
{
	uint32_t brace = next_brace(f, i), width = 0;

	if (brace >= f->n)
		return;
	f->braces[brace] |= BRACE_VALUE;
	for (uint32_t j = i; j <= f->tok[brace].match; j++) {
		width += f->tok[j].end - f->tok[j].begin + (j > i && space_before(f, j));
		if (j > brace && (f->tok[j].kind == ';' || is_brace(f->tok[j].kind)))
			return;
	}
	if (width <= FORMAT_WIDTH && !has_comment(f, i, f->tok[brace].match))
		f->braces[brace] |= BRACE_INLINE;
}

static void mark_braces(struct formatter *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		uint32_t around = f->tok[i].brace;

		if (f->tok[i].kind == TOK_IF_EXPR)
			mark_branches(f, i);
		if (f->tok[i].kind == TOK_MACRO)
			mark_macro(f, i);
		if (f->tok[i].kind == TOK_CONFIG && next_brace(f, i) < f->n)
			f->braces[next_brace(f, i)] |= BRACE_CONFIG;
		if (f->tok[i].kind == TOK_BRACE_EXPR)
			mark_value(f, i);
		if (is_brace(f->tok[i].kind) && around != TOKEN_NONE)
			f->braces[i] |= f->braces[around] & (BRACE_VALUE | BRACE_INLINE);
	}
}

/* ---- breaking lines ------------------------------------------------------------ */

/* How well a line can be broken behind a token of this kind: 1 is best. */
static const struct {
	uint16_t kind;
	uint8_t rank;
} breaks[] = {
	{',', 1},    {';', 1},    {TOK_LOR, 3}, {TOK_LAND, 4}, {TOK_EQ, 5},  {TOK_NE, 5},
	{TOK_LE, 5}, {TOK_GE, 5}, {'<', 5},     {'>', 5},      {'|', 6},     {'^', 6},
	{'&', 6},    {'+', 6},    {'-', 6},     {TOK_SHL, 7},  {TOK_SHR, 7}, {'*', 7},
	{'/', 7},    {'%', 7},    {'=', 8},
};

enum { RANK_TERNARY = 2, NRANKS = 10 };

/*
 * Whether a line that is too long may go on in the next one before token @i: 0, or the lower the
 * better. Outer brackets are broken before inner ones.
 */
static unsigned break_level(const struct formatter *f, uint32_t i)
{
	uint16_t a = before(f, i), b = kind(f, i);
	unsigned outer = f->depth * NRANKS;

	if (!f->depth && f->item != TOK_PRED_BEGIN)
		return 0;
	if (b == '?' || (b == ':' && a != '?'))
		return outer + RANK_TERNARY;
	if (i && (is_prefix(f, i - 1) || is_type_star(f, i - 1) || (a == '=' && in_parens(f))))
		return 0;
	for (size_t k = 0; k < sizeof(breaks) / sizeof(*breaks); k++)
		if (breaks[k].kind == a)
			return outer + breaks[k].rank;
	return 0;
}

/* ---- lines ------------------------------------------------------------------------------ */

static void put(struct formatter *f, uint32_t i)
{
	const struct token *t = &f->tok[i];
	unsigned flags = space_before(f, i) ? FORMAT_SPACE : 0;

	if (t->kind == TOK_ELSE)
		flags |= FORMAT_OUTDENT;
	format_piece(f->w, f->text + t->begin, t->end - t->begin, flags, break_level(f, i));
}

/* A statement that nothing ends gets its semicolon, where that cannot change a value. */
static bool semicolon_is_missing(const struct formatter *f, uint32_t i)
{
	uint16_t k = kind(f, i), next = kind(f, i + 1);
	unsigned flags = flags_around(f);

	if (flags & BRACE_CONFIG)
		return f->config_part == 3 && next != ';';
	if (!f->depth)
		return f->item == TOK_LET && k == ')' && next != ';';
	if (next != '}' || k == ';' || k == '{' || flags & (BRACE_VALUE | BRACE_INLINE))
		return false;
	return k != '}' || f->braces[f->tok[i].match] & BRACE_EXPR;
}

/* A semicolon or comma that says nothing: ";;", "} ;", the comma behind the last attach point. */
static bool is_superfluous(const struct formatter *f, uint32_t i)
{
	uint16_t k = kind(f, i), a = before(f, i), next = kind(f, i + 1);

	if (k == ',')
		return !f->depth && (next == '{' || next == TOK_PRED_BEGIN);
	if (k != ';' || !f->depth || flags_around(f) & BRACE_VALUE)
		return false;
	return a == ';' || a == '{' || (a == '}' && !(f->braces[f->tok[i - 1].match] & BRACE_EXPR));
}

static void end_line(struct formatter *f)
{
	format_end_line(f->w);
	f->config_part = 0;
}

static void open_brace(struct formatter *f, uint32_t i)
{
	bool top = !f->depth && f->item != TOK_CONFIG;

	if (top && !(f->braces[i] & BRACE_INLINE))
		format_end_line(f->w);
	put(f, i);
	f->open[f->depth++] = i;
	if (f->braces[i] & BRACE_INLINE)
		return;
	end_line(f);
	format_indent(f->w, 1);
}

static void close_brace(struct formatter *f, uint32_t i)
{
	unsigned flags = f->braces[f->tok[i].match];

	f->depth--;
	if (!(flags & BRACE_INLINE)) {
		format_end_line(f->w);
		format_indent(f->w, -1);
	}
	put(f, i);
	if (kind(f, i + 1) == TOK_ELSE || flags & BRACE_EXPR || (flags & BRACE_INLINE && f->depth))
		return;
	end_line(f);
	if (!f->depth) {
		f->item_is_next = true;
		format_blank_line(f->w, true);
	}
}

static bool begins_item(uint16_t k)
{
	return k == TOK_C_DEF || k == TOK_CONFIG || k == TOK_IMPORT || k == TOK_LET ||
	       k == TOK_MACRO || k == TOK_FN || k == TOK_ATTACH_POINT;
}

static void begin_item(struct formatter *f, uint32_t i)
{
	bool has_body = kind(f, i) == TOK_ATTACH_POINT || kind(f, i) == TOK_MACRO;

	if (has_body && !format_after_comment(f->w))
		format_blank_line(f->w, true);
	f->item = kind(f, i);
	f->item_is_next = false;
}

static void put_c_definition(struct formatter *f, uint32_t i)
{
	const struct token *t = &f->tok[i];
	bool directive = f->text[t->begin] == '#';

	format_end_line(f->w);
	format_c_text(f->w, f->text + t->begin, t->end - t->begin, !directive);
	f->item_is_next = true;
}

/* Tokens outside of braces that end a line. */
static void after_top_token(struct formatter *f, uint32_t i)
{
	uint16_t k = kind(f, i);

	if (f->depth || (k != ',' && k != TOK_PRED_END && k != ';'))
		return;
	end_line(f);
	if (k == ';')
		f->item_is_next = true;
}

static void put_plain(struct formatter *f, uint32_t i)
{
	uint16_t k = kind(f, i);

	if (k == TOK_PRED_BEGIN && !f->depth) {
		format_end_line(f->w);
		f->item = TOK_PRED_BEGIN;
	}
	if (k == ')' || k == ']')
		f->depth -= f->depth && f->tok[i].match != TOKEN_NONE;
	put(f, i);
	if (opens(k) && f->depth < PARSE_MAX_BRACKETS)
		f->open[f->depth++] = i;
	if (k == TOK_PRED_END)
		f->item = TOK_ATTACH_POINT;
	if (k == ';' && f->depth && !(flags_around(f) & BRACE_INLINE))
		end_line(f);
	after_top_token(f, i);
}

static void put_token(struct formatter *f, uint32_t i)
{
	uint16_t k = kind(f, i);

	if (is_superfluous(f, i))
		return;
	if (!f->depth && f->item_is_next && begins_item(k))
		begin_item(f, i);
	if (k == TOK_C_DEF) {
		put_c_definition(f, i);
		return;
	}
	if (flags_around(f) & BRACE_CONFIG)
		f->config_part++;
	if (is_brace(k))
		open_brace(f, i);
	else if (k == '}')
		close_brace(f, i);
	else
		put_plain(f, i);
	if (!semicolon_is_missing(f, i))
		return;
	format_piece(f->w, ";", 1, 0, 0);
	end_line(f);
	f->item_is_next |= !f->depth;
}

/* ---- what stands between tokens -------------------------------------------------------- */

static uint32_t comment_end(const char *text, uint32_t p, uint32_t end)
{
	const char *close;

	if (text[p + 1] == '*') {
		close = memmem(text + p + 2, end - p - 2, "*/", 2);
		return close ? (uint32_t)(close - text) + 2 : end;
	}
	while (p < end && text[p] != '\n')
		p++;
	return p;
}

/* White space and comments; a semicolon is that of a C definition, which has got one. */
static void put_gap(struct formatter *f, uint32_t p, uint32_t end)
{
	unsigned lines = 0;
	bool start = !p;

	while (p < end) {
		if (f->text[p] == '\n') {
			lines++;
			p++;
		} else if ((f->text[p] == '/' || f->text[p] == '#') && p + 1 < end) {
			uint32_t stop = comment_end(f->text, p, end), after = stop;

			while (after < end && (f->text[after] == ' ' || f->text[after] == '\t'))
				after++;
			if (lines > 1)
				format_blank_line(f->w, false);
			format_comment(f->w, f->text + p, stop - p, lines || start,
				       after >= end
					       ? end == f->tok[f->n - 1].begin
					       : f->text[after] == '\n' || f->text[after] == '\r');
			p = stop;
			lines = 0;
			start = false;
		} else {
			p++;
		}
	}
	if (lines > 1)
		format_blank_line(f->w, false);
}

static void format_tokens(struct formatter *f)
{
	uint32_t end = 0;

	mark_braces(f);
	for (uint32_t i = 0; i + 1 < f->n; i++) {
		put_gap(f, end, f->tok[i].begin);
		put_token(f, i);
		end = f->tok[i].end;
	}
	put_gap(f, end, f->tok[f->n - 1].begin);
	format_end_line(f->w);
}

char *format_script(struct diag_list *d, uint32_t src, size_t *size)
{
	struct formatter f = {
		.text = d->sources.items[src].text, .item = TOK_END, .item_is_next = true};
	struct format_writer w;
	struct token_list list;

	parse_program(d, src);
	if (d->errors || !tokens_read(d, src, &list))
		return NULL;
	tokens_classify(&list);
	f.tok = list.items;
	f.n = list.len;
	f.w = &w;
	f.braces = calloc(f.n + 1, 1);
	if (!f.braces || format_writer_open(&w)) {
		free(f.braces);
		tokens_free(&list);
		return NULL;
	}
	format_tokens(&f);
	free(f.braces);
	tokens_free(&list);
	return format_writer_close(&w, size);
}
