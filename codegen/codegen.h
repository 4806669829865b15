/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codegen: typed AST in, image out.
 *
 * Lowers a struct sema_result to LLVM IR, optimises it, emits a BPF object and packs
 * that with its tables into an image. The only room that includes LLVM.
 */
#ifndef BT_CODEGEN_H
#define BT_CODEGEN_H

#include "sema/sema.h"

enum cg_stage {                          /* -d */
		CG_DUMP_CODEGEN = 1,     /* LLVM IR as generated */
		CG_DUMP_CODEGEN_OPT = 2, /* after the passes */
		CG_DUMP_ASM = 4,
};

struct cg_options {
	unsigned dump; /* enum cg_stage bits, printed to @dump_to */
	FILE *dump_to;
	const char *emit_elf; /* file for the object, or NULL */
};

/*
 * Generates. Returns the image (malloc, 8-byte aligned; the caller frees) and its size in
 * *@size, or NULL with errors in r->diags.
 */
void *codegen_run(struct sema_result *r, const struct cg_options *opts, size_t *size);

#endif
