/* SPDX-License-Identifier: Apache-2.0 */
/* Where the arguments of a USDT probe are: "-4@$5 8@%rax 1@-8(%rbp,%rcx,4)". */
#ifndef BT_PROBES_USDT_OPERANDS_H
#define BT_PROBES_USDT_OPERANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USDT_MAX_OPERANDS 12 /* what <sys/sdt.h> offers */

enum usdt_operand_kind {
	USDT_CONSTANT, /* value */
	USDT_REGISTER, /* base, shifted right by shift bits */
	USDT_MEMORY,   /* what lies at value + base + index * scale */
};

struct usdt_operand {
	enum usdt_operand_kind kind;
	uint8_t size; /* bytes: 1, 2, 4, 8 */
	bool is_signed;
	int64_t value;
	int base, index; /* offsets in struct pt_regs; -1: none */
	uint8_t scale, shift;
};

/* How many operands @text has. */
size_t usdt_operands_count(const char *text);
/*
 * Parses operand @n of @text, as the assembler of this machine writes it. Returns 0; -ENOENT: there
 * are fewer; -EINVAL with the operand that is not understood in @why.
 */
int usdt_operand_parse(const char *text, size_t n, struct usdt_operand *op, char *why, size_t size);

#endif
