/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins by which a script complains: fail, and debugf for the kernel's log. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define DEBUGF_MAX_ARGS 3

/* ---- fail -------------------------------------------------------------------- */

static const char *literal_text(struct sema *s, const struct ast_expr *x)
{
	if (x->const_str)
		return x->const_str;
	if (x->type->kind == IMAGE_K_BOOL)
		return x->const_int ? "true" : "false";
	if (x->type->is_signed)
		return arena_printf(s->arena, "%" PRId64, (int64_t)x->const_int);
	return arena_printf(s->arena, "%" PRIu64, x->const_int);
}

/* A conversion of a literal, by the C library: the letter says as what. */
static const char *convert(struct sema *s, const char *spec, size_t len, const struct ast_expr *x)
{
	char letter = spec[len - 1];
	size_t flags = strspn(spec, "%-+ #0123456789.");
	const char *f;

	if (flags > 6) /* nobody needs a line that wide */
		flags = 1;
	if (letter == 's') {
		f = arena_printf(s->arena, "%.*ss", (int)flags, spec);
		return arena_printf(s->arena, f, literal_text(s, x));
	}
	if (x->const_str)
		return x->const_str;
	if (letter == 'c')
		return arena_printf(s->arena, "%c", (char)x->const_int);
	f = arena_printf(s->arena, "%.*sll%c", (int)flags, spec, letter == 'p' ? 'x' : letter);
	return arena_printf(s->arena, f, (long long)x->const_int);
}

static const char *fail_text(struct sema *s, struct ast_expr *e, const char *fmt)
{
	const char *text = "";
	size_t i = 1;

	while (*fmt) {
		size_t plain = strcspn(fmt, "%"), len;

		text = arena_printf(s->arena, "%s%.*s", text, (int)plain, fmt);
		fmt += plain;
		if (!*fmt)
			break;
		len = sema_conversion_length(fmt);
		if (!len || fmt[len - 1] == '%' || i >= sema_nargs(e)) {
			text = arena_printf(s->arena, "%s%%", text);
			fmt += len ? len : 1;
			continue;
		}
		text = arena_printf(s->arena, "%s%s", text, convert(s, fmt, len, sema_arg(e, i)));
		i++;
		fmt += len;
	}
	return text;
}

/* An error of the script, wherever its code is not known to be dead. */
struct type *sema_check_fail(struct sema *s, struct ast_expr *e)
{
	bool fmt = sema_want_string_literal(s, e, 0), ok = true;
	struct type *payload;

	for (size_t i = 1; i < sema_nargs(e); i++) {
		struct ast_expr *x = sema_arg(e, i);

		ok &= sema_expr(s, x) != NULL;
		if (x->type && !x->is_const) {
			sema_error(s, x->span, "fail() arguments need to be literals");
			ok = false;
		}
	}
	if (!fmt || !ok)
		return NULL;
	if (!sema_check_format(s, e, sema_arg(e, 0)->const_str, 1, &payload))
		return NULL;
	if (!s->include_dead) /* code that never runs does not fail */
		sema_error(s, e->span, "%s", fail_text(s, e, sema_arg(e, 0)->const_str));
	return type_simple(s->types, IMAGE_K_VOID);
}

/* ---- debugf -------------------------------------------------------------------- */

/* What bpf_trace_printk() knows: integers in three forms, addresses, strings. */
static bool kernel_prints(struct sema *s, struct ast_expr *e, const char *spec, size_t len,
			  struct ast_expr *x)
{
	char letter = spec[len - 1];

	if (!strchr("duxps", letter)) {
		sema_error(s, sema_arg(e, 0)->span, "Invalid format specifier for `debugf`: %c",
			   letter);
		return false;
	}
	if (letter == 's' ? x->type->kind != IMAGE_K_STRING
			  : !sema_is_number(x->type) && x->type->kind != IMAGE_K_POINTER) {
		sema_error(s, x->span, "Type does not match format specifier: %c", letter);
		return false;
	}
	return true;
}

static bool check_debugf(struct sema *s, struct ast_expr *e, const char *fmt)
{
	bool ok = true;
	size_t i = 1, len;

	for (; (fmt = strchr(fmt, '%')); fmt += len ? len : 1) {
		len = sema_conversion_length(fmt);
		if (len && fmt[len - 1] != '%' && i < sema_nargs(e)) {
			ok &= kernel_prints(s, e, fmt, len, sema_arg(e, i));
			i++;
		}
	}
	return ok;
}

struct type *sema_check_debugf(struct sema *s, struct ast_expr *e)
{
	bool fmt = sema_want_string_literal(s, e, 0), ok = true;
	struct type *payload;

	sema_warning(s, e->span,
		     "The debugf() builtin is not recommended for production use. For more "
		     "information see bpf_trace_printk in bpf-helpers(7).");
	for (size_t i = 1; i < sema_nargs(e); i++)
		ok &= sema_expr(s, sema_arg(e, i)) != NULL;
	if (sema_nargs(e) - 1 > DEBUGF_MAX_ARGS) {
		sema_error(s, e->span, "cannot use more than %d conversion specifiers",
			   DEBUGF_MAX_ARGS);
		return NULL;
	}
	if (!fmt || !ok || !sema_check_format(s, e, sema_arg(e, 0)->const_str, 1, &payload) ||
	    !check_debugf(s, e, sema_arg(e, 0)->const_str))
		return NULL;
	return type_simple(s->types, IMAGE_K_VOID);
}
