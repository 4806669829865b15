/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "symbols/module.h"
#include "symbols/xz.h"

#define VDSO_SIZE (2 * 4096ul) /* more than any symbol table of it reaches */

/* ---- symbols --------------------------------------------------------------------- */

static unsigned rank_of(const GElf_Sym *sym)
{
	return GELF_ST_BIND(sym->st_info) == STB_GLOBAL ? 0
	       : GELF_ST_BIND(sym->st_info) == STB_WEAK ? 1
							: 2;
}

/* Assembly often leaves the type out. */
static bool is_code(Elf *elf, const GElf_Sym *sym)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);
	GElf_Shdr sh;
	Elf_Scn *scn;

	if (sym->st_shndx == SHN_UNDEF)
		return false;
	if (type == STT_FUNC || type == STT_GNU_IFUNC)
		return true;
	if (type != STT_NOTYPE || sym->st_shndx >= SHN_LORESERVE)
		return false;
	scn = elf_getscn(elf, sym->st_shndx);
	return scn && gelf_getshdr(scn, &sh) && (sh.sh_flags & SHF_EXECINSTR);
}

static void read_table(struct symtab *t, Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;

	for (size_t i = 0; i < n; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(data, i, &sym))
			return;
		if (!is_code(elf, &sym))
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		/* "$x" and the like mark where code begins; they are no functions */
		if (name && *name && *name != '$')
			symtab_add(t, sym.st_value, sym.st_size, rank_of(&sym), name, strlen(name));
	}
}

/* Returns whether there was a full table, not only what the loader needs. */
static bool read_tables(struct symtab *t, Elf *elf)
{
	Elf_Scn *scn = NULL;
	bool full = false;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) ||
		    (sh.sh_type != SHT_SYMTAB && sh.sh_type != SHT_DYNSYM))
			continue;
		read_table(t, elf, scn, &sh);
		full |= sh.sh_type == SHT_SYMTAB;
	}
	return full;
}

/* A small symbol table that distributions leave in their stripped programs. */
static void read_debugdata(struct module *m)
{
	Elf_Scn *scn = elf_section(m->elf, ".gnu_debugdata");
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;
	size_t size = 0;
	Elf *mini;

	if (!data || !data->d_size)
		return;
	m->expanded = xz_expand(data->d_buf, data->d_size, &size);
	mini = m->expanded ? elf_memory(m->expanded, size) : NULL;
	if (!mini)
		return;
	read_tables(&m->syms, mini);
	elf_end(mini);
}

static void read_segments(struct module *m)
{
	GElf_Ehdr eh;
	size_t n = 0;

	if (elf_getphdrnum(m->elf, &n))
		return;
	m->segments = calloc(n + 1, sizeof(*m->segments));
	for (size_t i = 0; m->segments && i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(m->elf, i, &ph) && ph.p_type == PT_LOAD)
			m->segments[m->nsegments++] = (struct segment){
				ph.p_offset, ph.p_filesz, ph.p_vaddr, ph.p_flags & PF_X};
	}
	m->relocatable = gelf_getehdr(m->elf, &eh) && eh.e_type == ET_DYN;
}

static Elf *open_elf(int fd)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);

	if (elf && elf_kind(elf) == ELF_K_ELF)
		return elf;
	elf_end(elf);
	return NULL;
}

static void find_debug_file(struct module *m, const struct symbols_options *opts)
{
	struct debug_search search = {opts->debug_dirs, m->root};
	int fd = debug_file_open(&search, m->elf, m->path);

	if (fd < 0 && m->root) { /* the host may have it, which is as good */
		search.root = NULL;
		fd = debug_file_open(&search, m->elf, m->path);
	}
	if (fd < 0)
		return;
	m->debug = open_elf(fd);
	if (m->debug)
		m->debug_fd = fd;
	else
		close(fd);
}

void module_read(struct module *m, const struct symbols_options *opts)
{
	if (m->was_read)
		return;
	m->was_read = true;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return;
	if (m->fd >= 0)
		m->elf = open_elf(m->fd);
	if (m->fd >= 0 && m->elf && !elf_has_section(m->elf, ".debug_info")) {
		elf_cntl(m->elf, ELF_C_FDDONE); /* it is mapped whole */
		close(m->fd);
		m->fd = -1;
	}
	if (!m->elf)
		return;
	read_segments(m);
	if (!read_tables(&m->syms, m->elf)) {
		find_debug_file(m, opts);
		if (!m->debug || !read_tables(&m->syms, m->debug))
			read_debugdata(m);
	}
	symtab_sort(&m->syms);
}

/* ---- making ---------------------------------------------------------------------- */

struct module *module_new(const char *path, const char *root, int fd)
{
	struct module *m = calloc(1, sizeof(*m));

	if (m) {
		m->fd = fd;
		m->debug_fd = -1;
		m->path = strdup(path);
		m->root = root ? strdup(root) : NULL;
	}
	if (m && m->path && (m->root || !root))
		return m;
	module_free(m);
	return NULL;
}

struct module *module_vdso(void)
{
	char *code = (char *)getauxval(AT_SYSINFO_EHDR);
	struct module *m = code ? module_new("[vdso]", NULL, -1) : NULL;

	if (!m || elf_version(EV_CURRENT) == EV_NONE)
		return m;
	m->elf = elf_memory(code, VDSO_SIZE);
	return m;
}

void module_free(struct module *m)
{
	if (!m)
		return;
	lines_close(m->lines);
	elf_end(m->debug);
	elf_end(m->elf);
	if (m->fd >= 0)
		close(m->fd);
	if (m->debug_fd >= 0)
		close(m->debug_fd);
	free(m->expanded);
	free(m->segments);
	symtab_free(&m->syms);
	free(m->path);
	free(m->root);
	free(m);
}

/* ---- asking ----------------------------------------------------------------------- */

bool module_address(const struct module *m, uint64_t offset, uint64_t *addr)
{
	for (size_t i = 0; i < m->nsegments; i++) {
		const struct segment *s = &m->segments[i];

		if (offset >= s->offset && offset - s->offset < s->size) {
			*addr = offset - s->offset + s->vaddr;
			return true;
		}
	}
	return false;
}

bool module_code_address(const struct module *m, uint64_t offset, uint64_t size, uint64_t *addr)
{
	for (size_t i = 0; i < m->nsegments; i++) {
		const struct segment *s = &m->segments[i];

		if (!s->code || offset + size <= s->offset || offset >= s->offset + s->size)
			continue;
		*addr = s->vaddr + offset - s->offset;
		return true;
	}
	return false;
}

bool module_covers(const struct module *m, uint64_t addr)
{
	for (size_t i = 0; i < m->nsegments; i++)
		if (addr - m->segments[i].vaddr < m->segments[i].size)
			return true;
	return false;
}

const struct symtab_entry *module_symbol(const struct module *m, uint64_t addr)
{
	return symtab_holder(&m->syms, addr);
}

size_t module_lines(struct module *m, const struct symbols_options *opts, uint64_t addr,
		    struct symbols_frame *frames, size_t max)
{
	if (!m->lines_tried) {
		m->lines_tried = true;
		if (m->elf && !elf_has_section(m->elf, ".debug_info") && !m->debug)
			find_debug_file(m, opts);
		if (m->elf)
			m->lines = lines_open(m->debug ? m->debug : m->elf, opts->demangle);
	}
	return m->lines ? lines_find(m->lines, addr, frames, max) : 0;
}
