/* SPDX-License-Identifier: Apache-2.0 */
/* Emitters of the builtins about the process in hand: who it is, and what is done to it. */
#include <stddef.h>
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

/* ---- who it is ------------------------------------------------------------------- */

/*
 * Process id in the high half, thread id in the low one, as the PID namespace counts that this
 * program was compiled in. Which one that is, user space says in the control words.
 */
LLVMValueRef cg_pid_tgid(struct codegen *cg, bool init)
{
	struct target_lack lack;

	if (init || !target_in_pid_namespace(cg->r->target) ||
	    target_lacks_helper(cg->r->target, BPF_FUNC_get_ns_current_pid_tgid, &lack))
		return cg_call0(cg, BPF_FUNC_get_current_pid_tgid);
	LLVMValueRef info = cg_alloca(cg, cg->i64, "pidns_info");
	LLVMValueRef args[] = {
		cg_control_load(cg, cg->i64, offsetof(struct image_control, pidns_dev)),
		cg_control_load(cg, cg->i64, offsetof(struct image_control, pidns_ino)), info,
		cg_const(cg, cg->i32, sizeof(uint64_t))};

	/* struct bpf_pidns_info has the thread first: the two halves of a word */
	cg_store(cg, cg_const(cg, cg->i64, 0), info);
	cg_helper(cg, BPF_FUNC_get_ns_current_pid_tgid, args, 4);
	return cg_load(cg, cg->i64, info);
}

static bool asks_for_init(struct ast_expr *e)
{
	struct ast_expr *x = cg_arg_of(e, 0);

	return x && x->const_int;
}

LLVMValueRef cg_emit_pid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef v = cg_pid_tgid(cg, asks_for_init(e));

	(void)dst;
	v = LLVMBuildLShr(cg->b, v, cg_const(cg, cg->i64, 32), "");
	return cg_int_cast(cg, v, false, cg_type(cg, e->type));
}

LLVMValueRef cg_emit_tid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return cg_int_cast(cg, cg_pid_tgid(cg, asks_for_init(e)), false, cg_type(cg, e->type));
}

LLVMValueRef cg_emit_usermode(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef cs = cg_register(cg, "cs"), mask = cg_const(cg, cg->i64, 3);

	(void)dst;
	cs = LLVMBuildICmp(cg->b, LLVMIntEQ, LLVMBuildAnd(cg->b, cs, mask, ""), mask, "");
	return LLVMBuildZExt(cg->b, cs, cg_type(cg, e->type), "");
}

LLVMValueRef cg_emit_ctx(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)e, (void)dst;
	return cg_to_int(cg, cg->ctx_arg);
}

/* ---- what is done to it ------------------------------------------------------------- */

static void fill_number(struct codegen *cg, LLVMValueRef at, void *arg)
{
	cg_store(cg, *(LLVMValueRef *)arg, at);
}

static void complain_if(struct codegen *cg, LLVMValueRef cond, struct sema_action *a,
			LLVMValueRef number, LLVMBasicBlockRef then)
{
	LLVMBasicBlockRef yes = cg_block(cg, "complain"), no = cg_block(cg, "fine");

	LLVMBuildCondBr(cg->b, cond, yes, no);
	cg_at(cg, yes);
	number = cg_int_cast(cg, number, true, cg->i64);
	cg_action(cg, a, fill_number, &number);
	cg_goto(cg, then ? then : no);
	cg_at(cg, no);
}

/* Two actions: what is said of a number out of range, then what of a call that failed. */
LLVMValueRef cg_emit_signal(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct sema_action *failed = e->u.call.action, *range;
	unsigned helper = e->u.call.builtin->id == BUILTIN_SIGNAL ? BPF_FUNC_send_signal
								  : BPF_FUNC_send_signal_thread;
	LLVMBasicBlockRef done = cg_block(cg, "signalled");
	LLVMValueRef sig = cg_expr64(cg, cg_arg_of(e, 0)), bad, r;

	(void)dst;
	if (!cg_arg_of(e, 0)->is_const) {
		range = cg->r->actions.items[failed->index - 1];
		bad = LLVMBuildSub(cg->b, sig, cg_const(cg, cg->i64, 1), "");
		bad = LLVMBuildICmp(cg->b, LLVMIntUGE, bad, cg_const(cg, cg->i64, 64), "");
		complain_if(cg, bad, range, sig, done);
	}
	sig = LLVMBuildTrunc(cg->b, sig, cg->i32, "");
	r = cg_helper(cg, helper, &sig, 1);
	complain_if(cg, cg_truth(cg, r), failed, r, NULL);
	cg_goto(cg, done);
	cg_at(cg, done);
	return NULL;
}

LLVMValueRef cg_emit_override(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef args[] = {cg->ctx_arg, cg_expr64(cg, cg_arg_of(e, 0))};

	(void)dst;
	cg_helper(cg, BPF_FUNC_override_return, args, 2);
	return NULL;
}

/* The bytes to write have to lie in memory that the verifier knows the size of. */
LLVMValueRef cg_emit_write_user(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *from = cg_arg_of(e, 1);
	LLVMValueRef to = cg_expr64(cg, cg_arg_of(e, 0)), len = cg_expr64(cg, cg_arg_of(e, 2));
	uint32_t max = from->type->size;
	LLVMValueRef src;

	(void)dst;
	if (from->type->kind == IMAGE_K_POINTER) {
		max = cg->r->config.max_strlen;
		src = cg_temp(cg, max, "written");
		cg_read_bounded(cg, src, cg_at_most(cg, len, max), max,
				(struct cg_place){cg_expr64(cg, from), from->type->space});
	} else if (cg_is_scalar(from->type)) {
		src = cg_alloca(cg, cg->i64, "written");
		cg_store(cg, cg_expr(cg, from), src);
	} else {
		src = cg_expr_addr(cg, from);
	}
	LLVMValueRef args[] = {to, src, cg_at_most(cg, len, max)};
	LLVMValueRef r = cg_helper(cg, BPF_FUNC_probe_write_user, args, 3);
	r = LLVMBuildICmp(cg->b, LLVMIntEQ, r, LLVMConstNull(LLVMTypeOf(r)), "");
	return LLVMBuildZExt(cg->b, r, cg_type(cg, e->type), "");
}
