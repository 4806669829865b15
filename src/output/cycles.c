/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elementary cycles of a directed graph whose edges are the keys of a map: ways that come
 * back to where they began and visit no node twice on the way. Each is found once, from the
 * first of its nodes, along nodes that come after that one; the shortest ones first. Before the
 * ways from a node are followed, how far the others are from coming back to it is measured
 * backwards, so that no way is followed that leads nowhere.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "output/columns.h"

#define MAX_EDGES 64         /* of one cycle */
#define MAX_STEPS 20000000ul /* a graph has more cycles than anybody can wait for */
#define FAR       UINT32_MAX

struct edge {
	uint32_t from, to; /* nodes */
	const struct table_row *row;
};

struct graph {
	struct output *out;
	struct table_rows *table;
	const uint8_t **nodes; /* the bytes of each, sorted */
	uint32_t node_size;
	size_t nnodes, nedges;
	struct edge *edges; /* sorted by from, then to */
	struct edge *back;  /* the same, sorted by to */
	size_t *first;      /* by node: of its edges; one more entry ends the last */
	size_t *first_back; /* likewise in back */
	uint32_t *distance; /* by node: edges from there to root, FAR: no way */
	uint32_t *queue;
	bool *visited;
	uint32_t root;
	uint32_t length; /* of the cycles being looked for */
	const struct edge *way[MAX_EDGES];
	unsigned long steps;
	uint64_t found, limit; /* limit 0: none */
	bool more;             /* there is at least one that the limit keeps back */
};

/* ---- the graph ---------------------------------------------------------------- */

static int compare_nodes(const void *pa, const void *pb, void *arg)
{
	const struct graph *g = arg;

	return memcmp(*(const uint8_t *const *)pa, *(const uint8_t *const *)pb, g->node_size);
}

static uint32_t node_number(const struct graph *g, const uint8_t *node)
{
	size_t low = 0, high = g->nnodes;

	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_nodes(&node, &g->nodes[middle], (void *)g) < 0)
			high = middle;
		else
			low = middle;
	}
	return low;
}

static int compare_forth(const void *pa, const void *pb)
{
	const struct edge *a = pa, *b = pb;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

static int compare_back(const void *pa, const void *pb)
{
	const struct edge *a = pa, *b = pb;

	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return a->from < b->from ? -1 : a->from > b->from;
}

static int allocate(struct graph *g, size_t n)
{
	g->nodes = calloc(2 * n + 1, sizeof(*g->nodes));
	g->edges = calloc(n + 1, sizeof(*g->edges));
	g->back = calloc(n + 1, sizeof(*g->back));
	g->first = calloc(2 * n + 2, sizeof(*g->first));
	g->first_back = calloc(2 * n + 2, sizeof(*g->first_back));
	g->distance = calloc(2 * n + 1, sizeof(*g->distance));
	g->queue = calloc(2 * n + 1, sizeof(*g->queue));
	g->visited = calloc(2 * n + 1, sizeof(*g->visited));
	return g->nodes && g->edges && g->back && g->first && g->first_back && g->distance &&
			       g->queue && g->visited
		       ? 0
		       : -ENOMEM;
}

static void close_graph(struct graph *g)
{
	free(g->nodes);
	free(g->edges);
	free(g->back);
	free(g->first);
	free(g->first_back);
	free(g->distance);
	free(g->queue);
	free(g->visited);
}

static void name_nodes(struct graph *g, const struct image_field *ends)
{
	size_t n = 0;

	for (size_t i = 0; i < g->table->n; i++)
		for (unsigned end = 0; end < 2; end++)
			g->nodes[n++] = g->table->rows[i].key + ends[end].offset;
	qsort_r(g->nodes, n, sizeof(*g->nodes), compare_nodes, g);
	for (size_t i = 0; i < n; i++)
		if (!g->nnodes || compare_nodes(&g->nodes[i], &g->nodes[g->nnodes - 1], g))
			g->nodes[g->nnodes++] = g->nodes[i];
}

static int open_graph(struct graph *g)
{
	const struct image *img = g->out->img;
	const struct image_type *key = &img->types[img->maps[g->table->action->map].key];
	const struct image_field *ends = &img->fields[key->fields];

	g->nedges = g->table->n;
	g->node_size = img->types[ends[0].type].size;
	if (allocate(g, g->nedges))
		return -ENOMEM;
	name_nodes(g, ends);
	for (size_t i = 0; i < g->nedges; i++) {
		const struct table_row *row = &g->table->rows[i];

		g->edges[i] = g->back[i] = (struct edge){
			.from = node_number(g, row->key + ends[0].offset),
			.to = node_number(g, row->key + ends[1].offset),
			.row = row,
		};
	}
	qsort(g->edges, g->nedges, sizeof(*g->edges), compare_forth);
	qsort(g->back, g->nedges, sizeof(*g->back), compare_back);
	for (size_t i = 0; i < g->nedges; i++) {
		g->first[g->edges[i].from + 1]++;
		g->first_back[g->back[i].to + 1]++;
	}
	for (size_t i = 0; i < g->nnodes; i++) {
		g->first[i + 1] += g->first[i];
		g->first_back[i + 1] += g->first_back[i];
	}
	return 0;
}

/* ---- the search ------------------------------------------------------------------ */

/* How far each node from the root on is from coming back to it. */
static void measure(struct graph *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nnodes; i++)
		g->distance[i] = FAR;
	g->distance[g->root] = 0;
	g->queue[n++] = g->root;
	for (size_t i = 0; i < n; i++) {
		uint32_t to = g->queue[i];

		for (size_t j = g->first_back[to]; j < g->first_back[to + 1]; j++) {
			uint32_t from = g->back[j].from;

			if (from < g->root || g->distance[from] != FAR)
				continue;
			g->distance[from] = g->distance[to] + 1;
			g->queue[n++] = from;
		}
	}
}

static void show_cycle(struct graph *g)
{
	uint64_t numbers[2] = {++g->found, g->length};

	g->out->format->heading(g->out, g->table->action, numbers);
	for (uint32_t i = 0; i < g->length; i++) {
		table_fill(g->table, g->way[i]->row);
		g->out->format->row(g->out, g->table->action, g->table->tuple);
	}
}

static void close_way(struct graph *g, uint32_t n)
{
	if (n != g->length)
		return;
	if (g->limit && g->found == g->limit)
		g->more = true;
	else
		show_cycle(g);
}

/* @n edges lead from the root to @node: those that go on, where they can be back in time. */
static void follow(struct graph *g, uint32_t node, uint32_t n)
{
	for (size_t i = g->first[node]; i < g->first[node + 1] && !g->more; i++) {
		const struct edge *e = &g->edges[i];

		if (e->to < g->root || g->distance[e->to] == FAR ||
		    n + 1 + g->distance[e->to] > g->length)
			continue;
		if (g->steps++ >= MAX_STEPS)
			return;
		g->way[n] = e;
		if (e->to == g->root) {
			close_way(g, n + 1);
			continue;
		}
		if (g->visited[e->to] || n + 1 == g->length)
			continue;
		g->visited[e->to] = true;
		follow(g, e->to, n + 1);
		g->visited[e->to] = false;
	}
}

/* Whether any way leads from the root back to it. */
static bool comes_back(const struct graph *g)
{
	for (size_t i = g->first[g->root]; i < g->first[g->root + 1]; i++)
		if (g->edges[i].to >= g->root && g->distance[g->edges[i].to] != FAR)
			return true;
	return false;
}

static void search(struct graph *g)
{
	size_t longest = g->nnodes < MAX_EDGES ? g->nnodes : MAX_EDGES;

	for (g->length = 1; g->length <= longest; g->length++) {
		bool any = false;

		for (g->root = 0; g->root < g->nnodes; g->root++) {
			if (g->more || g->steps >= MAX_STEPS)
				return;
			measure(g);
			if (!comes_back(g))
				continue;
			any = true;
			follow(g, g->root, 0);
		}
		if (!any)
			return;
	}
}

/* ---- what was left out -------------------------------------------------------------- */

static void tell(struct graph *g, const char *text)
{
	struct output_message m = {
		.kind = OUTPUT_WARNF,
		.where = image_str(g->out->img, g->table->action->where),
		.quote = "",
		.text = text,
	};

	g->out->format->message(g->out, &m);
}

static void tell_left_out(struct graph *g)
{
	char text[160];

	if (g->more)
		snprintf(text, sizeof(text),
			 "there are more cycles than the %llu that were asked for",
			 (unsigned long long)g->limit);
	else if (g->steps >= MAX_STEPS)
		snprintf(text, sizeof(text),
			 "the graph has too many ways: of cycles of %u or more edges some are left "
			 "out",
			 g->length);
	else if (g->length > MAX_EDGES && g->nnodes > MAX_EDGES)
		snprintf(text, sizeof(text), "cycles of more than %d edges were not looked for",
			 MAX_EDGES);
	else
		return;
	tell(g, text);
}

int cycles_show(struct output *o, struct table_rows *t)
{
	struct graph g = {.out = o, .table = t, .limit = t->action->arg[0]};
	int err = open_graph(&g);

	if (!err) {
		search(&g);
		tell_left_out(&g);
	}
	close_graph(&g);
	return err;
}
