/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User symbols: the mappings of a process say which file an address lies in and where;
 * the program headers of that file turn it into the file's own address; the file's symbol
 * tables give the name. Files are kept by device and inode, whoever maps them.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/internal.h"

#define MAPS_FRESH_NS 1000000000ull /* processes map more, and exec */

struct segment {
	uint64_t offset, size, vaddr; /* in the file, in bytes, address */
};

struct module {
	struct module *next;
	dev_t dev;
	ino_t ino;
	struct segment *segments;
	size_t nsegments;
	struct symtab syms;
};

struct mapping {
	uint64_t start, end, offset;
	char *path;
	struct module *module; /* NULL: not looked at yet, or no file */
	bool looked_at;
};

struct process {
	struct process *next;
	int pid;
	uint64_t read_at;
	struct mapping *maps; /* sorted by address, as the kernel lists them */
	size_t nmaps;
	char *text; /* of /proc/PID/maps; paths point into it */
};

struct user_cache {
	struct process *processes;
	struct module *modules;
};

/* ---- symbols of a file -------------------------------------------------------- */

static unsigned rank_of(const GElf_Sym *sym)
{
	return GELF_ST_BIND(sym->st_info) == STB_GLOBAL ? 0
	       : GELF_ST_BIND(sym->st_info) == STB_WEAK ? 1
							: 2;
}

static void read_symbols(struct symtab *t, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && shdr->sh_entsize ? shdr->sh_size / shdr->sh_entsize : 0;

	for (size_t i = 0; i < n; i++) {
		GElf_Sym sym;
		const char *name;
		unsigned type;

		if (!gelf_getsym(data, i, &sym))
			return;
		type = GELF_ST_TYPE(sym.st_info);
		if ((type != STT_FUNC && type != STT_GNU_IFUNC) || sym.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(elf, shdr->sh_link, sym.st_name);
		if (name && *name)
			symtab_add(t, sym.st_value, sym.st_size, rank_of(&sym), name, strlen(name));
	}
}

static void read_segments(struct module *m, Elf *elf)
{
	size_t n = 0;

	if (elf_getphdrnum(elf, &n))
		return;
	m->segments = calloc(n + 1, sizeof(*m->segments));
	for (size_t i = 0; m->segments && i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, i, &ph) && ph.p_type == PT_LOAD)
			m->segments[m->nsegments++] =
				(struct segment){ph.p_offset, ph.p_filesz, ph.p_vaddr};
	}
}

static void read_elf(struct module *m, int fd)
{
	Elf_Scn *scn = NULL;
	Elf *elf;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return;
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf)
		return;
	if (elf_kind(elf) == ELF_K_ELF) {
		read_segments(m, elf);
		while ((scn = elf_nextscn(elf, scn))) {
			GElf_Shdr shdr;

			if (gelf_getshdr(scn, &shdr) &&
			    (shdr.sh_type == SHT_SYMTAB || shdr.sh_type == SHT_DYNSYM))
				read_symbols(&m->syms, elf, scn, &shdr);
		}
		symtab_sort(&m->syms);
	}
	elf_end(elf);
}

static void module_free(struct module *m)
{
	free(m->segments);
	symtab_free(&m->syms);
	free(m);
}

static struct module *get_module(struct user_cache *u, int fd)
{
	struct module *m;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	for (m = u->modules; m; m = m->next)
		if (m->dev == st.st_dev && m->ino == st.st_ino)
			return m;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	read_elf(m, fd);
	m->next = u->modules;
	u->modules = m;
	return m;
}

/* ---- mappings of a process ------------------------------------------------------ */

/* The file itself through map_files (even when deleted), else by its path there. */
static int open_mapped(int pid, const struct mapping *map)
{
	char path[4352];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, map->start,
		 map->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, map->path);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static struct module *mapped_module(struct user_cache *u, int pid, struct mapping *map)
{
	int fd;

	if (map->looked_at)
		return map->module;
	map->looked_at = true;
	if (map->path[0] != '/')
		return NULL;
	fd = open_mapped(pid, map);
	if (fd < 0)
		return NULL;
	map->module = get_module(u, fd);
	close(fd);
	return map->module;
}

/* "start-end perms offset dev inode   path"; keeps what may hold code. */
static bool parse_mapping(char *line, struct mapping *map)
{
	char perms[5];
	int at = 0;

	*map = (struct mapping){0};
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &map->start,
		   &map->end, perms, &map->offset, &at) < 4 ||
	    !at || perms[2] != 'x')
		return false;
	map->path = line + at;
	return true;
}

static int read_mappings(struct process *p)
{
	char path[64], *text, *save = NULL;
	struct mapping *maps = NULL;
	size_t n = 0, lines = 1, size;

	snprintf(path, sizeof(path), "/proc/%d/maps", p->pid);
	text = symbols_read_file(path, &size);
	if (!text || !size) { /* gone, or a zombie: what is known of it stays */
		free(text);
		return -ESRCH;
	}
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	maps = calloc(lines, sizeof(*maps));
	if (!maps) {
		free(text);
		return -ENOMEM;
	}
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += parse_mapping(line, &maps[n]);
	free(p->maps);
	free(p->text);
	p->maps = maps;
	p->nmaps = n;
	p->text = text;
	return 0;
}

static struct process *get_process(struct user_cache *u, int pid)
{
	uint64_t now = symbols_now();
	struct process *p;

	for (p = u->processes; p && p->pid != pid; p = p->next)
		;
	if (p && now - p->read_at < MAPS_FRESH_NS)
		return p;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
		p->pid = pid;
		p->next = u->processes;
		u->processes = p;
	}
	p->read_at = now;
	read_mappings(p);
	return p;
}

static struct mapping *find_mapping(struct process *p, uint64_t addr)
{
	for (size_t i = 0; i < p->nmaps; i++)
		if (addr >= p->maps[i].start && addr < p->maps[i].end)
			return &p->maps[i];
	return NULL;
}

/* ---- look-up ---------------------------------------------------------------------- */

static bool to_file_address(const struct module *m, uint64_t offset, uint64_t *addr)
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

const char *symbols_user(struct symbols *s, int pid, uint64_t addr, uint64_t *offset,
			 const char **module)
{
	const struct symtab_entry *e;
	struct process *p;
	struct mapping *map;
	struct module *m;
	uint64_t at;

	if (!s->user)
		s->user = calloc(1, sizeof(*s->user));
	p = s->user ? get_process(s->user, pid) : NULL;
	map = p ? find_mapping(p, addr) : NULL;
	m = map ? mapped_module(s->user, pid, map) : NULL;
	if (!m || !to_file_address(m, addr - map->start + map->offset, &at))
		return NULL;
	e = symtab_find(&m->syms, at);
	if (!e || (e->size && at - e->start >= e->size))
		return NULL;
	*offset = at - e->start;
	if (module)
		*module = map->path;
	return m->syms.names + e->name;
}

size_t symbols_user_frames(struct symbols *s, int pid, uint64_t addr, struct symbols_frame *frames,
			   size_t max)
{
	if (!max)
		return 0;
	frames[0] = (struct symbols_frame){0};
	frames[0].name = symbols_user(s, pid, addr, &frames[0].offset, &frames[0].module);
	return 1;
}

void user_cache_free(struct user_cache *u)
{
	if (!u)
		return;
	while (u->processes) {
		struct process *p = u->processes;

		u->processes = p->next;
		free(p->maps);
		free(p->text);
		free(p);
	}
	while (u->modules) {
		struct module *m = u->modules;

		u->modules = m->next;
		module_free(m);
	}
	free(u);
}
