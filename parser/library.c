/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"

#include <string.h>

#include "ast.h"

static const struct {
	const char *name, *text;
} files[] = {
#include "stdlib.inc"
};

#define NFILES (sizeof(files) / sizeof(files[0]))

/* Every line that begins with "macro NAME". */
static void read_names(struct stdlib *s, struct arena *a, const char *text)
{
	static const char word[] = "macro ";
	const char *line = text;

	while (line) {
		if (!strncmp(line, word, sizeof(word) - 1)) {
			const char *name = line + sizeof(word) - 1;

			vec_push(a, &s->names, arena_strndup(a, name, strcspn(name, " ({\n")));
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
}

bool stdlib_offers(struct stdlib *s, struct arena *a, const char *name)
{
	if (s->loaded)
		return false;
	for (size_t i = 0; i < NFILES && !s->named; i++)
		read_names(s, a, files[i].text);
	s->named = true;
	for (size_t i = 0; i < s->names.len; i++)
		if (!strcmp(s->names.items[i], name))
			return true;
	return false;
}

struct ast_program *stdlib_parse(struct diag_list *d, size_t i)
{
	struct ast_program *p;

	if (i >= NFILES)
		return NULL;
	p = parse_program(d,
			  diag_add_source(d, files[i].name, files[i].text, strlen(files[i].text)));
	for (size_t k = 0; k < p->macros.len; k++)
		p->macros.items[k]->stdlib = true;
	return p;
}
