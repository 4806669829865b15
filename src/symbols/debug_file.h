/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debug_file: where the debug data of a program lie when they are not in it.
 *
 * By build id below DIR/.build-id, by the name in .gnu_debuglink beside the program, in its
 * .debug, and below DIR; DIR is each that was asked for (--debuginfo), then /usr/lib/debug.
 */
#ifndef BT_DEBUG_FILE_H
#define BT_DEBUG_FILE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debug_search {
	/*
	 * Lists of directories, each divided by ':'; NULL-terminated array, or NULL. One that is
	 * not absolute is looked for from the program's directory, then from ours. A '+' before
	 * it: a file found by its name must have the right checksum, too.
	 */
	const char *const *dirs;
	const char *root; /* put before what is absolute: "/proc/PID/root"; NULL: nothing */
};

/*
 * Opens the debug file of the program @elf, which lies at @path. Returns a descriptor; -ENOENT
 * when there is none.
 */
int debug_file_open(const struct debug_search *s, Elf *elf, const char *path);
/* The build id: its bytes in @id, their number (at most @max), 0 when there is none. */
size_t elf_build_id(Elf *elf, uint8_t *id, size_t max);
/* The first section @name; NULL when there is none or it is not in the file. */
Elf_Scn *elf_section(Elf *elf, const char *name);
bool elf_has_section(Elf *elf, const char *name);

#endif
