/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as JSON. Numbers, truth values and what is made of parts have a form of their own;
 * everything else (symbols, stacks, addresses, times) is its text as a string.
 */
#include "output/json.h"

/* ---- strings and numbers ------------------------------------------------------ */

/* The length of the well-formed UTF-8 sequence at @s, 0 when it is none (RFC 3629). */
static size_t utf8_length(const uint8_t *s, size_t n)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least; /* what a shorter sequence can hold is not well-formed */
	} forms[] = {{0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (size_t len = 2; len <= 4; len++) {
		uint32_t code;
		size_t i;

		if ((s[0] & forms[len - 2].mask) != forms[len - 2].lead || n < len)
			continue;
		code = s[0] & ~forms[len - 2].mask & 0xff;
		for (i = 1; i < len && (s[i] & 0xc0) == 0x80; i++)
			code = code << 6 | (s[i] & 0x3f);
		if (i < len || code < forms[len - 2].least || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff))
			return 0;
		return len;
	}
	return 0;
}

static void put_control(struct outbuf *b, uint8_t c)
{
	static const char named[] = {['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	char text[8];

	if (c < sizeof(named) && named[c]) {
		outbuf_putc(b, '\\');
		outbuf_putc(b, named[c]);
		return;
	}
	snprintf(text, sizeof(text), "\\u%04x", c);
	outbuf_puts(b, text);
}

static bool is_plain(uint8_t c)
{
	return c >= ' ' && c < 0x80 && c != '"' && c != '\\';
}

void json_escaped(struct outbuf *b, const char *text, size_t n)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t i = 0, run, len;

	while (i < n) {
		for (run = i; run < n && is_plain(s[run]); run++)
			;
		outbuf_put(b, text + i, run - i);
		i = run;
		if (i == n)
			return;
		if (s[i] < ' ') {
			put_control(b, s[i++]);
		} else if (s[i] == '"' || s[i] == '\\') {
			outbuf_putc(b, '\\');
			outbuf_putc(b, s[i++]);
		} else if ((len = utf8_length(s + i, n - i))) {
			outbuf_put(b, text + i, len);
			i += len;
		} else { /* a byte that no JSON text may hold */
			outbuf_puts(b, "\\ufffd");
			i++;
		}
	}
}

void json_string(struct outbuf *b, const char *text, size_t n)
{
	outbuf_putc(b, '"');
	json_escaped(b, text, n);
	outbuf_putc(b, '"');
}

/* Whether a double holds it: readers of JSON have no other numbers (RFC 8259, section 6). */
static bool fits_double(uint64_t v)
{
	return !v || v >> __builtin_ctzll(v) <= 1ull << 53;
}

void json_int(struct outbuf *b, int64_t v, bool is_signed)
{
	bool quoted = !fits_double(is_signed && v < 0 ? -(uint64_t)v : (uint64_t)v);

	if (quoted)
		outbuf_putc(b, '"');
	if (is_signed)
		outbuf_s64(b, v);
	else
		outbuf_u64(b, v);
	if (quoted)
		outbuf_putc(b, '"');
}

/* ---- kinds ----------------------------------------------------------------------- */

struct value {
	const struct image_type *type;
	const uint8_t *data;
	uint64_t divisor;
};

typedef void json_fn(struct output *o, struct outbuf *b, const struct value *v);

static void json_void(struct output *o, struct outbuf *b, const struct value *v)
{
	(void)o;
	(void)v;
	outbuf_puts(b, "null");
}

/* Enumerators too: programs that read this count on the number. */
static void json_number(struct output *o, struct outbuf *b, const struct value *v)
{
	bool is_signed = v->type->flags & IMAGE_TF_SIGNED;

	(void)o;
	json_int(b, divide(load_int(v->data, v->type->size, is_signed), v->divisor, is_signed),
		 is_signed);
}

static void json_bool(struct output *o, struct outbuf *b, const struct value *v)
{
	(void)o;
	outbuf_puts(b, *v->data ? "true" : "false");
}

static void json_pointer(struct output *o, struct outbuf *b, const struct value *v)
{
	(void)o;
	json_int(b, load_int(v->data, 8, false), false);
}

static void json_buffer(struct output *o, struct outbuf *b, const struct value *v)
{
	uint32_t n = load_int(v->data, 4, false);

	(void)o;
	if (n > v->type->size - 4)
		n = v->type->size - 4;
	outbuf_putc(b, '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			outbuf_putc(b, ',');
		outbuf_s64(b, (int8_t)v->data[4 + i]);
	}
	outbuf_putc(b, ']');
}

static void json_array(struct output *o, struct outbuf *b, const struct value *v)
{
	size_t size = o->img->types[v->type->elem].size;

	outbuf_putc(b, '[');
	for (uint32_t i = 0; i < v->type->count; i++) {
		if (i)
			outbuf_putc(b, ',');
		json_value(o, b, v->type->elem, v->data + i * size, v->divisor);
	}
	outbuf_putc(b, ']');
}

static void put_field(struct output *o, struct outbuf *b, const struct image_field *f,
		      const struct value *v)
{
	const struct image_type *t = &o->img->types[f->type];
	bool is_signed = t->flags & IMAGE_TF_SIGNED;
	int64_t n;

	if (!f->bit_size) {
		json_value(o, b, f->type, v->data + f->offset, v->divisor);
		return;
	}
	n = field_int(o->img, f, v->data);
	if (t->kind == IMAGE_K_BOOL)
		outbuf_puts(b, n ? "true" : "false");
	else
		json_int(b, divide(n, v->divisor, is_signed), is_signed);
}

static void json_struct(struct output *o, struct outbuf *b, const struct value *v)
{
	outbuf_putc(b, '{');
	for (uint32_t i = 0; i < v->type->count; i++) {
		const struct image_field *f = &o->img->fields[v->type->fields + i];
		const char *name = image_str(o->img, f->name);

		if (i)
			outbuf_puts(b, ", ");
		json_string(b, name, strlen(name));
		outbuf_puts(b, ": ");
		put_field(o, b, f, v);
	}
	outbuf_putc(b, '}');
}

static void json_tuple(struct output *o, struct outbuf *b, const struct value *v)
{
	outbuf_putc(b, '[');
	for (uint32_t i = 0; i < v->type->count; i++) {
		if (i)
			outbuf_putc(b, ',');
		put_field(o, b, &o->img->fields[v->type->fields + i], v);
	}
	outbuf_putc(b, ']');
}

static void json_meminfo(struct output *o, struct outbuf *b, const struct value *v)
{
	json_int(b, meminfo_now(o, v->type), false);
}

/* NULL: the text as a string. */
static json_fn *const json_kinds[IMAGE_NKINDS] = {
	[IMAGE_K_VOID] = json_void,    [IMAGE_K_INT] = json_number,
	[IMAGE_K_BOOL] = json_bool,    [IMAGE_K_POINTER] = json_pointer,
	[IMAGE_K_ENUM] = json_number,  [IMAGE_K_BUFFER] = json_buffer,
	[IMAGE_K_ARRAY] = json_array,  [IMAGE_K_STRUCT] = json_struct,
	[IMAGE_K_UNION] = json_struct, [IMAGE_K_RECORD] = json_struct,
	[IMAGE_K_TUPLE] = json_tuple,  [IMAGE_K_MEMINFO] = json_meminfo,
};

void json_value(struct output *o, struct outbuf *b, uint32_t type, const void *value,
		uint64_t divisor)
{
	struct value v = {.type = &o->img->types[type], .data = value, .divisor = divisor};

	if (json_kinds[v.type->kind]) {
		json_kinds[v.type->kind](o, b, &v);
		return;
	}
	o->quoted.len = 0;
	value_text(o, &o->quoted, type, value, divisor);
	json_string(b, o->quoted.data, o->quoted.len);
}
