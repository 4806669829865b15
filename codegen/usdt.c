/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of USDT probes, from where their notes say that they are. */
#include "codegen/cg.h"

#include "probes/usdt_operands.h"

static LLVMValueRef pt_reg(struct codegen *cg, int offset)
{
	return cg_load_volatile(cg, cg->i64, cg_offset(cg, cg->ctx_arg, offset));
}

static LLVMValueRef address(struct codegen *cg, const struct usdt_operand *op)
{
	LLVMValueRef at = cg_const(cg, cg->i64, op->value);

	if (op->base >= 0)
		at = LLVMBuildAdd(cg->b, at, pt_reg(cg, op->base), "");
	if (op->index < 0)
		return at;
	LLVMValueRef index =
		LLVMBuildMul(cg->b, pt_reg(cg, op->index), cg_const(cg, cg->i64, op->scale), "");
	return LLVMBuildAdd(cg->b, at, index, "");
}

/* All of the word, of which the argument may be the lower part. */
static LLVMValueRef word(struct codegen *cg, const struct usdt_operand *op)
{
	if (op->kind == USDT_CONSTANT)
		return cg_const(cg, cg->i64, op->value);
	if (op->kind == USDT_REGISTER)
		return LLVMBuildLShr(cg->b, pt_reg(cg, op->base), cg_const(cg, cg->i64, op->shift),
				     "");
	LLVMValueRef tmp = cg_alloca(cg, cg->i64, "operand");
	cg_store(cg, cg_const(cg, cg->i64, 0), tmp);
	cg_read(cg, tmp, op->size, (struct cg_place){address(cg, op), SPACE_USER});
	return cg_load(cg, cg->i64, tmp);
}

LLVMValueRef cg_usdt_arg(struct codegen *cg, uint32_t n)
{
	struct usdt_operand op;
	char why[128];

	if (usdt_operand_parse(cg->prog->operands, n, &op, why, sizeof(why)))
		return cg_const(cg, cg->i64, 0); /* sema has told */
	LLVMValueRef v = LLVMBuildTrunc(cg->b, word(cg, &op), cg_int_type(cg, op.size), "");
	return cg_int_cast(cg, v, op.is_signed, cg->i64);
}
