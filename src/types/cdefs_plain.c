/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C definitions that take no C compiler: numbers with names, headers that count as empty, and
 * #ifdef BPFTRACE_HAVE_BTF around them. Many scripts have no others; they then do not wait for
 * libclang, nor need it. What is not understood here is left to libclang, errors too.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "types/cdefs_internal.h"

#define MAX_DEPTH 32

struct plain_macro {
	const char *name;
	uint64_t value;
	bool has_value;
};

struct plain {
	struct cdefs_reader *r;
	enum cdefs_plainness so_far;
	VEC(struct plain_macro) macros;
	bool active[MAX_DEPTH]; /* of each #ifdef around; [0]: the text itself */
	bool has_else[MAX_DEPTH];
	unsigned depth;
};

/* ---- the text --------------------------------------------------------------------- */

/* Comments become blanks, line ends stay. False: one has no end, or lines are joined. */
static bool blank_comments(char *text)
{
	for (char *p = text; *p; p++) {
		char *end;

		if (*p == '\\')
			return false;
		if (p[0] != '/' || (p[1] != '/' && p[1] != '*'))
			continue;
		end = p[1] == '/' ? p + strcspn(p, "\n") : strstr(p + 2, "*/");
		if (!end)
			return false;
		if (p[1] == '*')
			end += 2;
		for (; p < end; p++)
			if (*p != '\n')
				*p = ' ';
		p--;
	}
	return true;
}

static char *skip_blanks(char *s)
{
	return s + strspn(s, " \t\r\f\v");
}

/* Cuts the identifier off the front of *@s; "" when there is none. */
static const char *take_word(struct plain *p, char **s)
{
	size_t len = 0;
	const char *word;

	*s = skip_blanks(*s);
	while (isalnum((unsigned char)(*s)[len]) || (*s)[len] == '_')
		len++;
	word = arena_strndup(p->r->arena, *s, len);
	*s += len;
	return word;
}

/* ---- directives -------------------------------------------------------------------- */

static bool is_defined(const struct plain *p, const char *name)
{
	for (size_t i = 0; i < p->macros.len; i++)
		if (!strcmp(p->macros.items[i].name, name))
			return true;
	return false;
}

static bool push(struct plain *p, bool active)
{
	if (p->depth + 1 == MAX_DEPTH)
		return false;
	p->depth++;
	p->active[p->depth] = p->active[p->depth - 1] && active;
	p->has_else[p->depth] = false;
	return true;
}

/* Names that only the compiler or the kernel's configuration could tell of are not for here. */
static bool open_condition(struct plain *p, const char *directive, char *rest)
{
	const char *name = take_word(p, &rest);
	bool btf = !strcmp(name, "BPFTRACE_HAVE_BTF"), defined;

	if (!p->active[p->depth])
		return push(p, false);
	defined = btf ? types_btf(p->r->ts) != NULL : is_defined(p, name);
	if (!strcmp(directive, "if") || *skip_blanks(rest) || (!btf && !defined))
		return false;
	return push(p, defined == !strcmp(directive, "ifdef"));
}

static bool flip_condition(struct plain *p)
{
	if (!p->depth || p->has_else[p->depth])
		return false;
	p->has_else[p->depth] = true;
	p->active[p->depth] = p->active[p->depth - 1] && !p->active[p->depth];
	return true;
}

static bool include(struct plain *p, char *rest)
{
	char *path = skip_blanks(rest), *end = strchr(path, '>');

	if (*path != '<' || !end || *skip_blanks(end + 1))
		return false;
	p->so_far = CDEFS_PLAIN_BUT_HEADERS;
	return cdefs_may_be_empty(arena_strndup(p->r->arena, path + 1, end - path - 1));
}

/* A number as C writes it, with nothing behind. */
static bool parse_number(char *s, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*value = strtoull(s, &end, 0);
	end += strspn(end, "uUlL");
	return !errno && !*skip_blanks(end);
}

static bool define(struct plain *p, char *rest)
{
	struct plain_macro m = {.name = take_word(p, &rest)};

	if (!*m.name || isdigit((unsigned char)*m.name) || *rest == '(')
		return false;
	rest = skip_blanks(rest);
	m.has_value = *rest;
	if (m.has_value && !parse_number(rest, &m.value))
		return false;
	vec_push(p->r->arena, &p->macros, m);
	return true;
}

static bool take_directive(struct plain *p, char *rest)
{
	const char *directive = take_word(p, &rest);

	if (!strncmp(directive, "if", 2))
		return open_condition(p, directive, rest);
	if (!strcmp(directive, "else"))
		return flip_condition(p);
	if (!strcmp(directive, "endif"))
		return p->depth-- > 0;
	if (!strcmp(directive, "elif"))
		return false;
	if (!p->active[p->depth])
		return true;
	if (!strcmp(directive, "include"))
		return include(p, rest);
	return !strcmp(directive, "define") && define(p, rest);
}

static bool take_line(struct plain *p, char *line)
{
	line = skip_blanks(line);
	if (*line == '#')
		return take_directive(p, line + 1);
	return !*line || !p->active[p->depth];
}

static bool take_text(struct plain *p)
{
	char *text = arena_strdup(p->r->arena, p->r->text), *line;

	if (!blank_comments(text))
		return false;
	while ((line = strsep(&text, "\n")))
		if (!take_line(p, line))
			return false;
	return !p->depth;
}

enum cdefs_plainness cdefs_read_plain(struct cdefs_reader *r, bool headers)
{
	struct plain p = {.r = r, .so_far = CDEFS_PLAIN, .active = {true}};

	if ((r->opts->files && *r->opts->files) || !take_text(&p))
		return CDEFS_NOT_PLAIN;
	if (p.so_far == CDEFS_PLAIN_BUT_HEADERS && (!headers || !types_btf(r->ts)))
		return p.so_far;
	for (size_t i = 0; i < p.macros.len; i++) {
		const struct plain_macro *m = &p.macros.items[i];
		struct type_constant c = {.value = m->value};

		if (m->has_value)
			types_add_macro(r->ts, m->name, &c);
	}
	return CDEFS_PLAIN;
}
