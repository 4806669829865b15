/* SPDX-License-Identifier: Apache-2.0 */
/* Emitters of the builtins about addresses of symbols, and of those that take kernel pointers. */
#include <stddef.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "codegen/cg.h"

/* ---- symbols of the kernel --------------------------------------------------------- */

/* An external variable that libbpf looks up in kallsyms when it loads the object. */
static LLVMValueRef kernel_symbol(struct codegen *cg, const char *name)
{
	LLVMValueRef var = LLVMGetNamedGlobal(cg->mod, name);

	if (!var && LLVMGetNamedFunction(cg->mod, name)) {
		cg_fail(cg, cg->at, "kernel symbol %s has the name of a program of this script",
			name);
		return cg_const(cg, cg->i64, 0);
	}
	if (var && LLVMGetInitializer(var)) {
		cg_fail(cg, cg->at, "kernel symbol %s has the name of a map of this script", name);
		return cg_const(cg, cg->i64, 0);
	}
	if (!var) {
		var = LLVMAddGlobal(cg->mod, cg->i8, name);
		LLVMSetSection(var, ".ksyms");
		cg_debug_symbol(cg, var, name);
	}
	/* hidden: the optimiser has its own ideas of what the address of a variable can be */
	return cg_opaque(cg, cg_to_int(cg, var));
}

LLVMValueRef cg_emit_kaddr(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return kernel_symbol(cg, cg_arg_of(e, 0)->const_str);
}

/* Of a processor's copy: the symbol, and how far that processor's data lies from it. */
LLVMValueRef cg_emit_percpu_kaddr(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef symbol = kernel_symbol(cg, cg_arg_of(e, 0)->const_str);
	LLVMValueRef offsets = kernel_symbol(cg, "__per_cpu_offset"), cpu, there, v;
	LLVMValueRef tmp = cg_alloca(cg, cg->i64, "percpu_offset");

	(void)dst;
	cpu = cg_arg_of(e, 1) ? cg_expr64(cg, cg_arg_of(e, 1))
			      : cg_call0(cg, BPF_FUNC_get_smp_processor_id);
	there = LLVMBuildICmp(cg->b, LLVMIntULT, cpu,
			      cg_const(cg, cg->i64, libbpf_num_possible_cpus()), "");
	v = LLVMBuildAdd(cg->b, offsets, LLVMBuildShl(cg->b, cpu, cg_const(cg, cg->i64, 3), ""),
			 "");
	cg_read(cg, tmp, 8, (struct cg_place){v, SPACE_KERNEL});
	v = LLVMBuildAdd(cg->b, symbol, cg_load(cg, cg->i64, tmp), "");
	return LLVMBuildSelect(cg->b, there, v, cg_const(cg, cg->i64, 0), "");
}

/* ---- symbols of a program ------------------------------------------------------------ */

LLVMValueRef cg_emit_uaddr(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	const struct sema_program *p = cg->prog;
	const struct sema_user_symbol *s = p->user_symbols.items;

	(void)dst;
	while (strcmp(s->name, cg_arg_of(e, 0)->const_str))
		s++;
	LLVMValueRef v = cg_const(cg, cg->i64, s->sym.address);
	return s->sym.relative ? LLVMBuildAdd(cg->b, cg_function_address(cg), v, "") : v;
}

/* ---- pointers as the kernel gave them --------------------------------------------------- */

static LLVMValueRef typed_address(struct codegen *cg, struct ast_expr *e);

/*
 * A pointer that the verifier still knows to be one: loaded from the context, or through
 * another such pointer, and not read by a helper, which makes a number of it.
 */
static LLVMValueRef typed_pointer(struct codegen *cg, struct ast_expr *e)
{
	if (e->kind == AST_CAST && e->u.cast.e->type->kind == IMAGE_K_POINTER)
		return typed_pointer(cg, e->u.cast.e);
	if (e->kind == AST_CALL && e->u.call.builtin && e->u.call.builtin->id == BUILTIN_KPTR)
		return typed_pointer(cg, cg_arg_of(e, 0));
	if (e->kind == AST_FIELD && !e->u.field.e->type->is_ctx)
		return cg_load_volatile(cg, cg->i64, cg_to_ptr(cg, typed_address(cg, e)));
	return cg_expr64(cg, e);
}

/* The address of a struct, or of a field, reached that way. */
static LLVMValueRef typed_address(struct codegen *cg, struct ast_expr *e)
{
	struct ast_expr *base;
	LLVMValueRef p, off;
	struct cg_field m;
	bool moved;

	if (e->kind == AST_UNARY && e->u.unary.op == AST_DEREF)
		return typed_pointer(cg, e->u.unary.e);
	if (e->kind != AST_FIELD || e->u.field.e->type->is_ctx)
		return cg_to_int(cg, cg_place_of(cg, e).addr);
	moved = cg_field_of(cg, e, &m);
	base = moved ? m.base : e->u.field.e;
	p = base->type->kind == IMAGE_K_POINTER ? typed_pointer(cg, base) : typed_address(cg, base);
	off = moved ? cg_field_offset(cg, &m) : cg_const(cg, cg->i64, e->u.field.resolved->offset);
	return LLVMBuildAdd(cg->b, p, off, "");
}

LLVMValueRef cg_emit_path(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *x = cg_arg_of(e, 0);
	LLVMValueRef path =
		x->type->kind == IMAGE_K_POINTER ? typed_pointer(cg, x) : typed_address(cg, x);
	LLVMValueRef args[] = {path, dst, cg_const(cg, cg->i32, e->type->size)};

	/* what does not fit leaves the end of the path: nothing is to stand behind it */
	cg_zero(cg, dst, e->type->size);
	cg_helper(cg, BPF_FUNC_d_path, args, 3);
	return NULL;
}

LLVMValueRef cg_emit_socket_cookie(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef sock = typed_pointer(cg, cg_arg_of(e, 0));

	(void)dst;
	return cg_helper(cg, BPF_FUNC_get_socket_cookie, &sock, 1);
}

/* The kernel puts the packet behind what is said of it. */
LLVMValueRef cg_emit_skboutput(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	const struct sema_action *a = e->u.call.action;
	uint32_t size = sizeof(struct image_packet);
	LLVMValueRef head = cg_alloca_bytes(cg, size, "packet"), len, flags, r;
	LLVMValueRef skb = typed_pointer(cg, cg_arg_of(e, 1));

	(void)dst;
	len = cg_expr64(cg, cg_arg_of(e, 2));
	len = LLVMBuildAnd(cg->b, len, cg_const(cg, cg->i64, BPF_F_CTXLEN_MASK >> 32), "");
	cg_store(cg, cg_const(cg, cg->i64, (uint64_t)size << 32 | a->index), head);
	cg_store(cg, cg_nsecs(cg), cg_offset(cg, head, offsetof(struct image_packet, time)));
	cg_store(cg, len, cg_offset(cg, head, offsetof(struct image_packet, length)));
	cg_store(cg, cg_expr64(cg, cg_arg_of(e, 3)),
		 cg_offset(cg, head, offsetof(struct image_packet, offset)));
	flags = LLVMBuildShl(cg->b, len, cg_const(cg, cg->i64, 32), "");
	flags = LLVMBuildOr(cg->b, flags, cg_const(cg, cg->i64, BPF_F_CURRENT_CPU), "");
	LLVMValueRef args[] = {skb, cg->packets->var, flags, head, cg_const(cg, cg->i64, size)};
	r = cg_helper(cg, BPF_FUNC_skb_output, args, 5);
	return cg_int_cast(cg, r, true, cg_type(cg, e->type));
}
