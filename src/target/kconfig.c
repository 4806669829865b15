/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that the running kernel was built with, where it can be read. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "target/target_internal.h"

#define MAX_CONFIG (4u << 20) /* bytes; kernels have 0.3 MB of it */

/* Reads plain files as well as compressed ones. */
static char *read_config(const char *path)
{
	gzFile f = gzopen(path, "rb");
	char *text;
	int n;

	if (!f)
		return NULL;
	text = malloc(MAX_CONFIG + 1);
	n = text ? gzread(f, text, MAX_CONFIG) : -1;
	gzclose(f);
	if (n <= 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

char *target_kconfig(struct target *t)
{
	char *text, path[512];
	struct utsname u;

	if (t->by_version)
		return NULL;
	text = read_config("/proc/config.gz");
	if (text || uname(&u))
		return text;
	snprintf(path, sizeof(path), "/boot/config-%s", u.release);
	target_depend(t, path);
	text = read_config(path);
	if (text)
		return text;
	snprintf(path, sizeof(path), "/lib/modules/%s/build/.config", u.release);
	target_depend(t, path);
	return read_config(path);
}
