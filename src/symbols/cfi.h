/* SPDX-License-Identifier: Apache-2.0 */
/* cfi: a section of call frame information, walked through. */
#ifndef BT_CFI_H
#define BT_CFI_H

#include <stddef.h>
#include <stdint.h>

#include "image/unwind.h"

struct cfi_section {
	const uint8_t *data;
	size_t size;
	uint64_t addr; /* in the file's own addresses */
};

/* From @pc on @rule holds; NULL: nothing is known. */
typedef void cfi_rule_fn(void *arg, uint64_t pc, const struct image_unwind_rule *rule);

/* Calls @fn for each change, function by function. What is broken ends it. */
void cfi_read(const struct cfi_section *s, cfi_rule_fn *fn, void *arg);

#endif
