/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins about memory and addresses: buf, kptr, uptr, kaddr, bswap. */
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
