/* SPDX-License-Identifier: Apache-2.0 */
/* The script's maps, read, emptied and set to zero from user space. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/internal.h"
#include "target/target.h"

#define FIRST_BATCH 1024

static bool is_scalar_plain(const struct run *r, uint32_t map)
{
	return r->img->maps[map].flags & IMAGE_MAP_SCALAR && r->img->maps[map].value_off;
}

/* Key and value sizes as the kernel copies them: all CPUs, each padded to 8 bytes. */
static int map_sizes(const struct run *r, uint32_t map, struct map_contents *c)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	int err = bpf_map_get_info_by_fd(r->map_fds[map], &info, &len);
	const struct image_map *m = &r->img->maps[map];

	if (err)
		return err;
	memset(c, 0, sizeof(*c));
	c->key_size = info.key_size;
	c->value_size = info.value_size;
	if (m->flags & IMAGE_MAP_PERCPU)
		c->value_size = ((info.value_size + 7) & ~7u) * (size_t)r->ncpus;
	/* what output reads must be there; the image cannot know the object */
	if (m->value == IMAGE_NONE ||
	    info.value_size < m->value_off + r->img->types[m->value].size ||
	    (m->key != IMAGE_NONE && info.key_size < r->img->types[m->key].size))
		return -EINVAL;
	return 0;
}

static int make_room(struct map_contents *c, size_t cap)
{
	uint8_t *keys, *values;

	if (cap <= c->cap)
		return 0;
	keys = realloc(c->keys, cap * c->key_size);
	if (keys)
		c->keys = keys;
	values = realloc(c->values, cap * c->value_size);
	if (values)
		c->values = values;
	if (!keys || !values)
		return -ENOMEM;
	c->cap = cap;
	return 0;
}

/* Whole buckets at a time. -EOPNOTSUPP or -EINVAL: not with this kernel or map. */
static int read_batches(int fd, struct map_contents *c)
{
	uint64_t token[2]; /* 4 bytes for hash maps; room for any key of an array */
	size_t room = FIRST_BATCH;
	bool first = true;

	for (;;) {
		uint32_t count;
		int err;

		if (make_room(c, c->n + room))
			return -ENOMEM;
		count = c->cap - c->n;
		err = bpf_map_lookup_batch(fd, first ? NULL : token, token,
					   c->keys + c->n * c->key_size,
					   c->values + c->n * c->value_size, &count, NULL);
		if (err == -ENOSPC) { /* one bucket holds more than that */
			room *= 2;
			continue;
		}
		if (err && err != -ENOENT)
			return err;
		c->n += count;
		if (err == -ENOENT)
			return 0;
		first = false;
		room = c->n > FIRST_BATCH ? c->n : FIRST_BATCH;
	}
}

/* Key after key: other programs may take elements away meanwhile. */
static int read_one_by_one(int fd, uint32_t max_entries, struct map_contents *c)
{
	uint8_t *key = NULL;

	/* a key that goes away sends the walk back to the start: no more than two rounds */
	for (uint64_t steps = 0; steps < 2ull * max_entries; steps++) {
		if (make_room(c, c->n + 2 > c->cap ? (c->n + 2) * 2 : c->cap))
			return -ENOMEM;
		key = c->n ? c->keys + (c->n - 1) * c->key_size : NULL;
		if (bpf_map_get_next_key(fd, key, c->keys + c->n * c->key_size))
			return 0;
		if (!bpf_map_lookup_elem(fd, c->keys + c->n * c->key_size,
					 c->values + c->n * c->value_size))
			c->n++;
		else if (!c->n)
			return 0;
	}
	return 0;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	return !n || (!*p && !memcmp(p, p + 1, n - 1));
}

/* Element 0, when something was ever stored in it. */
static int read_scalar(struct run *r, uint32_t map, struct map_contents *c)
{
	bool stored;
	int err = make_room(c, 1);

	if (err)
		return err;
	memset(c->keys, 0, c->key_size);
	err = bpf_map_lookup_elem(r->map_fds[map], c->keys, c->values);
	if (err)
		return err;
	stored = is_scalar_plain(r, map)
			 ? !all_zero(c->values, 8)
			 : r->was_zeroed[map] || !all_zero(c->values, c->value_size);
	c->n = stored;
	return 0;
}

static int read_keyed(struct run *r, uint32_t map, struct map_contents *c)
{
	int err = -EOPNOTSUPP;

	if (target_has(r->target, TARGET_F_MAP_BATCH))
		err = read_batches(r->map_fds[map], c);
	if (!err || err == -ENOMEM)
		return err;
	c->n = 0;
	return read_one_by_one(r->map_fds[map], r->img->maps[map].max_entries, c);
}

static int read_contents(struct run *r, uint32_t map, struct map_contents *c)
{
	int err = map_sizes(r, map, c);

	if (err)
		return err;
	return r->img->maps[map].flags & IMAGE_MAP_SCALAR ? read_scalar(r, map, c)
							  : read_keyed(r, map, c);
}

int map_read(struct run *r, uint32_t map, struct map_contents *c)
{
	const struct image_map *m = &r->img->maps[map];
	int err;

	memset(c, 0, sizeof(*c));
	err = read_contents(r, map, c);
	if (err)
		return err;
	c->elems = calloc(c->n + 1, sizeof(*c->elems));
	if (!c->elems)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		if (m->key != IMAGE_NONE)
			c->elems[i].key = c->keys + i * c->key_size;
		c->elems[i].value = c->values + i * c->value_size + m->value_off;
	}
	return 0;
}

void map_contents_free(struct map_contents *c)
{
	free(c->elems);
	free(c->keys);
	free(c->values);
}

static int clear_scalar(struct run *r, uint32_t map, struct map_contents *c)
{
	memset(c->values, 0, c->value_size);
	memset(c->keys, 0, c->key_size);
	r->was_zeroed[map] = false;
	return bpf_map_update_elem(r->map_fds[map], c->keys, c->values, BPF_ANY);
}

int map_clear(struct run *r, uint32_t map)
{
	struct map_contents c = {0};
	int err = read_contents(r, map, &c);

	if (!err && r->img->maps[map].flags & IMAGE_MAP_SCALAR)
		err = clear_scalar(r, map, &c);
	else
		for (size_t i = 0; i < c.n; i++) /* gone already is as good */
			bpf_map_delete_elem(r->map_fds[map], c.keys + i * c.key_size);
	map_contents_free(&c);
	return err;
}

/* Zero is a value: a plain scalar keeps its set word, a key stays. */
int map_zero(struct run *r, uint32_t map)
{
	uint32_t off = r->img->maps[map].value_off;
	struct map_contents c = {0};
	int err = read_contents(r, map, &c);

	for (size_t i = 0; i < c.n; i++) {
		uint8_t *value = c.values + i * c.value_size;

		memset(value + off, 0, c.value_size - off);
		bpf_map_update_elem(r->map_fds[map], c.keys + i * c.key_size, value, BPF_EXIST);
	}
	if (c.n && r->img->maps[map].flags & IMAGE_MAP_SCALAR && !off)
		r->was_zeroed[map] = true;
	map_contents_free(&c);
	return err;
}

int map_stack(void *run, uint32_t map, int64_t id, void *frames, size_t size)
{
	struct run *r = run;
	uint32_t value_size = r->map_value_sizes[map];
	uint64_t key = id, n;
	uint8_t *value;
	int err;

	if (value_size < sizeof(n) || value_size - sizeof(n) > size)
		return -EINVAL;
	value = malloc(value_size);
	if (!value)
		return -ENOMEM;
	err = bpf_map_lookup_elem(r->map_fds[map], &key, value);
	if (!err) {
		memcpy(&n, value, sizeof(n));
		memcpy(frames, value + sizeof(n), value_size - sizeof(n));
	}
	free(value);
	return err ? err : (int)n;
}
