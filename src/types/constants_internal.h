/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of constants, each sorted by name. */
#ifndef BT_CONSTANTS_INTERNAL_H
#define BT_CONSTANTS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

struct constant {
	const char *name;
	uint64_t value;
	uint32_t since, until; /* TARGET_VERSION, until excluded; 0: ever */
};

/* By file, since headers of kernel and C library do not suffer each other. */
extern const struct constant constants_uapi[], constants_libc[];
extern const size_t constants_nuapi, constants_nlibc;

#endif
