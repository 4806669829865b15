/* SPDX-License-Identifier: Apache-2.0 */
/* USDT probes as <sys/sdt.h> leaves them in a program: notes that say where they are. */
#ifndef BT_PROBES_USDT_NOTES_H
#define BT_PROBES_USDT_NOTES_H

#include "probes/elf_file.h"

/* One place of a probe; a function that is inlined leaves several. */
struct usdt_note {
	char *provider, *name;
	char *operands;     /* where the arguments are: see usdt_operands.h */
	uint64_t offset;    /* of the instruction, in the file */
	uint64_t semaphore; /* of its counter of tracers, in the file; 0: it has none */
};

struct usdt_notes {
	struct usdt_note *items; /* sorted by provider and name */
	size_t n, cap;
};

/* Reads the notes of @f. Returns 0 (none found is 0, too) or -ENOMEM. */
int usdt_notes_read(struct usdt_notes *notes, struct elf_file *f);
void usdt_notes_free(struct usdt_notes *notes);

#endif
