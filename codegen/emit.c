/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the module to an object. LLVM's back end ends the process when it can go no further, as
 * with a program whose jumps are too long for BPF; here that is an error like others: its handler
 * jumps out. What LLVM held is lost then, and nothing of it is touched again.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/ErrorHandling.h>

#include "codegen/cg.h"

/* The handler is told nothing but the reason: where to go has to be found without it. */
static _Thread_local struct {
	jmp_buf to;
	char reason[256];
} way_out;

static void on_fatal_error(const char *reason)
{
	snprintf(way_out.reason, sizeof(way_out.reason), "%s", reason);
	longjmp(way_out.to, 1);
}

static void forget_llvm(struct codegen *cg)
{
	cg->di = NULL;
	cg->b = NULL;
	cg->mod = NULL;
	cg->machine = NULL;
	cg->ctx = NULL;
}

static void say_fatal_error(struct codegen *cg)
{
	if (!strstr(way_out.reason, "Branch target out of insn range")) {
		cg_fail(cg, (struct span){0}, "LLVM: %s", way_out.reason);
		return;
	}
	cg_fail(cg, (struct span){UINT32_MAX, 0, 0},
		"A probe of the script is too large: BPF programs cannot jump over more than 32767 "
		"instructions");
	diag_hint(cg->r->diags, "Distribute its statements over several probes.");
}

LLVMMemoryBufferRef cg_emit(struct codegen *cg, LLVMCodeGenFileType type)
{
	LLVMMemoryBufferRef out = NULL;
	char *err = NULL;

	if (setjmp(way_out.to)) {
		LLVMResetFatalErrorHandler();
		say_fatal_error(cg);
		forget_llvm(cg);
		return NULL;
	}
	LLVMInstallFatalErrorHandler(on_fatal_error);
	if (LLVMTargetMachineEmitToMemoryBuffer(cg->machine, cg->mod, type, &err, &out)) {
		cg_fail(cg, (struct span){0}, "LLVM: %s", err ? err : "no object emitted");
		LLVMDisposeMessage(err);
	}
	LLVMResetFatalErrorHandler();
	return out;
}
