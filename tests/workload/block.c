/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload block DEVICE STEP...: I/O of known size and place. A step is
 *
 *   direct-write:SIZE:OFFSET:COUNT[:STRIDE]   COUNT writes past the page cache, the first at
 *   direct-read:SIZE:OFFSET:COUNT[:STRIDE]    OFFSET, each STRIDE bytes (SIZE) after the last
 *   write:... read:...                        likewise through the page cache
 *   sync                                      fsync
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIGNMENT 4096
#define NUMBERS   4

struct step {
	bool direct, writes;
	unsigned long long size, offset, count, stride;
};

static const struct {
	const char *name;
	bool direct, writes;
} kinds[] = {
	{"direct-write", true, true},
	{"direct-read", true, false},
	{"write", false, true},
	{"read", false, false},
};

static void bad_step(const char *text)
{
	fprintf(stderr, "workload: not a step: %s\n", text);
	exit(1);
}

static struct step parse_step(const char *text)
{
	unsigned long long numbers[NUMBERS] = {0};
	char *copy = strdup(text), *rest = copy;
	char *name = strsep(&rest, ":");
	struct step s = {0};
	size_t n = 0, kind;

	for (kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++)
		if (!strcmp(name, kinds[kind].name))
			break;
	while (rest && n < NUMBERS)
		numbers[n++] = workload_number(strsep(&rest, ":"));
	if (kind == sizeof(kinds) / sizeof(*kinds) || n < NUMBERS - 1 || rest)
		bad_step(text);
	free(copy);
	s.direct = kinds[kind].direct;
	s.writes = kinds[kind].writes;
	s.size = numbers[0];
	s.offset = numbers[1];
	s.count = numbers[2];
	s.stride = n == NUMBERS ? numbers[3] : s.size;
	return s;
}

static void do_step(int fd, const struct step *s)
{
	void *buf = aligned_alloc(ALIGNMENT, (s->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);

	memset(buf, 'x', s->size);
	for (unsigned long long i = 0; i < s->count; i++) {
		off_t at = s->offset + i * s->stride;
		ssize_t n = s->writes ? pwrite(fd, buf, s->size, at) : pread(fd, buf, s->size, at);

		if (n != (ssize_t)s->size)
			workload_die(s->writes ? "pwrite" : "pread");
	}
	free(buf);
}

int workload_block(int nwords, char **words)
{
	int buffered, direct;

	if (nwords < 3)
		return 2;
	buffered = open(words[1], O_RDWR);
	direct = open(words[1], O_RDWR | O_DIRECT);
	if (buffered < 0 || direct < 0)
		workload_die(words[1]);
	for (int i = 2; i < nwords; i++) {
		struct step s;

		if (!strcmp(words[i], "sync")) {
			if (fsync(buffered))
				workload_die("fsync");
			continue;
		}
		s = parse_step(words[i]);
		do_step(s.direct ? direct : buffered, &s);
	}
	close(direct);
	close(buffered);
	return 0;
}
