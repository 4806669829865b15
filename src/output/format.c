/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printf: a format string is taken apart once into segments (text, then one conversion);
 * an event runs the segments over its payload.
 */
#include <stdlib.h>

#include "output/internal.h"

enum spec_flags {
	SPEC_LEFT = 1,
	SPEC_PLUS = 2,
	SPEC_SPACE = 4,
	SPEC_ALT = 8,
	SPEC_ZERO = 16,
};

struct segment;
typedef void segment_fn(struct output *o, struct outbuf *b, const struct segment *s,
			const void *payload);

struct segment {
	const char *text; /* in the program's copy of the text */
	uint32_t text_len;
	segment_fn *run; /* NULL: text alone */
	const struct image_field *field;
	const struct image_type *type;
	int width, precision; /* precision -1: none */
	uint8_t flags;
	uint8_t bits; /* of the integer that C's type for the length modifier has */
	char conversion;
	char style; /* of %r: 0, 'x', 'h' */
};

struct printf_program {
	char *text;
	size_t nsegments;
	struct segment segments[];
};

/* ---- conversions ------------------------------------------------------------ */

static const uint8_t *field_data(const struct segment *s, const void *payload)
{
	return (const uint8_t *)payload + s->field->offset;
}

/* What a number is made of before it is put together. */
struct number {
	const char *prefix;
	char digits[72];
	size_t len;
};

static void make_digits(struct number *n, uint64_t v, unsigned base, const char *set)
{
	char *end = n->digits + sizeof(n->digits), *p = end;

	do {
		*--p = set[v % base];
		v /= base;
	} while (v);
	n->len = end - p;
	memmove(n->digits, p, n->len);
}

static void put_number(struct outbuf *b, const struct segment *s, const struct number *n)
{
	size_t prefix = strlen(n->prefix), zeros = 0, size, pad;

	if (s->precision >= 0 && n->len < (size_t)s->precision)
		zeros = s->precision - n->len;
	size = prefix + zeros + n->len;
	pad = (size_t)s->width > size ? s->width - size : 0;
	if ((s->flags & SPEC_ZERO) && !(s->flags & SPEC_LEFT) && s->precision < 0) {
		zeros += pad;
		pad = 0;
	}
	if (pad && !(s->flags & SPEC_LEFT))
		outbuf_pad(b, ' ', pad);
	outbuf_put(b, n->prefix, prefix);
	if (zeros)
		outbuf_pad(b, '0', zeros);
	outbuf_put(b, n->digits, n->len);
	if (pad && (s->flags & SPEC_LEFT))
		outbuf_pad(b, ' ', pad);
}

/* An argument as a 64-bit integer, whatever it is. */
static uint64_t argument(const struct output *o, const struct segment *s, const void *payload)
{
	uint32_t size = s->type->size;

	switch (s->type->kind) {
	case IMAGE_K_INT:
	case IMAGE_K_ENUM:
	case IMAGE_K_BOOL:
		return field_int(o->img, s->field, payload);
	case IMAGE_K_PROBE:
	case IMAGE_K_DISK:
		size = 4;
		break;
	case IMAGE_K_MEMINFO:
		return meminfo_now(o, s->type);
	default:
		size = size < 8 ? size & -size : 8; /* the first word of whatever it is */
		break;
	}
	return size ? load_int(field_data(s, payload), size, false) : 0;
}

static bool is_plain(const struct segment *s)
{
	return !s->width && s->precision < 0 && !s->flags;
}

static void run_signed(struct output *o, struct outbuf *b, const struct segment *s,
		       const void *payload)
{
	unsigned unused = 64 - s->bits;
	int64_t v = (int64_t)(argument(o, s, payload) << unused) >> unused;
	struct number n;

	if (is_plain(s)) {
		outbuf_s64(b, v);
		return;
	}
	n.prefix = v < 0 ? "-" : s->flags & SPEC_PLUS ? "+" : s->flags & SPEC_SPACE ? " " : "";
	make_digits(&n, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, "0123456789");
	put_number(b, s, &n);
}

static uint64_t cut(uint64_t v, unsigned bits)
{
	return bits < 64 ? v & ((1ull << bits) - 1) : v;
}

static void run_unsigned(struct output *o, struct outbuf *b, const struct segment *s,
			 const void *payload)
{
	uint64_t v = cut(argument(o, s, payload), s->bits);
	struct number n;

	if (is_plain(s)) {
		outbuf_u64(b, v);
		return;
	}
	n.prefix = "";
	make_digits(&n, v, 10, "0123456789");
	put_number(b, s, &n);
}

static void run_octal(struct output *o, struct outbuf *b, const struct segment *s,
		      const void *payload)
{
	uint64_t v = cut(argument(o, s, payload), s->bits);
	struct number n = {.prefix = ""};

	make_digits(&n, v, 8, "01234567");
	if ((s->flags & SPEC_ALT) && v && (s->precision < 0 || (size_t)s->precision <= n.len))
		n.prefix = "0";
	put_number(b, s, &n);
}

static void run_hex(struct output *o, struct outbuf *b, const struct segment *s,
		    const void *payload)
{
	uint64_t v = cut(argument(o, s, payload), s->bits);
	bool upper = s->conversion == 'X';
	struct number n = {.prefix = ""};

	if ((s->flags & SPEC_ALT) && v)
		n.prefix = upper ? "0X" : "0x";
	make_digits(&n, v, 16, upper ? "0123456789ABCDEF" : "0123456789abcdef");
	put_number(b, s, &n);
}

static void run_pointer(struct output *o, struct outbuf *b, const struct segment *s,
			const void *payload)
{
	uint64_t v = argument(o, s, payload);
	struct number n = {.prefix = v ? "0x" : ""};

	make_digits(&n, v, 16, "0123456789abcdef");
	put_number(b, s, &n);
}

static void put_padded(struct outbuf *b, const struct segment *s, const char *text, size_t len)
{
	size_t pad;

	if (s->precision >= 0 && len > (size_t)s->precision)
		len = s->precision;
	pad = (size_t)s->width > len ? s->width - len : 0;
	if (pad && !(s->flags & SPEC_LEFT))
		outbuf_pad(b, ' ', pad);
	outbuf_put(b, text, len);
	if (pad && (s->flags & SPEC_LEFT))
		outbuf_pad(b, ' ', pad);
}

static void run_char(struct output *o, struct outbuf *b, const struct segment *s,
		     const void *payload)
{
	struct segment one = *s;
	char c = argument(o, s, payload);

	one.precision = -1;
	put_padded(b, &one, &c, 1);
}

static void put_field_text(struct output *o, struct outbuf *b, const struct segment *s,
			   const void *payload)
{
	if (s->field->bit_size && s->type->kind == IMAGE_K_INT) {
		int64_t v = field_int(o->img, s->field, payload);

		if (s->type->flags & IMAGE_TF_SIGNED)
			outbuf_s64(b, v);
		else
			outbuf_u64(b, v);
		return;
	}
	value_text(o, b, s->field->type, field_data(s, payload), 1);
}

/* Text of any value; straight into the output where nothing has to be padded or cut. */
static void run_string(struct output *o, struct outbuf *b, const struct segment *s,
		       const void *payload)
{
	if (!s->width && s->precision < 0) {
		put_field_text(o, b, s, payload);
		return;
	}
	o->scratch.len = 0;
	put_field_text(o, &o->scratch, s, payload);
	put_padded(b, s, o->scratch.data, o->scratch.len);
}

static void run_buffer(struct output *o, struct outbuf *b, const struct segment *s,
		       const void *payload)
{
	const uint8_t *data = field_data(s, payload);
	uint32_t n;

	if (s->type->kind != IMAGE_K_BUFFER) {
		run_string(o, b, s, payload);
		return;
	}
	n = load_int(data, 4, false);
	if (n > s->type->size - 4)
		n = s->type->size - 4;
	o->scratch.len = 0;
	outbuf_bytes(&o->scratch, data + 4, n, !s->style, s->style != 'h');
	put_padded(b, s, o->scratch.data, o->scratch.len);
}

static void run_gfp(struct output *o, struct outbuf *b, const struct segment *s,
		    const void *payload)
{
	o->scratch.len = 0;
	gfp_text(&o->scratch, argument(o, s, payload));
	put_padded(b, s, o->scratch.data, o->scratch.len);
}

static const struct {
	char conversion;
	segment_fn *run;
} conversions[] = {
	{'d', run_signed}, {'i', run_signed}, {'u', run_unsigned}, {'o', run_octal},
	{'x', run_hex},    {'X', run_hex},    {'p', run_pointer},  {'c', run_char},
	{'s', run_string}, {'r', run_buffer}, {'g', run_gfp},
};

/* ---- taking a format apart ---------------------------------------------------- */

struct parser {
	const struct image *img;
	const struct image_type *args; /* tuple, NULL: none */
	uint32_t next_arg;
	char *text; /* where the next text goes */
	struct printf_program *program;
};

static const char *parse_flags(const char *p, struct segment *s)
{
	static const char chars[] = "-+ #0";
	const char *found;

	while (*p && (found = strchr(chars, *p))) {
		s->flags |= 1u << (found - chars);
		p++;
	}
	return p;
}

/* "*" takes no argument here: it is no width at all. */
static const char *parse_number(const char *p, int *n)
{
	if (*p == '*') {
		*n = 0;
		return p + 1;
	}
	for (*n = 0; *p >= '0' && *p <= '9'; p++)
		if (*n < 1 << 20) /* more is surely a mistake; never an overflow */
			*n = *n * 10 + *p - '0';
	return p;
}

static const char *parse_length(const char *p, struct segment *s)
{
	s->bits = 32;
	for (; *p && strchr("hlLjzt", *p); p++) {
		if (*p == 'h')
			s->bits = s->bits == 16 ? 8 : 16;
		else
			s->bits = 64;
	}
	return p;
}

/* Behind "%%", "%5%" and the like, which show a '%'; NULL when @p, behind a '%', is none of them.
 */
static const char *percent_end(const char *p)
{
	struct segment ignored = {0};

	p = parse_flags(p, &ignored);
	p = parse_number(p, &ignored.width);
	return *p == '%' ? p + 1 : NULL;
}

/* Reads what stands behind a '%'. Returns its end, or NULL when it is no conversion. */
static const char *parse_spec(const char *p, struct segment *s)
{
	p = parse_flags(p, s);
	p = parse_number(p, &s->width);
	s->precision = -1;
	if (*p == '.' && p[1] == '*')
		p += 2;
	else if (*p == '.')
		p = parse_number(p + 1, &s->precision);
	p = parse_length(p, s);
	for (size_t i = 0; i < sizeof(conversions) / sizeof(conversions[0]); i++) {
		if (conversions[i].conversion != *p)
			continue;
		if (*p == 'g' && p[1] != 'r')
			return NULL;
		s->conversion = *p++;
		s->run = conversions[i].run;
		if (s->conversion == 'g')
			p++;
		if (s->conversion == 'r' && (*p == 'x' || *p == 'h'))
			s->style = *p++;
		return p;
	}
	return NULL;
}

static struct segment *new_segment(struct parser *ps)
{
	struct segment *s = &ps->program->segments[ps->program->nsegments++];

	*s = (struct segment){.text = ps->text, .precision = -1};
	return s;
}

static void add_text(struct parser *ps, struct segment *s, char c)
{
	*ps->text++ = c;
	s->text_len++;
}

static void parse_format(struct parser *ps, const char *p)
{
	struct segment *s = new_segment(ps);

	while (*p) {
		struct segment spec = {0};
		const char *end;

		if (*p != '%') {
			add_text(ps, s, *p++);
			continue;
		}
		if ((end = percent_end(p + 1))) {
			add_text(ps, s, '%');
			p = end;
			continue;
		}
		end = parse_spec(p + 1, &spec);
		if (!end || !ps->args || ps->next_arg >= ps->args->count) {
			add_text(ps, s, *p++); /* nothing to convert: shown as it is */
			continue;
		}
		spec.text = s->text;
		spec.text_len = s->text_len;
		spec.field = &ps->img->fields[ps->args->fields + ps->next_arg++];
		spec.type = &ps->img->types[spec.field->type];
		*s = spec;
		s = new_segment(ps);
		p = end;
	}
}

/* @args: row of TYPES, a tuple, or IMAGE_NONE. */
static struct printf_program *compile(const struct image *img, uint32_t format, uint32_t args)
{
	const char *fmt = image_str(img, format);
	struct parser ps = {.img = img};
	size_t nspecs = 1;

	for (const char *p = fmt; *p; p++)
		nspecs += *p == '%';
	if (args != IMAGE_NONE)
		ps.args = &img->types[args];
	ps.program = calloc(1, sizeof(*ps.program) + nspecs * sizeof(struct segment));
	if (!ps.program)
		return NULL;
	ps.program->text = ps.text = malloc(strlen(fmt) + 1);
	if (!ps.text) {
		free(ps.program);
		return NULL;
	}
	parse_format(&ps, fmt);
	return ps.program;
}

void printf_program_free(struct printf_program *p)
{
	if (!p)
		return;
	free(p->text);
	free(p);
}

static void run(struct output *o, struct outbuf *b, const struct printf_program *p,
		const void *payload)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->nsegments; i++) {
		const struct segment *s = &p->segments[i];

		outbuf_put(b, s->text, s->text_len);
		if (s->run)
			s->run(o, b, s, payload);
	}
}

void printf_run(struct output *o, struct outbuf *b, const struct image_action *a,
		const void *payload)
{
	struct printf_program **slot = &o->programs[a - o->img->actions];

	if (!*slot)
		*slot = compile(o->img, a->fmt, a->type);
	run(o, b, *slot, payload);
}

void printf_row(struct output *o, struct outbuf *b, const struct image_action *a, const void *tuple)
{
	struct printf_program **slot = &o->programs[a - o->img->actions];

	if (!*slot)
		*slot = compile(o->img, a->fmt, o->img->tables[a->table].tuple);
	run(o, b, *slot, tuple);
}

void printf_heading(struct output *o, struct outbuf *b, const struct image_action *a,
		    const uint64_t numbers[2])
{
	const struct image_table *t = &o->img->tables[a->table];
	struct printf_program **slot = &o->programs[o->img->nactions + (a - o->img->actions)];

	if (!*slot)
		*slot = compile(o->img, t->heading, t->heading_tuple);
	run(o, b, *slot, numbers);
}
