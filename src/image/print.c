/* SPDX-License-Identifier: Apache-2.0 */
/* An image in words, for -d image. */
#include <ctype.h>
#include <inttypes.h>

#include "image/kinds.h"

static void print_quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (isprint((unsigned char)*s))
			fputc(*s, out);
		else
			fprintf(out, "\\x%02x", (unsigned char)*s);
	}
	fputc('"', out);
}

static void print_row(FILE *out, const char *what, uint32_t row)
{
	if (row != IMAGE_NONE)
		fprintf(out, " %s %u", what, row);
}

static void print_config(FILE *out, const struct image *img)
{
	const struct image_config *c = img->config;

	fprintf(out, "image %zu bytes, object %zu bytes\n", img->size, img->object_size);
	fprintf(out, "version %u, compiled by %s on %s (%s)", IMAGE_VERSION,
		image_str(img, c->compiler),
		*image_str(img, c->kernel) ? image_str(img, c->kernel) : "another kernel",
		image_str(img, c->machine));
	fputs(c->portable ? ", portable\n" : ", for this kernel alone\n", out);
	fputs("config:\n  script ", out);
	print_quoted(out, image_str(img, c->script_name));
	fprintf(out,
		"\n  sync_probes %u, global_data %u, ring_buffer %u, perf_rb_pages %u\n"
		"  missing_probes %u, print_maps_on_exit %u, max_cat_bytes %u, log_size %u\n"
		"  stack_mode %u, cpp_demangle %u, cache_user_symbols %u, lazy_symbolication %u\n"
		"  uses_cpid %u, boot_clock %u, str_trunc_trailer ",
		c->sync_probes, c->global_data, c->ring_buffer, c->perf_rb_pages, c->missing_probes,
		c->print_maps_on_exit, c->max_cat_bytes, c->log_size, c->stack_mode,
		c->cpp_demangle, c->cache_user_symbols, c->lazy_symbolication, c->uses_cpid,
		c->boot_clock);
	print_quoted(out, image_str(img, c->str_trunc_trailer));
	fputc('\n', out);
}

static void print_field(FILE *out, const struct image *img, const struct image_field *f)
{
	fprintf(out, "    +%u", f->offset);
	if (f->bit_size)
		fprintf(out, " bits %u..%u", f->bit_off, f->bit_off + f->bit_size - 1);
	fprintf(out, ": type %u", f->type);
	if (f->name)
		fprintf(out, " %s", image_str(img, f->name));
	fputc('\n', out);
}

static void print_type(FILE *out, const struct image *img, uint32_t row)
{
	const struct image_type *t = &img->types[row];
	unsigned flags = image_kinds[t->kind].flags;

	fprintf(out, "  %u: %s%s, %u bytes", row, image_kind_name(t->kind),
		t->flags & IMAGE_TF_SIGNED ? ", signed" : "", t->size);
	if (t->name) {
		fputc(' ', out);
		print_quoted(out, image_str(img, t->name));
	}
	if (flags & (KIND_ELEM_TYPE | KIND_OPT_TYPE))
		print_row(out, "of type", t->elem);
	if (flags & KIND_ELEM_MAP)
		print_row(out, "in map", t->elem);
	if (flags & KIND_ELEM_TYPE)
		fprintf(out, " x %u", t->count);
	if (t->arg[0] || t->arg[1] || t->arg[2])
		fprintf(out, " args %" PRId64 " %" PRId64 " %" PRId64, t->arg[0], t->arg[1],
			t->arg[2]);
	fputc('\n', out);
	for (uint32_t i = 0; (flags & KIND_FIELDS) && i < t->count; i++)
		print_field(out, img, &img->fields[t->fields + i]);
	for (uint32_t i = 0; (flags & KIND_ENUMS) && i < t->count; i++)
		fprintf(out, "    %s = %" PRIu64 "\n",
			image_str(img, img->enums[t->fields + i].name),
			img->enums[t->fields + i].value);
}

static void print_map(FILE *out, const struct image *img, uint32_t row)
{
	const struct image_map *m = &img->maps[row];

	fprintf(out, "  %u: ", row);
	if (!(m->flags & IMAGE_MAP_INTERNAL))
		fprintf(out, "@%s ", image_str(img, m->name));
	fprintf(out, "(%s)", image_str(img, m->elf_name));
	print_row(out, "key type", m->key);
	print_row(out, "value type", m->value);
	fprintf(out, "%s%s%s%s, %u entries", m->flags & IMAGE_MAP_SCALAR ? ", scalar" : "",
		m->flags & IMAGE_MAP_PERCPU ? ", per CPU" : "",
		m->flags & IMAGE_MAP_INTERNAL ? ", internal" : "",
		m->flags & IMAGE_MAP_STACKS ? ", stacks" : "", m->max_entries);
	if (m->value_off)
		fprintf(out, ", value at %u", m->value_off);
	fputc('\n', out);
}

static void print_action(FILE *out, const struct image *img, uint32_t row)
{
	const struct image_action *a = &img->actions[row];

	fprintf(out, "  %u: %s", row, image_action_name(a->kind));
	if (a->fmt) {
		fputc(' ', out);
		print_quoted(out, image_str(img, a->fmt));
	}
	print_row(out, "type", a->type);
	print_row(out, "map", a->map);
	if (a->arg[0] || a->arg[1])
		fprintf(out, " args %" PRIu64 " %" PRIu64, a->arg[0], a->arg[1]);
	if (a->kind == IMAGE_A_ROWS || a->kind == IMAGE_A_CYCLES)
		print_row(out, "table", a->table);
	if (a->where)
		fprintf(out, " at %s", image_str(img, a->where));
	fputc('\n', out);
}

static void print_op(FILE *out, const struct image_op *op)
{
	fprintf(out, " %s", image_op_name(op->code));
	print_row(out, "of map", op->map);
	print_row(out, "type", op->type);
	if (op->offset)
		fprintf(out, " +%u", op->offset);
	if (op->part)
		fprintf(out, " part %u", op->part);
	if (op->value || op->code == IMAGE_OP_CONST)
		fprintf(out, " %" PRId64, op->value);
	fputc(';', out);
}

static void print_one_table(FILE *out, const struct image *img, uint32_t row)
{
	const struct image_table *t = &img->tables[row];

	fprintf(out, "  %u: columns as type %u", row, t->tuple);
	if (t->heading) {
		fputs(", heading ", out);
		print_quoted(out, image_str(img, t->heading));
	}
	fputc('\n', out);
	for (uint32_t i = t->column; i < t->column + t->ncolumns; i++) {
		const struct image_column *c = &img->columns[i];

		fprintf(out, "    type %u:", c->type);
		for (uint32_t j = c->op; j < c->op + c->nops; j++)
			print_op(out, &img->ops[j]);
		fputc('\n', out);
	}
}

static void print_attachment(FILE *out, const struct image *img, uint32_t row)
{
	const struct image_attachment *a = &img->attachments[row];

	fprintf(out, "  %u: %s", row, image_attach_name(a->kind));
	if (a->target)
		fprintf(out, " %s", image_str(img, a->target));
	fprintf(out, " -> %s, probe %u", image_str(img, a->prog), a->probe);
	if (a->nprobes > 1)
		fprintf(out, "..%u", a->probe + a->nprobes - 1);
	if (a->flags & IMAGE_ATTACHMENT_AGAIN)
		fputs(", again", out);
	if (a->arg[0] || a->arg[1])
		fprintf(out, ", args %" PRId64 " %" PRId64, a->arg[0], a->arg[1]);
	if (a->arg[2])
		fprintf(out, " %" PRId64, a->arg[2]);
	if (a->cookie)
		fprintf(out, ", cookie %" PRIu64, a->cookie);
	fputc('\n', out);
}

static void print_probe(FILE *out, const struct image *img, uint32_t row)
{
	fprintf(out, "  %u: %s\n", row, image_str(img, img->probes[row].name));
}

static void print_need(FILE *out, const struct image *img, uint32_t row)
{
	static const char *const kinds[IMAGE_NNEEDS] = {"feature", "helper", "map type"};
	const struct image_need *n = &img->needs[row];

	fprintf(out, "  %u: %s %s, since Linux %u.%u\n", row, kinds[n->kind],
		image_str(img, n->name), n->since >> 16, n->since >> 8 & 0xff);
}

static void print_reloc(FILE *out, const struct image *img, uint32_t row)
{
	const struct image_reloc *r = &img->relocs[row];
	char words[512];
	uint32_t n = 0;

	for (uint32_t i = 0; i < img->nsites; i++)
		n += img->sites[i].reloc == row;
	image_reloc_words(img, row, words, sizeof(words));
	fprintf(out, "  %u: %s, was %" PRIu64 ", in %u places", row, words, r->value, n);
	if (r->where)
		fprintf(out, ", first at %s", image_str(img, r->where));
	fputc('\n', out);
}

static void print_site(FILE *out, const struct image *img, uint32_t row)
{
	const struct image_site *s = &img->sites[row];

	fprintf(out, "  %u: object +%u, relocation %u%s\n", row, s->offset, s->reloc,
		s->how == IMAGE_SITE_OFFSET ? ", offset of a load" : "");
}

static void print_condition(FILE *out, const struct image *img, const struct image_point *p)
{
	static const char *const names[IMAGE_NCONDITIONS] = {"", "true", "not", "and", "or"};

	for (uint32_t i = 0; i < p->nconditions; i++) {
		const struct image_condition *c = &img->conditions[p->condition + i];

		fputs(i ? " " : " if (", out);
		if (c->op == IMAGE_C_VALUE)
			fprintf(out, "relocation %u", c->reloc);
		else
			fputs(names[c->op], out);
	}
	if (p->nconditions)
		fputc(')', out);
}

static void print_point(FILE *out, const struct image *img, uint32_t row)
{
	const struct image_point *p = &img->points[row];

	fprintf(out, "  %u: %s", row, image_str(img, p->type));
	for (uint32_t i = 0; i < p->nparts; i++)
		fprintf(out, ":%s", image_str(img, p->parts[i]));
	fprintf(out, " -> %s%s%s", image_str(img, p->prog),
		p->flags & IMAGE_POINT_AGAIN ? ", matched again" : "",
		p->flags & IMAGE_POINT_COOKIES ? ", told by cookies" : "");
	print_condition(out, img, p);
	fputc('\n', out);
}

static void print_argument(FILE *out, const struct image *img, uint32_t row)
{
	const struct image_argument *a = &img->arguments[row];

	if (a->position)
		fprintf(out, "  %u: $%u, %s", row, a->position, image_kind_name(a->kind));
	else
		fprintf(out, "  %u: --%s%s%c, %s", row, image_str(img, a->name),
			a->letter ? " or -" : "", a->letter ? (int)a->letter : ' ',
			image_kind_name(a->kind));
	if (a->kind == IMAGE_K_STRING) {
		fputc(' ', out);
		print_quoted(out, image_str(img, a->text));
	} else {
		fprintf(out, " %" PRId64, (int64_t)a->value);
	}
	if (a->describe)
		fprintf(out, ": %s", image_str(img, a->describe));
	if (a->fixed)
		fprintf(out, "; it %s", image_str(img, a->fixed));
	fputc('\n', out);
}

void image_print_arguments(FILE *out, const struct image *img)
{
	bool any = false;

	for (uint32_t i = 0; i < img->narguments; i++) {
		const struct image_argument *a = &img->arguments[i];

		if (a->position)
			continue;
		if (!any)
			fputs("HINT: expected program options:\n", out);
		any = true;
		fprintf(out, "--%s", image_str(img, a->name));
		if (a->letter)
			fprintf(out, ", -%c", (int)a->letter);
		fprintf(out, "%s%s\n", a->describe ? ": " : "", image_str(img, a->describe));
	}
	if (!any)
		fputs("HINT: no custom program options defined.\n", out);
}

static void print_table(FILE *out, const struct image *img, const char *title, uint32_t n,
			void (*print)(FILE *out, const struct image *img, uint32_t row))
{
	fprintf(out, "%s:\n", title);
	for (uint32_t i = 0; i < n; i++)
		print(out, img, i);
}

/* The image within, for older kernels. */
static void print_older(FILE *out, const struct image *img)
{
	struct image older;
	char err[256];

	if (!img->older)
		return;
	fputs("\nfor older kernels:\n", out);
	if (image_open(&older, img->older, img->older_size, err, sizeof(err)))
		fprintf(out, "not an image: %s\n", err);
	else
		image_print(out, &older);
}

void image_print(FILE *out, const struct image *img)
{
	print_config(out, img);
	print_table(out, img, "types", img->ntypes, print_type);
	print_table(out, img, "maps", img->nmaps, print_map);
	print_table(out, img, "actions", img->nactions, print_action);
	if (img->ntables)
		print_table(out, img, "tables", img->ntables, print_one_table);
	print_table(out, img, "probes", img->nprobes, print_probe);
	print_table(out, img, "attachments", img->nattachments, print_attachment);
	print_table(out, img, "needs", img->nneeds, print_need);
	if (img->config->portable) {
		print_table(out, img, "arguments", img->narguments, print_argument);
		print_table(out, img, "relocations", img->nrelocs, print_reloc);
		print_table(out, img, "sites", img->nsites, print_site);
		print_table(out, img, "attach points", img->npoints, print_point);
	}
	print_older(out, img);
}
