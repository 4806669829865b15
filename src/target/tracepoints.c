/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracepoints: the event directories of tracefs (available_events is read-protected where
 * the kernel is locked down); raw tracepoints: the btf_trace_* typedefs of BTF, for which
 * the strings of BTF are enough, no type needs to be read.
 */
#include "target/target_internal.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAW_PREFIX  "btf_trace_"
#define BTF_FOLDER  "/sys/kernel/btf"
#define EVENT_PATH  512
#define MODULE_NAME 64

/* ---- lists of names ------------------------------------------------------ */

struct names {
	char **items;
	size_t len, cap;
};

static int names_add(struct names *n, const char *a, const char *sep, const char *b)
{
	char *s;

	if (n->len == n->cap) {
		size_t cap = n->cap ? n->cap * 2 : 64;
		char **grown = realloc(n->items, cap * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		n->items = grown;
		n->cap = cap;
	}
	if (asprintf(&s, "%s%s%s", a, sep, b) < 0)
		return -ENOMEM;
	n->items[n->len++] = s;
	return 0;
}

static void names_free(struct names *n)
{
	for (size_t i = 0; i < n->len; i++)
		free(n->items[i]);
	free(n->items);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_sort(struct names *n)
{
	size_t kept = 0;

	if (!n->len)
		return;
	qsort(n->items, n->len, sizeof(*n->items), by_name);
	for (size_t i = 1; i < n->len; i++) {
		if (strcmp(n->items[kept], n->items[i]))
			n->items[++kept] = n->items[i];
		else
			free(n->items[i]);
	}
	n->len = kept + 1;
}

/* ---- events in tracefs --------------------------------------------------- */

/* A name that can be a folder's; nothing that leads out of the folder. */
static bool plain_name(const char *s)
{
	return *s && *s != '.' && !strchr(s, '/') && strlen(s) < 200;
}

static bool is_folder(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_name[0] == '.')
		return false;
	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return !fstatat(dir, e->d_name, &st, 0) && S_ISDIR(st.st_mode);
}

/* Calls @cb for each folder in @path that matches @pattern. */
static int each_folder(struct target *t, const char *path, const char *pattern,
		       int (*cb)(const char *name, void *arg), void *arg)
{
	int fd = target_tracefs_open(t, path), err = 0;
	struct dirent *e;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		err = -errno;
		close(fd);
		return err;
	}
	while (!err && (e = readdir(dir))) {
		if (target_glob(pattern, e->d_name) && is_folder(fd, e))
			err = cb(e->d_name, arg);
	}
	closedir(dir);
	return err;
}

struct event_search {
	struct target *t;
	const char *category, *event;
	struct names *found;
};

static int add_event(const char *event, void *arg)
{
	struct event_search *s = arg;

	return names_add(s->found, s->category, ":", event);
}

static int search_category(const char *category, void *arg)
{
	struct event_search *s = arg, in = *s;
	char path[EVENT_PATH];
	int err;

	/* the events of the function tracer cannot be enabled one by one */
	if (!strcmp(category, "ftrace"))
		return 0;
	in.category = category;
	if (!target_has_wildcard(s->event))
		return target_has_tracepoint(s->t, category, s->event) ? add_event(s->event, &in)
								       : 0;
	snprintf(path, sizeof(path), "events/%s", category);
	err = each_folder(s->t, path, s->event, add_event, &in);
	return err == -ENOENT ? 0 : err;
}

static int search_events(struct event_search *s)
{
	if (target_has_wildcard(s->category))
		return each_folder(s->t, "events", s->category, search_category, s);
	return plain_name(s->category) ? search_category(s->category, s) : 0;
}

int target_each_tracepoint(struct target *t, const char *category, const char *event,
			   int (*cb)(const char *category, const char *event, void *arg), void *arg)
{
	struct names found = {0};
	struct event_search s = {t, category, event, &found};
	int err = tracefs_dir(t);

	err = err < 0 ? err : search_events(&s);
	if (err < 0)
		goto out;
	names_sort(&found);
	for (size_t i = 0; i < found.len && !err; i++) {
		char *colon = strchr(found.items[i], ':');

		*colon = 0;
		err = cb(found.items[i], colon + 1, arg);
	}
out:
	names_free(&found);
	return err;
}

static bool event_path(char *path, size_t size, const char *category, const char *event,
		       const char *file)
{
	if (!plain_name(category) || !plain_name(event) || !strcmp(category, "ftrace"))
		return false;
	snprintf(path, size, "events/%s/%s/%s", category, event, file);
	return true;
}

bool target_has_tracepoint(struct target *t, const char *category, const char *event)
{
	char path[EVENT_PATH];
	int dir = tracefs_dir(t);

	return dir >= 0 && event_path(path, sizeof(path), category, event, "id") &&
	       !faccessat(dir, path, F_OK, 0);
}

int target_tracepoint_id(struct target *t, const char *category, const char *event)
{
	char path[EVENT_PATH], text[32];
	ssize_t n;
	int fd;

	if (!event_path(path, sizeof(path), category, event, "id"))
		return -ENOENT;
	fd = target_tracefs_open(t, path);
	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = 0;
	return atoi(text);
}

/* ---- raw tracepoints ------------------------------------------------------ */

/* The string section of raw BTF. */
static const char *btf_strings(const struct btf_bytes *b, size_t *size)
{
	const struct btf_header *h = b->data;

	if (b->size < sizeof(*h) || h->magic != BTF_MAGIC || !h->str_len ||
	    (uint64_t)h->hdr_len + h->str_off + h->str_len > b->size)
		return NULL;
	*size = h->str_len;
	return (const char *)b->data + h->hdr_len + h->str_off;
}

static bool btf_has_raw_tracepoint(const struct btf_bytes *b, const char *name)
{
	char wanted[256] = "";
	size_t size, len;
	const char *s = btf_strings(b, &size);

	/* a whole string: one NUL before it, one behind it */
	len = snprintf(wanted + 1, sizeof(wanted) - 1, RAW_PREFIX "%s", name) + 2;
	return s && len <= sizeof(wanted) && memmem(s, size, wanted, len);
}

static int btf_add_raw_tracepoints(const struct btf_bytes *b, const char *module,
				   const char *pattern, struct names *found)
{
	static const char prefix[] = "\0" RAW_PREFIX;
	size_t size = 0, len = sizeof(prefix) - 1;
	const char *s = btf_strings(b, &size), *end;
	int err = 0;

	if (!s)
		return 0;
	end = s + size; /* behind the last string's NUL */
	while (!err && (s = memmem(s, end - s, prefix, len)) &&
	       memchr(s + len, 0, end - s - len)) {
		s += len;
		if (target_glob(pattern, s))
			err = names_add(found, module, ":", s);
	}
	return err;
}

/* Calls @cb with the BTF of each loaded module until it returns other than 0. */
static int each_module_btf(int (*cb)(const char *module, const struct btf_bytes *b, void *arg),
			   void *arg)
{
	DIR *dir = opendir(BTF_FOLDER);
	struct dirent *e;
	int err = 0;

	if (!dir)
		return 0;
	while (!err && (e = readdir(dir))) {
		struct btf_bytes b;
		char path[EVENT_PATH];

		snprintf(path, sizeof(path), BTF_FOLDER "/%s", e->d_name);
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "vmlinux") ||
		    btf_bytes_read(&b, path))
			continue;
		err = cb(e->d_name, &b, arg);
		btf_bytes_free(&b);
	}
	closedir(dir);
	return err;
}

struct raw_search {
	const char *name;    /* or a pattern */
	const char *modules; /* a pattern */
	struct names *found;
	char *module;
};

static int module_has(const char *module, const struct btf_bytes *b, void *arg)
{
	struct raw_search *s = arg;

	if (!btf_has_raw_tracepoint(b, s->name))
		return 0;
	snprintf(s->module, MODULE_NAME, "%s", module);
	return 1;
}

static int add_from_module(const char *module, const struct btf_bytes *b, void *arg)
{
	struct raw_search *s = arg;

	if (!target_glob(s->modules, module))
		return 0;
	return btf_add_raw_tracepoints(b, module, s->name, s->found);
}

static int add_raw_event(const char *category, const char *event, void *arg)
{
	/* the events of single system calls stand on raw_syscalls' two tracepoints */
	if (!strcmp(category, "syscalls"))
		return 0;
	return names_add(arg, "vmlinux", ":", event);
}

static int found_one(const char *category, const char *event, void *arg)
{
	(void)event;
	(void)arg;
	return strcmp(category, "syscalls") != 0;
}

static int find_raw_tracepoints(struct target *t, struct raw_search *s)
{
	const struct btf_bytes *b = target_btf_bytes(t);
	int err;

	if (!b)
		return target_each_tracepoint(t, "*", s->name, add_raw_event, s->found);
	err = add_from_module("vmlinux", b, s);
	return err ? err : each_module_btf(add_from_module, s);
}

int target_each_raw_tracepoint(struct target *t, const char *module, const char *name,
			       int (*cb)(const char *module, const char *name, void *arg),
			       void *arg)
{
	struct names found = {0};
	struct raw_search s = {.name = name, .modules = module, .found = &found};
	int err = find_raw_tracepoints(t, &s);

	names_sort(&found);
	for (size_t i = 0; i < found.len && !err; i++) {
		char *colon = strchr(found.items[i], ':');

		*colon = 0;
		err = target_glob(module, found.items[i]) ? cb(found.items[i], colon + 1, arg) : 0;
	}
	names_free(&found);
	return err;
}

bool target_raw_tracepoint_module(struct target *t, const char *name, char *module, size_t size)
{
	const struct btf_bytes *b = target_btf_bytes(t);
	char where[MODULE_NAME] = "vmlinux";
	struct raw_search s = {.name = name, .module = where};

	if (!*name || target_has_wildcard(name))
		return false;
	if (b) {
		if (!btf_has_raw_tracepoint(b, name) && !each_module_btf(module_has, &s))
			return false;
	} else if (target_each_tracepoint(t, "*", name, found_one, NULL) <= 0) {
		return false;
	}
	snprintf(module, size, "%s", where);
	return true;
}

bool target_has_raw_tracepoint(struct target *t, const char *name)
{
	char module[MODULE_NAME];

	return target_raw_tracepoint_module(t, name, module, sizeof(module));
}
