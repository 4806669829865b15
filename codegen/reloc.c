/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Portable images: constants that are put in when the image is loaded. Each is an instruction
 * of inline assembly that loads a number of 64 bits, marked so that it is found in the object;
 * see struct image_reloc.
 */
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <libelf.h>

#include "bind/bind.h"
#include "codegen/cg.h"
#include "target/btf_view.h"

/* High half of the number; low half: row of RELOCS, and how it is used. */
#define MARK       0x5ec7b1d0u
#define MARK_SHIFT 28 /* enum image_site_how */

bool cg_portable(const struct codegen *cg)
{
	return cg->r->opts->portable;
}

bool cg_is_mark(uint64_t v)
{
	return v >> 32 == MARK;
}

/* ---- rows ----------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static uint32_t add_row(struct codegen *cg, const struct sema_reloc *r)
{
	for (size_t i = 0; i < cg->relocs.len; i++) {
		const struct sema_reloc *o = &cg->relocs.items[i];

		if (o->kind == r->kind && o->flags == r->flags && o->size == r->size &&
		    o->value == r->value && same_text(o->a, r->a) && same_text(o->b, r->b))
			return (uint32_t)i;
	}
	vec_push(cg->arena, &cg->relocs, *r);
	return (uint32_t)cg->relocs.len - 1;
}

/*
 * The row, or, where the target does not come to what the types say (or to nothing), one that
 * holds on this very kernel only.
 */
static uint32_t add_checked(struct codegen *cg, struct sema_reloc r, bool foreign)
{
	struct bind_value v;
	bool known = !bind_find(cg->r->target, r.kind, r.a, r.b, &v) && v.value == r.value;

	r.span = cg->at;
	if (foreign || known)
		return add_row(cg, &r);
	return cg_kernel_row(cg);
}

uint32_t cg_kernel_row(struct codegen *cg)
{
	struct sema_reloc r = {.kind = IMAGE_R_KERNEL, .flags = IMAGE_RELOC_EXACT, .value = 1};
	struct utsname u;

	r.span = cg->at;
	if (!uname(&u)) {
		r.a = arena_strdup(cg->arena, u.release);
		r.b = arena_strdup(cg->arena, u.version);
	}
	return add_row(cg, &r);
}

/* ---- instructions ------------------------------------------------------------------ */

static uint64_t marked(uint32_t row, enum image_site_how how)
{
	return (uint64_t)MARK << 32 | (uint64_t)how << MARK_SHIFT | row;
}

/* With side effects, though it has none: where it stands decides whether it may be refused. */
static LLVMValueRef assembly(struct codegen *cg, const char *text, const char *constraints,
			     LLVMValueRef arg)
{
	LLVMTypeRef fn = LLVMFunctionType(cg->i64, &cg->ptr, arg != NULL, 0);
	LLVMValueRef code = LLVMGetInlineAsm(fn, text, strlen(text), constraints,
					     strlen(constraints), 1, 0, LLVMInlineAsmDialectATT, 0);

	return LLVMBuildCall2(cg->b, fn, code, &arg, arg != NULL, "");
}

LLVMValueRef cg_reloc(struct codegen *cg, uint32_t row)
{
	const char *text = arena_printf(cg->arena, "$0 = 0x%llx ll",
					(unsigned long long)marked(row, IMAGE_SITE_VALUE));

	return assembly(cg, text, "=r", NULL);
}

LLVMValueRef cg_reloc_load(struct codegen *cg, uint32_t row, LLVMTypeRef t, LLVMValueRef base)
{
	unsigned bits = LLVMGetIntTypeWidth(t);
	const char *text = arena_printf(cg->arena, "$0 = 0x%llx ll\n\t$0 = *(u%u *)($1 + 0)",
					(unsigned long long)marked(row, IMAGE_SITE_OFFSET), bits);

	return cg_int_cast(cg, assembly(cg, text, "=&r,r", base), false, t);
}

bool cg_holds_here_only(struct codegen *cg, uint32_t row)
{
	if (cg->relocs.items[row].kind != IMAGE_R_KERNEL)
		return false;
	cg_reloc(cg, row);
	return true;
}

/* ---- members of the kernel's structs --------------------------------------------------- */

/* The typedef that gives a struct without a name one, or NULL. */
static const char *typedef_name(struct codegen *cg, uint32_t id)
{
	struct btf_view *v = target_btf_view(cg->r->target);

	for (uint32_t i = 1; v && i < btf_view_count(v); i++) {
		const struct btf_type *t = btf_view_type(v, i);

		if (btf_is_typedef(t) && t->type == id)
			return btf_view_str(v, t->name_off);
	}
	return NULL;
}

/* "struct foo"; NULL: not the kernel's, or without a name that other kernels know it by. */
static const char *kernel_type(struct codegen *cg, const struct type *t)
{
	if (!t->btf_id)
		return NULL;
	if (!t->name || !*t->name)
		return typedef_name(cg, t->btf_id);
	return arena_printf(cg->arena, "%s %s", t->kind == IMAGE_K_UNION ? "union" : "struct",
			    t->name);
}

static const struct type *struct_of(const struct ast_expr *e)
{
	const struct type *t = e->type;

	while (t && t->kind == IMAGE_K_POINTER)
		t = t->elem;
	return t;
}

/* What is asked of a field's size. */
static void want_size(struct sema_reloc *r, const struct type_field *f)
{
	const struct type *t = f->type;

	if (t->kind == IMAGE_K_STRUCT || t->kind == IMAGE_K_UNION ||
	    (t->kind == IMAGE_K_ARRAY && !t->count))
		return;
	r->size = f->bit_size ? f->bit_size : t->size;
	if (t->kind == IMAGE_K_STRING)
		r->flags |= IMAGE_RELOC_AT_LEAST;
}

bool cg_field_of(struct codegen *cg, struct ast_expr *e, struct cg_field *out)
{
	const struct type_field *f = e->u.field.resolved;
	struct ast_expr *x = e;
	struct sema_reloc r = {.kind = IMAGE_R_FIELD, .b = e->u.field.name};
	const struct type *t = struct_of(x->u.field.e);
	uint64_t offset = f->offset;

	if (!cg_portable(cg) || !t || !t->btf_id || t->is_ctx)
		return false;
	/* a struct without a name is known by the member that it is, of one that has a name */
	while (!(r.a = kernel_type(cg, t))) {
		x = x->u.field.e;
		if (x->kind != AST_FIELD || x->type->kind == IMAGE_K_POINTER ||
		    x->u.field.e->type->is_ctx)
			break;
		r.b = arena_printf(cg->arena, "%s.%s", x->u.field.name, r.b);
		offset += x->u.field.resolved->offset;
		t = struct_of(x->u.field.e);
	}
	out->f = f;
	out->offset = (uint32_t)offset;
	if (!r.a) {
		out->base = e->u.field.e;
		out->offset = f->offset;
		out->row = cg_kernel_row(cg);
		out->fixed = true;
		return true;
	}
	out->base = x->u.field.e;
	want_size(&r, f);
	/* bit-fields are read from the byte on in which they begin */
	r.value = f->bit_size ? (offset * 8 + f->bit_off) / 8 : offset;
	out->row = add_checked(cg, r, f->foreign);
	out->fixed = cg->relocs.items[out->row].kind == IMAGE_R_KERNEL;
	if (!f->bit_size || out->fixed)
		return true;
	r.kind = IMAGE_R_BITS;
	r.value = f->bit_off % 8;
	out->bits = add_checked(cg, r, f->foreign);
	return true;
}

LLVMValueRef cg_field_offset(struct codegen *cg, const struct cg_field *m)
{
	LLVMValueRef v = cg_reloc(cg, m->row);

	/* the row only holds on this kernel, where the offset is this */
	return m->fixed ? cg_const(cg, cg->i64, m->offset) : v;
}

/* ---- what has to be as it was ------------------------------------------------------------ */

static void expect(struct codegen *cg, enum image_reloc_kind kind, const struct type *t)
{
	struct sema_reloc r = {.kind = kind, .flags = IMAGE_RELOC_EXACT};
	struct bind_value v;

	r.a = kernel_type(cg, t);
	if (!r.a || bind_find(cg->r->target, kind, r.a, "", &v)) {
		cg_reloc(cg, cg_kernel_row(cg));
		return;
	}
	r.value = v.value;
	r.span = cg->at;
	cg_reloc(cg, add_row(cg, &r));
}

/* The kernel's struct that @t is, or is an array of; NULL: none. */
static const struct type *kernel_struct(const struct type *t)
{
	while (t && t->kind == IMAGE_K_ARRAY)
		t = t->elem;
	return t && t->btf_id && (t->kind == IMAGE_K_STRUCT || t->kind == IMAGE_K_UNION) ? t : NULL;
}

void cg_expect_size(struct codegen *cg, const struct type *t)
{
	t = kernel_struct(t);
	if (t && cg_portable(cg))
		expect(cg, IMAGE_R_TYPE_SIZE, t);
}

void cg_expect_layout(struct codegen *cg, const struct type *t)
{
	t = kernel_struct(t);
	if (t && cg_portable(cg))
		expect(cg, IMAGE_R_LAYOUT, t);
}

void cg_expect_all(struct codegen *cg, const struct sema_program *p)
{
	for (size_t i = 0; i < p->expects.len; i++)
		cg_reloc(cg, p->expects.items[i]);
}

/* ---- arguments of probes -------------------------------------------------------------------- */

struct args_kind {
	const char *type; /* of probe */
	enum image_reloc_kind kind;
};

static const struct args_kind args_kinds[] = {
	{"tracepoint", IMAGE_R_TRACEPOINT},
	{"rawtracepoint", IMAGE_R_RAW_ARG},
	{"fentry", IMAGE_R_FUNC_ARG},
	{"fexit", IMAGE_R_FUNC_ARG},
	{"iter", IMAGE_R_FIELD},
};

bool cg_arg_of_probe(struct codegen *cg, const struct type_field *f, uint32_t *row)
{
	const struct sema_program *p = cg->prog;
	struct sema_reloc r = {.b = f->name, .value = f->offset};

	if (!cg_portable(cg) || !p->event)
		return false;
	for (size_t i = 0; i < sizeof(args_kinds) / sizeof(*args_kinds); i++) {
		if (strcmp(p->type->name, args_kinds[i].type))
			continue;
		r.kind = args_kinds[i].kind;
		r.a = r.kind == IMAGE_R_TRACEPOINT
			      ? arena_printf(cg->arena, "%s:%s", p->category, p->event)
		      : r.kind == IMAGE_R_FIELD
			      ? arena_printf(cg->arena, "struct bpf_iter__%s", p->category)
			      : p->event;
		if (r.kind == IMAGE_R_FUNC_ARG && f == p->retval)
			r.b = "";
		if (f->loc == LOC_DATA_LOC || f->loc == LOC_REL_LOC)
			r.size = 4;
		else
			want_size(&r, f);
		*row = add_checked(cg, r, false);
		return true;
	}
	return false;
}

LLVMValueRef cg_wanted_pid(struct codegen *cg)
{
	struct sema_reloc r = {.kind = IMAGE_R_PID};

	return cg_reloc(cg, add_row(cg, &r));
}

LLVMValueRef cg_task_field(struct codegen *cg, const char *path, uint32_t size, uint64_t offset)
{
	struct sema_reloc r = {
		.kind = IMAGE_R_FIELD, .a = "struct task_struct", .b = path, .size = size};

	if (!cg_portable(cg))
		return cg_const(cg, cg->i64, offset);
	r.value = offset;
	r.span = cg->at;
	return cg_reloc(cg, add_row(cg, &r));
}

/* ---- arguments of the script ------------------------------------------------------------------
 */

void cg_text_argument(struct codegen *cg, struct ast_expr *e, LLVMValueRef dst)
{
	struct sema_reloc r = cg->relocs.items[e->load - 1];

	r.kind = IMAGE_R_TEXT;
	for (r.value = 0; r.value < IMAGE_MAX_TEXT / 8; r.value++)
		cg_store(cg, cg_reloc(cg, add_row(cg, &r)), cg_offset(cg, dst, r.value * 8));
}

/* ---- packing
 * -------------------------------------------------------------------------------------- */

struct sites {
	struct codegen *cg;
	struct image_builder *b;
	bool failed;
};

static void find_in_section(struct sites *s, const uint8_t *object, uint64_t offset, uint64_t size)
{
	for (uint64_t at = 0; at + 16 <= size; at += 8) {
		struct bpf_insn i[2];
		struct image_site row = {.offset = (uint32_t)(offset + at)};
		uint32_t low;

		memcpy(i, object + offset + at, sizeof(i));
		if (i[0].code != (BPF_LD | BPF_DW | BPF_IMM))
			continue;
		at += 8;
		if (i[0].src_reg || (uint32_t)i[1].imm != MARK)
			continue;
		low = (uint32_t)i[0].imm;
		row.how = low >> MARK_SHIFT;
		row.reloc = low & ((1u << MARK_SHIFT) - 1);
		s->failed |= row.reloc >= s->cg->relocs.len || row.how >= IMAGE_NSITES;
		image_add_site(s->b, &row);
	}
}

static void find_sites(struct sites *s, const void *object, size_t size)
{
	Elf *elf = elf_version(EV_CURRENT) ? elf_memory((char *)object, size) : NULL;
	Elf_Scn *scn = NULL;

	s->failed |= !elf;
	while (elf && (scn = elf_nextscn(elf, scn))) {
		const Elf64_Shdr *h = elf64_getshdr(scn);

		if (h && h->sh_type == SHT_PROGBITS && h->sh_flags & SHF_EXECINSTR)
			find_in_section(s, object, h->sh_offset, h->sh_size);
	}
	elf_end(elf);
}

static void pack_relocs(struct codegen *cg, struct image_builder *b)
{
	for (size_t i = 0; i < cg->relocs.len; i++) {
		const struct sema_reloc *r = &cg->relocs.items[i];
		struct image_reloc row = {
			.kind = r->kind,
			.flags = r->flags,
			.a = image_add_string(b, r->a),
			.b = image_add_string(b, r->b),
			.size = r->size,
			.value = r->value,
			.where = image_add_string(b, diag_place(cg->r->diags, r->span)),
		};

		image_add_reloc(b, &row);
	}
}

static void pack_arguments(struct codegen *cg, struct image_builder *b)
{
	for (size_t i = 0; i < cg->r->arguments.len; i++) {
		const struct sema_argument *a = &cg->r->arguments.items[i];
		struct image_argument row = {
			.kind = a->kind,
			.position = a->position,
			.letter = (unsigned char)a->letter,
			.name = image_add_string(b, a->name),
			.describe = image_add_string(b, a->describe),
			.text = image_add_string(b, a->text),
			.fixed = image_add_string(b, a->fixed),
			.value = a->value,
		};

		image_add_argument(b, &row);
	}
}

/* ---- conditions: of the predicate, what is known when the image is loaded ---- */

struct formula {
	struct codegen *cg;
	struct image_builder *b;
	uint32_t n;
};

static void put(struct formula *f, enum image_condition_op op, uint32_t row)
{
	struct image_condition c = {op, row};

	image_add_condition(f->b, &c);
	f->n++;
}

/* Whether all of e is known then. */
static bool is_known(const struct ast_expr *e)
{
	if (e->load)
		return type_is_int(e->type);
	if (e->is_const && !e->const_str)
		return true;
	if (e->kind == AST_UNARY)
		return e->u.unary.op == AST_LNOT && is_known(e->u.unary.e);
	if (e->kind == AST_BLOCK_EXPR)
		return !e->u.block->stmts.len && e->u.block->value && is_known(e->u.block->value);
	return e->kind == AST_BINARY && (e->u.binary.op == AST_LAND || e->u.binary.op == AST_LOR) &&
	       is_known(e->u.binary.l) && is_known(e->u.binary.r);
}

/* What holds wherever e may: true for what is not known. */
static void formula(struct formula *f, const struct ast_expr *e)
{
	if (e->kind == AST_BLOCK_EXPR && e->u.block->value && !e->u.block->stmts.len) {
		formula(f, e->u.block->value);
	} else if (e->load && is_known(e)) {
		put(f, IMAGE_C_VALUE, e->load - 1);
	} else if (e->kind == AST_UNARY && is_known(e)) {
		formula(f, e->u.unary.e);
		put(f, IMAGE_C_NOT, 0);
	} else if (e->kind == AST_BINARY && !e->is_const &&
		   (e->u.binary.op == AST_LAND || e->u.binary.op == AST_LOR)) {
		formula(f, e->u.binary.l);
		formula(f, e->u.binary.r);
		put(f, e->u.binary.op == AST_LAND ? IMAGE_C_AND : IMAGE_C_OR, 0);
	} else {
		put(f, IMAGE_C_TRUE, 0);
		if (e->is_const && !e->const_str && !e->const_int)
			put(f, IMAGE_C_NOT, 0);
	}
}

static void pack_points(struct codegen *cg, struct image_builder *b, const struct sema_program *p)
{
	struct formula f = {cg, b, 0};
	struct image_point row = {
		.prog = image_add_string(b, p->name),
		.flags = (p->match_again ? IMAGE_POINT_AGAIN : 0) |
			 (sema_uses_cookies(p) ? IMAGE_POINT_COOKIES : 0),
		.condition = cg->nconditions,
		.type = image_add_string(b, p->type->name),
		.operands = image_add_string(b, p->operands),
	};

	if (p->predicate)
		formula(&f, p->predicate);
	if (p->exists) {
		put(&f, IMAGE_C_VALUE, p->exists - 1);
		if (p->predicate)
			put(&f, IMAGE_C_AND, 0);
	}
	row.nconditions = f.n;
	cg->nconditions += f.n;
	for (size_t i = 0; i < p->points.len; i++) {
		const struct ast_attach_point *ap = p->points.items[i];

		row.where = image_add_string(b, diag_place(cg->r->diags, ap->span));
		row.nparts = 0;
		for (size_t j = 0; j < ap->parts.len && j < IMAGE_POINT_PARTS; j++)
			row.parts[row.nparts++] = image_add_string(b, ap->parts.items[j]);
		image_add_point(b, &row);
	}
}

bool cg_pack_portable(struct codegen *cg, struct image_builder *b, const void *object, size_t size)
{
	struct sites s = {.cg = cg, .b = b};

	pack_relocs(cg, b);
	pack_arguments(cg, b);
	for (size_t i = 0; i < cg->r->programs.len; i++)
		pack_points(cg, b, cg->r->programs.items[i]);
	find_sites(&s, object, size);
	if (s.failed)
		cg_fail(cg, (struct span){0}, "the object's constants cannot be found");
	return !s.failed;
}
