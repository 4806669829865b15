/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/types/ share. */
#ifndef BT_TYPES_INTERNAL_H
#define BT_TYPES_INTERNAL_H

#include "target/btf_view.h"
#include "types/types.h"

/* Types by two words, e.g. a BTF id, or an element and a count: open addressing. */
struct type_table {
	struct type_table_slot {
		uint64_t a, b;
		struct type *type;
	} *slots;
	uint32_t size, used; /* size is a power of two */
};

/* What the second word of a key says the first one is. */
enum type_key { KEY_BTF = 1, KEY_STRING, KEY_POINTER, KEY_ARRAY, KEY_BUFFER, KEY_DWARF, KEY_FLOAT };
#define TYPE_KEY(kind, n) ((uint64_t)(kind) << 32 | (n))

/* What the script's C text gives a name to; chained by hash. */
struct type_named {
	struct type_named *next;
	const char *tag; /* "struct", "union", "enum", "" for typedefs, NULL: a constant */
	const char *name;
	struct type *type;
	struct type_constant constant;
	struct dwarf_entry *die; /* of a program's names */
};
#define TYPE_NAME_BUCKETS 1024

struct types {
	struct arena *arena;
	struct target *target;
	uint32_t max_strlen;
	struct type *string_read;
	struct type *ints[2][9]; /* by signedness and size */
	struct type *simple[IMAGE_NKINDS];
	struct type_table table;
	struct type_named **names;       /* of the C text, NULL: none */
	struct type_named **enumerators; /* of BTF, found or (type NULL) missed before */
	struct program *programs;        /* whose debug data were asked for */
	const char *program;             /* that names are looked up in; NULL: none */
};

/* The slot of a key; an empty one (type NULL) that the caller fills when it is new. */
struct type **type_table_slot(struct types *ts, uint64_t a, uint64_t b);

/* A new, zeroed type of a kind. */
struct type *type_new(struct types *ts, enum image_kind kind, uint32_t size, uint32_t align);
/* Integers and other basic types by C's and the language's names; NULL when @name is none. */
struct type *type_basic(struct types *ts, const char *name);
/* A struct (kind STRUCT or UNION) that is looked up by name when it is completed. */
struct type *type_named_struct(struct types *ts, enum image_kind kind, const char *name);

/* Wider than a register: shown as arrays. */
struct type *type_sized_int(struct types *ts, uint32_t size, bool is_signed);
/*
 * Where a bit-field of @bits bits at @at bits lies: in the unit of its type if that holds it,
 * else in a wider one. False when no integer holds it.
 */
bool type_place_bits(struct types *ts, struct type_field *f, uint32_t at, uint32_t bits);
/* The value of enum constant @name in BTF, and its enum: a search through all of it. */
bool btf_find_enumerator(struct types *ts, const char *name, uint64_t *value, struct type **type);
/* The alignment that C gives the type, which BTF does not tell of structs. */
uint32_t btf_real_align(struct types *ts, const struct type *t);

/* ---- dwarf.c: debug data of programs ---- */
/* A struct, union or enum by its name in the program in use; NULL when there is none. */
struct type *dwarf_lookup(struct types *ts, const char *tag, const char *name);
/* Reads the fields of a struct that has t->dwarf. */
void dwarf_complete(struct types *ts, struct type *t);

/* ---- c_names.c: what the C text defines, and constants ---- */
void types_add_c_type(struct types *ts, const char *tag, const char *name, struct type *t);
void types_add_constant(struct types *ts, const char *name, uint64_t value, struct type *t);
void types_add_macro(struct types *ts, const char *name, const struct type_constant *c);
struct type *types_find_c_type(struct types *ts, const char *tag, const char *name);

/* ---- constants.c: macros of the kernel's and the C library's headers ---- */
bool constant_find(const char *name, uint32_t version, uint64_t *value);

/* The kernel's BTF, or NULL. */
struct btf_view *types_btf(struct types *ts);
/* The type of BTF id @id, const and typedefs resolved. void for 0. */
struct type *btf_type_get(struct types *ts, uint32_t id);
/* Resolves const, volatile, typedef and tags. */
uint32_t btf_skip(const struct btf_view *v, uint32_t id);
/* C's spelling of the type, e.g. "const struct request *". */
const char *btf_spell(struct types *ts, uint32_t id);

#endif
