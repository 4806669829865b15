/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of portable images, checked on opening as all others are. */
#include <ctype.h>
#include <linux/bpf.h>
#include <string.h>

#include "image/check.h"

#define LDDW (BPF_LD | BPF_DW | BPF_IMM)

static int check_need(struct checker *c, uint32_t row)
{
	const struct image_need *n = &c->img->needs[row];

	if (n->kind >= IMAGE_NNEEDS || !has_string(c, n->name))
		return image_refuse(c, "need %u: bad kind or name", row);
	return 0;
}

static int check_argument(struct checker *c, uint32_t row)
{
	const struct image_argument *a = &c->img->arguments[row];

	if (!has_string(c, a->name) || !has_string(c, a->describe) || !has_string(c, a->text) ||
	    !has_string(c, a->fixed))
		return image_refuse(c, "argument %u: bad string", row);
	if (a->kind != IMAGE_K_INT && a->kind != IMAGE_K_BOOL && a->kind != IMAGE_K_STRING)
		return image_refuse(c, "argument %u: bad kind", row);
	if (a->kind == IMAGE_K_STRING && strlen(image_str(c->img, a->text)) >= IMAGE_MAX_TEXT)
		return image_refuse(c, "argument %u: its text is too long", row);
	if (a->letter && (a->position || a->letter > 127 || !isalpha((int)a->letter)))
		return image_refuse(c, "argument %u: bad letter", row);
	if (!a->position == !*image_str(c->img, a->name))
		return image_refuse(c, "argument %u: neither a name nor a number", row);
	return 0;
}

/* The kinds of relocation that are about a row of ARGUMENTS, and whether that must be text. */
static int check_use(struct checker *c, uint32_t row, const struct image_reloc *r)
{
	bool text = r->kind == IMAGE_R_TEXT || r->kind == IMAGE_R_ARGUMENT_IS;

	if (!text && r->kind != IMAGE_R_ARGUMENT)
		return 0;
	if (r->size >= c->img->narguments)
		return image_refuse(c, "relocation %u: bad argument", row);
	if (text && c->img->arguments[r->size].kind != IMAGE_K_STRING)
		return image_refuse(c, "relocation %u: the argument is no text", row);
	if (r->kind == IMAGE_R_TEXT && r->value >= IMAGE_MAX_TEXT / 8)
		return image_refuse(c, "relocation %u: beyond the text", row);
	return 0;
}

static int check_reloc(struct checker *c, uint32_t row)
{
	const struct image_reloc *r = &c->img->relocs[row];

	if (r->kind >= IMAGE_NRELOCS)
		return image_refuse(c, "relocation %u: unknown kind %u", row, r->kind);
	if (!has_string(c, r->a) || !has_string(c, r->b) || !has_string(c, r->where))
		return image_refuse(c, "relocation %u: bad string", row);
	return check_use(c, row, r);
}

static bool is_lddw(const struct bpf_insn *i)
{
	return i[0].code == LDDW && !i[0].src_reg && !i[0].off && !i[1].code && !i[1].dst_reg &&
	       !i[1].src_reg && !i[1].off;
}

/* Sites are sorted and do not overlap. */
static int check_site(struct checker *c, uint32_t row)
{
	const struct image *img = c->img;
	const struct image_site *s = &img->sites[row], *before = row ? s - 1 : NULL;
	struct bpf_insn insns[3];
	size_t n = (s->how == IMAGE_SITE_OFFSET ? 3 : 2) * sizeof(*insns);

	if (s->how >= IMAGE_NSITES || s->reloc >= img->nrelocs)
		return image_refuse(c, "site %u: bad relocation", row);
	if (s->offset % 8 || s->offset > img->object_size || n > img->object_size - s->offset)
		return image_refuse(c, "site %u: outside the object", row);
	if (before && s->offset < before->offset + (before->how == IMAGE_SITE_OFFSET ? 3u : 2u) * 8)
		return image_refuse(c, "site %u: not behind the one before", row);
	memcpy(insns, (const char *)img->object + s->offset, n);
	if (!is_lddw(insns))
		return image_refuse(c, "site %u: no constant is loaded there", row);
	if (s->how == IMAGE_SITE_OFFSET &&
	    (BPF_CLASS(insns[2].code) != BPF_LDX || BPF_MODE(insns[2].code) != BPF_MEM))
		return image_refuse(c, "site %u: no memory is loaded there", row);
	return 0;
}

static int check_condition(struct checker *c, uint32_t row)
{
	const struct image_condition *o = &c->img->conditions[row];

	if (o->op >= IMAGE_NCONDITIONS)
		return image_refuse(c, "condition %u: unknown operator", row);
	if (o->op == IMAGE_C_VALUE && o->reloc >= c->img->nrelocs)
		return image_refuse(c, "condition %u: bad relocation", row);
	return 0;
}

/* Whether rows from @first on leave one value, and never more than there is room for. */
static bool is_formula(const struct image *img, uint32_t first, uint32_t n)
{
	static const int takes[IMAGE_NCONDITIONS] = {
		[IMAGE_C_NOT] = 1, [IMAGE_C_AND] = 2, [IMAGE_C_OR] = 2};
	int depth = 0;

	for (uint32_t i = 0; i < n; i++) {
		int taken = takes[img->conditions[first + i].op];

		if (depth < taken)
			return false;
		depth += 1 - taken;
		if (depth > IMAGE_MAX_CONDITION)
			return false;
	}
	return !n || depth == 1;
}

static int check_point(struct checker *c, uint32_t row)
{
	const struct image *img = c->img;
	const struct image_point *p = &img->points[row];

	if (!has_string(c, p->prog) || !has_string(c, p->type) || !has_string(c, p->operands) ||
	    !has_string(c, p->where) || p->nparts > IMAGE_POINT_PARTS)
		return image_refuse(c, "point %u: bad name or parts", row);
	for (uint32_t i = 0; i < p->nparts; i++)
		if (!has_string(c, p->parts[i]))
			return image_refuse(c, "point %u: bad part", row);
	if (p->condition > img->nconditions || p->nconditions > img->nconditions - p->condition ||
	    !is_formula(img, p->condition, p->nconditions))
		return image_refuse(c, "point %u: bad condition", row);
	return 0;
}

int image_check_portable(struct checker *c)
{
	const struct image *img = c->img;
	int ret = image_check_rows(c, img->nneeds, check_need);

	if (!ret)
		ret = image_check_rows(c, img->narguments, check_argument);
	if (!ret)
		ret = image_check_rows(c, img->nrelocs, check_reloc);
	if (!ret)
		ret = image_check_rows(c, img->nsites, check_site);
	if (!ret)
		ret = image_check_rows(c, img->nconditions, check_condition);
	if (!ret)
		ret = image_check_rows(c, img->npoints, check_point);
	return ret;
}
