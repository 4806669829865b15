/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/usdt_operands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/target.h"

/* ---- x86-64, as gas writes it for AT&T -------------------------------------------------- */

#if defined(__x86_64__)
/* A register by the names of its parts: 8 bytes, 4, 2, 1; and what struct pt_regs calls it. */
static const char *const register_parts[][5] = {
	{"rax", "eax", "ax", "al", "ax"},       {"rbx", "ebx", "bx", "bl", "bx"},
	{"rcx", "ecx", "cx", "cl", "cx"},       {"rdx", "edx", "dx", "dl", "dx"},
	{"rsi", "esi", "si", "sil", "si"},      {"rdi", "edi", "di", "dil", "di"},
	{"rbp", "ebp", "bp", "bpl", "bp"},      {"rsp", "esp", "sp", "spl", "sp"},
	{"r8", "r8d", "r8w", "r8b", "r8"},      {"r9", "r9d", "r9w", "r9b", "r9"},
	{"r10", "r10d", "r10w", "r10b", "r10"}, {"r11", "r11d", "r11w", "r11b", "r11"},
	{"r12", "r12d", "r12w", "r12b", "r12"}, {"r13", "r13d", "r13w", "r13b", "r13"},
	{"r14", "r14d", "r14w", "r14b", "r14"}, {"r15", "r15d", "r15w", "r15b", "r15"},
	{"rip", "eip", "ip", "ip", "ip"},
};

static bool is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && !strncmp(s, word, len);
}

/* "%rax" and the like at *@s, which moves behind it. False: none that is known. */
static bool take_register(const char **s, int *offset, uint8_t *shift)
{
	const char *name = *s + 1;
	size_t len = **s == '%' ? strcspn(name, ",()@ ") : 0;

	if (!len)
		return false;
	*s = name + len;
	*shift = 0;
	/* the second byte of the first four */
	if (len == 2 && name[1] == 'h' && strchr("abcd", name[0])) {
		char full[] = {name[0], 'x', 0};

		*offset = target_register_offset(full);
		*shift = 8;
		return true;
	}
	for (size_t i = 0; i < sizeof(register_parts) / sizeof(*register_parts); i++) {
		for (size_t k = 0; k < 4; k++) {
			if (!is_word(name, len, register_parts[i][k]))
				continue;
			*offset = target_register_offset(register_parts[i][4]);
			return true;
		}
	}
	return false;
}

/* "(%rbp)", "(%rdi,%rsi,4)", "(,%rsi,8)" at @s. */
static bool parse_memory(const char *s, struct usdt_operand *op)
{
	uint8_t shift;
	char *end;

	op->kind = USDT_MEMORY;
	s++;
	if (*s == '%' && !take_register(&s, &op->base, &shift))
		return false;
	if (*s == ',') {
		s++;
		if (!take_register(&s, &op->index, &shift))
			return false;
	}
	op->scale = 1;
	if (*s == ',') {
		op->scale = strtoul(s + 1, &end, 10);
		if (end == s + 1 || !strchr("\1\2\4\10", op->scale) || !op->scale)
			return false;
		s = end;
	}
	return !strcmp(s, ")") && (op->base >= 0 || op->index >= 0);
}

static bool parse_place(const char *s, struct usdt_operand *op)
{
	char *end;

	if (*s == '$') {
		op->kind = USDT_CONSTANT;
		op->value = (int64_t)strtoull(s + 1, &end, 0);
		return end != s + 1 && !*end;
	}
	if (*s == '%') {
		op->kind = USDT_REGISTER;
		return take_register(&s, &op->base, &op->shift) && !*s;
	}
	op->value = (int64_t)strtoull(s, &end, 0);
	if (*end == '(')
		return parse_memory(end, op);
	op->kind = USDT_MEMORY; /* an absolute address */
	return end != s && !*end;
}
#else
#error "the operands of this machine's assembler are not known"
#endif

/* ---- size and place ---------------------------------------------------------------------- */

/* "-4@" at *@s, which moves behind it; without it, a long. */
static bool take_size(const char **s, struct usdt_operand *op)
{
	const char *at = strchr(*s, '@');
	char *end;
	long size;

	op->size = sizeof(long);
	if (!at)
		return true;
	size = strtol(*s, &end, 10);
	if (end != at)
		return false; /* "8f@": in a register that BPF does not see */
	op->is_signed = size < 0;
	op->size = labs(size);
	*s = at + 1;
	return op->size == 1 || op->size == 2 || op->size == 4 || op->size == 8;
}

/* Operand *@s, which moves behind it, of *@len bytes; NULL at the end. */
static const char *next_operand(const char **s, size_t *len)
{
	const char *op;

	*s += strspn(*s, " ");
	op = *s;
	*len = strcspn(op, " ");
	*s += *len;
	return *len ? op : NULL;
}

size_t usdt_operands_count(const char *text)
{
	size_t n = 0, len;

	while (next_operand(&text, &len))
		n++;
	return n;
}

int usdt_operand_parse(const char *text, size_t n, struct usdt_operand *op, char *why, size_t size)
{
	const char *s = NULL;
	char buf[128];
	size_t len;

	for (size_t i = 0; i <= n; i++) {
		s = next_operand(&text, &len);
		if (!s)
			return -ENOENT;
	}
	snprintf(buf, sizeof(buf), "%.*s", (int)len, s);
	*op = (struct usdt_operand){.base = -1, .index = -1};
	s = buf;
	if (len < sizeof(buf) && take_size(&s, op) && parse_place(s, op))
		return 0;
	snprintf(why, size, "%s", buf);
	return -EINVAL;
}
