/* SPDX-License-Identifier: Apache-2.0 */
/* Types from the debug data of programs: made when asked for, structs filled when looked into. */
#include <string.h>

#include "types/dwarf.h"

/* ---- entries -------------------------------------------------------------------- */

const char *dwarf_name(struct program *p, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = NULL;

	if (p->units.dw->dwarf_attr_integrate(die, DW_AT_name, &attr))
		name = p->units.dw->dwarf_formstring(&attr);
	return name ? name : "";
}

bool dwarf_type_die(struct program *p, Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attr;

	return p->units.dw->dwarf_attr_integrate(die, DW_AT_type, &attr) &&
	       p->units.dw->dwarf_formref_die(&attr, type);
}

bool dwarf_unsigned(struct program *p, Dwarf_Die *die, unsigned attribute, uint64_t *v)
{
	Dwarf_Attribute attr;
	Dwarf_Word word;

	if (!p->units.dw->dwarf_attr_integrate(die, attribute, &attr) ||
	    p->units.dw->dwarf_formudata(&attr, &word))
		return false;
	*v = word;
	return true;
}

static uint32_t size_of(struct program *p, Dwarf_Die *die)
{
	int size = p->units.dw->dwarf_bytesize(die);

	return size > 0 ? (uint32_t)size : 0;
}

/* ---- single kinds ------------------------------------------------------------------ */

static struct type *make(struct types *ts, struct program *p, Dwarf_Die *die, unsigned depth);

static struct type *type_below(struct types *ts, struct program *p, Dwarf_Die *die, unsigned depth)
{
	Dwarf_Die type;

	return dwarf_type_die(p, die, &type) ? make(ts, p, &type, depth + 1)
					     : type_simple(ts, IMAGE_K_VOID);
}

static struct type *make_base(struct types *ts, struct program *p, Dwarf_Die *die)
{
	uint32_t size = size_of(p, die);
	uint64_t encoding = 0;

	dwarf_unsigned(p, die, DW_AT_encoding, &encoding);
	if (!size)
		return type_simple(ts, IMAGE_K_VOID);
	if (encoding == DW_ATE_boolean && size == 1)
		return type_simple(ts, IMAGE_K_BOOL);
	if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float)
		return type_float(ts, size);
	return type_sized_int(ts, size,
			      encoding == DW_ATE_signed || encoding == DW_ATE_signed_char);
}

static bool add_enumerators(struct types *ts, struct program *p, Dwarf_Die *die, struct type *e)
{
	const struct dw_api *dw = p->units.dw;
	bool is_signed = false;
	Dwarf_Die child;

	if (dw->dwarf_child(die, &child))
		return false;
	do {
		struct type_enumerator en = {.name = dwarf_name(p, &child)};
		Dwarf_Attribute attr;
		Dwarf_Sword value;

		if (dw->dwarf_tag(&child) != DW_TAG_enumerator ||
		    !dw->dwarf_attr(&child, DW_AT_const_value, &attr) ||
		    dw->dwarf_formsdata(&attr, &value))
			continue;
		en.value = (uint64_t)value;
		is_signed |= value < 0;
		vec_push(ts->arena, &e->enumerators, en);
	} while (!dw->dwarf_siblingof(&child, &child));
	return is_signed;
}

static struct type *make_enum(struct types *ts, struct program *p, Dwarf_Die *die)
{
	uint32_t size = size_of(p, die);
	struct type *e;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return type_simple(ts, IMAGE_K_VOID);
	e = type_new(ts, IMAGE_K_ENUM, size, size);
	e->name = dwarf_name(p, die);
	e->is_signed = add_enumerators(ts, p, die, e);
	return e;
}

static uint32_t elements(struct program *p, Dwarf_Die *subrange)
{
	uint64_t n;

	if (dwarf_unsigned(p, subrange, DW_AT_count, &n))
		return n < UINT32_MAX ? (uint32_t)n : 0;
	if (dwarf_unsigned(p, subrange, DW_AT_upper_bound, &n))
		return n < UINT32_MAX - 1 ? (uint32_t)n + 1 : 0;
	return 0;
}

/* The dimensions stand from the outermost on. */
static struct type *make_dimensions(struct types *ts, struct program *p, Dwarf_Die *subrange,
				    struct type *elem, unsigned depth)
{
	Dwarf_Die next = *subrange;
	uint32_t n = elements(p, subrange);

	while (depth < DWARF_MAX_NESTING && !p->units.dw->dwarf_siblingof(&next, &next)) {
		if (p->units.dw->dwarf_tag(&next) != DW_TAG_subrange_type)
			continue;
		elem = make_dimensions(ts, p, &next, elem, depth + 1);
		break;
	}
	/* as with the kernel's types, arrays of single bytes are strings */
	if (elem->kind == IMAGE_K_INT && elem->size == 1 && n)
		return type_chars(ts, n);
	if ((uint64_t)elem->size * n > UINT32_MAX || elem->kind == IMAGE_K_VOID)
		return type_array(ts, type_int(ts, 1, false), 0);
	return type_array(ts, elem, n);
}

static struct type *make_array(struct types *ts, struct program *p, Dwarf_Die *die, unsigned depth)
{
	struct type *elem = type_below(ts, p, die, depth);
	Dwarf_Die child;

	if (elem->incomplete) /* its size counts */
		type_complete(ts, elem);
	if (p->units.dw->dwarf_child(die, &child))
		return type_array(ts, elem, 0);
	while (p->units.dw->dwarf_tag(&child) != DW_TAG_subrange_type)
		if (p->units.dw->dwarf_siblingof(&child, &child))
			return type_array(ts, elem, 0);
	return make_dimensions(ts, p, &child, elem, depth);
}

static struct type *make_pointer(struct types *ts, struct program *p, Dwarf_Die *die,
				 unsigned depth)
{
	struct type *to = type_below(ts, p, die, depth);

	return type_pointer(ts, to->kind == IMAGE_K_VOID ? NULL : to, SPACE_USER);
}

static struct type *make_struct(struct types *ts, struct program *p, Dwarf_Die *die)
{
	bool is_union = p->units.dw->dwarf_tag(die) == DW_TAG_union_type;
	struct dwarf_entry *entry = arena_new_of(ts->arena, struct dwarf_entry);
	struct type *t =
		type_new(ts, is_union ? IMAGE_K_UNION : IMAGE_K_STRUCT, size_of(p, die), 8);

	*entry = (struct dwarf_entry){p, *die};
	t->align = t->size % 8 == 0 ? 8 : t->size % 4 == 0 ? 4 : t->size % 2 == 0 ? 2 : 1;
	t->name = dwarf_name(p, die);
	t->dwarf = entry;
	t->incomplete = true;
	t->owner = ts;
	return t;
}

static struct type *make_kind(struct types *ts, struct program *p, Dwarf_Die *die, unsigned depth)
{
	switch (p->units.dw->dwarf_tag(die)) {
	case DW_TAG_base_type:
		return make_base(ts, p, die);
	case DW_TAG_enumeration_type:
		return make_enum(ts, p, die);
	case DW_TAG_array_type:
		return make_array(ts, p, die, depth);
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		return make_pointer(ts, p, die, depth);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return make_struct(ts, p, die);
	case DW_TAG_typedef:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		return type_below(ts, p, die, depth);
	default: /* functions, and what the language has no word for */
		return type_simple(ts, IMAGE_K_VOID);
	}
}

/* Entries are told apart by where they lie in memory: split data have several files. */
static struct type *make(struct types *ts, struct program *p, Dwarf_Die *die, unsigned depth)
{
	uint64_t key = (uintptr_t)die->addr;
	struct type **slot, *t;

	if (depth > DWARF_MAX_NESTING)
		return type_simple(ts, IMAGE_K_VOID);
	slot = type_table_slot(ts, key, TYPE_KEY(KEY_DWARF, 0));
	if (*slot)
		return *slot;
	/* a chain of pointers or arrays that comes back to itself ends here */
	*slot = type_simple(ts, IMAGE_K_VOID);
	t = make_kind(ts, p, die, depth);
	*type_table_slot(ts, key, TYPE_KEY(KEY_DWARF, 0)) = t;
	return t;
}

struct type *dwarf_type_of(struct types *ts, struct program *p, Dwarf_Die *die)
{
	return type_below(ts, p, die, 0);
}

/* ---- structs ------------------------------------------------------------------------ */

/* Places of bit-fields: DWARF 4 on counts from the struct's start, older data from a unit's end. */
static bool place_bits(struct types *ts, struct program *p, Dwarf_Die *member, uint64_t bits,
		       struct type_field *f)
{
	uint64_t at = 0, offset = 0, size = f->type->size;

	if (!dwarf_unsigned(p, member, DW_AT_data_bit_offset, &at)) {
		dwarf_unsigned(p, member, DW_AT_data_member_location, &offset);
		dwarf_unsigned(p, member, DW_AT_byte_size, &size);
		if (!dwarf_unsigned(p, member, DW_AT_bit_offset, &at) || at + bits > size * 8)
			return false;
		at = offset * 8 + size * 8 - at - bits;
	}
	return type_place_bits(ts, f, (uint32_t)at, (uint32_t)bits);
}

static void add_member(struct types *ts, struct program *p, Dwarf_Die *member, struct type *t)
{
	struct type_field f = {.name = dwarf_name(p, member),
			       .type = dwarf_type_of(ts, p, member),
			       .loc = LOC_MEMORY};
	uint64_t at = 0, bits = 0;

	/* static members of C++ classes lie elsewhere */
	if (p->units.dw->dwarf_hasattr(member, DW_AT_external) ||
	    p->units.dw->dwarf_hasattr(member, DW_AT_declaration))
		return;
	if (dwarf_unsigned(p, member, DW_AT_bit_size, &bits) && bits) {
		if (!place_bits(ts, p, member, bits, &f))
			f.type = type_simple(ts, IMAGE_K_VOID);
	} else {
		dwarf_unsigned(p, member, DW_AT_data_member_location, &at);
		f.offset = (uint32_t)at;
	}
	vec_push(ts->arena, &t->fields, f);
}

/* What a class inherits is part of it, as if it were written there without a name. */
static void add_base(struct types *ts, struct program *p, Dwarf_Die *die, struct type *t)
{
	struct type_field f = {.name = "", .type = dwarf_type_of(ts, p, die), .loc = LOC_MEMORY};
	uint64_t at = 0;

	if (!dwarf_unsigned(p, die, DW_AT_data_member_location, &at))
		return; /* virtual: found at run time */
	f.offset = (uint32_t)at;
	vec_push(ts->arena, &t->fields, f);
}

/* The definition of what @die only declares. */
static bool find_definition(struct types *ts, struct program *p, Dwarf_Die *die)
{
	const char *program = ts->program;
	struct type *t;

	if (!p->units.dw->dwarf_hasattr(die, DW_AT_declaration))
		return true;
	ts->program = p->path;
	t = dwarf_lookup(ts, p->units.dw->dwarf_tag(die) == DW_TAG_union_type ? "union" : "struct",
			 dwarf_name(p, die));
	ts->program = program;
	if (!t || !t->dwarf)
		return false;
	*die = t->dwarf->die;
	return true;
}

void dwarf_complete(struct types *ts, struct type *t)
{
	struct program *p = t->dwarf->program;
	Dwarf_Die die = t->dwarf->die, child;

	if (!find_definition(ts, p, &die) || p->units.dw->dwarf_child(&die, &child))
		return;
	t->size = size_of(p, &die);
	do {
		int tag = p->units.dw->dwarf_tag(&child);

		if (tag == DW_TAG_member)
			add_member(ts, p, &child, t);
		else if (tag == DW_TAG_inheritance)
			add_base(ts, p, &child, t);
	} while (!p->units.dw->dwarf_siblingof(&child, &child));
}

/* ---- by name ------------------------------------------------------------------------- */

static const char *tag_of(int tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		return "struct";
	case DW_TAG_union_type:
		return "union";
	case DW_TAG_enumeration_type:
		return "enum";
	case DW_TAG_typedef:
		return "";
	default:
		return NULL;
	}
}

static uint32_t hash_name(const char *tag, const char *name)
{
	uint32_t h = 2166136261u ^ (unsigned char)*tag;

	while (*name)
		h = (h ^ (unsigned char)*name++) * 16777619u;
	return h % TYPE_NAME_BUCKETS;
}

static struct type_named *find_name(const struct program *p, const char *tag, const char *name)
{
	for (struct type_named *n = p->names[hash_name(tag, name)]; n; n = n->next)
		if (!strcmp(n->tag, tag) && !strcmp(n->name, name))
			return n;
	return NULL;
}

static void add_name(struct types *ts, struct program *p, const char *tag, Dwarf_Die *die)
{
	const char *name = dwarf_name(p, die);
	struct type_named *n;
	uint32_t h;

	if (!*name || p->units.dw->dwarf_hasattr(die, DW_AT_declaration) || find_name(p, tag, name))
		return;
	h = hash_name(tag, name);
	n = arena_new_of(ts->arena, struct type_named);
	*n = (struct type_named){.next = p->names[h], .tag = tag, .name = name};
	n->die = arena_new_of(ts->arena, struct dwarf_entry);
	*n->die = (struct dwarf_entry){p, *die};
	p->names[h] = n;
}

static void add_names_below(struct types *ts, struct program *p, Dwarf_Die *parent, unsigned depth)
{
	Dwarf_Die die;

	if (depth > DWARF_MAX_NESTING || p->units.dw->dwarf_child(parent, &die))
		return;
	do {
		int tag = p->units.dw->dwarf_tag(&die);

		if (tag_of(tag))
			add_name(ts, p, tag_of(tag), &die);
		else if (tag == DW_TAG_namespace)
			add_names_below(ts, p, &die, depth + 1);
	} while (!p->units.dw->dwarf_siblingof(&die, &die));
}

static void read_names(struct types *ts, struct program *p)
{
	const struct dw_api *dw = p->units.dw;
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	Dwarf_Die die;
	uint8_t type;

	p->names = arena_alloc(ts->arena, TYPE_NAME_BUCKETS * sizeof(*p->names));
	while (!dw->dwarf_get_units(p->units.dwarf, cu, &cu, &version, &type, &die, NULL)) {
		Dwarf_Die whole = die;

		if (type == DW_UT_skeleton)
			whole = dwarf_units_whole(&p->units, &die);
		add_names_below(ts, p, &whole, 0);
	}
}

struct type *dwarf_lookup(struct types *ts, const char *tag, const char *name)
{
	struct program *p = ts->program ? program_get(ts, ts->program) : NULL;
	struct type_named *n;

	if (!p || !p->usable)
		return NULL;
	if (!p->names)
		read_names(ts, p);
	n = find_name(p, tag ? tag : "", name);
	return n ? make(ts, p, &n->die->die, 0) : NULL;
}
