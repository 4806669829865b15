/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "symbols/internal.h"

struct symbols *symbols_new(const struct symbols_options *opts)
{
	static const struct symbols_options plain = {.demangle = true,
						     .cache = SYMBOLS_CACHE_PER_PID};
	struct symbols *s = calloc(1, sizeof(*s));

	if (s)
		s->opts = opts ? *opts : plain;
	return s;
}

/* ---- names as they are shown --------------------------------------------------------- */

static struct shown_name *find_place(struct shown_name *table, size_t cap, const char *name)
{
	size_t i = ((uintptr_t)name * 0x9e3779b97f4a7c15ull >> 32) & (cap - 1);

	while (table[i].name && table[i].name != name)
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static int make_room(struct symbols *s)
{
	size_t cap = s->shown_cap ? s->shown_cap * 2 : 256;
	struct shown_name *table;

	if (s->nshown * 2 < s->shown_cap)
		return 0;
	table = calloc(cap, sizeof(*table));
	if (!table)
		return -1;
	for (size_t i = 0; i < s->shown_cap; i++)
		if (s->shown[i].name)
			*find_place(table, cap, s->shown[i].name) = s->shown[i];
	free(s->shown);
	s->shown = table;
	s->shown_cap = cap;
	return 0;
}

static void forget_names(struct symbols *s)
{
	for (size_t i = 0; i < s->shown_cap; i++)
		free(s->shown[i].text);
	free(s->shown);
	s->shown = NULL;
	s->nshown = s->shown_cap = 0;
}

/* Tables of symbols keep their strings where they are, so the place is the key. */
const char *symbols_shown_name(struct symbols *s, const char *name)
{
	struct shown_name *place;

	if (!s->opts.demangle || name[0] != '_' || (name[1] != 'Z' && name[1] != 'R'))
		return name;
	if (s->opts.cache == SYMBOLS_CACHE_NONE) /* the tables come and go */
		forget_names(s);
	if (make_room(s))
		return name;
	place = find_place(s->shown, s->shown_cap, name);
	if (!place->name) {
		*place = (struct shown_name){name, symbols_demangle(name)};
		s->nshown++;
	}
	return place->text ? place->text : name;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	symtab_free(&s->kernel);
	user_cache_free(s->user);
	name_cache_free(s->names);
	forget_names(s);
	free(s);
}
