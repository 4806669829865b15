/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the kernel has a symbol, of whatever kind. */
#include "target/target_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "address type name", and a tab and "[module]" for what a module has. */
static bool line_is(const char *line, const char *name, size_t len)
{
	const char *type = strchr(line, ' ');

	return type && type[1] && type[2] == ' ' && !strncmp(type + 3, name, len) &&
	       strchr("\t\n", type[3 + len]);
}

int target_kernel_symbol(struct target *t, const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	size_t size = 0, len = strlen(name);
	unsigned long long first = 0, addr;
	char *line = NULL;
	int n = 0;

	(void)t;
	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0 && n < 2) {
		if (!line_is(line, name, len))
			continue;
		addr = strtoull(line, NULL, 16);
		n += !n || addr != first;
		first = addr;
	}
	free(line);
	fclose(f);
	return n;
}
