/* SPDX-License-Identifier: Apache-2.0 */
/* Images made by hand, and what output writes about values that they describe. */
#ifndef BT_OUTPUT_FIXTURE_H
#define BT_OUTPUT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "output/output.h"

struct fixture {
	struct image_builder *b;
	uint32_t ntypes;
	uint32_t nfields;
	void *data;
	struct image img;
	struct symbols *sym;
	const char *format; /* NULL: "text" */
	struct output *o;
	FILE *file;
	char *text;
	size_t size;
	size_t seen; /* of text, compared already */
};

enum { NCPUS = 2, STACK_MAP = 0 };

static inline int fake_stack(void *arg, uint32_t map, int64_t id, void *frames, size_t size)
{
	uint64_t *ips = frames;

	(void)arg;
	assert_int_equal(map, STACK_MAP);
	assert_true(size >= OUTPUT_STACK_DEPTH * sizeof(*ips));
	if (id != 7)
		return -2;
	ips[0] = 0x1234;
	ips[1] = 0xabcd;
	return 2;
}

static inline void begin(struct fixture *f)
{
	struct image_map stacks = {.key = IMAGE_NONE,
				   .value = IMAGE_NONE,
				   .flags = IMAGE_MAP_INTERNAL | IMAGE_MAP_STACKS};

	memset(f, 0, sizeof(*f));
	f->b = image_builder_new();
	image_add_map(f->b, &stacks);
}

static uint32_t type(struct fixture *f, uint32_t kind, uint32_t size, bool is_signed)
{
	struct image_type t = {.kind = kind,
			       .size = size,
			       .elem = IMAGE_NONE,
			       .flags = is_signed ? IMAGE_TF_SIGNED : 0};

	return image_add_type(f->b, &t);
}

static uint32_t type_args(struct fixture *f, uint32_t kind, uint32_t size, int64_t a0, int64_t a1,
			  int64_t a2)
{
	struct image_type t = {.kind = kind, .size = size, .elem = IMAGE_NONE, .arg = {a0, a1, a2}};

	if (kind == IMAGE_K_KSTACK || kind == IMAGE_K_USTACK)
		t.elem = STACK_MAP;

	return image_add_type(f->b, &t);
}

struct part {
	const char *name;
	uint32_t type, offset;
	uint16_t bit_off, bit_size;
};

static uint32_t compound(struct fixture *f, uint32_t kind, uint32_t size, const struct part *parts,
			 uint32_t n)
{
	struct image_type t = {
		.kind = kind, .size = size, .elem = IMAGE_NONE, .count = n, .fields = f->nfields};

	for (uint32_t i = 0; i < n; i++, f->nfields++) {
		struct image_field field = {.name = image_add_string(f->b, parts[i].name),
					    .type = parts[i].type,
					    .offset = parts[i].offset,
					    .bit_off = parts[i].bit_off,
					    .bit_size = parts[i].bit_size};

		image_add_field(f->b, &field);
	}
	return image_add_type(f->b, &t);
}

static uint32_t map(struct fixture *f, const char *name, uint32_t key, uint32_t value,
		    uint32_t flags)
{
	struct image_map m = {.name = image_add_string(f->b, name),
			      .elf_name = image_add_string(f->b, name),
			      .key = key,
			      .value = value,
			      .flags = flags | (key == IMAGE_NONE ? IMAGE_MAP_SCALAR : 0)};

	if (key == IMAGE_NONE && !(flags & IMAGE_MAP_PERCPU))
		m.value_off = 8;
	return image_add_map(f->b, &m);
}

static inline uint32_t action(struct fixture *f, const char *fmt, uint32_t tuple)
{
	struct image_action a = {.kind = IMAGE_A_PRINTF,
				 .fmt = image_add_string(f->b, fmt),
				 .type = tuple,
				 .map = IMAGE_NONE};

	return image_add_action(f->b, &a);
}

static inline void ready_with(struct fixture *f, enum output_buffering buffering)
{
	struct image_config c = {.str_trunc_trailer = image_add_string(f->b, "..")};
	struct output_opts opts = {
		.format = f->format, .buffering = buffering, .stack = fake_stack, .ncpus = NCPUS};
	struct image_probe p = {.name = image_add_string(f->b, "interval:s:1")};
	char err[256] = "";
	size_t size;

	image_add_probe(f->b, &p);
	image_set_config(f->b, &c);
	f->data = image_finish(f->b, &size);
	image_builder_free(f->b);
	if (image_open(&f->img, f->data, size, err, sizeof(err)))
		fail_msg("%s", err);
	f->file = open_memstream(&f->text, &f->size);
	opts.file = f->file;
	f->sym = symbols_new(NULL);
	f->o = output_new(&f->img, f->sym, &opts);
	assert_non_null(f->o);
}

static inline void ready(struct fixture *f)
{
	ready_with(f, OUTPUT_LINE);
}

static inline void end(struct fixture *f)
{
	output_free(f->o);
	symbols_free(f->sym);
	fclose(f->file);
	free(f->text);
	free(f->data);
}

/* What was written since the last call. */
static inline void expect(struct fixture *f, const char *text)
{
	assert_int_equal(output_flush(f->o), 0);
	fflush(f->file);
	assert_string_equal(f->text + f->seen, text);
	f->seen = f->size;
}

#endif
