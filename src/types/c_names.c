/* SPDX-License-Identifier: Apache-2.0 */
/* Names that the script's C text defines, and constants by name from wherever they come. */
#include "types/types_internal.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static struct type_named **slot(struct types *ts, struct type_named ***table, const char *tag,
				const char *name)
{
	uint32_t h = 2166136261u;
	struct type_named **at;

	if (!*table)
		*table = arena_alloc(ts->arena, TYPE_NAME_BUCKETS * sizeof(**table));
	for (const char *c = name; *c; c++)
		h = (h ^ (unsigned char)*c) * 16777619u;
	for (at = &(*table)[h % TYPE_NAME_BUCKETS]; *at; at = &(*at)->next)
		if (same((*at)->tag, tag) && !strcmp((*at)->name, name))
			break;
	return at;
}

/* The last definition counts, as for macros in C. */
static struct type_named *add(struct types *ts, struct type_named ***table, const char *tag,
			      const char *name)
{
	struct type_named **at = slot(ts, table, tag, name);

	if (!*at) {
		*at = arena_new_of(ts->arena, struct type_named);
		(*at)->tag = tag;
		(*at)->name = arena_strdup(ts->arena, name);
	}
	return *at;
}

void types_add_c_type(struct types *ts, const char *tag, const char *name, struct type *t)
{
	add(ts, &ts->names, tag, name)->type = t;
}

void types_add_constant(struct types *ts, const char *name, uint64_t value, struct type *t)
{
	add(ts, &ts->names, NULL, name)->constant = (struct type_constant){value, t, NULL, NULL};
}

void types_add_macro(struct types *ts, const char *name, const struct type_constant *c)
{
	add(ts, &ts->names, NULL, name)->constant = *c;
}

struct type *types_find_c_type(struct types *ts, const char *tag, const char *name)
{
	struct type_named *n = ts->names ? *slot(ts, &ts->names, tag, name) : NULL;

	return n ? n->type : NULL;
}

/* BTF is searched through once for a name, whether it is there or not. */
static const struct type_named *btf_constant(struct types *ts, const char *name)
{
	struct type_named **at = slot(ts, &ts->enumerators, NULL, name), *n = *at;

	if (n)
		return n;
	n = add(ts, &ts->enumerators, NULL, name);
	btf_find_enumerator(ts, name, &n->constant.value, &n->constant.type);
	return n;
}

bool types_has_c_names(const struct types *ts)
{
	return ts->names != NULL;
}

bool types_find_c_constant(struct types *ts, const char *name, struct type_constant *c)
{
	const struct type_named *n = ts->names ? *slot(ts, &ts->names, NULL, name) : NULL;

	if (n)
		*c = n->constant;
	return n != NULL;
}

bool types_find_constant(struct types *ts, const char *name, struct type_constant *c)
{
	if (types_find_c_constant(ts, name, c))
		return true;
	*c = btf_constant(ts, name)->constant;
	return c->type ||
	       constant_find(name, ts->target ? target_version(ts->target) : UINT32_MAX, &c->value);
}
