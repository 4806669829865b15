/* SPDX-License-Identifier: Apache-2.0 */
/* Builtins: one emitter for each name in the last column of src/sema/builtins.def. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

/* ---- who and where ------------------------------------------------------------- */

static LLVMValueRef call0(struct codegen *cg, unsigned helper)
{
	return cg_helper(cg, helper, NULL, 0);
}

static LLVMValueRef low_half(struct codegen *cg, LLVMValueRef v, struct ast_expr *e)
{
	v = LLVMBuildTrunc(cg->b, v, cg->i32, "");
	return cg_int_cast(cg, v, false, cg_type(cg, e->type));
}

static LLVMValueRef high_half(struct codegen *cg, LLVMValueRef v, struct ast_expr *e)
{
	return low_half(cg, LLVMBuildLShr(cg->b, v, cg_const(cg, cg->i64, 32), ""), e);
}

static LLVMValueRef cg_emit_pid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return high_half(cg, call0(cg, BPF_FUNC_get_current_pid_tgid), e);
}

static LLVMValueRef cg_emit_tid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return low_half(cg, call0(cg, BPF_FUNC_get_current_pid_tgid), e);
}

static LLVMValueRef cg_emit_uid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return low_half(cg, call0(cg, BPF_FUNC_get_current_uid_gid), e);
}

static LLVMValueRef cg_emit_gid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return high_half(cg, call0(cg, BPF_FUNC_get_current_uid_gid), e);
}

static LLVMValueRef cg_emit_comm(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef args[] = {dst, cg_const(cg, cg->i32, e->type->size)};

	/* some kernels (6.1 is one) leave what follows the name's end as it was: keys need it clear
	 */
	cg_zero(cg, dst, e->type->size);
	cg_helper(cg, BPF_FUNC_get_current_comm, args, 2);
	return NULL;
}

static LLVMValueRef simple(struct codegen *cg, struct ast_expr *e, unsigned helper)
{
	return cg_int_cast(cg, call0(cg, helper), false, cg_type(cg, e->type));
}

static LLVMValueRef cg_emit_cpu(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_smp_processor_id);
}

static LLVMValueRef cg_emit_cpid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	LLVMValueRef v = cg_control_load(cg, cg->i64, offsetof(struct image_control, cpid));
	return cg_int_cast(cg, v, false, cg_type(cg, e->type));
}

static LLVMValueRef cg_emit_curtask(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_current_task);
}

static LLVMValueRef cg_emit_cgroup(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_current_cgroup_id);
}

static LLVMValueRef cg_emit_numaid(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_numa_node_id);
}

static LLVMValueRef cg_emit_rand(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_get_prandom_u32);
}

static LLVMValueRef cg_emit_jiffies(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return simple(cg, e, BPF_FUNC_jiffies64);
}

/* ---- when -------------------------------------------------------------------------- */

LLVMValueRef cg_nsecs(struct codegen *cg)
{
	return call0(cg, target_has(cg->r->target, TARGET_F_BOOT_CLOCK) ? BPF_FUNC_ktime_get_boot_ns
									: BPF_FUNC_ktime_get_ns);
}

static LLVMValueRef cg_emit_nsecs(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	const char *clock = NULL;

	(void)dst;
	if (e->kind == AST_CALL && e->u.call.args.len && e->u.call.args.items[0]->kind == AST_IDENT)
		clock = e->u.call.args.items[0]->u.ident.name;
	if (clock && !strcmp(clock, "monotonic"))
		return call0(cg, BPF_FUNC_ktime_get_ns);
	if (clock && !strcmp(clock, "tai"))
		return call0(cg, BPF_FUNC_ktime_get_tai_ns);
	return cg_nsecs(cg);
}

/* Since the moment that the probes woke; 0 before it. */
static LLVMValueRef cg_emit_elapsed(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst, (void)e;
	LLVMValueRef start = cg_control_load(cg, cg->i64, offsetof(struct image_control, start_ns));
	LLVMValueRef since = LLVMBuildSub(cg->b, cg_nsecs(cg), start, "");

	return LLVMBuildSelect(cg->b, cg_truth(cg, start), since, cg_const(cg, cg->i64, 0), "");
}

/* ---- the event ------------------------------------------------------------------------ */

/* What the program was attached with, where it serves several probes. */
static LLVMValueRef cookie(struct codegen *cg)
{
	LLVMValueRef v = cg_helper(cg, BPF_FUNC_get_attach_cookie, &cg->ctx_arg, 1);

	return LLVMBuildTrunc(cg->b, v, cg->i32, "");
}

static LLVMValueRef cg_emit_probe(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst, (void)e;
	if (cg->sys_probe)
		return cg->sys_probe;
	if (sema_uses_cookies(cg->prog))
		return cookie(cg);
	return cg_const(cg, cg->i32,
			cg->prog->attachments.len ? cg->prog->attachments.items[0].probe : 0);
}

static LLVMValueRef cg_emit_args(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	cg_fail(cg, e->span, "args as a whole is not supported yet: name a field of it");
	return cg_const(cg, cg->i64, 0);
}

static LLVMValueRef cg_emit_argn(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
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

static LLVMValueRef cg_emit_reg(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return cg_register(cg, e->u.call.args.items[0]->const_str);
}

static LLVMValueRef cg_emit_retval(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst, (void)e;
	if (cg->prog->retval)
		return cg_arg_scalar(cg, cg->prog->retval);
	return cg_register(cg, target_abi()->result);
}

/* An address of this process, with whose it is: threads share it, and a key made of it. */
static void store_usym(struct codegen *cg, LLVMValueRef addr, LLVMValueRef dst)
{
	LLVMValueRef who = call0(cg, BPF_FUNC_get_current_pid_tgid);
	LLVMValueRef pid = LLVMBuildLShr(cg->b, who, cg_const(cg, cg->i64, 32), "");

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
static LLVMValueRef function_address(struct codegen *cg)
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

static LLVMValueRef cg_emit_func(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef ip = function_address(cg);

	if (e->type->kind == IMAGE_K_KSYM)
		return ip;
	store_usym(cg, ip, dst);
	return NULL;
}

static LLVMValueRef stack_id(struct codegen *cg, uint32_t depth, uint64_t flags)
{
	struct cg_map *m = cg_stack_map(cg, depth);
	LLVMValueRef args[] = {cg->ctx_arg, m->var, cg_const(cg, cg->i64, flags)};
	LLVMValueRef id = cg_helper(cg, BPF_FUNC_get_stackid, args, 3);
	LLVMBasicBlockRef lost = cg_block(cg, "no_stack"), done = cg_block(cg, "stack");

	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntSLT, id, cg_const(cg, cg->i64, 0), ""),
			lost, done);
	cg_at(cg, lost);
	cg_control_count(cg, offsetof(struct image_control, lost_stacks));
	cg_goto(cg, done);
	cg_at(cg, done);
	return id;
}

static LLVMValueRef cg_emit_stack(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	bool user = e->type->kind == IMAGE_K_USTACK;
	LLVMValueRef id = stack_id(cg, e->type->arg[0], user ? BPF_F_USER_STACK : 0);

	if (!user)
		return id;
	/* with whose stack it is, so that its addresses can be looked up */
	LLVMValueRef who = call0(cg, BPF_FUNC_get_current_pid_tgid);
	cg_store(cg, id, dst);
	LLVMValueRef pid = LLVMBuildLShr(cg->b, who, cg_const(cg, cg->i64, 32), "");
	cg_store(cg, LLVMBuildTrunc(cg->b, pid, cg->i32, ""), cg_offset(cg, dst, 8));
	cg_store(cg, LLVMBuildTrunc(cg->b, who, cg->i32, ""), cg_offset(cg, dst, 12));
	return NULL;
}

/* ---- values ----------------------------------------------------------------------------- */

static struct ast_expr *arg(struct ast_expr *e, size_t n)
{
	return n < e->u.call.args.len ? e->u.call.args.items[n] : NULL;
}

/* The number of bytes that str() reads with a length known only at run time. */
static LLVMValueRef bounded_length(struct codegen *cg, struct ast_expr *len, uint32_t max)
{
	LLVMValueRef n = cg_expr64(cg, len), limit = cg_const(cg, cg->i64, max);

	n = LLVMBuildSelect(cg->b, LLVMBuildICmp(cg->b, LLVMIntUGT, n, limit, ""), limit, n, "");
	return n;
}

static void str_dynamic(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst,
			struct cg_place from)
{
	LLVMValueRef n = cg_opaque(cg, bounded_length(cg, arg(e, 1), e->type->size));
	LLVMBasicBlockRef ok = cg_block(cg, "length"), done = cg_block(cg, "str");
	LLVMValueRef limit = cg_const(cg, cg->i64, e->type->size);

	/* the same bound again, where the optimiser cannot drop it: for the verifier */
	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntULE, n, limit, ""), ok, done);
	cg_at(cg, ok);
	unsigned helper = from.space == SPACE_USER ? BPF_FUNC_probe_read_user_str
						   : BPF_FUNC_probe_read_kernel_str;
	if (!target_has(cg->r->target, TARGET_F_PROBE_READ_KERNEL))
		helper = BPF_FUNC_probe_read_str;
	LLVMValueRef args[] = {dst, n, cg_to_int(cg, from.addr)};
	cg_helper(cg, helper, args, 3);
	cg_goto(cg, done);
	cg_at(cg, done);
}

static LLVMValueRef cg_emit_str(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct ast_expr *from = arg(e, 0), *len = arg(e, 1);
	struct cg_place p;

	if (from->type->kind == IMAGE_K_STRING) { /* already one: str(comm) */
		cg_expr_into(cg, from, dst, e->type);
		return NULL;
	}
	if (cg_is_scalar(from->type))
		p = (struct cg_place){cg_expr64(cg, from), from->type->space};
	else
		p = cg_place_of(cg, from);
	bool dynamic = len && !len->is_const;
	if (!cg->into_record || dynamic)
		cg_zero(cg, dst, e->type->size);
	if (dynamic)
		str_dynamic(cg, e, dst, p);
	else
		cg_read_str(cg, dst, e->type->size, p.addr, p.space);
	return NULL;
}

static LLVMValueRef cg_emit_disk_name(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return LLVMBuildTrunc(cg->b, cg_expr64(cg, arg(e, 0)), cg->i32, "");
}

static LLVMValueRef cg_emit_ksym(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	return cg_expr64(cg, arg(e, 0));
}

static LLVMValueRef cg_emit_usym(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	store_usym(cg, cg_expr64(cg, arg(e, 0)), dst);
	return NULL;
}

static LLVMValueRef cg_emit_strncmp(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef equal = cg_strings_equal(cg, arg(e, 0), arg(e, 1), arg(e, 2)->const_int);

	(void)dst;
	return LLVMBuildZExt(cg->b, LLVMBuildNot(cg->b, equal, ""), cg_type(cg, e->type), "");
}

/* ---- maps ----------------------------------------------------------------------------------- */

/* f(@m, key), or the old f(@m[key]) */
static LLVMValueRef key_of(struct codegen *cg, struct ast_expr *e)
{
	struct ast_expr *map = arg(e, 0);

	return cg_key_from(cg, map->u.map.decl, arg(e, 1) ? arg(e, 1) : map->u.map.key);
}

static LLVMValueRef cg_emit_has_key(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef p = cg_map_lookup(cg, arg(e, 0)->u.map.decl, key_of(cg, e));

	(void)dst;
	return LLVMBuildZExt(cg->b, LLVMBuildIsNotNull(cg->b, p, ""), cg_type(cg, e->type), "");
}

static LLVMValueRef cg_emit_delete(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	if (e->u.call.action) { /* a whole map: done where clear() is done */
		cg_action(cg, e->u.call.action, NULL, NULL);
		return cg_const(cg, cg_type(cg, e->type), 1);
	}
	LLVMValueRef ok = cg_map_delete(cg, arg(e, 0)->u.map.decl, key_of(cg, e));
	return LLVMBuildZExt(cg->b, ok, cg_type(cg, e->type), "");
}

static LLVMValueRef cg_emit_len(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	if (!cg_needs(cg, TARGET_F_FOR_EACH_MAP, "len() of a map"))
		return cg_const(cg, cg->i64, 0);
	return cg_map_len(cg, arg(e, 0)->u.map.decl);
}

/* ---- statements ---------------------------------------------------------------------------------
 */

struct payload {
	const struct type *type;
	struct ast_expr **args;
	size_t n;
	LLVMValueRef *scalars; /* evaluated before the record is reserved */
};

static void fill_tuple(struct codegen *cg, LLVMValueRef at, void *arg_)
{
	struct payload *p = arg_;
	bool was = cg->into_record;

	cg->into_record = true;
	for (size_t i = 0; i < p->n; i++) {
		const struct type_field *f = &p->type->fields.items[i];
		LLVMValueRef to = cg_offset(cg, at, f->offset);

		if (p->scalars[i])
			cg_store(cg, p->scalars[i], to);
		else
			cg_expr_into(cg, p->args[i], to, f->type);
	}
	cg->into_record = was;
}

/* Scalars first: their side effects happen even when the record finds no room. */
static void eval_scalars(struct codegen *cg, struct payload *p)
{
	p->scalars = arena_alloc(cg->arena, (p->n + 1) * sizeof(*p->scalars));
	for (size_t i = 0; i < p->n; i++)
		if (cg_is_scalar(p->type->fields.items[i].type))
			p->scalars[i] = cg_expr_as(cg, p->args[i], p->type->fields.items[i].type);
}

static LLVMValueRef cg_emit_printf(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct sema_action *a = e->u.call.action;
	struct payload p = {a->payload, e->u.call.args.items + 1, e->u.call.args.len - 1, NULL};

	(void)dst;
	if (p.n)
		eval_scalars(cg, &p);
	cg_action(cg, a, p.n ? fill_tuple : NULL, &p);
	return NULL;
}

static void fill_value(struct codegen *cg, LLVMValueRef at, void *arg_)
{
	struct payload *p = arg_;

	if (p->scalars[0])
		cg_store(cg, p->scalars[0], at);
	else
		cg_expr_into(cg, p->args[0], at, p->type);
}

static void print_value(struct codegen *cg, struct sema_action *a, struct ast_expr *v)
{
	LLVMValueRef scalar = NULL;
	struct payload p = {a->payload, &v, 1, &scalar};

	if (cg_is_scalar(a->payload))
		scalar = cg_expr_as(cg, v, a->payload);
	cg_action(cg, a, fill_value, &p);
}

/* print(@m[k]): the key goes along */
static void print_elem(struct codegen *cg, struct sema_action *a, struct ast_expr *map)
{
	struct ast_expr *args[] = {map->u.map.key, map};
	struct payload p = {a->payload, args, 2, NULL};

	eval_scalars(cg, &p);
	cg_action(cg, a, fill_tuple, &p);
}

static LLVMValueRef cg_emit_print(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct sema_action *a = e->u.call.action;

	(void)dst;
	switch (a->kind) {
	case IMAGE_A_PRINT_VALUE:
		print_value(cg, a, arg(e, 0));
		break;
	case IMAGE_A_PRINT_ELEM:
		print_elem(cg, a, arg(e, 0));
		break;
	default:
		cg_action(cg, a, NULL, NULL);
		break;
	}
	return NULL;
}

static LLVMValueRef cg_emit_map_op(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	cg_action(cg, e->u.call.action, NULL, NULL);
	return NULL;
}

static LLVMValueRef cg_emit_time(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	return cg_emit_map_op(cg, e, dst);
}

/* Closes the gate here and now; user space is told, and finds the words even if it is not. */
static LLVMValueRef cg_emit_exit(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	LLVMValueRef code = arg(e, 0) ? cg_expr64(cg, arg(e, 0)) : cg_const(cg, cg->i64, 0);

	(void)dst;
	cg_control_store(cg, offsetof(struct image_control, exit_code), code);
	cg_control_store(cg, offsetof(struct image_control, exiting), cg_const(cg, cg->i32, 1));
	if (cg->r->config.sync_probes)
		cg_control_store(cg, offsetof(struct image_control, active),
				 cg_const(cg, cg->i32, 0));
	cg_action(cg, e->u.call.action, NULL, NULL);
	cg_leave(cg);
	return NULL;
}

struct join {
	const struct type *type;
	LLVMValueRef array;
	enum type_space space;
};

/* A NULL-terminated array of strings, as far as the record has fields for them. */
static void fill_join(struct codegen *cg, LLVMValueRef at, void *arg_)
{
	struct join *j = arg_;
	LLVMBasicBlockRef done = cg_block(cg, "joined");

	cg_zero(cg, at, j->type->size);
	for (size_t i = 0; i < j->type->fields.len; i++) {
		const struct type_field *f = &j->type->fields.items[i];
		LLVMValueRef from = LLVMBuildAdd(cg->b, j->array, cg_const(cg, cg->i64, i * 8), "");
		LLVMValueRef tmp = cg_alloca(cg, cg->i64, "word");
		LLVMBasicBlockRef next = cg_block(cg, "join");

		cg_read(cg, tmp, 8, (struct cg_place){from, j->space});
		LLVMValueRef s = cg_load(cg, cg->i64, tmp);
		LLVMBuildCondBr(cg->b, cg_truth(cg, s), next, done);
		cg_at(cg, next);
		cg_read_str(cg, cg_offset(cg, at, f->offset), f->type->size, s, j->space);
	}
	cg_goto(cg, done);
	cg_at(cg, done);
}

static LLVMValueRef cg_emit_join(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct sema_action *a = e->u.call.action;
	struct join j = {a->payload, cg_expr64(cg, arg(e, 0)), arg(e, 0)->type->space};

	(void)dst;
	cg_action(cg, a, fill_join, &j);
	return NULL;
}

/* Aggregations are reached through their assignment, constants never come here. */
static LLVMValueRef misplaced(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	(void)dst;
	cg_fail(cg, e->span, "internal error: '%s' reached code generation",
		e->kind == AST_CALL ? e->u.call.name : e->u.ident.name);
	return cg_const(cg, cg->i64, 0);
}

#define cg_emit_fold   misplaced
#define cg_emit_count  misplaced
#define cg_emit_sum    misplaced
#define cg_emit_minmax misplaced
#define cg_emit_avg    misplaced
#define cg_emit_hist   misplaced
#define cg_emit_lhist  misplaced

static cg_emit_fn *const emitters[BUILTIN_COUNT_] = {
#define BUILTIN(id, name, flags, min, max, check, emit) [BUILTIN_##id] = cg_emit_##emit,
#include "sema/builtins.def"
#undef BUILTIN
};

LLVMValueRef cg_builtin(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	const struct builtin *b = e->kind == AST_CALL ? e->u.call.builtin : e->u.ident.builtin;

	return emitters[b->id](cg, e, dst);
}
