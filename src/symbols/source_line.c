/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols/source_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "symbols/debug_file.h"
#include "symbols/dwarf_units.h"

/* The program, and the file that has its debug data. */
struct files {
	int fd, debug_fd;
	Elf *elf, *debug;
	struct dwarf_units units;
};

/* ---- files --------------------------------------------------------------------------- */

static void close_files(struct files *f)
{
	dwarf_units_close(&f->units);
	elf_end(f->debug);
	elf_end(f->elf);
	if (f->debug_fd >= 0)
		close(f->debug_fd);
	if (f->fd >= 0)
		close(f->fd);
}

static int open_files(struct files *f, const char *path, const char *const *dirs)
{
	struct debug_search search = {.dirs = dirs};

	*f = (struct files){.fd = open(path, O_RDONLY | O_CLOEXEC), .debug_fd = -1};
	if (f->fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return -ENOENT;
	f->elf = elf_begin(f->fd, ELF_C_READ_MMAP, NULL);
	if (!f->elf)
		return -ENOENT;
	if (!dwarf_units_open(&f->units, f->elf))
		return 0;
	f->debug_fd = debug_file_open(&search, f->elf, path);
	f->debug = f->debug_fd >= 0 ? elf_begin(f->debug_fd, ELF_C_READ_MMAP, NULL) : NULL;
	return f->debug ? dwarf_units_open(&f->units, f->debug) : -ENOENT;
}

/* ---- lines ------------------------------------------------------------------------------ */

/* "b/c.c" is the end of "/a/b/c.c", but "c.c" is not that of "/a/cc.c". */
static bool path_ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	if (m >= 2 && end[0] == '.' && end[1] == '/')
		return path_ends_with(path, end + 2);
	if (m > n || strcmp(path + n - m, end))
		return false;
	return m == n || end[0] == '/' || path[n - m - 1] == '/';
}

static bool may_be_of(const char *unit, const char *file)
{
	return !*unit || path_ends_with(unit, file) || path_ends_with(file, unit);
}

static const char *unit_name(const struct dwarf_units *u, Dwarf_Die *unit)
{
	Dwarf_Die whole = dwarf_units_whole(u, unit);
	const char *name = u->dw->dwarf_diename(&whole);

	return name ? name : "";
}

static bool is_at(const struct dwarf_units *u, Dwarf_Line *line, const struct source_place *where)
{
	int number, column;
	const char *src;
	bool statement;

	if (u->dw->dwarf_lineno(line, &number) || number != (int)where->line)
		return false;
	if (where->column && (u->dw->dwarf_linecol(line, &column) || column != (int)where->column))
		return false;
	if (u->dw->dwarf_linebeginstatement(line, &statement) || !statement)
		return false;
	src = u->dw->dwarf_linesrc(line, NULL, NULL);
	return src && path_ends_with(src, where->file);
}

static bool find_line(const struct dwarf_units *u, Dwarf_Die *unit,
		      const struct source_place *where, uint64_t *addr)
{
	Dwarf_Lines *lines;
	size_t n;

	if (u->dw->dwarf_getsrclines(unit, &lines, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *line = u->dw->dwarf_onesrcline(lines, i);
		Dwarf_Addr at;

		/* zero is what the linker has left out */
		if (line && is_at(u, line, where) && !u->dw->dwarf_lineaddr(line, &at) && at) {
			*addr = at;
			return true;
		}
	}
	return false;
}

int source_line_find(const char *path, const char *const *dirs, const struct source_place *where,
		     uint64_t *addr, char *err, size_t errlen)
{
	bool known = false, found = false;
	Dwarf_CU *cu = NULL;
	struct files f;
	Dwarf_Half version;
	Dwarf_Die die;
	uint8_t type;

	if (open_files(&f, path, dirs)) {
		snprintf(err, errlen,
			 "No DWARF found for \"%s\", cannot attach by source code "
			 "location%s",
			 path, dw_api() ? "" : ": libdw is not installed");
		close_files(&f);
		return -ENOENT;
	}
	while (!found &&
	       !f.units.dw->dwarf_get_units(f.units.dwarf, cu, &cu, &version, &type, &die, NULL)) {
		/* its name is relative to where it was compiled; split ones may lack it */
		if (!may_be_of(unit_name(&f.units, &die), where->file))
			continue;
		known = true;
		found = find_line(&f.units, &die, where, addr);
	}
	if (!known)
		snprintf(err, errlen, "DWARF error: No compilation unit matches %s", where->file);
	else if (!found && where->column)
		snprintf(err, errlen, "DWARF error: Unable to map '%s:%u:%u' to address",
			 where->file, where->line, where->column);
	else if (!found)
		snprintf(err, errlen, "DWARF error: Unable to map '%s:%u' to address", where->file,
			 where->line);
	close_files(&f);
	return found ? 0 : -ENOENT;
}
