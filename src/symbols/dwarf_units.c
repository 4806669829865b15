/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/debug_file.h"
#include "symbols/dwarf_units.h"
#include "symbols/internal.h"

#define NESTING_MAX 32 /* of namespaces and types that functions are looked for in */

/* What a compilation unit covers; one has as many of these as it has ranges. */
struct unit_range {
	uint64_t low, high;
	Dwarf_Off unit;
};

/* ---- which unit -------------------------------------------------------------------- */

static void add_ranges(struct dwarf_units *u, Dwarf_Die *die)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while ((at = u->dw->dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		if (low >= high || !low) /* what the linker has left out */
			continue;
		if (symbols_grow((void **)&u->ranges, &u->cap, u->n + 1, sizeof(*u->ranges)))
			return;
		u->ranges[u->n++] = (struct unit_range){low, high, u->dw->dwarf_dieoffset(die)};
	}
}

static int by_low(const void *pa, const void *pb)
{
	const struct unit_range *a = pa, *b = pb;

	return a->low < b->low ? -1 : a->low > b->low;
}

/* All units are asked: the table of ranges that DWARF has for it is often left out. */
static void read_units(struct dwarf_units *u)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	Dwarf_Die die;
	uint8_t type;

	while (!u->dw->dwarf_get_units(u->dwarf, cu, &cu, &version, &type, &die, NULL))
		if (type == DW_UT_compile || type == DW_UT_skeleton)
			add_ranges(u, &die);
	if (u->n)
		qsort(u->ranges, u->n, sizeof(*u->ranges), by_low);
}

bool dwarf_units_find(const struct dwarf_units *u, uint64_t addr, Dwarf_Die *unit)
{
	size_t low = 0, high = u->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (u->ranges[mid].low <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || addr >= u->ranges[low - 1].high)
		return false;
	return u->dw->dwarf_offdie(u->dwarf, u->ranges[low - 1].unit, unit);
}

/* ---- which function ------------------------------------------------------------------ */

static bool may_hold_functions(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type: /* Rust's have methods */
		return true;
	default:
		return false;
	}
}

/* The function below @parent whose code holds @addr. */
static bool find_function(const struct dwarf_units *u, Dwarf_Die *parent, uint64_t addr,
			  Dwarf_Die *found, unsigned depth)
{
	Dwarf_Die die;

	if (depth > NESTING_MAX || u->dw->dwarf_child(parent, &die))
		return false;
	do {
		int tag = u->dw->dwarf_tag(&die);

		if (tag == DW_TAG_subprogram && u->dw->dwarf_haspc(&die, addr) > 0) {
			*found = die;
			return true;
		}
		if (may_hold_functions(tag) && find_function(u, &die, addr, found, depth + 1))
			return true;
	} while (!u->dw->dwarf_siblingof(&die, &die));
	return false;
}

bool dwarf_units_function(const struct dwarf_units *u, Dwarf_Die *whole, uint64_t addr,
			  Dwarf_Die *function)
{
	return find_function(u, whole, addr, function, 0);
}

Dwarf_Die dwarf_units_whole(const struct dwarf_units *u, Dwarf_Die *unit)
{
	Dwarf_Die cu, sub = {0};
	uint8_t type;

	if (!u->dw->dwarf_cu_info(unit->cu, NULL, &type, &cu, &sub, NULL, NULL, NULL) &&
	    type == DW_UT_skeleton && sub.cu)
		return sub;
	return *unit;
}

/* ---- opening ----------------------------------------------------------------------- */

int dwarf_units_open(struct dwarf_units *u, Elf *elf)
{
	*u = (struct dwarf_units){0};
	if (!elf_has_section(elf, ".debug_info") && !elf_has_section(elf, ".zdebug_info"))
		return -ENOENT;
	u->dw = dw_api();
	if (!u->dw)
		return -ENOENT;
	u->dwarf = u->dw->dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	if (!u->dwarf)
		return -ENOENT;
	read_units(u);
	return 0;
}

void dwarf_units_close(struct dwarf_units *u)
{
	if (u->dwarf)
		u->dw->dwarf_end(u->dwarf);
	free(u->ranges);
}
