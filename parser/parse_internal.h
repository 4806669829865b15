/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser's inside: what the lexer, the token list, the grammar and the tree
 * builders share. Nothing outside parser/ includes it.
 *
 *   lexer.l   bytes to tokens, one after the other
 *   tokens.c  all tokens of a source in an array; brackets matched; what needs more
 *             look-ahead than a grammar has (casts, types, block expressions) marked
 *   grammar.y marked tokens to tree, through build_...()
 */
#ifndef BT_PARSE_INTERNAL_H
#define BT_PARSE_INTERNAL_H

#include "ast.h"

#define PARSE_MAX_SIZE     (1024 * 1024)
#define PARSE_MAX_BRACKETS 200
#define AST_MAX_SUFFIXES   64 /* of one type */

/* ---- tokens ------------------------------------------------------------- */

struct token {
	uint16_t kind; /* enum of the grammar */
	uint32_t begin, end;
	uint32_t match;   /* index of the other bracket; TOKEN_NONE: none */
	uint32_t brace;   /* index of the innermost { around it; TOKEN_NONE: none */
	const char *text; /* names without sigil, numbers as written, strings unescaped, or NULL */
	uint32_t len;     /* of text */
};
#define TOKEN_NONE UINT32_MAX

struct token_list {
	struct token *items; /* malloc; ends with the grammar's end token */
	uint32_t len, cap;
	bool unterminated; /* a string or comment has swallowed what follows it */
};

/* What stands at the top of the script decides where its last token is. */
enum lexer_item { ITEM_NONE, ITEM_PROBE, ITEM_BLOCK, ITEM_MAP_DECL, ITEM_IMPORT };

struct lexer {
	struct diag_list *diags;
	uint32_t src;
	const char *text;
	uint32_t size, pos;
	uint32_t start;   /* of the token under construction */
	uint32_t def_end; /* of a C definition */
	uint16_t prev;    /* kind of the token before */
	bool colon;       /* the attach point has a colon already: a slash belongs to a path */
	bool in_pred;     /* between the slashes of a predicate */
	bool pred_has_if; /* a { in the predicate may be a branch */
	enum lexer_item item;
	uint32_t depth;    /* open braces */
	bool unterminated; /* as in struct token_list */
	int comment_in;    /* start condition to return to */
};

/*
 * Reads all tokens of source @src into @list. Returns false when the text cannot be parsed at
 * all (too long, brackets nested too deeply); the reason is in @d. Free with tokens_free().
 */
bool tokens_read(struct diag_list *d, uint32_t src, struct token_list *list);
void tokens_free(struct token_list *list);
/* Marks what the grammar cannot see for itself. */
void tokens_classify(struct token_list *list);
/* Where to go on after an error at token @i. */
uint32_t tokens_resync(const struct token_list *list, uint32_t i);
/* Whether a token of this kind can end an operand ("x" before "/ 2"). */
bool token_ends_operand(uint16_t kind);
/* Whether @name is a builtin of the language proper: it cannot be a macro's parameter. */
bool token_is_builtin(const char *name);

/* lexer.l: runs flex over the whole text of @l and hands every token to @push. */
void lexer_run(struct lexer *l, void (*push)(struct token *t, void *arg), void *arg);
/* The first byte at or after @pos that is neither white space nor comment. */
uint32_t lexer_skip_layout(const struct lexer *l, uint32_t pos);

/* ---- literals ------------------------------------------------------------ */

struct literal_int {
	uint64_t value;
	bool duration;
};
/*
 * Reads an integer in any of the language's forms. Returns NULL, or what is wrong with it
 * (in the arena).
 */
const char *literal_int(struct arena *a, const char *text, struct literal_int *out);
/*
 * Unescapes @n bytes between quotes that begin at offset @begin of the source; reports bad
 * escapes. The length goes to *@len.
 */
char *literal_string(struct diag_list *d, struct span at, const char *text, uint32_t n,
		     uint32_t *len);

/* ---- parser state ---------------------------------------------------------- */

enum section { SECTION_C_DEFS, SECTION_CONFIG, SECTION_MAIN };

struct parser {
	struct diag_list *diags;
	struct arena *arena;
	uint32_t src;
	struct token_list tokens;
	uint32_t next, current; /* token to be read next, token read last */
	bool resync;            /* an error was reported: go on at resync_to */
	uint32_t resync_to, last_error;
	bool aborted; /* the tree is too deep: nothing more is read */
	bool said;    /* a syntax error was reported */
	bool config_seen;
	enum section section;
	struct ast_program *program;
};

struct expr_list {
	VEC(struct ast_expr *) v;
	VEC(const char *) names; /* of a record */
};
struct name_list {
	VEC(const char *) v;
};
struct stmt_list {
	VEC(struct ast_stmt *) v;
	bool closed; /* the last statement had its semicolon: it is no value */
};

/* Moves the contents of one VEC to another of the same element type. */
#define VEC_MOVE(to, from)                                                                         \
	((to)->items = (from)->items, (to)->len = (from)->len, (to)->cap = (from)->cap)

struct span span_join(struct span a, struct span b);
/* As much of @at as stands on its first line, so that it can be underlined. */
struct span span_first_line(const struct parser *p, struct span at);
#define build_error(p, at, ...) diag_error((p)->diags, span_first_line(p, at), __VA_ARGS__)

/* ---- builders: one node each, its depth computed ------------------------- */

/*
 * Makes *@depth at least one more than @child; a tree that is too deep is an error at @at and
 * ends the parsing.
 */
void build_depth(struct parser *p, uint32_t *depth, uint32_t child, struct span at);
struct ast_expr *build_expr(struct parser *p, enum ast_expr_kind kind, struct span at);
struct ast_expr *build_int(struct parser *p, struct span at, const struct token *t);
struct ast_expr *build_string(struct parser *p, struct span at, const struct token *t);
struct ast_expr *build_bool(struct parser *p, struct span at, bool value);
struct ast_expr *build_param(struct parser *p, struct span at, const struct token *t);
struct ast_expr *build_var(struct parser *p, struct span at, const struct token *t);
struct ast_expr *build_ident(struct parser *p, struct span at, const struct token *t);
/* @keys NULL: none written; several become a tuple. */
struct ast_expr *build_map(struct parser *p, struct span at, const struct token *t,
			   struct span keys_at, struct expr_list *keys);
struct ast_expr *build_call(struct parser *p, struct span at, const struct token *name, bool bang,
			    struct expr_list *args);
struct ast_expr *build_unary(struct parser *p, struct span at, enum ast_unary_op op,
			     struct ast_expr *e);
struct ast_expr *build_incdec(struct parser *p, struct span at, struct span op_at, bool decrement,
			      bool prefix, struct ast_expr *e);
struct ast_expr *build_binary(struct parser *p, struct span op_at, enum ast_binary_op op,
			      struct ast_expr *l, struct ast_expr *r);
struct ast_expr *build_ternary(struct parser *p, struct span at, struct ast_expr *cond,
			       struct ast_expr *then, struct ast_expr *otherwise);
struct ast_expr *build_field(struct parser *p, struct span at, struct ast_expr *e,
			     struct span name_at, const struct token *name, bool arrow);
struct ast_expr *build_tuple_field(struct parser *p, struct span at, struct ast_expr *e,
				   struct span index_at, const struct token *index);
struct ast_expr *build_index(struct parser *p, struct span at, struct ast_expr *e,
			     struct ast_expr *i);
struct ast_expr *build_cast(struct parser *p, struct span at, struct ast_type *type,
			    struct ast_expr *e);
struct ast_expr *build_tuple(struct parser *p, struct span at, enum ast_expr_kind kind,
			     struct expr_list *elems);
/* AST_SIZEOF, AST_TYPEINFO, AST_TYPE_EXPR: of a type or of an expression. */
struct ast_expr *build_typed(struct parser *p, struct span at, enum ast_expr_kind kind,
			     struct ast_type *type, struct ast_expr *e);
struct ast_expr *build_offsetof(struct parser *p, struct span at, struct ast_type *type,
				struct ast_expr *e, struct name_list *path);
/* A block used as a value: its last expression, if it ends with one, is its value. */
struct ast_expr *build_block_expr(struct parser *p, struct ast_block *b);
/* An if used as a value; every branch has to have one. */
struct ast_expr *build_if_expr(struct parser *p, struct span at, struct ast_stmt *s);

struct expr_list *build_expr_list(struct parser *p, struct expr_list *list, struct ast_expr *e);
struct expr_list *build_record_field(struct parser *p, struct expr_list *list, struct span at,
				     const struct token *name, struct ast_expr *e);
struct name_list *build_name_list(struct parser *p, struct name_list *list, const struct token *t);
struct stmt_list *build_stmt_list(struct parser *p, struct stmt_list *list, struct ast_stmt *s);

struct ast_type *build_type(struct parser *p, struct span at, const char *tag,
			    const struct token *name);
struct ast_type *build_typeof(struct parser *p, struct span at, struct ast_type *type,
			      struct ast_expr *e);
/* @count NULL: []. */
void build_type_suffix(struct parser *p, struct ast_type *t, struct span at,
		       enum ast_type_suffix_kind kind, const struct token *count);

struct ast_stmt *build_stmt(struct parser *p, enum ast_stmt_kind kind, struct span at,
			    struct ast_expr *e);
struct ast_stmt *build_assign(struct parser *p, struct span at, struct ast_expr *target,
			      bool compound, enum ast_binary_op op, struct ast_expr *value);
struct ast_stmt *build_decl(struct parser *p, struct span at, struct ast_expr *var,
			    struct ast_type *type, struct ast_expr *init);
struct ast_stmt *build_if(struct parser *p, struct span at, struct ast_expr *cond,
			  struct ast_block *then, struct ast_block *otherwise);
/* @end NULL: over a map. */
struct ast_stmt *build_for(struct parser *p, struct span at, struct ast_expr *var,
			   struct ast_expr *begin, struct ast_expr *end, struct ast_block *body);
struct ast_stmt *build_loop(struct parser *p, enum ast_stmt_kind kind, struct span at,
			    struct ast_expr *cond, struct ast_block *body);
struct ast_stmt *build_block_stmt(struct parser *p, struct ast_block *b);
/* @last: what stands before the closing brace without a semicolon; NULL: nothing. */
struct ast_block *build_block(struct parser *p, struct span at, struct stmt_list *stmts,
			      struct ast_stmt *last);
/* A block of one statement: the else of an else-if. */
struct ast_block *build_block_of(struct parser *p, struct ast_stmt *s);
/* A block whose value nobody takes: the last expression becomes a statement, inside too. */
struct ast_block *build_body(struct parser *p, struct ast_block *b);

/* A block whose value, if it has one, is taken: of a block expression or a macro. */
struct ast_block *build_value_block(struct parser *p, struct ast_block *b);

struct ast_attach_point *build_attach_point(struct parser *p, struct span at);

/* Checks that an item of @section may stand here; complains with @what otherwise. */
void build_section(struct parser *p, struct span at, enum section section, const char *what);
void build_config_item(struct parser *p, struct span at, const struct token *name,
		       struct span value_at, const char *value);
void build_import(struct parser *p, struct span at, const struct token *path, bool in_body);
void build_map_decl(struct parser *p, struct span at, const struct token *name,
		    const struct token *kind, struct span count_at, const struct token *count);
void build_macro(struct parser *p, struct span at, const struct token *name,
		 struct expr_list *params, struct ast_block *body);
void build_probe(struct parser *p, struct ast_probe *probe, struct ast_expr *predicate,
		 struct ast_block *body);

#endif
