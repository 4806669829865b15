/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tools.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/io.h"

#define SUFFIX     ".bt"
#define HEAD_LINES 10 /* of a script: within them it says what it is */

/* Where they are, seen from the directory of this program. */
static const struct place {
	const char *dir;
	const char *only_with; /* a file that must be there, too */
} places[] = {
	{"../" BTRUN_DATADIR "/btrun", NULL},
	{"../../" BTRUN_DATADIR "/btrun", NULL},
	{"../scripts", "CMakeCache.txt"}, /* in a tree that is being worked on */
};

/* The scripts' directory (malloc), NULL where there is none. */
static char *find_directory(void)
{
	char self[PATH_MAX];

	if (io_own_directory(self))
		return NULL;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const struct place *p = &places[i];
		char *path, *mark = NULL;
		bool there;

		if (asprintf(&path, "%s/%s", self, p->dir) < 0)
			return NULL;
		there = !access(path, R_OK | X_OK);
		if (there && p->only_with)
			there = asprintf(&mark, "%s/%s", self, p->only_with) > 0 &&
				!access(mark, F_OK);
		free(mark);
		if (there)
			return path;
		free(path);
	}
	return NULL;
}

static bool is_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

char *tools_find(const char *name)
{
	char *dir = is_name(name) ? find_directory() : NULL, *path = NULL;
	size_t len = strlen(name);
	bool whole = len > strlen(SUFFIX) && !strcmp(name + len - strlen(SUFFIX), SUFFIX);

	if (!dir)
		return NULL;
	if (asprintf(&path, "%s/%s%s", dir, name, whole ? "" : SUFFIX) < 0)
		path = NULL;
	free(dir);
	if (path && !access(path, R_OK))
		return path;
	free(path);
	return NULL;
}

static int is_script(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > strlen(SUFFIX) && !strcmp(e->d_name + len - strlen(SUFFIX), SUFFIX);
}

/* "name  what it does" is a line of the first comment. */
static void print_tool(FILE *out, const char *dir, const char *file)
{
	int len = (int)(strlen(file) - strlen(SUFFIX));
	char *path, *line = NULL;
	const char *words = "";
	size_t size = 0;
	FILE *f;

	if (asprintf(&path, "%s/%s", dir, file) < 0)
		return;
	f = fopen(path, "re");
	free(path);
	for (int i = 0; f && i < HEAD_LINES && getline(&line, &size, f) > 0; i++) {
		const char *p = line + strspn(line, " */");

		if (strncmp(p, file, len) || p[len] != ' ')
			continue;
		words = p + len + strspn(p + len, " ");
		break;
	}
	fprintf(out, "%-14.*s %.*s\n", len, file, (int)strcspn(words, "\n"), words);
	free(line);
	if (f)
		fclose(f);
}

int tools_list(FILE *out)
{
	char *dir = find_directory();
	struct dirent **found;
	int n, err = 0;

	if (!dir)
		return -ENOENT;
	n = scandir(dir, &found, is_script, alphasort);
	if (n < 0)
		err = -errno;
	for (int i = 0; i < n; i++) {
		print_tool(out, dir, found[i]->d_name);
		free(found[i]);
	}
	if (n >= 0)
		free(found);
	free(dir);
	return err;
}
