/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "symbols/debug_file.h"

#define SYSTEM_DIR   "/usr/lib/debug"
#define BUILD_ID_MAX 64
#define PATH_SIZE    4096
#define NAME_SIZE    256

/* What is looked for. */
struct wanted {
	const struct debug_search *search;
	char dir[PATH_SIZE]; /* of the program, absolute where it could be found out */
	uint8_t id[BUILD_ID_MAX];
	size_t id_size;
	const char *link; /* the debug file's name */
	bool has_crc;     /* the program says which */
	uint32_t crc;
	char own_link[NAME_SIZE]; /* the program's name with .debug, when it says none */
};

/* ---- sections ------------------------------------------------------------------ */

Elf_Scn *elf_section(Elf *elf, const char *name)
{
	Elf_Scn *scn = NULL;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *found;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		found = elf_strptr(elf, strings, sh.sh_name);
		if (found && !strcmp(found, name))
			return scn;
	}
	return NULL;
}

bool elf_has_section(Elf *elf, const char *name)
{
	return elf_section(elf, name);
}

static size_t id_of_notes(Elf_Data *data, uint8_t *id, size_t max)
{
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	while (data && (at = gelf_getnote(data, at, &note, &name, &desc))) {
		const char *bytes = data->d_buf;

		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU") ||
		    memcmp(bytes + name, "GNU", sizeof("GNU")))
			continue;
		if (note.n_descsz > max)
			return 0;
		memcpy(id, bytes + desc, note.n_descsz);
		return note.n_descsz;
	}
	return 0;
}

size_t elf_build_id(Elf *elf, uint8_t *id, size_t max)
{
	size_t n = 0, size = 0;

	if (elf_getphdrnum(elf, &n))
		return 0;
	for (size_t i = 0; i < n && !size; i++) {
		GElf_Phdr ph;
		Elf_Type type;

		if (!gelf_getphdr(elf, i, &ph) || ph.p_type != PT_NOTE)
			continue;
		type = ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
		size = id_of_notes(elf_getdata_rawchunk(elf, ph.p_offset, ph.p_filesz, type), id,
				   max);
	}
	if (!size) { /* debug files keep their sections, but not what segments point to */
		Elf_Scn *scn = elf_section(elf, ".note.gnu.build-id");

		size = scn ? id_of_notes(elf_getdata(scn, NULL), id, max) : 0;
	}
	return size;
}

/* .gnu_debuglink: a file name, zeros up to a multiple of 4, a CRC. */
static void read_link(struct wanted *w, Elf *elf)
{
	Elf_Scn *scn = elf_section(elf, ".gnu_debuglink");
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;
	size_t len;

	if (!data || data->d_size < 8)
		return;
	len = strnlen(data->d_buf, data->d_size);
	if (((len + 4) & ~3ul) + 4 > data->d_size || memchr(data->d_buf, '/', len))
		return;
	w->link = data->d_buf;
	memcpy(&w->crc, (const char *)data->d_buf + ((len + 4) & ~3ul), 4);
	w->has_crc = true;
}

static void guess_link(struct wanted *w, const char *path)
{
	const char *base = strrchr(path, '/');

	snprintf(w->own_link, sizeof(w->own_link), "%.200s.debug", base ? base + 1 : path);
	w->link = w->own_link;
}

/* ---- is it the one? -------------------------------------------------------------- */

static uint32_t checksum(int fd)
{
	uint32_t crc = crc32(0, NULL, 0);
	unsigned char buf[1 << 14];
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		crc = crc32(crc, buf, n);
	lseek(fd, 0, SEEK_SET);
	return n ? 0 : crc;
}

/* The build id decides where both have one, else (or when asked for) the checksum. */
static bool matches(const struct wanted *w, int fd, bool check_crc)
{
	uint8_t id[BUILD_ID_MAX];
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	size_t size = elf ? elf_build_id(elf, id, sizeof(id)) : 0;

	elf_end(elf);
	if (!elf)
		return false;
	if (size && w->id_size && (size != w->id_size || memcmp(id, w->id, size)))
		return false;
	if (!size || !w->id_size || check_crc)
		return w->has_crc && checksum(fd) == w->crc;
	return true;
}

static int try_file(const struct wanted *w, const char *path, bool check_crc)
{
	const char *root = w->search->root;
	char whole[PATH_SIZE];
	int fd;

	if (snprintf(whole, sizeof(whole), "%s%s", root && *path == '/' ? root : "", path) >=
	    (int)sizeof(whole))
		return -ENAMETOOLONG;
	fd = open(whole, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (matches(w, fd, check_crc))
		return fd;
	close(fd);
	return -ENOENT;
}

/* ---- where ------------------------------------------------------------------------- */

static int by_build_id(const struct wanted *w, const char *dir)
{
	char path[PATH_SIZE];
	int n;

	if (w->id_size < 2)
		return -ENOENT;
	n = snprintf(path, sizeof(path), "%s/.build-id/%02x/", dir, w->id[0]);
	for (size_t i = 1; i < w->id_size && n < (int)sizeof(path); i++)
		n += snprintf(path + n, sizeof(path) - n, "%02x", w->id[i]);
	if (n < (int)sizeof(path))
		n += snprintf(path + n, sizeof(path) - n, ".debug");
	return n < (int)sizeof(path) ? try_file(w, path, false) : -ENAMETOOLONG;
}

/* @a/@b/the link's name, the two parts being optional. */
static int by_link(const struct wanted *w, const char *a, const char *b, bool check_crc)
{
	char path[PATH_SIZE];

	if (snprintf(path, sizeof(path), "%s%s%s/%s", a, *b == '/' ? "" : "/", b, w->link) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return try_file(w, path, check_crc);
}

static int in_dir(const struct wanted *w, const char *dir, bool check_crc)
{
	int fd = by_build_id(w, dir);

	if (fd < 0)
		fd = by_link(w, dir, w->dir, check_crc);
	if (fd < 0)
		fd = by_link(w, dir, ".", check_crc);
	return fd;
}

static int in_asked_dir(const struct wanted *w, const char *dir)
{
	bool check_crc = *dir == '+';
	char path[PATH_SIZE];
	int fd = -ENOENT;

	dir += check_crc;
	if (!*dir)
		return -ENOENT;
	if (*dir != '/' && snprintf(path, sizeof(path), "%s/%s", w->dir, dir) < (int)sizeof(path))
		fd = in_dir(w, path, check_crc);
	return fd >= 0 ? fd : in_dir(w, dir, check_crc);
}

static int in_asked_dirs(const struct wanted *w)
{
	const char *const *lists = w->search->dirs;
	int fd = -ENOENT;

	for (; lists && *lists && fd < 0; lists++) {
		char *copy = strdup(*lists), *save = NULL;

		for (char *dir = copy ? strtok_r(copy, ":", &save) : NULL; dir && fd < 0;
		     dir = strtok_r(NULL, ":", &save))
			fd = in_asked_dir(w, dir);
		free(copy);
	}
	return fd;
}

static void find_dir(struct wanted *w, const char *path)
{
	char real[PATH_SIZE];
	const char *slash;

	/* names in another root are not ours to resolve */
	if (w->search->root || !realpath(path, real))
		snprintf(real, sizeof(real), "%s", path);
	slash = strrchr(real, '/');
	if (slash)
		snprintf(w->dir, sizeof(w->dir), "%.*s", (int)(slash - real), real);
	else
		strcpy(w->dir, ".");
}

int debug_file_open(const struct debug_search *s, Elf *elf, const char *path)
{
	struct wanted w = {.search = s};
	int fd;

	w.id_size = elf_build_id(elf, w.id, sizeof(w.id));
	read_link(&w, elf);
	if (!w.id_size && !w.link)
		return -ENOENT;
	if (!w.link)
		guess_link(&w, path);
	find_dir(&w, path);
	fd = in_asked_dirs(&w);
	if (fd < 0)
		fd = by_build_id(&w, SYSTEM_DIR);
	if (fd < 0)
		fd = by_link(&w, w.dir, ".", false);
	if (fd < 0)
		fd = by_link(&w, w.dir, ".debug", false);
	if (fd < 0)
		fd = by_link(&w, SYSTEM_DIR, w.dir, false);
	return fd < 0 ? -ENOENT : fd;
}
