/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug metadata, from which LLVM makes BTF: libbpf reads the maps' definitions out of it,
 * and the kernel the source lines that it shows beside rejected instructions.
 */
#include <stdio.h>
#include <string.h>

#include "codegen/cg.h"

enum { DW_ATE_signed = 5, DW_ATE_unsigned = 7, DW_TAG_const_type = 0x26 };

void cg_debug_open(struct codegen *cg)
{
	const char *name = cg->r->opts->script_name ? cg->r->opts->script_name : "stdin";

	cg->di = LLVMCreateDIBuilder(cg->mod);
	LLVMAddModuleFlag(
		cg->mod, LLVMModuleFlagBehaviorWarning, "Debug Info Version", 18,
		LLVMValueAsMetadata(LLVMConstInt(cg->i32, LLVMDebugMetadataVersion(), 0)));
	cg->di_file = LLVMDIBuilderCreateFile(cg->di, name, strlen(name), ".", 1);
	cg->di_unit = LLVMDIBuilderCreateCompileUnit(cg->di, LLVMDWARFSourceLanguageC, cg->di_file,
						     "btrun", 5, 1, "", 0, 0, "", 0,
						     LLVMDWARFEmissionFull, 0, 0, 0, "", 0, "", 0);
	cg->di_int = LLVMDIBuilderCreateBasicType(cg->di, "int", 3, 32, DW_ATE_signed, 0);
	cg->di_u64 = LLVMDIBuilderCreateBasicType(cg->di, "u64", 3, 64, DW_ATE_unsigned, 0);
}

/* libbpf's way to write number @n in a map definition: int (*name)[n] */
static LLVMMetadataRef map_number(struct codegen *cg, const char *name, uint32_t n, unsigned at)
{
	LLVMMetadataRef range = LLVMDIBuilderGetOrCreateSubrange(cg->di, 0, n);
	LLVMMetadataRef array =
		LLVMDIBuilderCreateArrayType(cg->di, (uint64_t)n * 32, 32, cg->di_int, &range, 1);
	LLVMMetadataRef pointer = LLVMDIBuilderCreatePointerType(cg->di, array, 64, 0, 0, "", 0);

	return LLVMDIBuilderCreateMemberType(cg->di, cg->di_file, name, strlen(name), cg->di_file,
					     0, 64, 0, (uint64_t)at * 64, 0, pointer);
}

static void attach_var(struct codegen *cg, LLVMValueRef var, const char *name, LLVMMetadataRef type)
{
	LLVMMetadataRef expr = LLVMDIBuilderCreateExpression(cg->di, NULL, 0);
	LLVMMetadataRef gv = LLVMDIBuilderCreateGlobalVariableExpression(
		cg->di, cg->di_unit, name, strlen(name), "", 0, cg->di_file, 0, type, 0, expr, NULL,
		0);

	LLVMGlobalSetMetadata(var, LLVMGetMDKindIDInContext(cg->ctx, "dbg", 3), gv);
}

void cg_debug_map(struct codegen *cg, struct cg_map *m)
{
	const struct {
		const char *name;
		uint32_t value;
	} numbers[] = {
		{"type", m->type},
		{"key_size", m->key_size},
		{"value_size", m->value_size},
		{"max_entries", m->max_entries},
	};
	LLVMMetadataRef members[4];
	unsigned n = 0;

	for (unsigned i = 0; i < 4; i++)
		if (numbers[i].value)
			members[n] = map_number(cg, numbers[i].name, numbers[i].value, n), n++;

	LLVMMetadataRef type = LLVMDIBuilderCreateStructType(cg->di, cg->di_unit, "", 0,
							     cg->di_file, 0, (uint64_t)n * 64, 0, 0,
							     NULL, members, n, 0, NULL, "", 0);
	attach_var(cg, m->var, m->elf_name, type);
}

/* A global variable of @size bytes; with a type, libbpf lets user space map its section. */
void cg_debug_var(struct codegen *cg, LLVMValueRef var, const char *name, uint32_t size)
{
	LLVMMetadataRef range = LLVMDIBuilderGetOrCreateSubrange(cg->di, 0, size / 8);
	LLVMMetadataRef type =
		LLVMDIBuilderCreateArrayType(cg->di, (uint64_t)size * 8, 64, cg->di_u64, &range, 1);

	attach_var(cg, var, name, type);
}

void cg_debug_symbol(struct codegen *cg, LLVMValueRef var, const char *name)
{
	/* const void, which is how libbpf tells them from those that it checks the type of */
	attach_var(cg, var, name,
		   LLVMDIBuilderCreateQualifiedType(cg->di, DW_TAG_const_type, NULL));
}

/* Arguments are left out: the kernel refuses prototypes whose parameters have no names. */
LLVMMetadataRef cg_debug_subprogram(struct codegen *cg, LLVMValueRef fn, unsigned line, bool local)
{
	size_t len;
	const char *name = LLVMGetValueName2(fn, &len);
	LLVMMetadataRef type =
		LLVMDIBuilderCreateSubroutineType(cg->di, cg->di_file, &cg->di_int, 1, 0);
	LLVMMetadataRef sub =
		LLVMDIBuilderCreateFunction(cg->di, cg->di_file, name, len, name, len, cg->di_file,
					    line, type, local, 1, line, 0, 1);

	LLVMSetSubprogram(fn, sub);
	return sub;
}

LLVMMetadataRef cg_debug_global(struct codegen *cg, LLVMValueRef fn, const char *const *args,
				unsigned n)
{
	LLVMMetadataRef types[5] = {cg->di_int, cg->di_int, cg->di_int, cg->di_int, cg->di_int};
	LLVMMetadataRef type =
		LLVMDIBuilderCreateSubroutineType(cg->di, cg->di_file, types, n + 1, 0);
	size_t len;
	const char *name = LLVMGetValueName2(fn, &len);
	LLVMMetadataRef sub = LLVMDIBuilderCreateFunction(cg->di, cg->di_file, name, len, name, len,
							  cg->di_file, 0, type, false, 1, 0, 0, 1);

	for (unsigned i = 0; i < n; i++)
		LLVMDIBuilderCreateParameterVariable(cg->di, sub, args[i], strlen(args[i]), i + 1,
						     cg->di_file, 0, cg->di_int, 1, 0);
	LLVMSetSubprogram(fn, sub);
	return sub;
}

void cg_debug_function(struct codegen *cg, struct span at)
{
	unsigned line, col;

	diag_position(cg->r->diags, at, &line, &col);
	cg->di_scope = cg_debug_subprogram(cg, cg->fn, line, false);
	LLVMSetCurrentDebugLocation2(
		cg->b, LLVMDIBuilderCreateDebugLocation(cg->ctx, line, col, cg->di_scope, NULL));
}

void cg_debug_at(struct codegen *cg, struct span at)
{
	unsigned line, col;

	cg->at = at;
	diag_position(cg->r->diags, at, &line, &col);
	LLVMSetCurrentDebugLocation2(
		cg->b, LLVMDIBuilderCreateDebugLocation(cg->ctx, line, col, cg->di_scope, NULL));
}

void cg_debug_close(struct codegen *cg)
{
	LLVMDIBuilderFinalize(cg->di);
}
