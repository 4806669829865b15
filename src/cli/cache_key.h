/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the product of a compilation depends on, all but the files that it reads: the script,
 * the options, the environment, this program, the kernel and what is loaded into it.
 */
#ifndef BT_CLI_CACHE_KEY_H
#define BT_CLI_CACHE_KEY_H

#include "cli/options.h"

struct cache_key {
	char *data; /* fields, each with its length in front of it; the first is the script's name
		     */
	size_t size;
	char name[33]; /* a hash of it, in hexadecimal */
};

/*
 * Fills @k for the script of @size bytes at @text. Free with cache_key_free(). False when what is
 * made of it is not to be kept: the caller wants to see the compiler work, or something cannot be
 * told.
 */
bool cache_key_make(struct cache_key *k, const struct cli_options *o, const char *text,
		    size_t size);
void cache_key_free(struct cache_key *k);

#endif
