/* SPDX-License-Identifier: Apache-2.0 */
/* Records in the ring buffer: reserve, fill, submit. */
#include <stddef.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

/* Control actions are few and must arrive; they may use the part that data may not. */
bool cg_action_is_control(enum image_action_kind k)
{
	switch (k) {
	case IMAGE_A_PRINT_MAP:
	case IMAGE_A_ROWS:
	case IMAGE_A_CYCLES:
	case IMAGE_A_SCREEN:
	case IMAGE_A_CLEAR:
	case IMAGE_A_ZERO:
	case IMAGE_A_EXIT:
	case IMAGE_A_TIME:
		return true;
	default:
		return false;
	}
}

/* Data gives up while the buffer still has room for control actions. */
static void leave_room(struct codegen *cg, LLVMBasicBlockRef lost)
{
	LLVMBasicBlockRef ok = cg_block(cg, "room");
	LLVMValueRef args[] = {cg->events->var, cg_const(cg, cg->i64, BPF_RB_AVAIL_DATA)};
	LLVMValueRef unread = cg_helper(cg, BPF_FUNC_ringbuf_query, args, 2);
	LLVMValueRef limit =
		cg_control_load(cg, cg->i64, offsetof(struct image_control, events_limit));
	LLVMValueRef full = LLVMBuildICmp(cg->b, LLVMIntUGT, unread, limit, "");

	full = LLVMBuildAnd(cg->b, full, cg_truth(cg, limit), "");
	LLVMBuildCondBr(cg->b, full, lost, ok);
	cg_at(cg, ok);
}

static LLVMValueRef reserve(struct codegen *cg, struct sema_action *a, uint32_t size,
			    LLVMBasicBlockRef lost)
{
	LLVMBasicBlockRef fill = cg_block(cg, "record");

	if (cg->has_control_actions && !cg_action_is_control(a->kind))
		leave_room(cg, lost);
	LLVMValueRef args[] = {cg->events->var, cg_const(cg, cg->i64, size),
			       cg_const(cg, cg->i64, 0)};
	LLVMValueRef p = cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_ringbuf_reserve, args, 3));
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), lost, fill);
	cg_at(cg, fill);
	return p;
}

typedef void fill_fn(struct codegen *cg, LLVMValueRef payload, void *arg);

static void write_record(struct codegen *cg, struct sema_action *a, uint32_t size, LLVMValueRef p,
			 fill_fn *fill, void *arg)
{
	cg_store(cg, cg_const(cg, cg->i64, (uint64_t)size << 32 | a->index), p);
	if (fill)
		fill(cg, cg_offset(cg, p, sizeof(struct image_event)), arg);
}

/* Built in place: reserved, filled, submitted. */
static void through_ring(struct codegen *cg, struct sema_action *a, uint32_t size, fill_fn *fill,
			 void *arg, LLVMBasicBlockRef lost)
{
	LLVMValueRef p = reserve(cg, a, size, lost);
	uint64_t flags = a->kind == IMAGE_A_EXIT ? BPF_RB_FORCE_WAKEUP : 0;

	write_record(cg, a, size, p, fill, arg);
	LLVMValueRef args[] = {p, cg_const(cg, cg->i64, flags)};
	cg_helper(cg, BPF_FUNC_ringbuf_submit, args, 2);
}

/* Kernels before 5.8: built aside, then copied into this CPU's buffer. */
static void through_perf(struct codegen *cg, struct sema_action *a, uint32_t size, fill_fn *fill,
			 void *arg, LLVMBasicBlockRef lost)
{
	LLVMBasicBlockRef sent = cg_block(cg, "output");
	LLVMValueRef p = cg_temp(cg, size, "record");

	/* the helper reads all of it, the verifier wants all of it written */
	cg_zero(cg, p, size);
	write_record(cg, a, size, p, fill, arg);
	LLVMValueRef args[] = {cg->ctx_arg, cg->events->var,
			       cg_const(cg, cg->i64, BPF_F_CURRENT_CPU), p,
			       cg_const(cg, cg->i64, size)};
	LLVMValueRef r = cg_helper(cg, BPF_FUNC_perf_event_output, args, 5);
	LLVMValueRef failed = LLVMBuildICmp(cg->b, LLVMIntSLT, r, LLVMConstNull(LLVMTypeOf(r)), "");
	LLVMBuildCondBr(cg->b, failed, lost, sent);
	cg_at(cg, sent);
}

/* Who reads the iterator gets a byte an event, and so knows when to empty the buffer. */
static void count_for_reader(struct codegen *cg)
{
	LLVMValueRef byte = cg_alloca(cg, cg->i64, "one_event");

	cg_store(cg, cg_const(cg, cg->i64, '.'), byte);
	LLVMValueRef args[] = {cg_seq_file(cg), byte, cg_const(cg, cg->i32, 1)};
	cg_helper(cg, BPF_FUNC_seq_write, args, 3);
}

void cg_action(struct codegen *cg, struct sema_action *a, fill_fn *fill, void *arg)
{
	uint32_t payload = a->payload ? (a->payload->size + 7) & ~7u : 0;
	uint32_t size = sizeof(struct image_event) + payload;
	LLVMBasicBlockRef lost = cg_block(cg, "lost"), done = cg_block(cg, "sent");

	if (cg_is_pinned(cg)) {
		cg_fail(cg, a->span, "nobody is there for a pinned iterator: it can only printf()");
		return;
	}
	if (cg->events->type == BPF_MAP_TYPE_RINGBUF)
		through_ring(cg, a, size, fill, arg, lost);
	else
		through_perf(cg, a, size, fill, arg, lost);
	if (cg->prog->attach == IMAGE_AT_ITER)
		count_for_reader(cg);
	cg_goto(cg, done);
	cg_at(cg, lost);
	if (a->kind != IMAGE_A_REMEMBER) /* no event of the script's, and told again */
		cg_control_count(cg, offsetof(struct image_control, lost_events));
	cg_goto(cg, done);
	cg_at(cg, done);
}

void cg_warn_if(struct codegen *cg, LLVMValueRef cond, struct sema_action *warning)
{
	LLVMBasicBlockRef warn, on;

	if (!warning)
		return;
	warn = cg_block(cg, "warn");
	on = cg_block(cg, "on");
	LLVMBuildCondBr(cg->b, cond, warn, on);
	cg_at(cg, warn);
	cg_action(cg, warning, NULL, NULL);
	cg_goto(cg, on);
	cg_at(cg, on);
}

void cg_warn_of_zero(struct codegen *cg, LLVMValueRef divisor, struct sema_action *warning)
{
	if (warning)
		cg_warn_if(cg, LLVMBuildNot(cg->b, cg_truth(cg, divisor), ""), warning);
}
