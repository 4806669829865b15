/* SPDX-License-Identifier: Apache-2.0 */
/* printf formats: the conversions of C that fit the language's types, and what is sent. */
#include <ctype.h>
#include <string.h>

#include "internal.h"

struct conversion {
	const char *name; /* "d", "rx"; points into longest[] */
	const char *end;
};

/* Longer ones first: r, rx and rh share their beginning, as do g and gr. */
static const char *const all[] = {"gr", "rh", "rx", "d", "i", "o", "u", "x", "X", "e", "E", "f",
				  "F",  "g",  "G",  "a", "A", "c", "s", "p", "n", "%", "r", NULL};

static const char *skip_number(const char *p)
{
	if (*p == '*')
		return p + 1;
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

/* Reads the conversion that follows a '%' at @p. False: this '%' is text. */
static bool read_conversion(const char *p, struct conversion *c)
{
	static const char flags[] = "-+ #0";

	p++;
	for (const char *f = flags; *f; f++)
		p += *p == *f;
	p = skip_number(p);
	if (*p == '.')
		p = skip_number(p + 1);
	p += strspn(p, "hlLjzt");
	for (size_t i = 0; all[i]; i++) {
		if (strncmp(p, all[i], strlen(all[i])))
			continue;
		c->name = all[i];
		c->end = p + strlen(all[i]);
		return true;
	}
	return false;
}

size_t sema_conversion_length(const char *fmt)
{
	struct conversion c;

	return read_conversion(fmt, &c) ? (size_t)(c.end - fmt) : 0;
}

static size_t count_conversions(const char *fmt)
{
	struct conversion c;
	size_t n = 0;

	while ((fmt = strchr(fmt, '%'))) {
		if (!read_conversion(fmt, &c)) {
			fmt++;
			continue;
		}
		n += c.name[0] != '%';
		fmt = c.end;
	}
	return n;
}

static bool supported(const char *conversion)
{
	static const char *const names[] = {"d", "i",  "u",  "o", "x", "X",  "c",
					    "r", "rx", "rh", "s", "p", "gr", NULL};

	for (size_t i = 0; names[i]; i++)
		if (!strcmp(names[i], conversion))
			return true;
	return false;
}

static bool takes(const char *conversion, const struct type *t)
{
	if (!strcmp(conversion, "s"))
		return true;
	if (conversion[0] == 'r')
		return t->kind == IMAGE_K_BUFFER;
	return sema_is_number(t) || t->kind == IMAGE_K_BOOL || t->kind == IMAGE_K_POINTER ||
	       t->kind == IMAGE_K_MEMINFO;
}

struct type *sema_payload_type(struct sema *s, struct type *t)
{
	if (sema_castable(t))
		return sema_number_of(s, t);
	if (type_is_aggregation(t) || t->kind == IMAGE_K_VOID || t->is_ctx)
		return NULL;
	if (t->kind == IMAGE_K_INT)
		return type_int(s->types, 8, t->is_signed);
	return t;
}

static bool check_one(struct sema *s, struct ast_expr *e, const char *conversion, struct type *t)
{
	if (t->kind == IMAGE_K_VOID) {
		sema_error(s, e->span, "unable to print none type for specifier: %s", conversion);
		return false;
	}
	if (!supported(conversion)) {
		sema_error(s, e->span, "unsupported format specifier: %s", conversion);
		return false;
	}
	if (!takes(conversion, t) || !sema_payload_type(s, t)) {
		sema_error(s, e->span, "unsupported format specifier for type '%s': %s",
			   sema_tn(s, t), conversion);
		return false;
	}
	return true;
}

static bool check_number(struct sema *s, struct ast_expr *e, size_t given, size_t wanted)
{
	if (given == wanted)
		return true;
	sema_error(s, e->span, "%s arguments for format string (%zu supplied, %zu expected)",
		   given < wanted ? "not enough" : "too many", given, wanted);
	return false;
}

bool sema_check_format(struct sema *s, struct ast_expr *e, const char *fmt, size_t first,
		       struct type **payload)
{
	size_t n = sema_nargs(e) - first, i = 0;
	struct type **elems = arena_alloc(s->arena, (n + 1) * sizeof(*elems));
	struct conversion c;

	*payload = NULL;
	if (!check_number(s, e, n, count_conversions(fmt)))
		return false;
	while ((fmt = strchr(fmt, '%'))) {
		if (!read_conversion(fmt, &c)) {
			fmt++;
			continue;
		}
		fmt = c.end;
		if (c.name[0] == '%')
			continue;
		if (!check_one(s, e, c.name, sema_arg(e, first + i)->type))
			return false;
		elems[i] = sema_payload_type(s, sema_arg(e, first + i)->type);
		i++;
	}
	if (n)
		*payload = type_tuple(s->types, elems, n);
	return true;
}
