/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks. The frames are read into scratch memory, hashed, and kept once in a hash map under
 * that hash: equal stacks have equal ids, whichever probe and depth they are of.
 */
#include <errno.h>
#include <stddef.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

#define LANES         4  /* multiplications that do not wait for each other */
#define UNROLLED_MAX  32 /* words that are hashed without a loop */
#define HASH_MULTIPLY 0x9e3779b97f4a7c15ull
#define STACK_FRAMES  8 /* where the frames begin in a map's value, behind their number */

/* ---- the hash ---------------------------------------------------------------------- */

static LLVMValueRef mix(struct codegen *cg, LLVMValueRef h, LLVMValueRef word)
{
	h = LLVMBuildXor(cg->b, h, word, "");
	h = LLVMBuildMul(cg->b, h, cg_const(cg, cg->i64, HASH_MULTIPLY), "");
	return LLVMBuildXor(cg->b, h, LLVMBuildLShr(cg->b, h, cg_const(cg, cg->i64, 32), ""), "");
}

/* Four times round by itself: words [@from, @from + LANES) go to one lane each. */
static void mix_group(struct codegen *cg, LLVMValueRef *lanes, LLVMValueRef p)
{
	for (unsigned i = 0; i < LANES; i++)
		lanes[i] = mix(cg, lanes[i], cg_load(cg, cg->i64, cg_offset(cg, p, i * 8)));
}

static void mix_loop(struct codegen *cg, LLVMValueRef *lanes, LLVMValueRef p, uint32_t bytes)
{
	LLVMBasicBlockRef from = LLVMGetInsertBlock(cg->b), body = cg_block(cg, "hash"),
			  done = cg_block(cg, "hashed");
	LLVMValueRef zero = cg_const(cg, cg->i64, 0), now[LANES];

	cg_goto(cg, body);
	cg_at(cg, body);
	LLVMValueRef at = LLVMBuildPhi(cg->b, cg->i64, "");
	for (unsigned i = 0; i < LANES; i++) {
		now[i] = LLVMBuildPhi(cg->b, cg->i64, "");
		LLVMAddIncoming(now[i], &lanes[i], &from, 1);
		lanes[i] = now[i];
	}
	/* the place stays a number that the verifier can follow, not a pointer that moves */
	mix_group(cg, lanes, LLVMBuildGEP2(cg->b, cg->i8, p, &at, 1, ""));
	LLVMValueRef next =
		cg_opaque(cg, LLVMBuildAdd(cg->b, at, cg_const(cg, cg->i64, LANES * 8), ""));
	LLVMAddIncoming(at, &zero, &from, 1);
	LLVMAddIncoming(at, &next, &body, 1);
	for (unsigned i = 0; i < LANES; i++)
		LLVMAddIncoming(now[i], &lanes[i], &body, 1);
	LLVMBuildCondBr(cg->b,
			LLVMBuildICmp(cg->b, LLVMIntULT, next, cg_const(cg, cg->i64, bytes), ""),
			body, done);
	cg_at(cg, done);
}

/* A number from 0 to 2^63 - 1 for the @words words at @p, which are zero behind the last frame. */
static LLVMValueRef hash_words(struct codegen *cg, LLVMValueRef p, uint32_t words)
{
	uint32_t grouped = words / LANES * LANES, at = 0;
	LLVMValueRef lanes[LANES];

	for (unsigned i = 0; i < LANES; i++)
		lanes[i] = cg_const(cg, cg->i64, i + 1);
	if (words > UNROLLED_MAX && target_has(cg->r->target, TARGET_F_BOUNDED_LOOPS)) {
		mix_loop(cg, lanes, p, grouped * 8);
		at = grouped;
	}
	for (; at < grouped; at += LANES)
		mix_group(cg, lanes, cg_offset(cg, p, at * 8));
	for (; at < words; at++)
		lanes[0] = mix(cg, lanes[0], cg_load(cg, cg->i64, cg_offset(cg, p, at * 8)));
	for (unsigned i = 1; i < LANES; i++)
		lanes[0] = mix(cg, lanes[0], lanes[i]);
	return LLVMBuildLShr(cg->b, lanes[0], cg_const(cg, cg->i64, 1), "");
}

/* ---- keeping ------------------------------------------------------------------------- */

static LLVMValueRef is_negative(struct codegen *cg, LLVMValueRef v)
{
	return LLVMBuildICmp(cg->b, LLVMIntSLT, v, cg_const(cg, cg->i64, 0), "");
}

/* Puts @value into the map under @key, where it is not there already. 0, or the error. */
static LLVMValueRef keep_once(struct codegen *cg, struct cg_map *m, LLVMValueRef key,
			      LLVMValueRef value)
{
	LLVMValueRef lookup[] = {m->var, key};
	LLVMValueRef update[] = {m->var, key, value, cg_const(cg, cg->i64, BPF_ANY)};
	LLVMBasicBlockRef add = cg_block(cg, "new_stack"), done = cg_block(cg, "kept"), from;
	LLVMValueRef zero = cg_const(cg, cg->i64, 0), err;
	LLVMValueRef found = cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_map_lookup_elem, lookup, 2));

	from = LLVMGetInsertBlock(cg->b);
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, found, ""), add, done);
	cg_at(cg, add);
	err = cg_helper(cg, BPF_FUNC_map_update_elem, update, 4);
	err = cg_int_cast(cg, LLVMBuildTrunc(cg->b, err, cg->i32, ""), true, cg->i64);
	cg_goto(cg, done);
	cg_at(cg, done);

	LLVMValueRef phi = LLVMBuildPhi(cg->b, cg->i64, "");
	LLVMAddIncoming(phi, &zero, &from, 1);
	LLVMAddIncoming(phi, &err, &add, 1);
	return phi;
}

/*
 * @got bytes of frames (negative: an error) lie behind the first word of @value: the stack's
 * id, or the error. What could not be had or kept is counted.
 */
static LLVMValueRef keep(struct codegen *cg, const struct type *t, LLVMValueRef value,
			 LLVMValueRef got)
{
	struct cg_map *m = cg_stack_map(cg, t);
	uint32_t frame = cg_stack_frame_size(t), words = (m->value_size - STACK_FRAMES) / 8;
	LLVMValueRef result = cg_alloca(cg, cg->i64, "stack_id"), key, err;
	LLVMBasicBlockRef have = cg_block(cg, "have_stack"), lost = cg_block(cg, "lost_stack"),
			  done = cg_block(cg, "stack");

	key = cg_alloca(cg, cg->i64, "stack_key");
	cg_store(cg, got, result);
	LLVMBuildCondBr(cg->b, is_negative(cg, got), lost, have);
	cg_at(cg, have);
	cg_store(cg, LLVMBuildUDiv(cg->b, got, cg_const(cg, cg->i64, frame), ""), value);
	LLVMValueRef id = hash_words(cg, cg_offset(cg, value, STACK_FRAMES), words);
	cg_store(cg, id, key);
	cg_store(cg, id, result);
	err = keep_once(cg, m, key, value);
	LLVMBasicBlockRef refused = cg_block(cg, "refused_stack");
	LLVMBuildCondBr(cg->b, is_negative(cg, err), refused, done);
	cg_at(cg, refused);
	cg_store(cg, err, result);
	cg_goto(cg, lost);
	cg_at(cg, lost);
	cg_control_count(cg, offsetof(struct image_control, lost_stacks));
	cg_goto(cg, done);
	cg_at(cg, done);
	return cg_load(cg, cg->i64, result);
}

/* ---- builtins ------------------------------------------------------------------------- */

static void fill_remember(struct codegen *cg, LLVMValueRef payload, void *key)
{
	LLVMValueRef args[] = {cg->remembered->var, key, key, cg_const(cg, cg->i64, BPF_ANY)};

	cg_store(cg, cg_load(cg, cg->i64, key), payload);
	cg_helper(cg, BPF_FUNC_map_update_elem, args, 4);
}

void cg_remember_process(struct codegen *cg)
{
	LLVMBasicBlockRef tell, done;
	LLVMValueRef key;

	if (!cg->remembered)
		return;
	tell = cg_block(cg, "unknown_process");
	done = cg_block(cg, "known");
	key = cg_alloca_bytes(cg, CG_PROCESS_KEY, "process");
	cg_zero(cg, key, CG_PROCESS_KEY);
	LLVMValueRef comm[] = {cg_offset(cg, key, 8), cg_const(cg, cg->i64, 16)};
	cg_helper(cg, BPF_FUNC_get_current_comm, comm, 2);
	cg_store(cg, cg_own_pid(cg), key);
	LLVMValueRef lookup[] = {cg->remembered->var, key};
	LLVMValueRef p = cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_map_lookup_elem, lookup, 2));
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), tell, done);
	cg_at(cg, tell);
	cg_action(cg, cg->r->remember, fill_remember, key);
	cg_goto(cg, done);
	cg_at(cg, done);
}

/* Whose stack it is beside its id, so that its addresses can be looked up. */
static void store_ustack(struct codegen *cg, LLVMValueRef id, LLVMValueRef dst)
{
	cg_remember_process(cg);
	cg_store(cg, id, dst);
	cg_store(cg, cg_own_pid(cg), cg_offset(cg, dst, 8)); /* its upper half is zero */
}

LLVMValueRef cg_emit_stack(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	bool user = e->type->kind == IMAGE_K_USTACK;
	struct cg_map *m = cg_stack_map(cg, e->type);
	LLVMValueRef value = cg_temp(cg, m->value_size, "frames");
	uint64_t flags = user ? BPF_F_USER_STACK : 0;

	/* older kernels want to see it written before; scratch memory is */
	if (m->value_size <= cg->r->config.on_stack_limit)
		cg_zero(cg, value, m->value_size);
	if (e->type->arg[1] == IMAGE_STACK_BUILD_ID)
		flags |= BPF_F_USER_BUILD_ID;
	LLVMValueRef args[] = {cg->ctx_arg, cg_offset(cg, value, STACK_FRAMES),
			       cg_const(cg, cg->i64, m->value_size - STACK_FRAMES),
			       cg_const(cg, cg->i64, flags)};
	/* the kernel clears what it leaves of the buffer */
	LLVMValueRef id = keep(cg, e->type, value, cg_helper(cg, BPF_FUNC_get_stack, args, 4));

	if (!user)
		return id;
	store_ustack(cg, id, dst);
	return NULL;
}

LLVMValueRef cg_emit_dw_ustack(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef id = cg_alloca(cg, cg->i64, "walked"), got;
	LLVMBasicBlockRef none = cg_block(cg, "not_walked");

	cg_store(cg, cg_const(cg, cg->i64, (uint64_t)-ENOENT), id);
	LLVMValueRef value = cg_unwind(cg, e, &got, none);
	cg_store(cg, keep(cg, e->type, value, got), id);
	cg_goto(cg, none);
	cg_at(cg, none);
	store_ustack(cg, cg_load(cg, cg->i64, id), dst);
	return NULL;
}

/* How many frames a kept stack has: 0 for one that was lost. */
LLVMValueRef cg_stack_len(struct codegen *cg, struct ast_expr *e)
{
	struct cg_map *m = cg_stack_map(cg, e->type);
	LLVMValueRef key = cg_alloca(cg, cg->i64, "stack_key"), id, zero = cg_const(cg, cg->i64, 0);
	LLVMBasicBlockRef found = cg_block(cg, "found"), done = cg_block(cg, "len"), from;

	if (e->type->kind == IMAGE_K_KSTACK)
		id = cg_expr(cg, e);
	else
		id = cg_load(cg, cg->i64, cg_expr_addr(cg, e));
	cg_store(cg, id, key);
	LLVMValueRef args[] = {m->var, key};
	LLVMValueRef p = cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_map_lookup_elem, args, 2));
	from = LLVMGetInsertBlock(cg->b);
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), done, found);
	cg_at(cg, found);
	LLVMValueRef n = cg_load(cg, cg->i64, p);
	cg_goto(cg, done);
	cg_at(cg, done);

	LLVMValueRef phi = LLVMBuildPhi(cg->b, cg->i64, "");
	LLVMAddIncoming(phi, &n, &found, 1);
	LLVMAddIncoming(phi, &zero, &from, 1);
	return phi;
}

LLVMValueRef cg_emit_stack_len(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return cg_stack_len(cg, e->u.call.args.items[0]);
}
