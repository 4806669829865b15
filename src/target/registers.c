/* SPDX-License-Identifier: Apache-2.0 */
/* Where the machine keeps what a traced function was given: one table a machine. */
#include <stddef.h>
#include <string.h>

#include "target/target.h"

#if defined(__x86_64__)
/* The kernel's names (arch/x86/include/asm/ptrace.h), offsets in its struct pt_regs. */
static const struct target_register registers[] = {
	{"r15", 0},  {"r14", 8},     {"r13", 16}, {"r12", 24},       {"bp", 32},  {"bx", 40},
	{"r11", 48}, {"r10", 56},    {"r9", 64},  {"r8", 72},        {"ax", 80},  {"cx", 88},
	{"dx", 96},  {"si", 104},    {"di", 112}, {"orig_rax", 120}, {"ip", 128}, {"pc", 128},
	{"cs", 136}, {"flags", 144}, {"sp", 152}, {"ss", 160},
};

/* System V ABI, AMD64 supplement, 3.2.3: the first six in registers, the others above the
 * return address on the stack. */
static const struct target_abi abi = {
	.machine = "x86_64",
	.args = {"di", "si", "dx", "cx", "r8", "r9"},
	.nargs = 6,
	.stack_args = 8,
	.result = "ax",
	.ip = "ip",
	.sp = "sp",
	.breakpoint_size = 1,
};
#else
#error "the registers of this machine are not known"
#endif

const struct target_abi *target_abi(void)
{
	return &abi;
}

int target_register_offset(const char *name)
{
	for (size_t i = 0; i < sizeof(registers) / sizeof(*registers); i++)
		if (!strcmp(registers[i].name, name))
			return registers[i].offset;
	return -1;
}
