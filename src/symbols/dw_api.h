/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dw_api: elfutils' libdw, loaded when debug data is read and not before.
 *
 * Only names of source files, lines, inlined functions and types need it. A program that is
 * linked with it carries four more libraries from its start on; so its functions are found with
 * dlsym(), and where there is no libdw nothing but those is missing.
 */
#ifndef BT_DW_API_H
#define BT_DW_API_H

#include <dwarf.h>
#include <elfutils/libdw.h>

#define DW_FUNCTIONS(X)                                                                            \
	X(dwarf_begin_elf)                                                                         \
	X(dwarf_end)                                                                               \
	X(dwarf_get_units)                                                                         \
	X(dwarf_cu_info)                                                                           \
	X(dwarf_cuoffset)                                                                          \
	X(dwarf_diecu)                                                                             \
	X(dwarf_offdie)                                                                            \
	X(dwarf_dieoffset)                                                                         \
	X(dwarf_child)                                                                             \
	X(dwarf_siblingof)                                                                         \
	X(dwarf_tag)                                                                               \
	X(dwarf_attr)                                                                              \
	X(dwarf_attr_integrate)                                                                    \
	X(dwarf_hasattr)                                                                           \
	X(dwarf_hasattr_integrate)                                                                 \
	X(dwarf_formstring)                                                                        \
	X(dwarf_formudata)                                                                         \
	X(dwarf_formsdata)                                                                         \
	X(dwarf_formflag)                                                                          \
	X(dwarf_formref_die)                                                                       \
	X(dwarf_diename)                                                                           \
	X(dwarf_entrypc)                                                                           \
	X(dwarf_ranges)                                                                            \
	X(dwarf_haspc)                                                                             \
	X(dwarf_bytesize)                                                                          \
	X(dwarf_aggregate_size)                                                                    \
	X(dwarf_getscopes)                                                                         \
	X(dwarf_getsrc_die)                                                                        \
	X(dwarf_getsrclines)                                                                       \
	X(dwarf_getsrcfiles)                                                                       \
	X(dwarf_onesrcline)                                                                        \
	X(dwarf_filesrc)                                                                           \
	X(dwarf_linesrc)                                                                           \
	X(dwarf_lineno)                                                                            \
	X(dwarf_linecol)                                                                           \
	X(dwarf_lineaddr)                                                                          \
	X(dwarf_linebeginstatement)                                                                \
	X(dwarf_lineendsequence)

struct dw_api {
#define X(name) __typeof__(&name) name;
	DW_FUNCTIONS(X)
#undef X
};

/* Loaded once for the process; NULL when there is no libdw that can be used. */
const struct dw_api *dw_api(void);

#endif
