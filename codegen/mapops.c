/* SPDX-License-Identifier: Apache-2.0 */
/* Maps: look up, assign, change in place, delete. */
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/libbpf.h>

#include "codegen/cg.h"

#define HELPER_LOOKUP_PERCPU 195 /* bpf_map_lookup_percpu_elem, Linux 5.18 */

static bool is_scalar_map(const struct sema_map *m)
{
	return !m->key;
}

/* A keyless map that is assigned to says in a word before its value that it was. */
uint32_t cg_map_value_off(const struct sema_map *m)
{
	return is_scalar_map(m) && !type_is_aggregation(m->value) ? 8 : 0;
}

static uint32_t slot_size(const struct sema_map *m)
{
	return (cg_map_value_off(m) + m->value->size + 7) & ~7u;
}

/* ---- keys ---------------------------------------------------------------------- */

LLVMValueRef cg_key_from(struct codegen *cg, const struct sema_map *m, struct ast_expr *key)
{
	LLVMValueRef p;

	if (is_scalar_map(m)) {
		p = cg_alloca(cg, cg->i32, "key0");
		cg_store(cg, cg_const(cg, cg->i32, 0), p);
		return p;
	}
	p = cg_temp(cg, m->key->size, "key");
	cg_expr_into(cg, key, p, m->key);
	return p;
}

LLVMValueRef cg_map_key(struct codegen *cg, struct ast_expr *map)
{
	return cg_key_from(cg, map->u.map.decl, map->u.map.key);
}

LLVMValueRef cg_map_lookup(struct codegen *cg, const struct sema_map *m, LLVMValueRef key)
{
	LLVMValueRef args[] = {cg_script_map(cg, m)->var, key};

	return cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_map_lookup_elem, args, 2));
}

/* Likewise for a key of the script's: with -k it is told when it is missing. */
static LLVMValueRef find(struct codegen *cg, struct ast_expr *e)
{
	const struct sema_map *m = e->u.map.decl;
	LLVMValueRef p = cg_map_lookup(cg, m, cg_map_key(cg, e));

	cg_tell_failure(cg, BPF_FUNC_map_lookup_elem, p);
	return p;
}

/* ---- reading --------------------------------------------------------------------- */

LLVMValueRef cg_map_read_scalar(struct codegen *cg, struct ast_expr *e)
{
	const struct sema_map *m = e->u.map.decl;
	LLVMTypeRef t = cg_type(cg, m->value);
	LLVMValueRef p = find(cg, e);
	LLVMBasicBlockRef from = LLVMGetInsertBlock(cg->b), found = cg_block(cg, "found"),
			  done = cg_block(cg, "read");

	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), done, found);
	cg_at(cg, found);
	LLVMValueRef v = cg_load(cg, t, cg_offset(cg, p, cg_map_value_off(m)));
	cg_goto(cg, done);
	cg_at(cg, done);

	LLVMValueRef phi = LLVMBuildPhi(cg->b, t, ""), zero = LLVMConstNull(t);
	LLVMAddIncoming(phi, &v, &found, 1);
	LLVMAddIncoming(phi, &zero, &from, 1);
	return cg_int_cast(cg, phi, m->value->is_signed, cg_type(cg, e->type));
}

void cg_map_read_into(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst,
		      const struct type *to)
{
	const struct sema_map *m = e->u.map.decl;
	LLVMValueRef p = find(cg, e);
	LLVMBasicBlockRef found = cg_block(cg, "found"), missing = cg_block(cg, "missing"),
			  done = cg_block(cg, "read");

	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), missing, found);
	cg_at(cg, found);
	cg_convert(cg, cg_offset(cg, p, cg_map_value_off(m)), m->value, dst, to);
	cg_goto(cg, done);
	cg_at(cg, missing);
	cg_zero(cg, dst, to->size);
	cg_goto(cg, done);
	cg_at(cg, done);
}

/* ---- writing ---------------------------------------------------------------------- */

static LLVMValueRef update_elem(struct codegen *cg, const struct sema_map *m, LLVMValueRef key,
				LLVMValueRef value, uint64_t flags)
{
	LLVMValueRef args[] = {cg_script_map(cg, m)->var, key, value, cg_const(cg, cg->i64, flags)};

	/* before 6.4, a map's function that is called directly leaves the upper half clear */
	LLVMValueRef r = cg_helper(cg, BPF_FUNC_map_update_elem, args, 4);
	return cg_int_cast(cg, LLVMBuildTrunc(cg->b, r, cg->i32, ""), true, cg->i64);
}

/* Goes on in a fresh block whether or not @result is an error, which is counted. */
static void count_failed_update(struct codegen *cg, LLVMValueRef result)
{
	LLVMBasicBlockRef lost = cg_block(cg, "map_full"), done = cg_block(cg, "updated");
	LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(result));

	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntSLT, result, zero, ""), lost, done);
	cg_at(cg, lost);
	cg_control_count(cg, offsetof(struct image_control, lost_updates));
	cg_goto(cg, done);
	cg_at(cg, done);
}

static void mark_set(struct codegen *cg, const struct sema_map *m, LLVMValueRef slot)
{
	if (cg_map_value_off(m))
		cg_store(cg, cg_const(cg, cg->i64, 1), slot);
}

LLVMValueRef cg_map_slot(struct codegen *cg, const struct sema_map *m, LLVMValueRef key,
			 LLVMBasicBlockRef done)
{
	LLVMBasicBlockRef make = cg_block(cg, "make"), lost = cg_block(cg, "map_full"),
			  have = cg_block(cg, "slot"), from;
	LLVMValueRef p = cg_map_lookup(cg, m, key), again = NULL;

	from = LLVMGetInsertBlock(cg->b);
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), make, have);
	cg_at(cg, make);
	if (is_scalar_map(m)) { /* an array's element always exists */
		cg_goto(cg, lost);
		make = NULL;
	} else {
		/* whoever comes second finds the element of whoever came first */
		update_elem(cg, m, key, cg_zeros(cg, slot_size(m)), BPF_NOEXIST);
		again = cg_map_lookup(cg, m, key);
		make = LLVMGetInsertBlock(cg->b);
		LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, again, ""), lost, have);
	}
	cg_at(cg, lost);
	cg_control_count(cg, offsetof(struct image_control, lost_updates));
	cg_goto(cg, done);
	cg_at(cg, have);
	if (!make)
		return p;
	LLVMValueRef phi = LLVMBuildPhi(cg->b, cg->ptr, "");
	LLVMAddIncoming(phi, &p, &from, 1);
	LLVMAddIncoming(phi, &again, &make, 1);
	return phi;
}

static void assign_scalar_map(struct codegen *cg, const struct sema_map *m, struct ast_expr *value)
{
	LLVMValueRef v = NULL, tmp = NULL;
	LLVMBasicBlockRef done = cg_block(cg, "assigned");

	/* the value first: it may read the very map that it is assigned to */
	if (cg_is_scalar(m->value)) {
		v = cg_expr_as(cg, value, m->value);
	} else {
		tmp = cg_temp(cg, m->value->size, "value");
		cg_expr_into(cg, value, tmp, m->value);
	}
	LLVMValueRef p = cg_map_slot(cg, m, cg_key_from(cg, m, NULL), done);
	LLVMValueRef at = cg_offset(cg, p, cg_map_value_off(m));
	if (v)
		cg_store(cg, v, at);
	else
		cg_copy(cg, at, tmp, m->value->size);
	mark_set(cg, m, p);
	cg_goto(cg, done);
	cg_at(cg, done);
}

void cg_map_assign(struct codegen *cg, struct ast_expr *map, struct ast_expr *value)
{
	const struct sema_map *m = map->u.map.decl;

	if (is_scalar_map(m)) {
		assign_scalar_map(cg, m, value);
		return;
	}
	LLVMValueRef key = cg_map_key(cg, map);
	LLVMValueRef tmp = cg_temp(cg, (m->value->size + 7) & ~7u, "value");
	/* a value shorter than its slot leaves no stray bytes behind it */
	if (m->value->size % 8 && cg_is_scalar(m->value))
		cg_zero(cg, tmp, 8);
	cg_expr_into(cg, value, tmp, m->value);
	count_failed_update(cg, update_elem(cg, m, key, tmp, BPF_ANY));
}

/* ---- changing in place --------------------------------------------------------------- */

/* Adds atomically where BPF can (4 and 8 bytes); returns the value before. */
static LLVMValueRef add_in_place(struct codegen *cg, const struct type *t, LLVMValueRef at,
				 LLVMValueRef by, bool want)
{
	if (t->size >= 4 && !want) {
		cg_atomic_add(cg, at, by);
		return NULL;
	}
	if (t->size >= 4 && target_has(cg->r->target, TARGET_F_CPU_V3))
		return LLVMBuildAtomicRMW(cg->b, LLVMAtomicRMWBinOpAdd, at, by,
					  LLVMAtomicOrderingSequentiallyConsistent, 0);
	LLVMValueRef old = cg_load(cg, cg_type(cg, t), at);
	cg_store(cg, LLVMBuildAdd(cg->b, old, by, ""), at);
	return old;
}

void cg_map_compound(struct codegen *cg, struct ast_expr *map, enum ast_binary_op op,
		     struct ast_expr *value, struct sema_action *warning)
{
	const struct sema_map *m = map->u.map.decl;
	LLVMValueRef v = cg_expr_as(cg, value, m->value);
	LLVMBasicBlockRef done = cg_block(cg, "changed");

	cg_warn_of_zero(cg, v, warning);
	if (cg_pointer_step(m->value) > 1)
		v = LLVMBuildMul(cg->b, v, cg_const(cg, cg->i64, cg_pointer_step(m->value)), "");
	LLVMValueRef p = cg_map_slot(cg, m, cg_map_key(cg, map), done);
	LLVMValueRef at = cg_offset(cg, p, cg_map_value_off(m));

	if (op == AST_ADD || op == AST_SUB) {
		if (op == AST_SUB)
			v = LLVMBuildNeg(cg->b, v, "");
		add_in_place(cg, m->value, at, v, false);
	} else {
		LLVMValueRef old = cg_load(cg, cg_type(cg, m->value), at);
		cg_store(cg, cg_arith(cg, op, old, v, m->value->is_signed), at);
	}
	mark_set(cg, m, p);
	cg_goto(cg, done);
	cg_at(cg, done);
}

LLVMValueRef cg_map_incdec(struct codegen *cg, struct ast_expr *e, bool want)
{
	const struct sema_map *m = e->u.incdec.e->u.map.decl;
	LLVMTypeRef t = cg_type(cg, m->value);
	LLVMBasicBlockRef done = cg_block(cg, "changed");
	uint64_t step = cg_pointer_step(m->value);
	LLVMValueRef by = LLVMConstInt(t, e->u.incdec.decrement ? -step : step, 1);
	LLVMValueRef result = cg_alloca(cg, cg->i64, "result");

	cg_store(cg, cg_const(cg, cg->i64, 0), result);
	LLVMValueRef p = cg_map_slot(cg, m, cg_map_key(cg, e->u.incdec.e), done);
	LLVMValueRef old =
		add_in_place(cg, m->value, cg_offset(cg, p, cg_map_value_off(m)), by, want);
	mark_set(cg, m, p);
	if (want) {
		LLVMValueRef v = e->u.incdec.prefix ? LLVMBuildAdd(cg->b, old, by, "") : old;
		cg_store(cg, cg_int_cast(cg, v, m->value->is_signed, cg->i64), result);
	}
	cg_goto(cg, done);
	cg_at(cg, done);
	if (!want)
		return NULL;
	return cg_int_cast(cg, cg_load(cg, cg->i64, result), true, cg_type(cg, e->type));
}

LLVMValueRef cg_map_delete(struct codegen *cg, const struct sema_map *m, LLVMValueRef key)
{
	if (is_scalar_map(m)) {
		LLVMBasicBlockRef done = cg_block(cg, "deleted");
		LLVMValueRef p = cg_map_slot(cg, m, key, done);

		cg_zero(cg, p, slot_size(m));
		cg_goto(cg, done);
		cg_at(cg, done);
		return cg_const(cg, cg->i1, 1);
	}
	LLVMValueRef args[] = {cg_script_map(cg, m)->var, key};
	LLVMValueRef r = cg_helper(cg, BPF_FUNC_map_delete_elem, args, 2);
	return LLVMBuildICmp(cg->b, LLVMIntEQ, r, LLVMConstNull(LLVMTypeOf(r)), "");
}

/* ---- an aggregation as a number ------------------------------------------------------- */

struct merge {
	LLVMValueRef total,
		count; /* slots: running value, how many (avg) or whether any (min, max) */
};

static void merge_cpu(struct codegen *cg, const struct type *t, struct merge *s, LLVMValueRef p)
{
	LLVMValueRef v = cg_load(cg, cg->i64, p), old = cg_load(cg, cg->i64, s->total);
	LLVMValueRef n, seen, better;

	switch (t->kind) {
	case IMAGE_K_MIN:
	case IMAGE_K_MAX:
		n = cg_truth(cg, cg_load(cg, cg->i64, cg_offset(cg, p, 8)));
		seen = cg_truth(cg, cg_load(cg, cg->i64, s->count));
		better = LLVMBuildICmp(cg->b,
				       t->kind == IMAGE_K_MIN
					       ? (t->is_signed ? LLVMIntSLT : LLVMIntULT)
					       : (t->is_signed ? LLVMIntSGT : LLVMIntUGT),
				       v, old, "");
		better = LLVMBuildOr(cg->b, better, LLVMBuildNot(cg->b, seen, ""), "");
		better = LLVMBuildAnd(cg->b, better, n, "");
		cg_store(cg, LLVMBuildSelect(cg->b, better, v, old, ""), s->total);
		n = LLVMBuildOr(cg->b, n, seen, "");
		cg_store(cg, LLVMBuildZExt(cg->b, n, cg->i64, ""), s->count);
		return;
	case IMAGE_K_AVG:
	case IMAGE_K_STATS:
		n = cg_load(cg, cg->i64, cg_offset(cg, p, 8));
		n = LLVMBuildAdd(cg->b, n, cg_load(cg, cg->i64, s->count), "");
		cg_store(cg, n, s->count);
		break;
	default:
		break;
	}
	cg_store(cg, LLVMBuildAdd(cg->b, v, old, ""), s->total);
}

static void merge_shared(struct codegen *cg, const struct sema_map *m, struct merge *s,
			 LLVMValueRef key)
{
	LLVMBasicBlockRef use = cg_block(cg, "value"), done = cg_block(cg, "merged");
	LLVMValueRef p = cg_map_lookup(cg, m, key);

	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), done, use);
	cg_at(cg, use);
	merge_cpu(cg, m->value, s, p);
	cg_goto(cg, done);
	cg_at(cg, done);
}

static void merge_all_cpus(struct codegen *cg, const struct sema_map *m, struct merge *s,
			   LLVMValueRef key)
{
	int ncpus = libbpf_num_possible_cpus();
	LLVMValueRef cpu = cg_alloca(cg, cg->i64, "cpu");
	LLVMBasicBlockRef body = cg_block(cg, "cpu"), use = cg_block(cg, "cpu_value"),
			  next = cg_block(cg, "cpu_next"), done = cg_block(cg, "merged");

	cg_store(cg, cg_const(cg, cg->i64, 0), cpu);
	cg_goto(cg, body);
	cg_at(cg, body);
	LLVMValueRef i = cg_load(cg, cg->i64, cpu);
	LLVMValueRef args[] = {cg_script_map(cg, m)->var, key, i};
	LLVMValueRef p = cg_to_ptr(cg, cg_helper(cg, HELPER_LOOKUP_PERCPU, args, 3));
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), next, use);
	cg_at(cg, use);
	merge_cpu(cg, m->value, s, p);
	cg_goto(cg, next);
	cg_at(cg, next);
	i = LLVMBuildAdd(cg->b, i, cg_const(cg, cg->i64, 1), "");
	cg_store(cg, i, cpu);
	LLVMBuildCondBr(cg->b,
			LLVMBuildICmp(cg->b, LLVMIntULT, i, cg_const(cg, cg->i64, ncpus), ""), body,
			done);
	cg_at(cg, done);
}

LLVMValueRef cg_aggregation_value(struct codegen *cg, struct ast_expr *map)
{
	return cg_aggregation_at(cg, map->u.map.decl, cg_map_key(cg, map));
}

LLVMValueRef cg_aggregation_at(struct codegen *cg, const struct sema_map *m, LLVMValueRef key)
{
	struct merge s = {cg_alloca(cg, cg->i64, "total"), cg_alloca(cg, cg->i64, "count")};

	cg_store(cg, cg_const(cg, cg->i64, 0), s.total);
	cg_store(cg, cg_const(cg, cg->i64, 0), s.count);
	if (m->percpu)
		merge_all_cpus(cg, m, &s, key);
	else
		merge_shared(cg, m, &s, key);

	LLVMValueRef total = cg_load(cg, cg->i64, s.total);
	if (m->value->kind != IMAGE_K_AVG && m->value->kind != IMAGE_K_STATS)
		return total;
	return cg_arith(cg, AST_DIV, total, cg_load(cg, cg->i64, s.count), m->value->is_signed);
}

/* ---- counting elements ------------------------------------------------------------------ */

/* long next_elem(map, key, value, ctx): go on */
static LLVMValueRef next_elem(struct codegen *cg)
{
	LLVMTypeRef params[] = {cg->ptr, cg->ptr, cg->ptr, cg->ptr};
	LLVMTypeRef type = LLVMFunctionType(cg->i64, params, 4, 0);
	LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b);
	LLVMMetadataRef where = LLVMGetCurrentDebugLocation2(cg->b), scope;
	LLVMValueRef fn;

	if (cg->next_elem)
		return cg->next_elem;
	fn = cg->next_elem = LLVMAddFunction(cg->mod, "next_elem", type);
	LLVMSetLinkage(fn, LLVMInternalLinkage);
	scope = cg_debug_subprogram(cg, fn, 0, true);
	cg_at(cg, LLVMAppendBasicBlockInContext(cg->ctx, fn, "entry"));
	LLVMSetCurrentDebugLocation2(cg->b,
				     LLVMDIBuilderCreateDebugLocation(cg->ctx, 0, 0, scope, NULL));
	LLVMBuildRet(cg->b, cg_const(cg, cg->i64, 0));
	cg_at(cg, here);
	LLVMSetCurrentDebugLocation2(cg->b, where);
	return fn;
}

/*
 * The helper tells how many elements it has passed. (A counter in the callback would be known to
 * the verifier, which then follows each of its values as soon as the length is compared.)
 */
LLVMValueRef cg_map_len(struct codegen *cg, const struct sema_map *m)
{
	LLVMValueRef zero = cg_const(cg, cg->i64, 0);
	LLVMValueRef args[] = {cg_script_map(cg, m)->var, next_elem(cg), zero, zero};
	LLVMValueRef n = cg_helper(cg, BPF_FUNC_for_each_map_elem, args, 4);
	LLVMValueRef failed = LLVMBuildICmp(cg->b, LLVMIntSLT, n, zero, "");

	return LLVMBuildSelect(cg->b, failed, zero, n, "");
}
