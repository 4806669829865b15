/* SPDX-License-Identifier: Apache-2.0 */
/* Literals: integers in all their forms, and what stands between quotes. */
#include "parse_internal.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* ---- integers ------------------------------------------------------------- */

struct int_suffix {
	const char *text;
	uint64_t max;    /* of the number before it */
	uint64_t factor; /* nanoseconds in the unit */
	bool duration;
};

static const struct int_suffix suffixes[] = {
	{"", UINT64_MAX, 1, false},
	{"u", UINT_MAX, 1, false},
	{"ul", ULONG_MAX, 1, false},
	{"ull", ULLONG_MAX, 1, false},
	{"l", LONG_MAX, 1, false},
	{"ll", LLONG_MAX, 1, false},
	{"ns", UINT64_MAX, 1, true},
	{"us", UINT64_MAX, 1000, true},
	{"ms", UINT64_MAX, 1000 * 1000, true},
	{"s", UINT64_MAX, 1000 * 1000 * 1000, true},
	{"m", UINT64_MAX, 60ULL * 1000 * 1000 * 1000, true},
	{"h", UINT64_MAX, 3600ULL * 1000 * 1000 * 1000, true},
	{"d", UINT64_MAX, 86400ULL * 1000 * 1000 * 1000, true},
};

/* C's suffixes may be in capitals, units of time may not. */
static const struct int_suffix *find_suffix(const char *text, unsigned base)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		const struct int_suffix *s = &suffixes[i];

		if (s->duration && base != 10)
			continue;
		if (!(s->duration ? strcmp : strcasecmp)(s->text, text))
			return s;
	}
	return NULL;
}

static unsigned int_base(const char **s)
{
	if ((*s)[0] != '0')
		return 10;
	if ((*s)[1] == 'x' || (*s)[1] == 'X') {
		*s += 2;
		return 16;
	}
	if ((*s)[1] == 'b' || (*s)[1] == 'B') {
		*s += 2;
		return 2;
	}
	if (isdigit((unsigned char)(*s)[1]) || (*s)[1] == '_') {
		*s += 1;
		return 8;
	}
	return 10;
}

static unsigned digit_value(char c)
{
	if (isdigit((unsigned char)c))
		return (unsigned)(c - '0');
	if (isxdigit((unsigned char)c))
		return (unsigned)(tolower((unsigned char)c) - 'a') + 10;
	return UINT_MAX;
}

/* Reads digits and underscores; returns false on overflow. *@ndigits counts the digits. */
static bool read_digits(const char **s, unsigned base, uint64_t *value, unsigned *ndigits)
{
	bool fits = true;

	*value = 0;
	*ndigits = 0;
	for (; **s == '_' || digit_value(**s) < base; (*s)++) {
		if (**s == '_')
			continue;
		(*ndigits)++;
		fits = fits && !__builtin_mul_overflow(*value, base, value) &&
		       !__builtin_add_overflow(*value, digit_value(**s), value);
	}
	return fits;
}

static bool scale(uint64_t *value, uint64_t exponent)
{
	for (; exponent; exponent--) {
		if (__builtin_mul_overflow(*value, 10, value))
			return false;
	}
	return true;
}

static const char *int_overflow(struct arena *a, uint64_t max, const char *text)
{
	return arena_printf(a, "overflow error, maximum value is %llu: %s", (unsigned long long)max,
			    text);
}

/* The part behind e; *@s stands on the e. */
static const char *read_exponent(struct arena *a, const char *text, const char **s, uint64_t *value)
{
	uint64_t exponent;
	unsigned ndigits;
	bool fits;

	(*s)++;
	fits = read_digits(s, 10, &exponent, &ndigits);
	if (!ndigits)
		return arena_printf(a, "invalid exponent: %s", text);
	if (*value < 1 || *value > 9)
		return arena_printf(a, "coefficient part of scientific literal must be 1-9: %s",
				    text);
	if (!fits || !scale(value, exponent))
		return int_overflow(a, UINT64_MAX, text);
	return NULL;
}

const char *literal_int(struct arena *a, const char *text, struct literal_int *out)
{
	const char *s = text, *digits, *error;
	unsigned base = int_base(&s), ndigits;
	const struct int_suffix *suffix;
	bool fits;

	*out = (struct literal_int){0};
	digits = s;
	fits = read_digits(&s, base, &out->value, &ndigits);
	if (!ndigits && base != 8)
		return arena_printf(a, "invalid integer: %s", text);
	if (s > digits && s[-1] == '_')
		return "trailing underscore in integer literal";
	if (!fits)
		return int_overflow(a, UINT64_MAX, text);
	if (base == 10 && (*s == 'e' || *s == 'E')) {
		error = read_exponent(a, text, &s, &out->value);
		if (error)
			return error;
		if (s[-1] == '_')
			return "trailing underscore in integer literal";
	}
	suffix = find_suffix(s, base);
	if (!suffix)
		return arena_printf(a, "invalid integer suffix '%s'", s);
	if (out->value > suffix->max / suffix->factor)
		return int_overflow(a, suffix->max, text);
	out->value *= suffix->factor;
	out->duration = suffix->duration;
	return NULL;
}

bool parse_integer(struct arena *a, const char *text, uint64_t *value)
{
	struct literal_int n;

	if (!isdigit((unsigned char)*text) || literal_int(a, text, &n))
		return false;
	*value = n.value;
	return true;
}

/* ---- strings --------------------------------------------------------------- */

struct string_reader {
	struct diag_list *diags;
	struct span at; /* of the whole literal */
	const char *text;
	uint32_t n, pos;
	char *out;
	uint32_t len;
};

static struct span escape_span(const struct string_reader *r, uint32_t from, uint32_t to)
{
	/* One byte of quote stands before the text. */
	return (struct span){r->at.src, r->at.begin + 1 + from, r->at.begin + 1 + to};
}

static unsigned read_code(struct string_reader *r, unsigned base, unsigned max_digits)
{
	unsigned value = 0;

	for (; max_digits && r->pos < r->n && digit_value(r->text[r->pos]) < base; max_digits--)
		value = value * base + digit_value(r->text[r->pos++]);
	return value;
}

static void read_octal(struct string_reader *r, uint32_t from)
{
	unsigned value = read_code(r, 8, 3);

	if (value > UCHAR_MAX)
		diag_error(r->diags, escape_span(r, from, r->pos),
			   "syntax: octal escape sequence out of range '%.*s'",
			   (int)(r->pos - from), r->text + from);
	r->out[r->len++] = (char)value;
}

static void read_hex(struct string_reader *r, uint32_t from)
{
	uint32_t first = ++r->pos;
	unsigned value = read_code(r, 16, 2);

	if (r->pos == first)
		diag_error(r->diags, escape_span(r, from, r->pos),
			   "syntax: invalid hex escape sequence");
	else
		r->out[r->len++] = (char)value;
}

static void read_escape(struct string_reader *r)
{
	static const char names[] = "ntr\"\\", values[] = "\n\t\r\"\\";
	uint32_t from = r->pos++;
	const char *known;
	char c;

	if (r->pos >= r->n)
		return; /* unterminated: reported already */
	c = r->text[r->pos];
	known = c ? strchr(names, c) : NULL;
	if (known) {
		r->out[r->len++] = values[known - names];
		r->pos++;
	} else if (digit_value(c) < 8) {
		read_octal(r, from);
	} else if (c == 'x' || c == 'X') {
		read_hex(r, from);
	} else {
		r->pos++;
		diag_error(r->diags, escape_span(r, from, r->pos),
			   isprint((unsigned char)c) ? "syntax: invalid escape character '\\%c'"
						     : "syntax: invalid escape character 0x%02x",
			   (unsigned char)c);
	}
}

char *literal_string(struct diag_list *d, struct span at, const char *text, uint32_t n,
		     uint32_t *len)
{
	struct string_reader r = {.diags = d, .at = at, .text = text, .n = n};

	r.out = arena_alloc(d->arena, (size_t)n + 1);
	while (r.pos < n) {
		if (text[r.pos] == '\\') {
			read_escape(&r);
			continue;
		}
		if (!text[r.pos])
			diag_error(d, escape_span(&r, r.pos, r.pos + 1),
				   "syntax: NUL byte in string (write \\0)");
		r.out[r.len++] = text[r.pos++];
	}
	*len = r.len;
	return r.out;
}
