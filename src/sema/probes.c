/* SPDX-License-Identifier: Apache-2.0 */
/* Attach points as written to the probes of the target that they stand for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct collector {
	struct sema *s;
	struct sema_points *out;
	const struct probe_type *type;
	struct span span;
};

static const char *copy(struct sema *s, const char *text)
{
	return text ? arena_strdup(s->arena, text) : NULL;
}

/* begin and end are of any script. */
static bool is_filtered(struct sema *s, const struct probe_type *type, const char *name)
{
	const regex_t *filter = s->opts->probe_filter;

	return filter && strcmp(type->name, "begin") && strcmp(type->name, "end") &&
	       regexec(filter, name, 0, NULL, 0);
}

static int collect(const struct probe_point *p, void *arg)
{
	struct collector *c = arg;
	struct sema_point pt = {.type = c->type, .p = *p, .span = c->span};

	if (p->unsafe && !c->s->opts->unsafe) {
		diag_error(c->s->diags, c->span, "%s", p->unsafe);
		return 0;
	}
	if (is_filtered(c->s, c->type, p->name)) {
		c->out->filtered = true;
		return 0;
	}
	pt.p.unsafe = NULL;
	pt.p.name = copy(c->s, p->name);
	pt.p.target = copy(c->s, p->target);
	pt.p.operands = copy(c->s, p->operands);
	for (size_t i = 0; i < 4; i++)
		pt.p.parts[i] = copy(c->s, p->parts[i]);
	vec_push(c->s->arena, &c->out->v, pt);
	return 0;
}

/* "$1" within a part is the parameter's text. */
static const char *with_params(struct sema *s, const char *part)
{
	const char *dollar = strchr(part, '$');
	char *end;
	unsigned long n;

	if (!dollar || dollar[1] < '1' || dollar[1] > '9')
		return part;
	n = strtoul(dollar + 1, &end, 10);
	return arena_printf(s->arena, "%.*s%s%s", (int)(dollar - part), part, sema_param(s, n),
			    with_params(s, end));
}

/* What missing_probes says about one that is not there. */
static void missing(struct sema *s, struct span at, const char *err)
{
	switch (s->r->config.missing_probes) {
	case IMAGE_MISSING_ERROR:
		diag_error(s->diags, at, "%s", err);
		diag_hint(s->diags, "If this is expected, set the 'missing_probes' config variable "
				    "to 'warn'.");
		break;
	case IMAGE_MISSING_WARN:
		diag_warning(s->diags, at, "%s Skipping.", err);
		break;
	default:
		break;
	}
}

static bool has_wildcard(const struct ast_attach_point *ap)
{
	for (size_t i = 0; i < ap->parts.len; i++)
		if (target_has_wildcard(ap->parts.items[i]))
			return true;
	return target_has_wildcard(ap->provider);
}

static void not_found(struct sema *s, const struct ast_attach_point *ap, const char *err,
		      struct sema_points *out)
{
	struct sema_missing m = {ap->span, arena_strdup(s->arena, err)};

	if (has_wildcard(ap))
		vec_push(s->arena, &out->unmatched, m);
	else
		missing(s, ap->span, err);
}

static void expand_type(struct sema *s, const struct ast_attach_point *ap,
			const struct probe_type *type, struct sema_points *out)
{
	const char **parts = arena_alloc(s->arena, (ap->parts.len + 1) * sizeof(*parts));
	struct collector c = {s, out, type, ap->span};
	char err[256] = "";
	int rc;

	for (size_t i = 0; i < ap->parts.len; i++)
		parts[i] = with_params(s, ap->parts.items[i]);
	rc = probe_expand(type, s->target, parts, ap->parts.len, collect, &c, err, sizeof(err));
	if (!rc)
		return;
	if (!err[0])
		snprintf(err, sizeof(err), "%s: %s", ap->text, strerror(-rc));
	if (rc != -EINVAL && out->dead)
		return;
	if (rc == -ENOENT)
		not_found(s, ap, err, out);
	else
		diag_error(s->diags, ap->span, "%s", err);
}

static void unknown_provider(struct sema *s, const struct ast_attach_point *ap)
{
	const char *near = diag_did_you_mean(ap->provider, probe_type_names());

	diag_error(s->diags, ap->span, "Invalid probe type: %s", ap->provider);
	if (near)
		diag_hint(s->diags, "Did you mean: %s?", near);
}

/* A provider with wildcards stands for all types that it matches and that know the parts. */
static void expand_wild_provider(struct sema *s, const struct ast_attach_point *ap,
				 struct sema_points *out)
{
	const char **parts = arena_alloc(s->arena, (ap->parts.len + 1) * sizeof(*parts));
	size_t before = out->v.len;
	char err[256];

	for (size_t i = 0; i < ap->parts.len; i++)
		parts[i] = with_params(s, ap->parts.items[i]);
	for (size_t i = 0; probe_types[i]; i++) {
		struct collector c = {s, out, probe_types[i], ap->span};

		if (target_glob(ap->provider, probe_types[i]->name))
			probe_expand(probe_types[i], s->target, parts, ap->parts.len, collect, &c,
				     err, sizeof(err));
	}
	if (out->v.len == before && !out->dead && !out->filtered)
		not_found(s, ap, arena_printf(s->arena, "No matches for %s.", ap->text), out);
}

static void expand_point(struct sema *s, const struct ast_attach_point *ap, struct sema_points *out)
{
	const struct probe_type *type = probe_type_find(ap->provider);

	if (type)
		expand_type(s, ap, type, out);
	else if (target_has_wildcard(ap->provider))
		expand_wild_provider(s, ap, out);
	else
		unknown_provider(s, ap);
}

void sema_find_points(struct sema *s, struct ast_probe *probe, struct sema_points *out)
{
	unsigned errors = s->diags->errors;

	for (size_t i = 0; i < probe->points.len; i++)
		expand_point(s, probe->points.items[i], out);
	for (size_t i = 0; !out->v.len && i < out->unmatched.len; i++)
		missing(s, out->unmatched.items[i].span, out->unmatched.items[i].err);
	if (!out->v.len && !out->dead && !out->filtered && s->diags->errors == errors &&
	    s->r->config.missing_probes == IMAGE_MISSING_WARN)
		diag_warning(s->diags, probe->span,
			     "Probe has no valid attach points. It is being removed which may "
			     "cause issues with program behavior.");
}
