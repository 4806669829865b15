/* SPDX-License-Identifier: Apache-2.0 */
/* Source lines and inlined functions, from DWARF. */
#include <stdlib.h>
#include <string.h>

#include "symbols/dwarf_units.h"
#include "symbols/module.h"

#define MEMO_MAX    (1u << 17) /* answers that are kept */
#define INLINED_MAX 64
#define NESTING_MAX 32 /* of namespaces and types that functions are looked for in */

struct answer {
	uint64_t addr;
	uint32_t first, n; /* in frames; n 0: free place, or nothing known */
	bool used;
};

struct lines {
	struct dwarf_units units;
	const struct dw_api *dw;
	bool demangle;
	struct answer *answers; /* hashed by address; size a power of two */
	size_t nanswers, answers_cap;
	struct symbols_frame *frames;
	size_t nframes, frames_cap;
	char **names; /* demangled, to be freed */
	size_t nnames, names_cap;
};

/* ---- which functions ---------------------------------------------------------------- */

/* The inlined functions around @addr in @function, outermost first. Returns how many. */
static size_t find_inlined(const struct lines *l, const Dwarf_Die *function, uint64_t addr,
			   Dwarf_Die *inlined)
{
	Dwarf_Die parent = *function, die;
	size_t n = 0;

	while (n < INLINED_MAX && !l->dw->dwarf_child(&parent, &die)) {
		bool deeper = false;

		do {
			int tag = l->dw->dwarf_tag(&die);

			if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
			    l->dw->dwarf_haspc(&die, addr) > 0) {
				deeper = true;
				break;
			}
		} while (!l->dw->dwarf_siblingof(&die, &die));
		if (!deeper)
			break;
		if (l->dw->dwarf_tag(&die) == DW_TAG_inlined_subroutine)
			inlined[n++] = die;
		parent = die;
	}
	return n;
}

/* ---- names and places ------------------------------------------------------------------ */

static const char *demangled(struct lines *l, const char *name)
{
	char *text = l->demangle ? symbols_demangle(name) : NULL;

	if (!text)
		return name;
	if (symbols_grow((void **)&l->names, &l->names_cap, l->nnames + 1, sizeof(*l->names))) {
		free(text);
		return name;
	}
	l->names[l->nnames++] = text;
	return text;
}

static const char *name_of(struct lines *l, Dwarf_Die *die)
{
	static const unsigned attributes[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name,
					      DW_AT_name};
	Dwarf_Attribute attr;
	const char *name;

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (!l->dw->dwarf_attr_integrate(die, attributes[i], &attr))
			continue;
		name = l->dw->dwarf_formstring(&attr);
		if (name)
			return demangled(l, name);
	}
	return "[unknown]";
}

struct place {
	const char *file; /* NULL: not known */
	unsigned line;
};

static struct place place_of_code(const struct lines *l, Dwarf_Die *unit, uint64_t addr)
{
	Dwarf_Line *line = l->dw->dwarf_getsrc_die(unit, addr);
	struct place p = {0};
	int number;

	if (!line || l->dw->dwarf_lineno(line, &number) || number <= 0)
		return p;
	p.file = l->dw->dwarf_linesrc(line, NULL, NULL);
	p.line = number;
	return p;
}

/* Where an inlined function is called from. */
static struct place place_of_call(const struct lines *l, Dwarf_Die *unit, Dwarf_Die *inlined)
{
	Dwarf_Word file, line;
	struct place p = {0};
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	size_t n;

	if (!l->dw->dwarf_attr(inlined, DW_AT_call_file, &attr) ||
	    l->dw->dwarf_formudata(&attr, &file) ||
	    !l->dw->dwarf_attr(inlined, DW_AT_call_line, &attr) ||
	    l->dw->dwarf_formudata(&attr, &line) || l->dw->dwarf_getsrcfiles(unit, &files, &n) ||
	    file >= n)
		return p;
	p.file = l->dw->dwarf_filesrc(files, file, NULL, NULL);
	p.line = line;
	return p;
}

static size_t search(struct lines *l, uint64_t addr, struct symbols_frame *frames)
{
	Dwarf_Die unit, whole, function, inlined[INLINED_MAX];
	struct place at;
	size_t n = 0;

	if (!dwarf_units_find(&l->units, addr, &unit))
		return 0;
	at = place_of_code(l, &unit, addr);
	whole = dwarf_units_whole(&l->units, &unit);
	if (dwarf_units_function(&l->units, &whole, addr, &function))
		n = find_inlined(l, &function, addr, inlined);
	for (size_t i = 0; i < n; i++) {
		Dwarf_Die *die = &inlined[n - 1 - i];

		frames[i] = (struct symbols_frame){
			.name = name_of(l, die), .file = at.file, .line = at.line, .inlined = true};
		at = place_of_call(l, &whole, die);
	}
	frames[n] = (struct symbols_frame){.file = at.file, .line = at.line};
	return n + 1;
}

/* ---- answers are kept -------------------------------------------------------------------- */

static struct answer *find_answer(struct answer *table, size_t cap, uint64_t addr)
{
	size_t i = (addr * 0x9e3779b97f4a7c15ull >> 32) & (cap - 1);

	while (table[i].used && table[i].addr != addr)
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static int make_room(struct lines *l)
{
	size_t cap = l->answers_cap ? l->answers_cap * 2 : 256;
	struct answer *table;

	if (l->nanswers * 2 < l->answers_cap)
		return 0;
	if (l->nanswers >= MEMO_MAX) { /* forget all of them: the frames' strings stay */
		memset(l->answers, 0, l->answers_cap * sizeof(*l->answers));
		l->nanswers = l->nframes = 0;
		return 0;
	}
	table = calloc(cap, sizeof(*table));
	if (!table)
		return -1;
	for (size_t i = 0; i < l->answers_cap; i++)
		if (l->answers[i].used)
			*find_answer(table, cap, l->answers[i].addr) = l->answers[i];
	free(l->answers);
	l->answers = table;
	l->answers_cap = cap;
	return 0;
}

size_t lines_find(struct lines *l, uint64_t addr, struct symbols_frame *frames, size_t max)
{
	struct symbols_frame found[INLINED_MAX + 1];
	struct answer *a;
	size_t n;

	if (make_room(l))
		return 0;
	a = find_answer(l->answers, l->answers_cap, addr);
	if (!a->used) {
		n = search(l, addr, found);
		if (symbols_grow((void **)&l->frames, &l->frames_cap, l->nframes + n,
				 sizeof(*l->frames)))
			return 0;
		memcpy(l->frames + l->nframes, found, n * sizeof(*found));
		*a = (struct answer){.addr = addr, .first = l->nframes, .n = n, .used = true};
		l->nframes += n;
		l->nanswers++;
	}
	if (!a->n || !max)
		return 0;
	/* where there is no room for all the last one must be there: it is the function */
	n = a->n < max ? a->n : max;
	memcpy(frames, l->frames + a->first, (n - 1) * sizeof(*frames));
	frames[n - 1] = l->frames[a->first + a->n - 1];
	return n;
}

struct lines *lines_open(Elf *elf, bool demangle)
{
	struct lines *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	if (dwarf_units_open(&l->units, elf)) {
		free(l);
		return NULL;
	}
	l->dw = l->units.dw;
	l->demangle = demangle;
	return l;
}

void lines_close(struct lines *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->nnames; i++)
		free(l->names[i]);
	free(l->names);
	free(l->frames);
	free(l->answers);
	dwarf_units_close(&l->units);
	free(l);
}
