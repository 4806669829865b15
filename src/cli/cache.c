/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cache_dir.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "target/depends.h"

#define MAGIC     "BTCACHE1"
#define MAX_ENTRY (16u << 20) /* bytes of a file; the largest of our scripts has 200 KB */

enum part { PART_KEY, PART_DEPENDS, PART_MESSAGES, PART_COLORED, PART_IMAGE, NPARTS };

/* The file: this, and the parts behind each other, each padded to 8 bytes. */
struct header {
	char magic[8];
	uint64_t hash[2]; /* of everything behind it, XXH3 with 128 bits */
	uint64_t size[NPARTS];
};

/* A row of PART_DEPENDS; the path with its NUL follows, padded to 8 bytes. */
struct depend_row {
	struct target_file_state state;
	uint64_t path_size;
};

static size_t padded(uint64_t n)
{
	return (n + 7) & ~7ull;
}

static void hash_parts(const struct header *h, size_t size, uint64_t hash[2])
{
	size_t skip = offsetof(struct header, size);
	XXH128_hash_t x = XXH3_128bits((const char *)h + skip, size - skip);

	hash[0] = x.low64;
	hash[1] = x.high64;
}

/* ---- finding ----------------------------------------------------------------------- */

/* The parts' places. False when the file is no whole entry. */
static bool find_parts(const char *data, size_t size, const char *parts[NPARTS])
{
	const struct header *h = (const void *)data;
	size_t at = sizeof(*h);
	uint64_t hash[2];

	if (size < sizeof(*h) || memcmp(h->magic, MAGIC, sizeof(h->magic)))
		return false;
	hash_parts(h, size, hash);
	if (memcmp(hash, h->hash, sizeof(hash)))
		return false;
	for (unsigned i = 0; i < NPARTS; i++) {
		if (h->size[i] > size || padded(h->size[i]) > size - at)
			return false;
		parts[i] = data + at;
		at += padded(h->size[i]);
	}
	return at == size;
}

static bool is_text(const char *part, uint64_t size)
{
	return size && !part[size - 1];
}

/* Whether every file is still as it was. */
static bool depends_hold(const char *part, uint64_t size)
{
	while (size) {
		const struct depend_row *row = (const void *)part;
		struct target_file_state now;

		if (size < sizeof(*row) || row->path_size > size - sizeof(*row) ||
		    padded(row->path_size) > size - sizeof(*row) ||
		    !is_text(part + sizeof(*row), row->path_size))
			return false;
		now = target_file_state(part + sizeof(*row));
		if (memcmp(&now, &row->state, sizeof(now)))
			return false;
		part += sizeof(*row) + padded(row->path_size);
		size -= sizeof(*row) + padded(row->path_size);
	}
	return true;
}

static bool take_entry(const struct cache_key *k, struct cache_entry *e, size_t size)
{
	const struct header *h = (const void *)e->data;
	const char *parts[NPARTS];

	if (!find_parts(e->data, size, parts))
		return false;
	if (h->size[PART_KEY] != k->size || memcmp(parts[PART_KEY], k->data, k->size))
		return false;
	if (!is_text(parts[PART_MESSAGES], h->size[PART_MESSAGES]) ||
	    !is_text(parts[PART_COLORED], h->size[PART_COLORED]) ||
	    !depends_hold(parts[PART_DEPENDS], h->size[PART_DEPENDS]))
		return false;
	e->messages = parts[PART_MESSAGES];
	e->colored = parts[PART_COLORED];
	e->image = parts[PART_IMAGE];
	e->image_size = h->size[PART_IMAGE];
	return true;
}

bool cache_find(const struct cache_key *k, struct cache_entry *e)
{
	int dir = cache_dir_open(false);
	size_t size;
	bool found;

	*e = (struct cache_entry){0};
	if (dir < 0)
		return false;
	e->data = cache_dir_read(dir, k->name, MAX_ENTRY, &size);
	found = e->data && take_entry(k, e, size);
	if (found)
		cache_dir_touch(dir, k->name);
	else
		cache_entry_free(e);
	close(dir);
	return found;
}

void cache_entry_free(struct cache_entry *e)
{
	free(e->data);
	*e = (struct cache_entry){0};
}

/* ---- keeping ------------------------------------------------------------------------- */

static void put(FILE *f, const void *data, size_t size)
{
	static const char zeros[8];

	fwrite(data, 1, size, f);
	fwrite(zeros, 1, padded(size) - size, f);
}

/* Returns the bytes written. */
static size_t put_depends(FILE *f, const struct target *t)
{
	size_t n, size = 0;
	const struct target_dependency *d = target_dependencies(t, &n);

	for (size_t i = 0; i < n; i++) {
		struct depend_row row = {d[i].state, strlen(d[i].path) + 1};

		put(f, &row, sizeof(row));
		put(f, d[i].path, row.path_size);
		size += sizeof(row) + padded(row.path_size);
	}
	return size;
}

/* The entry as the bytes of its file (malloc), NULL without memory. */
static char *make_entry(const struct cache_key *k, const struct target *t,
			const struct cache_entry *e, size_t *size)
{
	struct header h = {.magic = MAGIC,
			   .size = {[PART_KEY] = k->size,
				    [PART_MESSAGES] = strlen(e->messages) + 1,
				    [PART_COLORED] = strlen(e->colored) + 1,
				    [PART_IMAGE] = e->image_size}};
	char *data = NULL;
	FILE *f = open_memstream(&data, size);
	bool bad;

	if (!f)
		return NULL;
	put(f, &h, sizeof(h));
	put(f, k->data, k->size);
	h.size[PART_DEPENDS] = put_depends(f, t);
	put(f, e->messages, h.size[PART_MESSAGES]);
	put(f, e->colored, h.size[PART_COLORED]);
	put(f, e->image, e->image_size);
	bad = ferror(f);
	if (fclose(f) || bad) {
		free(data);
		return NULL;
	}
	memcpy(data, &h, sizeof(h));
	hash_parts((const void *)data, *size, h.hash);
	memcpy(data, &h, sizeof(h));
	return data;
}

void cache_store(const struct cache_key *k, const struct target *t, const struct cache_entry *e)
{
	char *data = NULL;
	size_t size;
	int dir;

	if (target_depends_on_now(t))
		return;
	dir = cache_dir_open(true);
	if (dir < 0)
		return;
	data = make_entry(k, t, e, &size);
	if (data && size <= MAX_ENTRY)
		cache_dir_write(dir, k->name, data, size);
	free(data);
	close(dir);
}

/* ---- looking after it ------------------------------------------------------------------ */

/* The script's name: the first field of the key. */
static const char *script_name(const char *key, uint64_t size, int *len)
{
	uint64_t n;

	memcpy(&n, key, sizeof(n));
	*len = size > sizeof(n) && n <= size - sizeof(n) && n < 4096 ? (int)n : 0;
	return key + sizeof(n);
}

static int show_file(int dir, const struct cache_file *f, void *arg)
{
	size_t size;
	char *data = cache_dir_read(dir, f->name, MAX_ENTRY, &size);
	const char *parts[NPARTS];
	char when[32];
	struct tm tm;

	if (!data || !localtime_r(&f->used.tv_sec, &tm) ||
	    !strftime(when, sizeof(when), "%F %T", &tm)) {
		free(data);
		return 0;
	}
	if (find_parts(data, size, parts)) {
		const struct header *h = (const void *)data;
		int len = 0;
		const char *name = "";

		if (h->size[PART_KEY] >= sizeof(uint64_t))
			name = script_name(parts[PART_KEY], h->size[PART_KEY], &len);
		fprintf(arg, "  %s %9zu  %.*s\n", when, size, len, name);
	} else {
		fprintf(arg, "  %s %9zu  (damaged)\n", when, size);
	}
	free(data);
	return 0;
}

int cache_show(FILE *out)
{
	char path[CACHE_PATH_MAX];
	struct cache_use use;
	int err = cache_dir_path(path, "");
	int dir = err ? err : cache_dir_open(false);

	if (err)
		return err;
	fprintf(out, "Directory: %s\n", path);
	if (dir < 0) {
		fprintf(out, "Entries: 0\n");
		return dir == -ENOENT ? 0 : dir;
	}
	err = cache_dir_use(dir, &use);
	if (!err) {
		fprintf(out, "Entries: %zu\nBytes: %llu of %llu\n", use.files,
			(unsigned long long)use.bytes, (unsigned long long)CACHE_LIMIT);
		err = cache_dir_each(dir, show_file, out);
	}
	close(dir);
	return err;
}

int cache_clear(FILE *out)
{
	int dir = cache_dir_open(false), removed;

	if (dir == -ENOENT) {
		fputs("Entries removed: 0\n", out);
		return 0;
	}
	if (dir < 0)
		return dir;
	removed = cache_dir_trim(dir, 0);
	close(dir);
	if (removed < 0)
		return removed;
	fprintf(out, "Entries removed: %d\n", removed);
	return 0;
}
