/* SPDX-License-Identifier: Apache-2.0 */
/* Where a process has what a file describes. */
#ifndef BT_PROBES_PROCESS_H
#define BT_PROBES_PROCESS_H

#include "probes/elf_file.h"

/*
 * What is to be added to the addresses of @f, which is opened from @path, to get those in the
 * process. Returns 0, or -ESRCH when the process has not mapped it.
 */
int process_load_bias(int pid, const char *path, const struct elf_file *f, uint64_t *bias);
/* Likewise, the address of what lies at @offset of the file, where it can be written. */
int process_address(int pid, const char *path, uint64_t offset, uint64_t *address);
/* Adds @by to a counter in the process's memory. Returns 0 or a negative errno. */
int process_add_u16(int pid, uint64_t address, int by);
/*
 * The address of variable or function @symbol of the program that the process runs. Returns 0, or
 * a negative errno: -ENOENT when there is no such symbol.
 */
int process_symbol_address(int pid, const char *symbol, uint64_t *address);

#endif
