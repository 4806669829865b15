/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dw_ustack(): the walk from frame to frame by call frame information (image/unwind.h).
 *
 * One step is a function of its own that the kernel checks once, however many frames it is called
 * for. It has no branches but those that leave it: searches go by halves of a fixed number, and
 * what is compared becomes a number to reckon with.
 */
#include <stddef.h>

#include <linux/bpf.h>

#include "codegen/cg.h"
#include "image/unwind.h"

#define STATE(field)   ((uint32_t)offsetof(struct image_unwind_state, field))
#define RULE(field)    ((uint32_t)offsetof(struct image_unwind_rule, field))
#define MAPPING(field) ((uint32_t)offsetof(struct image_unwind_mapping, field))
#define REG_RBP        6
#define REG_RSP        7

#define THREAD_SIZE  16384 /* of x86-64 kernels without KASAN */
#define PT_REGS_SIZE 168
/* the highest page of a process, where the kernel puts it when it can */
#define UPROBES_PAGE 0x7fffffffe000ull

static const uint8_t slot_registers[] = IMAGE_UNWIND_SLOT_REGISTERS;

/* ---- maps ------------------------------------------------------------------------------ */

static struct cg_map *add_map(struct codegen *cg, const char *name, uint32_t type, uint32_t value,
			      uint32_t n)
{
	struct cg_map *m = cg_map_new(cg, name, type);

	m->key_size = 4;
	m->value_size = value;
	m->max_entries = n;
	return m;
}

void cg_unwind_open(struct codegen *cg)
{
	uint32_t frames = cg->r->unwind_depth * 8;

	cg->unwind.processes =
		add_map(cg, IMAGE_UNWIND_PROCESSES, BPF_MAP_TYPE_HASH,
			sizeof(struct image_unwind_process), IMAGE_UNWIND_MAX_PROCESSES);
	cg->unwind.tables = add_map(cg, IMAGE_UNWIND_TABLES, BPF_MAP_TYPE_ARRAY_OF_MAPS, 4,
				    IMAGE_UNWIND_MAX_TABLES);
	cg->unwind.rules = add_map(cg, IMAGE_UNWIND_RULES, BPF_MAP_TYPE_ARRAY,
				   sizeof(struct image_unwind_rule), IMAGE_UNWIND_MAX_RULES);
	cg->unwind.state = add_map(cg, IMAGE_UNWIND_STATE, BPF_MAP_TYPE_PERCPU_ARRAY,
				   sizeof(struct image_unwind_state) + frames, 0);
}

/* ---- small parts ------------------------------------------------------------------------- */

static LLVMValueRef number(struct codegen *cg, uint64_t v)
{
	return cg_const(cg, cg->i64, v);
}

static LLVMValueRef load_at(struct codegen *cg, LLVMTypeRef t, LLVMValueRef p, uint32_t off,
			    bool is_signed)
{
	return cg_int_cast(cg, cg_load(cg, t, cg_offset(cg, p, off)), is_signed, cg->i64);
}

static LLVMValueRef at_index(struct codegen *cg, LLVMValueRef p, LLVMValueRef i, uint32_t size)
{
	LLVMValueRef off = LLVMBuildMul(cg->b, i, number(cg, size), "");

	return LLVMBuildGEP2(cg->b, cg->i8, p, &off, 1, "");
}

/* 1 where @a < @b, both below 2^63, else 0: not a comparison, which would become a branch. */
static LLVMValueRef below(struct codegen *cg, LLVMValueRef a, LLVMValueRef b)
{
	LLVMValueRef d = cg_opaque(cg, LLVMBuildSub(cg->b, a, b, ""));

	return cg_opaque(cg, LLVMBuildLShr(cg->b, d, number(cg, 63), ""));
}

/* Goes on only where @cond holds. */
static void or_else(struct codegen *cg, LLVMValueRef cond, LLVMBasicBlockRef otherwise)
{
	LLVMBasicBlockRef on = cg_block(cg, "on");

	LLVMBuildCondBr(cg->b, cond, on, otherwise);
	cg_at(cg, on);
}

/* The element with the number (i32) at @key; where there is none, goes to @none. */
static LLVMValueRef element(struct codegen *cg, LLVMValueRef map, LLVMValueRef key,
			    LLVMBasicBlockRef none)
{
	LLVMValueRef args[] = {map, key};
	LLVMValueRef p = cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_map_lookup_elem, args, 2));

	or_else(cg, LLVMBuildIsNotNull(cg->b, p, ""), none);
	return p;
}

static LLVMValueRef element_of(struct codegen *cg, struct cg_map *m, LLVMValueRef n,
			       LLVMValueRef key, LLVMBasicBlockRef none)
{
	cg_store(cg, cg_int_cast(cg, n, false, cg->i32), key);
	return element(cg, m->var, key, none);
}

/* ---- one step ------------------------------------------------------------------------------ */

struct step {
	LLVMValueRef state, key, word; /* key, word: on the stack */
	LLVMValueRef ip, at;           /* at: an address in the instruction that was at work */
	LLVMBasicBlockRef end, by_frame_pointer;
};

static LLVMValueRef reg(struct codegen *cg, const struct step *st, unsigned n)
{
	return load_at(cg, cg->i64, st->state, STATE(regs) + n * 8, false);
}

static void set_reg(struct codegen *cg, const struct step *st, unsigned n, LLVMValueRef v)
{
	cg_store(cg, v, cg_offset(cg, st->state, STATE(regs) + n * 8));
}

/* The register that a rule names in the byte at @p. */
static LLVMValueRef named_reg(struct codegen *cg, const struct step *st, LLVMValueRef p,
			      uint32_t off)
{
	LLVMValueRef n = load_at(cg, cg->i8, p, off, false);

	n = LLVMBuildAnd(cg->b, n, number(cg, IMAGE_UNWIND_REGS - 1), "");
	return cg_load(cg, cg->i64, at_index(cg, st->state, n, 8));
}

/* The word at @addr of the process; without one the walk ends. */
static LLVMValueRef read_word(struct codegen *cg, const struct step *st, LLVMValueRef addr)
{
	LLVMValueRef args[] = {st->word, cg_const(cg, cg->i32, 8), addr};
	LLVMValueRef err = cg_helper(cg, BPF_FUNC_probe_read_user, args, 3);

	or_else(cg, LLVMBuildICmp(cg->b, LLVMIntEQ, err, number(cg, 0), ""), st->end);
	return cg_load(cg, cg->i64, st->word);
}

/* What is mapped at the address: the mapping. */
static LLVMValueRef find_mapping(struct codegen *cg, const struct step *st, LLVMValueRef process)
{
	const uint32_t first = offsetof(struct image_unwind_process, maps);
	LLVMValueRef n = cg_load(cg, cg->i64, process),
		     mask = number(cg, IMAGE_UNWIND_MAX_MAPPINGS);
	LLVMValueRef pos = load_at(cg, cg->i64, st->state, STATE(zero), false), m;

	for (uint32_t step = (IMAGE_UNWIND_MAX_MAPPINGS + 1) / 2; step; step /= 2) {
		LLVMValueRef probe = LLVMBuildAdd(cg->b, pos, number(cg, step - 1), "");
		LLVMValueRef i = LLVMBuildAnd(cg->b, cg_opaque(cg, probe), mask, "");
		LLVMValueRef start = load_at(
			cg, cg->i64, at_index(cg, process, i, sizeof(struct image_unwind_mapping)),
			first + MAPPING(start), false);
		LLVMValueRef take = LLVMBuildAnd(
			cg->b, below(cg, probe, n),
			below(cg, start, LLVMBuildAdd(cg->b, st->at, number(cg, 1), "")), "");

		pos = LLVMBuildAdd(cg->b, pos, LLVMBuildMul(cg->b, take, number(cg, step), ""), "");
	}
	or_else(cg, cg_truth(cg, pos), st->by_frame_pointer);
	pos = LLVMBuildSub(cg->b, pos, number(cg, 1), "");
	pos = LLVMBuildAnd(cg->b, cg_opaque(cg, pos), mask, "");
	m = cg_offset(cg, at_index(cg, process, pos, sizeof(struct image_unwind_mapping)), first);
	or_else(cg,
		LLVMBuildICmp(cg->b, LLVMIntULT, st->at,
			      load_at(cg, cg->i64, m, MAPPING(end), false), ""),
		st->by_frame_pointer);
	return m;
}

/* The row of the table that holds at the address: its rule's number. */
static LLVMValueRef find_row(struct codegen *cg, const struct step *st, LLVMValueRef mapping)
{
	LLVMValueRef n = load_at(cg, cg->i32, mapping, MAPPING(rows), false);
	LLVMValueRef table = load_at(cg, cg->i32, mapping, MAPPING(table), false);
	LLVMValueRef delta = load_at(cg, cg->i64, mapping, MAPPING(delta), false);
	LLVMValueRef pos = load_at(cg, cg->i64, st->state, STATE(zero), false);
	LLVMValueRef pc = LLVMBuildSub(cg->b, st->at, delta, ""), row;

	/* a row that begins with the address at most */
	pc = LLVMBuildAdd(cg->b, pc, number(cg, 1), "");
	table = element_of(cg, cg->unwind.tables, table, st->key, st->by_frame_pointer);
	for (int bit = IMAGE_UNWIND_ROW_STEPS - 1; bit >= 0; bit--) {
		LLVMValueRef probe = LLVMBuildAdd(cg->b, pos, number(cg, (1ull << bit) - 1), "");
		LLVMValueRef there = below(cg, probe, n), take;

		/* beyond the end it is the first row that is looked at, in vain */
		take = LLVMBuildMul(cg->b, probe, there, "");
		cg_store(cg, LLVMBuildTrunc(cg->b, take, cg->i32, ""), st->key);
		row = element(cg, table, st->key, st->by_frame_pointer);
		take = below(cg, load_at(cg, cg->i32, row, 4, false), pc);
		take = LLVMBuildAnd(cg->b, take, there, "");
		take = LLVMBuildShl(cg->b, take, number(cg, bit), "");
		pos = LLVMBuildAdd(cg->b, pos, take, "");
	}
	or_else(cg, cg_truth(cg, pos), st->by_frame_pointer);
	pos = LLVMBuildSub(cg->b, pos, number(cg, 1), "");
	cg_store(cg, LLVMBuildTrunc(cg->b, pos, cg->i32, ""), st->key);
	row = element(cg, table, st->key, st->by_frame_pointer);
	return load_at(cg, cg->i32, row, 0, false);
}

static LLVMValueRef is_kind(struct codegen *cg, LLVMValueRef kind, enum image_unwind_cfa k)
{
	return LLVMBuildICmp(cg->b, LLVMIntEQ, kind, number(cg, k), "");
}

/* The frame's own address, which goes to where rules look for it. */
static void find_cfa(struct codegen *cg, const struct step *st, LLVMValueRef rule)
{
	LLVMValueRef kind = load_at(cg, cg->i8, rule, RULE(cfa), false), v;
	LLVMValueRef off = load_at(cg, cg->i32, rule, RULE(cfa_off), true);
	LLVMBasicBlockRef plain = cg_block(cg, "offset"), other = cg_block(cg, "other"),
			  deref = cg_block(cg, "deref"), plt = cg_block(cg, "plt"),
			  done = cg_block(cg, "cfa");

	or_else(cg, cg_truth(cg, kind), st->by_frame_pointer);
	v = LLVMBuildAdd(cg->b, named_reg(cg, st, rule, RULE(cfa_reg)), off, "");
	LLVMBuildCondBr(cg->b, is_kind(cg, kind, IMAGE_UNWIND_OFFSET), plain, other);
	cg_at(cg, plain);
	set_reg(cg, st, IMAGE_UNWIND_CFA, v);
	cg_goto(cg, done);
	cg_at(cg, other);
	LLVMBuildCondBr(cg->b, is_kind(cg, kind, IMAGE_UNWIND_DEREF), deref, plt);
	cg_at(cg, deref);
	v = LLVMBuildAdd(cg->b, read_word(cg, st, v),
			 load_at(cg, cg->i8, rule, RULE(cfa_plus), false), "");
	set_reg(cg, st, IMAGE_UNWIND_CFA, v);
	cg_goto(cg, done);
	cg_at(cg, plt);
	v = LLVMBuildAnd(cg->b, st->ip, number(cg, 15), "");
	v = LLVMBuildSub(cg->b, number(cg, 1), below(cg, v, off), "");
	v = LLVMBuildAdd(cg->b, LLVMBuildShl(cg->b, v, number(cg, 3), ""), number(cg, 8), "");
	set_reg(cg, st, IMAGE_UNWIND_CFA, LLVMBuildAdd(cg->b, reg(cg, st, REG_RSP), v, ""));
	cg_goto(cg, done);
	cg_at(cg, done);
}

/* Of one register, what the caller had in it. */
static void find_register(struct codegen *cg, const struct step *st, LLVMValueRef rule, unsigned i)
{
	uint32_t at = RULE(regs) + i * (uint32_t)sizeof(((struct image_unwind_rule *)0)->regs[0]);
	LLVMValueRef to = cg_offset(cg, st->state, STATE(next) + i * 8);
	LLVMValueRef v = LLVMBuildAdd(cg->b, named_reg(cg, st, rule, at),
				      load_at(cg, cg->i16, rule, at + 2, true), "");
	LLVMBasicBlockRef deref = cg_block(cg, "saved"), done = cg_block(cg, "found");

	cg_store(cg, v, to);
	LLVMBuildCondBr(cg->b, cg_truth(cg, load_at(cg, cg->i8, rule, at + 1, false)), deref, done);
	cg_at(cg, deref);
	cg_store(cg, read_word(cg, st, v), to);
	cg_goto(cg, done);
	cg_at(cg, done);
}

static void go_to_caller(struct codegen *cg, const struct step *st, LLVMValueRef flags)
{
	LLVMValueRef v = NULL;

	for (unsigned i = 0; i < IMAGE_UNWIND_SLOTS; i++) {
		v = load_at(cg, cg->i64, st->state, STATE(next) + i * 8, false);
		set_reg(cg, st, slot_registers[i], v);
	}
	flags = LLVMBuildLShr(cg->b, flags, number(cg, 1), ""); /* IMAGE_UNWIND_SIGNAL */
	cg_store(cg, LLVMBuildAnd(cg->b, flags, number(cg, 1), ""),
		 cg_offset(cg, st->state, STATE(exact)));
	or_else(cg, cg_truth(cg, v), st->end);
	LLVMBuildRet(cg->b, cg_const(cg, cg->i32, 0));
}

/* Code that nothing is known of, as what JIT compilers make, may well keep frame pointers. */
static void use_frame_pointer(struct codegen *cg, const struct step *st)
{
	LLVMValueRef bp, ip;

	cg_at(cg, st->by_frame_pointer);
	bp = reg(cg, st, REG_RBP);
	or_else(cg, LLVMBuildICmp(cg->b, LLVMIntUGE, bp, reg(cg, st, REG_RSP), ""), st->end);
	ip = read_word(cg, st, LLVMBuildAdd(cg->b, bp, number(cg, 8), ""));
	set_reg(cg, st, IMAGE_UNWIND_RIP, ip);
	set_reg(cg, st, REG_RSP, LLVMBuildAdd(cg->b, bp, number(cg, 16), ""));
	set_reg(cg, st, REG_RBP, read_word(cg, st, bp));
	cg_store(cg, number(cg, 0), cg_offset(cg, st->state, STATE(exact)));
	or_else(cg, cg_truth(cg, reg(cg, st, IMAGE_UNWIND_RIP)), st->end);
	LLVMBuildRet(cg->b, cg_const(cg, cg->i32, 0));
}

static void step_body(struct codegen *cg, LLVMValueRef fn)
{
	struct step st = {
		.key = cg_alloca_var(cg, 8, "key"),
		.word = cg_alloca_var(cg, 8, "word"),
		.end = cg_block(cg, "end"),
		.by_frame_pointer = cg_block(cg, "by_frame_pointer"),
	};
	LLVMValueRef process, rule, flags;

	st.state = element_of(cg, cg->unwind.state, LLVMGetParam(fn, 0), st.key, st.end);
	process = element_of(cg, cg->unwind.processes, LLVMGetParam(fn, 1), st.key, st.end);
	st.ip = reg(cg, &st, IMAGE_UNWIND_RIP);
	/* a return that a uretprobe watches goes to a page of the kernel's, which says nothing */
	or_else(cg, LLVMBuildICmp(cg->b, LLVMIntULT, st.ip, number(cg, UPROBES_PAGE), ""), st.end);
	st.at = load_at(cg, cg->i64, st.state, STATE(exact), false);
	st.at = LLVMBuildSub(cg->b, LLVMBuildAdd(cg->b, st.ip, st.at, ""), number(cg, 1), "");
	rule = find_row(cg, &st, find_mapping(cg, &st, process));
	rule = element_of(cg, cg->unwind.rules, rule, st.key, st.by_frame_pointer);
	flags = load_at(cg, cg->i8, rule, RULE(flags), false);
	LLVMValueRef ends = LLVMBuildAnd(cg->b, flags, number(cg, IMAGE_UNWIND_END), "");
	or_else(cg, LLVMBuildNot(cg->b, cg_truth(cg, ends), ""), st.end);
	find_cfa(cg, &st, rule);
	for (unsigned i = 0; i < IMAGE_UNWIND_SLOTS; i++)
		find_register(cg, &st, rule, i);
	go_to_caller(cg, &st, flags);
	use_frame_pointer(cg, &st);
	cg_at(cg, st.end);
	LLVMBuildRet(cg->b, cg_const(cg, cg->i32, 1));
}

/* int unwind_step(int index, int pid): 0, or 1 at the end of the stack. */
static LLVMValueRef step_function(struct codegen *cg)
{
	static const char *const args[] = {"index", "pid"};
	LLVMTypeRef params[] = {cg->i32, cg->i32};
	LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b), entry = cg->entry;
	LLVMMetadataRef where = LLVMGetCurrentDebugLocation2(cg->b), scope;
	LLVMValueRef outer = cg->fn, fn = cg->unwind.step;

	if (fn)
		return fn;
	fn = LLVMAddFunction(cg->mod, "unwind_step", LLVMFunctionType(cg->i32, params, 2, 0));
	LLVMAddAttributeAtIndex(
		fn, LLVMAttributeFunctionIndex,
		LLVMCreateEnumAttribute(cg->ctx, LLVMGetEnumAttributeKindForName("noinline", 8),
					0));
	scope = cg_debug_global(cg, fn, args, 2);
	cg->unwind.step = cg->fn = fn;
	cg->entry = cg_block(cg, "entry");
	LLVMBasicBlockRef body = cg_block(cg, "body");
	cg_at(cg, cg->entry);
	LLVMSetCurrentDebugLocation2(cg->b,
				     LLVMDIBuilderCreateDebugLocation(cg->ctx, 0, 0, scope, NULL));
	LLVMBuildBr(cg->b, body);
	cg_at(cg, body);
	step_body(cg, fn);
	cg->fn = outer;
	cg->entry = entry;
	cg_at(cg, here);
	LLVMSetCurrentDebugLocation2(cg->b, where);
	return fn;
}

/* ---- the walk ------------------------------------------------------------------------------ */

/* Where the kernel keeps the registers with which the process entered it. */
static LLVMValueRef user_registers(struct codegen *cg)
{
	struct target_lack lack;
	LLVMValueRef task, at, stack;

	if (!target_lacks_helper(cg->r->target, BPF_FUNC_task_pt_regs, &lack)) {
		task = cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_get_current_task_btf, NULL, 0));
		return cg_helper(cg, BPF_FUNC_task_pt_regs, &task, 1);
	}
	if (!cg->r->task_stack_off)
		cg_check_helper(cg, BPF_FUNC_task_pt_regs); /* says what is missing */
	stack = cg_alloca(cg, cg->i64, "stack");
	task = cg_helper(cg, BPF_FUNC_get_current_task, NULL, 0);
	at = LLVMBuildAdd(cg->b, task, number(cg, cg->r->task_stack_off), "");
	cg_read(cg, stack, 8, (struct cg_place){at, SPACE_KERNEL});
	return LLVMBuildAdd(cg->b, cg_load(cg, cg->i64, stack),
			    number(cg, THREAD_SIZE - PT_REGS_SIZE), "");
}

/* struct pt_regs to DWARF's numbers. */
static void take_registers(struct codegen *cg, LLVMValueRef state)
{
	static const uint8_t words[] = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16};
	LLVMValueRef from = cg_offset(cg, state, STATE(pt_regs));

	cg_read(cg, from, PT_REGS_SIZE, (struct cg_place){user_registers(cg), SPACE_KERNEL});
	for (unsigned i = 0; i < sizeof(words); i++)
		cg_store(cg, cg_load(cg, cg->i64, cg_offset(cg, from, words[i] * 8u)),
			 cg_offset(cg, state, STATE(regs) + i * 8));
	cg_store(cg, number(cg, 1), cg_offset(cg, state, STATE(exact)));
	cg_store(cg, number(cg, 0), cg_offset(cg, state, STATE(zero)));
}

/* A frame, a step, and so on: how many frames there are. */
static LLVMValueRef walk(struct codegen *cg, LLVMValueRef state, LLVMValueRef pid, uint32_t index,
			 uint32_t depth)
{
	LLVMBasicBlockRef from = LLVMGetInsertBlock(cg->b), body = cg_block(cg, "walk"),
			  next = cg_block(cg, "next_frame"), done = cg_block(cg, "walked");
	LLVMValueRef step = step_function(cg), zero = number(cg, 0);
	LLVMValueRef args[] = {cg_const(cg, cg->i32, index), pid};

	cg_goto(cg, body);
	cg_at(cg, body);
	LLVMValueRef i = LLVMBuildPhi(cg->b, cg->i64, "");
	LLVMValueRef frame = cg_offset(cg, at_index(cg, state, i, 8), STATE(frames));
	cg_store(cg, cg_load(cg, cg->i64, cg_offset(cg, state, STATE(regs) + IMAGE_UNWIND_RIP * 8)),
		 frame);
	LLVMValueRef n = cg_opaque(cg, LLVMBuildAdd(cg->b, i, number(cg, 1), ""));
	LLVMValueRef end = LLVMBuildCall2(cg->b, LLVMGlobalGetValueType(step), step, args, 2, "");
	LLVMBuildCondBr(cg->b, cg_truth(cg, end), done, next);
	cg_at(cg, next);
	LLVMBuildCondBr(cg->b, LLVMBuildICmp(cg->b, LLVMIntULT, n, number(cg, depth), ""), body,
			done);
	LLVMAddIncoming(i, &zero, &from, 1);
	LLVMAddIncoming(i, &n, &next, 1);
	cg_at(cg, done);
	return n;
}

LLVMValueRef cg_unwind(struct codegen *cg, struct ast_expr *e, LLVMValueRef *got,
		       LLVMBasicBlockRef none)
{
	struct cg_map *m = cg->unwind.state;
	uint32_t depth = (uint32_t)e->type->arg[0];
	LLVMValueRef key = cg_alloca(cg, cg->i64, "unwind_key"), state, pid;
	LLVMBasicBlockRef unknown = cg_block(cg, "no_unwind_data"), known;
	struct sema_action *warning;

	if (cg->unwind.last != cg->prog)
		m->max_entries++;
	cg->unwind.last = cg->prog;
	pid = cg_int_cast(cg, cg_own_pid(cg), false, cg->i32);
	element_of(cg, cg->unwind.processes, pid, key, unknown);
	known = LLVMGetInsertBlock(cg->b);
	cg_at(cg, unknown);
	warning = e->kind == AST_CALL ? e->u.call.action : e->u.ident.action;
	if (warning)
		cg_action(cg, warning, NULL, NULL);
	cg_goto(cg, none);
	cg_at(cg, known);
	state = element_of(cg, m, number(cg, m->max_entries - 1), key, none);
	take_registers(cg, state);
	cg_zero(cg, cg_offset(cg, state, STATE(frames)), depth * 8);
	*got = walk(cg, state, pid, m->max_entries - 1, depth);
	*got = LLVMBuildMul(cg->b, *got, number(cg, 8), "");
	return cg_offset(cg, state, STATE(count));
}
