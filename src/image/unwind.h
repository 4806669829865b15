/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unwind: how stacks are walked that have no frame pointers (dw_ustack).
 *
 * The running half reads the call frame information of the files that a process maps and fills
 * four maps of the object; the programs walk them. Registers have the numbers that DWARF gives
 * them (System V ABI for x86-64, figure 3.36).
 *
 * UNWIND_PROCESSES  pid -> struct image_unwind_process: what is mapped where
 * UNWIND_TABLES     number -> array of rows, one a file, sorted: u64, the address in the file in
 *                   the upper half, in the lower one the number of the rule that holds from there
 * UNWIND_RULES      number -> struct image_unwind_rule; number 0: nothing is known
 * UNWIND_STATE      per CPU; an element for each program that walks
 */
#ifndef BT_IMAGE_UNWIND_H
#define BT_IMAGE_UNWIND_H

#include <stdint.h>

#define IMAGE_UNWIND_PROCESSES "unwind_procs"
#define IMAGE_UNWIND_TABLES    "unwind_tables"
#define IMAGE_UNWIND_RULES     "unwind_rules"
#define IMAGE_UNWIND_STATE     "unwind_state"

#define IMAGE_UNWIND_MAX_PROCESSES 64u
#define IMAGE_UNWIND_MAX_MAPPINGS  511u /* of one process; one less than a power of two */
#define IMAGE_UNWIND_MAX_TABLES    1024u
#define IMAGE_UNWIND_MAX_RULES     16384u
#define IMAGE_UNWIND_ROW_STEPS     23 /* of the search; at most 2^this - 1 rows in a table */

struct image_unwind_mapping {
	uint64_t start, end; /* addresses */
	uint64_t delta;      /* address - delta: address in the file */
	uint32_t table, rows;
};

struct image_unwind_process {
	uint64_t n;
	struct image_unwind_mapping maps[IMAGE_UNWIND_MAX_MAPPINGS + 1]; /* sorted by start */
};

/* The registers that rules say something of: those that calls keep, and the return address. */
enum image_unwind_slot {
	IMAGE_UNWIND_RBX,
	IMAGE_UNWIND_RBP,
	IMAGE_UNWIND_RSP,
	IMAGE_UNWIND_R12,
	IMAGE_UNWIND_R13,
	IMAGE_UNWIND_R14,
	IMAGE_UNWIND_R15,
	IMAGE_UNWIND_RA,
	IMAGE_UNWIND_SLOTS
};
#define IMAGE_UNWIND_SLOT_REGISTERS {3, 6, 7, 12, 13, 14, 15, 16}

#define IMAGE_UNWIND_RIP  16 /* the return address's column */
#define IMAGE_UNWIND_CFA  17 /* not DWARF's: the frame's own address as a base */
#define IMAGE_UNWIND_REGS 32

enum image_unwind_cfa {
	IMAGE_UNWIND_UNKNOWN,
	IMAGE_UNWIND_OFFSET, /* register + off */
	IMAGE_UNWIND_DEREF,  /* what lies at register + off, and plus */
	IMAGE_UNWIND_PLT,    /* rsp + 8, and 8 more where (rip & 15) >= off */
};

enum image_unwind_flags {
	IMAGE_UNWIND_END = 1,    /* nobody called */
	IMAGE_UNWIND_SIGNAL = 2, /* the caller was interrupted: its address is not behind a call */
};

struct image_unwind_rule {
	uint8_t flags;
	uint8_t cfa; /* enum image_unwind_cfa */
	uint8_t cfa_reg;
	uint8_t cfa_plus;
	int32_t cfa_off;
	struct {
		uint8_t base;  /* register, or IMAGE_UNWIND_CFA */
		uint8_t deref; /* what lies there, not the address */
		int16_t off;
	} regs[IMAGE_UNWIND_SLOTS]; /* of the caller */
};

struct image_unwind_state {
	uint64_t regs[IMAGE_UNWIND_REGS];
	uint64_t next[IMAGE_UNWIND_SLOTS];
	uint64_t pt_regs[21];
	uint64_t exact; /* 1: the address is that of an instruction, 0: behind a call */
	uint64_t zero;  /* that the verifier does not know to be zero */
	uint64_t count; /* from here on as a stack map has it */
	uint64_t frames[];
};

#endif
