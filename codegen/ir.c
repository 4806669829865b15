/* SPDX-License-Identifier: Apache-2.0 */
/* Small instruction helpers: constants, casts, blocks, loads and stores, helper calls. */
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

/* More than so many loads and stores are one helper call instead. */
#define INLINE_UNITS_MAX 16

LLVMValueRef cg_const(struct codegen *cg, LLVMTypeRef t, uint64_t v)
{
	(void)cg;
	return LLVMConstInt(t, v, 0);
}

LLVMTypeRef cg_int_type(struct codegen *cg, uint32_t size)
{
	switch (size) {
	case 1:
		return cg->i8;
	case 2:
		return cg->i16;
	case 4:
		return cg->i32;
	default:
		return cg->i64;
	}
}

bool cg_is_scalar(const struct type *t)
{
	switch (t->kind) {
	case IMAGE_K_INT:
	case IMAGE_K_BOOL:
	case IMAGE_K_ENUM:
	case IMAGE_K_POINTER:
	case IMAGE_K_KSTACK:
	case IMAGE_K_KSYM:
	case IMAGE_K_USERNAME:
	case IMAGE_K_TIMESTAMP:
	case IMAGE_K_CGROUP_PATH:
	case IMAGE_K_PROBE:
	case IMAGE_K_DISK:
	case IMAGE_K_LOADAVG:
	case IMAGE_K_MEMINFO:
		return true;
	default:
		return false;
	}
}

LLVMTypeRef cg_type(struct codegen *cg, const struct type *t)
{
	return t->kind == IMAGE_K_POINTER ? cg->i64 : cg_int_type(cg, t->size);
}

LLVMValueRef cg_int_cast(struct codegen *cg, LLVMValueRef v, bool is_signed, LLVMTypeRef to)
{
	unsigned have = LLVMGetIntTypeWidth(LLVMTypeOf(v)), want = LLVMGetIntTypeWidth(to);

	if (have == want)
		return v;
	if (have > want)
		return LLVMBuildTrunc(cg->b, v, to, "");
	return is_signed && have > 1 ? LLVMBuildSExt(cg->b, v, to, "")
				     : LLVMBuildZExt(cg->b, v, to, "");
}

LLVMValueRef cg_truth(struct codegen *cg, LLVMValueRef v)
{
	if (LLVMGetIntTypeWidth(LLVMTypeOf(v)) == 1)
		return v;
	return LLVMBuildICmp(cg->b, LLVMIntNE, v, LLVMConstNull(LLVMTypeOf(v)), "");
}

LLVMBasicBlockRef cg_block(struct codegen *cg, const char *name)
{
	return LLVMAppendBasicBlockInContext(cg->ctx, cg->fn, name);
}

bool cg_terminated(struct codegen *cg)
{
	return LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(cg->b)) != NULL;
}

void cg_goto(struct codegen *cg, LLVMBasicBlockRef to)
{
	if (!cg_terminated(cg))
		LLVMBuildBr(cg->b, to);
}

void cg_at(struct codegen *cg, LLVMBasicBlockRef bb)
{
	LLVMPositionBuilderAtEnd(cg->b, bb);
}

static uint32_t words_of(uint32_t size)
{
	return size ? (size + 7) / 8 : 1;
}

LLVMValueRef cg_alloca_var(struct codegen *cg, uint32_t size, const char *name)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b);
	LLVMValueRef first = LLVMGetFirstInstruction(cg->entry);

	/* all in the entry block, so that they are promoted or become the frame */
	if (first)
		LLVMPositionBuilderBefore(cg->b, first);
	else
		LLVMPositionBuilderAtEnd(cg->b, cg->entry);
	LLVMValueRef v = LLVMBuildAlloca(cg->b, LLVMArrayType2(cg->i64, words_of(size)), name);
	LLVMSetAlignment(v, 8);
	cg_at(cg, here);
	return v;
}

LLVMValueRef cg_alloca_bytes(struct codegen *cg, uint32_t size, const char *name)
{
	struct cg_slot fresh = {.words = words_of(size), .depth = cg->stmt_depth};

	for (size_t i = 0; i < cg->slots.len; i++) {
		struct cg_slot *s = &cg->slots.items[i];

		if (s->depth != CG_SLOT_FREE || s->words != fresh.words)
			continue;
		s->depth = cg->stmt_depth;
		return s->v;
	}
	fresh.v = cg_alloca_var(cg, size, name);
	vec_push(cg->arena, &cg->slots, fresh);
	return fresh.v;
}

LLVMValueRef cg_alloca(struct codegen *cg, LLVMTypeRef t, const char *name)
{
	(void)t; /* a word holds every scalar */
	return cg_alloca_bytes(cg, 8, name);
}

void cg_stmt_begin(struct codegen *cg)
{
	cg->stmt_depth++;
}

void cg_stmt_end(struct codegen *cg)
{
	for (size_t i = 0; i < cg->slots.len; i++)
		if (cg->slots.items[i].depth == cg->stmt_depth)
			cg->slots.items[i].depth = CG_SLOT_FREE;
	cg->stmt_depth--;
}

LLVMValueRef cg_offset(struct codegen *cg, LLVMValueRef p, uint64_t off)
{
	LLVMValueRef i = cg_const(cg, cg->i64, off);

	return off ? LLVMBuildGEP2(cg->b, cg->i8, p, &i, 1, "") : p;
}

/*
 * Everything lies at multiples of eight bytes, but for what is at an offset in it: strings in
 * tuples, members of packed structs. Elements of arrays are taken to be aligned.
 */
static unsigned address_alignment(LLVMValueRef p)
{
	uint64_t off = 0;

	while (LLVMIsAGetElementPtrInst(p) || LLVMIsAConstantExpr(p)) {
		LLVMValueRef i;

		if (LLVMGetNumOperands(p) != 2)
			break;
		i = LLVMGetOperand(p, 1);
		if (LLVMIsAConstantInt(i))
			off += LLVMConstIntGetSExtValue(i);
		p = LLVMGetOperand(p, 0);
	}
	off |= 8;
	return off & -off;
}

/* Loads and stores of what is not aligned are made of smaller ones. */
static unsigned alignment_of(LLVMTypeRef t, LLVMValueRef p)
{
	unsigned width = LLVMGetTypeKind(t) == LLVMIntegerTypeKind ? LLVMGetIntTypeWidth(t) : 64;
	unsigned natural = width < 8 ? 1 : width / 8, have = address_alignment(p);

	return have < natural ? have : natural;
}

LLVMValueRef cg_load(struct codegen *cg, LLVMTypeRef t, LLVMValueRef p)
{
	LLVMValueRef v = LLVMBuildLoad2(cg->b, t, p, "");

	LLVMSetAlignment(v, alignment_of(t, p));
	return v;
}

LLVMValueRef cg_load_volatile(struct codegen *cg, LLVMTypeRef t, LLVMValueRef p)
{
	LLVMValueRef v = cg_load(cg, t, p);

	LLVMSetVolatile(v, 1);
	return v;
}

void cg_store(struct codegen *cg, LLVMValueRef v, LLVMValueRef p)
{
	if (LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMIntegerTypeKind &&
	    LLVMGetIntTypeWidth(LLVMTypeOf(v)) == 1)
		v = LLVMBuildZExt(cg->b, v, cg->i8, "");
	LLVMSetAlignment(LLVMBuildStore(cg->b, v, p), alignment_of(LLVMTypeOf(v), p));
}

void cg_atomic_add(struct codegen *cg, LLVMValueRef p, LLVMValueRef v)
{
	/* the result is unused: BPF's plain atomic add, which every kernel has */
	LLVMBuildAtomicRMW(cg->b, LLVMAtomicRMWBinOpAdd, p, v, LLVMAtomicOrderingMonotonic, 0);
}

LLVMValueRef cg_opaque(struct codegen *cg, LLVMValueRef v)
{
	LLVMTypeRef t = LLVMTypeOf(v);
	LLVMTypeRef fn = LLVMFunctionType(t, &t, 1, 0);
	LLVMValueRef nothing =
		LLVMGetInlineAsm(fn, "", 0, "=r,0", 4, 1, 0, LLVMInlineAsmDialectATT, 0);

	return LLVMBuildCall2(cg->b, fn, nothing, &v, 1, "");
}

LLVMValueRef cg_to_int(struct codegen *cg, LLVMValueRef p)
{
	return LLVMGetTypeKind(LLVMTypeOf(p)) == LLVMPointerTypeKind
		       ? LLVMBuildPtrToInt(cg->b, p, cg->i64, "")
		       : p;
}

LLVMValueRef cg_to_ptr(struct codegen *cg, LLVMValueRef v)
{
	return LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMPointerTypeKind
		       ? v
		       : LLVMBuildIntToPtr(cg->b, v, cg->ptr, "");
}

LLVMValueRef cg_helper(struct codegen *cg, unsigned id, LLVMValueRef *args, unsigned n)
{
	LLVMTypeRef types[5];

	cg_check_helper(cg, id);
	for (unsigned i = 0; i < n; i++)
		types[i] = LLVMTypeOf(args[i]);
	LLVMTypeRef fn = LLVMFunctionType(cg->i64, types, n, 0);
	LLVMValueRef callee = LLVMConstIntToPtr(cg_const(cg, cg->i64, id), cg->ptr);

	return LLVMBuildCall2(cg->b, fn, callee, args, n, "");
}

static unsigned read_kernel_helper(struct codegen *cg)
{
	return target_has(cg->r->target, TARGET_F_PROBE_READ_KERNEL) ? BPF_FUNC_probe_read_kernel
								     : BPF_FUNC_probe_read;
}

/* The widest unit that fits into what is left. */
static uint32_t unit_of(uint32_t left, uint32_t most)
{
	uint32_t unit = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;

	return unit < most ? unit : most;
}

void cg_copy(struct codegen *cg, LLVMValueRef dst, LLVMValueRef src, uint32_t size)
{
	uint32_t most = address_alignment(dst), from = address_alignment(src);

	if (from < most)
		most = from;
	if (size > INLINE_UNITS_MAX * most) {
		LLVMValueRef args[] = {dst, cg_const(cg, cg->i32, size), src};

		cg_helper(cg, read_kernel_helper(cg), args, 3);
		return;
	}
	for (uint32_t off = 0, n; off < size; off += n) {
		n = unit_of(size - off, most);
		cg_store(cg, cg_load(cg, cg_int_type(cg, n), cg_offset(cg, src, off)),
			 cg_offset(cg, dst, off));
	}
}

void cg_zero(struct codegen *cg, LLVMValueRef dst, uint32_t size)
{
	uint32_t most = address_alignment(dst);

	if (size > INLINE_UNITS_MAX * most) {
		/* a failed read clears the destination: one call instead of a loop of stores */
		LLVMValueRef args[] = {dst, cg_const(cg, cg->i32, size), LLVMConstNull(cg->ptr)};

		cg_helper(cg, read_kernel_helper(cg), args, 3);
		return;
	}
	for (uint32_t off = 0, n; off < size; off += n) {
		n = unit_of(size - off, most);
		cg_store(cg, cg_const(cg, cg_int_type(cg, n), 0), cg_offset(cg, dst, off));
	}
}

/* Stores @len bytes of @s, then zeros up to @size. */
void cg_store_bytes(struct codegen *cg, LLVMValueRef dst, const char *s, uint32_t len,
		    uint32_t size)
{
	uint32_t padded = (len + 7) & ~7u, most = address_alignment(dst);

	if (padded > size)
		padded = size;
	for (uint32_t off = 0, n; off < padded; off += n) {
		uint64_t word = 0;

		n = unit_of(padded - off, most);
		if (off < len)
			memcpy(&word, s + off, len - off < n ? len - off : n);
		cg_store(cg, cg_const(cg, cg_int_type(cg, n), word), cg_offset(cg, dst, off));
	}
	if (size > padded)
		cg_zero(cg, cg_offset(cg, dst, padded), size - padded);
}

LLVMValueRef cg_temp(struct codegen *cg, uint32_t size, const char *name)
{
	if (size <= cg->r->config.on_stack_limit || size <= 8)
		return cg_alloca_bytes(cg, size, name);
	return cg_scratch(cg, size);
}

LLVMValueRef cg_scratch(struct codegen *cg, uint32_t size)
{
	return cg_scratch_at(cg, cg_scratch_take(cg, size));
}
