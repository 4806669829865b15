/* SPDX-License-Identifier: Apache-2.0 */
/* Types as rows of the image, for the half that shows values. */
#include "types/types_internal.h"

static void add_enumerators(struct image_builder *b, const struct type *t, struct image_type *row)
{
	for (size_t i = 0; i < t->enumerators.len; i++) {
		struct image_enumerator e = {.value = t->enumerators.items[i].value};
		uint32_t at;

		e.name = image_add_string(b, t->enumerators.items[i].name);
		at = image_add_enumerator(b, &e);
		if (!i)
			row->fields = at;
	}
	row->count = t->enumerators.len;
}

/* Members of a struct without a name of its own are shown as the outer struct's. */
static bool is_transparent(const struct type *t, const struct type_field *f)
{
	bool outer = t->kind == IMAGE_K_STRUCT || t->kind == IMAGE_K_UNION;
	bool inner = f->type->kind == IMAGE_K_STRUCT || f->type->kind == IMAGE_K_UNION;

	if (!outer || !inner || (f->name && *f->name))
		return false;
	if (f->type->incomplete)
		type_complete(f->type->owner, f->type);
	return true;
}

static void add_field_types(struct image_builder *b, const struct type *t)
{
	for (size_t i = 0; i < t->fields.len; i++) {
		const struct type_field *f = &t->fields.items[i];

		if (is_transparent(t, f))
			add_field_types(b, f->type);
		else
			type_to_image(b, f->type);
	}
}

static void add_rows(struct image_builder *b, const struct type *t, uint32_t base,
		     struct image_type *row)
{
	for (size_t i = 0; i < t->fields.len; i++) {
		const struct type_field *f = &t->fields.items[i];
		struct image_field field = {
			.offset = base + f->offset, .bit_off = f->bit_off, .bit_size = f->bit_size};
		uint32_t at;

		if (is_transparent(t, f)) {
			add_rows(b, f->type, base + f->offset, row);
			continue;
		}
		/* packed bits whose integer would reach beyond the struct are not shown with it */
		if (f->bit_size && f->offset + f->type->size > t->size)
			continue;
		field.type = type_to_image(b, f->type);
		field.name = image_add_string(b, f->name ? f->name : "");
		at = image_add_field(b, &field);
		if (!row->count++)
			row->fields = at;
	}
}

/* The rows of FIELDS stand together, so the types they name must exist before. */
static void add_fields(struct image_builder *b, const struct type *t, struct image_type *row)
{
	add_field_types(b, t);
	add_rows(b, t, 0, row);
}

uint32_t type_to_image(struct image_builder *b, struct type *t)
{
	struct image_type row = {.kind = t->kind, .elem = IMAGE_NONE};

	if (t->image_index)
		return t->image_index - 1;
	if (t->incomplete)
		type_complete(t->owner, t);
	row.flags = t->is_signed ? IMAGE_TF_SIGNED : 0;
	row.size = t->size;
	row.name = image_add_string(b, t->name ? t->name : "");
	for (int i = 0; i < 3; i++)
		row.arg[i] = t->arg[i];
	if (t->kind == IMAGE_K_ENUM)
		add_enumerators(b, t, &row);
	else
		add_fields(b, t, &row);
	/* pointers are shown as addresses: following them could go round in circles */
	if (t->kind == IMAGE_K_ARRAY) {
		row.elem = type_to_image(b, t->elem);
		row.count = t->count;
	} else if (t->kind == IMAGE_K_KSTACK || t->kind == IMAGE_K_USTACK) {
		row.elem = t->count;
	}
	t->image_index = image_add_type(b, &row) + 1;
	return t->image_index - 1;
}
