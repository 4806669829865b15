/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports: what other files define becomes part of the script, before what it says itself. A
 * file is read once, however often and by whomever it is imported.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ast.h"

#define MAX_IMPORTS 500
/* As much as parse_program() takes, and a byte to see that there is more. */
#define MAX_SIZE ((1u << 20) + 1)

struct importer {
	struct diag_list *d;
	struct ast_program *all; /* the script with all that is imported */
	const char *root;        /* directory of the script */
	void (*looked_at)(const char *path, void *arg);
	void *arg;
	const char *seen[MAX_IMPORTS];
	size_t nseen;
};

static void import_all(struct importer *m, const struct ast_program *p, const char *dir);

/* ---- paths ---------------------------------------------------------------------- */

static const char *dir_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
}

static const char *join(struct arena *a, const char *dir, const char *name)
{
	if (*name == '/' || !strcmp(dir, "."))
		return name;
	return arena_printf(a, "%s/%s", dir, name);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

static bool anyone_writes(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_mode & S_IWOTH;
}

/* What anyone may change is not to run with the rights of whoever traces. */
static bool is_safe(struct importer *m, const char *path)
{
	return !anyone_writes(path) && !anyone_writes(dir_of(m->d->arena, path));
}

/* The file's one name, or NULL when it has been imported already or there are too many. */
static const char *first_time(struct importer *m, struct span at, const char *path)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		snprintf(real, sizeof(real), "%s", path);
	for (size_t i = 0; i < m->nseen; i++)
		if (!strcmp(m->seen[i], real))
			return NULL;
	if (m->nseen == MAX_IMPORTS) {
		diag_error(m->d, at, "More than %d files are imported", MAX_IMPORTS);
		return NULL;
	}
	return m->seen[m->nseen++] = arena_strdup(m->d->arena, real);
}

/* ---- files ------------------------------------------------------------------------ */

static char *read_text(struct arena *a, const char *path, size_t *size)
{
	FILE *f = fopen(path, "re");
	char *text;

	if (!f)
		return NULL;
	text = arena_alloc(a, MAX_SIZE + 1);
	*size = fread(text, 1, MAX_SIZE, f);
	if (ferror(f))
		text = NULL;
	fclose(f);
	return text;
}

static void append(struct importer *m, const struct ast_program *p)
{
	struct arena *a = m->d->arena;
	struct ast_program *to = m->all;

	for (size_t i = 0; i < p->c_defs.len; i++)
		vec_push(a, &to->c_defs, p->c_defs.items[i]);
	for (size_t i = 0; i < p->config.len; i++)
		vec_push(a, &to->config, p->config.items[i]);
	for (size_t i = 0; i < p->map_decls.len; i++)
		vec_push(a, &to->map_decls, p->map_decls.items[i]);
	for (size_t i = 0; i < p->macros.len; i++)
		vec_push(a, &to->macros, p->macros.items[i]);
	for (size_t i = 0; i < p->probes.len; i++)
		vec_push(a, &to->probes, p->probes.items[i]);
}

static void import_script(struct importer *m, struct span at, const char *path)
{
	unsigned errors = m->d->errors;
	struct ast_program *p;
	size_t size;
	char *text = read_text(m->d->arena, path, &size);

	if (!text) {
		diag_error(m->d, at, "error reading import '%s': %s", path, strerror(errno));
		return;
	}
	p = parse_program(m->d, diag_add_source(m->d, path, text, size));
	if (m->d->errors > errors)
		return;
	if (p->config.len) {
		diag_error(m->d, p->config.items[0].span, "invalid `config` within import");
		diag_hint(m->d, "Only the script itself can have a config block.");
		return;
	}
	import_all(m, p, dir_of(m->d->arena, path));
	append(m, p);
}

/* A header, or a source, of C: its definitions are read with those of the script. */
static void import_header(struct importer *m, struct span at, const char *path)
{
	struct ast_c_def def = {.span = at};

	def.text = arena_printf(m->d->arena, "#include \"%s\"\n", path);
	vec_push(m->d->arena, &m->all->c_defs, def);
}

static void import_source(struct importer *m, struct span at, const char *path)
{
	diag_error(m->d, at, "'%s': C sources for BPF cannot be imported yet", path);
	diag_hint(m->d, "Write what it does as a macro; a header (.h) with its types can be "
			"imported.");
}

/* ---- one import ------------------------------------------------------------------- */

static const struct file_kind {
	const char *suffix;
	bool in_body; /* may be imported by a statement */
	void (*import)(struct importer *m, struct span at, const char *path);
	bool real; /* is handed the full path */
} kinds[] = {
	{".bt", false, import_script, false},
	{".h", true, import_header, true},
	{".bpf.c", true, import_source, true},
};

static const struct file_kind *kind_of(const char *path)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (ends_with(path, kinds[i].suffix))
			return &kinds[i];
	return NULL;
}

static bool refuse_unsafe(struct importer *m, struct span at, const char *path)
{
	if (is_safe(m, path))
		return false;
	diag_error(m->d, at,
		   "cowardly refusing to import from a directory with global write permissions: "
		   "\"%s\"",
		   path);
	return true;
}

static void import_file(struct importer *m, const struct ast_import *i, const char *path)
{
	const struct file_kind *k = kind_of(path);
	const char *real;

	if (!k) {
		diag_error(m->d, i->span, "unknown import type: \"%s\"", path);
		diag_hint(m->d, "Scripts (.bt), C headers (.h), C sources for BPF (.bpf.c) and "
				"directories of them are known.");
		return;
	}
	if (i->in_body && !k->in_body) {
		diag_error(m->d, i->span,
			   "Only C headers (.h) and C sources (.bpf.c) can be imported "
			   "by a statement");
		return;
	}
	if (refuse_unsafe(m, i->span, path))
		return;
	real = first_time(m, i->span, path);
	if (real)
		k->import(m, i->span, k->real ? real : path);
}

static int known_kinds(const struct dirent *e)
{
	return *e->d_name != '.' && kind_of(e->d_name);
}

/* In the order of the names, so that the same files always give the same script. */
static void import_dir(struct importer *m, const struct ast_import *i, const char *path)
{
	struct dirent **names = NULL;
	int n;

	if (i->in_body) {
		diag_error(m->d, i->span, "A directory cannot be imported by a statement");
		return;
	}
	if (refuse_unsafe(m, i->span, path))
		return;
	n = scandir(path, &names, known_kinds, alphasort);
	if (n < 0)
		diag_error(m->d, i->span, "error reading import '%s': %s", path, strerror(errno));
	for (int k = 0; k < n; k++) {
		const char *file = arena_printf(m->d->arena, "%s/%s", path, names[k]->d_name);
		struct stat st;

		m->looked_at(file, m->arg);
		if (!stat(file, &st) && S_ISREG(st.st_mode))
			import_file(m, i, file);
		free(names[k]);
	}
	free(names);
}

/* The standard library is always there: importing it, or a part, changes nothing. */
static bool is_stdlib(const char *path)
{
	return !strcmp(path, "stdlib") || !strncmp(path, "stdlib/", 7);
}

static void import_one(struct importer *m, const struct ast_import *i, const char *dir)
{
	const char *dirs[] = {dir, m->root};
	const char *path = NULL;
	struct stat st;

	for (size_t k = 0; k < 2; k++) {
		path = join(m->d->arena, dirs[k], i->path);
		m->looked_at(path, m->arg);
		if (stat(path, &st)) {
			path = NULL;
			continue;
		}
		break;
	}
	if (path && S_ISDIR(st.st_mode))
		import_dir(m, i, path);
	else if (path)
		import_file(m, i, path);
	else if (!is_stdlib(i->path)) {
		diag_error(m->d, i->span, "Unable to find suitable path for import");
		diag_hint(m->d, "checked: %s", join(m->d->arena, dir, i->path));
	}
}

/* Recursion ends: each file is entered once, and there are at most MAX_IMPORTS. */
static void import_all(struct importer *m, const struct ast_program *p, const char *dir)
{
	for (size_t i = 0; i < p->imports.len; i++)
		import_one(m, &p->imports.items[i], dir);
}

void parse_imports(struct diag_list *d, struct ast_program *p, const char *script,
		   void (*looked_at)(const char *path, void *arg), void *arg)
{
	struct ast_program own = *p;
	struct importer *m;

	if (!own.imports.len)
		return;
	m = arena_new_of(d->arena, struct importer);
	m->d = d;
	m->all = p;
	m->looked_at = looked_at;
	m->arg = arg;
	m->root = dir_of(d->arena, script);
	first_time(m, own.imports.items[0].span, script);
	*p = (struct ast_program){0};
	import_all(m, &own, m->root);
	append(m, &own);
}
