/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program: the gate at its head, then whose event it is (process, system call), then
 * the predicate and the body.
 *
 *	entry    allocas; without global data: finds the control words
 *	gate     active? else leave
 *	lookup   finds scratch memory, when the body turned out to need it
 *	setup    addresses of large variables
 *	main     filters, predicate, body
 *	leave    return 0
 */
#include <stddef.h>
#include <string.h>

#include <asm/ptrace.h>
#include <linux/bpf.h>

#include "codegen/cg.h"

/* Beyond this many system calls a program looks its probe up in a table. */
#define SWITCH_MAX 8

static const char *const sections[IMAGE_NATTACH] = {
	[IMAGE_AT_BEGIN] = "raw_tp",        [IMAGE_AT_END] = "raw_tp",
	[IMAGE_AT_SELF] = "raw_tp",         [IMAGE_AT_TEST] = "raw_tp",
	[IMAGE_AT_BENCH] = "raw_tp",        [IMAGE_AT_RAW_TP] = "raw_tp",
	[IMAGE_AT_TRACEPOINT] = "tp",       [IMAGE_AT_INTERVAL] = "perf_event",
	[IMAGE_AT_PROFILE] = "perf_event",  [IMAGE_AT_SOFTWARE] = "perf_event",
	[IMAGE_AT_HARDWARE] = "perf_event", [IMAGE_AT_WATCHPOINT] = "perf_event",
	[IMAGE_AT_KPROBE] = "kprobe",       [IMAGE_AT_KRETPROBE] = "kretprobe",
	[IMAGE_AT_UPROBE] = "uprobe",       [IMAGE_AT_URETPROBE] = "uretprobe",
	[IMAGE_AT_USDT] = "uprobe",         [IMAGE_AT_FENTRY] = "fentry",
	[IMAGE_AT_FEXIT] = "fexit",         [IMAGE_AT_BTF_TP] = "tp_btf",
	[IMAGE_AT_ITER] = "iter",
};

const char *cg_section(const struct codegen *cg, enum image_attach_kind k)
{
	const char *section = sections[k];
	bool attached = k == IMAGE_AT_RAW_TP;

	/* what we run ourselves, where such programs cannot be run for the asking */
	if (section && !attached && !strcmp(section, "raw_tp") &&
	    !target_has(cg->r->target, TARGET_F_RAW_TP_TEST_RUN))
		return "perf_event";
	return section;
}

/* ---- the gate --------------------------------------------------------------------- */

static void find_control(struct codegen *cg)
{
	LLVMValueRef key = cg_alloca_var(cg, 8, "control_key");
	LLVMBasicBlockRef found = cg_block(cg, "control");

	if (!cg->control_ptr)
		cg->control_ptr = cg_alloca_var(cg, 8, "control_ptr");
	cg_store(cg, cg_const(cg, cg->i32, 0), key);
	LLVMValueRef args[] = {cg->control_map->var, key};
	LLVMValueRef p = cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_map_lookup_elem, args, 2));
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), cg->leave, found);
	cg_at(cg, found);
	LLVMBuildStore(cg->b, p, cg->control_ptr);
}

static void gate(struct codegen *cg)
{
	if (cg->control_map)
		find_control(cg);
	if (!cg->prog->gated || !cg->r->config.sync_probes) {
		cg_goto(cg, cg->lookup);
		return;
	}
	LLVMValueRef active = cg_control_load(cg, cg->i32, offsetof(struct image_control, active));
	LLVMValueRef awake =
		LLVMBuildICmp(cg->b, LLVMIntEQ, active, cg_const(cg, cg->i32, 1), "awake");
	LLVMBuildCondBr(cg->b, awake, cg->lookup, cg->leave);
}

/* ---- scratch ------------------------------------------------------------------------ */

/* What the kernel allows for one element on each processor (PCPU_MIN_UNIT_SIZE). */
#define PERCPU_MAX 32768

/* One element a program: two programs on one CPU may interrupt each other. */
static LLVMValueRef shared_scratch(struct codegen *cg, struct cg_map **map)
{
	if (!cg->scratch) {
		cg->scratch = cg_map_new(cg, "scratch", BPF_MAP_TYPE_PERCPU_ARRAY);
		cg->scratch->key_size = 4;
	}
	if (cg->scratch_need > cg->scratch_max)
		cg->scratch_max = cg->scratch_need;
	*map = cg->scratch;
	return cg_const(cg, cg->i32, cg->scratch_users++);
}

/* Too large for a per-CPU map: an array of the program's own, one element a processor. */
static LLVMValueRef own_scratch(struct codegen *cg, struct cg_map **map)
{
	struct cg_map *m =
		cg_map_new(cg, arena_printf(cg->arena, IMAGE_SCRATCH_PREFIX "%zu", cg->maps.len),
			   BPF_MAP_TYPE_ARRAY);

	m->key_size = 4;
	m->value_size = cg->scratch_need;
	*map = m;
	return LLVMBuildTrunc(cg->b, cg_helper(cg, BPF_FUNC_get_smp_processor_id, NULL, 0), cg->i32,
			      "");
}

static void finish_lookup(struct codegen *cg)
{
	struct cg_map *map;

	cg_at(cg, cg->lookup);
	cg_frame_fill(cg);
	if (!cg->scratch_used) {
		cg_goto(cg, cg->setup);
		return;
	}
	LLVMValueRef key = cg_alloca_var(cg, 8, "scratch_key");
	cg_store(cg,
		 cg->scratch_need > PERCPU_MAX ? own_scratch(cg, &map) : shared_scratch(cg, &map),
		 key);
	LLVMValueRef args[] = {map->var, key};
	LLVMValueRef p = cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_map_lookup_elem, args, 2));
	LLVMBuildStore(cg->b, p, cg_scratch_slot(cg));
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), cg->leave, cg->setup);
}

/* ---- whose event -------------------------------------------------------------------- */

static void go_on_if(struct codegen *cg, LLVMValueRef cond, const char *name)
{
	LLVMBasicBlockRef next = cg_block(cg, name);

	LLVMBuildCondBr(cg->b, cond, next, cg->leave);
	cg_at(cg, next);
}

/*
 * Probes that are attached to a process see others too: uprobes when another tracer traces those,
 * events of perf when they inherited them.
 */
static bool needs_pid_filter(const struct sema_program *p)
{
	return !(p->type->flags & PROBE_UNGATED) && p->attach != IMAGE_AT_INTERVAL;
}

static void filter_pid(struct codegen *cg)
{
	if (!(cg->r->opts->pid || cg_portable(cg)) || !needs_pid_filter(cg->prog))
		return;
	LLVMBasicBlockRef filtered = cg_block(cg, "one_pid"), any = cg_block(cg, "any_pid");
	LLVMValueRef want = cg_const(cg, cg->i64, cg->r->opts->pid);

	/* where all processes are wanted, the verifier drops what follows */
	if (cg_portable(cg))
		want = cg_wanted_pid(cg);
	LLVMBuildCondBr(cg->b, cg_truth(cg, want), filtered, any);
	cg_at(cg, filtered);
	LLVMValueRef id = cg_own_pid(cg);
	go_on_if(cg, LLVMBuildICmp(cg->b, LLVMIntEQ, id, want, ""), "our_pid");
	cg_goto(cg, any);
	cg_at(cg, any);
}

/*
 * An iterator's program is called once more at the end, for no object: the word after
 * the first of its context is NULL then. After exit() there are none.
 */
static void filter_object(struct codegen *cg)
{
	LLVMValueRef object = cg_load_volatile(cg, cg->i64, cg_offset(cg, cg->ctx_arg, 8));

	go_on_if(cg, cg_truth(cg, object), "object");
	LLVMValueRef exiting =
		cg_control_load(cg, cg->i32, offsetof(struct image_control, exiting));
	go_on_if(cg, LLVMBuildNot(cg->b, cg_truth(cg, exiting), ""), "iterating");
}

static bool is_sys_exit(const struct sema_program *p)
{
	return p->attachments.len && !strcmp(p->attachments.items[0].target, "sys_exit");
}

static LLVMValueRef syscall_number(struct codegen *cg)
{
	if (!is_sys_exit(cg->prog))
		return cg_load_volatile(cg, cg->i64, cg_offset(cg, cg->ctx_arg, 8));

	LLVMValueRef regs = cg_load_volatile(cg, cg->i64, cg->ctx_arg);
	LLVMValueRef tmp = cg_alloca(cg, cg->i64, "nr");
	LLVMValueRef at = LLVMBuildAdd(
		cg->b, regs, cg_const(cg, cg->i64, offsetof(struct pt_regs, orig_rax)), "");
	cg_read(cg, tmp, 8, (struct cg_place){at, SPACE_KERNEL});
	return cg_load(cg, cg->i64, tmp);
}

static uint32_t count_syscalls(const struct sema_program *p)
{
	uint32_t n = 0;

	for (uint32_t nr = 0; nr < p->nsyscalls; nr++)
		n += p->syscall_probe[nr] != 0;
	return n;
}

/* A few numbers, or no need to know which probe: a switch, which becomes compared ranges. */
static void switch_syscalls(struct codegen *cg, LLVMValueRef nr)
{
	const struct sema_program *p = cg->prog;
	LLVMBasicBlockRef ours = cg_block(cg, "our_syscall");
	LLVMValueRef sw = LLVMBuildSwitch(cg->b, nr, cg->leave, p->nsyscalls), phi = NULL;

	cg_at(cg, ours);
	if (p->uses_probe)
		phi = LLVMBuildPhi(cg->b, cg->i32, "");
	for (uint32_t i = 0; i < p->nsyscalls; i++) {
		if (!p->syscall_probe[i])
			continue;
		LLVMBasicBlockRef to = ours;
		if (phi) {
			LLVMValueRef row = cg_const(cg, cg->i32, p->syscall_probe[i] - 1);
			to = cg_block(cg, "syscall");
			cg_at(cg, to);
			LLVMBuildBr(cg->b, ours);
			LLVMAddIncoming(phi, &row, &to, 1);
		}
		LLVMAddCase(sw, cg_const(cg, cg->i64, i), to);
	}
	cg_at(cg, ours);
	cg->sys_probe = phi;
}

/* Many numbers: their probes stand in a read-only table. */
static void table_syscalls(struct codegen *cg, LLVMValueRef nr)
{
	const struct sema_program *p = cg->prog;
	LLVMValueRef *rows = arena_alloc(cg->arena, p->nsyscalls * sizeof(*rows));

	for (uint32_t i = 0; i < p->nsyscalls; i++)
		rows[i] = cg_const(cg, cg->i16, p->syscall_probe[i]);
	LLVMValueRef init = LLVMConstArray2(cg->i16, rows, p->nsyscalls);
	LLVMValueRef table = LLVMAddGlobal(cg->mod, LLVMTypeOf(init), "syscalls");
	LLVMSetInitializer(table, init);
	LLVMSetGlobalConstant(table, 1);
	LLVMSetLinkage(table, LLVMInternalLinkage);
	LLVMSetSection(table, ".rodata");
	LLVMSetAlignment(table, 8);

	LLVMValueRef n = cg_const(cg, cg->i64, p->nsyscalls);
	go_on_if(cg, LLVMBuildICmp(cg->b, LLVMIntULT, nr, n, ""), "in_table");
	LLVMValueRef at = LLVMBuildShl(cg->b, nr, cg_const(cg, cg->i64, 1), "");
	LLVMValueRef row =
		cg_load_volatile(cg, cg->i16, LLVMBuildGEP2(cg->b, cg->i8, table, &at, 1, ""));
	row = LLVMBuildZExt(cg->b, row, cg->i32, "");
	go_on_if(cg, cg_truth(cg, row), "our_syscall");
	cg->sys_probe = LLVMBuildSub(cg->b, row, cg_const(cg, cg->i32, 1), "");
}

/*
 * The kernel's own system-call tracepoints leave out 32-bit callers, whose numbers mean other
 * calls: TS_COMPAT in thread_info.status, the first member of task_struct. (x32 callers have
 * bit 30 of the number set and match nothing here.)
 */
static void leave_out_compat(struct codegen *cg)
{
	const uint64_t ts_compat = 2;
	/* before 5.11 there was no syscall_work word before status */
	uint64_t off = target_version(cg->r->target) >= TARGET_VERSION(5, 11, 0) ? 16 : 8;
	LLVMValueRef by = cg_task_field(cg, "thread_info.status", 4, off);
	LLVMValueRef task = cg_helper(cg, BPF_FUNC_get_current_task, NULL, 0);
	LLVMValueRef tmp = cg_alloca(cg, cg->i64, "status");
	LLVMValueRef at = LLVMBuildAdd(cg->b, task, by, "");

	cg_read(cg, tmp, 4, (struct cg_place){at, SPACE_KERNEL});
	LLVMValueRef status = cg_load(cg, cg->i32, tmp);
	status = LLVMBuildAnd(cg->b, status, cg_const(cg, cg->i32, ts_compat), "");
	go_on_if(cg, LLVMBuildNot(cg->b, cg_truth(cg, status), ""), "native");
}

static void filter_syscall(struct codegen *cg)
{
	const struct sema_program *p = cg->prog;

	if (!p->is_syscall)
		return;
	cg->sys_nr = syscall_number(cg);
	if (p->uses_probe && cg->control && count_syscalls(p) > SWITCH_MAX)
		table_syscalls(cg, cg->sys_nr);
	else
		switch_syscalls(cg, cg->sys_nr);
	leave_out_compat(cg);
}

/* ---- the whole ----------------------------------------------------------------------- */

static void begin_function(struct codegen *cg)
{
	LLVMTypeRef type = LLVMFunctionType(cg->i32, &cg->ptr, 1, 0);
	unsigned frame = LLVMGetEnumAttributeKindForName("nounwind", 8);

	cg->fn = LLVMAddFunction(cg->mod, cg->prog->name, type);
	LLVMSetSection(cg->fn, cg_section(cg, cg->prog->attach));
	LLVMAddAttributeAtIndex(cg->fn, LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(cg->ctx, frame, 0));
	cg->ctx_arg = LLVMGetParam(cg->fn, 0);
	cg->entry = cg_block(cg, "entry");
	cg->lookup = cg_block(cg, "lookup");
	cg->setup = cg_block(cg, "setup");
	cg->leave = cg_block(cg, "leave");
	cg_debug_function(cg, cg->prog->span);
}

static void leave(struct codegen *cg)
{
	cg_at(cg, cg->leave);
	LLVMBuildRet(cg->b,
		     cg->returns ? cg_load(cg, cg->i32, cg_result(cg)) : cg_const(cg, cg->i32, 0));
}

static void reset_program(struct codegen *cg, struct sema_program *p)
{
	cg->prog = p;
	cg->control_ptr = cg->scratch_slot = NULL;
	cg->sys_nr = cg->sys_probe = NULL;
	cg->result = NULL;
	cg->returns = false;
	cg->scratch_top = cg->scratch_floor = cg->scratch_need = 0;
	cg->scratch_used = false;
	cg->slots.len = 0;
	cg->stmt_depth = 0;
	cg->loop = NULL;
	cg->into_record = false;
	cg_frame_plan(cg, p);
}

static bool never_runs(const struct sema_program *p)
{
	const struct ast_expr *e = p->predicate;

	return e && e->is_const && !e->const_str && !e->const_int;
}

static void body(struct codegen *cg)
{
	struct sema_program *p = cg->prog;

	if (p->attach == IMAGE_AT_ITER)
		filter_object(cg);
	filter_pid(cg);
	filter_syscall(cg);
	cg_expect_all(cg, p);
	cg_frame_note_syscall(cg);
	if (p->predicate)
		go_on_if(cg, cg_truth(cg, cg_expr64(cg, p->predicate)), "body");
	cg_block_stmts(cg, p->body);
	/* temporaries of the predicate are gone by now; so is the event */
	cg_goto(cg, cg->leave);
}

void cg_program(struct codegen *cg, struct sema_program *p)
{
	reset_program(cg, p);
	if (!cg_section(cg, p->attach)) {
		cg_fail(cg, p->span, "%s probes are not supported yet", p->type->name);
		return;
	}
	begin_function(cg);
	LLVMBasicBlockRef main = cg_block(cg, "main"), first = cg_block(cg, "gate");

	cg_at(cg, cg->entry);
	cg_frame_open(cg);
	LLVMMoveBasicBlockAfter(first, cg->entry); /* dumps read in the order of events */
	LLVMBuildBr(cg->b, first);
	cg_at(cg, cg->setup);
	LLVMBuildBr(cg->b, main);
	cg_at(cg, first);
	gate(cg);
	cg_at(cg, main);
	if (never_runs(p))
		cg_goto(cg, cg->leave);
	else
		body(cg);
	leave(cg);
	finish_lookup(cg);
	LLVMSetCurrentDebugLocation2(cg->b, NULL);
	cg->prog = NULL;
}
