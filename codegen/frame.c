/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the variables of a program lie, and what its functions share.
 *
 * The body of a loop over a map is a function of its own, which the kernel calls for each
 * element; so is that of a long loop over a range, where the kernel has bpf_loop. What such a
 * body shares with the rest of the program lies in one piece of the program's stack, the frame,
 * whose address the kernel hands on to each call: variables of outer blocks, the program's
 * context, the address of scratch memory, and whether the program is to be left. A walk over
 * the body tells in advance which loops and variables these are; a program without any has no
 * frame, and its variables are the optimiser's to keep in registers.
 */
#include <string.h>

#include "codegen/cg.h"

/* Loops up to so many rounds, nested ones multiplied, stay in the program. */
#define INLINE_ROUNDS 8
/* Shared variables above this size go to scratch memory: all frames share 512 bytes. */
#define FRAME_VAR_MAX 16
#define FRAME_MAX     192

/* The frame's words; after them come the variables. */
enum {
	FRAME_LEAVE = 0,    /* 32 bits: a call asks to leave the program */
	FRAME_RESULT = 4,   /* 32 bits: with this result */
	FRAME_SCRATCH = 8,  /* address of scratch memory */
	FRAME_CTX = 16,     /* the program's context */
	FRAME_CONTROL = 24, /* address of the control words, without global data */
	FRAME_SYS_NR = 32,  /* the system call's number, in programs shared by calls */
	FRAME_SYS_PROBE = 40,
	FRAME_VARS = 48,
};

struct walk {
	struct codegen *cg;
	uint32_t function; /* 0: the program, else 1 + row of the loop */
	uint64_t rounds;   /* of the loops around, those that are in this function */
};

static void walk_expr(struct ast_expr *e, void *arg);
static void walk_block(struct ast_block *b, void *arg);

static struct cg_var *var_of(struct codegen *cg, const struct sema_var *v)
{
	return &cg->frame.vars[v->index];
}

static void see_var(struct walk *w, const struct sema_var *v)
{
	struct cg_var *x = v ? var_of(w->cg, v) : NULL;

	if (!x)
		return;
	if (!x->decl) {
		x->decl = v;
		x->function = w->function;
	}
	x->shared |= x->function != w->function;
}

/* $kv.0 and $kv.1 ask for one half of the element, all else for both. */
static bool see_half(struct walk *w, struct ast_expr *e)
{
	const struct sema_var *v;

	if (e->kind != AST_TUPLE_FIELD || e->u.tuple_field.e->kind != AST_VAR)
		return false;
	v = e->u.tuple_field.e->u.var.decl;
	see_var(w, v);
	if (v)
		var_of(w->cg, v)->parts |= e->u.tuple_field.index ? CG_PART_VALUE : CG_PART_KEY;
	return true;
}

static bool never_run(const struct ast_expr *e)
{
	return e->kind == AST_SIZEOF || e->kind == AST_OFFSETOF || e->kind == AST_TYPEINFO;
}

static void walk_expr(struct ast_expr *e, void *arg)
{
	struct ast_visitor v = {walk_expr, walk_block, arg};
	struct walk *w = arg;

	if (never_run(e) || see_half(w, e))
		return;
	if (e->kind == AST_VAR && e->u.var.decl) {
		see_var(w, e->u.var.decl);
		var_of(w->cg, e->u.var.decl)->parts |= CG_PART_KEY | CG_PART_VALUE;
	}
	ast_visit_expr(e, &v);
}

/* Rounds of a loop over a range of constants; UINT64_MAX: not known. */
static uint64_t rounds_of(const struct ast_stmt *st)
{
	const struct ast_expr *begin = st->u.for_.begin, *end = st->u.for_.end;

	if (!begin->is_const || !end->is_const)
		return UINT64_MAX;
	if (cg_range_signed(st))
		return (int64_t)end->const_int > (int64_t)begin->const_int
			       ? end->const_int - begin->const_int
			       : 0;
	return end->const_int > begin->const_int ? end->const_int - begin->const_int : 0;
}

static bool becomes_function(struct walk *w, const struct ast_stmt *st, uint64_t rounds)
{
	if (st->kind == AST_FOR_MAP)
		return true;
	return rounds > INLINE_ROUNDS / w->rounds &&
	       target_has(w->cg->r->target, TARGET_F_BPF_LOOP);
}

static void walk_loop(struct walk *w, struct ast_stmt *st)
{
	struct codegen *cg = w->cg;
	struct walk inner = *w;
	struct cg_loop_plan plan = {
		.st = st,
		.rounds = st->kind == AST_FOR_MAP ? UINT64_MAX : rounds_of(st),
	};

	plan.function = becomes_function(w, st, plan.rounds);
	vec_push(cg->arena, &cg->frame.loops, plan);
	if (plan.function) {
		inner.rounds = 1;
		inner.function = (uint32_t)cg->frame.loops.len;
		cg->frame.used = true;
	} else if (plan.rounds && plan.rounds <= INLINE_ROUNDS) {
		inner.rounds *= plan.rounds;
	}
	see_var(&inner, st->u.for_.var->u.var.decl);
	walk_block(st->u.for_.body, &inner);
}

static void walk_stmt(struct walk *w, struct ast_stmt *st)
{
	struct ast_visitor v = {.expr = walk_expr, .block = walk_block, .arg = w};

	if (st->dead)
		return;
	if (st->kind == AST_FOR_MAP) {
		walk_loop(w, st);
	} else if (st->kind == AST_FOR_RANGE) {
		walk_expr(st->u.for_.begin, w);
		walk_expr(st->u.for_.end, w);
		walk_loop(w, st);
	} else {
		ast_visit_stmt(st, &v);
	}
}

static void walk_block(struct ast_block *b, void *arg)
{
	for (size_t i = 0; i < b->stmts.len; i++)
		walk_stmt(arg, b->stmts.items[i]);
	if (b->value)
		walk_expr(b->value, arg);
}

/* ---- the frame -------------------------------------------------------------------- */

static uint32_t words(uint32_t size)
{
	return (size + 7) & ~7u;
}

static void lay_out(struct codegen *cg, uint32_t nvars)
{
	struct cg_frame *f = &cg->frame;

	f->size = FRAME_VARS;
	for (size_t i = 0; i < f->loops.len; i++) {
		struct cg_loop_plan *l = &f->loops.items[i];

		if (!l->function || l->st->kind != AST_FOR_RANGE || l->st->u.for_.begin->is_const)
			continue;
		l->begin = f->size;
		f->size += 8;
	}
	for (uint32_t i = 0; i < nvars; i++) {
		struct cg_var *x = &f->vars[i];
		uint32_t size = x->decl && x->decl->type ? words(x->decl->type->size) : 0;

		if (!x->shared || size > FRAME_VAR_MAX || f->size + size > FRAME_MAX)
			continue;
		x->in_frame = f->size;
		f->size += size;
	}
}

void cg_frame_plan(struct codegen *cg, struct sema_program *p)
{
	struct walk w = {.cg = cg, .rounds = 1};

	cg->frame = (struct cg_frame){0};
	cg->frame.vars = arena_alloc(cg->arena, (p->nvars + 1) * sizeof(*cg->frame.vars));
	if (p->predicate)
		walk_expr(p->predicate, &w);
	walk_block(p->body, &w);
	if (cg->frame.used)
		lay_out(cg, p->nvars);
}

const struct cg_loop_plan *cg_loop_plan(struct codegen *cg, const struct ast_stmt *st)
{
	for (size_t i = 0; i < cg->frame.loops.len; i++)
		if (cg->frame.loops.items[i].st == st)
			return &cg->frame.loops.items[i];
	return NULL;
}

static LLVMValueRef word(struct codegen *cg, uint32_t at)
{
	return cg_offset(cg, cg->frame.addr, at);
}

void cg_frame_open(struct codegen *cg)
{
	if (!cg->frame.used)
		return;
	cg->frame.addr = cg_alloca_var(cg, cg->frame.size, "frame");
	if (cg->prog->type->flags & PROBE_RETURNS)
		cg_store(cg, cg_const(cg, cg->i32, 0), word(cg, FRAME_RESULT));
	if (cg->control_map)
		cg->control_ptr = word(cg, FRAME_CONTROL);
}

LLVMValueRef cg_result(struct codegen *cg)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b);

	cg->returns = true;
	if (cg->frame.used)
		return word(cg, FRAME_RESULT);
	if (cg->result)
		return cg->result;
	cg->result = cg_alloca_var(cg, 4, "result");
	LLVMPositionBuilderBefore(cg->b, LLVMGetBasicBlockTerminator(cg->entry));
	cg_store(cg, cg_const(cg, cg->i32, 0), cg->result);
	cg_at(cg, here);
	return cg->result;
}

void cg_frame_fill(struct codegen *cg)
{
	if (!cg->frame.used)
		return;
	/* all of it is defined, for the verifier's sake */
	cg_store(cg, cg_const(cg, cg->i64, 0), word(cg, FRAME_LEAVE));
	cg_zero(cg, word(cg, FRAME_VARS), cg->frame.size - FRAME_VARS);
	LLVMBuildStore(cg->b, cg->ctx_arg, word(cg, FRAME_CTX));
}

void cg_frame_note_syscall(struct codegen *cg)
{
	if (!cg->frame.used || !cg->sys_nr)
		return;
	cg_store(cg, cg->sys_nr, word(cg, FRAME_SYS_NR));
	if (cg->sys_probe)
		cg_store(cg, cg->sys_probe, word(cg, FRAME_SYS_PROBE));
}

LLVMValueRef cg_frame_begin_of(struct codegen *cg, const struct cg_loop_plan *plan)
{
	return word(cg, plan->begin);
}

LLVMValueRef cg_frame_asks_to_leave(struct codegen *cg)
{
	return cg_truth(cg, cg_load(cg, cg->i32, word(cg, FRAME_LEAVE)));
}

/* ---- scratch memory --------------------------------------------------------------- */

LLVMValueRef cg_scratch_slot(struct codegen *cg)
{
	cg->scratch_used = true;
	if (cg->frame.used)
		return word(cg, FRAME_SCRATCH);
	if (!cg->scratch_slot)
		cg->scratch_slot = cg_alloca_var(cg, 8, "scratch");
	return cg->scratch_slot;
}

uint32_t cg_scratch_take(struct codegen *cg, uint32_t size)
{
	uint32_t at = cg->scratch_top;

	cg->scratch_top += words(size);
	if (cg->scratch_top > cg->scratch_need)
		cg->scratch_need = cg->scratch_top;
	return at;
}

LLVMValueRef cg_scratch_at(struct codegen *cg, uint32_t at)
{
	return cg_offset(cg, LLVMBuildLoad2(cg->b, cg->ptr, cg_scratch_slot(cg), ""), at);
}

/* ---- variables -------------------------------------------------------------------- */

/* Its address, computed once past the gate, so that every later use is dominated. */
static LLVMValueRef scratch_var(struct codegen *cg, uint32_t at)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b);
	LLVMValueRef p;

	cg_scratch_slot(cg);
	LLVMPositionBuilderBefore(cg->b, LLVMGetBasicBlockTerminator(cg->setup));
	p = cg_scratch_at(cg, at);
	cg_at(cg, here);
	return p;
}

static LLVMValueRef large_var(struct codegen *cg, struct cg_var *x)
{
	if (!x->in_scratch) {
		/* temporaries never fall back below it */
		x->scratch_off = cg_scratch_take(cg, x->decl->type->size);
		x->in_scratch = true;
		cg->scratch_floor = cg->scratch_top;
	}
	if (cg->frame.used)
		return cg_scratch_at(cg, x->scratch_off);
	if (!x->storage)
		x->storage = scratch_var(cg, x->scratch_off);
	return x->storage;
}

LLVMValueRef cg_var_storage(struct codegen *cg, const struct sema_var *v)
{
	struct cg_var *x = var_of(cg, v);

	x->decl = v;
	if (x->in_frame)
		return word(cg, x->in_frame);
	if (x->shared || (!cg_is_scalar(v->type) && v->type->size > cg->r->config.on_stack_limit))
		return large_var(cg, x);
	if (x->storage)
		return x->storage;

	LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b);
	x->storage = cg_alloca_var(cg, v->type->size, v->name);
	/* defined on every path, for the verifier's sake */
	LLVMPositionBuilderBefore(cg->b, LLVMGetBasicBlockTerminator(cg->entry));
	cg_zero(cg, x->storage, words(v->type->size));
	cg_at(cg, here);
	return x->storage;
}

unsigned cg_var_parts(struct codegen *cg, const struct sema_var *v)
{
	return var_of(cg, v)->parts;
}

/* ---- functions that the kernel calls ----------------------------------------------- */

static void load_shared(struct codegen *cg)
{
	cg->ctx_arg = LLVMBuildLoad2(cg->b, cg->ptr, word(cg, FRAME_CTX), "ctx");
	if (cg->control_map)
		cg->control_ptr = word(cg, FRAME_CONTROL);
	if (cg->sys_nr)
		cg->sys_nr = cg_load(cg, cg->i64, word(cg, FRAME_SYS_NR));
	if (cg->sys_probe)
		cg->sys_probe = cg_load(cg, cg->i32, word(cg, FRAME_SYS_PROBE));
}

static void make_leave(struct codegen *cg)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(cg->b);

	cg_at(cg, cg->leave);
	cg_store(cg, cg_const(cg, cg->i32, 1), word(cg, FRAME_LEAVE));
	LLVMBuildRet(cg->b, cg_const(cg, cg->i64, 1));
	cg_at(cg, here);
}

void cg_function_begin(struct codegen *cg, struct cg_function *outer, const char *name,
		       unsigned nparams, struct span at)
{
	LLVMTypeRef params[4] = {cg->ptr, cg->ptr, cg->ptr, cg->ptr};
	unsigned line, col;

	*outer = (struct cg_function){
		.fn = cg->fn,
		.entry = cg->entry,
		.leave = cg->leave,
		.here = LLVMGetInsertBlock(cg->b),
		.where = LLVMGetCurrentDebugLocation2(cg->b),
		.di_scope = cg->di_scope,
		.frame = cg->frame.addr,
		.ctx_arg = cg->ctx_arg,
		.control_ptr = cg->control_ptr,
		.sys_nr = cg->sys_nr,
		.sys_probe = cg->sys_probe,
		.slots = cg->slots.items,
		.nslots = cg->slots.len,
		.slots_cap = cg->slots.cap,
		.loop = cg->loop,
	};
	if (nparams == 2)
		params[0] = cg->i64;
	cg->fn = LLVMAddFunction(cg->mod, name, LLVMFunctionType(cg->i64, params, nparams, 0));
	LLVMSetLinkage(cg->fn, LLVMInternalLinkage);
	diag_position(cg->r->diags, at, &line, &col);
	cg->di_scope = cg_debug_subprogram(cg, cg->fn, line, true);
	memset(&cg->slots, 0, sizeof(cg->slots));
	cg->loop = NULL;
	cg->frame.addr = LLVMGetParam(cg->fn, nparams - 1);
	cg->entry = cg_block(cg, "entry");
	cg->leave = cg_block(cg, "leave");
	cg_at(cg, cg->entry);
	cg_debug_at(cg, at);
	load_shared(cg);
	make_leave(cg);
	LLVMBasicBlockRef body = cg_block(cg, "body");
	LLVMBuildBr(cg->b, body);
	cg_at(cg, body);
}

bool cg_function_end(struct codegen *cg, const struct cg_function *outer)
{
	bool leaves = LLVMGetFirstUse(LLVMBasicBlockAsValue(cg->leave)) != NULL;

	if (!leaves)
		LLVMDeleteBasicBlock(cg->leave);
	cg->fn = outer->fn;
	cg->entry = outer->entry;
	cg->leave = outer->leave;
	cg->di_scope = outer->di_scope;
	cg->frame.addr = outer->frame;
	cg->ctx_arg = outer->ctx_arg;
	cg->control_ptr = outer->control_ptr;
	cg->sys_nr = outer->sys_nr;
	cg->sys_probe = outer->sys_probe;
	cg->slots.items = outer->slots;
	cg->slots.len = outer->nslots;
	cg->slots.cap = outer->slots_cap;
	cg->loop = outer->loop;
	cg_at(cg, outer->here);
	LLVMSetCurrentDebugLocation2(cg->b, outer->where);
	return leaves;
}
