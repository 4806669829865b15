/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lengths of x86-64 instructions: a breakpoint in the middle of one would change what the
 * traced process does. After the opcode maps of Intel's manual, volume 2, appendix A.
 */
#include "probes/elf_file.h"

#if defined(__x86_64__)
/*
 * What follows an opcode, 16 opcodes a line:
 *	-  nothing                m  ModRM
 *	b  8 bits                 B  ModRM, 8 bits
 *	w  16 bits                e  16 and 8 bits
 *	z  32 bits (16: 0x66)     Z  ModRM, as z
 *	v  as z, 64 with REX.W    o  an address
 *	j  32 bits                t  ModRM, as b or z (odd opcodes) for reg 0 and 1
 */
static const char one_byte[] = "mmmmbz--mmmmbz--"
			       "mmmmbz--mmmmbz--"
			       "mmmmbz--mmmmbz--"
			       "mmmmbz--mmmmbz--"
			       "----------------"
			       "----------------"
			       "---m----zZbB----"
			       "bbbbbbbbbbbbbbbb"
			       "BZ-Bmmmmmmmmmmmm"
			       "----------------"
			       "oooo----bz------"
			       "bbbbbbbbvvvvvvvv"
			       "BBw---BZe-w--b--"
			       "mmmm----mmmmmmmm"
			       "bbbbbbbbjj-b----"
			       "------tt------mm";

/* behind 0x0f */
static const char two_byte[] = "mmmm---------m-B"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "----------------"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "BBBBmmm-mmmmmmmm"
			       "jjjjjjjjjjjjjjjj"
			       "mmmmmmmmmmmmmmmm"
			       "---mBm-----mBmmm"
			       "mmmmmmmmmmBmmmmm"
			       "mmBmBBBm--------"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm";

struct decoder {
	const uint8_t *p;
	size_t n, at;
	bool rex_w, operand16, address32;
};

/* The byte @ahead of the current one; zero beyond the end, which is found out at last. */
static uint8_t peek(const struct decoder *d, size_t ahead)
{
	return d->at + ahead < d->n ? d->p[d->at + ahead] : 0;
}

static void skip_prefixes(struct decoder *d)
{
	for (;; d->at++) {
		switch (peek(d, 0)) {
		case 0x66:
			d->operand16 = true;
			break;
		case 0x67:
			d->address32 = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
		case 0xf0:
		case 0xf2:
		case 0xf3:
			break;
		default:
			return;
		}
	}
}

static void skip_modrm(struct decoder *d)
{
	uint8_t modrm = peek(d, 0), mod = modrm >> 6, rm = modrm & 7;

	d->at++;
	if (mod == 3)
		return;
	if (rm == 4) {
		rm = peek(d, 0) & 7; /* the base of SIB: 5 is no register where mod is 0 */
		d->at++;
	}
	if (mod == 1)
		d->at += 1;
	else if (mod == 2 || rm == 5)
		d->at += 4;
}

static void skip_operands(struct decoder *d, char kind, uint8_t opcode)
{
	unsigned z = d->operand16 ? 2 : 4, reg = peek(d, 0) >> 3 & 7;

	switch (kind) {
	case 'm':
	case 'B':
	case 'Z':
	case 't':
		skip_modrm(d);
		break;
	}
	switch (kind) {
	case 'b':
	case 'B':
		d->at += 1;
		break;
	case 'w':
		d->at += 2;
		break;
	case 'e':
		d->at += 3;
		break;
	case 'j':
		d->at += 4;
		break;
	case 'z':
	case 'Z':
		d->at += z;
		break;
	case 'v':
		d->at += d->rex_w ? 8 : z;
		break;
	case 'o':
		d->at += d->address32 ? 4 : 8;
		break;
	case 't':
		if (reg < 2)
			d->at += opcode & 1 ? z : 1;
		break;
	}
}

/* VEX, EVEX and XOP: opcode map @map, then always ModRM (but for vzeroupper). */
static void skip_vector(struct decoder *d, unsigned map)
{
	uint8_t opcode = peek(d, 0);
	bool imm = map == 3 || map == 8 || (map == 1 && two_byte[opcode] == 'B');

	d->at++;
	if (map == 1 && opcode == 0x77)
		return;
	skip_modrm(d);
	d->at += imm ? 1 : map == 10 ? 4 : 0;
}

/* Whether it was one of those. */
static bool skip_vector_insn(struct decoder *d)
{
	uint8_t next = peek(d, 1);
	unsigned map;

	switch (peek(d, 0)) {
	case 0xc5:
		map = 1;
		d->at += 2;
		break;
	case 0xc4:
		map = next & 31;
		d->at += 3;
		break;
	case 0x62:
		map = next & 7;
		d->at += 4;
		break;
	case 0x8f: /* with a small number there: pop */
		map = next & 31;
		if (map < 8)
			return false;
		d->at += 3;
		break;
	default:
		return false;
	}
	skip_vector(d, map);
	return true;
}

static void skip_opcode(struct decoder *d)
{
	uint8_t opcode = peek(d, 0);

	d->at++;
	if (opcode != 0x0f) {
		skip_operands(d, one_byte[opcode], opcode);
		return;
	}
	opcode = peek(d, 0);
	d->at++;
	if (opcode == 0x38 || opcode == 0x3a) {
		d->at++;
		skip_operands(d, opcode == 0x38 ? 'm' : 'B', 0);
		return;
	}
	skip_operands(d, two_byte[opcode], opcode);
}

/* Length in bytes of the instruction at @p, or 0 when it does not fit in @n. */
static size_t insn_length(const uint8_t *p, size_t n)
{
	struct decoder d = {.p = p, .n = n};

	skip_prefixes(&d);
	if ((peek(&d, 0) & 0xf0) == 0x40) {
		d.rex_w = peek(&d, 0) & 8;
		d.at++;
	}
	if (!skip_vector_insn(&d))
		skip_opcode(&d);
	return d.at <= n ? d.at : 0;
}
#elif defined(__aarch64__)
static size_t insn_length(const uint8_t *p, size_t n)
{
	(void)p;
	return n < 4 ? 0 : 4;
}
#else
#error "the instructions of this machine are not known"
#endif

int insn_starts_at(const uint8_t *code, size_t size, size_t at)
{
	size_t i = 0;

	while (i < at) {
		size_t n = insn_length(code + i, size - i);

		if (!n)
			return -1;
		i += n;
	}
	return i == at && at < size;
}
