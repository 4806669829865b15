/* SPDX-License-Identifier: Apache-2.0 */
/* The text of values: one function a kind. */
#include <arpa/inet.h>
#include <time.h>

#include "output/internal.h"

struct value {
	const struct image_type *type;
	const uint8_t *data;
	uint64_t divisor;
};

typedef void text_fn(struct output *o, struct outbuf *b, const struct value *v);

static uint64_t load_u64(const struct value *v, unsigned at)
{
	return load_int(v->data + at, 8, false);
}

static uint32_t load_u32(const struct value *v, unsigned at)
{
	return load_int(v->data + at, 4, false);
}

static void put_int(struct outbuf *b, int64_t n, bool is_signed)
{
	if (is_signed)
		outbuf_s64(b, n);
	else
		outbuf_u64(b, n);
}

static void put_enum(const struct output *o, struct outbuf *b, const struct image_type *t,
		     int64_t n)
{
	uint64_t mask = t->size < 8 ? (1ull << t->size * 8) - 1 : UINT64_MAX;

	for (uint32_t i = 0; i < t->count; i++) {
		const struct image_enumerator *e = &o->img->enums[t->fields + i];

		if ((e->value & mask) == ((uint64_t)n & mask)) {
			outbuf_puts(b, image_str(o->img, e->name));
			return;
		}
	}
	put_int(b, n, t->flags & IMAGE_TF_SIGNED);
}

static void text_void(struct output *o, struct outbuf *b, const struct value *v)
{
	(void)o;
	(void)v;
	outbuf_puts(b, "null");
}

static void text_int(struct output *o, struct outbuf *b, const struct value *v)
{
	bool is_signed = v->type->flags & IMAGE_TF_SIGNED;

	(void)o;
	put_int(b, divide(load_int(v->data, v->type->size, is_signed), v->divisor, is_signed),
		is_signed);
}

static void text_bool(struct output *o, struct outbuf *b, const struct value *v)
{
	(void)o;
	outbuf_puts(b, *v->data ? "true" : "false");
}

size_t string_length(const void *s, size_t size)
{
	return strnlen(s, size);
}

static void text_string(struct output *o, struct outbuf *b, const struct value *v)
{
	size_t n = string_length(v->data, v->type->size);

	outbuf_put(b, (const char *)v->data, n);
	/* no room for the NUL, or all that str() reads: it was cut */
	if (n == v->type->size || (v->type->arg[0] && n + 1 == v->type->size))
		outbuf_put(b, o->trailer, o->trailer_len);
}

static void text_buffer(struct output *o, struct outbuf *b, const struct value *v)
{
	uint32_t n = load_u32(v, 0);

	(void)o;
	if (n > v->type->size - 4)
		n = v->type->size - 4;
	outbuf_bytes(b, v->data + 4, n, true, true);
}

static void text_pointer(struct output *o, struct outbuf *b, const struct value *v)
{
	(void)o;
	outbuf_put(b, "0x", 2);
	outbuf_hex(b, load_u64(v, 0));
}

static void text_enum(struct output *o, struct outbuf *b, const struct value *v)
{
	put_enum(o, b, v->type, load_int(v->data, v->type->size, v->type->flags & IMAGE_TF_SIGNED));
}

static void text_array(struct output *o, struct outbuf *b, const struct value *v)
{
	size_t size = o->img->types[v->type->elem].size;

	outbuf_putc(b, '[');
	for (uint32_t i = 0; i < v->type->count; i++) {
		if (i)
			outbuf_putc(b, ',');
		value_text(o, b, v->type->elem, v->data + i * size, v->divisor);
	}
	outbuf_putc(b, ']');
}

int64_t field_int(const struct image *img, const struct image_field *f, const void *base)
{
	const struct image_type *t = &img->types[f->type];
	bool is_signed = t->flags & IMAGE_TF_SIGNED;
	uint64_t v = load_int((const char *)base + f->offset, t->size, is_signed);

	if (!f->bit_size)
		return v;
	v <<= 64 - f->bit_size - f->bit_off;
	return is_signed ? (int64_t)v >> (64 - f->bit_size) : (int64_t)(v >> (64 - f->bit_size));
}

static void put_field(struct output *o, struct outbuf *b, const struct image_field *f,
		      const void *base, uint64_t divisor)
{
	const struct image_type *t = &o->img->types[f->type];
	bool is_signed = t->flags & IMAGE_TF_SIGNED;
	int64_t n;

	if (!f->bit_size) {
		value_text(o, b, f->type, (const char *)base + f->offset, divisor);
		return;
	}
	n = field_int(o->img, f, base);
	if (t->kind == IMAGE_K_ENUM)
		put_enum(o, b, t, n);
	else if (t->kind == IMAGE_K_BOOL)
		outbuf_puts(b, n ? "true" : "false");
	else
		put_int(b, divide(n, divisor, is_signed), is_signed);
}

static const char *separator(const struct output *o)
{
	return o->compact ? "," : ", ";
}

static void text_struct(struct output *o, struct outbuf *b, const struct value *v)
{
	if (!v->type->count) {
		outbuf_puts(b, "{}");
		return;
	}
	for (uint32_t i = 0; i < v->type->count; i++) {
		const struct image_field *f = &o->img->fields[v->type->fields + i];

		outbuf_puts(b, i ? separator(o) : o->compact ? "{" : "{ ");
		outbuf_putc(b, '.');
		outbuf_puts(b, image_str(o->img, f->name));
		outbuf_puts(b, o->compact ? "=" : " = ");
		put_field(o, b, f, v->data, v->divisor);
	}
	outbuf_puts(b, o->compact ? "}" : " }");
}

void value_text_parts(struct output *o, struct outbuf *b, const struct image_type *t,
		      const void *value, uint64_t divisor)
{
	for (uint32_t i = 0; i < t->count; i++) {
		if (i)
			outbuf_puts(b, separator(o));
		put_field(o, b, &o->img->fields[t->fields + i], value, divisor);
	}
}

static void text_tuple(struct output *o, struct outbuf *b, const struct value *v)
{
	outbuf_putc(b, '(');
	value_text_parts(o, b, v->type, v->data, v->divisor);
	outbuf_putc(b, ')');
}

/* ---- addresses and stacks -------------------------------------------------- */

static void text_ksym(struct output *o, struct outbuf *b, const struct value *v)
{
	ksym_text(o, b, load_u64(v, 0));
}

static void text_usym(struct output *o, struct outbuf *b, const struct value *v)
{
	usym_text(o, b, load_u32(v, 8), load_u64(v, 0));
}

static void text_stack(struct output *o, struct outbuf *b, const struct value *v)
{
	stack_text(o, b, v->type, v->data);
}

/* ---- names of things -------------------------------------------------------- */

static void text_inet(struct output *o, struct outbuf *b, const struct value *v)
{
	char text[INET6_ADDRSTRLEN];
	uint32_t family = load_u32(v, 0);

	(void)o;
	if ((family == AF_INET || family == AF_INET6) &&
	    inet_ntop(family, v->data + 4, text, sizeof(text)))
		outbuf_puts(b, text);
}

static void text_mac(struct output *o, struct outbuf *b, const struct value *v)
{
	static const char hex[] = "0123456789ABCDEF";

	(void)o;
	for (int i = 0; i < 6; i++) {
		if (i)
			outbuf_putc(b, ':');
		outbuf_putc(b, hex[v->data[i] >> 4]);
		outbuf_putc(b, hex[v->data[i] & 15]);
	}
}

static void text_username(struct output *o, struct outbuf *b, const struct value *v)
{
	outbuf_puts(b, symbols_user_name(o->sym, load_int(v->data, v->type->size, false)));
}

static void text_cgroup(struct output *o, struct outbuf *b, const struct value *v)
{
	outbuf_puts(b, symbols_cgroup(o->sym, load_u64(v, 0)));
}

static void text_probe(struct output *o, struct outbuf *b, const struct value *v)
{
	uint32_t row = load_u32(v, 0);

	if (row < o->img->nprobes && !o->unset)
		outbuf_puts(b, image_str(o->img, o->img->probes[row].name));
}

static void text_disk(struct output *o, struct outbuf *b, const struct value *v)
{
	if (!o->unset)
		outbuf_puts(b, symbols_disk(o->sym, load_u32(v, 0)));
}

/* strftime with bpftrace's %f (microseconds), %l (milliseconds) and %k (nanoseconds). */
static void expand_fractions(char *out, size_t size, const char *fmt, long ns)
{
	size_t n = 0;

	for (; *fmt && n + 12 < size; fmt++) {
		if (fmt[0] != '%' || !fmt[1]) {
			out[n++] = *fmt;
			continue;
		}
		fmt++;
		if (*fmt == 'f')
			n += snprintf(out + n, size - n, "%06ld", ns / 1000);
		else if (*fmt == 'l')
			n += snprintf(out + n, size - n, "%03ld", ns / 1000000);
		else if (*fmt == 'k')
			n += snprintf(out + n, size - n, "%09ld", ns);
		else
			n += snprintf(out + n, size - n, "%%%c", *fmt);
	}
	out[n] = 0;
}

static void text_timestamp(struct output *o, struct outbuf *b, const struct value *v)
{
	int64_t ns = load_u64(v, 0) + o->clock_off[v->type->arg[0]];
	time_t sec = ns / 1000000000;
	char fmt[512], text[1024];
	struct tm tm;

	expand_fractions(fmt, sizeof(fmt), image_str(o->img, v->type->name), ns % 1000000000);
	if (ns < 0 || !localtime_r(&sec, &tm)) {
		outbuf_puts(b, "(?)");
		return;
	}
	outbuf_put(b, text, strftime(text, sizeof(text), fmt, &tm));
}

uint64_t meminfo_now(const struct output *o, const struct image_type *t)
{
	uint64_t v;

	symbols_meminfo(o->sym, image_str(o->img, t->name), &v);
	return t->arg[0] > 1 ? v / (uint64_t)t->arg[0] : v;
}

static void text_loadavg(struct output *o, struct outbuf *b, const struct value *v)
{
	(void)v;
	outbuf_puts(b, symbols_loadavg(o->sym));
}

static void text_meminfo(struct output *o, struct outbuf *b, const struct value *v)
{
	outbuf_u64(b, meminfo_now(o, v->type));
}

static text_fn *const text_kinds[IMAGE_NKINDS] = {
	[IMAGE_K_VOID] = text_void,          [IMAGE_K_INT] = text_int,
	[IMAGE_K_BOOL] = text_bool,          [IMAGE_K_STRING] = text_string,
	[IMAGE_K_BUFFER] = text_buffer,      [IMAGE_K_POINTER] = text_pointer,
	[IMAGE_K_ENUM] = text_enum,          [IMAGE_K_ARRAY] = text_array,
	[IMAGE_K_STRUCT] = text_struct,      [IMAGE_K_UNION] = text_struct,
	[IMAGE_K_TUPLE] = text_tuple,        [IMAGE_K_RECORD] = text_struct,
	[IMAGE_K_KSTACK] = text_stack,       [IMAGE_K_USTACK] = text_stack,
	[IMAGE_K_KSYM] = text_ksym,          [IMAGE_K_USYM] = text_usym,
	[IMAGE_K_INET] = text_inet,          [IMAGE_K_MAC] = text_mac,
	[IMAGE_K_USERNAME] = text_username,  [IMAGE_K_TIMESTAMP] = text_timestamp,
	[IMAGE_K_CGROUP_PATH] = text_cgroup, [IMAGE_K_PROBE] = text_probe,
	[IMAGE_K_DISK] = text_disk,          [IMAGE_K_LOADAVG] = text_loadavg,
	[IMAGE_K_MEMINFO] = text_meminfo,
};

void value_text(struct output *o, struct outbuf *b, uint32_t type, const void *value,
		uint64_t divisor)
{
	struct value v = {.type = &o->img->types[type], .data = value, .divisor = divisor};

	if (text_kinds[v.type->kind]) /* aggregations are shown by their map only */
		text_kinds[v.type->kind](o, b, &v);
}
