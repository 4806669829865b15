/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of compiled scripts: one file an entry, in a directory that only its owner may read.
 *
 * An entry holds its whole key, the files that the compilation read with their state, what it
 * said, and the image. It is used only when all of them are as they were and its checksum is right.
 * It is written under another name first; nothing is said when it cannot be.
 */
#ifndef BT_CLI_CACHE_H
#define BT_CLI_CACHE_H

#include <stddef.h>
#include <stdio.h>

#include "cli/cache_key.h"
#include "target/target.h"

struct cache_entry {
	char *data;           /* the whole file */
	const char *messages; /* what the compiler said, in colour and without */
	const char *colored;
	const void *image; /* 8-byte aligned */
	size_t image_size;
};

/* Finds what was kept for @k. Free with cache_entry_free(). */
bool cache_find(const struct cache_key *k, struct cache_entry *e);
void cache_entry_free(struct cache_entry *e);
/* Keeps what was compiled, unless @t says that it depends on the moment. Fails in silence. */
void cache_store(const struct cache_key *k, const struct target *t, const struct cache_entry *e);

/* --cache: prints what is there. --cache=clear: removes it. Return 0 or a negative errno. */
int cache_show(FILE *out);
int cache_clear(FILE *out);

#endif
