/* SPDX-License-Identifier: Apache-2.0 */
/* Who the event is of, as the tracer's own PID namespace has it. */
#include <stddef.h>
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

/* The ids in the namespace that the control words name; 0 for a process that is not in it. */
static LLVMValueRef ids_in_namespace(struct codegen *cg, LLVMValueRef ino)
{
	LLVMValueRef info = cg_alloca(cg, cg->i64, "ns_info");
	LLVMValueRef args[] = {
		cg_control_load(cg, cg->i64, offsetof(struct image_control, pidns_dev)), ino, info,
		cg_const(cg, cg->i32, sizeof(struct bpf_pidns_info))};

	cg_store(cg, cg_const(cg, cg->i64, 0), info);
	cg_helper(cg, BPF_FUNC_get_ns_current_pid_tgid, args, 4);
	/* struct bpf_pidns_info: thread, process */
	LLVMValueRef tid = cg_load(cg, cg->i32, info);
	LLVMValueRef pid = cg_load(cg, cg->i32, cg_offset(cg, info, 4));
	pid = LLVMBuildShl(cg->b, LLVMBuildZExt(cg->b, pid, cg->i64, ""), cg_const(cg, cg->i64, 32),
			   "");
	return LLVMBuildOr(cg->b, pid, LLVMBuildZExt(cg->b, tid, cg->i64, ""), "");
}

LLVMValueRef cg_pid_tgid(struct codegen *cg, bool initial)
{
	struct target_lack lack;

	if (initial || target_lacks_helper(cg->r->target, BPF_FUNC_get_ns_current_pid_tgid, &lack))
		return cg_helper(cg, BPF_FUNC_get_current_pid_tgid, NULL, 0);

	LLVMBasicBlockRef plain = cg_block(cg, "initial_ns"), own = cg_block(cg, "own_ns"),
			  done = cg_block(cg, "ids");
	LLVMValueRef result = cg_alloca(cg, cg->i64, "ids");
	LLVMValueRef ino = cg_control_load(cg, cg->i64, offsetof(struct image_control, pidns_ino));

	LLVMBuildCondBr(cg->b, cg_truth(cg, ino), own, plain);
	cg_at(cg, own);
	cg_store(cg, ids_in_namespace(cg, ino), result);
	cg_goto(cg, done);
	cg_at(cg, plain);
	cg_store(cg, cg_helper(cg, BPF_FUNC_get_current_pid_tgid, NULL, 0), result);
	cg_goto(cg, done);
	cg_at(cg, done);
	return cg_load(cg, cg->i64, result);
}

LLVMValueRef cg_own_pid(struct codegen *cg)
{
	return LLVMBuildLShr(cg->b, cg_pid_tgid(cg, false), cg_const(cg, cg->i64, 32), "");
}
