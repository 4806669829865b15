/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes to programs: one program serves as many probes as its body allows, attached in
 * the cheapest way that still gives the body what it reads.
 */
#include <ctype.h>
#include <string.h>

#include "internal.h"

#define MAX_SYSCALL 4096

/* How a probe is to be attached, and with whom it may share a program. */
enum way {
	WAY_PLAIN,     /* as the probe type says */
	WAY_RAW,       /* a tracepoint through its raw tracepoint */
	WAY_SYS_ENTER, /* a system call through raw sys_enter */
	WAY_SYS_EXIT,
};

struct grouping {
	struct sema *s;
	struct ast_probe *probe;
	struct sema_usage usage;
	VEC(struct sema_work *) made; /* for this probe */
	VEC(enum way) ways;           /* of each */
};

static bool is_tracepoint(const struct sema_point *pt)
{
	return pt->p.attach == IMAGE_AT_TRACEPOINT && pt->p.parts[0] && pt->p.parts[1];
}

static const char *after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? NULL : s + n;
}

/* The system call's number and which end of it; negative: none that we know. */
static int syscall_of(const struct sema_point *pt, enum way *way)
{
	const char *name;
	int nr;

	if (strcmp(pt->p.parts[0], "syscalls"))
		return -1;
	*way = WAY_SYS_ENTER;
	name = after(pt->p.parts[1], "sys_enter_");
	if (!name) {
		*way = WAY_SYS_EXIT;
		name = after(pt->p.parts[1], "sys_exit_");
	}
	if (!name)
		return -1;
	nr = target_syscall_nr(name);
	return nr < MAX_SYSCALL ? nr : -1;
}

static const char *raw_syscall_name(enum way way)
{
	return way == WAY_SYS_ENTER ? "sys_enter" : "sys_exit";
}

static enum way choose_way(struct grouping *g, const struct sema_point *pt)
{
	struct target *t = g->s->target;
	enum way way;

	if (!is_tracepoint(pt) || g->usage.stack || !target_has(t, TARGET_F_RAW_TP))
		return WAY_PLAIN;
	if (syscall_of(pt, &way) >= 0)
		return target_has_raw_tracepoint(t, raw_syscall_name(way)) ? way : WAY_PLAIN;
	if (g->usage.args || !strcmp(pt->p.parts[0], "syscalls"))
		return WAY_PLAIN;
	return target_has_raw_tracepoint(t, pt->p.parts[1]) ? WAY_RAW : WAY_PLAIN;
}

static bool is_syscall_way(enum way way)
{
	return way == WAY_SYS_ENTER || way == WAY_SYS_EXIT;
}

/* Kinds whose programs are told by the kernel what they were attached with. */
static bool has_cookies(struct target *t, const struct sema_point *pt)
{
	switch (pt->p.attach) {
	case IMAGE_AT_KPROBE:
	case IMAGE_AT_KRETPROBE:
	case IMAGE_AT_UPROBE:
	case IMAGE_AT_URETPROBE:
	case IMAGE_AT_USDT:
		return target_has(t, TARGET_F_ATTACH_COOKIE) && target_has(t, TARGET_F_LINKS);
	default:
		return false;
	}
}

/* Whether the body must know at compile time which probe it serves. */
static bool needs_own_program(const struct grouping *g, const struct sema_point *pt, enum way way)
{
	/* fentry: a program is loaded for its function */
	if (g->usage.args || pt->p.attach == IMAGE_AT_FENTRY || pt->p.attach == IMAGE_AT_FEXIT)
		return true;
	if (!g->usage.probe)
		return false;
	return g->s->probe_strings || (!is_syscall_way(way) && !has_cookies(g->s->target, pt));
}

/* ---- making ------------------------------------------------------------- */

/* "p3_sched_switch": an ELF symbol that a person recognises. */
static const char *program_name(struct sema *s, const struct sema_point *pt)
{
	const char *last = strrchr(pt->p.name, ':');
	char *name = arena_printf(s->arena, "p%zu_%.40s", s->works.len,
				  last && last[1] ? last + 1 : pt->p.name);

	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	return name;
}

static bool is_user_kind(enum image_attach_kind k)
{
	return k == IMAGE_AT_UPROBE || k == IMAGE_AT_URETPROBE || k == IMAGE_AT_USDT;
}

/*
 * Portable images: whether the points are matched again where the image is loaded. A program made
 * for one of many that a wildcard stands for stays with it, and is left out where that is not.
 */
static void leave_to_load(const struct grouping *g, struct sema_program *p,
			  const struct sema_point *pt, enum way way)
{
	struct sema_reloc exists = {
		.kind = IMAGE_R_PROBE_EXISTS, .a = pt->p.name, .span = pt->span};
	bool wild = sema_has_wildcard(pt->from), own = needs_own_program(g, pt, way);

	if (is_syscall_way(way))
		return;
	if (wild && own)
		p->exists = sema_reloc_row(g->s, &exists) + 1;
	else
		p->match_again = wild || is_user_kind(pt->p.attach);
}

static struct sema_work *new_program(struct grouping *g, const struct sema_point *pt, enum way way)
{
	struct sema *s = g->s;
	struct sema_work *w = arena_new_of(s->arena, struct sema_work);
	struct sema_program *p = arena_new_of(s->arena, struct sema_program);

	p->name = program_name(s, pt);
	p->type = pt->type;
	p->attach = way == WAY_PLAIN ? pt->p.attach : IMAGE_AT_RAW_TP;
	p->predicate = ast_clone_expr(s->arena, g->probe->predicate);
	p->body = ast_clone_block(s->arena, g->probe->body);
	p->span = pt->span;
	p->gated = s->r->config.sync_probes && !(pt->type->flags & PROBE_UNGATED);
	p->is_syscall = is_syscall_way(way);
	p->operands = pt->p.operands;
	p->category = pt->p.parts[0];
	p->event = pt->p.parts[1] ? pt->p.parts[1] : pt->p.target;
	if (s->opts->portable)
		leave_to_load(g, p, pt, way);
	w->prog = p;
	w->probe = g->probe;
	w->plain = pt->p.attach;
	w->category = pt->p.parts[0];
	w->event = pt->p.parts[1] ? pt->p.parts[1] : pt->p.target;
	vec_push(s->arena, &s->works, w);
	vec_push(s->arena, &g->made, w);
	vec_push(s->arena, &g->ways, way);
	return w;
}

/* usdt: whether the arguments are where the program looks for them. */
static bool same_operands(const struct grouping *g, const struct sema_program *p,
			  const struct sema_point *pt)
{
	return !g->usage.argn || !p->operands || !strcmp(p->operands, pt->p.operands);
}

/* The program of this probe that @pt can join, or a new one. */
static struct sema_work *program_for(struct grouping *g, const struct sema_point *pt, enum way way)
{
	if (needs_own_program(g, pt, way))
		return new_program(g, pt, way);
	for (size_t i = 0; i < g->made.len; i++) {
		struct sema_work *w = g->made.items[i];

		if (w->prog->type == pt->type && g->ways.items[i] == way &&
		    same_operands(g, w->prog, pt) &&
		    (way != WAY_PLAIN || w->prog->attach == pt->p.attach))
			return w;
	}
	return new_program(g, pt, way);
}

static bool is_usdt(const struct sema_point *pt)
{
	return pt->p.attach == IMAGE_AT_USDT;
}

static uint32_t add_probe(struct sema *s, const struct sema_point *pt)
{
	struct sema_probe row = {pt->p.name, pt->type->name};

	vec_push(s->arena, &s->r->probes, row);
	return (uint32_t)s->r->probes.len - 1;
}

/* @again: of the same probe as the attachment that was added before. */
static void add_attachment(struct sema *s, struct sema_work *w, const struct sema_point *pt,
			   enum way way, bool again)
{
	struct sema_attachment a = {.target = pt->p.target, .nprobes = 1};

	a.arg[0] = pt->p.arg[0];
	a.arg[1] = pt->p.arg[1];
	a.arg[2] = pt->p.arg[2];
	if (way == WAY_RAW)
		a.target = pt->p.parts[1];
	a.again = again;
	a.probe = again ? (uint32_t)s->r->probes.len - 1 : add_probe(s, pt);
	vec_push(s->arena, &w->prog->attachments, a);
	w->probe_known = w->prog->attachments.len == 1 && !w->prog->many;
	w->probe_row = a.probe;
}

/* ---- system calls ------------------------------------------------------- */

/* Rows of PROBES of one attachment are contiguous: all of a program's calls at once. */
static void add_syscall(struct sema *s, struct sema_work *w, const struct sema_point *pt, int nr,
			enum way way)
{
	struct sema_program *p = w->prog;
	struct sema_attachment *a;

	if (!p->attachments.len) {
		struct sema_attachment first = {.target = raw_syscall_name(way),
						.probe = (uint32_t)s->r->probes.len};

		vec_push(s->arena, &p->attachments, first);
		p->nsyscalls = MAX_SYSCALL;
		p->syscall_probe = arena_alloc(s->arena, MAX_SYSCALL * sizeof(uint16_t));
	}
	a = &p->attachments.items[0];
	if (p->syscall_probe[nr])
		return; /* written twice in one list: counts once, as for the kernel */
	p->syscall_probe[nr] = (uint16_t)(add_probe(s, pt) + 1);
	w->probe_known = ++a->nprobes == 1;
	w->probe_row = a->probe;
}

static void trim_tables(struct grouping *g)
{
	for (size_t i = 0; i < g->made.len; i++) {
		struct sema_program *p = g->made.items[i]->prog;

		while (p->nsyscalls && !p->syscall_probe[p->nsyscalls - 1])
			p->nsyscalls--;
	}
}

/* The places of one usdt probe come one after the other. */
static bool same_probe(const struct sema_point *a, const struct sema_point *b)
{
	return a->type == b->type && !strcmp(a->p.name, b->p.name);
}

static void note_point(struct sema *s, struct sema_program *p, const struct ast_attach_point *from)
{
	if (!p->points.len || p->points.items[p->points.len - 1] != from)
		vec_push(s->arena, &p->points, from);
	p->many |= s->opts->portable && sema_has_wildcard(from) && !p->exists && !p->is_syscall;
	p->match_again |= p->many;
}

static void add_points(struct grouping *g, const struct sema_points *points, enum way wanted)
{
	struct sema *s = g->s;

	for (size_t i = 0; i < points->v.len; i++) {
		const struct sema_point *pt = &points->v.items[i];
		enum way way = choose_way(g, pt), end;
		struct sema_work *w;

		if (way != wanted)
			continue;
		w = program_for(g, pt, way);
		note_point(s, w->prog, pt->from);
		if (is_syscall_way(way))
			add_syscall(s, w, pt, syscall_of(pt, &end), way);
		else
			add_attachment(s, w, pt, way,
				       i && is_usdt(pt) && same_probe(pt, &points->v.items[i - 1]));
	}
}

/* ---- limits ------------------------------------------------------------- */

static bool within_limits(struct sema *s, struct ast_probe *probe, size_t npoints)
{
	const struct sema_config *c = &s->r->config;

	/* Tables of system calls hold rows in 16 bits. */
	if (npoints > c->max_probes || npoints > UINT16_MAX - 1) {
		diag_error(s->diags, probe->span,
			   "Can't attach to %zu probes because it exceeds the current limit of "
			   "%llu probes.",
			   npoints, (unsigned long long)c->max_probes);
		diag_hint(s->diags,
			  "You can increase the limit through the BPFTRACE_MAX_PROBES environment "
			  "variable, but BE CAREFUL since a high number of probes attached can "
			  "cause your system to crash.");
		return false;
	}
	return true;
}

static void check_programs(struct sema *s, struct ast_probe *probe)
{
	uint64_t max = s->r->config.max_bpf_progs;

	if (s->r->programs.len <= max)
		return;
	diag_error(s->diags, probe->span,
		   "Your program is trying to generate more than %zu BPF programs, which exceeds "
		   "the current limit of %llu",
		   s->r->programs.len, (unsigned long long)max);
	diag_hint(s->diags, "You can increase the limit through the BPFTRACE_MAX_BPF_PROGS "
			    "environment variable.");
}

static void group(struct sema *s, struct ast_probe *probe, const struct sema_points *points)
{
	struct grouping g = {.s = s, .probe = probe, .usage = sema_probe_usage(probe)};

	if (g.usage.too_deep) {
		diag_error(s->diags, probe->span, "The probe's body is nested too deeply");
		return;
	}
	/* One way after the other, so that a shared program's rows lie together. */
	add_points(&g, points, WAY_PLAIN);
	add_points(&g, points, WAY_RAW);
	add_points(&g, points, WAY_SYS_ENTER);
	add_points(&g, points, WAY_SYS_EXIT);
	for (size_t i = 0; i < g.made.len; i++)
		vec_push(s->arena, &s->r->programs, g.made.items[i]->prog);
	trim_tables(&g);
	check_programs(s, probe);
}

/*
 * A probe whose predicate never holds. Where it exists on this kernel, its body can still tell
 * what the maps are of that only it would fill.
 */
static void add_dead(struct sema *s, struct ast_probe *probe)
{
	struct grouping g = {.s = s, .probe = probe};
	struct sema_points points = {.dead = true};

	vec_push(s->arena, &s->dead_probes, probe);
	sema_find_points(s, probe, &points);
	if (points.v.len)
		new_program(&g, &points.v.items[0], WAY_PLAIN)->dead = true;
}

void sema_make_programs(struct sema *s)
{
	size_t total = 0;

	for (size_t i = 0; i < s->ast->probes.len; i++) {
		struct ast_probe *probe = s->ast->probes.items[i];
		struct sema_points points = {0};

		if (!sema_probe_usage(probe).too_deep && sema_never_holds(s, probe->predicate)) {
			add_dead(s, probe);
			continue;
		}
		sema_find_points(s, probe, &points);
		total += points.v.len;
		if (!within_limits(s, probe, total))
			return;
		if (points.v.len)
			group(s, probe, &points);
	}
	/* of probes that are not there, or not wanted, it is no error of the script */
	if (!total && !s->diags->errors && !s->ast->probes.len)
		diag_error(s->diags, (struct span){0}, "No probes to attach");
}
