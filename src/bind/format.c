/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of tracepoints: the format files of tracefs, Documentation/trace/events.rst. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/internal.h"

/* Whether the declaration at @decl ("char comm[16]", @len bytes) is of @name. */
static bool declares(const char *decl, size_t len, const char *name)
{
	size_t want = strlen(name), end = len, start;

	while (end && decl[end - 1] == ']') {
		while (end && decl[end - 1] != '[')
			end--;
		end -= end > 0;
	}
	start = end;
	while (start && (isalnum((unsigned char)decl[start - 1]) || decl[start - 1] == '_'))
		start--;
	return end - start == want && !memcmp(decl + start, name, want);
}

static bool number_after(const char *line, const char *key, uint64_t *n)
{
	const char *at = strstr(line, key);

	if (!at || !isdigit((unsigned char)at[strlen(key)]))
		return false;
	*n = strtoull(at + strlen(key), NULL, 10);
	return true;
}

static bool read_line(const char *line, const char *name, struct bind_value *value)
{
	const char *decl = strstr(line, "field:"), *end = decl ? strchr(decl, ';') : NULL;

	if (!end)
		return false;
	decl += strlen("field:");
	return declares(decl, end - decl, name) && number_after(end, "offset:", &value->value) &&
	       number_after(end, "size:", &value->size);
}

int find_tracepoint_field(struct target *t, const char *tracepoint, const char *field,
			  struct bind_value *value)
{
	char path[512], *text, *save = NULL;
	const char *colon = strchr(tracepoint, ':');
	bool found = false;

	if (!colon || strchr(colon, '/') || strstr(tracepoint, "..") ||
	    snprintf(path, sizeof(path), "events/%.*s/%s/format", (int)(colon - tracepoint),
		     tracepoint, colon + 1) >= (int)sizeof(path))
		return -ENOENT;
	text = target_tracefs_read(t, path);
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "print fmt:", strlen("print fmt:")))
			break;
		found = read_line(line, field, value);
	}
	free(text);
	return found ? 0 : -ENOENT;
}
