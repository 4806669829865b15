/* SPDX-License-Identifier: Apache-2.0 */
/* field_exists("struct request", "rq_disk"), has_feature("for_each_map"): what this kernel has. */
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

struct type *sema_check_has_feature(struct sema *s, struct ast_expr *e)
{
	const char *name, *feature;

	if (!sema_want_string_literal(s, e, 0))
		return NULL;
	name = sema_arg(e, 0)->const_str;
	for (unsigned f = 0; f < TARGET_NFEATURES; f++) {
		feature = target_feature_name(f);
		if (!feature || strcmp(feature, name))
			continue;
		sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL), target_has(s->target, f));
		return e->type;
	}
	sema_error(s, sema_arg(e, 0)->span, "There is no kernel feature '%s'", name);
	sema_hint(s, "btrun --info lists them");
	return NULL;
}
