/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins that act on the process in hand, or say how it runs. */
#include <string.h>

#include "internal.h"

static bool stands_in(const struct sema *s, const char *const *types)
{
	const char *name = s->work->prog->type->name;

	for (size_t i = 0; types[i]; i++)
		if (!strcmp(types[i], name))
			return true;
	return false;
}

static const char *probetype_of(const struct sema *s)
{
	const struct probe_type *t = s->work->prog->type;

	return t->flags & PROBE_SPECIAL ? "special" : t->name;
}

static bool is_safe_mode(struct sema *s, struct ast_expr *e)
{
	if (s->opts->unsafe)
		return false;
	sema_error(s, e->span, "%s() is unsafe. To use you need the --unsafe flag",
		   sema_builtin_name(e));
	return true;
}

/* ---- pid, tid --------------------------------------------------------------- */

/* pid(), pid(curr_ns), pid(init): in whose namespace it is counted. */
struct type *sema_check_pid(struct sema *s, struct ast_expr *e)
{
	struct type *t = type_int(s->types, 4, false);
	struct ast_expr *x;
	bool init;

	if (!sema_nargs(e))
		return t;
	x = sema_arg(e, 0);
	if (x->kind != AST_IDENT) {
		sema_error(s, e->span, "%s() only supports curr_ns and init as the argument",
			   sema_builtin_name(e));
		return NULL;
	}
	init = !strcmp(x->u.ident.name, "init");
	if (!init && strcmp(x->u.ident.name, "curr_ns")) {
		sema_error(s, x->span, "Invalid PID namespace mode: %s (expects: curr_ns or init)",
			   x->u.ident.name);
		return NULL;
	}
	sema_set_int(x, type_int(s->types, 8, false), init);
	return t;
}

/* ---- signals ------------------------------------------------------------------ */

static bool literal_signal(struct sema *s, struct ast_expr *e, struct ast_expr *x)
{
	int64_t number = (int64_t)x->const_int;
	const char *name = sema_builtin_name(e);

	if (x->const_str) {
		number = target_signal_number(x->const_str);
		if (number < 1)
			sema_error(s, e->span, "Invalid string for signal: %s", x->const_str);
	} else if (number < 1 || number > 64) {
		sema_error(s, e->span,
			   "%s() accepts a string literal or an integer between 1 and 64 "
			   "(inclusive)",
			   name);
	}
	if (number < 1 || number > 64)
		return false;
	sema_set_int(x, type_int(s->types, 4, false), (uint64_t)number);
	x->const_str = NULL;
	return true;
}

/* What is said when it goes wrong; the call keeps the second one, the first stands before it. */
static void add_complaints(struct sema *s, struct ast_expr *e, const struct ast_expr *sig)
{
	struct type *number = type_int(s->types, 8, true);
	struct sema_action a = {.kind = IMAGE_A_ERRORF,
				.payload = type_tuple(s->types, &number, 1)};

	if (!sig->is_const) {
		a.fmt = arena_printf(
			s->arena, "%s() expects an integer between 1 and 64 (inclusive). Got %%d",
			sema_builtin_name(e));
		sema_add_action(s, e, &a);
	}
	a.kind = IMAGE_A_WARNF;
	a.fmt = "signal call failed with error %d";
	sema_add_action(s, e, &a);
}

struct type *sema_check_signal(struct sema *s, struct ast_expr *e)
{
	static const char *const allowed[] = {"kprobe", "kretprobe",     "uprobe",  "uretprobe",
					      "usdt",   "tracepoint",    "profile", "fentry",
					      "fexit",  "rawtracepoint", NULL};
	struct ast_expr *x = sema_arg(e, 0);
	bool ok = true;

	sema_expr(s, x);
	if (!stands_in(s, allowed)) {
		sema_error(s, e->span, "%s() can not be used for this probetype %s",
			   sema_builtin_name(e), probetype_of(s));
		ok = false;
	}
	if (is_safe_mode(s, e) || !ok || !x->type)
		return NULL;
	if (x->is_const && !literal_signal(s, e, x))
		return NULL;
	if (!sema_is_number(x->type)) {
		sema_error(s, e->span, "%s() accepts a string literal or an integer",
			   sema_builtin_name(e));
		return NULL;
	}
	add_complaints(s, e, x);
	return type_simple(s->types, IMAGE_K_VOID);
}

/* ---- others --------------------------------------------------------------------- */

struct type *sema_check_override(struct sema *s, struct ast_expr *e)
{
	static const char *const allowed[] = {"kprobe", NULL};
	struct type *t = sema_expr(s, sema_arg(e, 0));

	if (!stands_in(s, allowed)) {
		sema_error(s, e->span, "override() can only be used inside kprobes");
		return NULL;
	}
	if (is_safe_mode(s, e) || !t)
		return NULL;
	if (!sema_is_number(t)) {
		sema_error(s, e->span, "override() only supports int arguments (%s provided)",
			   sema_kind_word(t));
		return NULL;
	}
	return type_simple(s->types, IMAGE_K_VOID);
}

/* write_user(to, from, bytes) */
struct type *sema_check_write_user(struct sema *s, struct ast_expr *e)
{
	struct type *to = sema_expr(s, sema_arg(e, 0)), *from = sema_expr(s, sema_arg(e, 1));
	bool size = sema_want_int(s, e, 2);

	if (is_safe_mode(s, e) || !to || !from || !size)
		return NULL;
	if (to->kind != IMAGE_K_POINTER && !sema_is_number(to)) {
		sema_error(s, e->span, "write_user() expects a pointer to write to (%s provided)",
			   sema_kind_word(to));
		return NULL;
	}
	return type_simple(s->types, IMAGE_K_BOOL);
}

struct type *sema_check_usermode(struct sema *s, struct ast_expr *e)
{
	const struct probe_type *type = s->work->prog->type;
	struct type *t = type_int(s->types, 1, false);

	/* begin and end run on behalf of this process; events of the kernel are not user mode */
	if (type->flags & PROBE_SPECIAL)
		sema_set_int(e, t, 1);
	else if (!sema_has_registers(s->work))
		sema_set_int(e, t, 0);
	return t;
}

bool sema_has_registers(const struct sema_work *w)
{
	switch (w->plain) {
	case IMAGE_AT_INTERVAL:
	case IMAGE_AT_PROFILE:
	case IMAGE_AT_SOFTWARE:
	case IMAGE_AT_HARDWARE:
	case IMAGE_AT_WATCHPOINT:
		return true;
	default:
		return w->prog->type->flags & PROBE_HAS_REGS;
	}
}

struct type *sema_check_ctx(struct sema *s, struct ast_expr *e)
{
	struct sema_work *w = s->work;
	struct type *to;

	if (w->plain == IMAGE_AT_TRACEPOINT) {
		sema_error(s, e->span, "Use args instead of ctx in tracepoint");
		return NULL;
	}
	if (!sema_has_registers(w) && !(w->prog->type->flags & PROBE_SPECIAL)) {
		sema_error(s, e->span, "The ctx builtin can not be used with '%s' probes",
			   w->prog->type->name);
		return NULL;
	}
	to = types_lookup(s->types, "struct",
			  w->prog->type->flags & PROBE_HAS_REGS ? "pt_regs"
								: "bpf_perf_event_data");
	return type_pointer(s->types, to, SPACE_CTX);
}
