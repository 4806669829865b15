/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting an attach point: label, provider, and the parts between the colons. */
#include "parse_internal.h"

#include <string.h>

struct splitter {
	struct parser *p;
	struct ast_attach_point *ap;
	const char *text; /* of the whole source */
	uint32_t pos, end;
	uint32_t part_begin;
	char *part; /* quotes and escapes removed */
	uint32_t len;
	bool have_provider;
};

/* Whether NAME= stands at the beginning of the provider; its length goes to *@n. */
static bool has_label(const char *provider, size_t *n)
{
	const char *eq = strchr(provider, '=');

	if (!eq || eq == provider || !eq[1])
		return false;
	*n = (size_t)(eq - provider);
	return true;
}

static void end_part(struct splitter *s, uint32_t at)
{
	struct arena *a = s->p->arena;
	struct span span = {s->p->src, s->part_begin, at};
	const char *part = arena_strndup(a, s->part, s->len);
	size_t n;

	if (s->have_provider) {
		vec_push(a, &s->ap->parts, part);
		vec_push(a, &s->ap->part_spans, span);
	} else if (has_label(part, &n)) {
		s->ap->label = arena_strndup(a, part, n);
		s->ap->provider = part + n + 1;
	} else {
		s->ap->provider = part;
	}
	s->have_provider = true;
	s->len = 0;
}

static void split_byte(struct splitter *s, bool *quoted)
{
	char c = s->text[s->pos++];

	if (c == '"') {
		*quoted = !*quoted;
	} else if (*quoted && c == '\\' && s->pos < s->end) {
		s->part[s->len++] = s->text[s->pos++];
	} else if (*quoted || (c != ':' && c != '@')) {
		s->part[s->len++] = c;
	} else {
		end_part(s, s->pos - 1);
		s->part_begin = s->pos;
		if (c == '@') {
			/* "binary@file" is three parts: what follows has a meaning of its own. */
			s->part[s->len++] = '@';
			s->part_begin = s->pos - 1;
			end_part(s, s->pos);
			s->part_begin = s->pos;
		}
	}
}

/* What cannot be shown cannot be the name of anything. */
static void check_bytes(struct parser *p, struct span at, const char *text)
{
	for (uint32_t i = at.begin; i < at.end; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != 0x7f)
			continue;
		diag_error(p->diags, (struct span){at.src, i, i + 1},
			   "syntax: unexpected byte 0x%02x", c);
		return;
	}
}

struct ast_attach_point *build_attach_point(struct parser *p, struct span at)
{
	const char *text = p->diags->sources.items[p->src].text;
	struct splitter s = {.p = p,
			     .text = text,
			     .pos = at.begin,
			     .end = at.end,
			     .part_begin = at.begin,
			     .part = arena_alloc(p->arena, at.end - at.begin + 1)};
	bool quoted = false;

	s.ap = arena_new_of(p->arena, struct ast_attach_point);
	s.ap->span = at;
	s.ap->text = arena_strndup(p->arena, text + at.begin, at.end - at.begin);
	check_bytes(p, at, text);
	while (s.pos < s.end)
		split_byte(&s, &quoted);
	end_part(&s, at.end);
	return s.ap;
}
