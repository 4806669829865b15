/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "symbols/process.h"

#define GENERATIONS 8 /* programs that one process is remembered to have been */
#define PATH_SIZE   4352

/* ---- files ------------------------------------------------------------------------ */

struct identity {
	uint64_t dev, ino;
};

static struct module *known_module(struct user_cache *u, struct identity id)
{
	for (struct module *m = u->modules; m; m = m->next)
		if (m->dev == id.dev && m->ino == id.ino)
			return m;
	return NULL;
}

static struct module *add_module(struct user_cache *u, struct identity id, const char *path,
				 const char *root, int fd)
{
	struct module *m = module_new(path, root, fd);

	if (!m) {
		close(fd);
		return NULL;
	}
	m->dev = id.dev;
	m->ino = id.ino;
	m->next = u->modules;
	u->modules = m;
	return m;
}

struct module *user_cache_module(struct user_cache *u, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct identity id;
	struct module *m;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return NULL;
	}
	id = (struct identity){st.st_dev, st.st_ino};
	m = known_module(u, id);
	if (!m)
		return add_module(u, id, path, NULL, fd);
	close(fd);
	return m;
}

/* The file itself through map_files (even when deleted), else by its path there. */
static int open_mapped(int pid, const struct mapping *map)
{
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, map->start,
		 map->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, map->path);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* NULL when the process sees the files that we see. */
static const char *other_root(int pid, char *text, size_t size)
{
	char path[64];
	struct stat ours, its;

	snprintf(path, sizeof(path), "/proc/%d/root/", pid);
	if (stat("/", &ours) || stat(path, &its) ||
	    (ours.st_dev == its.st_dev && ours.st_ino == its.st_ino))
		return NULL;
	snprintf(text, size, "/proc/%d/root", pid);
	return text;
}

static struct module *mapped_file(struct user_cache *u, int pid, const struct mapping *map,
				  struct identity id)
{
	struct module *m = known_module(u, id);
	char root[64];
	struct stat st;
	int fd;

	if (m)
		return m;
	fd = open_mapped(pid, map);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return add_module(u, id, map->path, other_root(pid, root, sizeof(root)), fd);
	close(fd);
	return NULL;
}

static struct module *vdso(struct user_cache *u)
{
	if (!u->vdso_tried)
		u->vdso = module_vdso();
	u->vdso_tried = true;
	return u->vdso;
}

/* ---- mappings --------------------------------------------------------------------- */

/* "start-end perms offset dev inode   path"; keeps what may hold code. */
static bool parse_mapping(char *line, struct mapping *map, struct identity *id)
{
	unsigned major, minor;
	char perms[5];
	int at = 0;

	*map = (struct mapping){0};
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &map->start, &map->end, perms, &map->offset, &major, &minor, &id->ino,
		   &at) < 7 ||
	    !at || perms[2] != 'x')
		return false;
	id->dev = makedev(major, minor);
	map->path = line + at;
	return true;
}

static struct maps *parse_maps(struct user_cache *u, int pid, char *text)
{
	struct maps *m = calloc(1, sizeof(*m));
	struct identity id;
	char *save = NULL;
	size_t lines = 1;

	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	if (m)
		m->maps = calloc(lines, sizeof(*m->maps));
	if (!m || !m->maps) {
		free(m);
		return NULL;
	}
	m->text = text;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct mapping *map = &m->maps[m->n];

		if (!parse_mapping(line, map, &id))
			continue;
		if (map->path[0] == '/')
			map->module = mapped_file(u, pid, map, id);
		else if (!strcmp(map->path, "[vdso]"))
			map->module = vdso(u);
		m->n++;
	}
	return m;
}

static void free_maps(struct maps *m)
{
	while (m) {
		struct maps *older = m->older;

		free(m->maps);
		free(m->text);
		free(m);
		m = older;
	}
}

static const struct mapping *find_in(const struct maps *m, uint64_t addr)
{
	for (size_t i = 0; i < m->n; i++)
		if (addr >= m->maps[i].start && addr < m->maps[i].end)
			return &m->maps[i];
	return NULL;
}

/* All that @old knew is in @now as it was: nothing is lost without it. */
static bool contains(const struct maps *now, const struct maps *old)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct mapping *was = &old->maps[i], *is = find_in(now, was->start);

		if (!is || is->module != was->module ||
		    is->start - is->offset != was->start - was->offset)
			return false;
	}
	return true;
}

static void remember(struct process *p, struct maps *m)
{
	struct maps **tail = &m->older;

	m->older = p->maps;
	if (m->older && contains(m, m->older)) {
		struct maps *gone = m->older;

		m->older = gone->older;
		gone->older = NULL;
		free_maps(gone);
	}
	p->maps = m;
	for (int i = 1; i < GENERATIONS && *tail; i++)
		tail = &(*tail)->older;
	free_maps(*tail);
	*tail = NULL;
}

struct process *process_get(struct user_cache *u, int pid)
{
	struct process **bucket = &u->processes[(unsigned)pid % PROCESS_BUCKETS], *p;

	for (p = *bucket; p; p = p->next)
		if (p->pid == pid)
			return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	p->next = *bucket;
	*bucket = p;
	return p;
}

struct mapping *process_find(struct process *p, uint64_t addr)
{
	for (struct maps *m = p->maps; m; m = m->older) {
		const struct mapping *found = find_in(m, addr);

		if (found)
			return (struct mapping *)found;
	}
	return NULL;
}

/* ---- code made at run time ---------------------------------------------------------- */

/* The pid in the innermost namespace, which is what the process itself knows. */
static int own_pid(int pid)
{
	char path[64], *text, *p;
	int last = pid;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = symbols_read_file(path, NULL);
	p = text ? strstr(text, "\nNSpid:") : NULL;
	if (p) {
		p += strlen("\nNSpid:");
		while (*p == '\t' || *p == ' ')
			last = strtol(p, &p, 10);
	}
	free(text);
	return last ? last : pid;
}

static int open_jit_map(int pid)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root/tmp/perf-%d.map", pid, own_pid(pid));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", pid);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* "START SIZE name with blanks", numbers in hex. What is compiled again comes again. */
static void read_jit_line(struct symtab *t, char *line, unsigned number)
{
	uint64_t start, size;
	int at = 0;

	if (sscanf(line, "%" SCNx64 " %" SCNx64 " %n", &start, &size, &at) < 2 || !at || !line[at])
		return;
	/* of several at one address the last one holds */
	symtab_add(t, start, size, UINT32_MAX - number, line + at, strlen(line + at));
}

static void read_jit_map(struct process *p)
{
	int fd = open_jit_map(p->pid);
	char *text, *save = NULL;
	struct stat st;
	unsigned n = 0;

	if (fd < 0)
		return;
	/* anybody may put a file there: nothing else than a file is read */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    (p->jit_tried && p->jit_size == (uint64_t)st.st_size &&
	     p->jit_time == (uint64_t)st.st_mtim.tv_sec)) {
		close(fd);
		return;
	}
	p->jit_tried = true;
	p->jit_size = st.st_size;
	p->jit_time = st.st_mtim.tv_sec;
	text = symbols_read_fd(fd, NULL);
	close(fd);
	if (!text)
		return;
	symtab_free(&p->jit);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		read_jit_line(&p->jit, line, n++);
	symtab_sort(&p->jit);
	free(text);
}

const struct symtab_entry *process_jit_symbol(struct process *p, uint64_t addr)
{
	const struct symtab_entry *e = symtab_holder(&p->jit, addr);

	if (e)
		return e;
	read_jit_map(p);
	return symtab_holder(&p->jit, addr);
}

/* ---- reading all of it ------------------------------------------------------------- */

static bool has_made_code(const struct maps *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (!m->maps[i].module && m->maps[i].path[0] != '[')
			return true;
	return false;
}

int process_read(struct user_cache *u, struct process *p)
{
	char path[64], *text;
	struct maps *m;
	size_t size;

	p->read_at = symbols_now();
	snprintf(path, sizeof(path), "/proc/%d/maps", p->pid);
	text = symbols_read_file(path, &size);
	if (!text || !size) { /* gone, or a zombie */
		free(text);
		return -ESRCH;
	}
	m = parse_maps(u, p->pid, text);
	if (!m) {
		free(text);
		return -ENOMEM;
	}
	remember(p, m);
	if (has_made_code(m)) /* the file may go with the process */
		read_jit_map(p);
	return 0;
}

/* ---- the end --------------------------------------------------------------------------- */

void user_cache_free(struct user_cache *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < PROCESS_BUCKETS; i++) {
		while (u->processes[i]) {
			struct process *p = u->processes[i];

			u->processes[i] = p->next;
			free_maps(p->maps);
			symtab_free(&p->jit);
			free(p);
		}
	}
	while (u->modules) {
		struct module *m = u->modules;

		u->modules = m->next;
		module_free(m);
	}
	module_free(u->vdso);
	free(u);
}
