/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things: open LLVM, generate each program, optimise, emit, pack. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codegen/cg.h"

void cg_fail(struct codegen *cg, struct span at, const char *fmt, ...)
{
	va_list ap;
	char text[512];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_error(cg->r->diags, at, "%s", text);
	cg->failed = true;
}

static void fail_for_lack(struct codegen *cg, const char *what, const char *kind,
			  const struct target_lack *l)
{
	cg_fail(cg, cg->at, "%s needs %s %s, which came with Linux %u.%u", what, kind, l->name,
		l->since >> 16, l->since >> 8 & 0xff);
}

bool cg_needs(struct codegen *cg, enum target_feature f, const char *what)
{
	if (target_has(cg->r->target, f))
		return true;
	cg_fail(cg, cg->at, "%s needs the kernel feature %s, which came with %s", what,
		target_feature_name(f), target_feature_since(f));
	return false;
}

void cg_check_helper(struct codegen *cg, unsigned helper)
{
	struct target_lack l;

	if (target_lacks_helper(cg->r->target, helper, &l))
		fail_for_lack(cg, "this", "the BPF helper", &l);
}

void cg_check_map_type(struct codegen *cg, struct span at, unsigned type)
{
	struct target_lack l;

	cg->at = at;
	if (target_lacks_map_type(cg->r->target, type, &l))
		fail_for_lack(cg, "this map", "the BPF map type", &l);
}

/* To a neighbour first, then renamed: an interrupted write leaves the old file. */
static int write_file(const char *path, const void *data, size_t size)
{
	char tmp[4096];

	if (snprintf(tmp, sizeof(tmp), "%s.tmp%d", path, (int)getpid()) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	FILE *f = fopen(tmp, "wb");
	if (!f)
		return -errno;
	bool ok = fwrite(data, 1, size, f) == size;
	if (fclose(f) || !ok || rename(tmp, path)) {
		int err = -errno;
		unlink(tmp);
		return err;
	}
	return 0;
}

static void dump_asm(struct codegen *cg)
{
	/* emitting changes the module: a copy of it is printed */
	LLVMModuleRef kept = cg->mod;

	cg->mod = LLVMCloneModule(kept);
	LLVMMemoryBufferRef text = cg_emit(cg, LLVMAssemblyFile);
	if (text) {
		fwrite(LLVMGetBufferStart(text), 1, LLVMGetBufferSize(text), cg->opts->dump_to);
		LLVMDisposeMemoryBuffer(text);
	}
	LLVMDisposeModule(cg->mod);
	cg->mod = kept;
}

static void generate(struct codegen *cg)
{
	cg_debug_open(cg);
	cg_object_open(cg);
	for (size_t i = 0; i < cg->r->programs.len; i++)
		cg_program(cg, cg->r->programs.items[i]);
	cg_object_close(cg);
	cg_debug_close(cg);
}

static void *emit_image(struct codegen *cg, size_t *size)
{
	void *image = NULL;

	if (cg->opts->dump & CG_DUMP_ASM)
		dump_asm(cg);
	LLVMMemoryBufferRef object = cg_emit(cg, LLVMObjectFile);
	if (!object)
		return NULL;
	const void *data = LLVMGetBufferStart(object);
	size_t n = LLVMGetBufferSize(object);
	if (cg->opts->emit_elf) {
		int err = write_file(cg->opts->emit_elf, data, n);
		if (err)
			cg_fail(cg, (struct span){0}, "cannot write %s: %s", cg->opts->emit_elf,
				strerror(-err));
	}
	if (!cg->failed)
		image = cg_pack(cg, data, n, size);
	LLVMDisposeMemoryBuffer(object);
	return image;
}

void *codegen_run(struct sema_result *r, const struct cg_options *opts, size_t *size)
{
	struct codegen cg = {.r = r, .arena = r->arena, .opts = opts};
	void *image = NULL;

	for (size_t i = 0; i < r->relocs.len; i++)
		vec_push(cg.arena, &cg.relocs, r->relocs.items[i]);
	if (cg_llvm_open(&cg)) {
		generate(&cg);
		if (!cg.failed && cg_optimize(&cg))
			image = emit_image(&cg, size);
	}
	cg_llvm_close(&cg);
	if (cg.failed) {
		free(image);
		image = NULL;
	}
	return image;
}
