/* SPDX-License-Identifier: Apache-2.0 */
/* field_exists("struct request", "rq_disk"): what this kernel's structs have. */
#include <string.h>

#include "internal.h"

/* "struct request", "union sigval", or the name of a typedef; NULL: no such type. */
static struct type *named_type(struct sema *s, const char *text)
{
	static const char *const tags[] = {"struct", "union"};

	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		size_t len = strlen(tags[i]);

		if (!strncmp(text, tags[i], len) && text[len] == ' ')
			return types_lookup(s->types, tags[i],
					    text + len + strspn(text + len, " "));
	}
	return types_lookup(s->types, NULL, text);
}

/* The type of the field at the end of "a.b.c", pointers on the way followed; NULL: none. */
static struct type *field_at(struct sema *s, struct type *t, const char *path)
{
	while (t && *path) {
		size_t len = strcspn(path, ".");
		const struct type_field *f;

		while (t->kind == IMAGE_K_POINTER && t->elem)
			t = t->elem;
		if (t->kind != IMAGE_K_STRUCT && t->kind != IMAGE_K_UNION)
			return NULL;
		f = type_find_field(s->types, t, arena_strndup(s->arena, path, len));
		t = f ? f->type : NULL;
		path += len + (path[len] == '.');
	}
	return t;
}

/* Whether the script's C definitions, not the kernel, say what is in it. */
static bool is_written_here(struct sema *s, const char *name)
{
	const struct type *t = named_type(s, name);

	return t && (t->kind == IMAGE_K_STRUCT || t->kind == IMAGE_K_UNION) && !t->btf_id;
}

struct type *sema_check_field_exists(struct sema *s, struct ast_expr *e)
{
	const char *path;

	if (!sema_want_string_literal(s, e, 0) || !sema_want_string_literal(s, e, 1))
		return NULL;
	path = sema_arg(e, 1)->const_str;
	if (!*path) {
		sema_error(s, sema_arg(e, 1)->span, "field_exists() expects the name of a field");
		return NULL;
	}
	if (s->opts->portable && !is_written_here(s, sema_arg(e, 0)->const_str)) {
		struct sema_reloc r = {
			.kind = IMAGE_R_FIELD_EXISTS, .a = sema_arg(e, 0)->const_str, .b = path};

		return sema_set_load(s, e, type_simple(s->types, IMAGE_K_BOOL), &r);
	}
	sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL),
		     field_at(s, named_type(s, sema_arg(e, 0)->const_str), path) != NULL);
	return e->type;
}
