/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: chunks in a list, freed together. */
#include "parser.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK (64 * 1024)
#define ARENA_ALIGN _Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size; /* bytes of data[] */
	_Alignas(max_align_t) char data[];
};

struct arena {
	struct arena_chunk *chunks; /* the newest first */
};

static void *alloc_or_die(size_t size)
{
	void *p = calloc(1, size);

	if (!p) {
		fputs("ERROR: out of memory\n", stderr);
		abort();
	}
	return p;
}

struct arena *arena_new(void)
{
	return alloc_or_die(sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	free(a);
}

static struct arena_chunk *chunk_new(size_t size)
{
	struct arena_chunk *c = alloc_or_die(sizeof(*c) + size);

	c->size = size;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunks;
	void *p;

	size = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (c && size <= c->size - c->used)
		goto take;
	/* A large piece gets a chunk of its own, behind the one that is being filled. */
	if (c && size > ARENA_CHUNK / 4) {
		struct arena_chunk *own = chunk_new(size);

		own->used = size;
		own->next = c->next;
		c->next = own;
		return own->data;
	}
	c = chunk_new(size > ARENA_CHUNK ? size : ARENA_CHUNK);
	c->next = a->chunks;
	a->chunks = c;
take:
	p = c->data + c->used;
	c->used += size;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

static char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return arena_strdup(a, fmt);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void *arena_vec_grow(struct arena *a, void *items, size_t len, size_t *cap, size_t item_size)
{
	size_t new_cap = *cap ? *cap * 2 : 4;
	void *p = arena_alloc(a, new_cap * item_size);

	if (len)
		memcpy(p, items, len * item_size);
	*cap = new_cap;
	return p;
}
