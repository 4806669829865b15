/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Iterators that are pinned: when somebody reads the file we are gone, so that the kernel has to
 * put the text together.
 */
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

#define MAX_ARGS 12 /* of bpf_seq_printf() */
#define MAX_TEXT 256

bool cg_is_pinned(const struct codegen *cg)
{
	const struct sema_program *p = cg->prog;

	return p->attach == IMAGE_AT_ITER && p->attachments.len &&
	       strchr(p->attachments.items[0].target, ':');
}

/* ctx->meta->seq */
LLVMValueRef cg_seq_file(struct codegen *cg)
{
	LLVMValueRef meta = cg_load_volatile(cg, cg->i64, cg->ctx_arg);

	return cg_load_volatile(cg, cg->i64, cg_to_ptr(cg, meta));
}

/* ---- the format as the kernel takes it -------------------------------------------- */

struct kernel_format {
	char text[MAX_TEXT];
	size_t len;
	size_t nargs;
	const char *refused; /* the conversion that it has not */
};

static void put(struct kernel_format *k, const char *s, size_t n)
{
	if (k->len + n >= sizeof(k->text))
		k->refused = "as long as this";
	else
		memcpy(k->text + k->len, s, n);
	k->len += n;
}

/* A conversion at @p ("%-16s"); returns its end. All numbers are 64 bits wide. */
static const char *put_conversion(struct kernel_format *k, const char *p, const struct type *t)
{
	size_t width = 1 + strspn(p + 1, "-+ #0123456789");
	const char *c = p + width + strspn(p + width, "hlLjzt");
	bool number = t && cg_is_scalar(t);

	put(k, p, width);
	if (number && strchr("diuxX", *c)) {
		put(k, "ll", 2);
		put(k, *c == 'i' ? "d" : c, 1);
	} else if (number && *c == 'p') {
		put(k, "llx", 3);
	} else if (!number && *c == 's' && t && t->kind == IMAGE_K_STRING) {
		put(k, c, 1);
	} else {
		k->refused = p;
	}
	k->nargs++;
	return *c ? c + 1 : c;
}

static void translate(struct kernel_format *k, const struct sema_action *a)
{
	const char *p = a->fmt;

	while (*p && !k->refused) {
		size_t text = strcspn(p, "%");

		put(k, p, text);
		p += text;
		if (p[0] == '%' && p[1] == '%') {
			put(k, p, 2);
			p += 2;
		} else if (*p && a->payload && k->nargs < a->payload->fields.len) {
			p = put_conversion(k, p, a->payload->fields.items[k->nargs].type);
		} else if (*p) {
			k->refused = p;
		}
	}
	if (k->nargs > MAX_ARGS)
		k->refused = "of so many arguments";
}

/* ---- the call ----------------------------------------------------------------------- */

static LLVMValueRef argument(struct codegen *cg, struct ast_expr *e)
{
	if (cg_is_scalar(e->type))
		return cg_expr64(cg, e);
	return cg_to_int(cg, cg_expr_addr(cg, e));
}

void cg_seq_printf(struct codegen *cg, struct ast_expr *e)
{
	const struct sema_action *a = e->u.call.action;
	struct kernel_format k = {0};
	LLVMValueRef data, text;

	translate(&k, a);
	if (k.refused) {
		cg_fail(cg, e->span,
			"the kernel, which prints for a pinned iterator, knows no format %.16s",
			k.refused);
		return;
	}
	text = cg_temp(cg, (k.len + 8) & ~7u, "format");
	cg_store_bytes(cg, text, k.text, k.len, (k.len + 8) & ~7u);
	data = cg_alloca_bytes(cg, k.nargs ? 8 * k.nargs : 8, "arguments");
	for (size_t i = 0; i < k.nargs; i++)
		cg_store(cg, argument(cg, e->u.call.args.items[i + 1]), cg_offset(cg, data, 8 * i));
	LLVMValueRef none = cg_const(cg, cg->i64, 0);
	LLVMValueRef args[] = {cg_seq_file(cg), text, cg_const(cg, cg->i32, k.len + 1),
			       k.nargs ? data : none, cg_const(cg, cg->i32, 8 * k.nargs)};
	cg_helper(cg, BPF_FUNC_seq_printf, args, 5);
}
