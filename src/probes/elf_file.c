/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/debug_file.h"

#if defined(__x86_64__)
#define ELF_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define ELF_MACHINE EM_AARCH64
#else
#error "the ELF machine is not known"
#endif

/* ---- opening ------------------------------------------------------------------ */

static uint64_t hash_bytes(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a */

	while (n--)
		h = (h ^ *p++) * 0x100000001b3;
	return h;
}

static bool may_be_traced(Elf *elf, int fd, bool *relocatable)
{
	struct stat st;
	GElf_Ehdr eh;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh) || eh.e_machine != ELF_MACHINE)
		return false;
	*relocatable = eh.e_type == ET_DYN;
	if (*relocatable)
		return true;
	return eh.e_type == ET_EXEC && !fstat(fd, &st) && st.st_mode & S_IXUSR;
}

static int read_segments(struct elf_file *f)
{
	size_t n = 0;

	if (elf_getphdrnum(f->elf, &n))
		return -ENOEXEC;
	f->segments = calloc(n + 1, sizeof(*f->segments));
	if (!f->segments)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(f->elf, i, &ph) && ph.p_type == PT_LOAD && ph.p_flags & PF_X)
			f->segments[f->nsegments++] =
				(struct elf_segment){ph.p_offset, ph.p_filesz, ph.p_vaddr};
	}
	return 0;
}

static void take_build_id(struct elf_file *f, const uint8_t *id, size_t n)
{
	f->fingerprint = hash_bytes(id, n);
	for (size_t i = 0; i < n && 2 * i + 2 < sizeof(f->build_id); i++)
		snprintf(f->build_id + 2 * i, 3, "%02x", id[i]);
}

/* The note NT_GNU_BUILD_ID. Returns whether there is one. */
static bool find_build_id(struct elf_file *f, Elf_Data *data)
{
	size_t at = 0, name, desc;
	GElf_Nhdr nh;

	while (data && (at = gelf_getnote(data, at, &nh, &name, &desc))) {
		const char *bytes = data->d_buf;

		if (nh.n_type != NT_GNU_BUILD_ID || nh.n_namesz != sizeof("GNU") ||
		    memcmp(bytes + name, "GNU", sizeof("GNU")) || nh.n_descsz < 2)
			continue;
		take_build_id(f, (const uint8_t *)bytes + desc, nh.n_descsz);
		return true;
	}
	return false;
}

static void read_identity(struct elf_file *f)
{
	size_t n = 0, head = f->size < 4096 ? f->size : 4096;

	elf_getphdrnum(f->elf, &n);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(f->elf, i, &ph) && ph.p_type == PT_NOTE &&
		    find_build_id(f,
				  elf_getdata_rawchunk(f->elf, ph.p_offset, ph.p_filesz,
						       ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR)))
			return;
	}
	f->fingerprint = hash_bytes(f->bytes, head) ^ f->size;
}

int elf_file_open(struct elf_file *f, const char *path)
{
	int err;

	*f = (struct elf_file){.fd = open(path, O_RDONLY | O_CLOEXEC)};
	if (f->fd < 0)
		return -errno;
	err = -ENOEXEC;
	if (elf_version(EV_CURRENT) == EV_NONE)
		goto out;
	f->path = strdup(path);
	f->elf = elf_begin(f->fd, ELF_C_READ_MMAP, NULL);
	if (!f->path || !f->elf || !may_be_traced(f->elf, f->fd, &f->relocatable))
		goto out;
	f->bytes = (const uint8_t *)elf_rawfile(f->elf, &f->size);
	if (f->bytes)
		err = read_segments(f);
	if (!err)
		read_identity(f);
out:
	if (err)
		elf_file_close(f);
	return err;
}

void elf_file_close(struct elf_file *f)
{
	elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	free(f->segments);
	free(f->path);
	*f = (struct elf_file){.fd = -1};
}

/* ---- functions ------------------------------------------------------------------ */

struct symbol_walk {
	int (*cb)(const struct elf_function *fn, void *arg);
	void *arg;
	bool data;   /* wanted, beside functions */
	bool symtab; /* seen */
};

static int walk_table(struct symbol_walk *w, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && shdr->sh_entsize ? shdr->sh_size / shdr->sh_entsize : 0;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct elf_function fn;
		GElf_Sym sym;
		unsigned type;

		if (!gelf_getsym(data, i, &sym))
			break;
		type = GELF_ST_TYPE(sym.st_info);
		if (sym.st_shndx == SHN_UNDEF)
			continue;
		if (type != STT_FUNC && type != STT_GNU_IFUNC && !(w->data && type == STT_OBJECT))
			continue;
		fn.name = elf_strptr(elf, shdr->sh_link, sym.st_name);
		fn.addr = sym.st_value;
		fn.size = sym.st_size;
		if (fn.name && *fn.name)
			err = w->cb(&fn, w->arg);
	}
	return err;
}

static int walk_symbols(struct symbol_walk *w, Elf *elf)
{
	Elf_Scn *scn = NULL;
	int err = 0;

	while (!err && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) ||
		    (shdr.sh_type != SHT_SYMTAB && shdr.sh_type != SHT_DYNSYM))
			continue;
		w->symtab |= shdr.sh_type == SHT_SYMTAB;
		err = walk_table(w, elf, scn, &shdr);
	}
	return err;
}

/* What is kept beside a stripped file; linked at the same addresses. */
static int walk_debug_file(struct symbol_walk *w, struct elf_file *f)
{
	struct debug_search search = {.dirs = f->debug_dirs};
	int fd = debug_file_open(&search, f->elf, f->path), err = 0;
	Elf *elf;

	if (fd < 0)
		return 0;
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		err = walk_symbols(w, elf);
	elf_end(elf);
	close(fd);
	return err;
}

static int each_symbol(struct elf_file *f, struct symbol_walk *w)
{
	int err = walk_symbols(w, f->elf);

	if (!err && !w->symtab)
		err = walk_debug_file(w, f);
	return err;
}

int elf_file_each_function(struct elf_file *f, int (*cb)(const struct elf_function *fn, void *arg),
			   void *arg)
{
	struct symbol_walk w = {.cb = cb, .arg = arg};

	return each_symbol(f, &w);
}

int elf_file_each_symbol(struct elf_file *f, int (*cb)(const struct elf_function *fn, void *arg),
			 void *arg)
{
	struct symbol_walk w = {.cb = cb, .arg = arg, .data = true};

	return each_symbol(f, &w);
}

bool elf_file_address(const struct elf_file *f, uint64_t offset, uint64_t *addr)
{
	for (size_t i = 0; i < f->nsegments; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (offset < s->offset || offset - s->offset >= s->size)
			continue;
		*addr = offset - s->offset + s->addr;
		return true;
	}
	return false;
}

/* ---- variables ----------------------------------------------------------------- */

static bool find_in_table(Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, const char *symbol,
			  uint64_t *address)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && shdr->sh_entsize ? shdr->sh_size / shdr->sh_entsize : 0;

	for (size_t i = 0; i < n; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(data, i, &sym))
			break;
		if (sym.st_shndx == SHN_UNDEF || GELF_ST_TYPE(sym.st_info) == STT_TLS)
			continue;
		name = elf_strptr(elf, shdr->sh_link, sym.st_name);
		if (!name || strcmp(name, symbol))
			continue;
		*address = sym.st_value;
		return true;
	}
	return false;
}

bool elf_symbol_address(Elf *elf, const char *symbol, uint64_t *address)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;

		if (gelf_getshdr(scn, &shdr) &&
		    (shdr.sh_type == SHT_SYMTAB || shdr.sh_type == SHT_DYNSYM) &&
		    find_in_table(elf, scn, &shdr, symbol, address))
			return true;
	}
	return false;
}

/* ---- places in the file ----------------------------------------------------------- */

bool elf_file_offset(const struct elf_file *f, uint64_t addr, uint64_t *offset)
{
	for (size_t i = 0; i < f->nsegments; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (addr < s->addr || addr - s->addr >= s->size)
			continue;
		*offset = addr - s->addr + s->offset;
		return *offset < f->size;
	}
	return false;
}
