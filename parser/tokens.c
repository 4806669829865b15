/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of a source as an array. A grammar with one token of look-ahead cannot
 * tell "(x)-1" from "(uint8)-1", nor a block from a value in braces; with all tokens at hand
 * and their brackets matched it is a matter of looking.
 */
#include "parse_internal.h"
#include "grammar.tab.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---------------------------------------------------------------- */

static void tokens_push(struct token *t, void *arg)
{
	struct token_list *list = arg;

	if (list->len == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 256;
		list->items = realloc(list->items, list->cap * sizeof(*list->items));
		if (!list->items)
			abort();
	}
	list->items[list->len++] = *t;
}

void tokens_free(struct token_list *list)
{
	free(list->items);
	*list = (struct token_list){0};
}

struct brackets {
	uint32_t open[PARSE_MAX_BRACKETS]; /* indices of tokens */
	unsigned n;
};

static uint32_t innermost_brace(const struct token_list *list, const struct brackets *b)
{
	for (unsigned i = b->n; i; i--) {
		if (list->items[b->open[i - 1]].kind == '{')
			return b->open[i - 1];
	}
	return TOKEN_NONE;
}

/*
 * Closes the innermost bracket of kind @open. A brace closes what was left open inside of it,
 * other brackets do not reach beyond a brace.
 */
static void close_bracket(struct token_list *list, struct brackets *b, uint32_t i, uint16_t open)
{
	unsigned n = b->n;

	while (n && list->items[b->open[n - 1]].kind != open) {
		if (list->items[b->open[n - 1]].kind == '{')
			return;
		n--;
	}
	if (!n)
		return;
	b->n = n - 1;
	list->items[b->open[n - 1]].match = i;
	list->items[i].match = b->open[n - 1];
}

/* A semicolon ends what was opened since the last brace and never closed. */
static void drop_open_lists(const struct token_list *list, struct brackets *b)
{
	while (b->n && list->items[b->open[b->n - 1]].kind != '{')
		b->n--;
}

/* Returns false when brackets are nested too deeply; *@at is where. */
static bool match_brackets(struct token_list *list, uint32_t *at)
{
	struct brackets b = {.n = 0};

	for (uint32_t i = 0; i < list->len; i++) {
		struct token *t = &list->items[i];

		if (t->kind == '}' || t->kind == ')' || t->kind == ']')
			close_bracket(list, &b, i,
				      t->kind == '}'   ? '{'
				      : t->kind == ')' ? '('
						       : '[');
		if (t->kind == ';')
			drop_open_lists(list, &b);
		t->brace = innermost_brace(list, &b);
		if (t->kind != '{' && t->kind != '(' && t->kind != '[')
			continue;
		if (b.n == PARSE_MAX_BRACKETS) {
			*at = i;
			return false;
		}
		b.open[b.n++] = i;
	}
	/* What was never closed ends with the script. */
	for (; b.n; b.n--) {
		if (list->items[b.open[b.n - 1]].kind == '{')
			list->items[b.open[b.n - 1]].match = list->len - 1;
	}
	return true;
}

bool tokens_read(struct diag_list *d, uint32_t src, struct token_list *list)
{
	const struct source *s = &d->sources.items[src];
	struct lexer l = {.diags = d, .src = src, .text = s->text, .size = s->size};
	uint32_t at;

	*list = (struct token_list){0};
	if (s->size > PARSE_MAX_SIZE) {
		diag_error(d, (struct span){src, 0, 0},
			   "the script is too long: %u bytes, at most %u are allowed", s->size,
			   PARSE_MAX_SIZE);
		return false;
	}
	lexer_run(&l, tokens_push, list);
	list->unterminated = l.unterminated;
	if (match_brackets(list, &at))
		return true;
	diag_error(d, (struct span){src, list->items[at].begin, list->items[at].end},
		   "syntax: nested too deeply, at most %u levels are allowed", PARSE_MAX_BRACKETS);
	return false;
}

/* ---- classes of tokens -------------------------------------------------------- */

bool token_ends_operand(uint16_t kind)
{
	static const uint16_t kinds[] = {TOK_IDENT, TOK_INT,     TOK_STRING, TOK_VAR,   TOK_MAP,
					 TOK_PARAM, TOK_NPARAMS, TOK_TRUE,   TOK_FALSE, TOK_INCR,
					 TOK_DECR,  ')',         ']',        '}'};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (kinds[i] == kind)
			return true;
	}
	return false;
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name))
		names++;
	return *names;
}

bool token_is_builtin(const char *name)
{
	static const char *const names[] = {"args", "ctx", "kstack", "nsecs",
					    "pid",  "tid", "ustack", NULL};

	if (is_one_of(name, names) || !strncmp(name, "__builtin_", 10))
		return true;
	if (*name == 's')
		name++;
	if (strncmp(name, "arg", 3) || !name[3])
		return false;
	return strspn(name + 3, "0123456789") == strlen(name + 3);
}

/* These are values: "(pid)*2" is a product, "(foo)*$p" a cast. */
static bool is_value_name(const char *name)
{
	static const char *const names[] = {
		"cgroup", "comm",    "cpid",     "cpu",      "curtask", "elapsed",   "func",
		"gid",    "jiffies", "ncpus",    "numaid",   "probe",   "probetype", "rand",
		"retval", "uid",     "username", "usermode", NULL,
	};

	return token_is_builtin(name) || is_one_of(name, names);
}

static uint16_t kind_at(const struct token_list *list, uint32_t i)
{
	return i < list->len ? list->items[i].kind : TOK_END;
}

/* The token behind the type that begins at @i, or TOKEN_NONE when none does. */
static uint32_t skip_type(const struct token_list *list, uint32_t i)
{
	switch (kind_at(list, i)) {
	case TOK_STRUCT:
	case TOK_UNION:
	case TOK_ENUM:
		if (kind_at(list, i + 1) != TOK_IDENT)
			return TOKEN_NONE;
		i += 2;
		break;
	case TOK_TYPEOF:
		if (i + 1 >= list->len || list->items[i + 1].match == TOKEN_NONE)
			return TOKEN_NONE;
		i = list->items[i + 1].match + 1;
		break;
	case TOK_IDENT:
		if (is_value_name(list->items[i].text))
			return TOKEN_NONE;
		i++;
		break;
	default:
		return TOKEN_NONE;
	}
	for (;;) {
		if (kind_at(list, i) == '*')
			i++;
		else if (kind_at(list, i) == '[' && kind_at(list, i + 1) == ']')
			i += 2;
		else if (kind_at(list, i) == '[' && kind_at(list, i + 1) == TOK_INT &&
			 kind_at(list, i + 2) == ']')
			i += 3;
		else
			return i;
	}
}

/* Whether the token at @i can begin what a cast converts. */
static bool starts_operand(const struct token_list *list, uint32_t i)
{
	static const uint16_t kinds[] = {
		TOK_IDENT,    TOK_INT,  TOK_STRING, TOK_VAR,    TOK_MAP,      TOK_PARAM,
		TOK_NPARAMS,  TOK_TRUE, TOK_FALSE,  TOK_SIZEOF, TOK_OFFSETOF, TOK_TYPEINFO,
		TOK_COMPTIME, '(',      '-',        '!',        '~',          '*'};
	uint16_t kind = kind_at(list, i), next = kind_at(list, i + 1);

	/* These have their meaning before a variable only; "(x) & 1" stays a value. */
	if (kind == '&' || kind == TOK_INCR || kind == TOK_DECR)
		return next == TOK_VAR || next == TOK_MAP;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		if (kinds[k] == kind)
			return true;
	}
	return false;
}

static bool is_type_context(uint16_t kind)
{
	return kind == TOK_SIZEOF || kind == TOK_TYPEOF || kind == TOK_TYPEINFO ||
	       kind == TOK_OFFSETOF;
}

/* ---- marking -------------------------------------------------------------------- */

static void classify_paren(struct token_list *list, uint32_t i)
{
	uint16_t before = i ? list->items[i - 1].kind : TOK_END;
	uint32_t after = skip_type(list, i + 1);
	uint16_t behind = after == TOKEN_NONE ? TOK_END : kind_at(list, after);

	if (is_type_context(before)) {
		if (behind == ')' || (behind == ',' && before == TOK_OFFSETOF))
			list->items[i].kind = TOK_TYPE_PAREN;
		return;
	}
	/* Arguments of a call: f(x), m!(x) */
	if (before == TOK_IDENT || (before == '!' && i > 1 && list->items[i - 2].kind == TOK_IDENT))
		return;
	if (behind == ')' && starts_operand(list, after + 1))
		list->items[i].kind = TOK_CAST_PAREN;
}

/* Braces where an operand is due hold a value. */
static void classify_brace(struct token_list *list, uint32_t i)
{
	uint16_t before = i ? list->items[i - 1].kind : TOK_END;
	uint16_t before2 = i > 1 ? list->items[i - 2].kind : TOK_END;

	switch (before) {
	case TOK_END:
	case TOK_C_DEF:
	case TOK_ATTACH_POINT:
	case TOK_PRED_END:
	case TOK_ELSE:
	case ';':
	case '{':
		return;
	case '=':
		if (before2 == TOK_CONFIG)
			return;
		break;
	case ',':
		if (before2 == TOK_ATTACH_POINT)
			return;
		break;
	}
	if (!token_ends_operand(before))
		list->items[i].kind = TOK_BRACE_EXPR;
}

/* An if that does not begin a statement is a value. */
static void classify_if(struct token_list *list, uint32_t i)
{
	uint16_t before = i ? list->items[i - 1].kind : TOK_END;

	if (before != ';' && before != '{' && before != TOK_BRACE_EXPR && before != '}' &&
	    before != TOK_ELSE)
		list->items[i].kind = TOK_IF_EXPR;
}

/* A statement import "file"; the lexer knows the word only between items. */
static void classify_word(struct token_list *list, uint32_t i)
{
	uint16_t before = i ? list->items[i - 1].kind : TOK_END;
	bool starts = before == ';' || before == '{' || before == '}' || before == TOK_BRACE_EXPR;

	if (starts && kind_at(list, i + 1) == TOK_STRING && !strcmp(list->items[i].text, "import"))
		list->items[i].kind = TOK_IMPORT;
}

void tokens_classify(struct token_list *list)
{
	for (uint32_t i = 0; i < list->len; i++) {
		switch (list->items[i].kind) {
		case '(':
			classify_paren(list, i);
			break;
		case '{':
			classify_brace(list, i);
			break;
		case TOK_IF:
			classify_if(list, i);
			break;
		case TOK_IDENT:
			classify_word(list, i);
			break;
		}
	}
}

/* ---- going on after an error ----------------------------------------------------- */

static bool opens_block(uint16_t kind)
{
	return kind == '{' || kind == TOK_BRACE_EXPR;
}

static bool opens_list(uint16_t kind)
{
	return kind == '(' || kind == '[' || kind == TOK_CAST_PAREN || kind == TOK_TYPE_PAREN;
}

/*
 * In a block: behind the next semicolon, or behind the next nested block, or before
 * the brace that closes it. Outside: behind the body of the item.
 */
uint32_t tokens_resync(const struct token_list *list, uint32_t i)
{
	uint32_t last = list->len - 1;
	bool outside = list->items[i].brace == TOKEN_NONE;

	if (list->items[i].kind == '}' && list->items[i].match != TOKEN_NONE)
		return i;
	for (; i < last; i++) {
		const struct token *t = &list->items[i];

		if (t->kind == ';')
			return i + 1;
		if (t->kind == '}')
			return t->match == TOKEN_NONE || outside ? i + 1 : i;
		if (opens_list(t->kind) && t->match != TOKEN_NONE) {
			i = t->match;
		} else if (opens_block(t->kind)) {
			i = t->match;
			if (kind_at(list, i + 1) != TOK_ELSE)
				return i < last ? i + 1 : last;
		}
	}
	return last;
}
