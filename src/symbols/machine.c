/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's state: load average and memory, read when asked for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/internal.h"

static char *read_proc(const struct symbols *s, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", s->opts.proc ? s->opts.proc : "/proc", name);
	return symbols_read_file(path, NULL);
}

const char *symbols_loadavg(struct symbols *s)
{
	char *text = read_proc(s, "loadavg");

	snprintf(s->loadavg, sizeof(s->loadavg), "%.*s", text ? (int)strcspn(text, "\n") : 0,
		 text ? text : "");
	free(text);
	return s->loadavg;
}

/* "Buffers:          123456 kB", and counters without unit. */
static bool read_line(const char *line, const char *name, uint64_t *value)
{
	size_t len = strlen(name);
	char unit[4] = "";

	if (strncmp(line, name, len) || line[len] != ':' ||
	    sscanf(line + len + 1, " %" SCNu64 " %3s", value, unit) < 1)
		return false;
	if (!strcmp(unit, "kB"))
		*value *= 1024;
	return true;
}

bool symbols_meminfo(struct symbols *s, const char *name, uint64_t *value)
{
	char *text = read_proc(s, "meminfo");
	bool found = false;

	*value = 0;
	for (const char *line = text; line && !found;) {
		found = read_line(line, name, value);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	free(text);
	return found;
}
