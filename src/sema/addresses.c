/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins about memory and addresses: buf, kptr, uptr, kaddr, uaddr, bswap. */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* ---- buf ---------------------------------------------------------------- */

/* The bytes that a buf() may hold: what max_strlen says, less the word with the length. */
static uint32_t buf_max(const struct sema *s)
{
	uint64_t max = s->r->config.max_strlen;

	return max > 4 ? (uint32_t)max - 4 : 1;
}

static bool buf_length(struct sema *s, struct ast_expr *e, uint32_t *size)
{
	struct ast_expr *n = sema_arg(e, 1);

	if (!sema_want_int(s, e, 1))
		return false;
	if (!n->is_const)
		return true;
	if (n->type->is_signed && (int64_t)n->const_int < 0) {
		sema_error(s, e->span, "buf() cannot use negative length (%lld)",
			   (long long)n->const_int);
		return false;
	}
	if (n->const_int < *size)
		*size = (uint32_t)n->const_int;
	else if (n->const_int > *size)
		sema_warning(s, e->span,
			     "length param (%llu) is too long and will be shortened to %u bytes "
			     "(see BPFTRACE_MAX_STRLEN)",
			     (unsigned long long)n->const_int, *size);
	return true;
}

struct type *sema_check_buf(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_expr(s, sema_arg(e, 0));
	uint32_t size = buf_max(s);

	if (!t)
		return NULL;
	if (!sema_is_number(t) && t->kind != IMAGE_K_STRING && t->kind != IMAGE_K_POINTER &&
	    t->kind != IMAGE_K_ARRAY) {
		sema_error(s, e->span,
			   "buf() expects an integer, string, or array argument but saw %s",
			   sema_tn(s, t));
		return NULL;
	}
	if (sema_nargs(e) == 1 && t->kind != IMAGE_K_ARRAY) {
		sema_error(s, e->span, "buf() expects a length argument for non-array type %s",
			   sema_tn(s, t));
		return NULL;
	}
	if (sema_nargs(e) == 1 && t->size < size)
		size = t->size;
	if (sema_nargs(e) == 2 && !buf_length(s, e, &size))
		return NULL;
	return type_buffer(s->types, size);
}

/* ---- address spaces ------------------------------------------------------ */

/* kptr(p), uptr(p): the same pointer, or number, of which it is now said where it points. */
static struct type *in_space(struct sema *s, struct ast_expr *e, enum type_space space)
{
	struct type *t = sema_expr(s, sema_arg(e, 0));

	if (!t)
		return NULL;
	if (t->kind == IMAGE_K_POINTER)
		return type_pointer(s->types, t->elem, space);
	if (!sema_is_number(t)) {
		sema_error(s, e->span,
			   "%s() only supports integer or pointer arguments (%s provided)",
			   sema_builtin_name(e), sema_kind_word(t));
		return NULL;
	}
	t = type_copy(s->types, t);
	t->is_literal = false;
	t->space = space;
	return t;
}

struct type *sema_check_kptr(struct sema *s, struct ast_expr *e)
{
	return in_space(s, e, SPACE_KERNEL);
}

struct type *sema_check_uptr(struct sema *s, struct ast_expr *e)
{
	return in_space(s, e, SPACE_USER);
}

/* ---- numbers -------------------------------------------------------------- */

struct type *sema_check_bswap(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = sema_arg(e, 0);
	struct type *t = sema_expr(s, x), *result;
	uint64_t v = 0;

	if (!t)
		return NULL;
	if (!sema_is_number(t)) {
		sema_error(s, e->span, "bswap() only supports integer arguments (%s provided)",
			   sema_kind_word(t));
		return NULL;
	}
	result = type_int(s->types, t->size, false);
	if (!x->is_const)
		return result;
	for (uint32_t i = 0; i < t->size; i++)
		v = v << 8 | (x->const_int >> (8 * i) & 0xff);
	sema_set_int(e, result, v);
	return result;
}

/* ---- addresses of symbols ---------------------------------------------------- */

/* A number that points into the kernel. */
static struct type *kernel_address(struct sema *s)
{
	struct type *t = type_copy(s->types, type_int(s->types, 8, false));

	t->space = SPACE_KERNEL;
	return t;
}

static bool is_kernel_symbol(struct sema *s, struct ast_expr *e)
{
	const char *name;
	int n;

	if (!sema_want_string_literal(s, e, 0))
		return false;
	if (!s->report) /* looked for once */
		return true;
	name = sema_arg(e, 0)->const_str;
	n = target_kernel_symbol(s->target, name);
	if (n == 0)
		sema_error(s, e->span, "Failed to resolve kernel symbol: %s", name);
	else if (n > 1)
		sema_error(s, e->span, "Kernel symbol %s stands for several addresses", name);
	return n == 1 || n < 0;
}

struct type *sema_check_kaddr(struct sema *s, struct ast_expr *e)
{
	return is_kernel_symbol(s, e) ? kernel_address(s) : NULL;
}

struct type *sema_check_percpu_kaddr(struct sema *s, struct ast_expr *e)
{
	bool cpu = sema_nargs(e) < 2 || sema_want_int(s, e, 1);

	return is_kernel_symbol(s, e) && cpu ? kernel_address(s) : NULL;
}

/* ---- uaddr ---------------------------------------------------------------------- */

static const struct sema_user_symbol *user_symbol(struct sema *s, struct ast_expr *e,
						  const char *name)
{
	struct sema_program *p = s->work->prog;
	const struct sema_attachment *at = &p->attachments.items[0];
	struct sema_user_symbol found = {.name = name};
	int err;

	for (size_t i = 0; i < p->user_symbols.len; i++)
		if (!strcmp(p->user_symbols.items[i].name, name))
			return &p->user_symbols.items[i];
	err = probe_user_symbol(at->target, (uint64_t)at->arg[0], name, &found.sym);
	if (err) {
		sema_error(s, e->span, "Could not resolve symbol: %s:%s%s%s", at->target, name,
			   err == -ENOENT ? "" : ": ", err == -ENOENT ? "" : strerror(-err));
		return NULL;
	}
	vec_push(s->arena, &p->user_symbols, found);
	return &p->user_symbols.items[p->user_symbols.len - 1];
}

struct type *sema_check_uaddr(struct sema *s, struct ast_expr *e)
{
	const struct sema_user_symbol *sym;
	enum image_attach_kind kind = s->work->plain;
	unsigned size;

	if (!sema_want_string_literal(s, e, 0))
		return NULL;
	if (kind != IMAGE_AT_UPROBE && kind != IMAGE_AT_URETPROBE && kind != IMAGE_AT_USDT) {
		sema_error(s, e->span, "uaddr can not be used with \"%s\" probes",
			   s->work->prog->type->name);
		return NULL;
	}
	sym = user_symbol(s, e, sema_arg(e, 0)->const_str);
	if (!sym)
		return NULL;
	if (sym->sym.relative && s->work->prog->attachments.len > 1) {
		sema_error(
			s, e->span,
			"uaddr() of a position-independent file needs a probe that stands in one "
			"place; this one stands in %zu",
			s->work->prog->attachments.len);
		return NULL;
	}
	if (kind == IMAGE_AT_URETPROBE && sym->sym.relative &&
	    !target_has(s->target, TARGET_F_UPROBE_FUNC_IP)) {
		sema_error(s, e->span,
			   "uaddr() of a position-independent file needs a kernel feature in "
			   "uretprobes that is not here: %s (%s)",
			   target_feature_name(TARGET_F_UPROBE_FUNC_IP),
			   target_feature_since(TARGET_F_UPROBE_FUNC_IP));
		return NULL;
	}
	size = sym->sym.size == 1 || sym->sym.size == 2 || sym->sym.size == 4
		       ? (unsigned)sym->sym.size
		       : 8;
	return type_pointer(s->types, type_int(s->types, size, false), SPACE_USER);
}

/* ---- what takes the kernel's own pointers ------------------------------------------- */

static bool is_struct_pointer(const struct type *t, const char *name)
{
	return t->kind == IMAGE_K_POINTER && t->elem && t->elem->kind == IMAGE_K_STRUCT &&
	       t->elem->name && !strcmp(t->elem->name, name);
}

struct type *sema_check_path(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_expr(s, sema_arg(e, 0));
	enum image_attach_kind kind = s->work->plain;
	uint64_t size = s->r->config.max_strlen;

	if (kind != IMAGE_AT_FENTRY && kind != IMAGE_AT_FEXIT && kind != IMAGE_AT_ITER) {
		sema_error(s, e->span,
			   "The path function can only be used with 'fentry', 'fexit', 'iter' "
			   "probes");
		return NULL;
	}
	if (sema_nargs(e) == 2) {
		struct ast_expr *n = sema_arg(e, 1);

		if (!sema_expr(s, n))
			return NULL;
		if (!n->is_const || !sema_is_number(n->type) || (int64_t)n->const_int < 1) {
			sema_error(s, e->span,
				   "path: invalid size value, need non-negative literal");
			return NULL;
		}
		if (n->const_int < size)
			size = n->const_int;
	}
	if (!t)
		return NULL;
	if (t->kind != IMAGE_K_POINTER && t->kind != IMAGE_K_STRUCT) {
		sema_error(s, e->span,
			   "path() only supports pointer or C type argument (%s provided)",
			   sema_kind_word(t));
		return NULL;
	}
	return type_string(s->types, (uint32_t)size);
}

/* Raw tracepoints are then loaded so that the verifier knows their arguments' types. */
bool sema_wants_typed_args(struct sema *s, struct ast_expr *e)
{
	struct sema_program *p = s->work->prog;

	switch (s->work->plain) {
	case IMAGE_AT_FENTRY:
	case IMAGE_AT_FEXIT:
	case IMAGE_AT_ITER:
		return true;
	case IMAGE_AT_RAW_TP:
		p->attach = IMAGE_AT_BTF_TP;
		return true;
	default:
		sema_error(s, e->span, "%s can not be used with \"%s\" probes",
			   sema_builtin_name(e), p->type->name);
		return false;
	}
}

struct type *sema_check_socket_cookie(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_expr(s, sema_arg(e, 0));

	if (!sema_wants_typed_args(s, e) || !t)
		return NULL;
	if (!is_struct_pointer(t, "sock")) {
		sema_error(s, e->span,
			   "socket_cookie() only supports 'struct sock *' as the argument (%s "
			   "provided)",
			   t->kind == IMAGE_K_POINTER ? sema_tn(s, t) : sema_kind_word(t));
		return NULL;
	}
	return type_int(s->types, 8, false);
}

/* skboutput(file, skb, length, offset) */
struct type *sema_check_skboutput(struct sema *s, struct ast_expr *e)
{
	struct sema_action a = {.kind = IMAGE_A_SKBOUTPUT};
	bool file = sema_want_string_literal(s, e, 0);
	struct type *t = sema_expr(s, sema_arg(e, 1));
	bool numbers = sema_want_int(s, e, 2) & sema_want_int(s, e, 3);

	if (!sema_wants_typed_args(s, e) || !file || !t || !numbers)
		return NULL;
	if (t->kind != IMAGE_K_POINTER) {
		sema_error(s, e->span, "skboutput() only supports pointer arguments (%s provided)",
			   sema_kind_word(t));
		return NULL;
	}
	a.fmt = sema_arg(e, 0)->const_str;
	sema_add_action(s, e, &a);
	return type_int(s->types, 4, false);
}
