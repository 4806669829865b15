/* SPDX-License-Identifier: Apache-2.0 */
/* dwarf_units: which compilation unit, and which function of it, an address belongs to. */
#ifndef BT_DWARF_UNITS_H
#define BT_DWARF_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/dw_api.h"

struct unit_range;

struct dwarf_units {
	const struct dw_api *dw;
	Dwarf *dwarf;
	struct unit_range *ranges; /* sorted by address */
	size_t n, cap;
};

/* Opens the debug data of @elf, which must outlive it. Returns 0; -ENOENT without any, or
 * without libdw. */
int dwarf_units_open(struct dwarf_units *u, Elf *elf);
void dwarf_units_close(struct dwarf_units *u);

/* The unit's entry; it may be a skeleton. */
bool dwarf_units_find(const struct dwarf_units *u, uint64_t addr, Dwarf_Die *unit);
/* What @unit says in full, which split debug data keep in another file. */
Dwarf_Die dwarf_units_whole(const struct dwarf_units *u, Dwarf_Die *unit);
/* The function of @whole whose code holds @addr. */
bool dwarf_units_function(const struct dwarf_units *u, Dwarf_Die *whole, uint64_t addr,
			  Dwarf_Die *function);

#endif
