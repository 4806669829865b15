/* SPDX-License-Identifier: Apache-2.0 */
/* kstack and ustack: a mode, a depth, and a stack map for each depth in use. */
#include <string.h>

#include "internal.h"

static const char *const modes[] = {
	[IMAGE_STACK_BPFTRACE] = "bpftrace",
	[IMAGE_STACK_PERF] = "perf",
	[IMAGE_STACK_RAW] = "raw",
	[IMAGE_STACK_BUILD_ID] = "build_id",
};
#define NMODES (sizeof(modes) / sizeof(modes[0]))

static struct sema_stack_map *find_map(const struct sema *s, int64_t depth, int64_t mode)
{
	for (size_t i = 0; i < s->r->stacks.len; i++) {
		struct sema_stack_map *m = s->r->stacks.items[i];

		if (m->depth == depth && m->build_ids == (mode == IMAGE_STACK_BUILD_ID))
			return m;
	}
	return NULL;
}

static void use_map(struct sema *s, int64_t depth, int64_t mode)
{
	struct sema_stack_map *m = find_map(s, depth, mode);

	if (m)
		return;
	m = arena_new_of(s->arena, struct sema_stack_map);
	m->depth = (uint32_t)depth;
	m->build_ids = mode == IMAGE_STACK_BUILD_ID;
	m->elf_name = arena_printf(s->arena, m->build_ids ? "build_ids_%u" : "stack_%u", m->depth);
	vec_push(s->arena, &s->r->stacks, m);
}

static struct type *stack_type(struct sema *s, enum image_kind kind, int64_t depth, int64_t mode)
{
	struct type *t;

	for (size_t i = 0; i < s->stack_types.len; i++) {
		t = s->stack_types.items[i];
		if (t->kind == kind && t->arg[0] == depth && t->arg[1] == mode)
			return t;
	}
	t = type_copy(s->types, type_aggregation(s->types, kind, false, depth, mode, 0));
	vec_push(s->arena, &s->stack_types, t);
	return t;
}

static bool read_mode(struct sema *s, struct ast_expr *e, struct ast_expr *x, int64_t *mode)
{
	for (size_t i = 0; i < NMODES; i++) {
		if (strcmp(modes[i], x->u.ident.name))
			continue;
		*mode = (int64_t)i;
		sema_set_int(x, type_int(s->types, 8, false), i);
		return true;
	}
	sema_error(s, x->span,
		   "Error parsing stack mode: %s: Invalid value for stack_mode: valid values are "
		   "bpftrace, raw, perf, and build_id.",
		   sema_builtin_name(e));
	return false;
}

static bool read_depth(struct sema *s, struct ast_expr *e, struct ast_expr *x, int64_t *depth)
{
	sema_expr(s, x);
	if (!x->type)
		return false;
	if (!x->is_const || !sema_is_number(x->type) || (int64_t)x->const_int < 1) {
		sema_error(s, e->span, "%s: invalid limit value", sema_builtin_name(e));
		return false;
	}
	if (x->const_int > SEMA_STACK_MAX) {
		sema_error(s, e->span, "%s([int limit]): limit shouldn't exceed %d, %llu given",
			   sema_builtin_name(e), SEMA_STACK_MAX, (unsigned long long)x->const_int);
		return false;
	}
	*depth = (int64_t)x->const_int;
	return true;
}

static bool read_args(struct sema *s, struct ast_expr *e, int64_t *mode, int64_t *depth)
{
	size_t n = sema_nargs(e), i = 0;

	if (n && sema_arg(e, 0)->kind == AST_IDENT) {
		if (!read_mode(s, e, sema_arg(e, 0), mode))
			return false;
		i = 1;
	} else if (n == 2) {
		sema_error(s, e->span, "Expected stack mode as first argument");
		return false;
	}
	return i >= n || read_depth(s, e, sema_arg(e, i), depth);
}

void sema_remember_process(struct sema *s, struct ast_expr *e)
{
	struct sema_action *a;

	if (!s->report || s->fold_only || s->r->remember || !s->r->config.cache_user_symbols)
		return;
	a = arena_new_of(s->arena, struct sema_action);
	a->kind = IMAGE_A_REMEMBER;
	a->payload = type_int(s->types, 4, false);
	a->span = e->span;
	a->index = (uint32_t)s->r->actions.len;
	vec_push(s->arena, &s->r->actions, a);
	s->r->remember = a;
}

struct type *sema_check_stack(struct sema *s, struct ast_expr *e)
{
	bool kernel = !strcmp(sema_builtin_name(e), "kstack");
	int64_t mode = (int64_t)s->r->config.stack_mode, depth = SEMA_STACK_DEPTH;
	bool given;

	if (!read_args(s, e, &mode, &depth))
		return NULL;
	given = sema_nargs(e) && sema_arg(e, 0)->kind == AST_IDENT;
	if (kernel && mode == IMAGE_STACK_BUILD_ID) {
		if (given) {
			sema_error(s, e->span, "'build_id' stack mode can only be used for ustack");
			return NULL;
		}
		sema_warning(s, e->span,
			     "'build_id' stack mode can only be used for ustack. Falling back to "
			     "'raw' mode.");
		mode = IMAGE_STACK_RAW;
	}
	if (!s->fold_only)
		use_map(s, depth, mode);
	if (!kernel && (mode == IMAGE_STACK_BPFTRACE || mode == IMAGE_STACK_PERF))
		sema_remember_process(s, e);
	return stack_type(s, kernel ? IMAGE_K_KSTACK : IMAGE_K_USTACK, depth, mode);
}

/* Where a thread's registers lie is at the end of its kernel stack, where no helper says it. */
static uint64_t task_stack_off(struct sema *s)
{
	struct type *task = types_lookup(s->types, "struct", "task_struct");
	const struct type_field *f = NULL;

	if (task) {
		type_complete(s->types, task);
		f = type_find_field(s->types, task, "stack");
	}
	return f ? f->offset : 0;
}

#define NO_DATA                                                                                    \
	"No DWARF unwind data available for this process. "                                        \
	"Use -p or --dwarf-pid to specify target PIDs."

struct type *sema_check_dw_ustack(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_check_stack(s, e);

	if (!t)
		return NULL;
	if (t->arg[1] == IMAGE_STACK_BUILD_ID) {
		sema_error(s, e->span, "'build_id' stack mode can only be used for ustack");
		return NULL;
	}
	if (t->arg[0] > s->r->unwind_depth)
		s->r->unwind_depth = (uint32_t)t->arg[0];
	if (!s->r->task_stack_off)
		s->r->task_stack_off = task_stack_off(s);
	*(e->kind == AST_CALL ? &e->u.call.action : &e->u.ident.action) =
		sema_add_warning(s, e->span, NO_DATA);
	return t;
}

struct type *sema_check_stack_len(struct sema *s, struct ast_expr *e)
{
	struct type *t = sema_expr(s, sema_arg(e, 0));

	if (!t)
		return NULL;
	if (t->kind == IMAGE_K_KSTACK || t->kind == IMAGE_K_USTACK)
		return type_int(s->types, 8, true);
	sema_error(s, e->span, "stack_len() expects a ustack or kstack argument (%s provided)",
		   sema_kind_word(t));
	return NULL;
}

/* The stack maps' rows come after the script's maps. */
void sema_finish_stacks(struct sema *s)
{
	for (size_t i = 0; i < s->r->stacks.len; i++)
		s->r->stacks.items[i]->index = (uint32_t)(s->r->maps.len + i);
	for (size_t i = 0; i < s->stack_types.len; i++) {
		struct type *t = s->stack_types.items[i];
		const struct sema_stack_map *m = find_map(s, t->arg[0], t->arg[1]);

		if (m)
			t->count = m->index;
	}
}
