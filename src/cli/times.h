/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of a start goes (--time): stages in a row, over both programs. */
#ifndef BT_CLI_TIMES_H
#define BT_CLI_TIMES_H

#include <stdint.h>
#include <stdio.h>

#define TIMES_MAX 24 /* stages; further ones are counted with the last */

struct times {
	uint64_t start, last; /* ns of the monotonic clock */
	unsigned n;
	struct {
		char name[16];
		uint64_t ns;
	} stages[TIMES_MAX];
};

/* Begins now, or goes on after what times_format() made of another program's (NULL: none). */
void times_start(struct times *t, const char *before);
/* What passed since the last call was stage @name. */
void times_stage(struct times *t, const char *name);
/* As text behind @prefix (malloc), NULL without memory. */
char *times_format(const struct times *t, const char *prefix);
/* A table, a stage a line, in milliseconds. */
void times_print(const struct times *t, FILE *out);

#endif
