/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the builtins whose value is shown as a name or a date: strftime, username,
 * cgroup_path; and of those that make text of a number: strerror, signal_name, syscall_name.
 */
#include <string.h>

#include "internal.h"

struct type *sema_check_strftime(struct sema *s, struct ast_expr *e)
{
	bool fmt = sema_want_string_literal(s, e, 0);
	struct ast_expr *ns = sema_arg(e, 1);
	struct type *t;

	if (!sema_want_int(s, e, 1) || !fmt)
		return NULL;
	if (ns->type->kind == IMAGE_K_INT && ns->type->arg[0] == IMAGE_CLOCK_MONOTONIC) {
		sema_error(s, e->span, "strftime() can not take a monotonic timestamp");
		return NULL;
	}
	if (ns->is_const && ns->type->is_signed && (int64_t)ns->const_int < 0) {
		sema_error(s, e->span, "strftime() does not accept negative timestamps");
		return NULL;
	}
	t = type_copy(s->types, type_simple(s->types, IMAGE_K_TIMESTAMP));
	t->name = sema_arg(e, 0)->const_str;
	t->arg[0] = ns->type->kind == IMAGE_K_INT ? ns->type->arg[0] : IMAGE_CLOCK_BOOT;
	return t;
}

/* ---- the machine's state when it is shown ----------------------------------- */

struct type *sema_check_loadavg(struct sema *s, struct ast_expr *e)
{
	(void)e;
	return type_simple(s->types, IMAGE_K_LOADAVG);
}

/* meminfo(name), meminfo(name, divisor) */
struct type *sema_check_meminfo(struct sema *s, struct ast_expr *e)
{
	struct type *t;
	int64_t divisor = 1;

	if (!sema_want_string_literal(s, e, 0) ||
	    (sema_nargs(e) == 2 && !sema_want_int_literal(s, e, 1)))
		return NULL;
	if (sema_nargs(e) == 2)
		divisor = (int64_t)sema_arg(e, 1)->const_int;
	if (divisor < 1) {
		sema_error(s, e->span, "meminfo() divides by a positive number (%lld provided)",
			   (long long)divisor);
		return NULL;
	}
	t = type_copy(s->types, type_simple(s->types, IMAGE_K_MEMINFO));
	t->name = sema_arg(e, 0)->const_str;
	t->arg[0] = divisor;
	return t;
}

/* ---- users --------------------------------------------------------------------- */

struct type *sema_check_username(struct sema *s, struct ast_expr *e)
{
	(void)e;
	return type_simple(s->types, IMAGE_K_USERNAME);
}

/* ---- control groups -------------------------------------------------------- */

struct type *sema_check_cgroupid(struct sema *s, struct ast_expr *e)
{
	uint64_t id;
	int err;

	if (!sema_want_string_literal(s, e, 0))
		return NULL;
	err = target_cgroup_id(s->target, sema_arg(e, 0)->const_str, &id);
	if (err) {
		sema_error(s, e->span, "Failed to get cgroup id of \"%s\": %s",
			   sema_arg(e, 0)->const_str, strerror(-err));
		return NULL;
	}
	sema_set_int(e, type_int(s->types, 8, false), id);
	return e->type;
}

struct type *sema_check_cgroup_path(struct sema *s, struct ast_expr *e)
{
	bool id = sema_want_int(s, e, 0);
	struct type *t = type_simple(s->types, IMAGE_K_CGROUP_PATH);

	if (sema_nargs(e) == 2) {
		if (!sema_want_string_literal(s, e, 1))
			return NULL;
		t = type_copy(s->types, t);
		t->name = sema_arg(e, 1)->const_str;
	}
	return id ? t : NULL;
}

/* ---- numbers to text -------------------------------------------------------- */

static struct type *name_of(struct sema *s, struct ast_expr *e, enum target_names which)
{
	struct ast_expr *x = sema_arg(e, 0);

	if (!sema_want_int(s, e, 0))
		return NULL;
	if (x->is_const)
		sema_set_string(s, e, target_number_name(which, (int64_t)x->const_int));
	return type_string(s->types, TARGET_NAME_MAX + 1);
}

struct type *sema_check_strerror(struct sema *s, struct ast_expr *e)
{
	return name_of(s, e, TARGET_NAMES_ERRORS);
}

struct type *sema_check_signal_name(struct sema *s, struct ast_expr *e)
{
	return name_of(s, e, TARGET_NAMES_SIGNALS);
}

struct type *sema_check_syscall_name(struct sema *s, struct ast_expr *e)
{
	return name_of(s, e, TARGET_NAMES_SYSCALLS);
}
