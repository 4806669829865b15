/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that running needs, packed into an image. */
#include <linux/bpf.h>
#include <sys/utsname.h>

#include "codegen/cg.h"

static uint32_t type_row(struct image_builder *b, struct type *t)
{
	return t && t->kind != IMAGE_K_VOID ? type_to_image(b, t) : IMAGE_NONE;
}

static void pack_maps(struct codegen *cg, struct image_builder *b)
{
	for (size_t i = 0; i < cg->r->maps.len; i++) {
		const struct sema_map *m = cg->r->maps.items[i];
		struct image_map row = {
			.name = image_add_string(b, m->name),
			.elf_name = image_add_string(b, m->elf_name),
			.key = type_row(b, m->key),
			.value = type_row(b, m->value),
			.flags = (m->key ? 0 : IMAGE_MAP_SCALAR) |
				 (m->percpu ? IMAGE_MAP_PERCPU : 0),
			.max_entries = m->key ? m->max_entries : 1,
			.value_off = cg_map_value_off(m),
		};

		image_add_map(b, &row);
	}
	for (size_t i = 0; i < cg->r->stacks.len; i++) {
		const struct sema_stack_map *s = cg->r->stacks.items[i];
		struct image_map row = {
			.elf_name = image_add_string(b, s->elf_name),
			.key = IMAGE_NONE,
			.value = IMAGE_NONE,
			.flags = IMAGE_MAP_INTERNAL | IMAGE_MAP_STACKS |
				 (s->build_ids ? IMAGE_MAP_BUILD_IDS : 0),
			.max_entries = s->depth,
		};

		image_add_map(b, &row);
	}
}

/*
 * The place, and on further lines what is to be quoted: the place itself, unless the script
 * wanted the message, and the macro calls that led to it.
 */
static const char *where(struct codegen *cg, const struct sema_action *a)
{
	const struct diag_list *d = cg->r->diags;
	const char *level = a->kind == IMAGE_A_ERRORF ? "ERROR" : "WARNING";
	const char *calls = diag_calls(d, a->span, level);
	const char *quote = a->kind == IMAGE_A_RUNTIME_ERROR ? diag_quote(d, a->span) : "";

	return arena_printf(cg->arena, "%s%s%s%s%s", diag_place(d, a->span), *quote ? "\n" : "",
			    quote, *calls ? "\n" : "", calls);
}

static uint32_t pack_ops(struct image_builder *b, const struct sema_column *c)
{
	uint32_t first = 0;

	for (size_t i = 0; i < c->ops.len; i++) {
		const struct sema_op *op = &c->ops.items[i];
		struct image_op row = {
			.code = op->code,
			.part = op->part,
			.map = op->map ? op->map->index : IMAGE_NONE,
			.type = type_row(b, op->type),
			.offset = op->offset,
			.value = op->text ? image_add_string(b, op->text) : op->value,
		};
		uint32_t at = image_add_op(b, &row);

		if (!i)
			first = at;
	}
	return first;
}

static uint32_t pack_table(struct image_builder *b, const struct sema_table *t)
{
	struct image_table row = {
		.tuple = type_row(b, t->tuple),
		.ncolumns = t->columns.len,
		.heading = image_add_string(b, t->heading ? t->heading : ""),
		.heading_tuple = type_row(b, t->heading_tuple),
	};

	for (size_t i = 0; i < t->columns.len; i++) {
		const struct sema_column *c = t->columns.items[i];
		struct image_column col = {
			.op = pack_ops(b, c),
			.nops = c->ops.len,
			.type = type_row(b, c->type),
		};
		uint32_t at = image_add_column(b, &col);

		if (!i)
			row.column = at;
	}
	return image_add_table(b, &row);
}

static void pack_action(struct codegen *cg, struct image_builder *b, const struct sema_action *a)
{
	struct image_action row = {
		.kind = a->kind,
		.fmt = image_add_string(b, a->fmt ? a->fmt : ""),
		.type = type_row(b, a->payload),
		.map = a->map ? a->map->index : IMAGE_NONE,
		.where = image_add_string(b, where(cg, a)),
		.table = a->table ? pack_table(b, a->table) : IMAGE_NONE,
		.arg = {a->arg[0], a->arg[1]},
	};

	image_add_action(b, &row);
}

static void pack_actions(struct codegen *cg, struct image_builder *b)
{
	for (size_t i = 0; i < cg->r->actions.len; i++)
		pack_action(cg, b, cg->r->actions.items[i]);
	for (size_t i = 0; i < cg->failures.len; i++)
		pack_action(cg, b, cg->failures.items[i]);
}

static void pack_probes(struct codegen *cg, struct image_builder *b)
{
	for (size_t i = 0; i < cg->r->probes.len; i++) {
		struct image_probe row = {
			.name = image_add_string(b, cg->r->probes.items[i].name),
			.type = image_add_string(b, cg->r->probes.items[i].type),
		};

		image_add_probe(b, &row);
	}
	for (size_t i = 0; i < cg->r->programs.len; i++) {
		const struct sema_program *p = cg->r->programs.items[i];

		for (size_t j = 0; j < p->attachments.len; j++) {
			const struct sema_attachment *at = &p->attachments.items[j];
			struct image_attachment row = {
				.kind = p->attach,
				.prog = image_add_string(b, p->name),
				.target = image_add_string(b, at->target ? at->target : ""),
				.probe = at->probe,
				.nprobes = at->nprobes,
				.flags = at->again ? IMAGE_ATTACHMENT_AGAIN : 0,
				.cookie = sema_uses_cookies(p) ? at->probe : 0,
				.arg = {at->arg[0], at->arg[1], at->arg[2]},
			};

			image_add_attachment(b, &row);
		}
	}
}

static void pack_needs(struct codegen *cg, struct image_builder *b)
{
	struct target_need needs[TARGET_MAX_NEEDS];
	size_t n = target_needs(cg->r->target, needs, TARGET_MAX_NEEDS);

	for (size_t i = 0; i < n; i++) {
		struct image_need row = {needs[i].kind, needs[i].id,
					 image_add_string(b, needs[i].name), needs[i].since};

		image_add_need(b, &row);
	}
}

/* What it was compiled on. */
static void name_kernel(struct codegen *cg, struct image_builder *b, struct image_config *c)
{
	struct utsname u;

	if (uname(&u))
		return;
	/* for another kernel on purpose: then nobody knows better than who asked for it */
	if (target_is_other(cg->r->target))
		return;
	c->machine = image_add_string(b, u.machine);
	c->kernel = image_add_string(b, arena_printf(cg->arena, "%s %s", u.release, u.version));
}

static void pack_config(struct codegen *cg, struct image_builder *b)
{
	const struct sema_config *c = &cg->r->config;
	struct image_config row = {
		.sync_probes = c->sync_probes,
		.global_data = cg->control != NULL,
		.ring_buffer = target_has(cg->r->target, TARGET_F_RING_BUFFER),
		.perf_rb_pages = c->perf_rb_pages,
		.missing_probes = c->missing_probes,
		.print_maps_on_exit = c->print_maps_on_exit,
		.max_cat_bytes = c->max_cat_bytes,
		.log_size = c->log_size,
		.stack_mode = c->stack_mode,
		.cpp_demangle = c->cpp_demangle,
		.cache_user_symbols = c->cache_user_symbols,
		.lazy_symbolication = c->lazy_symbolication,
		.str_trunc_trailer = image_add_string(b, c->str_trunc_trailer),
		.script_name = image_add_string(b, cg->r->opts->script_name),
		.uses_cpid = cg->r->uses_cpid,
		.boot_clock = target_has(cg->r->target, TARGET_F_BOOT_CLOCK),
		.show_debug_info = c->show_debug_info,
		.portable = cg_portable(cg),
		.compiler = image_add_string(b, "btrun v" BTRUN_VERSION),
	};

	name_kernel(cg, b, &row);
	image_set_config(b, &row);
}

void *cg_pack(struct codegen *cg, const void *object, size_t object_size, size_t *size)
{
	struct image_builder *b = image_builder_new();

	pack_maps(cg, b);
	pack_actions(cg, b);
	pack_probes(cg, b);
	pack_config(cg, b);
	pack_needs(cg, b);
	if (cg_portable(cg) && !cg_pack_portable(cg, b, object, object_size)) {
		image_builder_free(b);
		return NULL;
	}
	image_set_object(b, object, object_size);

	void *image = image_finish(b, size);
	image_builder_free(b);
	return image;
}
