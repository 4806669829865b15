/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks folded into lines. First the parts of the key that are no stacks, in their order; then
 * user frames, then the kernel's, which are marked _[k] as inlined ones are marked _[i].
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

#include "output/folded.h"

#define MAX_INLINED 64

static bool is_stack(const struct image_type *t)
{
	return t->kind == IMAGE_K_KSTACK || t->kind == IMAGE_K_USTACK;
}

static bool is_compound(const struct image_type *t)
{
	return t->kind == IMAGE_K_TUPLE || t->kind == IMAGE_K_RECORD;
}

static bool holds_stack(const struct image *img, const struct image_type *t)
{
	bool found = is_stack(t);

	for (uint32_t i = 0; is_compound(t) && i < t->count; i++)
		found |= holds_stack(img, &img->types[img->fields[t->fields + i].type]);
	return found;
}

bool folded_takes(const struct output *o, const struct image_map *m)
{
	const struct image_type *value = &o->img->types[m->value];

	return m->key != IMAGE_NONE && holds_stack(o->img, &o->img->types[m->key]) &&
	       (value->kind == IMAGE_K_INT ||
		(is_aggregation(value) && value->kind <= IMAGE_K_STATS));
}

/* ---- frames ------------------------------------------------------------------------ */

/* A frame begins: what stands in it may hold neither semicolons nor ends of lines. */
static size_t begin_frame(struct outbuf *b)
{
	if (b->len)
		outbuf_putc(b, ';');
	return b->len;
}

static void end_frame(struct outbuf *b, size_t from)
{
	for (size_t i = from; i < b->len; i++) {
		if (b->data[i] == ';')
			b->data[i] = ':';
		else if ((unsigned char)b->data[i] < ' ')
			b->data[i] = ' ';
	}
	if (b->len == from)
		outbuf_putc(b, '-');
}

/* An address without name is of no use to a sum: its file is. */
static void put_unknown(struct outbuf *b, const struct symbols_frame *f)
{
	const char *file = f->module ? strrchr(f->module, '/') : NULL;

	outbuf_putc(b, '[');
	outbuf_puts(b, file ? file + 1 : f->module ? f->module : "unknown");
	outbuf_putc(b, ']');
}

static void put_frame(struct outbuf *b, const struct symbols_frame *f, bool user)
{
	size_t from = begin_frame(b);

	if (f->name)
		outbuf_puts(b, f->name);
	else
		put_unknown(b, f);
	if (!user)
		outbuf_puts(b, "_[k]");
	else if (f->inlined)
		outbuf_puts(b, "_[i]");
	end_frame(b, from);
}

static void put_address(struct output *o, struct outbuf *b, const struct image_type *t, int pid,
			uint64_t ip, bool is_return)
{
	struct symbols_frame frames[MAX_INLINED];
	bool user = t->kind == IMAGE_K_USTACK;
	size_t n;

	if (t->arg[1] == IMAGE_STACK_RAW) {
		begin_frame(b);
		outbuf_puts(b, "0x");
		outbuf_hex(b, ip);
		return;
	}
	n = user ? symbols_user_frames(o->sym, pid, ip, is_return, frames, MAX_INLINED)
		 : symbols_kernel_frames(o->sym, ip, is_return, frames, MAX_INLINED);
	while (n--) /* the innermost comes first there, last here */
		put_frame(b, &frames[n], user);
}

static void put_build_id(struct outbuf *b, const struct bpf_stack_build_id *f)
{
	begin_frame(b);
	for (size_t i = 0; f->status == BPF_STACK_BUILD_ID_VALID && i < sizeof(f->build_id); i++) {
		if (f->build_id[i] < 16)
			outbuf_putc(b, '0');
		outbuf_hex(b, f->build_id[i]);
	}
	outbuf_puts(b, f->status == BPF_STACK_BUILD_ID_VALID ? "+0x" : "0x");
	outbuf_hex(b, f->status == BPF_STACK_BUILD_ID_VALID ? f->offset : f->ip);
}

static void put_stack(struct output *o, struct outbuf *b, const struct image_type *t,
		      const uint8_t *value)
{
	int64_t id = load_int(value, 8, true);
	int pid = t->kind == IMAGE_K_USTACK ? load_int(value + 8, 4, true) : 0;
	int n = 0;

	if (id >= 0 && o->opts.stack)
		n = o->opts.stack(o->opts.stack_arg, t->elem, id, o->frames, sizeof(o->frames));
	if (n > t->arg[0])
		n = t->arg[0];
	while (n-- > 0) {
		if (t->arg[1] == IMAGE_STACK_BUILD_ID)
			put_build_id(b, (const struct bpf_stack_build_id *)o->frames + n);
		else if (o->frames[n] != UINT64_MAX) /* where unwinding failed */
			put_address(o, b, t, pid, o->frames[n], n > 0);
	}
}

/* ---- keys ---------------------------------------------------------------------------- */

/* The parts of a key that are of @kind, IMAGE_K_VOID: that are no stacks. */
static void put_parts(struct output *o, struct outbuf *b, uint32_t type, const uint8_t *value,
		      unsigned kind)
{
	const struct image_type *t = &o->img->types[type];
	size_t from;

	for (uint32_t i = 0; is_compound(t) && i < t->count; i++) {
		const struct image_field *f = &o->img->fields[t->fields + i];

		put_parts(o, b, f->type, value + f->offset, kind);
	}
	if (is_compound(t) || t->kind != (is_stack(t) ? kind : t->kind) ||
	    (!is_stack(t) && kind != IMAGE_K_VOID))
		return;
	if (is_stack(t)) {
		put_stack(o, b, t, value);
		return;
	}
	from = begin_frame(b);
	value_text(o, b, type, value, 1);
	end_frame(b, from);
}

static int add_line(struct folded *f, const struct outbuf *b, int64_t value)
{
	struct folded_line *lines;
	size_t cap = f->cap ? f->cap * 2 : 256;
	char *text;

	if (f->n == f->cap) {
		lines = realloc(f->lines, cap * sizeof(*lines));
		if (!lines)
			return -ENOMEM;
		f->lines = lines;
		f->cap = cap;
	}
	text = b->err ? NULL : strndup(b->data, b->len);
	if (!text)
		return -ENOMEM;
	f->lines[f->n++] = (struct folded_line){text, value};
	return 0;
}

int folded_add(struct output *o, struct folded *f, const char *first, const struct image_map *m,
	       const struct map_row *rows, size_t n, uint64_t divisor)
{
	static const unsigned order[] = {IMAGE_K_VOID, IMAGE_K_USTACK, IMAGE_K_KSTACK};
	const struct image_type *t = &o->img->types[m->value];
	struct outbuf b;
	int err = outbuf_open(&b, NULL, 4096);

	for (size_t i = 0; i < n && !err; i++) {
		int64_t value = t->kind == IMAGE_K_STATS ? rows[i].total
							 : map_row_number(t, &rows[i], divisor);

		b.len = 0;
		outbuf_puts(&b, first ? first : "");
		for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
			put_parts(o, &b, m->key, rows[i].elem->key, order[k]);
		err = add_line(f, &b, value);
	}
	outbuf_close(&b);
	return err;
}

static int compare_lines(const void *pa, const void *pb)
{
	const struct folded_line *a = pa, *b = pb;

	return strcmp(a->text, b->text);
}

void folded_merge(struct folded *f)
{
	size_t n = 0;

	if (!f->n)
		return;
	qsort(f->lines, f->n, sizeof(*f->lines), compare_lines);
	for (size_t i = 1; i < f->n; i++) {
		if (strcmp(f->lines[i].text, f->lines[n].text)) {
			f->lines[++n] = f->lines[i];
			continue;
		}
		f->lines[n].value += f->lines[i].value;
		free(f->lines[i].text);
	}
	f->n = n + 1;
}

void folded_free(struct folded *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->lines[i].text);
	free(f->lines);
	*f = (struct folded){0};
}

/* ---- the format ------------------------------------------------------------------------ */

static int folded_map(struct output *o, const struct image_map *m, const struct map_row *rows,
		      size_t n, uint64_t divisor)
{
	struct folded f = {0};
	int err = folded_add(o, &f, NULL, m, rows, n, divisor);

	folded_merge(&f);
	for (size_t i = 0; i < f.n && !err; i++) {
		outbuf_puts(&o->stacks, f.lines[i].text);
		outbuf_putc(&o->stacks, ' ');
		outbuf_s64(&o->stacks, f.lines[i].value);
		outbuf_putc(&o->stacks, '\n');
	}
	folded_free(&f);
	return err;
}

const struct output_format output_folded_format = {
	.name = "folded",
	.stacks = folded_map,
};
