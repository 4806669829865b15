/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a program's functions, and how the calling convention hands them over. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "types/dwarf.h"

#define WORD            8
#define REGS_STRUCT_MAX 16 /* bytes of a struct that registers may carry */

/* ---- spelling ------------------------------------------------------------------------ */

static const char *spell(struct types *ts, struct program *p, Dwarf_Die *die, unsigned depth);

static const char *spell_below(struct types *ts, struct program *p, Dwarf_Die *die, unsigned depth)
{
	Dwarf_Die type;

	return dwarf_type_die(p, die, &type) ? spell(ts, p, &type, depth + 1) : "void";
}

/* A qualifier stands before what it qualifies, but behind a pointer. */
static const char *spell_qualified(struct types *ts, struct program *p, Dwarf_Die *die,
				   const char *word, unsigned depth)
{
	const char *s = spell_below(ts, p, die, depth);

	return s[strlen(s) - 1] == '*' ? arena_printf(ts->arena, "%s %s", s, word)
				       : arena_printf(ts->arena, "%s %s", word, s);
}

static const char *spell_array(struct types *ts, struct program *p, Dwarf_Die *die, unsigned depth)
{
	const char *s = spell_below(ts, p, die, depth);
	Dwarf_Die child;
	uint64_t n;

	if (p->units.dw->dwarf_child(die, &child))
		return arena_printf(ts->arena, "%s[]", s);
	do {
		if (p->units.dw->dwarf_tag(&child) != DW_TAG_subrange_type)
			continue;
		if (dwarf_unsigned(p, &child, DW_AT_count, &n))
			s = arena_printf(ts->arena, "%s[%" PRIu64 "]", s, n);
		else if (dwarf_unsigned(p, &child, DW_AT_upper_bound, &n))
			s = arena_printf(ts->arena, "%s[%" PRIu64 "]", s, n + 1);
		else
			s = arena_printf(ts->arena, "%s[]", s);
	} while (!p->units.dw->dwarf_siblingof(&child, &child));
	return s;
}

static const struct {
	int tag;
	const char *before, *behind; /* the type below stands between; behind NULL: a qualifier */
	bool named;                  /* before, then the name */
} spellings[] = {
	{DW_TAG_pointer_type, "", "*"},
	{DW_TAG_reference_type, "", "&"},
	{DW_TAG_rvalue_reference_type, "", "&&"},
	{DW_TAG_const_type, "const", NULL},
	{DW_TAG_volatile_type, "volatile", NULL},
	{DW_TAG_restrict_type, "restrict", NULL},
	{DW_TAG_atomic_type, "_Atomic", NULL},
	{DW_TAG_structure_type, "struct ", "", true},
	{DW_TAG_class_type, "struct ", "", true},
	{DW_TAG_union_type, "union ", "", true},
	{DW_TAG_enumeration_type, "enum ", "", true},
};

static const char *spell(struct types *ts, struct program *p, Dwarf_Die *die, unsigned depth)
{
	int tag = p->units.dw->dwarf_tag(die);
	const char *name = dwarf_name(p, die);

	if (depth > DWARF_MAX_NESTING)
		return "...";
	if (tag == DW_TAG_array_type)
		return spell_array(ts, p, die, depth);
	if (tag == DW_TAG_subroutine_type)
		return "void";
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (spellings[i].tag != tag)
			continue;
		if (spellings[i].named)
			return arena_printf(ts->arena, "%s%s", spellings[i].before,
					    *name ? name : "{...}");
		if (!spellings[i].behind)
			return spell_qualified(ts, p, die, spellings[i].before, depth);
		return arena_printf(ts->arena, "%s%s", spell_below(ts, p, die, depth),
				    spellings[i].behind);
	}
	return *name ? name : "void";
}

const char *dwarf_spell_type_of(struct types *ts, struct program *p, Dwarf_Die *die)
{
	return spell_below(ts, p, die, 0);
}

/* ---- the calling convention ------------------------------------------------------------ */

/* Where the next parameter goes. */
struct call {
	uint32_t regs;  /* argument registers in use */
	uint32_t stack; /* bytes of arguments in memory */
};

static bool is_float(struct program *p, Dwarf_Die *param)
{
	Dwarf_Die type;
	uint64_t encoding;
	int tag;

	if (!dwarf_type_die(p, param, &type))
		return false;
	for (int i = 0; i < DWARF_MAX_NESTING; i++) {
		tag = p->units.dw->dwarf_tag(&type);
		if (tag != DW_TAG_typedef && tag != DW_TAG_const_type &&
		    tag != DW_TAG_volatile_type)
			break;
		if (!dwarf_type_die(p, &type, &type))
			return false;
	}
	return p->units.dw->dwarf_tag(&type) == DW_TAG_base_type &&
	       dwarf_unsigned(p, &type, DW_AT_encoding, &encoding) &&
	       (encoding == DW_ATE_float || encoding == DW_ATE_complex_float);
}

/* Whether a struct holds numbers with a fraction, which lie in other registers. */
static bool holds_float(struct program *p, Dwarf_Die *type, unsigned depth)
{
	Dwarf_Die child, below;

	if (depth > 8 || p->units.dw->dwarf_child(type, &child))
		return false;
	do {
		if (p->units.dw->dwarf_tag(&child) != DW_TAG_member)
			continue;
		if (is_float(p, &child) ||
		    (dwarf_type_die(p, &child, &below) && holds_float(p, &below, depth + 1)))
			return true;
	} while (!p->units.dw->dwarf_siblingof(&child, &child));
	return false;
}

static void place_struct(struct types *ts, struct program *p, Dwarf_Die *param, struct call *c,
			 struct type_field *f)
{
	uint32_t words, nargs = target_abi()->nargs;
	Dwarf_Die type;

	type_complete(ts, f->type);
	words = (f->type->size + WORD - 1) / WORD;
	if (!words) {
		f->type = type_simple(ts, IMAGE_K_VOID);
	} else if (f->type->size > REGS_STRUCT_MAX || c->regs + words > nargs) {
		f->loc = LOC_CALL_STACK;
		f->offset = c->stack;
		c->stack += words * WORD;
	} else if (dwarf_type_die(p, param, &type) && holds_float(p, &type, 0)) {
		f->type = type_simple(ts, IMAGE_K_VOID);
	} else {
		f->loc = LOC_CALL_REGS;
		f->offset = c->regs;
		c->regs += words;
	}
}

static void place(struct types *ts, struct program *p, Dwarf_Die *param, struct call *c,
		  struct type_field *f)
{
	uint32_t nargs = target_abi()->nargs;

	if (is_float(p, param)) {
		f->type = type_simple(ts, IMAGE_K_VOID);
		return;
	}
	if (f->type->kind == IMAGE_K_STRUCT || f->type->kind == IMAGE_K_UNION) {
		place_struct(ts, p, param, c, f);
		return;
	}
	f->loc = LOC_CALL_ARG;
	if (c->regs < nargs) {
		f->offset = c->regs++;
	} else {
		f->offset = nargs + c->stack / WORD;
		c->stack += WORD;
	}
}

/* A C++ object that cannot be copied as bytes comes back in memory of the caller's. */
static bool returns_in_memory(struct types *ts, struct program *p, Dwarf_Die *function)
{
	struct type *t = dwarf_type_of(ts, p, function);

	if (t->kind != IMAGE_K_STRUCT && t->kind != IMAGE_K_UNION)
		return false;
	type_complete(ts, t);
	return t->size > REGS_STRUCT_MAX;
}

/* ---- args ------------------------------------------------------------------------------- */

static void add_params(struct types *ts, struct program *p, Dwarf_Die *function, struct type *args)
{
	const struct dw_api *dw = p->units.dw;
	struct call c = {.regs = returns_in_memory(ts, p, function)};
	unsigned n = 0;
	Dwarf_Die die;

	if (dw->dwarf_child(function, &die))
		return;
	do {
		struct type_field f = {.name = dwarf_name(p, &die), .loc = LOC_CALL_ARG};

		if (dw->dwarf_tag(&die) != DW_TAG_formal_parameter)
			continue;
		if (!*f.name)
			f.name = arena_printf(ts->arena, "arg%u", n);
		f.type = dwarf_type_of(ts, p, &die);
		f.decl = arena_printf(ts->arena, "%s %s", dwarf_spell_type_of(ts, p, &die), f.name);
		place(ts, p, &die, &c, &f);
		vec_push(ts->arena, &args->fields, f);
		n++;
	} while (!dw->dwarf_siblingof(&die, &die));
}

struct type *types_program_args(struct types *ts, const char *path, uint64_t offset, char *err,
				size_t errlen)
{
	struct program *p = program_get(ts, path);
	Dwarf_Die unit, whole, function;
	struct type *args;
	uint64_t addr;

	if (!p || !p->usable) {
		snprintf(err, errlen, "args of %s cannot be known: %s", path,
			 p ? p->error : "out of memory");
		return NULL;
	}
	if (!program_address(p, offset, &addr) || !dwarf_units_find(&p->units, addr, &unit))
		goto none;
	whole = dwarf_units_whole(&p->units, &unit);
	if (!dwarf_units_function(&p->units, &whole, addr, &function))
		goto none;
	args = type_new(ts, IMAGE_K_STRUCT, 0, WORD);
	args->is_ctx = true;
	args->space = SPACE_CTX;
	args->name = arena_printf(ts->arena, "%s_args", dwarf_name(p, &function));
	add_params(ts, p, &function, args);
	return args;
none:
	snprintf(err, errlen, "the debug data of %s do not tell of this function", path);
	return NULL;
}
