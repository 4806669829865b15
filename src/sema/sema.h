/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sema: gives the script a meaning on the target.
 *
 * Takes the AST, options and the target; finds the probes that the attach points
 * stand for, gives every expression a type, folds constants, and collects what the
 * script needs: programs, maps, actions. Hands on a struct sema_result, which
 * codegen reads and does not change. All of it lives in the arena of the diag_list.
 */
#ifndef BT_SEMA_H
#define BT_SEMA_H

#include <regex.h>

#include "ast.h"
#include "probes/probes.h"
#include "types/cdefs.h"

/* What the caller sets before sema_run(); the config block and environment come on top. */
struct sema_options {
	/* the script's parameters and options, in the order of the command line */
	const char *const *words;
	size_t nwords;
	bool sync; /* false: --no-sync */
	bool unsafe;
	bool tell_failures; /* -k */
	bool has_child;     /* -c given: cpid is known at run time */
	bool portable; /* what depends on kernel and arguments is left to whoever loads the image */
	bool fixed_arguments;        /* portable: but arguments are those of compiling */
	int pid;                     /* -p, 0: none */
	const regex_t *probe_filter; /* --probe-filter: the others are left out; NULL: none */
	const char *script_name;
	struct cdefs_options c; /* where C headers are looked for */
	/* environment look-up, getenv by default; NULL entries: not set */
	const char *(*getenv)(const char *name, void *arg);
	void *getenv_arg;
};

/* ---- config -------------------------------------------------------------- */

/* Every config variable of the language, with its value for this script. */
struct sema_config {
	uint64_t cache_user_symbols, cpp_demangle, lazy_symbolication, log_size, max_bpf_progs,
		max_cat_bytes, max_map_keys, max_probes, max_strlen, missing_probes, on_stack_limit,
		perf_rb_pages, stack_mode, print_maps_on_exit, show_debug_info, sync_probes,
		use_blazesym;
	const char *license;
	const char *str_trunc_trailer;
	const char *test_clock; /* tests: the map that tseries() takes the time from, NULL: none */
};

/* Rounds of a loop whose bounds are not constant, where the kernel has no bpf_loop. */
#define SEMA_MAX_ROUNDS 1024

/* ---- names ---------------------------------------------------------------- */

/* A scratch variable; one object for all its uses in one body. */
struct sema_var {
	const char *name; /* without $ */
	uint32_t mark;    /* of the macro's expansion that it belongs to; 0: none */
	struct type *type;
	struct span first;
	uint32_t index; /* within its program, from 0 */
	bool fixed;     /* declared with a type that assignments do not change */
};

struct sema_map {
	const char *name;   /* without @ */
	struct type *key;   /* NULL: scalar; several keys: a TUPLE */
	struct type *value; /* may be an aggregation */
	struct span first;
	uint32_t max_entries;
	uint32_t bpf_type; /* enum bpf_map_type */
	bool percpu;
	uint32_t index;       /* row of the image's MAPS */
	const char *elf_name; /* "AT_name", "AT_" for @ */
};

struct sema_stack_map { /* one for each depth in use */
	uint32_t depth;
	bool build_ids; /* frames as build id and offset, not as addresses */
	const char *elf_name;
	uint32_t index; /* row of the image's MAPS, after the script's maps */
};

/* What rows() and cycles() show; see struct image_table and src/image/ops.def. */
struct sema_op {
	uint16_t code, part;
	struct sema_map *map; /* NULL: none */
	struct type *type;    /* NULL: none */
	uint32_t offset;
	int64_t value;
	const char *text; /* TEXT */
};
struct sema_column {
	VEC(struct sema_op) ops;
	struct type *type; /* that it is shown as */
};
struct sema_table {
	VEC(struct sema_column *) columns; /* the first: what rows are ordered by */
	struct type *tuple;                /* of the others; NULL: there are none */
	VEC(struct ast_expr *) sent;       /* computed at the event: the action's payload */
	const char *heading;               /* NULL: none */
	struct type *heading_tuple;        /* NULL: none */
};

struct sema_action {
	enum image_action_kind kind;
	const char *fmt;
	struct type *payload;     /* NULL: none */
	struct sema_map *map;     /* NULL: none */
	struct sema_table *table; /* ROWS, CYCLES */
	uint64_t arg[2];
	struct span span;
	uint32_t index; /* row of the image's ACTIONS */
};

/* ---- builtins ------------------------------------------------------------- */

struct sema; /* sema's own state */
struct codegen;

/*
 * One row of the language: builtin variable or function. Rows are written in
 * src/sema/builtins.def, where check and emit stand side by side.
 */
enum builtin_id {
#define BUILTIN(id, name, flags, min, max, check, emit) BUILTIN_##id,
#include "sema/builtins.def"
#undef BUILTIN
	BUILTIN_COUNT_
};

enum builtin_flags {
	BUILTIN_VAR = 1,         /* usable without () */
	BUILTIN_FUNC = 2,        /* usable with () */
	BUILTIN_AGGREGATION = 4, /* only as @x = f(...) */
	BUILTIN_STATEMENT = 8,   /* has no value */
	BUILTIN_UNSAFE = 16,
};

struct builtin {
	enum builtin_id id;
	const char *name;
	unsigned flags;
	int min_args, max_args; /* max -1: any number */
};
/* The row of @name, or NULL. arg0, arg1, ... find the row ARGN. */
const struct builtin *builtin_find(const char *name);
const char *const *builtin_names(void); /* ends with NULL */

/* ---- result ---------------------------------------------------------------- */

struct sema_attachment {
	const char *target;
	int64_t arg[3];
	uint32_t probe, nprobes; /* rows of PROBES */
	bool again;              /* another place of the probe of the attachment before */
};

/* uaddr(): a symbol of the file that the program's probe is in. */
struct sema_user_symbol {
	const char *name;
	struct probe_user_symbol sym;
};

/*
 * One BPF program: a typed copy of a probe's body, the attach points that it serves and
 * how it is to be attached. Several probes share one program when body and context allow.
 */
struct sema_program {
	const char *name; /* ELF symbol, e.g. "p3_sched_switch" */
	const struct probe_type *type;
	enum image_attach_kind attach;
	struct ast_expr *predicate; /* typed; NULL: none (the gate is codegen's) */
	struct ast_block *body;     /* typed */
	struct type *args;          /* NULL: body does not use args */
	/* args stored or printed as a whole: a struct, and which field of args each of its is */
	struct type *args_value;
	const struct type_field **args_parts;
	struct span span; /* of the attach points in the script */
	bool gated;
	VEC(struct sema_attachment) attachments;
	uint32_t nvars;
	/*
	 * Shared system-call programs (attach RAW_TP on sys_enter or sys_exit): which numbers
	 * belong to it. syscall_probe[nr] is the row of PROBES + 1, or 0: not ours.
	 */
	bool is_syscall;
	uint16_t *syscall_probe;
	uint32_t nsyscalls;   /* entries of syscall_probe */
	bool uses_probe;      /* the builtin probe is evaluated in the body */
	const char *operands; /* usdt: where the arguments are (usdt_operands.h) */
	VEC(struct sema_user_symbol) user_symbols;   /* of uaddr(), each name once */
	const struct type_field *retval;             /* fexit: where it is; NULL: in its register */
	const char *category, *event;                /* what its args are of; NULL: no args */
	VEC(const struct ast_attach_point *) points; /* that stand for its attachments */
	VEC(uint32_t) expects;                       /* relocs that have to hold where it runs */
	bool many;        /* portable: how many attachments there are is told then */
	uint32_t exists;  /* portable: row + 1 of whether its probe is there; 0: it has to be */
	bool match_again; /* portable: where the image is loaded */
};

/* Several attachments and a body that asks which: attach cookies hold rows of PROBES. */
static inline bool sema_uses_cookies(const struct sema_program *p)
{
	return p->uses_probe && !p->is_syscall && (p->attachments.len > 1 || p->many);
}

struct sema_probe { /* row of the image's PROBES */
	const char *name;
	const char *type;
};

struct sema_option {
	const char *name, *description, *default_value; /* default as text, NULL: a flag */
	enum image_kind kind;                           /* INT, STRING, BOOL */
	char letter;                                    /* -x, 0: none */
};

/* What is known when an image is loaded: as struct image_reloc and image_argument. */
struct sema_reloc {
	enum image_reloc_kind kind;
	uint32_t flags;
	const char *a, *b;
	uint32_t size;
	uint64_t value;
	struct span span;
};

struct sema_argument {
	enum image_kind kind; /* INT, BOOL, STRING */
	uint32_t position;    /* 0: named */
	char letter;          /* 0: none */
	const char *name, *describe, *text, *fixed;
	uint64_t value;
};

struct sema_result {
	struct arena *arena;
	struct types *types;
	struct target *target;
	struct diag_list *diags;
	struct sema_config config;
	const struct sema_options *opts;
	VEC(struct sema_program *) programs; /* in script order */
	VEC(struct sema_map *) maps;         /* in order of first use */
	VEC(struct sema_stack_map *) stacks;
	VEC(struct sema_action *) actions;
	VEC(struct sema_probe) probes;
	struct ast_program *ast; /* typed tree for -d: predicates joined with the gate */
	bool uses_cpid;
	/* User addresses become names: tells of each process that one is taken of. NULL: none is.
	 */
	struct sema_action *remember;
	VEC(struct sema_reloc) relocs; /* portable images: rows that expressions' load is of */
	VEC(struct sema_argument) arguments;
	uint32_t unwind_depth;   /* the most frames that dw_ustack() is asked for; 0: not used */
	uint64_t task_stack_off; /* where task_struct says its kernel stack is, 0: not known */
	struct type *failure;    /* with -k: what is told of a helper that fails; else NULL */
	/* getopt() calls found, for --help of the script */
	VEC(struct sema_option) options;
};

/*
 * Analyses @p. Returns NULL when there were errors (all are in @d). @opts must outlive
 * the result.
 */
struct sema_result *sema_run(struct ast_program *p, struct diag_list *d, struct target *t,
			     const struct sema_options *opts);

/* Bytes, a NUL among them, that text of type @t (string, array, pointer to characters) takes. */
uint32_t sema_text_size(const struct sema_config *c, const struct type *t);

/* The names of all config variables, ending with NULL. */
const char *const *sema_config_names(void);

#endif
