/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the C reader share. */
#ifndef BT_CDEFS_INTERNAL_H
#define BT_CDEFS_INTERNAL_H

#include "types/cdefs.h"
#include "types/clang_api.h"
#include "types/types_internal.h"

/* Paths that exist for libclang alone. */
#define CDEFS_MAIN        "definitions.h"
#define CDEFS_VIRTUAL_DIR "/btrun/include"
#define CDEFS_BORROWED    CDEFS_VIRTUAL_DIR "/btrun_borrowed.h"

/* A stretch of the text for libclang that was copied from the script. */
struct cdefs_segment {
	size_t at, len; /* in the text */
	struct span from;
};

/*
 * A name that the C text uses and does not define. libclang is shown a declaration of the same
 * size and alignment; what refers to it becomes @type.
 */
struct cdefs_borrowed {
	const char *tag; /* "struct", "union", "enum", "": typedef, NULL: a constant */
	const char *name;
	const char *decl;
	struct type *type;
	bool refused; /* the C text defines it after all */
};

struct cdefs_record; /* a struct, union or enum already met: convert.c */

struct cdefs_reader {
	struct arena *arena;
	struct types *ts;
	struct diag_list *diags;
	const struct cdefs_options *opts;
	struct clang_api c;
	CXIndex index;
	CXTranslationUnit tu;
	const char *text; /* what libclang reads as CDEFS_MAIN */
	size_t size;
	bool kernel_dirs; /* the headers of the running kernel are looked into */
	VEC(struct cdefs_segment) segments;
	VEC(struct cdefs_borrowed) borrowed;
	VEC(const char *) empty_headers; /* "linux/sched.h": not there, taken as empty */
	/* convert.c: */
	CXFile borrowed_file;
	struct cdefs_record **records;
	VEC(struct cdefs_record *) unfilled;
	VEC(CXCursor) macros; /* object-like ones, in order of definition */
};

/* Parses the text; @extra is appended to it. False when libclang gives up. */
bool cdefs_parse(struct cdefs_reader *r, const char *extra);
/* Tells the target which files were read, or looked for in vain. */
void cdefs_note_files(struct cdefs_reader *r);
void cdefs_drop(struct cdefs_reader *r); /* frees the translation unit */
/* The text of a CXString, which is freed, in the arena. */
const char *cdefs_string(struct cdefs_reader *r, CXString s);

/* ---- plain.c ---- */
enum cdefs_plainness {
	CDEFS_NOT_PLAIN,         /* only libclang can read it */
	CDEFS_PLAIN,             /* read: nothing is left to libclang */
	CDEFS_PLAIN_BUT_HEADERS, /* it includes headers that libclang would look into */
};
/* Reads the text without libclang where that can be done; @headers: as if they were empty. */
enum cdefs_plainness cdefs_read_plain(struct cdefs_reader *r, bool headers);

/* ---- borrow.c ---- */
/*
 * Learns from an error what is missing (a header, a type, a constant), or, where something is
 * defined twice, that what @at names need not be lent. True when the next attempt will know more.
 */
bool cdefs_learn(struct cdefs_reader *r, const char *message, const char *at);
const struct cdefs_borrowed *cdefs_find_borrowed(struct cdefs_reader *r, const char *tag,
						 const char *name);
/* The declarations for libclang. */
const char *cdefs_borrowed_text(struct cdefs_reader *r);

/* ---- headers.c ---- */
struct cdefs_header {
	const char *path, *text; /* below CDEFS_VIRTUAL_DIR */
};
/* Headers of the compiler itself, where libclang came without them; ends with NULL. */
extern const struct cdefs_header cdefs_own_headers[];
/* Whether @path, of the kernel or the C library, may be taken as empty when it is missing. */
bool cdefs_may_be_empty(const char *path);
struct cdefs_args {
	VEC(const char *) v;
};
/* Where the kernel's own headers are, and how they want to be read; false: nowhere. */
bool cdefs_kernel_args(struct cdefs_reader *r, struct cdefs_args *args);
/* -DCONFIG_... of those that the text asks for. */
void cdefs_config_args(struct cdefs_reader *r, struct cdefs_args *args);

/* ---- convert.c ---- */
/* All types and enum constants of the unit become the script's; macros are listed. */
void cdefs_convert(struct cdefs_reader *r);

/* ---- macros.c ---- */
/* Makes constants of the macros listed; replaces the unit. */
void cdefs_read_macros(struct cdefs_reader *r);

#endif
