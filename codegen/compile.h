/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile: the whole compiling half as one function: script, options and target in,
 * image or diagnostics out.
 */
#ifndef BT_COMPILE_H
#define BT_COMPILE_H

#include "codegen.h"

enum compile_dump {
	COMPILE_DUMP_AST = 1,
	COMPILE_DUMP_TYPES = 2,
	COMPILE_DUMP_CODEGEN = 4,
	COMPILE_DUMP_CODEGEN_OPT = 8,
	COMPILE_DUMP_ASM = 16,
};

struct compile_input {
	const char *name; /* shown in messages: file name or "stdin" */
	const char *text;
	size_t size;
	struct sema_options sema;
	unsigned dump; /* enum compile_dump bits, to stdout */
	const char *emit_elf;
	void (*stage)(void *arg, const char *name); /* told of each stage's end; may be NULL */
	void *stage_arg;
};

struct compile_output {
	struct diag_list *diags;  /* always set; in the arena */
	struct arena *arena;      /* the caller frees it with compile_output_free() */
	struct sema_result *sema; /* NULL after errors */
	void *image;              /* NULL after errors, or when only listing */
	size_t image_size;
};

/*
 * Compiles. Returns 0, or -EINVAL when the script has errors (in out->diags).
 * @analyse_only: stop after sema (for -l of a script's probes, and --help).
 */
int compile_script(const struct compile_input *in, struct target *t, bool analyse_only,
		   struct compile_output *out);
void compile_output_free(struct compile_output *out);

#endif
