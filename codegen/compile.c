/* SPDX-License-Identifier: Apache-2.0 */
/* The stages in a row. */
#include <errno.h>
#include <stdlib.h>

#include "ast.h"
#include "codegen/compile.h"
#include "target/depends.h"

static bool is_builtin(const char *name)
{
	return builtin_find(name) != NULL;
}

static void depend(const char *path, void *target)
{
	target_depend(target, path);
}

static const char *spell_type(const struct type *t, void *arg)
{
	return type_name(arg, t);
}

static void dump_tree(const struct compile_input *in, struct sema_result *r)
{
	struct ast_print_opts plain = {0};
	struct ast_print_opts typed = {.types = true, .type_name = spell_type, .arg = r->types};

	if (in->dump & COMPILE_DUMP_AST)
		ast_print_program(stdout, r->ast, &plain);
	if (in->dump & COMPILE_DUMP_TYPES)
		ast_print_program(stdout, r->ast, &typed);
}

static struct cg_options codegen_options(const struct compile_input *in)
{
	struct cg_options o = {.dump_to = stdout, .emit_elf = in->emit_elf};

	if (in->dump & COMPILE_DUMP_CODEGEN)
		o.dump |= CG_DUMP_CODEGEN;
	if (in->dump & COMPILE_DUMP_CODEGEN_OPT)
		o.dump |= CG_DUMP_CODEGEN_OPT;
	if (in->dump & COMPILE_DUMP_ASM)
		o.dump |= CG_DUMP_ASM;
	return o;
}

static void end_stage(const struct compile_input *in, const char *name)
{
	if (in->stage)
		in->stage(in->stage_arg, name);
}

int compile_script(const struct compile_input *in, struct target *t, bool analyse_only,
		   struct compile_output *out)
{
	*out = (struct compile_output){.arena = arena_new()};
	out->diags = arena_new_of(out->arena, struct diag_list);
	out->diags->arena = out->arena;

	uint32_t src = diag_add_source(out->diags, in->name, in->text, in->size);
	struct ast_program *p = parse_program(out->diags, src);
	if (!out->diags->errors)
		parse_imports(out->diags, p, in->name, depend, t);
	if (!out->diags->errors)
		parse_expand_macros(out->diags, p, is_builtin);
	if (out->diags->errors)
		return -EINVAL;
	end_stage(in, "parse");
	out->sema = sema_run(p, out->diags, t, &in->sema);
	if (!out->sema || out->diags->errors)
		return -EINVAL;
	dump_tree(in, out->sema);
	if (analyse_only)
		return 0;

	struct cg_options o = codegen_options(in);
	end_stage(in, "sema");
	out->image = codegen_run(out->sema, &o, &out->image_size);
	end_stage(in, "LLVM");
	return out->image ? 0 : -EINVAL;
}

void compile_output_free(struct compile_output *out)
{
	free(out->image);
	arena_free(out->arena);
	*out = (struct compile_output){0};
}
