/* SPDX-License-Identifier: Apache-2.0 */
/* Emitters of the builtins that user space acts on: printf, print, exit, join and their like. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

struct payload {
	const struct type *type;
	struct ast_expr **args;
	size_t n;
	LLVMValueRef *scalars; /* evaluated before the record is reserved */
};

static void fill_tuple(struct codegen *cg, LLVMValueRef at, void *arg_)
{
	struct payload *p = arg_;
	bool was = cg->into_record;

	cg->into_record = true;
	for (size_t i = 0; i < p->n; i++) {
		const struct type_field *f = &p->type->fields.items[i];
		LLVMValueRef to = cg_offset(cg, at, f->offset);

		if (p->scalars[i])
			cg_store(cg, p->scalars[i], to);
		else
			cg_expr_into(cg, p->args[i], to, f->type);
	}
	cg->into_record = was;
}

/* Scalars first: their side effects happen even when the record finds no room. */
static void eval_scalars(struct codegen *cg, struct payload *p)
{
	p->scalars = arena_alloc(cg->arena, (p->n + 1) * sizeof(*p->scalars));
	for (size_t i = 0; i < p->n; i++)
		if (cg_is_scalar(p->type->fields.items[i].type))
			p->scalars[i] = cg_expr_as(cg, p->args[i], p->type->fields.items[i].type);
}

LLVMValueRef cg_emit_printf(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct sema_action *a = e->u.call.action;
	struct payload p = {a->payload, e->u.call.args.items + 1, e->u.call.args.len - 1, NULL};

	(void)dst;
	if (cg_is_pinned(cg)) {
		cg_seq_printf(cg, e);
		return NULL;
	}
	if (p.n)
		eval_scalars(cg, &p);
	cg_action(cg, a, p.n ? fill_tuple : NULL, &p);
	return NULL;
}

/* What columns need of the event; the rest is in the maps. */
LLVMValueRef cg_emit_rows(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct sema_action *a = e->u.call.action;
	struct payload p = {a->payload, a->table->sent.items, a->table->sent.len, NULL};

	(void)dst;
	if (p.n)
		eval_scalars(cg, &p);
	cg_action(cg, a, p.n ? fill_tuple : NULL, &p);
	return NULL;
}

static void fill_value(struct codegen *cg, LLVMValueRef at, void *arg_)
{
	struct payload *p = arg_;

	if (p->scalars[0])
		cg_store(cg, p->scalars[0], at);
	else
		cg_expr_into(cg, p->args[0], at, p->type);
}

static void print_value(struct codegen *cg, struct sema_action *a, struct ast_expr *v)
{
	LLVMValueRef scalar = NULL;
	struct payload p = {a->payload, &v, 1, &scalar};

	if (cg_is_scalar(a->payload))
		scalar = cg_expr_as(cg, v, a->payload);
	cg_action(cg, a, fill_value, &p);
}

/* print(@m[k]): the key goes along */
static void print_elem(struct codegen *cg, struct sema_action *a, struct ast_expr *map)
{
	struct ast_expr *args[] = {map->u.map.key, map};
	struct payload p = {a->payload, args, 2, NULL};

	eval_scalars(cg, &p);
	cg_action(cg, a, fill_tuple, &p);
}

LLVMValueRef cg_emit_print(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct sema_action *a = e->u.call.action;

	(void)dst;
	switch (a->kind) {
	case IMAGE_A_PRINT_VALUE:
		print_value(cg, a, cg_arg_of(e, 0));
		break;
	case IMAGE_A_PRINT_ELEM:
		print_elem(cg, a, cg_arg_of(e, 0));
		break;
	default:
		cg_action(cg, a, NULL, NULL);
		break;
	}
	return NULL;
}

LLVMValueRef cg_emit_map_op(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	cg_action(cg, e->u.call.action, NULL, NULL);
	return NULL;
}

LLVMValueRef cg_emit_time(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	return cg_emit_map_op(cg, e, dst);
}

/* Closes the gate here and now; user space is told, and finds the words even if it is not. */
LLVMValueRef cg_emit_exit(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef code =
		cg_arg_of(e, 0) ? cg_expr64(cg, cg_arg_of(e, 0)) : cg_const(cg, cg->i64, 0);

	(void)dst;
	cg_control_store(cg, offsetof(struct image_control, exit_code), code);
	cg_control_store(cg, offsetof(struct image_control, exiting), cg_const(cg, cg->i32, 1));
	if (cg->r->config.sync_probes)
		cg_control_store(cg, offsetof(struct image_control, active),
				 cg_const(cg, cg->i32, 0));
	cg_action(cg, e->u.call.action, NULL, NULL);
	cg_leave(cg);
	return NULL;
}

struct join {
	const struct type *type;
	LLVMValueRef array;
	enum type_space space;
};

/* A NULL-terminated array of strings, as far as the record has fields for them. */
static void fill_join(struct codegen *cg, LLVMValueRef at, void *arg_)
{
	struct join *j = arg_;
	LLVMBasicBlockRef done = cg_block(cg, "joined");

	cg_zero(cg, at, j->type->size);
	for (size_t i = 0; i < j->type->fields.len; i++) {
		const struct type_field *f = &j->type->fields.items[i];
		LLVMValueRef from = LLVMBuildAdd(cg->b, j->array, cg_const(cg, cg->i64, i * 8), "");
		LLVMValueRef tmp = cg_alloca(cg, cg->i64, "word");
		LLVMBasicBlockRef next = cg_block(cg, "join");

		cg_read(cg, tmp, 8, (struct cg_place){from, j->space});
		LLVMValueRef s = cg_load(cg, cg->i64, tmp);
		LLVMBuildCondBr(cg->b, cg_truth(cg, s), next, done);
		cg_at(cg, next);
		cg_read_str(cg, cg_offset(cg, at, f->offset), f->type->size, s, j->space);
	}
	cg_goto(cg, done);
	cg_at(cg, done);
}

LLVMValueRef cg_emit_join(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct sema_action *a = e->u.call.action;
	struct join j = {a->payload, cg_expr64(cg, cg_arg_of(e, 0)), cg_arg_of(e, 0)->type->space};

	(void)dst;
	cg_action(cg, a, fill_join, &j);
	return NULL;
}

/* ---- the kernel's log -------------------------------------------------------------- */

LLVMValueRef cg_emit_debugf(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	const char *fmt = cg_arg_of(e, 0)->const_str;
	uint32_t len = strlen(fmt) + 1;
	LLVMValueRef args[5] = {cg_temp(cg, len, "format"), cg_const(cg, cg->i32, len)};
	unsigned n = 2;

	(void)dst;
	for (; cg_arg_of(e, n - 1); n++) {
		struct ast_expr *x = cg_arg_of(e, n - 1);

		args[n] = cg_is_scalar(x->type) ? cg_expr64(cg, x)
						: cg_to_int(cg, cg_expr_addr(cg, x));
	}
	cg_store_bytes(cg, args[0], fmt, len, len);
	cg_helper(cg, BPF_FUNC_trace_printk, args, n);
	return NULL;
}
