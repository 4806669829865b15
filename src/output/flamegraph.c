/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks as a flame graph: one SVG that needs nothing else. A frame is as wide as its share of
 * the whole, its callers are below it; what makes it move is in flamegraph.js.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "output/folded.h"

/* All in pixels. */
#define WIDTH      1200
#define SIDE       10
#define ROW        17
#define TOP        64
#define BOTTOM     30
#define CHAR_WIDTH 7
/* Thinner frames cannot be seen; how many were left out is told. */
#define MIN_WIDTH 0.02
#define MAX_DEPTH 2048

struct frame {
	const char *name;
	size_t len;
	int64_t from, value; /* of the graph's whole */
	unsigned depth;
};

struct flamegraph {
	struct folded lines;
	const struct image_map *first; /* that was added */
	bool several;                  /* maps were: they are told apart by a frame each */
};

struct picture {
	struct output *o;
	struct outbuf *b;
	int64_t total;
	unsigned depth; /* of the deepest frame */
	uint64_t nhidden;
};

static const struct {
	const char *name, *text;
} script[] = {
#include "flamegraph.inc"
};

/* ---- XML ------------------------------------------------------------------------------ */

/* The length of the character at @s in UTF-8, or 0: it is none that XML may hold. */
static size_t character(const unsigned char *s, size_t n)
{
	size_t len = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;

	if (*s < ' ' || len > n || (len == 2 && *s < 0xc2))
		return 0;
	for (size_t i = 1; i < len; i++)
		if (s[i] >> 6 != 2)
			return 0;
	/* overlong ones, surrogates, and the two that are no characters */
	if ((len == 3 && ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
			  (*s == 0xef && s[1] == 0xbf && s[2] > 0xbd))) ||
	    (len == 4 && ((*s == 0xf0 && s[1] < 0x90) || *s > 0xf4 || (*s == 0xf4 && s[1] > 0x8f))))
		return 0;
	return len;
}

static void put_xml(struct outbuf *b, const char *s, size_t n)
{
	static const struct {
		char c;
		const char *text;
	} names[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};

	while (n) {
		size_t len = character((const unsigned char *)s, n), i = 0;

		while (i < 4 && names[i].c != *s)
			i++;
		if (!len)
			outbuf_puts(b, "\xef\xbf\xbd");
		else if (i < 4)
			outbuf_puts(b, names[i].text);
		else
			outbuf_put(b, s, len);
		s += len ? len : 1;
		n -= len ? len : 1;
	}
}

static void put(struct outbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct outbuf *b, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	outbuf_put(b, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* ---- frames ----------------------------------------------------------------------------- */

static bool ends_with(const struct frame *f, const char *end)
{
	size_t n = strlen(end);

	return f->len >= n && !memcmp(f->name + f->len - n, end, n);
}

/* The same name has the same colour in every graph: warm, the kernel's more orange. */
static void put_colour(struct outbuf *b, const struct frame *f)
{
	uint32_t h = 2166136261u;
	unsigned a, c;

	for (size_t i = 0; i < f->len; i++)
		h = (h ^ (unsigned char)f->name[i]) * 16777619u;
	a = h >> 8 & 63;
	c = h >> 16 & 63;
	if (ends_with(f, "_[k]"))
		put(b, "rgb(%u,%u,%u)", 230 + a / 3, 120 + c, 10 + a / 2);
	else if (ends_with(f, "_[i]"))
		put(b, "rgb(%u,%u,%u)", 90 + a, 190 + c / 2, 190 + a / 2);
	else
		put(b, "rgb(%u,%u,%u)", 205 + a / 2, 60 + 2 * c, 40 + c / 2);
}

/* As much of the name as there is room for, whole characters of it. */
static void put_label(struct outbuf *b, const struct frame *f, double width)
{
	size_t room = width > 6 ? (size_t)((width - 6) / CHAR_WIDTH) : 0, n = 0;

	if (f->len <= room) {
		put_xml(b, f->name, f->len);
		return;
	}
	if (room < 3)
		return;
	while (n < room - 2) {
		size_t len = character((const unsigned char *)f->name + n, f->len - n);

		n += len ? len : 1;
	}
	put_xml(b, f->name, n);
	outbuf_puts(b, "..");
}

static void put_frame(struct picture *p, const struct frame *f)
{
	double scale = (double)(WIDTH - 2 * SIDE) / (double)p->total;
	double x = SIDE + (double)f->from * scale, width = (double)f->value * scale;
	unsigned y = TOP + (p->depth - f->depth) * ROW;

	if (width < MIN_WIDTH) {
		p->nhidden++;
		return;
	}
	put(p->b,
	    "<g class=\"f\" data-d=\"%u\" data-s=\"%" PRId64 "\" data-v=\"%" PRId64 "\"><title>",
	    f->depth, f->from, f->value);
	put_xml(p->b, f->name, f->len);
	put(p->b,
	    " (%" PRId64 ", %.2f%%)</title><rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%d\" "
	    "rx=\"1\" fill=\"",
	    f->value, 100.0 * (double)f->value / (double)p->total, x, y, width, ROW - 1);
	put_colour(p->b, f);
	put(p->b, "\"/><text x=\"%.2f\" y=\"%u\">", x + 3, y + 12);
	put_label(p->b, f, width);
	outbuf_puts(p->b, "</text></g>\n");
}

/* ---- from lines to frames: those that lines have in common from the root on are one ------- */

static size_t part_length(const char *s)
{
	return strcspn(s, ";");
}

static const char *next_part(const char *s)
{
	s += part_length(s);
	return *s ? s + 1 : NULL;
}

typedef void frame_fn(struct picture *p, const struct frame *f);

static void end_frames(struct picture *p, struct frame *open, unsigned *n, unsigned keep,
		       int64_t at, frame_fn *fn)
{
	while (*n > keep) {
		struct frame *f = &open[--*n];

		f->value = at - f->from;
		fn(p, f);
	}
}

/* How many of the open frames the line has, too; *@rest: what comes behind them, or NULL. */
static unsigned in_common(const struct frame *open, unsigned n, const char *line, const char **rest)
{
	unsigned i = 1; /* the root */

	while (i < n && line && part_length(line) == open[i].len &&
	       !memcmp(line, open[i].name, open[i].len)) {
		line = next_part(line);
		i++;
	}
	*rest = line;
	return i;
}

static int each_frame(struct picture *p, const struct folded *lines, frame_fn *fn)
{
	struct frame *open = calloc(MAX_DEPTH, sizeof(*open));
	unsigned n = 1;
	int64_t at = 0;

	if (!open)
		return -ENOMEM;
	open[0] = (struct frame){.name = "all", .len = 3};
	for (size_t i = 0; i < lines->n; i++) {
		const char *rest;
		unsigned common;

		if (lines->lines[i].value <= 0)
			continue;
		common = in_common(open, n, lines->lines[i].text, &rest);
		end_frames(p, open, &n, common, at, fn);
		for (; rest && *rest && n < MAX_DEPTH; rest = next_part(rest), n++)
			open[n] = (struct frame){
				.name = rest, .len = part_length(rest), .from = at, .depth = n};
		at += lines->lines[i].value;
	}
	end_frames(p, open, &n, 0, at, fn);
	free(open);
	return 0;
}

static void measure(struct picture *p, const struct frame *f)
{
	if (f->depth > p->depth)
		p->depth = f->depth;
	if (!f->depth)
		p->total = f->value;
}

/* ---- the picture ---------------------------------------------------------------------------- */

static const char style[] =
	"<style>\n"
	"text { font: 12px monospace; fill: #000; }\n"
	".f text { pointer-events: none; }\n"
	".f { cursor: pointer; }\n"
	".f:hover rect { stroke: #000; stroke-width: 0.5; }\n"
	".f.outside { opacity: 0.5; }\n"
	".f.found rect { fill: rgb(230,0,230); }\n"
	".hidden { display: none; }\n"
	"#title { font-size: 17px; }\n"
	"#unzoom { cursor: pointer; text-decoration: underline; }\n"
	"input { font: 12px monospace; width: 180px; box-sizing: border-box; }\n"
	"</style>\n";

static void put_head(struct picture *p, unsigned height)
{
	const char *name = image_str(p->o->img, p->o->img->config->script_name);

	put(p->b,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" height=\"%u\" "
	    "viewBox=\"0 0 %d %u\" data-side=\"%d\" data-char=\"%d\">\n",
	    WIDTH, height, WIDTH, height, SIDE, CHAR_WIDTH);
	outbuf_puts(p->b, style);
	put(p->b,
	    "<rect width=\"100%%\" height=\"100%%\" fill=\"#f8f4e8\"/>\n"
	    "<text id=\"title\" x=\"%d\" y=\"24\" text-anchor=\"middle\">",
	    WIDTH / 2);
	put_xml(p->b, name, strlen(name));
	put(p->b,
	    "</text>\n<text id=\"unzoom\" class=\"hidden\" x=\"%d\" y=\"24\">Reset zoom</text>\n"
	    "<foreignObject x=\"%d\" y=\"8\" width=\"190\" height=\"26\">"
	    "<input xmlns=\"http://www.w3.org/1999/xhtml\" id=\"search\" type=\"text\" "
	    "placeholder=\"Search (a regular expression)\"/></foreignObject>\n"
	    "<text id=\"matched\" x=\"%d\" y=\"48\" text-anchor=\"end\"> </text>\n"
	    "<text id=\"details\" x=\"%d\" y=\"%u\"> </text>\n",
	    SIDE, WIDTH - SIDE - 190, WIDTH - SIDE, SIDE, height - 10);
}

static void put_picture(struct picture *p, const struct folded *lines)
{
	unsigned height = TOP + (p->depth + 1) * ROW + BOTTOM;

	put_head(p, height);
	if (!p->total)
		put(p->b, "<text x=\"%d\" y=\"%d\">There is no stack to show.</text>\n", SIDE, TOP);
	else if (each_frame(p, lines, put_frame))
		p->b->err = -ENOMEM;
	if (p->nhidden)
		put(p->b, "<!-- %" PRIu64 " frames are too thin to be seen -->\n", p->nhidden);
	outbuf_puts(p->b, "<script><![CDATA[\n");
	outbuf_puts(p->b, script[0].text);
	outbuf_puts(p->b, "]]></script>\n</svg>\n");
}

/* ---- the format ------------------------------------------------------------------------------ */

/* The lines so far begin with the name of their map from now on. */
static int tell_apart(struct output *o, struct flamegraph *g)
{
	const char *name = image_str(o->img, g->first->name);

	g->several = true;
	for (size_t i = 0; i < g->lines.n; i++) {
		char *text;

		if (asprintf(&text, "@%s;%s", name, g->lines.lines[i].text) < 0)
			return -ENOMEM;
		free(g->lines.lines[i].text);
		g->lines.lines[i].text = text;
	}
	return 0;
}

static int flamegraph_map(struct output *o, const struct image_map *m, const struct map_row *rows,
			  size_t n, uint64_t divisor)
{
	struct flamegraph *g = o->flamegraph ? o->flamegraph : calloc(1, sizeof(*g));
	char *first = NULL;
	int err = 0;

	if (!g)
		return -ENOMEM;
	o->flamegraph = g;
	if (!g->first)
		g->first = m;
	if (m != g->first && !g->several)
		err = tell_apart(o, g);
	if (!err && g->several && asprintf(&first, "@%s", image_str(o->img, m->name)) < 0)
		return -ENOMEM;
	if (!err)
		err = folded_add(o, &g->lines, first, m, rows, n, divisor);
	free(first);
	return err;
}

static int flamegraph_finish(struct output *o)
{
	static struct flamegraph none;
	struct flamegraph *g = o->flamegraph ? o->flamegraph : &none;
	struct picture p = {.o = o, .b = &o->stacks};
	int err;

	folded_merge(&g->lines);
	err = each_frame(&p, &g->lines, measure);
	if (!err)
		put_picture(&p, &g->lines);
	return err;
}

void flamegraph_free(struct flamegraph *g)
{
	if (g)
		folded_free(&g->lines);
	free(g);
}

const struct output_format output_flamegraph_format = {
	.name = "flamegraph",
	.stacks = flamegraph_map,
	.finish = flamegraph_finish,
};
