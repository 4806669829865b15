/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind: a portable image becomes one for the kernel and the arguments at hand.
 *
 * Takes an image as it was compiled, the target and the script's arguments; hands on an image
 * in which every constant has its value, programs that can do nothing here are left out, and
 * attach points that stand for many probes, or for places in files, are matched again. It
 * calls nothing that changes the kernel; what it reads is BTF, tracefs and the lists of probes.
 */
#ifndef BT_BIND_H
#define BT_BIND_H

#include "image/image.h"
#include "target/target.h"

#define BIND_ERROR_MAX 512

/* What stands behind the image on the command line, "--" left out. */
struct bind_arguments {
	const char *const *words;
	size_t nwords;
};

/*
 * Opens @data (@size bytes, 8-byte aligned) into *@img and binds it. Where the image has been
 * made for older kernels, too, the first one is taken whose needs this kernel meets. *@bound is
 * what @img then refers to, NULL when that is still @data (malloc; the caller frees it after
 * the last use of @img). Returns 0, or a negative errno with the reason in @err
 * (BIND_ERROR_MAX bytes).
 */
int bind_image(struct image *img, const void *data, size_t size, struct target *t,
	       const struct bind_arguments *args, void **bound, char *err);

/* ---- single constants, for both halves ------------------------------------------ */

/* What a relocation comes to on the target. */
struct bind_value {
	uint64_t value;
	uint64_t size; /* of a field or argument, bytes; of a bit-field bits; else 0 */
};

/*
 * What (@kind, @a, @b) comes to; kinds that are about arguments are not known here. Returns 0, or
 * -ENOENT when the kernel has no such thing.
 */
int bind_find(struct target *t, uint32_t kind, const char *a, const char *b, struct bind_value *v);
/* Helper function that an instruction calls whose constant could not be found: plus the row. */
#define BIND_POISON 0x0bad0000

#endif
