/* SPDX-License-Identifier: Apache-2.0 */
/* Emitters of the builtins about the event: probe, args, registers, stacks. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

/* What the program was attached with, where it serves several probes. */
static LLVMValueRef cookie(struct codegen *cg)
{
	LLVMValueRef v = cg_helper(cg, BPF_FUNC_get_attach_cookie, &cg->ctx_arg, 1);

	return LLVMBuildTrunc(cg->b, v, cg->i32, "");
}

LLVMValueRef cg_emit_probe(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst, (void)e;
	if (cg->sys_probe)
		return cg->sys_probe;
	if (sema_uses_cookies(cg->prog))
		return cookie(cg);
	return cg_const(cg, cg->i32,
			cg->prog->attachments.len ? cg->prog->attachments.items[0].probe : 0);
}

LLVMValueRef cg_emit_args(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	const struct type *t = cg->prog->args_value;

	if (!dst || e->type != t) {
		cg_fail(cg, e->span, "args has no value here: name a field of it");
		return cg_const(cg, cg->i64, 0);
	}
	if (cg_has_padding(t))
		cg_zero(cg, dst, t->size);
	for (size_t i = 0; i < t->fields.len; i++) {
		const struct type_field *f = &t->fields.items[i], *part = cg->prog->args_parts[i];
		LLVMValueRef at = cg_offset(cg, dst, f->offset);

		if (cg_is_scalar(f->type))
			cg_store(cg, cg_arg_scalar(cg, part), at);
		else
			cg_arg_copy(cg, part, at);
	}
	return NULL;
}

LLVMValueRef cg_emit_argn(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	unsigned n = atoi(e->u.ident.name + strlen("arg"));

	(void)dst;
	if (cg->prog->operands)
		return cg_usdt_arg(cg, n);
	if (cg->prog->type->flags & PROBE_HAS_REGS)
		return cg_call_arg(cg, n);
	LLVMValueRef v = cg_load_volatile(cg, cg->i64, cg_offset(cg, cg->ctx_arg, n * 8));
	return cg_int_cast(cg, v, false, cg_type(cg, e->type));
}

LLVMValueRef cg_emit_reg(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return cg_register(cg, e->u.call.args.items[0]->const_str);
}

LLVMValueRef cg_emit_retval(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst, (void)e;
	if (cg->prog->retval)
		return cg_arg_scalar(cg, cg->prog->retval);
	return cg_register(cg, target_abi()->result);
}

/* An address of this process, with whose it is: threads share it, and a key made of it. */
void cg_store_usym(struct codegen *cg, LLVMValueRef addr, LLVMValueRef dst)
{
	LLVMValueRef pid = cg_own_pid(cg);

	cg_remember_process(cg);
	cg_store(cg, addr, dst);
	cg_store(cg, LLVMBuildTrunc(cg->b, pid, cg->i32, ""), cg_offset(cg, dst, 8));
	cg_store(cg, cg_const(cg, cg->i32, 0), cg_offset(cg, dst, 12));
}

/* The kernel passes over the breakpoint before it calls a kprobe's program. */
static LLVMValueRef kprobe_address(struct codegen *cg)
{
	const struct target_abi *abi = target_abi();

	return LLVMBuildSub(cg->b, cg_register(cg, abi->ip),
			    cg_const(cg, cg->i64, abi->breakpoint_size), "");
}

/* bpf_get_func_ip() gives zero in the middle of a function. */
LLVMValueRef cg_function_address(struct codegen *cg)
{
	enum image_attach_kind kind = cg->prog->attach;

	if (kind == IMAGE_AT_UPROBE || kind == IMAGE_AT_USDT)
		return cg_register(cg, target_abi()->ip);
	if (!target_has(cg->r->target, TARGET_F_FUNC_IP))
		return kprobe_address(cg);
	LLVMValueRef ip = cg_helper(cg, BPF_FUNC_get_func_ip, &cg->ctx_arg, 1);
	if (kind != IMAGE_AT_KPROBE)
		return ip;
	return LLVMBuildSelect(cg->b, cg_truth(cg, ip), ip, kprobe_address(cg), "");
}

LLVMValueRef cg_emit_func(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef ip = cg_function_address(cg);

	if (e->type->kind == IMAGE_K_KSYM)
		return ip;
	cg_store_usym(cg, ip, dst);
	return NULL;
}
