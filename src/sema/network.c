/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins about the network: ntop, pton, macaddr. */
#include <arpa/inet.h>
#include <string.h>

#include "internal.h"

/* Bytes that stand in memory one after the other. */
static bool is_bytes(const struct type *t)
{
	return t->kind == IMAGE_K_ARRAY || t->kind == IMAGE_K_STRING;
}

/* ntop([family,] address): an integer or four bytes are IPv4, sixteen are IPv6. */
struct type *sema_check_ntop(struct sema *s, struct ast_expr *e)
{
	size_t last = sema_nargs(e) - 1;
	bool ok = !last || sema_want_int(s, e, 0);
	struct type *t = sema_expr(s, sema_arg(e, last));

	if (!ok || !t)
		return NULL;
	if (!sema_is_number(t) && !is_bytes(t)) {
		sema_error(s, e->span, "ntop() expects an integer or array argument, got %s",
			   sema_kind_word(t));
		return NULL;
	}
	if (is_bytes(t) && t->size != 4 && t->size != 16) {
		sema_error(s, e->span, "ntop() argument must be 4 or 16 bytes in size");
		return NULL;
	}
	return type_simple(s->types, IMAGE_K_INET);
}

struct type *sema_check_pton(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = sema_arg(e, 0);
	unsigned char bytes[16];
	struct type *byte = type_int(s->types, 1, false);
	bool v6;

	sema_expr(s, x);
	if (!x->type)
		return NULL;
	if (!x->is_const || !x->const_str) {
		sema_error(s, e->span, "pton() expects an string literal at the first argument");
		return NULL;
	}
	v6 = strchr(x->const_str, ':');
	if (!v6 && !strchr(x->const_str, '.')) {
		sema_error(s, e->span,
			   "pton() expects an string argument of an IPv4/IPv6 address, got %s",
			   x->const_str);
		return NULL;
	}
	if (inet_pton(v6 ? AF_INET6 : AF_INET, x->const_str, bytes) != 1) {
		sema_error(s, e->span, "pton() expects a valid IPv4/IPv6 address, got %s",
			   x->const_str);
		return NULL;
	}
	return sema_in_space(s, type_array(s->types, byte, v6 ? 16 : 4), SPACE_BPF);
}

struct type *sema_check_macaddr(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = sema_arg(e, 0);
	struct type *t = sema_expr(s, x);

	if (!t)
		return NULL;
	if (x->is_const && x->const_str) {
		sema_error(s, e->span, "macaddr() does not support literal string arguments");
		return NULL;
	}
	if (!sema_is_number(t) && t->kind != IMAGE_K_POINTER && !is_bytes(t)) {
		sema_error(s, e->span,
			   "macaddr() only supports array or pointer arguments (%s provided)",
			   sema_kind_word(t));
		return NULL;
	}
	if (is_bytes(t) && t->size < 6) {
		sema_error(s, e->span, "macaddr() argument must be at least 6 bytes in size");
		return NULL;
	}
	return type_simple(s->types, IMAGE_K_MAC);
}
