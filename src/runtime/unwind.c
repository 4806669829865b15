/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call frame information for dw_ustack: read for each process that was asked for, file by file,
 * and put into the object's maps (src/image/unwind.h). A file is read once.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/unwind.h"
#include "runtime/internal.h"
#include "symbols/eh_frame.h"
#include "symbols/symbols.h"

struct table {
	uint64_t dev, ino;
	uint32_t rows;
};

struct unwind {
	struct unwind_rules rules;
	size_t told; /* of the rules, those that the map has */
	struct table tables[IMAGE_UNWIND_MAX_TABLES];
	uint32_t ntables;
	int processes_fd, tables_fd, rules_fd;
	int inner_fd;                        /* what tables look like, while the object is loaded */
	bool full;                           /* something did not fit */
	struct image_unwind_process process; /* being read */
};

/* ---- the maps --------------------------------------------------------------------------- */

static int new_table_map(uint32_t rows)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "unwind_rows", 4, 8, rows, &opts);
}

int unwind_prepare(struct run *r)
{
	struct bpf_map *tables = bpf_object__find_map_by_name(r->obj, IMAGE_UNWIND_TABLES);
	struct unwind *u;

	if (!tables)
		return 0;
	r->unwind = u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->inner_fd = new_table_map(1);
	return u->inner_fd < 0 ? u->inner_fd : bpf_map__set_inner_map_fd(tables, u->inner_fd);
}

static int write_rows(int fd, uint64_t *rows, uint32_t n)
{
	uint32_t *keys = calloc(n, sizeof(*keys)), done = n;
	int err = keys ? 0 : -ENOMEM;

	for (uint32_t i = 0; keys && i < n; i++)
		keys[i] = i;
	if (!err)
		err = bpf_map_update_batch(fd, keys, rows, &done, NULL);
	free(keys);
	return err;
}

static int publish_table(struct unwind *u, uint32_t number, struct unwind_rows *rows)
{
	int fd = new_table_map((uint32_t)rows->n), err;

	if (fd < 0)
		return fd;
	err = write_rows(fd, rows->rows, (uint32_t)rows->n);
	if (!err)
		err = bpf_map_update_elem(u->tables_fd, &number, &fd, BPF_ANY);
	close(fd);
	return err;
}

static int publish_rules(struct unwind *u)
{
	int err = 0;

	for (; !err && u->told < u->rules.n; u->told++) {
		uint32_t number = (uint32_t)u->told;

		err = bpf_map_update_elem(u->rules_fd, &number, &u->rules.rules[number], BPF_ANY);
	}
	return err;
}

/* ---- files and processes ------------------------------------------------------------------ */

static struct table *known_table(struct unwind *u, const struct symbols_mapping *m)
{
	for (uint32_t i = 0; i < u->ntables; i++)
		if (u->tables[i].dev == m->dev && u->tables[i].ino == m->ino)
			return &u->tables[i];
	return NULL;
}

/* Returns NULL when there is no room, or no memory. */
static struct table *read_table(struct unwind *u, const struct symbols_mapping *m)
{
	struct table *t = &u->tables[u->ntables];
	struct unwind_rows rows;

	if (u->ntables == IMAGE_UNWIND_MAX_TABLES || eh_frame_read(m->elf, &u->rules, &rows)) {
		u->full = true;
		return NULL;
	}
	if (rows.n >= 1u << IMAGE_UNWIND_ROW_STEPS) {
		u->full = true;
		rows.n = (1u << IMAGE_UNWIND_ROW_STEPS) - 1;
	}
	*t = (struct table){m->dev, m->ino, (uint32_t)rows.n};
	if (rows.n && publish_table(u, u->ntables, &rows)) {
		u->full = true;
		t->rows = 0;
	}
	free(rows.rows);
	u->ntables++;
	return t;
}

static int add_mapping(void *arg, const struct symbols_mapping *m)
{
	struct unwind *u = arg;
	struct image_unwind_process *p = &u->process;
	struct table *t = known_table(u, m);

	if (!t)
		t = read_table(u, m);
	if (!t || !t->rows)
		return 0;
	if (p->n == IMAGE_UNWIND_MAX_MAPPINGS) {
		u->full = true;
		return 0;
	}
	p->maps[p->n++] = (struct image_unwind_mapping){
		.start = m->start,
		.end = m->end,
		.delta = m->delta,
		.table = (uint32_t)(t - u->tables),
		.rows = t->rows,
	};
	return 0;
}

static int add_process(struct run *r, int pid)
{
	struct unwind *u = r->unwind;
	uint32_t key = (uint32_t)pid;
	int err;

	memset(&u->process, 0, sizeof(u->process));
	err = symbols_each_mapping(r->sym, pid, add_mapping, u);
	if (!err)
		err = publish_rules(u);
	if (!err)
		err = bpf_map_update_elem(u->processes_fd, &key, &u->process, BPF_ANY);
	if (u->full)
		run_warning(r, "Not all unwind information of process %d could be taken", pid);
	u->full = false;
	return err;
}

void unwind_add_process(struct run *r, int pid)
{
	int err = r->unwind ? add_process(r, pid) : 0;

	if (err)
		run_warning(r, "Failed to build unwind tables for pid %d: %s", pid, strerror(-err));
}

/* ---- the life of it ------------------------------------------------------------------------ */

static int map_fd(const struct run *r, const char *name)
{
	return bpf_object__find_map_fd_by_name(r->obj, name);
}

static int add_asked_for(struct run *r)
{
	const int *pids = r->opts->dwarf_pids;

	if (r->opts->pid)
		unwind_add_process(r, r->opts->pid);
	for (; pids && *pids; pids++) {
		int err = add_process(r, *pids);

		if (!err)
			continue;
		run_error("Failed to build unwind tables for pid %d: %s", *pids, strerror(-err));
		return err;
	}
	return 0;
}

int unwind_open(struct run *r)
{
	struct unwind *u = r->unwind;

	if (!u)
		return 0;
	if (!r->opts->pid && !r->opts->dwarf_pids && !r->opts->command) {
		run_error("dw_ustack requires a target process. Use -p, -c, or --dwarf-pid to "
			  "specify one.");
		return -EINVAL;
	}
	if (unwind_rules_init(&u->rules))
		return -ENOMEM;
	u->processes_fd = map_fd(r, IMAGE_UNWIND_PROCESSES);
	u->tables_fd = map_fd(r, IMAGE_UNWIND_TABLES);
	u->rules_fd = map_fd(r, IMAGE_UNWIND_RULES);
	return add_asked_for(r);
}

void unwind_close(struct run *r)
{
	if (!r->unwind)
		return;
	if (r->unwind->inner_fd >= 0)
		close(r->unwind->inner_fd);
	unwind_rules_free(&r->unwind->rules);
	free(r->unwind);
	r->unwind = NULL;
}
