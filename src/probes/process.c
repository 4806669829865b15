/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/user_path.h"

/* ---- mappings --------------------------------------------------------------------- */

/* The path as the process has it: what stands behind /proc/PID/root. */
static const char *inner_path(const char *path)
{
	unsigned pid;
	int n = 0;

	if (sscanf(path, "/proc/%u/root%n", &pid, &n) == 1 && n && path[n] == '/')
		return path + n;
	return path;
}

struct mapping {
	uint64_t start, end, offset;
	bool code, writable;
};

/* Whether a line of /proc/PID/maps tells of @path. */
static bool parse_mapping(char *line, const char *path, struct mapping *m)
{
	char perms[5];
	int at = 0;

	line[strcspn(line, "\n")] = 0;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &m->start, &m->end,
		   perms, &m->offset, &at) < 4 ||
	    !at)
		return false;
	m->writable = perms[1] == 'w';
	m->code = perms[2] == 'x';
	return !strcmp(line + at, path);
}

/* Calls @found for the process's mappings of @path until it returns true. 0, or -ESRCH: never. */
static int each_mapping(int pid, const char *path,
			bool (*found)(const struct mapping *m, void *arg), void *arg)
{
	char name[64], full[4096], *line = NULL;
	const char *inner = inner_path(path);
	struct mapping m;
	bool done = false;
	size_t size = 0;
	FILE *maps;

	if (inner == path && realpath(path, full))
		inner = full;
	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	maps = fopen(name, "re");
	while (maps && !done && getline(&line, &size, maps) > 0)
		done = parse_mapping(line, inner, &m) && found(&m, arg);
	free(line);
	if (maps)
		fclose(maps);
	return done ? 0 : -ESRCH;
}

struct bias_search {
	const struct elf_file *file;
	uint64_t bias;
};

static bool find_bias(const struct mapping *m, void *arg)
{
	uint64_t mask = ~((uint64_t)sysconf(_SC_PAGESIZE) - 1);
	struct bias_search *b = arg;
	const struct elf_file *f = b->file;

	for (size_t i = 0; m->code && i < f->nsegments; i++) {
		if ((f->segments[i].offset & mask) != m->offset)
			continue;
		b->bias = m->start - (f->segments[i].addr & mask);
		return true;
	}
	return false;
}

int process_load_bias(int pid, const char *path, const struct elf_file *f, uint64_t *bias)
{
	struct bias_search b = {.file = f};
	int err = each_mapping(pid, path, find_bias, &b);

	*bias = b.bias;
	return err;
}

struct place_search {
	uint64_t offset, address;
};

static bool find_place(const struct mapping *m, void *arg)
{
	struct place_search *p = arg;

	/* a page of the file may be mapped twice: as the end of constants, and as data */
	if (!m->writable || p->offset < m->offset || p->offset - m->offset >= m->end - m->start)
		return false;
	p->address = m->start + (p->offset - m->offset);
	return true;
}

int process_address(int pid, const char *path, uint64_t offset, uint64_t *address)
{
	struct place_search p = {.offset = offset};
	int err = each_mapping(pid, path, find_place, &p);

	*address = p.address;
	return err;
}

/* ---- memory ------------------------------------------------------------------------- */

int process_add_u16(int pid, uint64_t address, int by)
{
	char name[64];
	uint16_t v;
	int fd, err = 0;

	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pread(fd, &v, sizeof(v), address) != sizeof(v)) {
		err = -EFAULT;
	} else {
		v += by;
		if (pwrite(fd, &v, sizeof(v), address) != sizeof(v))
			err = -EFAULT;
	}
	close(fd);
	return err;
}

/* ---- symbols ------------------------------------------------------------------------ */

int process_symbol_address(int pid, const char *symbol, uint64_t *address)
{
	char *path = user_path_of_process(pid);
	uint64_t bias = 0;
	struct elf_file f;
	int err = path ? elf_file_open(&f, path) : -ESRCH;

	if (err)
		goto out;
	err = elf_symbol_address(f.elf, symbol, address) ? process_load_bias(pid, path, &f, &bias)
							 : -ENOENT;
	*address += bias;
	elf_file_close(&f);
out:
	free(path);
	return err;
}
