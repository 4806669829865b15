/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols/cfi.h"

#include <stdbool.h>
#include <string.h>

#include "symbols/dwarf_cfi.h"

/* ---- reading bytes ------------------------------------------------------------------------ */

struct cursor {
	const uint8_t *p, *end;
	uint64_t addr; /* of @p, in the file's own addresses */
	bool bad;
};

static uint64_t take(struct cursor *c, unsigned size)
{
	uint64_t v = 0;

	if (c->bad || (size_t)(c->end - c->p) < size) {
		c->bad = true;
		return 0;
	}
	memcpy(&v, c->p, size); /* as the machine has it */
	c->p += size;
	c->addr += size;
	return v;
}

static uint64_t take_uleb(struct cursor *c)
{
	uint64_t v = 0;
	uint8_t b;

	for (unsigned shift = 0;; shift += 7) {
		b = (uint8_t)take(c, 1);
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80) || c->bad)
			return v;
	}
}

static int64_t take_sleb(struct cursor *c)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b;

	do {
		b = (uint8_t)take(c, 1);
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80 && !c->bad);
	if (shift < 64 && b & 0x40)
		v |= ~0ull << shift;
	return (int64_t)v;
}

/* The next @size bytes as a cursor of their own. */
static struct cursor take_part(struct cursor *c, uint64_t size)
{
	struct cursor part = *c;

	if (c->bad || size > (size_t)(c->end - c->p)) {
		c->bad = part.bad = true;
		return part;
	}
	part.end = c->p + size;
	c->p += size;
	c->addr += size;
	return part;
}

/* A pointer written as @encoding (DW_EH_PE_...) says; @relative: to its own place where it is so.
 */
static uint64_t take_pointer(struct cursor *c, uint8_t encoding, bool relative)
{
	uint64_t base = relative && (encoding & PE_BASE) == PE_PCREL ? c->addr : 0;

	if ((encoding & PE_BASE) != PE_PCREL && (encoding & PE_BASE) != PE_ABSPTR)
		c->bad = true;
	switch (encoding & PE_FORMAT) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return base + take(c, 8);
	case PE_UDATA4:
		return base + take(c, 4);
	case PE_SDATA4:
		return base + (uint64_t)(int64_t)(int32_t)take(c, 4);
	case PE_UDATA2:
		return base + take(c, 2);
	case PE_SDATA2:
		return base + (uint64_t)(int64_t)(int16_t)take(c, 2);
	case PE_ULEB128:
		return base + take_uleb(c);
	case PE_SLEB128:
		return base + (uint64_t)take_sleb(c);
	default:
		c->bad = true;
		return 0;
	}
}

/* ---- what is common to several functions ---------------------------------------------------- */

struct cie {
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding;
	bool has_augmentation, is_signal;
	struct cursor code;
};

static bool take_augmentation(struct cursor *c, struct cie *cie, const char *letters)
{
	struct cursor data;

	if (!*letters)
		return true;
	if (*letters++ != 'z')
		return false;
	cie->has_augmentation = true;
	data = take_part(c, take_uleb(c));
	for (; *letters; letters++) {
		if (*letters == 'R')
			cie->encoding = (uint8_t)take(&data, 1);
		else if (*letters == 'L')
			take(&data, 1);
		else if (*letters == 'P')
			take_pointer(&data, (uint8_t)take(&data, 1) & PE_FORMAT, false);
		else if (*letters == 'S')
			cie->is_signal = true;
		else if (*letters != 'B')
			break; /* the length says where what follows begins */
	}
	return !data.bad;
}

static bool read_cie(struct cursor c, struct cie *cie)
{
	uint8_t version = (uint8_t)take(&c, 1);
	const char *letters = (const char *)c.p;

	*cie = (struct cie){.encoding = PE_ABSPTR};
	while (take(&c, 1))
		;
	if (c.bad || (version != 1 && version != 3))
		return false;
	cie->code_align = take_uleb(&c);
	cie->data_align = take_sleb(&c);
	/* the return address's column is the same on the whole machine */
	if ((version == 1 ? take(&c, 1) : take_uleb(&c)) != IMAGE_UNWIND_RIP)
		return false;
	if (!take_augmentation(&c, cie, letters))
		return false;
	cie->code = c;
	return !c.bad;
}

/* ---- instructions ------------------------------------------------------------------------- */

#define REMEMBERED_MAX 8

struct walk {
	const struct cie *cie;
	struct image_unwind_rule now, initial, remembered[REMEMBERED_MAX];
	unsigned nremembered;
	uint64_t pc;
	cfi_rule_fn *fn; /* NULL: in the common part */
	void *arg;
};

static int slot_of(uint64_t reg)
{
	static const uint8_t registers[] = IMAGE_UNWIND_SLOT_REGISTERS;

	for (int i = 0; i < IMAGE_UNWIND_SLOTS; i++)
		if (registers[i] == reg)
			return i;
	return -1;
}

static struct image_unwind_rule fresh_rule(const struct cie *cie)
{
	static const uint8_t registers[] = IMAGE_UNWIND_SLOT_REGISTERS;
	struct image_unwind_rule rule = {.flags = cie->is_signal ? IMAGE_UNWIND_SIGNAL : 0};

	for (int i = 0; i < IMAGE_UNWIND_SLOTS; i++)
		rule.regs[i].base = registers[i];
	rule.regs[IMAGE_UNWIND_RSP].base = IMAGE_UNWIND_CFA;
	return rule;
}

static void forget(struct walk *w)
{
	w->now.cfa = IMAGE_UNWIND_UNKNOWN;
}

/* The caller's @reg is (@deref: lies at) @base + @off. */
static void set_register(struct walk *w, uint64_t reg, unsigned base, bool deref, int64_t off)
{
	int slot = slot_of(reg);

	if (slot < 0)
		return; /* calls do not keep it: nobody will ask */
	if (off != (int16_t)off || base >= IMAGE_UNWIND_REGS)
		forget(w);
	w->now.regs[slot].base = (uint8_t)base;
	w->now.regs[slot].deref = deref;
	w->now.regs[slot].off = (int16_t)off;
	if (slot == IMAGE_UNWIND_RA)
		w->now.flags &= ~IMAGE_UNWIND_END;
}

static void set_undefined(struct walk *w, uint64_t reg)
{
	if (reg == IMAGE_UNWIND_RIP)
		w->now.flags |= IMAGE_UNWIND_END;
}

static void restore_register(struct walk *w, uint64_t reg)
{
	int slot = slot_of(reg);

	if (slot >= 0)
		w->now.regs[slot] = w->initial.regs[slot];
}

static void set_cfa(struct walk *w, uint64_t reg, int64_t off)
{
	bool fits = reg < IMAGE_UNWIND_RIP && off == (int32_t)off;

	w->now.cfa = fits ? IMAGE_UNWIND_OFFSET : IMAGE_UNWIND_UNKNOWN;
	w->now.cfa_reg = (uint8_t)reg;
	w->now.cfa_off = (int32_t)off;
	w->now.cfa_plus = 0;
}

/* DW_OP_bregN off at the start of an expression. */
static bool take_breg(struct cursor *c, unsigned *reg, int64_t *off)
{
	uint8_t op = (uint8_t)take(c, 1);

	if (c->bad || op < OP_BREG0 || op >= OP_BREG0 + IMAGE_UNWIND_RIP)
		return false;
	*reg = op - OP_BREG0;
	*off = take_sleb(c);
	return !c->bad;
}

/* What linkers write for the procedure linkage table: rsp + 8 + ((rip & 15) >= N) * 8. */
static bool is_plt(const struct cursor *c, int32_t *n)
{
	static const uint8_t text[] = {
		OP_BREG0 + 7, 8,           OP_BREG0 + 16, 0,       OP_LIT0 + 15, OP_AND, 0,
		OP_GE,        OP_LIT0 + 3, OP_SHL,        OP_PLUS,
	};

	if ((size_t)(c->end - c->p) != sizeof(text))
		return false;
	for (size_t i = 0; i < sizeof(text); i++)
		if (text[i] && c->p[i] != text[i])
			return false;
	*n = c->p[6] - OP_LIT0;
	return *n >= 0 && *n < 32;
}

static void set_cfa_expression(struct walk *w, struct cursor c)
{
	unsigned reg;
	int64_t off;
	int32_t n;

	if (is_plt(&c, &n)) {
		set_cfa(w, 7, n);
		w->now.cfa = IMAGE_UNWIND_PLT;
		return;
	}
	forget(w);
	if (!take_breg(&c, &reg, &off))
		return;
	set_cfa(w, reg, off);
	if (c.p == c.end || w->now.cfa == IMAGE_UNWIND_UNKNOWN)
		return;
	w->now.cfa = take(&c, 1) == OP_DEREF ? IMAGE_UNWIND_DEREF : IMAGE_UNWIND_UNKNOWN;
	if (c.p == c.end)
		return;
	uint64_t plus = take(&c, 1) == OP_PLUS_UCONST ? take_uleb(&c) : UINT64_MAX;
	if (c.bad || c.p != c.end || plus > UINT8_MAX)
		forget(w);
	w->now.cfa_plus = (uint8_t)plus;
}

static void set_expression(struct walk *w, uint64_t reg, bool deref, struct cursor c)
{
	unsigned base;
	int64_t off;

	if (take_breg(&c, &base, &off) && c.p == c.end)
		set_register(w, reg, base, deref, off);
	else if (slot_of(reg) >= 0)
		forget(w);
}

static void advance(struct walk *w, uint64_t by)
{
	if (w->fn)
		w->fn(w->arg, w->pc, &w->now);
	w->pc += by * w->cie->code_align;
}

static void remember(struct walk *w, struct cursor *c)
{
	if (w->nremembered < REMEMBERED_MAX)
		w->remembered[w->nremembered++] = w->now;
	else
		c->bad = true;
}

static void recall(struct walk *w, struct cursor *c)
{
	if (w->nremembered)
		w->now = w->remembered[--w->nremembered];
	else
		c->bad = true;
}

/* Those that say where a register of the caller's is. False: none of them. */
static bool register_instruction(struct walk *w, struct cursor *c, uint8_t op)
{
	int64_t factor = w->cie->data_align;
	uint64_t reg;

	if (op < CFA_OFFSET_EXTENDED || op == CFA_REMEMBER_STATE || op == CFA_RESTORE_STATE ||
	    op == CFA_DEF_CFA || op == CFA_DEF_CFA_REGISTER || op == CFA_DEF_CFA_OFFSET ||
	    op == CFA_DEF_CFA_EXPRESSION || op == CFA_DEF_CFA_SF || op == CFA_DEF_CFA_OFFSET_SF ||
	    op > CFA_VAL_EXPRESSION)
		return false;
	reg = take_uleb(c);
	if (op == CFA_OFFSET_EXTENDED)
		set_register(w, reg, IMAGE_UNWIND_CFA, true, (int64_t)take_uleb(c) * factor);
	else if (op == CFA_OFFSET_EXTENDED_SF)
		set_register(w, reg, IMAGE_UNWIND_CFA, true, take_sleb(c) * factor);
	else if (op == CFA_VAL_OFFSET)
		set_register(w, reg, IMAGE_UNWIND_CFA, false, (int64_t)take_uleb(c) * factor);
	else if (op == CFA_VAL_OFFSET_SF)
		set_register(w, reg, IMAGE_UNWIND_CFA, false, take_sleb(c) * factor);
	else if (op == CFA_REGISTER)
		set_register(w, reg, (unsigned)take_uleb(c), false, 0);
	else if (op == CFA_SAME_VALUE)
		set_register(w, reg, (unsigned)reg, false, 0);
	else if (op == CFA_UNDEFINED)
		set_undefined(w, reg);
	else if (op == CFA_RESTORE_EXTENDED)
		restore_register(w, reg);
	else
		set_expression(w, reg, op == CFA_EXPRESSION, take_part(c, take_uleb(c)));
	return true;
}

static void other_instruction(struct walk *w, struct cursor *c, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case CFA_NOP:
		return;
	case CFA_SET_LOC:
		if (w->fn)
			w->fn(w->arg, w->pc, &w->now);
		w->pc = take_pointer(c, w->cie->encoding, true);
		return;
	case CFA_ADVANCE_LOC1:
		advance(w, take(c, 1));
		return;
	case CFA_ADVANCE_LOC2:
		advance(w, take(c, 2));
		return;
	case CFA_ADVANCE_LOC4:
		advance(w, take(c, 4));
		return;
	case CFA_REMEMBER_STATE:
		remember(w, c);
		return;
	case CFA_RESTORE_STATE:
		recall(w, c);
		return;
	case CFA_DEF_CFA:
		reg = take_uleb(c);
		set_cfa(w, reg, (int64_t)take_uleb(c));
		return;
	case CFA_DEF_CFA_SF:
		reg = take_uleb(c);
		set_cfa(w, reg, take_sleb(c) * w->cie->data_align);
		return;
	case CFA_DEF_CFA_REGISTER:
		set_cfa(w, take_uleb(c), w->now.cfa_off);
		return;
	case CFA_DEF_CFA_OFFSET:
		set_cfa(w, w->now.cfa_reg, (int64_t)take_uleb(c));
		return;
	case CFA_DEF_CFA_OFFSET_SF:
		set_cfa(w, w->now.cfa_reg, take_sleb(c) * w->cie->data_align);
		return;
	case CFA_DEF_CFA_EXPRESSION:
		set_cfa_expression(w, take_part(c, take_uleb(c)));
		return;
	case CFA_GNU_ARGS_SIZE:
		take_uleb(c);
		return;
	default:
		c->bad = true;
	}
}

static bool run(struct walk *w, struct cursor c)
{
	while (c.p < c.end && !c.bad) {
		uint8_t op = (uint8_t)take(&c, 1), low = op & 0x3f;

		if ((op & 0xc0) == CFA_ADVANCE_LOC)
			advance(w, low);
		else if ((op & 0xc0) == CFA_OFFSET)
			set_register(w, low, IMAGE_UNWIND_CFA, true,
				     (int64_t)take_uleb(&c) * w->cie->data_align);
		else if ((op & 0xc0) == CFA_RESTORE)
			restore_register(w, low);
		else if (!register_instruction(w, &c, op))
			other_instruction(w, &c, op);
	}
	return !c.bad;
}

/* ---- functions ------------------------------------------------------------------------------ */

static void read_fde(struct cursor c, const struct cie *cie, cfi_rule_fn *fn, void *arg)
{
	struct walk w = {.cie = cie, .now = fresh_rule(cie)};
	uint64_t start = take_pointer(&c, cie->encoding, true);
	uint64_t size = take_pointer(&c, cie->encoding & PE_FORMAT, false);

	if (cie->has_augmentation)
		take_part(&c, take_uleb(&c));
	if (c.bad || !size || !run(&w, cie->code))
		return;
	w.initial = w.now;
	w.nremembered = 0;
	w.pc = start;
	w.fn = fn;
	w.arg = arg;
	if (run(&w, c))
		fn(arg, w.pc, &w.now);
	else
		fn(arg, w.pc, NULL);
	fn(arg, start + size, NULL);
}

void cfi_read(const struct cfi_section *s, cfi_rule_fn *fn, void *arg)
{
	struct cursor c = {.p = s->data, .end = s->data + s->size, .addr = s->addr};
	const uint8_t *known = NULL;
	struct cie cie = {0};

	while (c.p < c.end) {
		uint64_t size = take(&c, 4);
		const uint8_t *from;
		struct cursor part;
		uint32_t id;

		if (size == UINT32_MAX)
			size = take(&c, 8);
		if (!size || c.bad)
			return;
		part = take_part(&c, size);
		from = part.p;
		id = (uint32_t)take(&part, 4);
		if (part.bad)
			return;
		if (!id) /* what is common: read when it is asked for */
			continue;
		if ((size_t)(from - s->data) < id)
			return;
		if (from - id != known) {
			struct cursor common = {.p = from - id,
						.end = s->data + s->size,
						.addr = s->addr + (uint64_t)(from - id - s->data)};
			struct cursor body;

			size = take(&common, 4);
			body = take_part(&common, size == UINT32_MAX ? take(&common, 8) : size);
			if (take(&body, 4) || body.bad || !read_cie(body, &cie)) {
				known = NULL;
				continue;
			}
			known = from - id;
		}
		read_fde(part, &cie, fn, arg);
	}
}
