/* SPDX-License-Identifier: Apache-2.0 */
/* Builtins: one emitter for each name in the last column of src/sema/builtins.def. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

/* ---- who and where ------------------------------------------------------------- */

LLVMValueRef cg_call0(struct codegen *cg, unsigned helper)
{
	return cg_helper(cg, helper, NULL, 0);
}

static LLVMValueRef low_half(struct codegen *cg, LLVMValueRef v, struct ast_expr *e)
{
	v = LLVMBuildTrunc(cg->b, v, cg->i32, "");
	return cg_int_cast(cg, v, false, cg_type(cg, e->type));
}

static LLVMValueRef high_half(struct codegen *cg, LLVMValueRef v, struct ast_expr *e)
{
	return low_half(cg, LLVMBuildLShr(cg->b, v, cg_const(cg, cg->i64, 32), ""), e);
}

LLVMValueRef cg_emit_uid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return low_half(cg, cg_call0(cg, BPF_FUNC_get_current_uid_gid), e);
}

LLVMValueRef cg_emit_gid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return high_half(cg, cg_call0(cg, BPF_FUNC_get_current_uid_gid), e);
}

LLVMValueRef cg_emit_comm(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef args[] = {dst, cg_const(cg, cg->i32, e->type->size)};

	/* some kernels (6.1 is one) leave what follows the name's end as it was: keys need it clear
	 */
	cg_zero(cg, dst, e->type->size);
	cg_helper(cg, BPF_FUNC_get_current_comm, args, 2);
	return NULL;
}

static LLVMValueRef simple(struct codegen *cg, struct ast_expr *e, unsigned helper)
{
	return cg_int_cast(cg, cg_call0(cg, helper), false, cg_type(cg, e->type));
}

LLVMValueRef cg_emit_cpu(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_smp_processor_id);
}

LLVMValueRef cg_emit_cpid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	LLVMValueRef v = cg_control_load(cg, cg->i64, offsetof(struct image_control, cpid));
	return cg_int_cast(cg, v, false, cg_type(cg, e->type));
}

LLVMValueRef cg_emit_curtask(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_current_task);
}

LLVMValueRef cg_emit_cgroup(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_current_cgroup_id);
}

LLVMValueRef cg_emit_username(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	return cg_emit_uid(cg, e, dst);
}

LLVMValueRef cg_emit_numaid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_numa_node_id);
}

LLVMValueRef cg_emit_rand(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_prandom_u32);
}

LLVMValueRef cg_emit_jiffies(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_jiffies64);
}

/* ---- when -------------------------------------------------------------------------- */

LLVMValueRef cg_nsecs(struct codegen *cg)
{
	return cg_call0(cg, target_has(cg->r->target, TARGET_F_BOOT_CLOCK)
				    ? BPF_FUNC_ktime_get_boot_ns
				    : BPF_FUNC_ktime_get_ns);
}

LLVMValueRef cg_tai_ns(struct codegen *cg)
{
	LLVMValueRef ahead =
		cg_control_load(cg, cg->i64, offsetof(struct image_control, tai_offset));

	return LLVMBuildAdd(cg->b, cg_nsecs(cg), ahead, "");
}

LLVMValueRef cg_emit_nsecs(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	const char *clock = NULL;

	(void)dst;
	if (e->kind == AST_CALL && e->u.call.args.len && e->u.call.args.items[0]->kind == AST_IDENT)
		clock = e->u.call.args.items[0]->u.ident.name;
	if (clock && !strcmp(clock, "monotonic"))
		return cg_call0(cg, BPF_FUNC_ktime_get_ns);
	if (clock && !strcmp(clock, "tai"))
		return cg_call0(cg, BPF_FUNC_ktime_get_tai_ns);
	if (clock && !strcmp(clock, "sw_tai"))
		return cg_tai_ns(cg);
	return cg_nsecs(cg);
}

/* Since the moment that the probes woke; 0 before it. */
LLVMValueRef cg_emit_elapsed(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst, (void)e;
	LLVMValueRef start = cg_control_load(cg, cg->i64, offsetof(struct image_control, start_ns));
	LLVMValueRef since = LLVMBuildSub(cg->b, cg_nsecs(cg), start, "");

	return LLVMBuildSelect(cg->b, cg_truth(cg, start), since, cg_const(cg, cg->i64, 0), "");
}
/* ---- values ----------------------------------------------------------------------------- */

LLVMValueRef cg_emit_str(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *from = cg_arg_of(e, 0), *len = cg_arg_of(e, 1);
	struct cg_place p;

	if (from->type->kind == IMAGE_K_STRING) { /* already one: str(comm) */
		cg_expr_into(cg, from, dst, e->type);
		return NULL;
	}
	if (cg_is_scalar(from->type))
		p = (struct cg_place){cg_expr64(cg, from), from->type->space};
	else
		p = cg_place_of(cg, from);
	bool dynamic = len && !len->is_const;
	if (!cg->into_record || dynamic)
		cg_zero(cg, dst, e->type->size);
	if (dynamic)
		cg_read_str_bounded(cg, dst, cg_expr64(cg, len), e->type->size, p);
	else
		cg_read_str(cg, dst, e->type->size, p.addr, p.space);
	return NULL;
}

LLVMValueRef cg_emit_disk_name(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return LLVMBuildTrunc(cg->b, cg_expr64(cg, cg_arg_of(e, 0)), cg->i32, "");
}

LLVMValueRef cg_emit_ksym(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return cg_expr64(cg, cg_arg_of(e, 0));
}

LLVMValueRef cg_emit_usym(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	cg_store_usym(cg, cg_expr64(cg, cg_arg_of(e, 0)), dst);
	return NULL;
}

LLVMValueRef cg_emit_strncmp(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef equal =
		cg_strings_equal(cg, cg_arg_of(e, 0), cg_arg_of(e, 1), cg_arg_of(e, 2)->const_int);

	(void)dst;
	return LLVMBuildZExt(cg->b, LLVMBuildNot(cg->b, equal, ""), cg_type(cg, e->type), "");
}

/* ---- maps ----------------------------------------------------------------------------------- */

/* f(@m, key), or the old f(@m[key]) */
static LLVMValueRef key_of(struct codegen *cg, struct ast_expr *e)
{
	struct ast_expr *map = cg_arg_of(e, 0);

	return cg_key_from(cg, map->u.map.decl, cg_arg_of(e, 1) ? cg_arg_of(e, 1) : map->u.map.key);
}

LLVMValueRef cg_emit_has_key(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef p = cg_map_lookup(cg, cg_arg_of(e, 0)->u.map.decl, key_of(cg, e));

	(void)dst;
	return LLVMBuildZExt(cg->b, LLVMBuildIsNotNull(cg->b, p, ""), cg_type(cg, e->type), "");
}

LLVMValueRef cg_emit_delete(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	if (e->u.call.action) { /* a whole map: done where clear() is done */
		cg_action(cg, e->u.call.action, NULL, NULL);
		return cg_const(cg, cg_type(cg, e->type), 1);
	}
	LLVMValueRef ok = cg_map_delete(cg, cg_arg_of(e, 0)->u.map.decl, key_of(cg, e));
	return LLVMBuildZExt(cg->b, ok, cg_type(cg, e->type), "");
}

LLVMValueRef cg_emit_len(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	if (cg_arg_of(e, 0)->type->kind == IMAGE_K_KSTACK ||
	    cg_arg_of(e, 0)->type->kind == IMAGE_K_USTACK)
		return cg_stack_len(cg, cg_arg_of(e, 0));
	if (!cg_needs(cg, TARGET_F_FOR_EACH_MAP, "len() of a map"))
		return cg_const(cg, cg->i64, 0);
	return cg_map_len(cg, cg_arg_of(e, 0)->u.map.decl);
}

/* Aggregations are reached through their assignment, constants never come here. */
static LLVMValueRef misplaced(struct codegen *cg, struct ast_expr *e)
{
	cg_fail(cg, e->span, "internal error: '%s' reached code generation",
		e->kind == AST_CALL ? e->u.call.name : e->u.ident.name);
	return cg_const(cg, cg->i64, 0);
}

#define MISPLACED(name)                                                                            \
	LLVMValueRef cg_emit_##name(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)      \
	{                                                                                          \
		(void)dst;                                                                         \
		return misplaced(cg, e);                                                           \
	}
MISPLACED(fold)
MISPLACED(aggregation)

static cg_emit_fn *const emitters[BUILTIN_COUNT_] = {
#define BUILTIN(id, name, flags, min, max, check, emit) [BUILTIN_##id] = cg_emit_##emit,
#include "sema/builtins.def"
#undef BUILTIN
};

LLVMValueRef cg_builtin(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	const struct builtin *b = e->kind == AST_CALL ? e->u.call.builtin : e->u.ident.builtin;

	return emitters[b->id](cg, e, dst);
}
