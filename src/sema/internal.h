/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sema's own state, shared by its files.
 *
 * The order of work: config, probes (attach points to programs, each with its copy of
 * the body), variables (scopes, unrolling), then typing: all programs are typed again
 * and again, quietly, until no map or variable changes any more; one last pass reports.
 * An expression whose type is not known has type NULL, and whoever finds such an operand
 * says nothing: the one that could not be typed has spoken, or will in the last pass.
 */
#ifndef BT_SEMA_INTERNAL_H
#define BT_SEMA_INTERNAL_H

#include "sema.h"

#define SEMA_MAX_PASSES   200
#define SEMA_MAX_UNROLL   100
#define SEMA_MAX_CLONED   20000 /* statements that unrolling may create */
#define SEMA_STACK_DEPTH  127   /* default depth of kstack and ustack */
#define SEMA_STACK_MAX    1024
#define SEMA_MAX_TUPLE    4096 /* bytes of the value of a tuple, string or key */
#define SEMA_MAX_FMT_ARGS 127

/* The command line's words for the script. */
struct sema_words {
	VEC(const char *) params;  /* positional */
	VEC(const char *) named;   /* "name=value" or "name" */
	VEC(const char *) unknown; /* "-x" of which the script knows nothing */
};

/* A named option: getopt() and what the command line says of it. */
struct sema_getopt {
	const char *name;
	struct type *type;
	uint64_t value;    /* INT, BOOL */
	const char *text;  /* STRING */
	const char *shown; /* the default as text */
	bool failed;       /* the command line's value does not fit; already reported */
	char letter;       /* 0: none */
	uint32_t option;   /* row of result->options */
	struct span span;
};

/* What sema knows of a program beyond what it hands on. */
struct sema_work {
	struct sema_program *prog;
	struct ast_probe *probe;
	enum image_attach_kind plain; /* how its probes are attached when nothing is shared */
	const char *category, *event; /* of a tracepoint; module and name of the others */
	const char *args_error;       /* why there are no args; NULL: not asked for, or there are */
	bool args_said;               /* that has been reported */
	bool dead;                    /* the predicate never holds: not attached, not generated */
	bool probe_known;             /* one probe only: its row is probe_row */
	uint32_t probe_row;
};

/* An answer of probe_exists(). */
struct sema_known_probe {
	const char *text, *err;
	int found; /* 1, 0, or a negative errno with err */
};

/* The text of a map's first use with or without key: neither, until it is used. */
enum sema_map_shape { SHAPE_UNKNOWN, SHAPE_SCALAR, SHAPE_KEYED };

struct sema_map_work {
	struct sema_map *map;
	enum sema_map_shape shape;
	struct type *arg; /* what sum(), min()... were called with so far */
	bool assigned;    /* something was, or was tried to be, assigned */
	bool read;        /* a value was read */
	bool live;        /* code that can run uses it */
};

struct sema {
	struct arena *arena;
	struct types *types;
	struct target *target;
	struct diag_list *diags;
	const struct sema_options *opts;
	const struct sema_words *words;
	struct ast_program *ast;
	struct sema_result *r;

	VEC(struct sema_work *) works;
	VEC(struct sema_map_work *) maps;
	VEC(struct sema_getopt *) options;
	VEC(struct sema_known_probe *) known_probes;
	VEC(struct ast_probe *) dead_probes; /* that never run; some have a work, too */
	VEC(struct type *) stack_types;      /* one object for each kind, depth and mode in use */
	VEC(struct span) untyped;            /* uses of variables without a type */
	struct type *literal[4];             /* int8 to int64 of literals: sign still open */
	struct type *negative[4];            /* int8 to int64 of negative literals */
	struct type *literal_u64;

	struct sema_work *work; /* being typed */
	struct sema_map *row;   /* a column of its rows is being typed; NULL: none is */
	bool report;            /* the last pass: complaints are printed, actions collected */
	bool changed;           /* a map or variable got another type in this pass */
	bool probes_failed;     /* some probe has not been found */
	bool include_dead;      /* code that never runs is typed, too: all passes but the last */
	unsigned loop_depth;
	unsigned fold_only; /* within an operand of sizeof: nothing is generated */
	size_t cloned;
	/*
	 * probe is a number that is shown as a name. When a script does more with it (compares
	 * it, stores it beside strings), everything starts again with probe as a string constant.
	 */
	bool probe_strings, want_probe_strings;
};

/* ---- sema.c ---- */
void sema_error(struct sema *s, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sema_warning(struct sema *s, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sema_hint(struct sema *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *sema_tn(struct sema *s, const struct type *t); /* type_name, "none" for NULL */

/* ---- config.c ---- */
void sema_config_defaults(struct sema_config *c);
void sema_config_run(struct sema *s);
/* Config variable number @i as config() shows it: text, or (NULL) a number. False: no more. */
struct sema_setting {
	const char *name, *text;
	uint64_t number;
	bool is_bool;
};
bool sema_config_setting(struct sema *s, size_t i, struct sema_setting *set);

/* ---- iter.c ---- */
/* ctx in an iter probe; NULL after an error. */
struct type *sema_iterator_context(struct sema *s, struct ast_expr *e);

/* ---- probes.c, programs.c, usage.c ---- */
struct sema_point { /* a probe found, strings in the arena */
	const struct probe_type *type;
	struct probe_point p;
	struct span span;
	const struct ast_attach_point *from; /* parameters in their places */
};
struct sema_missing {
	struct span span;
	const char *err;
};
struct sema_points {
	bool dead;     /* nobody minds when there are none */
	bool filtered; /* some were left out by --probe-filter */
	VEC(struct sema_point) v;
	/* wildcards without a match: nobody minds when the probe has other points */
	VEC(struct sema_missing) unmatched;
};
bool sema_has_wildcard(const struct ast_attach_point *ap);
void sema_find_points(struct sema *s, struct ast_probe *probe, struct sema_points *out);
void sema_make_programs(struct sema *s);

/* ---- known.c ---- */
/* Whether it is false whatever happens: told without the probe, before it is looked for. */
bool sema_never_holds(struct sema *s, const struct ast_expr *predicate);
/* Whether @e depends on which probes the kernel has. */
bool sema_asks_kernel(struct ast_expr *e);
/* Whether code that never runs uses the map, and with a key. */
bool sema_dead_code_mentions(struct sema *s, const char *map, bool *keyed);

struct sema_usage {
	bool args, argn, probe, stack;
	bool too_deep; /* nested beyond what the functions here may recurse into */
};
/* What a probe's predicate and body mention. */
struct sema_usage sema_probe_usage(const struct ast_probe *p);

/* ---- vars.c ---- */
/* Unrolls, and gives every variable of the program its struct sema_var. */
void sema_resolve_vars(struct sema *s, struct sema_work *w);

/* ---- maps.c ---- */
struct sema_map *sema_map_get(struct sema *s, const char *name, struct span at);
struct sema_map_work *sema_map_work(struct sema *s, const struct sema_map *m);
/* Binds e (AST_MAP) to its map, checks its shape and key. False: an error was reported. */
bool sema_map_access(struct sema *s, struct ast_expr *e);
/* Binds a map given as a whole, as in clear(@m); its shape is left open. */
struct sema_map *sema_map_whole(struct sema *s, struct ast_expr *e);
bool sema_map_key(struct sema *s, struct sema_map *m, struct type *t, struct span at);
bool sema_map_value(struct sema *s, struct sema_map *m, struct type *t, struct span at);
struct type *sema_type_map(struct sema *s, struct ast_expr *e);
void sema_finish_maps(struct sema *s);

/* ---- context.c ---- */
/* As sema_expr(), of what is stored, printed or a key: args becomes a struct of its fields. */
struct type *sema_value(struct sema *s, struct ast_expr *e);

/* ---- typing.c: types joined and named ---- */
struct type *sema_literal_type(struct sema *s, uint64_t value);
struct type *sema_negative_type(struct sema *s, int64_t value);
/* An integer constant whose exact value counts, not its width: a literal or made of such. */
bool sema_is_literal(const struct sema *s, const struct ast_expr *e);
bool sema_int_like(const struct type *t);  /* INT, ENUM, BOOL, castable aggregation */
bool sema_castable(const struct type *t);  /* count, sum, min, max, avg: read as a number */
bool sema_is_number(const struct type *t); /* INT, ENUM */
/* What reading an aggregation as a number gives. */
struct type *sema_number_of(struct sema *s, struct type *agg);
/* The type that holds both, @a itself when it does already; NULL when there is none. */
struct type *sema_join(struct sema *s, struct type *a, struct type *b);
/* A copy of @t that lies in (or points into) @space, when it does not say so itself. */
struct type *sema_in_space(struct sema *s, struct type *t, enum type_space space);
enum type_space sema_default_space(const struct sema *s);
/* A type as written; NULL after an error. */
struct type *sema_written_type(struct sema *s, struct ast_type *t);
bool sema_fits(const struct type *from, const struct type *to); /* integers: no value lost */
bool sema_const_fits(const struct ast_expr *e, const struct type *to);
/* Warns when the number e loses its value or sign as a @to; literals have been checked. */
void sema_warn_of_cast(struct sema *s, struct ast_expr *e, const struct type *to);

/* ---- expr.c, operators.c ---- */
/* Types e and everything below it; returns e->type. */
struct type *sema_expr(struct sema *s, struct ast_expr *e);
struct type *sema_type_unary(struct sema *s, struct ast_expr *e);
struct type *sema_type_binary(struct sema *s, struct ast_expr *e);
struct type *sema_type_ternary(struct sema *s, struct ast_expr *e);
struct type *sema_type_cast(struct sema *s, struct ast_expr *e);
/* The type of l op r, also for compound assignments; complaints are put at @at. */
struct type *sema_binary_type(struct sema *s, struct span at, enum ast_binary_op op, struct type *l,
			      struct type *r);
/* The warning of a division, in the last pass; NULL for other operators and known divisors. */
struct sema_action *sema_warn_of_division(struct sema *s, struct span at, enum ast_binary_op op,
					  const struct ast_expr *by);
/* Whether a value of this type may decide: integers, bools, pointers, constant strings. */
bool sema_condition(struct sema *s, struct ast_expr *cond, struct span at);

/* ---- access.c: fields, elements ---- */
struct type *sema_type_field(struct sema *s, struct ast_expr *e);
struct type *sema_type_tuple_field(struct sema *s, struct ast_expr *e);
struct type *sema_type_index(struct sema *s, struct ast_expr *e);
struct type *sema_type_sizeof(struct sema *s, struct ast_expr *e);
struct type *sema_type_offsetof(struct sema *s, struct ast_expr *e);
/* The type of an operand that is either written as a type or an expression never run. */
struct type *sema_operand_type(struct sema *s, struct ast_type *written, struct ast_expr *x);

/* ---- typeinfo.c ---- */
/* New literals in the tree. */
struct ast_expr *sema_literal(struct sema *s, enum ast_expr_kind kind, struct span at);
struct ast_expr *sema_literal_text(struct sema *s, const char *value, struct span at);
struct type *sema_type_typeinfo(struct sema *s, struct ast_expr *e);
/* Makes e, a field of a typeinfo() or a comparison of two, a constant. False: it is neither. */
bool sema_fold_typeinfo_field(struct ast_expr *e);
bool sema_fold_typeinfo_compare(struct sema *s, struct ast_expr *e);

/* ---- cmacros.c ---- */
/* Puts macros of the C text that are expressions of the script's language in their places. */
void sema_expand_c_macros(struct sema *s);

/* ---- fold.c ---- */
void sema_set_int(struct ast_expr *e, struct type *t, uint64_t v);

/* @v as a number of type @t: what does not fit is cut off, then extended by the sign. */
uint64_t sema_truncated(uint64_t v, const struct type *t);
void sema_set_string(struct sema *s, struct ast_expr *e, const char *text);
bool sema_const_true(const struct ast_expr *e); /* e->is_const holds */
/* Both try to make e, its operands typed, a constant. True: done, e->type NULL after errors. */
bool sema_fold_unary(struct sema *s, struct ast_expr *e);
bool sema_fold_binary(struct sema *s, struct ast_expr *e);

/* ---- load.c: what is known when an image is loaded ---- */
/* Makes e a value of type @t that is loaded as the reloc says. Portable images only. */
struct type *sema_set_load(struct sema *s, struct ast_expr *e, struct type *t,
			   const struct sema_reloc *r);
/* Of enumerators, sizes and offsets: a constant, which the kernel must have the same. */
void sema_expect(struct sema *s, struct ast_expr *e, enum image_reloc_kind kind, const char *a,
		 const char *b);
/* "struct foo" for one of the kernel's, or an array of them; else NULL. */
const char *sema_kernel_type(struct sema *s, const struct type *t);
/* The row of @r, added when it is new. */
uint32_t sema_reloc_row(struct sema *s, const struct sema_reloc *r);
/* The row of argument @a, added when it is new. */
uint32_t sema_argument_row(struct sema *s, const struct sema_argument *a);
/* e, AST_FIELD of a struct that has no such field here, as what @like is. NULL: it is no such e. */
struct type *sema_type_foreign_field(struct sema *s, struct ast_expr *e, struct type *like);
/* ---- words.c: what the command line gives ---- */
struct sema_option_name {
	const char *name;
	char letter; /* 0: none */
};
/* "name|x" of getopt(). */
struct sema_option_name sema_split_option(struct arena *a, const char *written);
/* In the arena. */
const struct sema_words *sema_sort_words(struct arena *a, const struct ast_program *p,
					 const struct sema_options *opts);

/* ---- params.c: positional parameters and options ---- */
struct type *sema_type_positional(struct sema *s, struct ast_expr *e);
/* In a portable image: parameter or option @a, whose name, number and text are set, is fixed. */
void sema_note_fixed(struct sema *s, struct sema_argument *a, const char *why);
/* Whether arguments are left to whoever loads the image. */
bool sema_loads_arguments(const struct sema *s);
struct type *sema_positional_text(struct sema *s, struct ast_expr *e); /* portable images */
const char *sema_param(const struct sema *s, uint64_t n);              /* "" when not given */
void sema_check_options(struct sema *s);

/* ---- stmt.c ---- */
void sema_type_program(struct sema *s, struct sema_work *w);
struct type *sema_block_value(struct sema *s, struct ast_block *b);

/* ---- call.c ---- */
struct type *sema_type_ident(struct sema *s, struct ast_expr *e);
struct type *sema_type_call(struct sema *s, struct ast_expr *e);
const char *sema_builtin_name(const struct ast_expr *e);
size_t sema_nargs(const struct ast_expr *e);
struct ast_expr *sema_arg(const struct ast_expr *e, size_t i);
/* "f() expects a string literal (int provided)". Types the argument. */
bool sema_want_string_literal(struct sema *s, struct ast_expr *e, size_t i);
bool sema_want_int_literal(struct sema *s, struct ast_expr *e, size_t i);
bool sema_want_int(struct sema *s, struct ast_expr *e, size_t i);
const char *sema_kind_word(const struct type *t); /* "int", "string", ... */
/* Adds a copy of @a as the action of call e, in the last pass and where code is generated. */
void sema_add_action(struct sema *s, struct ast_expr *e, const struct sema_action *a);
/* A warning that the script gives when it comes to that, of what stands at @at. */
struct sema_action *sema_add_warning(struct sema *s, struct span at, const char *text);
/* The map given whole as argument 0, or NULL after "clear() expects a map argument". */
struct sema_map *sema_arg_map(struct sema *s, struct ast_expr *e);

/* ---- format.c ---- */
/* Checks the arguments from @first on against @fmt; the payload in *@payload (NULL: none). */
bool sema_check_format(struct sema *s, struct ast_expr *e, const char *fmt, size_t first,
		       struct type **payload);
/* What a value is sent as: integers widened, aggregations as numbers. NULL: cannot be. */
struct type *sema_payload_type(struct sema *s, struct type *t);

/* The length of the conversion at @fmt, which begins with '%'; 0: this '%' is text. */
size_t sema_conversion_length(const char *fmt);

/* ---- addresses.c ---- */
/* Has the program loaded with the kernel's types of its arguments. False: an error was reported. */
bool sema_wants_typed_args(struct sema *s, struct ast_expr *e);

/* ---- process.c ---- */
/* Whether the program is given the registers of what it interrupted. */
bool sema_has_registers(const struct sema_work *w);

/* ---- rows.c, columns.c ---- */
/* Whether @e is about the row that is shown: its key, or the value of a map there. */
bool sema_of_row(struct ast_expr *e);
/* Map @e without key in a column: its value at the row, or the only one that it has. */
struct type *sema_row_map(struct sema *s, struct ast_expr *e);
/* Whether field @e is a part of an aggregation in a column, and the type of that. */
bool sema_is_row_part(struct sema *s, struct ast_expr *e);
struct type *sema_row_part(struct sema *s, struct ast_expr *e);
/* Adds column @e, typed, which is shown as @shown. False: an error was reported. */
bool sema_add_column(struct sema *s, struct sema_table *table, struct ast_expr *e,
		     struct type *shown);
/* When all columns are there: the tuple that is sent for them, or NULL. */
struct type *sema_sent_type(struct sema *s, struct sema_table *table);

/* ---- aggregations.c ---- */
/* @target = f(...). */
void sema_assign_aggregation(struct sema *s, struct ast_stmt *st);
bool sema_is_aggregation_call(const struct ast_expr *e);

/* ---- stacks.c ---- */
/* Addresses of the current process will be shown by name. */
void sema_remember_process(struct sema *s, struct ast_expr *e);
void sema_finish_stacks(struct sema *s);

/* ---- display.c ---- */
struct ast_program *sema_display(struct sema *s);

/* ---- the checks named in builtins.def ---- */
#define BUILTIN(id, name, flags, min, max, check, emit)                                            \
	struct type *sema_check_##check(struct sema *s, struct ast_expr *e);
#include "sema/builtins.def"
#undef BUILTIN

#endif
