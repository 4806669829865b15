/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "symbols/internal.h"

int symbols_grow(void **p, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap ? *cap * 2 : 1024;
	void *q;

	if (need <= *cap)
		return 0;
	while (n < need)
		n *= 2;
	q = realloc(*p, n * size);
	if (!q)
		return -ENOMEM;
	*p = q;
	*cap = n;
	return 0;
}

int symtab_add(struct symtab *t, uint64_t start, uint64_t size, unsigned rank, const char *name,
	       size_t name_len)
{
	if (t->names_size + name_len + 1 > UINT32_MAX ||
	    symbols_grow((void **)&t->entries, &t->cap, t->n + 1, sizeof(*t->entries)) ||
	    symbols_grow((void **)&t->names, &t->names_cap, t->names_size + name_len + 1, 1))
		return -ENOMEM;
	t->entries[t->n++] = (struct symtab_entry){
		.start = start,
		.size = size > UINT32_MAX ? UINT32_MAX : size,
		.name = t->names_size,
		.rank = rank,
	};
	memcpy(t->names + t->names_size, name, name_len);
	t->names[t->names_size + name_len] = 0;
	t->names_size += name_len + 1;
	return 0;
}

/* By address; of equals the one to be shown last, so that a search finds it. */
static int compare(const void *pa, const void *pb)
{
	const struct symtab_entry *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	return a->name > b->name ? -1 : a->name < b->name;
}

void symtab_sort(struct symtab *t)
{
	if (t->n)
		qsort(t->entries, t->n, sizeof(*t->entries), compare);
}

const struct symtab_entry *symtab_find(const struct symtab *t, uint64_t addr)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->entries[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &t->entries[low - 1] : NULL;
}

#define LOOK_BACK 16 /* labels that may lie between an address and its function's start */

const struct symtab_entry *symtab_holder(const struct symtab *t, uint64_t addr)
{
	const struct symtab_entry *near = symtab_find(t, addr);

	for (const struct symtab_entry *e = near; e && e >= t->entries; e--) {
		if (e->size && addr - e->start < e->size)
			return e;
		if (near - e >= LOOK_BACK)
			break;
	}
	/* without a size it reaches up to the next one */
	return near && !near->size ? near : NULL;
}

void symtab_free(struct symtab *t)
{
	free(t->entries);
	free(t->names);
	*t = (struct symtab){0};
}

char *symbols_read_fd(int fd, size_t *size)
{
	size_t cap = 1 << 16, len = 0;
	char *data = malloc(cap);
	ssize_t n = -1;

	while (data && (n = read(fd, data + len, cap - len - 1)) > 0) {
		char *more = data;

		len += n;
		if (cap - len < cap / 2)
			more = realloc(data, cap *= 2);
		if (!more)
			break;
		data = more;
	}
	if (n) { /* failed, or out of memory on the way */
		free(data);
		return NULL;
	}
	data[len] = 0;
	if (size)
		*size = len;
	return data;
}

char *symbols_read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *data;

	if (fd < 0)
		return NULL;
	data = symbols_read_fd(fd, size);
	close(fd);
	return data;
}

uint64_t symbols_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}
