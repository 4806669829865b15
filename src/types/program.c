/* SPDX-License-Identifier: Apache-2.0 */
/* Programs whose debug data are read: opened once, closed with the target. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/depends.h"
#include "types/dwarf.h"

static void close_program(void *arg)
{
	struct program *p = arg;

	dwarf_units_close(&p->units);
	elf_end(p->debug);
	elf_end(p->elf);
	if (p->debug_fd >= 0)
		close(p->debug_fd);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

static void depend_on(struct types *ts, int fd)
{
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = 0;
		target_depend(ts->target, path);
	}
}

static int open_debug_file(struct types *ts, struct program *p)
{
	struct debug_search search = {.dirs = target_debug_dirs(ts->target)};

	p->debug_fd = debug_file_open(&search, p->elf, p->path);
	if (p->debug_fd < 0)
		return -ENOENT;
	depend_on(ts, p->debug_fd);
	p->debug = elf_begin(p->debug_fd, ELF_C_READ_MMAP, NULL);
	return p->debug ? dwarf_units_open(&p->units, p->debug) : -ENOENT;
}

static void open_program(struct types *ts, struct program *p)
{
	p->error = "it cannot be read";
	p->fd = open(p->path, O_RDONLY | O_CLOEXEC);
	if (p->fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return;
	p->elf = elf_begin(p->fd, ELF_C_READ_MMAP, NULL);
	if (!p->elf || elf_kind(p->elf) != ELF_K_ELF)
		return;
	p->error = "it has no debug data, and none were found for it";
	if (!dw_api())
		p->error = "libdw, which reads debug data, is not installed";
	p->usable = !dwarf_units_open(&p->units, p->elf) || !open_debug_file(ts, p);
}

struct program *program_get(struct types *ts, const char *path)
{
	struct program *p;

	for (p = ts->programs; p; p = p->next)
		if (!strcmp(p->path, path))
			return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->path = arena_strdup(ts->arena, path);
	p->fd = p->debug_fd = -1;
	open_program(ts, p);
	p->next = ts->programs;
	ts->programs = p;
	target_keep(ts->target, p, close_program);
	return p;
}

bool program_address(const struct program *p, uint64_t offset, uint64_t *addr)
{
	size_t n = 0;

	if (!p->elf || elf_getphdrnum(p->elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(p->elf, i, &ph) || ph.p_type != PT_LOAD ||
		    offset - ph.p_offset >= ph.p_filesz)
			continue;
		*addr = offset - ph.p_offset + ph.p_vaddr;
		return true;
	}
	return false;
}

void types_use_program(struct types *ts, const char *path)
{
	ts->program = path;
}
