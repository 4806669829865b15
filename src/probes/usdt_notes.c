/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/usdt_notes.h"

#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation */
#define NOTE_SECTION ".note.stapsdt"
#define BASE_SECTION ".stapsdt.base"
#define NOTE_OWNER   "stapsdt"
#define NOTE_TYPE    3

/* Three addresses as linked, then three strings. */
struct raw_note {
	uint64_t address, base, semaphore;
	const char *provider, *name, *operands;
};

/* The place in the file of what is loaded at address @addr, code or data; 0: nowhere. */
static uint64_t place_in_file(Elf *elf, uint64_t addr)
{
	size_t n = 0;

	elf_getphdrnum(elf, &n);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, i, &ph) && ph.p_type == PT_LOAD && addr >= ph.p_vaddr &&
		    addr - ph.p_vaddr < ph.p_filesz)
			return addr - ph.p_vaddr + ph.p_offset;
	}
	return 0;
}

/* Where @name is, or NULL; what is found in *@shdr. */
static Elf_Scn *find_section(Elf *elf, const char *name, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *found;

		if (!gelf_getshdr(scn, shdr))
			continue;
		found = elf_strptr(elf, names, shdr->sh_name);
		if (found && !strcmp(found, name))
			return scn;
	}
	return NULL;
}

/* The string at *@at, which moves behind it; NULL: it does not end. */
static const char *take_string(const char **at, const char *end)
{
	const char *s = *at, *nul = s < end ? memchr(s, 0, end - s) : NULL;

	*at = nul ? nul + 1 : end;
	return nul ? s : NULL;
}

static bool parse_note(const char *desc, size_t size, struct raw_note *note)
{
	uint64_t addresses[3];
	const char *at = desc + sizeof(addresses), *end = desc + size;

	if (size < sizeof(addresses))
		return false;
	memcpy(addresses, desc, sizeof(addresses));
	note->address = addresses[0];
	note->base = addresses[1];
	note->semaphore = addresses[2];
	note->provider = take_string(&at, end);
	note->name = take_string(&at, end);
	note->operands = take_string(&at, end);
	return note->provider && note->name;
}

/* ---- operands by name ----------------------------------------------------------------- */

/* A symbol with an addition: "name", "name+8"; @end is behind it. The address as linked. */
static bool resolve(Elf *elf, const char *s, const char *end, uint64_t *addr)
{
	size_t len = strcspn(s, "+-");
	char name[256];
	bool found;

	if (len > (size_t)(end - s))
		len = end - s;
	if (!len || len >= sizeof(name))
		return false;
	memcpy(name, s, len);
	name[len] = 0;
	found = elf_symbol_address(elf, name, addr);
	if (s + len < end)
		*addr += strtoll(s + len, NULL, 0);
	return found;
}

/*
 * "-4@name(%rip)" is told by a distance from the probe, as the program's own instructions would
 * tell it: what is known here, and nobody knows any more once it is loaded. A malloc, or NULL.
 */
static char *without_names(Elf *elf, const char *operands, uint64_t probe)
{
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while (*operands) {
		size_t len = strcspn(operands, " "), at = strcspn(operands, "@");
		const char *end = operands + len, *name = operands + at + 1;
		const char *paren = memchr(operands, '(', len);
		uint64_t addr;

		if (at < len && paren && !strncmp(paren, "(%rip)", 6) &&
		    resolve(elf, name, paren, &addr))
			fprintf(out, "%.*s%lld%.*s", (int)at + 1, operands,
				(long long)(addr - probe), (int)(end - paren), paren);
		else
			fwrite(operands, 1, len, out);
		operands = end;
		len = strspn(operands, " ");
		fwrite(operands, 1, len, out);
		operands += len;
	}
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

/* ---- notes ------------------------------------------------------------------------------- */

static int add(struct usdt_notes *notes, Elf *elf, const struct raw_note *raw, uint64_t offset,
	       uint64_t semaphore)
{
	struct usdt_note *items = notes->items, *note;

	if (notes->n == notes->cap) {
		notes->cap = notes->cap ? 2 * notes->cap : 32;
		items = realloc(items, notes->cap * sizeof(*items));
		if (!items)
			return -ENOMEM;
		notes->items = items;
	}
	note = &items[notes->n++];
	*note = (struct usdt_note){
		.provider = strdup(raw->provider),
		.name = strdup(raw->name),
		.operands = without_names(elf, raw->operands ? raw->operands : "", raw->address),
		.offset = offset,
		.semaphore = semaphore,
	};
	return note->provider && note->name && note->operands ? 0 : -ENOMEM;
}

/* prelink moves what is loaded, but not the addresses in the notes: the base tells how far. */
static int take_note(struct usdt_notes *notes, struct elf_file *f, const struct raw_note *raw,
		     const uint64_t *base)
{
	uint64_t moved = base ? *base - raw->base : 0, offset, semaphore = 0;

	if (!elf_file_offset(f, raw->address + moved, &offset))
		return 0;
	if (raw->semaphore)
		semaphore = place_in_file(f->elf, raw->semaphore + moved);
	return add(notes, f->elf, raw, offset, semaphore);
}

static int by_name(const void *pa, const void *pb)
{
	const struct usdt_note *a = pa, *b = pb;
	int order = strcmp(a->provider, b->provider);

	if (!order)
		order = strcmp(a->name, b->name);
	return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

int usdt_notes_read(struct usdt_notes *notes, struct elf_file *f)
{
	GElf_Shdr shdr, base;
	Elf_Scn *scn = find_section(f->elf, NOTE_SECTION, &shdr);
	bool has_base = find_section(f->elf, BASE_SECTION, &base);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
	size_t at = 0, name, desc;
	GElf_Nhdr nh;
	int err = 0;

	*notes = (struct usdt_notes){0};
	while (!err && data && (at = gelf_getnote(data, at, &nh, &name, &desc))) {
		const char *bytes = data->d_buf;
		struct raw_note raw;

		if (nh.n_type != NOTE_TYPE || nh.n_namesz != sizeof(NOTE_OWNER) ||
		    memcmp(bytes + name, NOTE_OWNER, sizeof(NOTE_OWNER)) ||
		    !parse_note(bytes + desc, nh.n_descsz, &raw))
			continue;
		err = take_note(notes, f, &raw, has_base ? &base.sh_addr : NULL);
	}
	if (err)
		usdt_notes_free(notes);
	else if (notes->n)
		qsort(notes->items, notes->n, sizeof(*notes->items), by_name);
	return err;
}

void usdt_notes_free(struct usdt_notes *notes)
{
	for (size_t i = 0; i < notes->n; i++) {
		free(notes->items[i].provider);
		free(notes->items[i].name);
		free(notes->items[i].operands);
	}
	free(notes->items);
	*notes = (struct usdt_notes){0};
}
