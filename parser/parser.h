/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser: script text in, AST with source positions out.
 *
 * Takes the bytes of a script (file, standard input or -e) and hands on a
 * struct ast_program whose nodes live in one arena. Knows nothing of kernels,
 * types or LLVM; uses libc only. Every node has a span; every complaint goes
 * to a struct diag_list, which can quote the line and underline the place.
 */
#ifndef BT_PARSER_H
#define BT_PARSER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- arena: all memory of one compilation ------------------------------- */

struct arena;

/* Returns a new, empty arena; aborts the process when memory is exhausted. */
struct arena *arena_new(void);
/* Frees the arena and everything allocated from it. NULL is allowed. */
void arena_free(struct arena *a);
/* Returns @size zeroed bytes aligned for any type; never NULL. */
void *arena_alloc(struct arena *a, size_t size);
/* Returns a copy of @s (or of its first @n bytes, NUL added). */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
/* Formats into the arena. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define arena_new_of(a, T) ((T *)arena_alloc((a), sizeof(T)))

/*
 * A growing array in an arena. VEC(struct foo *) members; then
 * vec_push(arena, &v, item): amortised constant time, the old storage stays in the arena.
 */
#define VEC(T)                                                                                     \
	struct {                                                                                   \
		T *items;                                                                          \
		size_t len, cap;                                                                   \
	}
void *arena_vec_grow(struct arena *a, void *items, size_t len, size_t *cap, size_t item_size);
#define vec_push(a, v, item)                                                                       \
	((v)->items = (v)->len < (v)->cap ? (v)->items                                             \
					  : arena_vec_grow((a), (v)->items, (v)->len, &(v)->cap,   \
							   sizeof(*(v)->items)),                   \
	 (v)->items[(v)->len++] = (item))

/* ---- sources and diagnostics -------------------------------------------- */

/* A half-open range of bytes in source @src (an index into the list's sources). */
struct span {
	uint32_t src;
	uint32_t begin;
	uint32_t end;
};

struct source {
	const char *name; /* as shown: file name, or "stdin" for -e and - */
	const char *text; /* NUL-terminated; may hold other NULs before @size */
	uint32_t size;
	/*
	 * A source seen through an expansion of a macro that it defines: same name and text,
	 * so that a place in the macro's body tells which call it serves.
	 */
	bool expanded;
	uint32_t real;    /* the source itself */
	struct span call; /* the macro's call */
};

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag_note { /* another place that belongs to a complaint */
	struct span span;
	const char *message;
};

struct diag {
	enum diag_level level;
	struct span span;
	const char *message;
	const char *hint; /* NULL, or a line shown as "HINT: ..." */
	VEC(struct diag_note) notes;
};

/* Collects sources and diagnostics of one compilation; lives in its arena. */
struct diag_list {
	struct arena *arena;
	VEC(struct source) sources;
	VEC(struct diag) diags;
	unsigned errors; /* number with DIAG_ERROR; more than DIAG_MAX_ERRORS are dropped */
	bool dropped;    /* the last one was: its hint and notes go with it */
};
#define DIAG_MAX_ERRORS 50

/* Adds a source and returns its index for struct span. The text is copied. */
uint32_t diag_add_source(struct diag_list *d, const char *name, const char *text, size_t size);
/* Adds the source of @call's macro, at @definition, as seen through this call of it. */
uint32_t diag_add_expansion(struct diag_list *d, struct span definition, struct span call);
/* The span in the file itself, whatever expansion it was seen through. */
struct span diag_real_span(const struct diag_list *d, struct span at);
/* Adds an error (or warning). A second error at the same span with the same text is dropped. */
void diag_error(struct diag_list *d, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_warning(struct diag_list *d, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds another place to the newest diagnostic, shown below it as "NOTE: ...". */
void diag_note(struct diag_list *d, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Sets the hint of the newest diagnostic. */
void diag_hint(struct diag_list *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Line and column, both from 1, of the first byte of @at. Columns count bytes. */
void diag_position(const struct diag_list *d, struct span at, unsigned *line, unsigned *col);
/* The place as messages name it, "stdin:1:9-12", or "file:3-5" when it has several lines. */
const char *diag_place(const struct diag_list *d, struct span at);
/* The line of the place, underlined, or its lines; without the newline at the end. */
const char *diag_quote(const struct diag_list *d, struct span at);
/*
 * For a place in what a macro was expanded to: a message of @level on each call that led there,
 * with the line quoted. "" elsewhere.
 */
const char *diag_calls(const struct diag_list *d, struct span at, const char *level);
/*
 * Prints all diagnostics, ordered by position, in bpftrace's form:
 *   stdin:1:9-12: ERROR: message
 *   BEGIN { foo }
 *           ~~~
 * @color: use terminal colours. @warnings: print warnings too.
 */
void diag_print(const struct diag_list *d, FILE *out, bool color, bool warnings);
/*
 * Returns the candidate closest to @name by edit distance, or NULL when none is
 * near enough to be a likely slip. @candidates ends with NULL.
 */
const char *diag_did_you_mean(const char *name, const char *const *candidates);

/* ---- parsing ------------------------------------------------------------ */

struct ast_program;

/*
 * Parses source @src. Returns a program (possibly partial) in the arena of @d;
 * when d->errors is not zero it must not be used further. A script without probes is no
 * error here. Limits: 1 MiB of text, 200 levels of brackets, AST_MAX_DEPTH levels of tree;
 * beyond them an error is reported.
 */
struct ast_program *parse_program(struct diag_list *d, uint32_t src);

/*
 * Source @src in the one style that scripts are written in, comments kept (malloc), its length
 * in *@size. NULL with errors in @d when it cannot be parsed, without any when memory was short.
 * Formatting it again changes nothing, and it compiles to the same programs.
 */
char *format_script(struct diag_list *d, uint32_t src, size_t *size);

/*
 * Reads what the script imports, and what that imports, and makes it part of @p: scripts'
 * definitions and probes before its own, C headers as C definitions. Paths are relative to the
 * importing file, or to @script's directory ("stdin" for none: the current one). Errors go to
 * @d. Without imports nothing is done. @looked_at is called for each file and directory before
 * it is looked at, found or not.
 */
void parse_imports(struct diag_list *d, struct ast_program *p, const char *script,
		   void (*looked_at)(const char *path, void *arg), void *arg);

/*
 * Puts the bodies of macros, those of the script and those of the standard library, in the
 * places of their calls in the probes of @p. @is_builtin tells names that have a meaning of
 * their own beside the macros. Errors go to @d, with the place of the call and of the
 * definition. Limits: EXPAND_MAX_NODES nodes in all, AST_MAX_DEPTH levels.
 */
void parse_expand_macros(struct diag_list *d, struct ast_program *p,
			 bool (*is_builtin)(const char *name));
#define EXPAND_MAX_NODES 100000

/*
 * Reads @text, all of it, as an integer literal of the language (without a sign): 0x1f, 1e6, 1_000,
 * 10ms. False when it is none; @a holds what is thrown away.
 */
bool parse_integer(struct arena *a, const char *text, uint64_t *value);

#endif
