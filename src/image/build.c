/* SPDX-License-Identifier: Apache-2.0 */
/* Making an image: tables that grow, then one pass that lays them out. */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

struct section {
	uint8_t *data;
	size_t size, cap;
};

struct image_builder {
	struct section sec[IMAGE_NSECTIONS];
	/* open addressing over the string section: offset + 1, 0: free */
	uint32_t *slots;
	size_t nslots, nstrings;
};

/* A compiler without memory has nothing to hand on. */
static void *check(void *p)
{
	if (!p)
		abort();
	return p;
}

static void *section_add(struct section *s, const void *data, size_t size)
{
	void *at;

	if (!size)
		return s->data; /* of an empty section there is none yet */
	if (s->size + size > s->cap) {
		s->cap = (s->size + size) * 2;
		s->data = check(realloc(s->data, s->cap));
	}
	at = s->data + s->size;
	memcpy(at, data, size);
	s->size += size;
	return at;
}

static uint32_t add_row(struct image_builder *b, enum image_section_id id, const void *row,
			size_t size)
{
	struct section *s = &b->sec[id];

	section_add(s, row, size);
	return s->size / size - 1;
}

struct image_builder *image_builder_new(void)
{
	struct image_builder *b = check(calloc(1, sizeof(*b)));

	b->nslots = 256;
	b->slots = check(calloc(b->nslots, sizeof(*b->slots)));
	section_add(&b->sec[IMAGE_SEC_STRINGS], "", 1);
	return b;
}

void image_builder_free(struct image_builder *b)
{
	if (!b)
		return;
	for (int i = 0; i < IMAGE_NSECTIONS; i++)
		free(b->sec[i].data);
	free(b->slots);
	free(b);
}

static uint64_t hash_string(const char *s)
{
	uint64_t h = 14695981039346656037ull; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 1099511628211ull;
	return h;
}

/* The slot that holds @s, or the free one where it belongs. */
static uint32_t *find_slot(struct image_builder *b, const char *s)
{
	const char *strings = (const char *)b->sec[IMAGE_SEC_STRINGS].data;
	size_t i = hash_string(s) & (b->nslots - 1);

	while (b->slots[i] && strcmp(strings + b->slots[i] - 1, s))
		i = (i + 1) & (b->nslots - 1);
	return &b->slots[i];
}

static void grow_slots(struct image_builder *b)
{
	const char *strings = (const char *)b->sec[IMAGE_SEC_STRINGS].data;
	uint32_t *old = b->slots;
	size_t nold = b->nslots;

	b->nslots *= 2;
	b->slots = check(calloc(b->nslots, sizeof(*b->slots)));
	for (size_t i = 0; i < nold; i++)
		if (old[i])
			*find_slot(b, strings + old[i] - 1) = old[i];
	free(old);
}

uint32_t image_add_string(struct image_builder *b, const char *s)
{
	struct section *sec = &b->sec[IMAGE_SEC_STRINGS];
	uint32_t *slot, offset;

	if (!s || !*s)
		return 0;
	if (b->nstrings * 2 >= b->nslots)
		grow_slots(b);
	slot = find_slot(b, s);
	if (*slot)
		return *slot - 1;
	offset = sec->size;
	*slot = offset + 1;
	b->nstrings++;
	section_add(sec, s, strlen(s) + 1);
	return offset;
}

uint32_t image_add_type(struct image_builder *b, const struct image_type *t)
{
	return add_row(b, IMAGE_SEC_TYPES, t, sizeof(*t));
}

uint32_t image_add_field(struct image_builder *b, const struct image_field *f)
{
	return add_row(b, IMAGE_SEC_FIELDS, f, sizeof(*f));
}

uint32_t image_add_enumerator(struct image_builder *b, const struct image_enumerator *e)
{
	return add_row(b, IMAGE_SEC_ENUMS, e, sizeof(*e));
}

uint32_t image_add_map(struct image_builder *b, const struct image_map *m)
{
	return add_row(b, IMAGE_SEC_MAPS, m, sizeof(*m));
}

uint32_t image_add_action(struct image_builder *b, const struct image_action *a)
{
	return add_row(b, IMAGE_SEC_ACTIONS, a, sizeof(*a));
}

uint32_t image_add_table(struct image_builder *b, const struct image_table *t)
{
	return add_row(b, IMAGE_SEC_TABLES, t, sizeof(*t));
}

uint32_t image_add_column(struct image_builder *b, const struct image_column *c)
{
	return add_row(b, IMAGE_SEC_COLUMNS, c, sizeof(*c));
}

uint32_t image_add_op(struct image_builder *b, const struct image_op *op)
{
	return add_row(b, IMAGE_SEC_OPS, op, sizeof(*op));
}

uint32_t image_add_probe(struct image_builder *b, const struct image_probe *p)
{
	return add_row(b, IMAGE_SEC_PROBES, p, sizeof(*p));
}

uint32_t image_add_attachment(struct image_builder *b, const struct image_attachment *a)
{
	return add_row(b, IMAGE_SEC_ATTACHMENTS, a, sizeof(*a));
}

uint32_t image_add_need(struct image_builder *b, const struct image_need *n)
{
	return add_row(b, IMAGE_SEC_NEEDS, n, sizeof(*n));
}

uint32_t image_add_reloc(struct image_builder *b, const struct image_reloc *r)
{
	return add_row(b, IMAGE_SEC_RELOCS, r, sizeof(*r));
}

uint32_t image_add_site(struct image_builder *b, const struct image_site *s)
{
	return add_row(b, IMAGE_SEC_SITES, s, sizeof(*s));
}

uint32_t image_add_condition(struct image_builder *b, const struct image_condition *c)
{
	return add_row(b, IMAGE_SEC_CONDITIONS, c, sizeof(*c));
}

uint32_t image_add_point(struct image_builder *b, const struct image_point *p)
{
	return add_row(b, IMAGE_SEC_POINTS, p, sizeof(*p));
}

uint32_t image_add_argument(struct image_builder *b, const struct image_argument *a)
{
	return add_row(b, IMAGE_SEC_ARGUMENTS, a, sizeof(*a));
}

void image_set_older(struct image_builder *b, const void *data, size_t size)
{
	b->sec[IMAGE_SEC_OLDER].size = 0;
	section_add(&b->sec[IMAGE_SEC_OLDER], data, size);
}

void image_builder_clear(struct image_builder *b, enum image_section_id id)
{
	b->sec[id].size = 0;
}

struct image_builder *image_builder_from(const struct image *img)
{
	const struct image_header *h = (const void *)img->data;
	struct image_builder *b = image_builder_new();

	for (int i = 0; i < IMAGE_NSECTIONS; i++) {
		b->sec[i].size = 0;
		section_add(&b->sec[i], img->data + h->sections[i].offset, h->sections[i].size);
	}
	/* strings that are there already may be added once more: that costs room only */
	return b;
}

void image_set_config(struct image_builder *b, const struct image_config *c)
{
	b->sec[IMAGE_SEC_CONFIG].size = 0;
	section_add(&b->sec[IMAGE_SEC_CONFIG], c, sizeof(*c));
}

void image_set_object(struct image_builder *b, const void *data, size_t size)
{
	b->sec[IMAGE_SEC_OBJECT].size = 0;
	section_add(&b->sec[IMAGE_SEC_OBJECT], data, size);
}

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

void *image_finish(struct image_builder *b, size_t *size)
{
	struct image_header h = {.version = IMAGE_VERSION, .nsections = IMAGE_NSECTIONS};
	size_t at = align8(sizeof(h));
	uint8_t *image;

	memcpy(h.magic, IMAGE_MAGIC, sizeof(h.magic));
	for (int i = 0; i < IMAGE_NSECTIONS; i++) {
		h.sections[i].offset = at;
		h.sections[i].size = b->sec[i].size;
		at = align8(at + b->sec[i].size);
	}
	h.size = at;
	image = check(calloc(1, at)); /* gaps are zero: same input, same bytes */
	memcpy(image, &h, sizeof(h));
	for (int i = 0; i < IMAGE_NSECTIONS; i++)
		if (b->sec[i].size)
			memcpy(image + h.sections[i].offset, b->sec[i].data, b->sec[i].size);
	*size = at;
	return image;
}
