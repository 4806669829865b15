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
enum type_key { KEY_BTF = 1, KEY_STRING, KEY_POINTER, KEY_ARRAY };
#define TYPE_KEY(kind, n) ((uint64_t)(kind) << 32 | (n))

struct types {
	struct arena *arena;
	struct target *target;
	uint32_t max_strlen;
	struct type *string_read;
	struct type *ints[2][9]; /* by signedness and size */
	struct type *simple[IMAGE_NKINDS];
	struct type_table table;
};

/* The slot of a key; an empty one (type NULL) that the caller fills when it is new. */
struct type **type_table_slot(struct types *ts, uint64_t a, uint64_t b);

/* A new, zeroed type of a kind. */
struct type *type_new(struct types *ts, enum image_kind kind, uint32_t size, uint32_t align);
/* Integers and other basic types by C's and the language's names; NULL when @name is none. */
struct type *type_basic(struct types *ts, const char *name);
/* A struct (kind STRUCT or UNION) that is looked up by name when it is completed. */
struct type *type_named_struct(struct types *ts, enum image_kind kind, const char *name);

/* The kernel's BTF, or NULL. */
struct btf_view *types_btf(struct types *ts);
/* The type of BTF id @id, const and typedefs resolved. void for 0. */
struct type *btf_type_get(struct types *ts, uint32_t id);
/* Resolves const, volatile, typedef and tags. */
uint32_t btf_skip(const struct btf_view *v, uint32_t id);
/* C's spelling of the type, e.g. "const struct request *". */
const char *btf_spell(struct types *ts, uint32_t id);

#endif
