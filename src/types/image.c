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

/* The rows of FIELDS stand together, so the types they name must exist before. */
static void add_fields(struct image_builder *b, const struct type *t, struct image_type *row)
{
	for (size_t i = 0; i < t->fields.len; i++)
		type_to_image(b, t->fields.items[i].type);
	for (size_t i = 0; i < t->fields.len; i++) {
		const struct type_field *f = &t->fields.items[i];
		struct image_field field = {.type = type_to_image(b, f->type),
					    .offset = f->offset,
					    .bit_off = f->bit_off,
					    .bit_size = f->bit_size};
		uint32_t at;

		field.name = image_add_string(b, f->name ? f->name : "");
		at = image_add_field(b, &field);
		if (!i)
			row->fields = at;
	}
	row->count = t->fields.len;
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
