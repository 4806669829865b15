/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax tree. The parser fills the syntax; sema fills what is marked
 * "sema:" on its own copies of the bodies and changes nothing after it has
 * handed the tree on to codegen.
 */
#ifndef BT_AST_H
#define BT_AST_H

#include "parser.h"

struct type;     /* src/types/types.h */
struct sema_map; /* src/sema/sema.h */
struct sema_var;
struct sema_action;
struct builtin;

/* ---- types as written --------------------------------------------------- */

enum ast_type_suffix_kind { AST_SUFFIX_POINTER, AST_SUFFIX_ARRAY /* [N]; N < 0: [] */ };
struct ast_type_suffix {
	enum ast_type_suffix_kind kind;
	int64_t count;
};

/*
 * struct foo *, uint8[8], string[64], enum e, typeof(expr). A bare name in sizeof(), typeof()
 * and the like, or in the parentheses of a cast, is always a type's; where a macro has a
 * parameter of that name it stands for the argument.
 */
struct ast_type {
	struct span span;
	const char *tag;  /* "struct", "union", "enum" or NULL */
	const char *name; /* NULL for typeof */
	struct ast_expr *typeof_expr;
	struct ast_type *typeof_type;         /* typeof(TYPE) */
	VEC(struct ast_type_suffix) suffixes; /* innermost first */
};

/*
 * No tree is deeper than this (expressions, blocks and statements counted together), so that
 * passes may recurse.
 */
#define AST_MAX_DEPTH 1000

/* ---- expressions -------------------------------------------------------- */

enum ast_expr_kind {
	AST_INT,         /* integer literal: u.integer */
	AST_STRING,      /* string literal: u.string */
	AST_BOOL,        /* true, false: u.integer.value */
	AST_POSITIONAL,  /* $1: u.integer.value is the number, from 1 */
	AST_NPARAMS,     /* $# */
	AST_VAR,         /* $x: u.var */
	AST_MAP,         /* @x or @x[k]: u.map */
	AST_IDENT,       /* bare name: builtin, enum constant, macro argument: u.ident */
	AST_CALL,        /* f(a, b): u.call */
	AST_UNARY,       /* u.unary */
	AST_INCDEC,      /* ++x x++ --x x--: u.incdec */
	AST_BINARY,      /* u.binary, && and || too */
	AST_TERNARY,     /* c ? a : b ; c ?: b has then == NULL: u.ternary */
	AST_FIELD,       /* a.b, a->b: u.field */
	AST_TUPLE_FIELD, /* a.0: u.tuple_field */
	AST_INDEX,       /* a[i]: u.index */
	AST_CAST,        /* (type)e: u.cast */
	AST_TUPLE,       /* (a, b), (a,), (): u.tuple */
	AST_RECORD,      /* (a=1, b=2): u.tuple with names */
	AST_SIZEOF,      /* sizeof(type or expr): u.sizeof_ */
	AST_OFFSETOF,    /* offsetof(type or expr, a.b.c): u.offsetof_ */
	AST_TYPEINFO,    /* typeinfo(type or expr): u.sizeof_ */
	AST_TYPE_EXPR,   /* typeof(...) as an argument of a macro: u.sizeof_.type */
	AST_BLOCK_EXPR,  /* { stmts; e }: u.block */
};

enum ast_unary_op { AST_NEG, AST_LNOT, AST_BNOT, AST_DEREF, AST_ADDROF };

enum ast_binary_op {
	AST_ADD,
	AST_SUB,
	AST_MUL,
	AST_DIV,
	AST_MOD,
	AST_BAND,
	AST_BOR,
	AST_BXOR,
	AST_SHL,
	AST_SHR,
	AST_EQ,
	AST_NE,
	AST_LT,
	AST_LE,
	AST_GT,
	AST_GE,
	AST_LAND,
	AST_LOR,
};

struct ast_expr {
	enum ast_expr_kind kind;
	uint32_t depth; /* nodes from here to the deepest leaf; at most AST_MAX_DEPTH */
	struct span span;
	union {
		struct {
			uint64_t value;
			bool is_unsigned; /* does not fit int64 */
			bool duration;    /* had a time unit; value in ns */
		} integer;
		struct {
			const char *text; /* unescaped, NUL-terminated */
			uint32_t len;
		} string;
		struct {
			const char *name;      /* without $ */
			uint32_t mark;         /* the expansion it belongs to; 0: none */
			struct sema_var *decl; /* sema: */
		} var;
		struct {
			const char *name;     /* without @; "" for the anonymous map */
			struct ast_expr *key; /* NULL: no key written; several keys: an AST_TUPLE */
			struct sema_map *decl; /* sema: */
		} map;
		struct {
			const char *name;
			const struct builtin *builtin; /* sema: */
			struct sema_action *action;    /* sema: as of a call */
		} ident;
		struct {
			const char *name;
			bool macro_bang; /* written name!(...) */
			VEC(struct ast_expr *) args;
			const struct builtin *builtin; /* sema: */
			struct sema_action *action;    /* sema: asynchronous calls */
		} call;
		struct {
			enum ast_unary_op op;
			struct ast_expr *e;
		} unary;
		struct {
			bool decrement, prefix;
			struct ast_expr *e; /* AST_VAR or AST_MAP */
		} incdec;
		struct {
			enum ast_binary_op op;
			struct span op_span;
			struct ast_expr *l, *r;
			struct sema_action *warning; /* sema: of a division by zero, or NULL */
		} binary;
		struct {
			struct ast_expr *cond, *then, *otherwise;
		} ternary;
		struct {
			struct ast_expr *e;
			const char *name;
			struct span name_span;
			bool arrow;
			const struct type_field
				*resolved; /* sema: field of e's struct, args or record */
		} field;
		struct {
			struct ast_expr *e;
			uint32_t index;
		} tuple_field;
		struct {
			struct ast_expr *e, *i;
			struct sema_action *warning; /* sema: of an index too large, or NULL */
		} index;
		struct {
			struct ast_type *type;
			struct ast_expr *e;
		} cast;
		struct {
			VEC(struct ast_expr *) elems;
			VEC(const char *) names; /* AST_RECORD */
		} tuple;
		struct {
			struct ast_type *type; /* one of the two */
			struct ast_expr *e;
			struct ast_expr *shown; /* sema: the record that typeinfo() is */
		} sizeof_;
		struct {
			struct ast_type *type; /* one of the two */
			struct ast_expr *e;
			VEC(const char *) path;
		} offsetof_;
		struct ast_block *block;
	} u;
	bool comptime;     /* has to be known at compile time */
	struct type *type; /* sema: */
	bool is_const;     /* sema: value known: const_int (int, bool) or const_str (string) */
	uint64_t const_int;
	const char *const_str;
};

/* ---- statements --------------------------------------------------------- */

enum ast_stmt_kind {
	AST_EXPR_STMT, /* e; */
	AST_ASSIGN,    /* target op= value; */
	AST_DECL,      /* let $x [: type] [= e]; */
	AST_IF,
	AST_FOR_MAP,   /* for ($kv : @map) */
	AST_FOR_RANGE, /* for ($i : a..b) */
	AST_WHILE,
	AST_UNROLL,
	AST_BREAK,
	AST_CONTINUE,
	AST_RETURN, /* return [e]; */
	AST_BLOCK,
	AST_DISCARD, /* _ = e; */
};

struct ast_block {
	struct span span;
	uint32_t depth; /* as in struct ast_expr */
	VEC(struct ast_stmt *) stmts;
	struct ast_expr *value; /* last expression without semicolon, in block expressions */
	bool open_end; /* parser only: the last statement, an if or a block, may be the value */
};

struct ast_stmt {
	enum ast_stmt_kind kind;
	uint32_t depth; /* as in struct ast_expr */
	struct span span;
	union {
		struct ast_expr *expr; /* EXPR_STMT, DISCARD, RETURN (may be NULL) */
		struct {
			struct ast_expr *target; /* AST_VAR, AST_MAP (others are errors in sema) */
			struct ast_expr *value;
			bool compound;
			enum ast_binary_op op;       /* of a compound assignment */
			struct sema_action *warning; /* sema: of a division by zero, or NULL */
		} assign;
		struct {
			struct ast_expr *var;  /* AST_VAR */
			struct ast_type *type; /* or NULL */
			struct ast_expr *init; /* or NULL */
		} decl;
		struct {
			struct ast_expr *cond;
			struct ast_block *then;
			struct ast_block *otherwise; /* or NULL; else-if: a block with one AST_IF */
		} if_;
		struct {
			struct ast_expr *var;         /* AST_VAR */
			struct ast_expr *map;         /* FOR_MAP */
			struct ast_expr *begin, *end; /* FOR_RANGE */
			struct ast_block *body;
		} for_;
		struct {
			struct ast_expr *cond; /* WHILE: condition; UNROLL: count */
			struct ast_block *body;
		} loop;
		struct ast_block *block;
	} u;
	bool dead; /* sema: known at compile time never to run; not generated */
};

/* ---- probes and the program --------------------------------------------- */

/*
 * One attach point as written: provider and the parts between colons, quotes removed. An
 * unquoted @ is a part of its own: "/bin/bash@file.c:10" is "/bin/bash", "@", "file.c", "10".
 */
struct ast_attach_point {
	struct span span;
	const char *label;       /* NAME= prefix, or NULL */
	const char *provider;    /* as written: "t", "tracepoint", "BEGIN", may hold wildcards */
	VEC(const char *) parts; /* after the provider; "$1" stays as it is */
	VEC(struct span) part_spans;
	const char *text; /* the whole point as written */
};

struct ast_probe {
	struct span span; /* of its attach points */
	VEC(struct ast_attach_point *) points;
	struct ast_expr *predicate; /* or NULL */
	struct ast_block *body;
};

struct ast_config_item {
	struct span span, value_span;
	const char *name;
	const char *value; /* as text: number, word or string */
};

struct ast_map_decl { /* let @m = hash(100); */
	struct span span;
	const char *name;
	const char *kind;
	int64_t max_entries;
};

struct ast_macro {
	struct span span;
	const char *name;
	VEC(struct ast_expr *) params; /* AST_VAR, AST_MAP, AST_IDENT */
	struct ast_block *body;
	bool stdlib; /* of the standard library; the script's own go before it */
};

struct ast_import {
	struct span span;
	const char *path;
	bool in_body; /* written as a statement */
};

/* Preprocessor lines and struct/union/enum definitions, kept as text for the C reader. */
struct ast_c_def {
	struct span span;
	const char *text;
};

/* Imports, declarations, macros and probes each in the order of the script. */
struct ast_program {
	VEC(struct ast_c_def) c_defs;
	VEC(struct ast_config_item) config;
	VEC(struct ast_import) imports;
	VEC(struct ast_map_decl) map_decls;
	VEC(struct ast_macro *) macros;
	VEC(struct ast_probe *) probes;
};

/* Deep copy of expressions and blocks, without sema's annotations. NULL gives NULL. */
struct ast_expr *ast_clone_expr(struct arena *a, const struct ast_expr *e);
struct ast_block *ast_clone_block(struct arena *a, const struct ast_block *b);

/* ---- visiting ------------------------------------------------------------ */

struct ast_visitor {
	void (*expr)(struct ast_expr *e, void *arg);
	void (*block)(struct ast_block *b, void *arg);
	void *arg;
	/* NULL: the expressions within written types are visited in their stead. */
	void (*type)(struct ast_type *t, void *arg);
};
/* Calls the visitor for what stands directly below e, st, b or t; NULL is skipped. */
void ast_visit_expr(struct ast_expr *e, const struct ast_visitor *v);
void ast_visit_stmt(struct ast_stmt *st, const struct ast_visitor *v);
void ast_visit_type(struct ast_type *t, const struct ast_visitor *v);

/*
 * Prints the tree, one node a line, indented by one space a level (the form of -d ast). A
 * predicate stands as it is written, too: "pred /pid == 1/". With @types the types that
 * sema found follow each expression (-d types). @o may be NULL.
 * The caller passes how a type is spelt, since the parser knows none.
 */
struct ast_print_opts {
	bool types;
	const char *(*type_name)(const struct type *t, void *arg);
	void *arg;
};
void ast_print_program(FILE *out, const struct ast_program *p, const struct ast_print_opts *o);
void ast_print_probe(FILE *out, const struct ast_probe *p, const struct ast_print_opts *o);
/* As written in a script, on one line, with as few parentheses as possible. */
void ast_format_expr(FILE *out, const struct ast_expr *e);
void ast_format_type(FILE *out, const struct ast_type *t);
/* In quotes, with escapes. */
void ast_format_string(FILE *out, const char *text, uint32_t len);
/* The operator as written, e.g. "+" or "<<". */
const char *ast_binary_op_text(enum ast_binary_op op);
const char *ast_unary_op_text(enum ast_unary_op op);

#endif
