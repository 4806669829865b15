/* SPDX-License-Identifier: Apache-2.0 */
/* Names of numbers: disks, users, cgroups. Kept for a second, since things come and go. */
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/internal.h"

#define FRESH_NS  1000000000ull
#define NKEPT     256 /* a kind; the oldest place is taken when all are in use */
#define NAME_SIZE 1024

struct kept_name {
	uint64_t id, read_at;
	char *text; /* NULL: free place */
};

enum name_kind { NAME_DISK, NAME_USER, NAME_CGROUP, NAME_KINDS };

struct name_cache {
	struct kept_name kept[NAME_KINDS][NKEPT];
};

typedef bool find_fn(uint64_t id, char *name, size_t size);

/* ---- disks ---------------------------------------------------------------------- */

static void copy_name(char *name, size_t size, const char *from, size_t len)
{
	snprintf(name, size, "%.*s", (int)len, from);
	for (char *p = name; *p; p++)
		if (*p == '!') /* sysfs's spelling of a slash */
			*p = '/';
}

/* The link leads to .../block/sda/sda1: its last part is the name. */
static bool disk_from_link(unsigned major, unsigned minor, char *name, size_t size)
{
	char path[64], target[1024];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major, minor);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = 0;
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	copy_name(name, size, base, strlen(base));
	return *name;
}

static bool disk_from_uevent(unsigned major, unsigned minor, char *name, size_t size)
{
	char path[64], *text, *p;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major, minor);
	text = symbols_read_file(path, NULL);
	p = text ? strstr(text, "DEVNAME=") : NULL;
	if (p) {
		p += strlen("DEVNAME=");
		copy_name(name, size, p, strcspn(p, "\n"));
	}
	free(text);
	return p && *name;
}

static bool disk_from_stats(unsigned major, unsigned minor, char *name, size_t size)
{
	char *text = symbols_read_file("/proc/diskstats", NULL), *save = NULL;
	bool found = false;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned a, b;
		char disk[64];

		found = sscanf(line, "%u %u %63s", &a, &b, disk) == 3 && a == major && b == minor;
		if (found)
			copy_name(name, size, disk, strlen(disk));
	}
	free(text);
	return found;
}

static bool find_disk(uint64_t id, char *name, size_t size)
{
	unsigned major = (uint32_t)id >> 20, minor = id & 0xfffff;

	if (!disk_from_link(major, minor, name, size) &&
	    !disk_from_uevent(major, minor, name, size) &&
	    !disk_from_stats(major, minor, name, size))
		snprintf(name, size, "%u:%u", major, minor);
	return true;
}

/* ---- users ---------------------------------------------------------------------- */

/* /etc/passwd and no name service: those may ask the network in the middle of tracing. */
static bool find_user(uint64_t id, char *name, size_t size)
{
	char *text = symbols_read_file("/etc/passwd", NULL), *save = NULL;
	bool found = false;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		char login[256];
		uint64_t uid;

		found = sscanf(line, "%255[^:]:%*[^:]:%" SCNu64, login, &uid) == 2 && uid == id;
		if (!found) /* the password field may be empty */
			found = sscanf(line, "%255[^:]::%" SCNu64, login, &uid) == 2 && uid == id;
		if (found)
			snprintf(name, size, "%s", login);
	}
	free(text);
	return found;
}

/* ---- cgroups -------------------------------------------------------------------- */

static bool search_hierarchy(const char *root, uint64_t id, char *name, size_t size)
{
	char *const roots[] = {(char *)root, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	bool found = false;
	FTSENT *e;

	while (fts && !found && (e = fts_read(fts))) {
		const char *path;

		if (e->fts_info != FTS_D || e->fts_statp->st_ino != id)
			continue;
		path = e->fts_path + strlen(root);
		snprintf(name, size, "unified:%s", *path ? path : "/");
		found = true;
	}
	if (fts)
		fts_close(fts);
	return found;
}

static bool find_cgroup(uint64_t id, char *name, size_t size)
{
	char *text = symbols_read_file("/proc/self/mounts", NULL), *save = NULL;
	bool found = false;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		char root[512], type[32];

		/* the ids that the kernel hands out are those of the unified hierarchy */
		if (sscanf(line, "%*s %511s %31s", root, type) == 2 && !strcmp(type, "cgroup2"))
			found = search_hierarchy(root, id, name, size);
	}
	free(text);
	return found;
}

/* ---- keeping -------------------------------------------------------------------- */

static find_fn *const finders[NAME_KINDS] = {
	[NAME_DISK] = find_disk,
	[NAME_USER] = find_user,
	[NAME_CGROUP] = find_cgroup,
};

static struct kept_name *find_place(struct kept_name *kept, uint64_t id)
{
	struct kept_name *oldest = kept;

	for (size_t i = 0; i < NKEPT; i++) {
		if (kept[i].text && kept[i].id == id)
			return &kept[i];
		if (!kept[i].text)
			return &kept[i];
		if (kept[i].read_at < oldest->read_at)
			oldest = &kept[i];
	}
	return oldest;
}

static const char *name_of(struct symbols *s, enum name_kind kind, uint64_t id)
{
	struct kept_name *place;
	uint64_t now = symbols_now();
	char name[NAME_SIZE];

	if (!s->names)
		s->names = calloc(1, sizeof(*s->names));
	if (!s->names)
		return "";
	place = find_place(s->names->kept[kind], id);
	if (place->text && place->id == id && now - place->read_at < FRESH_NS)
		return place->text;
	if (!finders[kind](id, name, sizeof(name)))
		snprintf(name, sizeof(name), "%" PRIu64, id);
	free(place->text);
	*place = (struct kept_name){.id = id, .read_at = now, .text = strdup(name)};
	return place->text ? place->text : "";
}

const char *symbols_disk(struct symbols *s, uint32_t dev)
{
	return name_of(s, NAME_DISK, dev);
}

const char *symbols_user_name(struct symbols *s, uint32_t uid)
{
	return name_of(s, NAME_USER, uid);
}

const char *symbols_cgroup(struct symbols *s, uint64_t id)
{
	return name_of(s, NAME_CGROUP, id);
}

void name_cache_free(struct name_cache *n)
{
	if (!n)
		return;
	for (int kind = 0; kind < NAME_KINDS; kind++)
		for (size_t i = 0; i < NKEPT; i++)
			free(n->kept[kind][i].text);
	free(n);
}
