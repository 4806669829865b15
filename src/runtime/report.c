/* SPDX-License-Identifier: Apache-2.0 */
/* What is told at the end: maps, losses. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/stages.h"

static uint64_t lost_events(struct run *r)
{
	uint64_t counted = control_read(&r->control)->lost_events;

	/* older kernels do not tell the program that a perf buffer is full, newer ones both */
	return counted > r->lost_perf ? counted : r->lost_perf;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void report_lost_events(struct run *r, bool now)
{
	uint64_t lost = lost_events(r), at;

	if (lost <= r->lost_reported)
		return;
	at = now_ns();
	if (!now && r->lost_told_at && at - r->lost_told_at < 1000000000)
		return;
	r->lost_told_at = at;
	output_lost(r->out, lost - r->lost_reported);
	r->lost_reported = lost;
}

void report_loss(struct run *r, const char *type, const char *what, uint64_t count, const char *fmt,
		 ...)
{
	struct output_loss l = {.type = type, .what = what, .count = count};
	char text[1024];
	va_list ap;

	if (!count || r->opts->no_warnings)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l.text = text;
	output_loss(r->out, &l);
}

void report_losses(struct run *r)
{
	struct image_control words;

	report_lost_events(r, true);
	words = *control_read(&r->control);
	report_loss(r, "total_lost_events", "events", r->lost_reported,
		    "Total lost event count: %" PRIu64
		    ". Try a larger buffer (config = { perf_rb_pages = N })",
		    r->lost_reported);
	report_loss(r, "lost_updates", "updates", words.lost_updates,
		    "Map full; can't update element (%" PRIu64
		    " times). Try increasing max_map_keys config or manually setting the "
		    "max entries in a map declaration e.g. `let @a = hash(5000)`",
		    words.lost_updates);
	report_loss(r, "lost_stacks", "stacks", words.lost_stacks,
		    "%" PRIu64 " stacks could not be stored", words.lost_stacks);
	report_loss(r, "skipped_commands", "commands", r->skipped_commands,
		    "%" PRIu64
		    " commands of system() were not run any more: the script was stopped "
		    "before their turn came",
		    r->skipped_commands);
}

static int by_name(const void *pa, const void *pb, void *arg)
{
	const struct image *img = arg;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return strcmp(image_str(img, img->maps[a].name), image_str(img, img->maps[b].name));
}

static void print_one(struct run *r, uint32_t map)
{
	struct map_contents c;
	int err = map_read(r, map, &c);

	if (err)
		run_error("Error printing map @%s: %s", image_str(r->img, r->img->maps[map].name),
			  strerror(-err));
	else if (c.n)
		output_map(r->out, map, c.elems, c.n, 0, 0);
	map_contents_free(&c);
}

void print_maps(struct run *r)
{
	uint32_t *order = calloc(r->img->nmaps + 1, sizeof(*order));
	uint32_t n = 0;

	for (uint32_t i = 0; order && i < r->img->nmaps; i++)
		if (!(r->img->maps[i].flags & IMAGE_MAP_INTERNAL))
			order[n++] = i;
	if (order)
		qsort_r(order, n, sizeof(*order), by_name, (void *)r->img);
	for (uint32_t i = 0; i < n && !output_error(r->out); i++)
		print_one(r, order[i]);
	free(order);
}
