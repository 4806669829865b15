/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside codegen: the state of one generation and what its files offer each other.
 *
 * Values. Integers, pointers and one-word values (probe, disk, kstack, ksym...) are LLVM
 * integers of the type's size ("scalars"). Everything else lives in memory that BPF may
 * load from directly (stack, scratch, map value, ring buffer record), laid out as
 * src/types/ says, strings padded with zeros.
 */
#ifndef BT_CG_H
#define BT_CG_H

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm-c/TargetMachine.h>

#include "codegen/codegen.h"

/* A map of the object; its size is known only when all programs are generated. */
struct cg_map {
	const char *elf_name;
	LLVMValueRef var;
	uint32_t type; /* enum bpf_map_type */
	uint32_t key_size, value_size, max_entries;
	bool defined;
};

/* A piece of the stack frame, shared by statements that do not overlap. */
struct cg_slot {
	LLVMValueRef v;
	uint32_t words;
	unsigned depth; /* of the statement that uses it; CG_SLOT_FREE: nobody */
};
#define CG_SLOT_FREE UINT32_MAX

/* Rounds of a loop that are written out where the kernel takes no loops. */
#define CG_UNROLL_MAX 100

struct cg_loop {
	LLVMBasicBlockRef on_break, on_continue;
	struct cg_loop *outer;
};

/* ---- frame.c: variables, and what the functions of one program share ------------- */

enum { CG_PART_KEY = 1, CG_PART_VALUE = 2 };

struct cg_var {
	const struct sema_var *decl;
	uint32_t function; /* 0: the program, else 1 + row of the loop */
	bool shared;       /* used by another function, too */
	bool in_scratch;   /* has its place at scratch_off */
	unsigned parts;    /* of a tuple, which of its first two elements are asked for */
	uint32_t in_frame; /* offset, 0: not there */
	uint32_t scratch_off;
	LLVMValueRef storage; /* where only one function uses it */
};

struct cg_loop_plan {
	const struct ast_stmt *st;
	bool function;   /* the body is a function, called by the kernel */
	uint64_t rounds; /* UINT64_MAX: not known */
	uint32_t begin;  /* offset in the frame of a range's first number */
};

struct cg_frame {
	bool used;
	uint32_t size;
	LLVMValueRef addr; /* in the function being generated */
	struct cg_var *vars;
	VEC(struct cg_loop_plan) loops;
};

/* What belongs to a function, put aside while another one is generated. */
struct cg_function {
	LLVMValueRef fn, frame, ctx_arg, control_ptr, sys_nr, sys_probe;
	LLVMBasicBlockRef entry, leave, here;
	LLVMMetadataRef where, di_scope;
	struct cg_slot *slots;
	size_t nslots, slots_cap;
	struct cg_loop *loop;
};

struct codegen {
	struct sema_result *r;
	struct arena *arena;
	const struct cg_options *opts;

	LLVMContextRef ctx;
	LLVMModuleRef mod;
	LLVMBuilderRef b;
	LLVMTargetMachineRef machine;
	LLVMDIBuilderRef di;
	LLVMMetadataRef di_file, di_unit, di_int, di_u64;
	LLVMTypeRef i1, i8, i16, i32, i64, ptr;

	VEC(struct cg_map *) maps;
	struct cg_map *packets; /* skboutput() */
	struct {                /* dw_ustack(): see image/unwind.h */
		struct cg_map *processes, *tables, *rules, *state;
		LLVMValueRef step;         /* the function that goes one frame on */
		struct sema_program *last; /* that has walked; each has its own element of state */
	} unwind;
	struct cg_map *events, *zeros, *scratch, *remembered;
	LLVMValueRef control; /* global variable, or NULL: control_map */
	struct cg_map *control_map;
	LLVMValueRef next_elem;   /* the callback of len(), once it is needed */
	bool has_control_actions; /* the script clears, prints maps, exits: printf leaves room */

	/* the program being generated */
	struct sema_program *prog;
	LLVMValueRef fn, ctx_arg;
	LLVMMetadataRef di_scope;
	struct span at;            /* what is being generated, for complaints */
	LLVMBasicBlockRef entry;   /* allocas */
	LLVMBasicBlockRef lookup;  /* once past the gate: finds scratch, when it is used */
	LLVMBasicBlockRef setup;   /* after it: addresses of large variables */
	LLVMBasicBlockRef leave;   /* returns result, or 0 */
	LLVMValueRef result;       /* where it is kept when there is no frame */
	bool returns;              /* the body gives it another value than 0 */
	LLVMValueRef control_ptr;  /* in programs without global data: slot with its address */
	LLVMValueRef scratch_slot; /* alloca that holds the scratch address; NULL: unused */
	VEC(struct cg_slot) slots;
	unsigned stmt_depth;
	uint32_t scratch_top;   /* bytes in use */
	uint32_t scratch_floor; /* below: variables, which outlive their statement */
	uint32_t scratch_need;  /* the most that was in use in this program */
	uint32_t scratch_max;   /* over all programs that share the map */
	uint32_t scratch_index; /* this program's element */
	uint32_t scratch_users; /* programs that use scratch */
	bool scratch_used;
	struct cg_frame frame;
	LLVMValueRef sys_nr;    /* i64: the call's number, in shared system-call programs */
	LLVMValueRef sys_probe; /* i32: row of PROBES, likewise; NULL: not looked up */
	struct cg_loop *loop;
	bool into_record; /* strings go into an event: what follows their NUL is not looked at */
	bool failed;
};

/* ---- llvm.c: target, passes, emission -------------------------------------- */
bool cg_llvm_open(struct codegen *cg);
void cg_llvm_close(struct codegen *cg);
bool cg_optimize(struct codegen *cg);
/* The object as an LLVM buffer; NULL after an error. */
LLVMMemoryBufferRef cg_emit(struct codegen *cg, LLVMCodeGenFileType type);

/* ---- debug.c: BTF of maps and functions, source lines ----------------------- */
void cg_debug_open(struct codegen *cg);
void cg_debug_map(struct codegen *cg, struct cg_map *m);
void cg_debug_var(struct codegen *cg, LLVMValueRef var, const char *name, uint32_t size);
void cg_debug_function(struct codegen *cg, struct span at);
/* Describes an external symbol of the kernel, without a type. */
void cg_debug_symbol(struct codegen *cg, LLVMValueRef var, const char *name);
/* Likewise of one with @n numbers of 32 bits as arguments, which the kernel checks by itself. */
LLVMMetadataRef cg_debug_global(struct codegen *cg, LLVMValueRef fn, const char *const *args,
				unsigned n);
/* Describes @fn, which is no program of its own; returns the scope of its instructions. */
LLVMMetadataRef cg_debug_subprogram(struct codegen *cg, LLVMValueRef fn, unsigned line, bool local);
void cg_debug_at(struct codegen *cg, struct span at);
void cg_debug_close(struct codegen *cg);

/* ---- object.c: maps, control words, constants --------------------------------- */
struct cg_map *cg_map_new(struct codegen *cg, const char *elf_name, uint32_t type);
void cg_object_open(struct codegen *cg);
void cg_object_close(struct codegen *cg);
struct cg_map *cg_script_map(struct codegen *cg, const struct sema_map *m);
/* The map that keeps stacks of type @t: a u64 id each, the number of frames, the frames. */
struct cg_map *cg_stack_map(struct codegen *cg, const struct type *t);
/* Bytes of one frame: an address, or a struct bpf_stack_build_id. */
uint32_t cg_stack_frame_size(const struct type *t);
/* The address of a control word, offset in struct image_control. */
LLVMValueRef cg_control_word(struct codegen *cg, uint32_t offset);
LLVMValueRef cg_control_load(struct codegen *cg, LLVMTypeRef type, uint32_t offset);
void cg_control_store(struct codegen *cg, uint32_t offset, LLVMValueRef v);
void cg_control_count(struct codegen *cg, uint32_t offset);
/* An address with @size zero bytes that nobody writes. */
LLVMValueRef cg_zeros(struct codegen *cg, uint32_t size);

/* ---- ir.c: small instruction helpers ----------------------------------------- */
LLVMValueRef cg_const(struct codegen *cg, LLVMTypeRef t, uint64_t v);
LLVMTypeRef cg_int_type(struct codegen *cg, uint32_t size);
LLVMTypeRef cg_type(struct codegen *cg, const struct type *t); /* of a scalar */
bool cg_is_scalar(const struct type *t);
LLVMValueRef cg_int_cast(struct codegen *cg, LLVMValueRef v, bool is_signed, LLVMTypeRef to);
LLVMValueRef cg_truth(struct codegen *cg, LLVMValueRef v); /* i1: v != 0 */
LLVMBasicBlockRef cg_block(struct codegen *cg, const char *name);
void cg_goto(struct codegen *cg, LLVMBasicBlockRef to); /* unless already terminated */
void cg_at(struct codegen *cg, LLVMBasicBlockRef bb);
bool cg_terminated(struct codegen *cg);
/* Stack for a variable of the program: of its own until the end. */
LLVMValueRef cg_alloca_var(struct codegen *cg, uint32_t size, const char *name);
/* Stack for a value of @size bytes (or of type @t), until the statement ends. */
LLVMValueRef cg_alloca_bytes(struct codegen *cg, uint32_t size, const char *name);
LLVMValueRef cg_alloca(struct codegen *cg, LLVMTypeRef t, const char *name);
/* Between the two, temporaries are of one statement. */
void cg_stmt_begin(struct codegen *cg);
void cg_stmt_end(struct codegen *cg);
LLVMValueRef cg_offset(struct codegen *cg, LLVMValueRef p, uint64_t off);
LLVMValueRef cg_load(struct codegen *cg, LLVMTypeRef t, LLVMValueRef p);
LLVMValueRef cg_load_volatile(struct codegen *cg, LLVMTypeRef t, LLVMValueRef p);
void cg_store(struct codegen *cg, LLVMValueRef v, LLVMValueRef p);
void cg_atomic_add(struct codegen *cg, LLVMValueRef p, LLVMValueRef v);
LLVMValueRef cg_opaque(struct codegen *cg, LLVMValueRef v); /* hides v from the optimiser */
LLVMValueRef cg_to_int(struct codegen *cg, LLVMValueRef p);
LLVMValueRef cg_to_ptr(struct codegen *cg, LLVMValueRef v);
LLVMValueRef cg_helper(struct codegen *cg, unsigned id, LLVMValueRef *args, unsigned n);
/* Copies and clears memory that BPF may access; sizes in bytes, addresses 8-byte aligned. */
void cg_copy(struct codegen *cg, LLVMValueRef dst, LLVMValueRef src, uint32_t size);
void cg_zero(struct codegen *cg, LLVMValueRef dst, uint32_t size);
void cg_store_bytes(struct codegen *cg, LLVMValueRef dst, const char *s, uint32_t len,
		    uint32_t size);
/* Room for @size bytes: on the stack when small, else in scratch until the statement ends. */
LLVMValueRef cg_temp(struct codegen *cg, uint32_t size, const char *name);
/* Room in scratch in any case: memory of a map, whose contents the verifier knows nothing of. */
LLVMValueRef cg_scratch(struct codegen *cg, uint32_t size);

/* ---- memory.c: reading the kernel's, the process's and the context's memory ------ */
struct cg_place {
	LLVMValueRef addr;
	enum type_space space;
};
/* Reads @size bytes at @p into BPF memory @dst; zeros when it cannot be read. */
void cg_read(struct codegen *cg, LLVMValueRef dst, uint32_t size, struct cg_place p);
/* @n (i64), or @max when it is more: so that the verifier sees it. */
LLVMValueRef cg_at_most(struct codegen *cg, LLVMValueRef n, uint32_t max);
/* Likewise @n bytes (i64), of which there are at most @max; what is not read stays as it was. */
void cg_read_bounded(struct codegen *cg, LLVMValueRef dst, LLVMValueRef n, uint32_t max,
		     struct cg_place p);
/* Reads a NUL-terminated string: at most @size bytes with the NUL. Returns the helper's result. */
LLVMValueRef cg_read_str(struct codegen *cg, LLVMValueRef dst, uint32_t size, LLVMValueRef from,
			 enum type_space space);
/* Reads a char array of @size bytes: up to its first NUL, which there may be none of. */
void cg_read_chars(struct codegen *cg, LLVMValueRef dst, uint32_t size, struct cg_place p);
LLVMValueRef cg_read_scalar(struct codegen *cg, const struct type *t, struct cg_place p);
LLVMValueRef cg_read_field(struct codegen *cg, const struct type_field *f, struct cg_place base);
/* A field of args: a scalar's value, or (aggregates) copied to @dst. */
LLVMValueRef cg_arg_scalar(struct codegen *cg, const struct type_field *f);
void cg_arg_copy(struct codegen *cg, const struct type_field *f, LLVMValueRef dst);
/* A pointer as a number to reckon with, where the verifier knows it to be a pointer. */
LLVMValueRef cg_forget_pointer(struct codegen *cg, LLVMValueRef v);
/* The same for what is a pointer in any program. */
LLVMValueRef cg_as_number(struct codegen *cg, LLVMValueRef v);
/* In programs whose context is struct pt_regs: a register, and argument @n of the function. */
LLVMValueRef cg_register(struct codegen *cg, const char *name);
LLVMValueRef cg_call_arg(struct codegen *cg, uint32_t n);
/* Argument @n of a USDT probe, extended to 64 bits; 0 when it has none. */
LLVMValueRef cg_usdt_arg(struct codegen *cg, uint32_t n);
struct cg_place cg_arg_place(struct codegen *cg, const struct type_field *f);

/* ---- process.c: who it was ------------------------------------------------------ */
/*
 * Process and thread as bpf_get_current_pid_tgid() puts them together: as the tracer's PID
 * namespace knows them, or (@initial) the machine's own.
 */
LLVMValueRef cg_pid_tgid(struct codegen *cg, bool initial);
/* The process's id in the tracer's namespace, to find it by in /proc: i64. */
LLVMValueRef cg_own_pid(struct codegen *cg);

/* ---- iterator.c ---------------------------------------------------------------- */
/* Whether the program is an iterator's that is pinned. */
bool cg_is_pinned(const struct codegen *cg);
/* What the reader of an iterator reads from: i64. */
LLVMValueRef cg_seq_file(struct codegen *cg);
/* printf() to it. */
void cg_seq_printf(struct codegen *cg, struct ast_expr *e);

/* ---- expr.c ------------------------------------------------------------------- */
/* A scalar's value, of LLVM type cg_type(e->type). */
LLVMValueRef cg_expr(struct codegen *cg, struct ast_expr *e);
/* The same converted to i64 (sign by e's type). */
LLVMValueRef cg_expr64(struct codegen *cg, struct ast_expr *e);
LLVMValueRef cg_expr_as(struct codegen *cg, struct ast_expr *e, const struct type *to);
/* Any value, written to BPF memory at @dst in the layout of @to. */
void cg_expr_into(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst, const struct type *to);
/* An aggregate's address in BPF memory, copied to a temporary where it has to be. */
LLVMValueRef cg_expr_addr(struct codegen *cg, struct ast_expr *e);
/* Where an aggregate lies, without copying. */
struct cg_place cg_place_of(struct codegen *cg, struct ast_expr *e);
/* Writes a scalar as type @to at @dst. */
void cg_store_as(struct codegen *cg, LLVMValueRef v, const struct type *from, LLVMValueRef dst,
		 const struct type *to);
/* Copies a value in BPF memory of type @from at @src to @dst as type @to. */
void cg_copy_as(struct codegen *cg, LLVMValueRef src, const struct type *from, LLVMValueRef dst,
		const struct type *to);
bool cg_has_padding(const struct type *t);
/* What field @i of @to is in @from, a tuple or record of another shape: records go by name. */
const struct type_field *cg_same_field(const struct type *from, const struct type *to, size_t i);
/* Copies an aggregate of type @from at @src (BPF memory) to @dst as type @to. */
void cg_convert(struct codegen *cg, LLVMValueRef src, const struct type *from, LLVMValueRef dst,
		const struct type *to);
/* What p + 1 adds to a pointer of this type; 1 for numbers. */
uint64_t cg_pointer_step(const struct type *t);
/* Evaluates for its effects. */
void cg_expr_discard(struct codegen *cg, struct ast_expr *e);

/* ---- ops.c ---------------------------------------------------------------------- */
LLVMValueRef cg_binary(struct codegen *cg, struct ast_expr *e);
LLVMValueRef cg_arith(struct codegen *cg, enum ast_binary_op op, LLVMValueRef l, LLVMValueRef r,
		      bool is_signed);
LLVMValueRef cg_strings_equal(struct codegen *cg, struct ast_expr *l, struct ast_expr *r,
			      int64_t max);

/* ---- mapops.c ---------------------------------------------------------------------- */
LLVMValueRef cg_map_key(struct codegen *cg, struct ast_expr *map);
LLVMValueRef cg_key_from(struct codegen *cg, const struct sema_map *m, struct ast_expr *key);
LLVMValueRef cg_map_lookup(struct codegen *cg, const struct sema_map *m, LLVMValueRef key);
LLVMValueRef cg_map_read_scalar(struct codegen *cg, struct ast_expr *e);
void cg_map_read_into(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst,
		      const struct type *to);
void cg_map_assign(struct codegen *cg, struct ast_expr *map, struct ast_expr *value);
void cg_map_compound(struct codegen *cg, struct ast_expr *map, enum ast_binary_op op,
		     struct ast_expr *value, struct sema_action *warning);
/* ++ and --; returns the value asked for (old or new) when @want, else NULL. */
LLVMValueRef cg_map_incdec(struct codegen *cg, struct ast_expr *e, bool want);
LLVMValueRef cg_map_delete(struct codegen *cg, const struct sema_map *m, LLVMValueRef key);
/*
 * The address of an element, made from zeros when missing. The code that follows runs only
 * when there is one; without room in the map the loss is counted and @done is gone to.
 */
LLVMValueRef cg_map_slot(struct codegen *cg, const struct sema_map *m, LLVMValueRef key,
			 LLVMBasicBlockRef done);
/* A per-CPU aggregation summed up to an integer (int64)@c. */
LLVMValueRef cg_aggregation_value(struct codegen *cg, struct ast_expr *map);
/* The same of the element with the key at @key. */
LLVMValueRef cg_aggregation_at(struct codegen *cg, const struct sema_map *m, LLVMValueRef key);
/* How many elements a map with keys has: i64. */
LLVMValueRef cg_map_len(struct codegen *cg, const struct sema_map *m);
uint32_t cg_map_value_off(const struct sema_map *m);

/* ---- action.c ------------------------------------------------------------------------ */
/* Reserves a record for @a, lets @fill write the payload, submits; counts when there is no room. */
void cg_action(struct codegen *cg, struct sema_action *a,
	       void (*fill)(struct codegen *cg, LLVMValueRef payload, void *arg), void *arg);
bool cg_action_is_control(enum image_action_kind k);
/* Sends @warning (NULL: nothing is generated) where @cond (i1) holds; goes on in any case. */
void cg_warn_if(struct codegen *cg, LLVMValueRef cond, struct sema_action *warning);
/* The same of a divisor that is zero. */
void cg_warn_of_zero(struct codegen *cg, LLVMValueRef divisor, struct sema_action *warning);

/* ---- stmt.c ---------------------------------------------------------------------------- */
void cg_block_stmts(struct codegen *cg, struct ast_block *blk);

/* ---- loop.c ---------------------------------------------------------------------------- */
void cg_while(struct codegen *cg, struct ast_stmt *st);
void cg_for_range(struct codegen *cg, struct ast_stmt *st);
void cg_for_map(struct codegen *cg, struct ast_stmt *st);
/* Whether the numbers of a range are signed. */
bool cg_range_signed(const struct ast_stmt *st);

/* ---- frame.c --------------------------------------------------------------------------- */
/* Tells which loops become functions and where the variables of @p go. */
void cg_frame_plan(struct codegen *cg, struct sema_program *p);
const struct cg_loop_plan *cg_loop_plan(struct codegen *cg, const struct ast_stmt *st);
/* Makes the frame; fills it, in a place that is passed by all that use it. */
void cg_frame_open(struct codegen *cg);
void cg_frame_fill(struct codegen *cg);
void cg_frame_note_syscall(struct codegen *cg);
/* After a call of functions of the program: i1, one of them asked to leave it. */
LLVMValueRef cg_frame_asks_to_leave(struct codegen *cg);
/* Where the first number of a range stands, when it is not a constant. */
LLVMValueRef cg_frame_begin_of(struct codegen *cg, const struct cg_loop_plan *plan);
/* The address of @v. */
LLVMValueRef cg_var_storage(struct codegen *cg, const struct sema_var *v);
unsigned cg_var_parts(struct codegen *cg, const struct sema_var *v);
/* Where the address of scratch memory stands; @size bytes of it; the address of byte @at. */
LLVMValueRef cg_scratch_slot(struct codegen *cg);
uint32_t cg_scratch_take(struct codegen *cg, uint32_t size);
LLVMValueRef cg_scratch_at(struct codegen *cg, uint32_t at);
/*
 * Between the two a function is generated that takes a number, or two addresses more, and the
 * frame last, and returns i64: 0 to go on, 1 to stop. The second returns whether it may
 * ask to leave the program.
 */
void cg_function_begin(struct codegen *cg, struct cg_function *outer, const char *name,
		       unsigned nparams, struct span at);
bool cg_function_end(struct codegen *cg, const struct cg_function *outer);

/* ---- program.c -------------------------------------------------------------------------- */
void cg_program(struct codegen *cg, struct sema_program *p);
/* The section of the object, which says what type of program it is; NULL: not supported. */
const char *cg_section(const struct codegen *cg, enum image_attach_kind k);
/* exit(): leaves the program at once. */
void cg_leave(struct codegen *cg);
/* Where the program's result is kept, an i32. */
LLVMValueRef cg_result(struct codegen *cg);

/* ---- builtins.c and its siblings ----------------------------------------------------------- */
/*
 * An emitter generates a builtin: returns a scalar's value; aggregates are written to @dst
 * (their own type) and NULL is returned.
 */
typedef LLVMValueRef cg_emit_fn(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst);
/* The last column of src/sema/builtins.def, one emitter for each name. */
#define BUILTIN(id, name, flags, min, max, check, emit) cg_emit_fn cg_emit_##emit;
#include "sema/builtins.def"
#undef BUILTIN
/* Generates a builtin, by its emitter. Aggregations: see cg_aggregate(). */
LLVMValueRef cg_builtin(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst);
/* Argument @n of a call; NULL: not given. */
static inline struct ast_expr *cg_arg_of(struct ast_expr *e, size_t n)
{
	return e->kind == AST_CALL && n < e->u.call.args.len ? e->u.call.args.items[n] : NULL;
}
/* A helper without arguments. */
LLVMValueRef cg_call0(struct codegen *cg, unsigned helper);
/* The address of the function that the probe is on; of a uprobe, of the probe itself. */
LLVMValueRef cg_function_address(struct codegen *cg);
/* Writes an IMAGE_K_USYM: an address of the current process. */
void cg_store_usym(struct codegen *cg, LLVMValueRef addr, LLVMValueRef dst);
/* @m[...] = count() and the like. */
void cg_aggregate(struct codegen *cg, struct ast_expr *map, struct ast_expr *call);
LLVMValueRef cg_nsecs(struct codegen *cg);
/* The TAI clock, by the clock that nsecs reads and what user space found between the two. */
LLVMValueRef cg_tai_ns(struct codegen *cg);

/* ---- stack.c: kstack, ustack ----------------------------------------------------------------- */
#define CG_PROCESS_KEY 24 /* bytes: pid and name, which changes with what is executed */
/* Tells user space of the current process once, so that it is known when it has gone. */
void cg_remember_process(struct codegen *cg);
LLVMValueRef cg_stack_len(struct codegen *cg, struct ast_expr *e); /* of a stack: i64 */

/* ---- unwind.c: dw_ustack --------------------------------------------------------------------- */
void cg_unwind_open(struct codegen *cg);
/*
 * Walks the process's stack. The address of what a stack map keeps, in map memory, and in *@got the
 * size of the frames in bytes; goes on where there is unwind data, else says so and goes to @none.
 */
LLVMValueRef cg_unwind(struct codegen *cg, struct ast_expr *e, LLVMValueRef *got,
		       LLVMBasicBlockRef none);

/* ---- pack.c ------------------------------------------------------------------------------------
 */
void *cg_pack(struct codegen *cg, const void *object, size_t object_size, size_t *size);

/* Refuses what the kernel compiled for has not, with the first kernel that has it. */
void cg_check_helper(struct codegen *cg, unsigned helper);
void cg_check_map_type(struct codegen *cg, struct span at, unsigned type);
/* Whether the kernel has @f; if not, @what at the place in hand is refused. */
bool cg_needs(struct codegen *cg, enum target_feature f, const char *what);
void cg_fail(struct codegen *cg, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
