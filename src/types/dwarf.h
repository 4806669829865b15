/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of programs' debug data share. */
#ifndef BT_TYPES_DWARF_H
#define BT_TYPES_DWARF_H

#include "symbols/debug_file.h"
#include "symbols/dwarf_units.h"
#include "types/types_internal.h"

#define DWARF_MAX_NESTING 64 /* of types in types; debug data may be broken */

/* A program whose debug data were asked for. */
struct program {
	struct program *next;
	const char *path;
	int fd, debug_fd;
	Elf *elf, *debug;
	struct dwarf_units units;
	bool usable;
	const char *error;         /* why not */
	struct type_named **names; /* structs, unions and enums by name; NULL: not read yet */
};

struct dwarf_entry {
	struct program *program;
	Dwarf_Die die;
};

/* The program at @path, opened on first use; ->usable says whether there are debug data. */
struct program *program_get(struct types *ts, const char *path);
/* The file's own address of what lies at @offset of the file. */
bool program_address(const struct program *p, uint64_t offset, uint64_t *addr);

/* The type that attribute DW_AT_type of @die names: void without one. */
struct type *dwarf_type_of(struct types *ts, struct program *p, Dwarf_Die *die);
/* C's spelling of that type: "const char*". */
const char *dwarf_spell_type_of(struct types *ts, struct program *p, Dwarf_Die *die);
/* The entry that attribute DW_AT_type of @die names. */
bool dwarf_type_die(struct program *p, Dwarf_Die *die, Dwarf_Die *type);
const char *dwarf_name(struct program *p, Dwarf_Die *die); /* "" without one */
bool dwarf_unsigned(struct program *p, Dwarf_Die *die, unsigned attribute, uint64_t *v);

#endif
