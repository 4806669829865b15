/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregations: a per-CPU value each, changed in place. Additions are atomic although the
 * value is this CPU's own: a program may be interrupted, or preempted, by another one that
 * adds to the same element.
 */
#include <stddef.h>
#include <string.h>

#include "codegen/cg.h"

struct cg_aggregate {
	const struct type *type;
	struct ast_expr *call;
	LLVMValueRef value; /* i64: the argument; NULL for count() */
	LLVMValueRef slot;
};

static void emit_add(struct codegen *cg, struct cg_aggregate *a)
{
	cg_atomic_add(cg, a->slot, a->value ? a->value : cg_const(cg, cg->i64, 1));
}

static void emit_average(struct codegen *cg, struct cg_aggregate *a)
{
	cg_atomic_add(cg, a->slot, a->value);
	cg_atomic_add(cg, cg_offset(cg, a->slot, 8), cg_const(cg, cg->i64, 1));
}

static void emit_minmax(struct codegen *cg, struct cg_aggregate *a)
{
	bool is_min = a->type->kind == IMAGE_K_MIN, is_signed = a->type->is_signed;
	LLVMIntPredicate pred = is_min ? (is_signed ? LLVMIntSLT : LLVMIntULT)
				       : (is_signed ? LLVMIntSGT : LLVMIntUGT);
	LLVMBasicBlockRef take = cg_block(cg, "take"), done = cg_block(cg, "compared");
	LLVMValueRef set = cg_truth(cg, cg_load(cg, cg->i64, cg_offset(cg, a->slot, 8)));
	LLVMValueRef old = cg_load(cg, cg->i64, a->slot);
	LLVMValueRef better = LLVMBuildICmp(cg->b, pred, a->value, old, "");

	better = LLVMBuildOr(cg->b, better, LLVMBuildNot(cg->b, set, ""), "");
	LLVMBuildCondBr(cg->b, better, take, done);
	cg_at(cg, take);
	cg_store(cg, a->value, a->slot);
	cg_store(cg, cg_const(cg, cg->i64, 1), cg_offset(cg, a->slot, 8));
	cg_goto(cg, done);
	cg_at(cg, done);
}

/* floor(log2(v)), v != 0, without branches: the processor could not predict them. */
static LLVMValueRef log2_of(struct codegen *cg, LLVMValueRef v)
{
	unsigned id = LLVMLookupIntrinsicID("llvm.ctlz", 9);
	LLVMValueRef fn = LLVMGetIntrinsicDeclaration(cg->mod, id, &cg->i64, 1);
	LLVMTypeRef type = LLVMIntrinsicGetType(cg->ctx, id, &cg->i64, 1);
	LLVMValueRef args[] = {v, cg_const(cg, cg->i1, 1)};
	LLVMValueRef zeros = LLVMBuildCall2(cg->b, type, fn, args, 2, "");

	return LLVMBuildSub(cg->b, cg_const(cg, cg->i64, 63), zeros, "");
}

/*
 * Adds one to bucket @i (i64). The verifier cannot follow the arithmetic that led to it, so the
 * bound is checked where the optimiser does not see that it always holds.
 */
static void count_bucket(struct codegen *cg, struct cg_aggregate *a, LLVMValueRef i, uint32_t n)
{
	LLVMBasicBlockRef ok = cg_block(cg, "bucket"), done = cg_block(cg, "counted");

	i = cg_opaque(cg, i);
	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntULT, i, cg_const(cg, cg->i64, n), ""),
			ok, done);
	cg_at(cg, ok);
	LLVMValueRef off = LLVMBuildShl(cg->b, i, cg_const(cg, cg->i64, 3), "");
	LLVMValueRef p = LLVMBuildGEP2(cg->b, cg->i8, a->slot, &off, 1, "");
	cg_atomic_add(cg, p, cg_const(cg, cg->i64, 1));
	cg_goto(cg, done);
	cg_at(cg, done);
}

/* The bucket that image_hist_bucket() describes. */
static void emit_hist(struct codegen *cg, struct cg_aggregate *a)
{
	uint64_t bits = a->type->arg[0], linear = 1ull << bits;
	LLVMValueRef v = a->value, index = cg_alloca(cg, cg->i64, "bucket");
	LLVMBasicBlockRef negative = cg_block(cg, "negative"), other = cg_block(cg, "positive"),
			  small = cg_block(cg, "small"), large = cg_block(cg, "large"),
			  done = cg_block(cg, "found");

	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntSLT, v, cg_const(cg, cg->i64, 0), ""),
			negative, other);
	cg_at(cg, negative);
	cg_store(cg, cg_const(cg, cg->i64, 0), index);
	cg_goto(cg, done);
	cg_at(cg, other);
	LLVMBuildCondBr(cg->b,
			LLVMBuildICmp(cg->b, LLVMIntULT, v, cg_const(cg, cg->i64, linear), ""),
			small, large);
	cg_at(cg, small);
	cg_store(cg, LLVMBuildAdd(cg->b, v, cg_const(cg, cg->i64, 1), ""), index);
	cg_goto(cg, done);
	cg_at(cg, large);
	/* 1 + linear * (power - bits + 1) + the bits after the highest one */
	LLVMValueRef power = log2_of(cg, v);
	LLVMValueRef over = LLVMBuildSub(cg->b, power, cg_const(cg, cg->i64, bits), "");
	LLVMValueRef sub = LLVMBuildLShr(cg->b, v, over, "");
	sub = LLVMBuildAnd(cg->b, sub, cg_const(cg, cg->i64, linear - 1), "");
	LLVMValueRef base = LLVMBuildAdd(cg->b, over, cg_const(cg, cg->i64, 1), "");
	base = LLVMBuildShl(cg->b, base, cg_const(cg, cg->i64, bits), "");
	base = LLVMBuildAdd(cg->b, base, cg_const(cg, cg->i64, 1), "");
	cg_store(cg, LLVMBuildAdd(cg->b, base, sub, ""), index);
	cg_goto(cg, done);
	cg_at(cg, done);
	count_bucket(cg, a, cg_load(cg, cg->i64, index), image_hist_buckets(bits));
}

static void emit_lhist(struct codegen *cg, struct cg_aggregate *a)
{
	int64_t min = a->type->arg[0], max = a->type->arg[1], step = a->type->arg[2];
	uint32_t n = image_lhist_buckets(min, max, step);
	LLVMValueRef v = a->value;
	LLVMValueRef below = LLVMBuildICmp(cg->b, LLVMIntSLT, v, cg_const(cg, cg->i64, min), "");
	LLVMValueRef above = LLVMBuildICmp(cg->b, LLVMIntSGE, v, cg_const(cg, cg->i64, max), "");
	LLVMValueRef i = LLVMBuildSub(cg->b, v, cg_const(cg, cg->i64, min), "");

	i = LLVMBuildUDiv(cg->b, i, cg_const(cg, cg->i64, step), "");
	i = LLVMBuildAdd(cg->b, i, cg_const(cg, cg->i64, 1), "");
	i = LLVMBuildSelect(cg->b, above, cg_const(cg, cg->i64, n - 1), i, "");
	i = LLVMBuildSelect(cg->b, below, cg_const(cg, cg->i64, 0), i, "");
	count_bucket(cg, a, i, n);
}

/* ---- time series --------------------------------------------------------------------- */

/* For tests: the map whose number stands for the clock. */
static const struct sema_map *test_clock(struct codegen *cg)
{
	const char *name = cg->r->config.test_clock;

	for (size_t i = 0; name && i < cg->r->maps.len; i++) {
		const struct sema_map *m = cg->r->maps.items[i];

		if (*name == '@' && !strcmp(m->name, name + 1) && !m->key &&
		    m->value->kind == IMAGE_K_INT && m->value->size == 8)
			return m;
	}
	return NULL;
}

static LLVMValueRef tseries_now(struct codegen *cg)
{
	const struct sema_map *m = test_clock(cg);
	LLVMBasicBlockRef found;
	LLVMValueRef p;

	if (!m)
		return cg_tai_ns(cg);
	p = cg_map_lookup(cg, m, cg_key_from(cg, m, NULL));
	found = cg_block(cg, "test_clock");
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), cg->leave, found);
	cg_at(cg, found);
	return cg_load(cg, cg->i64, cg_offset(cg, p, cg_map_value_off(m)));
}

struct tseries {
	LLVMValueRef value, meta, epoch; /* addresses in the slot */
};

/* What a round of the slots before has left is cleared. */
static void begin_interval(struct codegen *cg, struct tseries *ts, LLVMValueRef epoch)
{
	LLVMBasicBlockRef fresh = cg_block(cg, "new_interval"), go = cg_block(cg, "interval");
	LLVMValueRef zero = cg_const(cg, cg->i64, 0);
	LLVMValueRef same =
		LLVMBuildICmp(cg->b, LLVMIntEQ, cg_load(cg, cg->i64, ts->epoch), epoch, "");

	LLVMBuildCondBr(cg->b, same, go, fresh);
	cg_at(cg, fresh);
	cg_store(cg, zero, ts->value);
	cg_store(cg, zero, ts->meta);
	cg_store(cg, epoch, ts->epoch);
	cg_goto(cg, go);
	cg_at(cg, go);
}

static void add_to(struct codegen *cg, LLVMValueRef p, LLVMValueRef v)
{
	cg_store(cg, LLVMBuildAdd(cg->b, cg_load(cg, cg->i64, p), v, ""), p);
}

static void keep_better(struct codegen *cg, struct cg_aggregate *a, struct tseries *ts)
{
	bool min = a->type->arg[2] == IMAGE_TSERIES_MIN, is_signed = a->type->is_signed;
	LLVMIntPredicate pred =
		min ? (is_signed ? LLVMIntSLT : LLVMIntULT) : (is_signed ? LLVMIntSGT : LLVMIntUGT);
	LLVMValueRef old = cg_load(cg, cg->i64, ts->value);
	LLVMValueRef better = LLVMBuildICmp(cg->b, pred, a->value, old, "");
	LLVMValueRef has = cg_truth(cg, cg_load(cg, cg->i64, ts->meta));

	better = LLVMBuildOr(cg->b, better, LLVMBuildNot(cg->b, has, ""), "");
	cg_store(cg, LLVMBuildSelect(cg->b, better, a->value, old, ""), ts->value);
	cg_store(cg, cg_const(cg, cg->i64, 1), ts->meta);
}

static void record(struct codegen *cg, struct cg_aggregate *a, struct tseries *ts, LLVMValueRef now)
{
	switch (a->type->arg[2]) {
	case IMAGE_TSERIES_LAST:
		cg_store(cg, a->value, ts->value);
		cg_store(cg, now, ts->meta);
		break;
	case IMAGE_TSERIES_AVG:
		add_to(cg, ts->meta, cg_const(cg, cg->i64, 1));
		add_to(cg, ts->value, a->value);
		break;
	case IMAGE_TSERIES_SUM:
		add_to(cg, ts->value, a->value);
		break;
	default:
		keep_better(cg, a, ts);
		break;
	}
}

static void emit_tseries(struct codegen *cg, struct cg_aggregate *a)
{
	uint64_t interval = a->type->arg[0], n = a->type->arg[1];
	LLVMBasicBlockRef ok = cg_block(cg, "slot"), done = cg_block(cg, "recorded");
	LLVMValueRef now = tseries_now(cg), epoch, i, p;
	struct tseries ts;

	epoch = LLVMBuildUDiv(cg->b, now, cg_const(cg, cg->i64, interval), "");
	i = LLVMBuildURem(cg->b, epoch, cg_const(cg, cg->i64, n), "");
	epoch = LLVMBuildAdd(cg->b, epoch, cg_const(cg, cg->i64, 1), "");
	/* as in count_bucket(): for the verifier */
	i = cg_opaque(cg, i);
	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntULT, i, cg_const(cg, cg->i64, n), ""),
			ok, done);
	cg_at(cg, ok);
	i = LLVMBuildMul(cg->b, i, cg_const(cg, cg->i64, sizeof(struct image_tseries_slot)), "");
	p = LLVMBuildGEP2(cg->b, cg->i8, a->slot, &i, 1, "");
	ts.value = cg_offset(cg, p, offsetof(struct image_tseries_slot, value));
	ts.meta = cg_offset(cg, p, offsetof(struct image_tseries_slot, meta));
	ts.epoch = cg_offset(cg, p, offsetof(struct image_tseries_slot, epoch));
	begin_interval(cg, &ts, epoch);
	record(cg, a, &ts, now);
	cg_goto(cg, done);
	cg_at(cg, done);
}

static void (*const emitters[IMAGE_NKINDS])(struct codegen *, struct cg_aggregate *) = {
	[IMAGE_K_COUNT] = emit_add,  [IMAGE_K_SUM] = emit_add,     [IMAGE_K_MIN] = emit_minmax,
	[IMAGE_K_MAX] = emit_minmax, [IMAGE_K_AVG] = emit_average, [IMAGE_K_STATS] = emit_average,
	[IMAGE_K_HIST] = emit_hist,  [IMAGE_K_LHIST] = emit_lhist, [IMAGE_K_TSERIES] = emit_tseries,
};

void cg_aggregate(struct codegen *cg, struct ast_expr *map, struct ast_expr *call)
{
	const struct sema_map *m = map->u.map.decl;
	struct cg_aggregate a = {.type = m->value, .call = call};
	LLVMBasicBlockRef done = cg_block(cg, "aggregated");

	if (m->value->kind >= IMAGE_NKINDS || !emitters[m->value->kind]) {
		cg_fail(cg, call->span, "%s() is not supported yet", call->u.call.name);
		return;
	}
	if (call->u.call.args.len)
		a.value = cg_expr64(cg, call->u.call.args.items[0]);
	a.slot = cg_map_slot(cg, m, cg_map_key(cg, map), done);
	emitters[m->value->kind](cg, &a);
	cg_goto(cg, done);
	cg_at(cg, done);
}
