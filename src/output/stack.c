/* SPDX-License-Identifier: Apache-2.0 */
/* The text of addresses and stacks. */
#include <linux/bpf.h>

#include "output/internal.h"

#define MAX_INLINED 64 /* functions that one address may be in */
#define INDENT      8

/* ---- one address -------------------------------------------------------------- */

static void put_address(struct outbuf *b, uint64_t addr)
{
	outbuf_puts(b, addr ? "0x" : "");
	outbuf_hex(b, addr);
}

void ksym_text(struct output *o, struct outbuf *b, uint64_t addr)
{
	uint64_t offset;
	const char *name = symbols_kernel(o->sym, addr, &offset);

	if (name)
		outbuf_puts(b, name);
	else
		put_address(b, addr);
}

void usym_text(struct output *o, struct outbuf *b, int pid, uint64_t addr)
{
	uint64_t offset;
	const char *name = symbols_user(o->sym, pid, addr, &offset, NULL);

	if (name)
		outbuf_puts(b, name);
	else
		put_address(b, addr);
}

/* ---- frames ---------------------------------------------------------------------- */

static void put_name(struct outbuf *b, const struct symbols_frame *f, uint64_t ip)
{
	if (!f->name) {
		put_address(b, ip);
		return;
	}
	outbuf_puts(b, f->name);
	if (f->inlined)
		return;
	outbuf_putc(b, '+');
	outbuf_u64(b, f->offset);
}

/* "        name+12@/src/file.c:34"; an inlined function has no address of its own. */
static void put_plain(struct output *o, struct outbuf *b, const struct symbols_frame *f,
		      uint64_t ip)
{
	outbuf_pad(b, ' ', o->compact ? 0 : INDENT);
	if (f->inlined)
		outbuf_puts(b, "[inlined] ");
	put_name(b, f, ip);
	if (f->file) {
		outbuf_putc(b, '@');
		outbuf_puts(b, f->file);
		outbuf_putc(b, ':');
		outbuf_u64(b, f->line);
	}
	outbuf_putc(b, '\n');
}

/* As perf script does: "\taddress name+12 (module)". */
static void put_perf(struct outbuf *b, const struct symbols_frame *f, uint64_t ip, bool user)
{
	outbuf_putc(b, '\t');
	outbuf_hex(b, ip);
	outbuf_putc(b, ' ');
	put_name(b, f, ip);
	if (f->inlined) {
		outbuf_puts(b, " (inlined)");
	} else if (user) {
		outbuf_puts(b, " (");
		outbuf_puts(b, f->module ? f->module : "[unknown]");
		outbuf_putc(b, ')');
	}
	outbuf_putc(b, '\n');
}

static void put_frame(struct output *o, struct outbuf *b, const struct image_type *t, int pid,
		      uint64_t ip, bool is_return)
{
	bool user = t->kind == IMAGE_K_USTACK;
	struct symbols_frame frames[MAX_INLINED];
	size_t n;

	if (t->arg[1] == IMAGE_STACK_RAW) {
		outbuf_hex(b, ip);
		outbuf_putc(b, '\n');
		return;
	}
	if (ip == UINT64_MAX) {
		outbuf_pad(b, ' ', o->compact ? 0 : INDENT);
		outbuf_puts(b, "<unwind failure>\n");
		return;
	}
	n = user ? symbols_user_frames(o->sym, pid, ip, is_return, frames, MAX_INLINED)
		 : symbols_kernel_frames(o->sym, ip, is_return, frames, MAX_INLINED);
	for (size_t i = 0; i < n; i++) {
		if (t->arg[1] == IMAGE_STACK_PERF)
			put_perf(b, &frames[i], ip, user);
		else
			put_plain(o, b, &frames[i], ip);
	}
}

/* "build id 0xoffset", or the address where the file had none. */
static void put_build_id(struct outbuf *b, const struct bpf_stack_build_id *f)
{
	static const char hex[] = "0123456789abcdef";

	if (f->status == BPF_STACK_BUILD_ID_VALID) {
		for (size_t i = 0; i < sizeof(f->build_id); i++) {
			outbuf_putc(b, hex[f->build_id[i] >> 4]);
			outbuf_putc(b, hex[f->build_id[i] & 15]);
		}
		outbuf_putc(b, ' ');
		put_address(b, f->offset);
	} else {
		outbuf_hex(b, f->ip);
	}
	outbuf_putc(b, '\n');
}

void stack_text(struct output *o, struct outbuf *b, const struct image_type *t, const void *value)
{
	int64_t id = load_int(value, 8, true);
	int pid = t->kind == IMAGE_K_USTACK ? load_int((const char *)value + 8, 4, true) : 0;
	int n = 0;

	outbuf_putc(b, '\n');
	if (id >= 0 && o->opts.stack && !o->unset)
		n = o->opts.stack(o->opts.stack_arg, t->elem, id, o->frames, sizeof(o->frames));
	if (n > t->arg[0])
		n = t->arg[0];
	for (int i = 0; i < n; i++) {
		if (t->arg[1] == IMAGE_STACK_BUILD_ID)
			put_build_id(b, (const struct bpf_stack_build_id *)o->frames + i);
		else
			put_frame(o, b, t, pid, o->frames[i], i > 0);
	}
}
