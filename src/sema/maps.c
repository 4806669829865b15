/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps: found by name, in the order of first use; each is either scalar or has a key; the
 * types of key and value grow until they hold whatever the script puts in.
 */
#include <linux/bpf.h>
#include <string.h>

#include "internal.h"

struct sema_map *sema_map_get(struct sema *s, const char *name, struct span at)
{
	struct sema_map_work *w;

	for (size_t i = 0; i < s->maps.len; i++)
		if (!strcmp(s->maps.items[i]->map->name, name)) {
			s->maps.items[i]->live |= !s->include_dead;
			return s->maps.items[i]->map;
		}
	w = arena_new_of(s->arena, struct sema_map_work);
	w->map = arena_new_of(s->arena, struct sema_map);
	w->map->name = name;
	w->map->first = at;
	vec_push(s->arena, &s->maps, w);
	return w->map;
}

struct sema_map_work *sema_map_work(struct sema *s, const struct sema_map *m)
{
	for (size_t i = 0; i < s->maps.len; i++)
		if (s->maps.items[i]->map == m)
			return s->maps.items[i];
	return NULL;
}

struct sema_map *sema_map_whole(struct sema *s, struct ast_expr *e)
{
	e->u.map.decl = sema_map_get(s, e->u.map.name, e->span);
	return e->u.map.decl;
}

static bool check_shape(struct sema *s, struct ast_expr *e, struct sema_map_work *w)
{
	bool keyed = e->u.map.key != NULL;

	if (w->shape == SHAPE_UNKNOWN)
		w->shape = keyed ? SHAPE_KEYED : SHAPE_SCALAR;
	if (keyed == (w->shape == SHAPE_KEYED))
		return true;
	if (keyed)
		sema_error(s, e->span,
			   "@%s used as a map with an explicit key (non-scalar map), previously "
			   "used without an explicit key (scalar map)",
			   e->u.map.name);
	else
		sema_error(s, e->span,
			   "@%s used as a map without an explicit key (scalar map), previously "
			   "used with an explicit key (non-scalar map)",
			   e->u.map.name);
	return false;
}

/* What a key is stored as; NULL when it cannot be one. */
static struct type *key_type(struct sema *s, struct type *t, struct span at)
{
	if (sema_castable(t))
		return sema_number_of(s, t);
	if (type_is_aggregation(t)) {
		sema_error(s, at, "%s cannot be part of a map key", sema_tn(s, t));
		return NULL;
	}
	if (t->is_ctx) {
		sema_error(s, at, "context cannot be part of a map key");
		return NULL;
	}
	if (t->kind == IMAGE_K_VOID) {
		sema_error(s, at, "Invalid map key type: %s", sema_tn(s, t));
		return NULL;
	}
	return t;
}

bool sema_map_key(struct sema *s, struct sema_map *m, struct type *t, struct span at)
{
	struct type *joined;

	t = key_type(s, t, at);
	if (!t)
		return false;
	joined = sema_join(s, m->key, t);
	if (!joined) {
		sema_error(s, at,
			   "Argument mismatch for @%s: trying to access with arguments: '%s' "
			   "when map expects arguments: '%s'",
			   m->name, sema_tn(s, t), sema_tn(s, m->key));
		return false;
	}
	s->changed |= joined != m->key;
	m->key = joined;
	return true;
}

bool sema_map_access(struct sema *s, struct ast_expr *e)
{
	struct sema_map *m = sema_map_whole(s, e);
	struct sema_map_work *w = sema_map_work(s, m);
	struct type *key = e->u.map.key ? sema_expr(s, e->u.map.key) : NULL;

	if (!check_shape(s, e, w))
		return false;
	if (!e->u.map.key)
		return true;
	if (!key || !sema_map_key(s, m, key, e->span))
		return false;
	sema_warn_of_cast(s, e->u.map.key, m->key);
	return true;
}

bool sema_map_value(struct sema *s, struct sema_map *m, struct type *t, struct span at)
{
	struct type *joined = NULL;

	sema_map_work(s, m)->assigned = true;
	if (!m->value || !type_is_aggregation(m->value))
		joined = sema_join(s, m->value, t);
	if (!joined) {
		sema_error(s, at,
			   "Type mismatch for @%s: trying to assign value of type '%s' when map "
			   "already has a type '%s'",
			   m->name, sema_tn(s, t), sema_tn(s, m->value));
		return false;
	}
	s->changed |= joined != m->value;
	m->value = joined;
	return true;
}

struct type *sema_type_map(struct sema *s, struct ast_expr *e)
{
	struct sema_map_work *w;

	if (s->row && !e->u.map.key)
		return sema_row_map(s, e);
	if (!sema_map_access(s, e))
		return NULL;
	w = sema_map_work(s, e->u.map.decl);
	w->read = true;
	return w->map->value;
}

/* ---- at the end --------------------------------------------------------- */

static const struct {
	const char *name;
	uint32_t type;
	bool percpu;
	uint32_t shared; /* with one value for all processors, where that must do */
} kinds[] = {
	{"hash", BPF_MAP_TYPE_HASH, false, BPF_MAP_TYPE_HASH},
	{"lruhash", BPF_MAP_TYPE_LRU_HASH, false, BPF_MAP_TYPE_LRU_HASH},
	{"percpuhash", BPF_MAP_TYPE_PERCPU_HASH, true, BPF_MAP_TYPE_HASH},
	{"percpulruhash", BPF_MAP_TYPE_LRU_PERCPU_HASH, true, BPF_MAP_TYPE_LRU_HASH},
	{"percpuarray", BPF_MAP_TYPE_PERCPU_ARRAY, true, BPF_MAP_TYPE_ARRAY},
};
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct ast_map_decl *declared(struct sema *s, const struct sema_map *m)
{
	for (size_t i = 0; i < s->ast->map_decls.len; i++)
		if (!strcmp(s->ast->map_decls.items[i].name, m->name))
			return &s->ast->map_decls.items[i];
	return NULL;
}

static size_t find_kind(const char *name)
{
	size_t i = 0;

	while (i < NKINDS && strcmp(kinds[i].name, name))
		i++;
	return i;
}

static const char *kind_name(const struct sema_map *m)
{
	for (size_t i = 0; i < NKINDS; i++)
		if (kinds[i].type == m->bpf_type)
			return kinds[i].name;
	return "array";
}

/* let @m = kind(n): what the script wants must be what its use of the map needs. */
static void apply_declaration(struct sema *s, struct sema_map *m, const struct ast_map_decl *d)
{
	size_t k = find_kind(d->kind);
	bool aggregation = type_is_aggregation(m->value);

	if (k == NKINDS) {
		sema_error(s, d->span, "Invalid bpf map type: %s", d->kind);
		sema_hint(s, "Valid map types: hash, lruhash, percpuhash, percpulruhash, "
			     "percpuarray");
		return;
	}
	if (kinds[k].percpu != aggregation ||
	    (kinds[k].type == BPF_MAP_TYPE_PERCPU_ARRAY) != (aggregation && !m->key)) {
		sema_error(s, m->first,
			   "Incompatible map types. Type from declaration: %s. Type from "
			   "value/key type: %s",
			   d->kind, kind_name(m));
		return;
	}
	if (d->max_entries < 1 || d->max_entries > UINT32_MAX) {
		sema_error(s, d->span, "Invalid number of entries for @%s: %lld", m->name,
			   (long long)d->max_entries);
		return;
	}
	if (!m->key)
		return;
	m->bpf_type = m->percpu == kinds[k].percpu ? kinds[k].type : kinds[k].shared;
	m->max_entries = (uint32_t)d->max_entries;
}

/* Changed by additions alone, which are atomic. */
static bool only_adds(const struct type *t)
{
	return t->kind != IMAGE_K_MIN && t->kind != IMAGE_K_MAX;
}

/*
 * An aggregation has a value on each processor, unless the script reads it on a kernel whose
 * programs see no other processor's: then all add to one.
 */
static bool is_percpu(struct sema *s, const struct sema_map_work *w)
{
	const struct type *t = w->map->value;

	if (!type_is_aggregation(t))
		return false;
	return !w->read || !only_adds(t) || target_has(s->target, TARGET_F_PERCPU_LOOKUP);
}

static void finish_map(struct sema *s, const struct sema_map_work *w)
{
	struct sema_map *m = w->map;
	const struct ast_map_decl *d = declared(s, m);
	bool scalar = !m->key;

	m->percpu = is_percpu(s, w);
	if (scalar)
		m->bpf_type = m->percpu ? BPF_MAP_TYPE_PERCPU_ARRAY : BPF_MAP_TYPE_ARRAY;
	else
		m->bpf_type = m->percpu ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_HASH;
	m->max_entries = scalar ? 1 : (uint32_t)s->r->config.max_map_keys;
	m->elf_name = arena_printf(s->arena, "AT_%s", m->name);
	if (d)
		apply_declaration(s, m, d);
}

static void report_undefined(struct sema *s, struct sema_map_work *w)
{
	/* Without some of its probes nobody can tell what a script assigns. */
	if (!w->assigned && !s->probes_failed)
		sema_error(s, w->map->first, "Undefined map: @%s", w->map->name);
}

void sema_finish_maps(struct sema *s)
{
	for (size_t i = 0; i < s->maps.len; i++) {
		struct sema_map_work *w = s->maps.items[i];

		if (!w->map->value || (!w->map->key && w->shape == SHAPE_KEYED)) {
			report_undefined(s, w);
			continue;
		}
		if (!w->live)
			continue;
		finish_map(s, w);
		w->map->index = (uint32_t)s->r->maps.len;
		vec_push(s->arena, &s->r->maps, w->map);
	}
	for (size_t i = 0; i < s->ast->map_decls.len; i++) {
		const struct ast_map_decl *d = &s->ast->map_decls.items[i];
		bool used = false;

		for (size_t j = 0; j < s->maps.len; j++)
			used |= !strcmp(s->maps.items[j]->map->name, d->name);
		if (!used)
			sema_warning(s, d->span, "Unused map: @%s", d->name);
	}
}
