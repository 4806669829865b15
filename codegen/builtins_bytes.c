/* SPDX-License-Identifier: Apache-2.0 */
/* Emitters of the builtins that copy bytes or turn them: buf, ntop, pton, macaddr, bswap, names. */
#include <arpa/inet.h>
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

/* ---- buf --------------------------------------------------------------------- */

/* What an argument that is an address, or bytes themselves, says where the bytes are. */
static struct cg_place bytes_of(struct codegen *cg, struct ast_expr *e)
{
	if (cg_is_scalar(e->type))
		return (struct cg_place){cg_expr64(cg, e), e->type->space};
	if (e->is_const && e->const_str)
		return (struct cg_place){cg_expr_addr(cg, e), SPACE_BPF};
	return cg_place_of(cg, e);
}

static void read_known(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst, uint32_t n)
{
	struct ast_expr *from = cg_arg_of(e, 0);
	struct cg_place p = bytes_of(cg, from);

	/* what lies in BPF memory ends where its type does */
	if (p.space == SPACE_BPF && from->type->size < n)
		n = from->type->size;
	cg_read(cg, dst, n, p);
}

static void read_unknown(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst, LLVMValueRef n)
{
	struct ast_expr *from = cg_arg_of(e, 0);
	struct cg_place p = bytes_of(cg, from);
	uint32_t max = e->type->size - 4;

	if (p.space == SPACE_BPF && from->type->size < max)
		max = from->type->size;
	cg_read_bounded(cg, dst, n, max, p);
}

LLVMValueRef cg_emit_buf(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *len = cg_arg_of(e, 1);
	LLVMValueRef data = cg_offset(cg, dst, 4);
	uint32_t room = e->type->size - 4;

	if (len && !len->is_const) {
		LLVMValueRef n = cg_expr64(cg, len), most = cg_const(cg, cg->i64, room);

		n = LLVMBuildSelect(cg->b, LLVMBuildICmp(cg->b, LLVMIntULT, n, most, ""), n, most,
				    "");
		cg_zero(cg, dst, e->type->size);
		cg_store(cg, LLVMBuildTrunc(cg->b, n, cg->i32, ""), dst);
		read_unknown(cg, e, data, n);
		return NULL;
	}
	uint64_t n = len ? len->const_int : cg_arg_of(e, 0)->type->size;
	if (n > room)
		n = room;
	cg_zero(cg, dst, e->type->size);
	cg_store(cg, cg_const(cg, cg->i32, n), dst);
	if (n)
		read_known(cg, e, data, n);
	return NULL;
}

/* ---- addresses of the network --------------------------------------------------- */

LLVMValueRef cg_emit_ntop(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *addr = cg_arg_of(e, e->u.call.args.len - 1);
	bool given = e->u.call.args.len == 2, number = cg_is_scalar(addr->type);
	uint32_t size = number ? 4 : addr->type->size;
	LLVMValueRef v = number ? cg_expr64(cg, addr) : NULL;
	LLVMValueRef family = given ? cg_expr64(cg, cg_arg_of(e, 0))
				    : cg_const(cg, cg->i64, size == 4 ? AF_INET : AF_INET6);

	cg_zero(cg, dst, e->type->size);
	cg_store(cg, LLVMBuildTrunc(cg->b, family, cg->i32, ""), dst);
	if (number)
		cg_store(cg, LLVMBuildTrunc(cg->b, v, cg->i32, ""), cg_offset(cg, dst, 4));
	else
		cg_read(cg, cg_offset(cg, dst, 4), size, bytes_of(cg, addr));
	return NULL;
}

LLVMValueRef cg_emit_pton(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	const char *text = cg_arg_of(e, 0)->const_str;
	char bytes[16] = {0};

	inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, bytes);
	cg_store_bytes(cg, dst, bytes, e->type->size, e->type->size);
	return NULL;
}

LLVMValueRef cg_emit_macaddr(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	cg_read(cg, dst, e->type->size, bytes_of(cg, cg_arg_of(e, 0)));
	return NULL;
}

/* ---- numbers ----------------------------------------------------------------------- */

/* kptr, uptr, strftime, cgroup_path: the number itself; its type says what it means. */
LLVMValueRef cg_emit_same(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *x = cg_arg_of(e, e->u.call.builtin->id == BUILTIN_STRFTIME);

	(void)dst;
	return cg_expr_as(cg, x, e->type);
}

/* Looked up when it is shown: nothing to send but its type. */
LLVMValueRef cg_emit_when_shown(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)e;
	(void)dst;
	return cg_const(cg, cg->i64, 0);
}

LLVMValueRef cg_emit_bswap(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMTypeRef t = cg_type(cg, e->type);
	LLVMValueRef v = cg_expr_as(cg, cg_arg_of(e, 0), e->type);
	unsigned id = LLVMLookupIntrinsicID("llvm.bswap", strlen("llvm.bswap"));

	(void)dst;
	if (e->type->size == 1)
		return v;
	return LLVMBuildCall2(cg->b, LLVMIntrinsicGetType(cg->ctx, id, &t, 1),
			      LLVMGetIntrinsicDeclaration(cg->mod, id, &t, 1), &v, 1, "");
}

/* ---- names of numbers ----------------------------------------------------------------- */

static const struct {
	enum builtin_id id;
	enum target_names which;
	const char *symbol;
} name_tables[] = {
	{BUILTIN_STRERROR, TARGET_NAMES_ERRORS, "error_names"},
	{BUILTIN_SIGNAL_NAME, TARGET_NAMES_SIGNALS, "signal_names"},
	{BUILTIN_SYSCALL_NAME, TARGET_NAMES_SYSCALLS, "syscall_names"},
};

#define NAME_WIDTH (TARGET_NAME_MAX + 1)

/* All names, each in as many bytes, and last the word for numbers without one. */
static LLVMValueRef name_table(struct codegen *cg, enum target_names which, const char *symbol)
{
	LLVMValueRef table = LLVMGetNamedGlobal(cg->mod, symbol), init;
	unsigned n = target_names_count(which);
	char *text;

	if (table)
		return table;
	text = arena_alloc(cg->arena, (n + 1) * NAME_WIDTH);
	for (unsigned i = 0; i <= n; i++)
		strncpy(text + i * NAME_WIDTH,
			target_number_name(which, i < n ? (int)i : INT32_MAX), TARGET_NAME_MAX);
	init = LLVMConstStringInContext2(cg->ctx, text, (n + 1) * NAME_WIDTH, 1);
	table = LLVMAddGlobal(cg->mod, LLVMTypeOf(init), symbol);
	LLVMSetInitializer(table, init);
	LLVMSetGlobalConstant(table, 1);
	LLVMSetLinkage(table, LLVMInternalLinkage);
	LLVMSetSection(table, ".rodata.names");
	LLVMSetAlignment(table, 8);
	return table;
}

LLVMValueRef cg_emit_number_name(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef i = cg_expr64(cg, cg_arg_of(e, 0)), n, at;
	size_t row = 0;

	if (!cg_needs(cg, TARGET_F_GLOBAL_DATA, e->u.call.name))
		return NULL;
	while (name_tables[row].id != e->u.call.builtin->id)
		row++;
	n = cg_const(cg, cg->i64, target_names_count(name_tables[row].which));
	if (name_tables[row].which == TARGET_NAMES_ERRORS) /* -EPERM is EPERM */
		i = LLVMBuildSelect(cg->b,
				    LLVMBuildICmp(cg->b, LLVMIntSLT, i, LLVMConstNull(cg->i64), ""),
				    LLVMBuildNeg(cg->b, i, ""), i, "");
	/* bounded where the optimiser does not see that it is: for the verifier */
	i = cg_opaque(cg, i);
	i = LLVMBuildSelect(cg->b, LLVMBuildICmp(cg->b, LLVMIntULT, i, n, ""), i, n, "");
	at = LLVMBuildMul(cg->b, i, cg_const(cg, cg->i64, NAME_WIDTH), "");
	at = LLVMBuildGEP2(cg->b, cg->i8,
			   name_table(cg, name_tables[row].which, name_tables[row].symbol), &at, 1,
			   "");
	cg_copy(cg, dst, at, NAME_WIDTH);
	return NULL;
}
