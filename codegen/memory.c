/* SPDX-License-Identifier: Apache-2.0 */
/* Reading memory that BPF may not load from directly: the kernel's, a process's, the context's. */
#include <stddef.h>

#include <asm/ptrace.h>
#include <linux/bpf.h>

#include "codegen/cg.h"

static bool has_split_reads(struct codegen *cg)
{
	return target_has(cg->r->target, TARGET_F_PROBE_READ_KERNEL);
}

static void read_with(struct codegen *cg, unsigned helper, LLVMValueRef dst, uint32_t size,
		      LLVMValueRef from)
{
	LLVMValueRef args[] = {dst, cg_const(cg, cg->i32, size), cg_to_int(cg, from)};

	cg_tell_failure(cg, helper, cg_helper(cg, helper, args, 3));
}

/*
 * An address of unknown origin: kernel addresses are the negative ones on every 64-bit machine
 * that shares one set of addresses between kernel and processes.
 */
static LLVMValueRef is_kernel_address(struct codegen *cg, LLVMValueRef addr)
{
	return LLVMBuildICmp(cg->b, LLVMIntSLT, cg_to_int(cg, addr), cg_const(cg, cg->i64, 0), "");
}

void cg_read(struct codegen *cg, LLVMValueRef dst, uint32_t size, struct cg_place p)
{
	if (p.space == SPACE_BPF) {
		cg_copy(cg, dst, p.addr, size);
		return;
	}
	if (!has_split_reads(cg)) {
		read_with(cg, BPF_FUNC_probe_read, dst, size, p.addr);
		return;
	}
	if (p.space != SPACE_NONE) {
		read_with(cg,
			  p.space == SPACE_USER ? BPF_FUNC_probe_read_user
						: BPF_FUNC_probe_read_kernel,
			  dst, size, p.addr);
		return;
	}
	LLVMBasicBlockRef kernel = cg_block(cg, "read_kernel"), user = cg_block(cg, "read_user");
	LLVMBasicBlockRef done = cg_block(cg, "read_done");

	LLVMBuildCondBr(cg->b, is_kernel_address(cg, p.addr), kernel, user);
	cg_at(cg, kernel);
	read_with(cg, BPF_FUNC_probe_read_kernel, dst, size, p.addr);
	cg_goto(cg, done);
	cg_at(cg, user);
	read_with(cg, BPF_FUNC_probe_read_user, dst, size, p.addr);
	cg_goto(cg, done);
	cg_at(cg, done);
}

LLVMValueRef cg_at_most(struct codegen *cg, LLVMValueRef n, uint32_t max)
{
	LLVMValueRef most = cg_const(cg, cg->i64, max);

	n = cg_opaque(cg, n);
	n = LLVMBuildSelect(cg->b, LLVMBuildICmp(cg->b, LLVMIntULT, n, most, ""), n, most, "");
	/* opaque again: the optimiser must not take the bound out of the code that uses it */
	return cg_opaque(cg, n);
}

void cg_read_bounded(struct codegen *cg, LLVMValueRef dst, LLVMValueRef n, uint32_t max,
		     struct cg_place p)
{
	unsigned helper = BPF_FUNC_probe_read;

	if (has_split_reads(cg))
		helper = p.space == SPACE_USER ? BPF_FUNC_probe_read_user
					       : BPF_FUNC_probe_read_kernel;
	LLVMValueRef args[] = {dst, cg_at_most(cg, n, max), cg_to_int(cg, p.addr)};
	if (p.space != SPACE_NONE || !has_split_reads(cg)) {
		cg_tell_failure(cg, helper, cg_helper(cg, helper, args, 3));
		return;
	}
	LLVMBasicBlockRef kernel = cg_block(cg, "read_kernel"), user = cg_block(cg, "read_user");
	LLVMBasicBlockRef done = cg_block(cg, "read_done");

	LLVMBuildCondBr(cg->b, is_kernel_address(cg, p.addr), kernel, user);
	cg_at(cg, kernel);
	helper = BPF_FUNC_probe_read_kernel;
	cg_tell_failure(cg, helper, cg_helper(cg, helper, args, 3));
	cg_goto(cg, done);
	cg_at(cg, user);
	helper = BPF_FUNC_probe_read_user;
	cg_tell_failure(cg, helper, cg_helper(cg, helper, args, 3));
	cg_goto(cg, done);
	cg_at(cg, done);
}

/* @n: i64, or NULL for @max of them */
struct string_length {
	LLVMValueRef n;
	uint32_t max;
};

static LLVMValueRef read_str_with(struct codegen *cg, unsigned helper, LLVMValueRef dst,
				  struct string_length len, LLVMValueRef from)
{
	LLVMValueRef n = len.n ? cg_at_most(cg, len.n, len.max) : cg_const(cg, cg->i32, len.max);
	LLVMValueRef args[] = {dst, n, cg_to_int(cg, from)};
	LLVMValueRef read = cg_helper(cg, helper, args, 3);

	cg_tell_failure(cg, helper, read);
	return read;
}

static LLVMValueRef read_str(struct codegen *cg, LLVMValueRef dst, struct string_length n,
			     LLVMValueRef from, enum type_space space)
{
	if (!has_split_reads(cg))
		return read_str_with(cg, BPF_FUNC_probe_read_str, dst, n, from);
	if (space == SPACE_USER)
		return read_str_with(cg, BPF_FUNC_probe_read_user_str, dst, n, from);
	if (space != SPACE_NONE)
		return read_str_with(cg, BPF_FUNC_probe_read_kernel_str, dst, n, from);

	LLVMBasicBlockRef kernel = cg_block(cg, "str_kernel"), user = cg_block(cg, "str_user");
	LLVMBasicBlockRef done = cg_block(cg, "str_done");

	LLVMBuildCondBr(cg->b, is_kernel_address(cg, from), kernel, user);
	cg_at(cg, kernel);
	LLVMValueRef a = read_str_with(cg, BPF_FUNC_probe_read_kernel_str, dst, n, from);
	kernel = LLVMGetInsertBlock(cg->b);
	cg_goto(cg, done);
	cg_at(cg, user);
	LLVMValueRef b = read_str_with(cg, BPF_FUNC_probe_read_user_str, dst, n, from);
	user = LLVMGetInsertBlock(cg->b);
	cg_goto(cg, done);
	cg_at(cg, done);

	LLVMValueRef phi = LLVMBuildPhi(cg->b, cg->i64, "");
	LLVMValueRef values[] = {a, b};
	LLVMBasicBlockRef from_blocks[] = {kernel, user};
	LLVMAddIncoming(phi, values, from_blocks, 2);
	return phi;
}

LLVMValueRef cg_read_str(struct codegen *cg, LLVMValueRef dst, uint32_t size, LLVMValueRef from,
			 enum type_space space)
{
	return read_str(cg, dst, (struct string_length){.max = size}, from, space);
}

LLVMValueRef cg_read_str_bounded(struct codegen *cg, LLVMValueRef dst, LLVMValueRef n, uint32_t max,
				 struct cg_place p)
{
	return read_str(cg, dst, (struct string_length){n, max}, p.addr, p.space);
}

/* The helper ends what fills all of @size with a NUL; the last character may be another one. */
void cg_read_chars(struct codegen *cg, LLVMValueRef dst, uint32_t size, struct cg_place p)
{
	LLVMValueRef n = cg_read_str(cg, dst, size, p.addr, p.space);
	LLVMBasicBlockRef full = cg_block(cg, "chars_full"), done = cg_block(cg, "chars_done");
	struct cg_place last = {cg_offset(cg, cg_to_ptr(cg, p.addr), size - 1), p.space};

	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntEQ, n, cg_const(cg, cg->i64, size), ""),
			full, done);
	cg_at(cg, full);
	cg_read(cg, cg_offset(cg, dst, size - 1), 1, last);
	cg_goto(cg, done);
	cg_at(cg, done);
}

LLVMValueRef cg_read_scalar(struct codegen *cg, const struct type *t, struct cg_place p)
{
	if (p.space == SPACE_BPF || p.space == SPACE_CTX)
		return cg_load(cg, cg_type(cg, t), p.addr);

	LLVMValueRef tmp = cg_alloca(cg, cg->i64, "read");
	cg_read(cg, tmp, t->size, p);
	return cg_load(cg, cg_type(cg, t), tmp);
}

/* Bits @off to @off + @size of the bytes at the field, sign-extended when the type is signed. */
static LLVMValueRef read_bits(struct codegen *cg, const struct type_field *f, struct cg_place p)
{
	uint32_t bytes = (f->bit_off + f->bit_size + 7) / 8;
	LLVMValueRef tmp = cg_alloca(cg, cg->i64, "bits");

	cg_store(cg, cg_const(cg, cg->i64, 0), tmp);
	cg_read(cg, tmp, bytes > 8 ? 8 : bytes, p);

	LLVMValueRef v = cg_load(cg, cg->i64, tmp);
	v = LLVMBuildShl(cg->b, v, cg_const(cg, cg->i64, 64 - f->bit_off - f->bit_size), "");
	LLVMValueRef right = cg_const(cg, cg->i64, 64 - f->bit_size);
	v = f->type->is_signed ? LLVMBuildAShr(cg->b, v, right, "")
			       : LLVMBuildLShr(cg->b, v, right, "");
	return cg_int_cast(cg, v, f->type->is_signed, cg_type(cg, f->type));
}

/* Likewise where neither byte nor bit is known yet. */
static LLVMValueRef read_moved_bits(struct codegen *cg, const struct cg_field *m, struct cg_place p)
{
	const struct type_field *f = m->f;
	uint32_t bytes = (7u + f->bit_size + 7) / 8;
	LLVMValueRef tmp = cg_alloca(cg, cg->i64, "bits"), v, left, right;

	cg_store(cg, cg_const(cg, cg->i64, 0), tmp);
	cg_read(cg, tmp, bytes > 8 ? 8 : bytes, p);
	v = cg_load(cg, cg->i64, tmp);
	left = LLVMBuildSub(cg->b, cg_const(cg, cg->i64, 64 - f->bit_size), cg_reloc(cg, m->bits),
			    "");
	right = cg_const(cg, cg->i64, 64 - f->bit_size);
	v = LLVMBuildShl(cg->b, v, left, "");
	v = f->type->is_signed ? LLVMBuildAShr(cg->b, v, right, "")
			       : LLVMBuildLShr(cg->b, v, right, "");
	return cg_int_cast(cg, v, f->type->is_signed, cg_type(cg, f->type));
}

LLVMValueRef cg_read_field_at(struct codegen *cg, const struct cg_field *m, struct cg_place base)
{
	struct cg_place p = {NULL, base.space};
	LLVMValueRef off =
		p.space == SPACE_BPF ? cg_const(cg, cg->i64, m->offset) : cg_field_offset(cg, m);
	bool here = m->fixed || p.space == SPACE_BPF;

	p.addr = LLVMBuildGEP2(cg->b, cg->i8, cg_to_ptr(cg, base.addr), &off, 1, "");
	if (!m->f->bit_size)
		return cg_read_scalar(cg, m->f->type, p);
	return here ? read_bits(cg, m->f, p) : read_moved_bits(cg, m, p);
}

LLVMValueRef cg_read_field(struct codegen *cg, const struct type_field *f, struct cg_place base)
{
	struct cg_place p = {cg_offset(cg, cg_to_ptr(cg, base.addr), f->offset), base.space};

	return f->bit_size ? read_bits(cg, f, p) : cg_read_scalar(cg, f->type, p);
}

/*
 * To fentry programs and iterators arguments are pointers to kernel structs, for which the verifier
 * allows little arithmetic; what a helper has read is a number.
 */
LLVMValueRef cg_forget_pointer(struct codegen *cg, LLVMValueRef v)
{
	enum image_attach_kind kind = cg->prog->attach;

	return kind == IMAGE_AT_FENTRY || kind == IMAGE_AT_FEXIT || kind == IMAGE_AT_ITER
		       ? cg_as_number(cg, v)
		       : v;
}

LLVMValueRef cg_as_number(struct codegen *cg, LLVMValueRef v)
{
	LLVMValueRef from = cg_alloca(cg, cg->i64, "pointer"),
		     to = cg_alloca(cg, cg->i64, "number");

	cg_store(cg, v, from);
	cg_read(cg, to, 8, (struct cg_place){from, SPACE_KERNEL});
	return cg_load(cg, cg->i64, to);
}

/* ---- registers --------------------------------------------------------------- */

LLVMValueRef cg_register(struct codegen *cg, const char *name)
{
	return cg_load_volatile(cg, cg->i64,
				cg_offset(cg, cg->ctx_arg, target_register_offset(name)));
}

LLVMValueRef cg_call_arg(struct codegen *cg, uint32_t n)
{
	const struct target_abi *abi = target_abi();
	bool user = cg->prog->type->flags & PROBE_USER;

	if (n < abi->nargs)
		return cg_register(cg, abi->args[n]);
	uint64_t above = abi->stack_args + 8ull * (n - abi->nargs);
	LLVMValueRef sp = cg_register(cg, abi->sp), tmp = cg_alloca(cg, cg->i64, "arg");
	struct cg_place p = {LLVMBuildAdd(cg->b, sp, cg_const(cg, cg->i64, above), ""),
			     user ? SPACE_USER : SPACE_KERNEL};

	cg_read(cg, tmp, 8, p);
	return cg_load(cg, cg->i64, tmp);
}

/* ---- args ------------------------------------------------------------------- */

/* Byte offsets in struct pt_regs of the registers that carry a system call's arguments. */
#if defined(__x86_64__)
static const uint16_t syscall_arg_offsets[6] = {
	offsetof(struct pt_regs, rdi), offsetof(struct pt_regs, rsi), offsetof(struct pt_regs, rdx),
	offsetof(struct pt_regs, r10), offsetof(struct pt_regs, r8),  offsetof(struct pt_regs, r9),
};
#else
#error "system-call argument registers of this machine are not known"
#endif

static LLVMValueRef raw_arg(struct codegen *cg, uint32_t n)
{
	return cg_load_volatile(cg, cg->i64, cg_offset(cg, cg->ctx_arg, n * 8ull));
}

static LLVMValueRef syscall_arg(struct codegen *cg, uint32_t n)
{
	LLVMValueRef regs = raw_arg(cg, 0);
	LLVMValueRef at =
		LLVMBuildAdd(cg->b, regs, cg_const(cg, cg->i64, syscall_arg_offsets[n]), "");
	struct cg_place p = {at, SPACE_KERNEL};
	LLVMValueRef tmp = cg_alloca(cg, cg->i64, "sysarg");

	cg_read(cg, tmp, 8, p);
	return cg_load(cg, cg->i64, tmp);
}

/* How far behind the context's beginning @f lies, i64. */
static LLVMValueRef context_offset(struct codegen *cg, const struct type_field *f)
{
	uint32_t row;

	if (cg_arg_of_probe(cg, f, &row) && !cg_holds_here_only(cg, row))
		return cg_reloc(cg, row);
	return cg_const(cg, cg->i64, f->offset);
}

/* What lies there, as type @t. */
static LLVMValueRef context_bits(struct codegen *cg, const struct type_field *f, LLVMTypeRef t)
{
	uint32_t row;

	if (cg_arg_of_probe(cg, f, &row) && !cg_holds_here_only(cg, row))
		return cg_reloc_load(cg, row, t, cg->ctx_arg);
	return cg_load_volatile(cg, t, cg_offset(cg, cg->ctx_arg, f->offset));
}

static LLVMValueRef context_address(struct codegen *cg, const struct type_field *f)
{
	LLVMValueRef off = context_offset(cg, f);

	return LLVMBuildGEP2(cg->b, cg->i8, cg->ctx_arg, &off, 1, "");
}

/* __data_loc and __rel_loc: the low half of the word says where in the context the data is. */
static LLVMValueRef data_loc(struct codegen *cg, const struct type_field *f)
{
	LLVMValueRef off = LLVMBuildAnd(cg->b, context_bits(cg, f, cg->i32),
					cg_const(cg, cg->i32, 0xffff), "");

	off = LLVMBuildZExt(cg->b, off, cg->i64, "");
	if (f->loc == LOC_REL_LOC) {
		LLVMValueRef end =
			LLVMBuildAdd(cg->b, context_offset(cg, f), cg_const(cg, cg->i64, 4), "");

		off = LLVMBuildAdd(cg->b, off, end, "");
	}
	return LLVMBuildAdd(cg->b, cg_to_int(cg, cg->ctx_arg), off, "");
}

/* Of iterators the verifier takes each pointer for one that may be NULL. */
static LLVMValueRef context_word(struct codegen *cg, const struct type_field *f, LLVMTypeRef t)
{
	LLVMValueRef v = context_bits(cg, f, t);

	if (f->type->kind == IMAGE_K_POINTER && cg->prog->attach == IMAGE_AT_ITER)
		return cg_forget_pointer(cg, v);
	return v;
}

LLVMValueRef cg_arg_scalar(struct codegen *cg, const struct type_field *f)
{
	LLVMTypeRef t = cg_type(cg, f->type);

	switch (f->loc) {
	case LOC_RAW_ARG:
		return cg_int_cast(cg, context_bits(cg, f, cg->i64), false, t);
	case LOC_SYS_ARG:
		return cg_int_cast(cg, syscall_arg(cg, f->offset), false, t);
	case LOC_SYS_RET:
		return cg_int_cast(cg, raw_arg(cg, 1), true, t);
	case LOC_SYS_NR:
		return cg_int_cast(cg, cg->sys_nr, false, t);
	case LOC_CALL_ARG:
		return cg_int_cast(cg, cg_call_arg(cg, f->offset), false, t);
	default:
		return context_word(cg, f, t);
	}
}

/* A struct by value: its words out of their registers, put together. */
static struct cg_place struct_of_registers(struct codegen *cg, const struct type_field *f)
{
	uint32_t words = (f->type->size + 7) / 8;
	LLVMValueRef p = cg_temp(cg, words * 8, "struct");

	for (uint32_t i = 0; i < words; i++)
		cg_store(cg, cg_call_arg(cg, f->offset + i), cg_offset(cg, p, i * 8));
	return (struct cg_place){p, SPACE_BPF};
}

/* One that the caller has put into memory. */
static struct cg_place struct_on_stack(struct codegen *cg, const struct type_field *f)
{
	const struct target_abi *abi = target_abi();
	LLVMValueRef above = cg_const(cg, cg->i64, abi->stack_args + f->offset);
	LLVMValueRef p = LLVMBuildAdd(cg->b, cg_register(cg, abi->sp), above, "");

	return (struct cg_place){p, SPACE_USER};
}

struct cg_place cg_arg_place(struct codegen *cg, const struct type_field *f)
{
	switch (f->loc) {
	case LOC_DATA_LOC:
	case LOC_REL_LOC:
		return (struct cg_place){data_loc(cg, f), SPACE_KERNEL};
	case LOC_RAW_ARG: /* a struct passed by value does not exist: the word is its address */
		return (struct cg_place){context_bits(cg, f, cg->i64), SPACE_KERNEL};
	case LOC_CALL_REGS:
		return struct_of_registers(cg, f);
	case LOC_CALL_STACK:
		return struct_on_stack(cg, f);
	default:
		/* the helper reads the context like any kernel memory */
		return (struct cg_place){context_address(cg, f), SPACE_KERNEL};
	}
}

void cg_arg_copy(struct codegen *cg, const struct type_field *f, LLVMValueRef dst)
{
	struct cg_place p = cg_arg_place(cg, f);

	if (f->type->kind != IMAGE_K_STRING) {
		cg_read(cg, dst, f->type->size, p);
		return;
	}
	cg_zero(cg, dst, f->type->size);
	cg_read_str(cg, dst, f->type->size, p.addr, p.space);
}
