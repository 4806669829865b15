/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attach points to attachments, on the kernel at hand. Programs that can do nothing here lose
 * theirs; those of wildcards, and of places in files, get them anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bind/internal.h"
#include "probes/probes.h"

/* ---- conditions ------------------------------------------------------------------ */

static bool holds(const struct binding *bi, const struct image_point *p)
{
	const struct image_condition *c = &bi->img->conditions[p->condition];
	bool stack[IMAGE_MAX_CONDITION + 1];
	unsigned n = 0;

	/* image_open() has seen to it that operands are there, and fit */
	for (uint32_t i = 0; i < p->nconditions; i++, c++) {
		switch (c->op) {
		case IMAGE_C_VALUE:
			stack[n++] = bi->values[c->reloc].found && bi->values[c->reloc].value;
			break;
		case IMAGE_C_NOT:
			stack[n - 1] = !stack[n - 1];
			break;
		case IMAGE_C_AND:
			n--;
			stack[n - 1] = stack[n - 1] && stack[n];
			break;
		case IMAGE_C_OR:
			n--;
			stack[n - 1] = stack[n - 1] || stack[n];
			break;
		default:
			stack[n++] = true;
		}
	}
	return !n || stack[0];
}

/* ---- matching again ---------------------------------------------------------------- */

struct rematch {
	struct binding *bi;
	struct image_builder *b;
	const struct image_point *point;
	struct image_attachment row; /* as all of the program's are */
	const char *last;            /* name of the probe added before, in the builder's words */
	char last_name[512];
	uint32_t n;
	bool other_operands;
};

/* Of the points that a tracepoint's wildcards stand for, programs of different ways take theirs. */
static bool belongs(const struct rematch *m, const struct probe_point *p)
{
	const char *type = image_str(m->bi->img, m->point->type);
	bool raw;

	if (strcmp(type, "tracepoint"))
		return p->attach == m->row.kind;
	if (!p->parts[0] || !p->parts[1] || !strcmp(p->parts[0], "syscalls"))
		return false;
	raw = target_has_raw_tracepoint(m->bi->target, p->parts[1]);
	return raw == (m->row.kind == IMAGE_AT_RAW_TP);
}

/* The row of PROBES called @name: the one that the image has, or a new one. */
static uint32_t probe_row(struct rematch *m, const char *name)
{
	const struct image *img = m->bi->img;
	struct image_probe row = {.type = m->point->type};

	for (uint32_t i = 0; i < img->nprobes; i++)
		if (!strcmp(image_str(img, img->probes[i].name), name))
			return i;
	row.name = image_add_string(m->b, name);
	return image_add_probe(m->b, &row);
}

static int add_point(const struct probe_point *p, void *arg)
{
	struct rematch *m = arg;
	const char *operands = image_str(m->bi->img, m->point->operands);
	struct image_attachment row = m->row;

	if (!belongs(m, p))
		return 0;
	if (*operands && (!p->operands || strcmp(operands, p->operands))) {
		m->other_operands = true;
		return 0;
	}
	row.target = image_add_string(m->b, row.kind == IMAGE_AT_RAW_TP ? p->parts[1] : p->target);
	memcpy(row.arg, p->arg, sizeof(row.arg));
	row.flags = row.kind == IMAGE_AT_USDT && !strcmp(m->last_name, p->name)
			    ? IMAGE_ATTACHMENT_AGAIN
			    : 0;
	if (!row.flags)
		m->row.probe = probe_row(m, p->name);
	row.probe = m->row.probe;
	row.cookie = m->point->flags & IMAGE_POINT_COOKIES ? row.probe : 0;
	image_add_attachment(m->b, &row);
	snprintf(m->last_name, sizeof(m->last_name), "%s", p->name);
	m->n++;
	return 0;
}

static int fail(struct binding *bi, const struct image_point *p, int code, const char *why)
{
	snprintf(bi->err, BIND_ERROR_MAX, "%s: %s", image_str(bi->img, p->where), why);
	return code;
}

static int match_again(struct rematch *m)
{
	const struct image *img = m->bi->img;
	const struct image_point *p = m->point;
	const struct probe_type *type = probe_type_find(image_str(img, p->type));
	const char *parts[IMAGE_POINT_PARTS];
	char err[256] = "";
	int code;

	if (!type)
		return fail(m->bi, p, -EINVAL, "a type of probe that is not known here");
	for (uint32_t i = 0; i < p->nparts; i++)
		parts[i] = image_str(img, p->parts[i]);
	code = probe_expand(type, m->bi->target, parts, p->nparts, add_point, m, err, sizeof(err));
	if (m->other_operands)
		return fail(m->bi, p, -EINVAL,
			    "the arguments of this probe lie elsewhere than in the file that the "
			    "script was compiled with");
	if (!code || img->config->missing_probes != IMAGE_MISSING_ERROR)
		return 0;
	return fail(m->bi, p, code, *err ? err : strerror(-code));
}

/* ---- all -------------------------------------------------------------------------------- */

/* The points of program @prog: rows that lie together; their number in *@n. */
static const struct image_point *points_of(const struct image *img, uint32_t prog, uint32_t *n)
{
	const char *name = image_str(img, prog);
	const struct image_point *first = NULL;

	*n = 0;
	for (uint32_t i = 0; i < img->npoints; i++) {
		const struct image_point *p = &img->points[i];

		if (strcmp(image_str(img, p->prog), name)) {
			if (first)
				break;
			continue;
		}
		first = first ? first : p;
		++*n;
	}
	return first;
}

static void keep(const struct image *img, struct image_builder *b, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		image_add_attachment(b, &img->attachments[first + i]);
}

static int bind_program(struct binding *bi, struct image_builder *b, uint32_t first, uint32_t n)
{
	const struct image *img = bi->img;
	struct rematch m = {.bi = bi, .b = b, .row = img->attachments[first]};
	uint32_t npoints;
	const struct image_point *p = points_of(img, m.row.prog, &npoints);
	int err = 0;

	if (!p || !(p->flags & IMAGE_POINT_AGAIN)) {
		if (!p || holds(bi, p))
			keep(img, b, first, n);
		return 0;
	}
	if (!holds(bi, p))
		return 0;
	m.row.nprobes = 1;
	for (uint32_t i = 0; i < npoints && !err; i++) {
		m.point = p + i;
		err = match_again(&m);
	}
	return err;
}

int bind_points(struct binding *bi, struct image_builder *b)
{
	const struct image *img = bi->img;
	int err = 0;

	image_builder_clear(b, IMAGE_SEC_ATTACHMENTS);
	for (uint32_t i = 0, n; i < img->nattachments && !err; i += n) {
		for (n = 1; i + n < img->nattachments &&
			    img->attachments[i + n].prog == img->attachments[i].prog;)
			n++;
		err = bind_program(bi, b, i, n);
	}
	return err;
}
