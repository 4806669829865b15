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
	const struct ast_attach_point *from;
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
	struct sema_point pt = {.type = c->type, .p = *p, .span = c->span, .from = c->from};

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

/* Whether a part is made of a parameter that was not given. */
static bool lacks_params(struct sema *s, const struct ast_attach_point *ap)
{
	for (size_t i = 0; i < ap->parts.len; i++) {
		const char *dollar = strchr(ap->parts.items[i], '$');

		if (dollar && dollar[1] >= '1' && dollar[1] <= '9' &&
		    !*sema_param(s, strtoul(dollar + 1, NULL, 10)))
			return true;
	}
	return false;
}

/* Parameters of attach points are those of compiling: @part is where one stands. */
static void note_fixed(struct sema *s, const char *part)
{
	for (const char *dollar = part; (dollar = strchr(dollar, '$')); dollar++) {
		struct sema_argument a = {.position = (uint32_t)strtoul(dollar + 1, NULL, 10)};

		a.text = sema_param(s, a.position);
		if (a.position)
			sema_note_fixed(
				s, &a,
				"is part of an attach point and was fixed when the script was "
				"compiled");
	}
}

/* The point with parameters in their places. */
static const struct ast_attach_point *written_out(struct sema *s, const struct ast_attach_point *ap)
{
	struct ast_attach_point *out = arena_new_of(s->arena, struct ast_attach_point);

	*out = *ap;
	out->parts.len = out->parts.cap = 0;
	out->parts.items = NULL;
	for (size_t i = 0; i < ap->parts.len; i++) {
		note_fixed(s, ap->parts.items[i]);
		vec_push(s->arena, &out->parts, with_params(s, ap->parts.items[i]));
	}
	return out;
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

bool sema_has_wildcard(const struct ast_attach_point *ap)
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

	if (sema_has_wildcard(ap))
		vec_push(s->arena, &out->unmatched, m);
	else
		missing(s, ap->span, err);
}

static void expand_type(struct sema *s, const struct ast_attach_point *ap,
			const struct probe_type *type, struct sema_points *out)
{
	const char **parts = arena_alloc(s->arena, (ap->parts.len + 1) * sizeof(*parts));
	struct collector c = {s, out, type, ap->span, written_out(s, ap)};
	char err[256] = "";
	int rc;

	for (size_t i = 0; i < ap->parts.len; i++)
		parts[i] = c.from->parts.items[i];
	rc = probe_expand(type, s->target, parts, ap->parts.len, collect, &c, err, sizeof(err));
	if (!rc)
		return;
	if (!err[0])
		snprintf(err, sizeof(err), "%s: %s", ap->text, strerror(-rc));
	if (out->dead && (rc != -EINVAL || lacks_params(s, ap)))
		return;
	if (rc == -ENOENT)
		not_found(s, ap, err, out);
	else
		diag_error(s->diags, ap->span, "%s", err);
}

static void unknown_provider(struct sema *s, const struct ast_attach_point *ap)
{
	const char *near = diag_did_you_mean(ap->provider, probe_type_names());

	if (!*ap->provider) {
		diag_error(s->diags, ap->span, "No probe is given: '%s' is empty", ap->text);
		return;
	}
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
	const struct ast_attach_point *from = written_out(s, ap);
	char err[256];

	for (size_t i = 0; i < ap->parts.len; i++)
		parts[i] = from->parts.items[i];
	for (size_t i = 0; probe_types[i]; i++) {
		struct collector c = {s, out, probe_types[i], ap->span, from};

		if (target_glob(ap->provider, probe_types[i]->name))
			probe_expand(probe_types[i], s->target, parts, ap->parts.len, collect, &c,
				     err, sizeof(err));
	}
	if (out->v.len == before && !out->dead && !out->filtered)
		not_found(s, ap, arena_printf(s->arena, "No matches for %s.", ap->text), out);
}

/* A parameter in the provider's place may hold the whole attach point, or its first parts. */
static const struct ast_attach_point *filled_in(struct sema *s, const struct ast_attach_point *ap)
{
	char *text = arena_strdup(s->arena, with_params(s, ap->provider));
	struct ast_attach_point *full;
	char *colon;

	if (!strcmp(text, ap->provider))
		return ap;
	full = arena_new_of(s->arena, struct ast_attach_point);
	*full = *ap;
	full->parts.items = NULL;
	full->parts.len = full->parts.cap = 0;
	full->provider = text;
	while ((colon = strchr(text, ':'))) {
		*colon = '\0';
		text = colon + 1;
		colon = strchr(text, ':');
		vec_push(s->arena, &full->parts,
			 colon ? arena_strndup(s->arena, text, colon - text) : text);
	}
	for (size_t i = 0; i < ap->parts.len; i++)
		vec_push(s->arena, &full->parts, ap->parts.items[i]);
	return full;
}

static void expand_point(struct sema *s, const struct ast_attach_point *ap, struct sema_points *out)
{
	ap = filled_in(s, ap);

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
