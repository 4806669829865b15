/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that C definitions use without defining them: learnt from libclang's complaints, found
 * in BTF, and declared to libclang by size and alignment alone. The C text may then define
 * whatever else it likes: there is no second set of definitions to get in its way.
 */
#include <string.h>

#include "types/cdefs_internal.h"

#define MAX_EMPTY_HEADERS 1000

/* ---- declarations ------------------------------------------------------------------- */

static const char *int_spelling(uint32_t size, bool is_signed)
{
	static const char *const names[2][4] = {
		{"__UINT8_TYPE__", "__UINT16_TYPE__", "__UINT32_TYPE__", "__UINT64_TYPE__"},
		{"__INT8_TYPE__", "__INT16_TYPE__", "__INT32_TYPE__", "__INT64_TYPE__"},
	};

	return names[is_signed][size >= 8 ? 3 : size >= 4 ? 2 : size >= 2 ? 1 : 0];
}

static const char *bytes(struct cdefs_reader *r, const struct type *t)
{
	return arena_printf(r->arena, "{ char bytes[%u]; } __attribute__((aligned(%u)))", t->size,
			    btf_real_align(r->ts, t));
}

static const char *declare_typedef(struct cdefs_reader *r, const char *name, const struct type *t)
{
	switch (t->kind) {
	case IMAGE_K_INT:
	case IMAGE_K_ENUM:
		return arena_printf(r->arena, "typedef %s %s;", int_spelling(t->size, t->is_signed),
				    name);
	case IMAGE_K_BOOL:
		return arena_printf(r->arena, "typedef _Bool %s;", name);
	case IMAGE_K_VOID:
		return arena_printf(r->arena, "typedef void %s;", name);
	case IMAGE_K_POINTER:
		return arena_printf(r->arena, "typedef void *%s;", name);
	case IMAGE_K_STRUCT:
	case IMAGE_K_UNION:
		return arena_printf(r->arena, "typedef struct %s %s;", bytes(r, t), name);
	case IMAGE_K_STRING:
		return arena_printf(r->arena, "typedef char %s[%u];", name, t->size);
	case IMAGE_K_ARRAY:
		return arena_printf(r->arena, "typedef %s %s[%u];",
				    int_spelling(t->elem->size, t->elem->is_signed), name,
				    t->count * t->elem->size /
					    (t->elem->size >= 8   ? 8
					     : t->elem->size >= 4 ? 4
					     : t->elem->size >= 2 ? 2
								  : 1));
	default:
		return NULL;
	}
}

static const char *declare(struct cdefs_reader *r, const char *tag, const char *name,
			   const struct type *t)
{
	if (!*tag)
		return declare_typedef(r, name, t);
	if (!t->size)
		return NULL;
	if (t->kind == IMAGE_K_ENUM)
		return arena_printf(r->arena, "enum %s : %s { btrun_borrowed_%s };", name,
				    int_spelling(t->size, t->is_signed), name);
	return arena_printf(r->arena, "%s %s %s;", tag, name, bytes(r, t));
}

static bool borrow(struct cdefs_reader *r, const char *tag, const char *name)
{
	struct cdefs_borrowed b = {.tag = tag, .name = name};

	if (cdefs_find_borrowed(r, tag, name))
		return false;
	if (tag) {
		b.type = types_lookup(r->ts, *tag ? tag : NULL, name);
		if (!b.type)
			return false;
		if (b.type->kind == IMAGE_K_STRUCT || b.type->kind == IMAGE_K_UNION)
			type_complete(r->ts, b.type);
		b.decl = declare(r, tag, name, b.type);
	} else {
		struct type_constant c;

		if (!types_find_constant(r->ts, name, &c))
			return false;
		b.decl = arena_printf(r->arena, "enum { %s = %lld };", name, (long long)c.value);
	}
	if (!b.decl)
		return false;
	vec_push(r->arena, &r->borrowed, b);
	return true;
}

static struct cdefs_borrowed *find(struct cdefs_reader *r, const char *tag, const char *name)
{
	for (size_t i = 0; i < r->borrowed.len; i++) {
		struct cdefs_borrowed *b = &r->borrowed.items[i];

		if ((b->tag == tag || (b->tag && tag && !strcmp(b->tag, tag))) &&
		    !strcmp(b->name, name))
			return b;
	}
	return NULL;
}

const struct cdefs_borrowed *cdefs_find_borrowed(struct cdefs_reader *r, const char *tag,
						 const char *name)
{
	return find(r, tag, name);
}

const char *cdefs_borrowed_text(struct cdefs_reader *r)
{
	size_t size = 1;
	char *text, *at;

	for (size_t i = 0; i < r->borrowed.len; i++)
		size += strlen(r->borrowed.items[i].decl) + 1;
	at = text = arena_alloc(r->arena, size);
	for (size_t i = 0; i < r->borrowed.len; i++)
		if (!r->borrowed.items[i].refused)
			at = stpcpy(stpcpy(at, r->borrowed.items[i].decl), "\n");
	return text;
}

/* ---- complaints ----------------------------------------------------------------------- */

static bool learn_header(struct cdefs_reader *r, const char *path)
{
	if (!types_btf(r->ts) || !cdefs_may_be_empty(path) ||
	    r->empty_headers.len >= MAX_EMPTY_HEADERS)
		return false;
	for (size_t i = 0; i < r->empty_headers.len; i++)
		if (!strcmp(r->empty_headers.items[i], path))
			return false;
	vec_push(r->arena, &r->empty_headers, path);
	return true;
}

/* The C text defines what it was lent. */
static bool refuse(struct cdefs_reader *r, const char *name)
{
	bool any = false;

	for (size_t i = 0; i < r->borrowed.len; i++) {
		struct cdefs_borrowed *b = &r->borrowed.items[i];

		if (!b->refused && !strcmp(b->name, name))
			b->refused = any = true;
	}
	return any;
}

/* 'struct foo', 'foo', 'struct foo[4]', 'enum foo': what stands in quotes. */
static bool learn_name(struct cdefs_reader *r, char *quoted)
{
	static const char *const tags[] = {"struct ", "union ", "enum "};
	static const char *const words[] = {"struct", "union", "enum"};

	for (int i = 0; i < 3; i++) {
		size_t len = strlen(tags[i]);

		if (strncmp(quoted, tags[i], len))
			continue;
		quoted += len;
		quoted[strcspn(quoted, " [*")] = '\0';
		return borrow(r, words[i], quoted);
	}
	if (!*quoted || strpbrk(quoted, " [*("))
		return false;
	return borrow(r, "", quoted) || borrow(r, NULL, quoted);
}

bool cdefs_learn(struct cdefs_reader *r, const char *message, const char *at)
{
	bool any = false;

	if (strstr(message, "redefinition"))
		return refuse(r, at);
	for (const char *open = strchr(message, '\''), *close; open;
	     open = strchr(close + 1, '\'')) {
		char *quoted;

		close = strchr(open + 1, '\'');
		if (!close)
			break;
		quoted = arena_strndup(r->arena, open + 1, (size_t)(close - open - 1));
		if (strstr(message, "file not found"))
			return learn_header(r, quoted);
		any |= learn_name(r, quoted);
	}
	return any;
}
