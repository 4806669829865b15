/* SPDX-License-Identifier: Apache-2.0 */
/* The target machine, the passes, and the way from a module to an object. */
#include <pthread.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "codegen/cg.h"

/*
 * The passes that pay for small programs: promote memory to registers, drop what is
 * redundant, and tidy up. A full O2 costs three times as much time and rewrites code into shapes
 * that the verifier cannot follow.
 */
#define CG_PASSES                                                                                  \
	"function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,"             \
	"early-cse<memssa>,dse,adce,simplifycfg),globaldce"

static void on_diagnostic(LLVMDiagnosticInfoRef info, void *arg)
{
	struct codegen *cg = arg;

	if (LLVMGetDiagInfoSeverity(info) != LLVMDSError)
		return;
	char *text = LLVMGetDiagInfoDescription(info);
	struct span at = cg->prog ? cg->prog->span : (struct span){0};

	if (strstr(text, "stack limit"))
		cg_fail(cg, at,
			"the probe needs more than the 512 bytes of stack that BPF programs have");
	else
		cg_fail(cg, at, "code generation failed: %s", text);
	LLVMDisposeMessage(text);
}

static const char *cpu_level(struct target *t)
{
	if (target_has(t, TARGET_F_CPU_V3))
		return "v3";
	return target_has(t, TARGET_F_CPU_V2) ? "v2" : "v1";
}

/*
 * The blocks of a program stay in the order in which they are generated, a loop's head before its
 * body. Kernels before 6.8 refuse a loop that was turned round, where an instruction that is no
 * jump leads on into the head. (LLVM keeps options for the process, and takes each once only.)
 */
static void set_options(void)
{
	static const char *const words[] = {"btrun", "-disable-block-placement"};

	LLVMParseCommandLineOptions(2, words, NULL);
}

bool cg_llvm_open(struct codegen *cg)
{
	static pthread_once_t options = PTHREAD_ONCE_INIT;
	LLVMTargetRef target;
	char *err = NULL;

	pthread_once(&options, set_options);
	LLVMInitializeBPFTargetInfo();
	LLVMInitializeBPFTarget();
	LLVMInitializeBPFTargetMC();
	LLVMInitializeBPFAsmPrinter();
	LLVMInitializeBPFAsmParser(); /* for the constants of portable images */
	cg->ctx = LLVMContextCreate();
	LLVMContextSetDiagnosticHandler(cg->ctx, on_diagnostic, cg);
	if (LLVMGetTargetFromTriple("bpfel", &target, &err)) {
		cg_fail(cg, (struct span){0}, "LLVM: %s", err);
		LLVMDisposeMessage(err);
		return false;
	}
	/* LLVM's default already is DWARF-less BTF; 32-bit ALU needs v3 */
	cg->machine = LLVMCreateTargetMachine(target, "bpfel", cpu_level(cg->r->target), "",
					      LLVMCodeGenLevelDefault, LLVMRelocDefault,
					      LLVMCodeModelDefault);
	cg->mod = LLVMModuleCreateWithNameInContext("btrun", cg->ctx);
	LLVMSetTarget(cg->mod, "bpfel");
	LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(cg->machine);
	LLVMSetModuleDataLayout(cg->mod, layout);
	LLVMDisposeTargetData(layout);
	cg->b = LLVMCreateBuilderInContext(cg->ctx);
	cg->i1 = LLVMInt1TypeInContext(cg->ctx);
	cg->i8 = LLVMInt8TypeInContext(cg->ctx);
	cg->i16 = LLVMInt16TypeInContext(cg->ctx);
	cg->i32 = LLVMInt32TypeInContext(cg->ctx);
	cg->i64 = LLVMInt64TypeInContext(cg->ctx);
	cg->ptr = LLVMPointerTypeInContext(cg->ctx, 0);
	return true;
}

void cg_llvm_close(struct codegen *cg)
{
	if (cg->di)
		LLVMDisposeDIBuilder(cg->di);
	if (cg->b)
		LLVMDisposeBuilder(cg->b);
	if (cg->mod)
		LLVMDisposeModule(cg->mod);
	if (cg->machine)
		LLVMDisposeTargetMachine(cg->machine);
	if (cg->ctx)
		LLVMContextDispose(cg->ctx);
}

static void dump_module(struct codegen *cg)
{
	char *text = LLVMPrintModuleToString(cg->mod);

	fputs(text, cg->opts->dump_to);
	LLVMDisposeMessage(text);
}

bool cg_optimize(struct codegen *cg)
{
	if (cg->opts->dump & CG_DUMP_CODEGEN)
		dump_module(cg);

	char *err = NULL;
	if (LLVMVerifyModule(cg->mod, LLVMReturnStatusAction, &err)) {
		cg_fail(cg, (struct span){0}, "internal error: invalid LLVM IR: %s", err);
		LLVMDisposeMessage(err);
		return false;
	}
	LLVMDisposeMessage(err);

	LLVMPassBuilderOptionsRef o = LLVMCreatePassBuilderOptions();
	LLVMErrorRef failed = LLVMRunPasses(cg->mod, CG_PASSES, cg->machine, o);
	LLVMDisposePassBuilderOptions(o);
	if (failed) {
		char *text = LLVMGetErrorMessage(failed);
		cg_fail(cg, (struct span){0}, "LLVM: %s", text);
		LLVMDisposeErrorMessage(text);
		return false;
	}
	if (cg->opts->dump & CG_DUMP_CODEGEN_OPT)
		dump_module(cg);
	return !cg->failed;
}
