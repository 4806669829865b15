/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/times.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS 1e6

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

void times_start(struct times *t, const char *before)
{
	int used;

	*t = (struct times){0};
	t->start = t->last = now();
	if (!before || sscanf(before, "%" SCNu64 ",%" SCNu64 "%n", &t->start, &t->last, &used) != 2)
		return;
	while (t->n < TIMES_MAX) {
		before += used;
		if (sscanf(before, ",%15[^:]:%" SCNu64 "%n", t->stages[t->n].name,
			   &t->stages[t->n].ns, &used) != 2)
			break;
		t->n++;
	}
}

void times_stage(struct times *t, const char *name)
{
	uint64_t end = now();

	if (t->n < TIMES_MAX)
		snprintf(t->stages[t->n++].name, sizeof(t->stages[0].name), "%s", name);
	t->stages[t->n - 1].ns += end - t->last;
	t->last = end;
}

char *times_format(const struct times *t, const char *prefix)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "%s%" PRIu64 ",%" PRIu64, prefix, t->start, t->last);
	for (unsigned i = 0; i < t->n; i++)
		fprintf(f, ",%s:%" PRIu64, t->stages[i].name, t->stages[i].ns);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

void times_print(const struct times *t, FILE *out)
{
	fprintf(out, "%-12s %9s\n", "Stage", "ms");
	for (unsigned i = 0; i < t->n; i++)
		fprintf(out, "%-12s %9.3f\n", t->stages[i].name, t->stages[i].ns / NS_PER_MS);
	fprintf(out, "%-12s %9.3f\n", "total", (t->last - t->start) / NS_PER_MS);
}
