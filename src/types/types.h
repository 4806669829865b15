/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types: the type model, and where types come from.
 *
 * Takes names ("struct request", "tracepoint block:block_rq_issue") and hands on
 * struct type. Readers: BTF (src/types/btf.c), tracepoint formats
 * (src/types/tracepoint.c), the script's C definitions (src/types/cdefs.h); DWARF finds its
 * place beside them.
 * The byte layout of every aggregate is decided here and nowhere else.
 */
#ifndef BT_TYPES_H
#define BT_TYPES_H

#include "image/image.h"
#include "parser.h"
#include "target/target.h"

enum type_space { SPACE_NONE, SPACE_KERNEL, SPACE_USER, SPACE_CTX, SPACE_BPF };

/* Where a field of args is to be read from. */
enum type_field_loc {
	LOC_MEMORY,     /* at offset from the struct's address */
	LOC_CTX,        /* direct load at offset of the program's context */
	LOC_DATA_LOC,   /* u32 at offset of the context: low 16 bits: where in the context the
			   data is, high 16 bits: its size (__data_loc) */
	LOC_REL_LOC,    /* likewise, counted from the end of the u32 itself (__rel_loc) */
	LOC_RAW_ARG,    /* ctx[offset / 8] of a raw tracepoint, fentry, fexit */
	LOC_SYS_NR,     /* shared system-call programs: the number */
	LOC_SYS_ARG,    /* argument register number offset (0 to 5) in struct pt_regs at ctx[0] */
	LOC_SYS_RET,    /* ctx[1] of sys_exit */
	LOC_CALL_ARG,   /* argument number offset, as argN counts them */
	LOC_CALL_REGS,  /* a struct in argument registers, the first of them offset */
	LOC_CALL_STACK, /* a struct in memory, offset bytes above the first argument there */
};

struct type;
struct dwarf_entry;

struct type_enumerator {
	const char *name;
	uint64_t value;
};

struct type_field {
	const char *name; /* "" for anonymous members */
	struct type *type;
	uint32_t offset;            /* bytes */
	uint16_t bit_off, bit_size; /* bit-fields, bit_size 0: none */
	enum type_field_loc loc;
	bool foreign;     /* made by sema: of other kernels */
	const char *decl; /* as its description declares it ("char comm[16]"), NULL: none */
};

struct type {
	enum image_kind kind;
	bool is_signed;  /* INT, ENUM, SUM, MIN, MAX, AVG, STATS */
	bool is_ctx;     /* STRUCT: args of a probe; fields have a loc */
	bool is_literal; /* INT: a flexible literal, see the language on integers */
	bool incomplete; /* STRUCT, UNION: fields not read yet; use type_complete() */
	uint32_t size;   /* bytes */
	uint32_t align;  /* bytes */
	enum type_space
		space;     /* POINTER: what it points into; STRUCT, ARRAY: where the value lies */
	struct type *elem; /* POINTER (NULL: void), ARRAY */
	uint32_t count;    /* ARRAY: elements, 0: not known (flexible members, __data_loc);
			    * KSTACK, USTACK: row of the stack map in the image's MAPS */
	const char *name;  /* STRUCT, UNION, ENUM: without the tag; TIMESTAMP: format */
	const char *orig;  /* as to be shown, e.g. "const char *"; NULL: type_name() spells it */
	VEC(struct type_field) fields;
	VEC(struct type_enumerator) enumerators;
	int64_t arg[3];                  /* as struct image_type */
	uint32_t btf_id;                 /* in vmlinux BTF, 0: not from there */
	uint32_t image_index;            /* codegen's: row + 1 in the image, 0: none yet */
	struct types *owner;             /* incomplete types: who completes them */
	const struct dwarf_entry *dwarf; /* where a program's debug data describe it, or NULL */
};

struct types;

/* The type table of one compilation; everything lives in the arena. */
struct types *types_new(struct arena *a, struct target *t);
/* The most that type_string_read() holds; 1024 by default. */
void types_set_max_strlen(struct types *ts, uint32_t size);

/* Basic types are shared, one object each. @size in bytes: 1, 2, 4, 8. */
struct type *type_int(struct types *ts, unsigned size, bool is_signed);
struct type *type_simple(struct types *ts,
			 enum image_kind kind);            /* VOID BOOL PROBE DISK KSYM ... */
struct type *type_string(struct types *ts, uint32_t size); /* bytes with the NUL */
/* What was an array of @size characters: all of them may be used, with no NUL behind them. */
struct type *type_chars(struct types *ts, uint32_t size);
/* float and double: they take room and have no value here. */
struct type *type_float(struct types *ts, uint32_t size);
struct type *type_buffer(struct types *ts, uint32_t size); /* the most bytes that it holds */
/*
 * What is read from memory without a length of its own, by str() or as a __data_loc char[] field:
 * max_strlen bytes, and one for the NUL when that is below 1024. arg[0] is set: a string that
 * fills it was cut.
 */
struct type *type_string_read(struct types *ts);
struct type *type_pointer(struct types *ts, struct type *to, enum type_space space);
struct type *type_array(struct types *ts, struct type *elem, uint32_t count);
/* Lays out as C does: each element at its alignment, the whole padded to the largest. */
struct type *type_tuple(struct types *ts, struct type *const *elems, size_t n);
struct type *type_record(struct types *ts, struct type *const *elems, const char *const *names,
			 size_t n);
/* Likewise a struct. @elems are complete. */
struct type *type_struct(struct types *ts, const char *name, struct type *const *elems,
			 const char *const *names, size_t n);
/* A fresh copy to be changed by the caller. */
struct type *type_copy(struct types *ts, const struct type *t);
/* An aggregation or stack with its layout size computed from kind and arg[]. */
struct type *type_aggregation(struct types *ts, enum image_kind kind, bool is_signed, int64_t a0,
			      int64_t a1, int64_t a2);

bool type_is_int(const struct type *t);         /* INT, BOOL, ENUM */
bool type_is_aggregate(const struct type *t);   /* held in memory: STRING ARRAY STRUCT TUPLE ... */
bool type_is_aggregation(const struct type *t); /* COUNT ... TSERIES */
bool type_equal(const struct type *a, const struct type *b); /* same kind, layout and names */
/* As the messages spell it: "uint64", "string[16]", "struct request *", "(int64,string[16])". */
const char *type_name(struct types *ts, const struct type *t);

/*
 * Looks a type up by name as written in a script: tag may be NULL ("int", "uint64",
 * "uint64_t", "size_t", typedefs of BTF), "struct", "union" or "enum". NULL when unknown.
 * Structs come incomplete and are filled by type_complete().
 */
struct type *types_lookup(struct types *ts, const char *tag, const char *name);
/* Reads the fields of a struct or union; nothing happens when there is no description. */
void type_complete(struct types *ts, struct type *t);
/* A field by name, looking through anonymous members (offset summed up in a fresh
 * field in that case). NULL when there is none. */
const struct type_field *type_find_field(struct types *ts, struct type *t, const char *name);
/* A name that stands for a value. */
struct type_constant {
	uint64_t value;
	struct type *type; /* the enum it belongs to; NULL: a plain number */
	const char *str;   /* a macro that is a string; then there is no value */
	const char *expr;  /* a macro that is neither: its text, for the script's own parser */
};

/*
 * Finds a constant: enums and macros of the script's C definitions, enums of BTF, then what
 * the headers of kernel and C library define (AF_INET, S_IFMT, TASK_RUNNING).
 */
bool types_find_constant(struct types *ts, const char *name, struct type_constant *c);
/* Likewise, of the C definitions alone. */
bool types_find_c_constant(struct types *ts, const char *name, struct type_constant *c);
/* Whether the script has C definitions that gave anything a name. */
bool types_has_c_names(const struct types *ts);

/*
 * The args struct of a probe: is_ctx, fields with loc. NULL with a message in @err when
 * the probe has none or its description cannot be read.
 * tracepoint: from the event's format. With @raw_syscall (category "syscalls" and the
 * program attached to raw sys_enter/sys_exit) the same fields, found in registers.
 * Field types follow bpftrace: char arrays are strings, pointers of syscalls point to
 * user space, __data_loc char[] is a string of max_strlen bytes at most, other
 * __data_loc fields are arrays of count 0. The common_* fields are left out, and with
 * @raw_syscall those that registers do not hold.
 */
struct type *types_tracepoint_args(struct types *ts, const char *category, const char *event,
				   bool raw_syscall, char *err, size_t errlen);
/*
 * The same from the text of a format file, without a target; for tests and for tracepoints
 * described elsewhere.
 */
struct type *types_parse_format(struct types *ts, const char *category, const char *event,
				bool raw_syscall, const char *format, char *err, size_t errlen);
/*
 * rawtracepoint: from BTF, the parameters of the tracepoint's function after the first;
 * each is the low bytes of the word at its offset in the context (LOC_RAW_ARG).
 */
struct type *types_raw_tracepoint_args(struct types *ts, const char *name, char *err,
				       size_t errlen);
/* iter:@name: what its programs are given, from BTF; fields with LOC_CTX. */
struct type *types_iterator_context(struct types *ts, const char *name, char *err, size_t errlen);
/*
 * fentry and fexit: the parameters of a function of vmlinux, each as LOC_RAW_ARG; with @result
 * one more field, "retval", unless it returns nothing.
 */
struct type *types_function_args(struct types *ts, const char *name, bool result, char *err,
				 size_t errlen);
/*
 * uprobe: the parameters of the function at @offset of the file at @path, from its debug data.
 * What cannot be read where the function begins has type VOID.
 */
struct type *types_program_args(struct types *ts, const char *path, uint64_t offset, char *err,
				size_t errlen);
/*
 * From now on structs are looked up in the debug data of the program at @path, too, before the
 * kernel's. NULL: they are not.
 */
void types_use_program(struct types *ts, const char *path);
/* Prints a struct's fields as -lv does: "    int __syscall_nr" a line each. */
void types_print_fields(struct types *ts, struct type *t, FILE *out);

/* struct type -> row of the image's TYPES; fields and elements first; cached in image_index. */
uint32_t type_to_image(struct image_builder *b, struct type *t);

#endif
