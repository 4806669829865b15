/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eh_frame: the call frame information of a file, as the rows of src/image/unwind.h.
 *
 * What programs carry for exceptions (.eh_frame; LSB core, DWARF 5 section 6.4) is there in
 * stripped ones, too. Expressions are understood in the forms that compilers and linkers
 * write; where there is another one nothing is known.
 */
#ifndef BT_EH_FRAME_H
#define BT_EH_FRAME_H

#include <libelf.h>
#include <stddef.h>

#include "image/unwind.h"

/* All different rules, row 0 unknown. */
struct unwind_rules {
	struct image_unwind_rule *rules;
	size_t n, cap;
	uint32_t *hashed; /* numbers by hash, 0: free */
	size_t nhashed;
};

struct unwind_rows {
	uint64_t *rows;
	size_t n, cap;
};

/* Returns 0 or -ENOMEM. */
int unwind_rules_init(struct unwind_rules *r);
void unwind_rules_free(struct unwind_rules *r);
/*
 * Reads @elf: sorted @rows (the caller frees rows), new rules added to @rules. No rows where
 * there is no such section or it is broken: then what came before. Returns 0 or -ENOMEM.
 */
int eh_frame_read(Elf *elf, struct unwind_rules *rules, struct unwind_rows *rows);

#endif
