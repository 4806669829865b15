/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line gives to the script: $1, and getopt() with its named options. */
#include <string.h>
#include <strings.h>

#include "internal.h"

/* ---- positional parameters ---------------------------------------------- */

/* The command line is at fault, not the script. */
#define NOWHERE ((struct span){UINT32_MAX, 0, 0})

const char *sema_param(const struct sema *s, uint64_t n)
{
	return n >= 1 && n <= s->words->params.len ? s->words->params.items[n - 1] : "";
}

/* A number as the language has them, durations too; with a minus, *@negative is set. */
static bool parse_number(const struct sema *s, const char *text, uint64_t *v, bool *negative)
{
	const char *digits = text + (*text == '-');

	*negative = digits != text;
	if (!parse_integer(s->arena, digits, v))
		return false;
	if (*negative && *v > (uint64_t)INT64_MAX + 1)
		return false;
	if (*negative)
		*v = -*v;
	return true;
}

static bool short_enough(struct sema *s, const struct ast_expr *e, const char *text)
{
	if (strlen(text) < IMAGE_MAX_TEXT)
		return true;
	sema_error(s, e->span,
		   "Text that is left to whoever runs a portable image is shorter than %d bytes: "
		   "compile it with --no-portable",
		   IMAGE_MAX_TEXT);
	return false;
}

bool sema_loads_arguments(const struct sema *s)
{
	return s->opts->portable && !s->opts->fixed_arguments;
}

#define FOR_COMPILING "was needed for compiling and is what it was then"

void sema_note_fixed(struct sema *s, struct sema_argument *a, const char *why)
{
	if (!s->opts->portable)
		return;
	a->kind = IMAGE_K_STRING;
	a->fixed = why;
	if (strlen(a->text) < IMAGE_MAX_TEXT)
		sema_argument_row(s, a);
}

static void note_fixed_positional(struct sema *s, const struct ast_expr *e, const char *text)
{
	struct sema_argument a = {.position = (uint32_t)e->u.integer.value, .text = text};

	sema_note_fixed(s, &a, FOR_COMPILING);
}

/* In a portable image it is what is used as: a number, unless it was text when compiled. */
static struct type *load_positional(struct sema *s, struct ast_expr *e, bool is_text)
{
	const char *text = sema_param(s, e->u.integer.value);
	struct sema_argument a = {.kind = is_text ? IMAGE_K_STRING : IMAGE_K_INT,
				  .position = (uint32_t)e->u.integer.value};
	struct sema_reloc r = {.kind = IMAGE_R_ARGUMENT};
	bool negative;

	/* what is given now is what it is when nothing is given later */
	if (is_text)
		a.text = text;
	else if (*text)
		parse_number(s, text, &a.value, &negative);
	if (is_text && !short_enough(s, e, text))
		return NULL;
	r.size = sema_argument_row(s, &a);

	return sema_set_load(
		s, e, is_text ? type_string(s->types, IMAGE_MAX_TEXT) : type_int(s->types, 8, true),
		&r);
}

struct type *sema_positional_text(struct sema *s, struct ast_expr *e)
{
	const char *text = sema_param(s, e->u.integer.value);

	if (sema_loads_arguments(s))
		return load_positional(s, e, true);
	note_fixed_positional(s, e, text);
	sema_set_string(s, e, text);
	return e->type;
}

/* A number where it looks like one, text otherwise. */
struct type *sema_type_positional(struct sema *s, struct ast_expr *e)
{
	const char *text = sema_param(s, e->u.integer.value);
	uint64_t v = 0;
	bool negative = false;

	if (sema_loads_arguments(s))
		return load_positional(s, e, *text && !parse_number(s, text, &v, &negative));
	note_fixed_positional(s, e, text);
	if (!text[0] && !s->include_dead) /* one that is never looked at need not be there */
		sema_warning(s, e->span, "Positional parameter $%llu is empty or not provided.",
			     (unsigned long long)e->u.integer.value);
	if (text[0] && !parse_number(s, text, &v, &negative)) {
		sema_set_string(s, e, text);
		return e->type;
	}
	sema_set_int(e, negative && v ? sema_negative_type(s, (int64_t)v) : sema_literal_type(s, v),
		     v);
	return e->type;
}

/* ---- named options ------------------------------------------------------ */

/* What an option without "=" is worth; told from text by its address. */
static const char bare_option[] = "true";

/* What the command line gives for @name: the text after "=", "true" for none, or NULL. */
static const char *given(const struct sema *s, const char *name)
{
	size_t len = strlen(name);

	/* The last one wins. */
	for (size_t i = s->words->named.len; i-- > 0;) {
		const char *o = s->words->named.items[i];

		if (strncmp(o, name, len))
			continue;
		if (!o[len])
			return bare_option;
		if (o[len] == '=')
			return o + len + 1;
	}
	return NULL;
}

static void bad_value(struct sema *s, struct ast_expr *e, struct sema_getopt *o, const char *what,
		      const char *text)
{
	o->failed = true;
	sema_error(s, NOWHERE, "program command line option --%s %s (value: %s)", o->name, what,
		   text);
	if (s->report)
		diag_note(s->diags, e->span, "what the script takes it for");
}

static void set_bool(struct sema *s, struct ast_expr *e, struct sema_getopt *o, const char *text)
{
	if (!strcasecmp(text, "true") || !strcmp(text, "1"))
		o->value = 1;
	else if (!strcasecmp(text, "false") || !strcmp(text, "0"))
		o->value = 0;
	else
		bad_value(s, e, o, "expects a boolean (e.g. 'true')", text);
}

static void set_number(struct sema *s, struct ast_expr *e, struct sema_getopt *o, const char *text)
{
	bool negative;

	if (parse_number(s, text, &o->value, &negative))
		return;
	bad_value(s, e, o, strcmp(text, "true") ? "invalid integer" : "expects an integer", text);
}

static void apply_given(struct sema *s, struct ast_expr *e, struct sema_getopt *o)
{
	const char *text = given(s, o->name);

	if (!text)
		return;
	if (o->type->kind == IMAGE_K_BOOL)
		set_bool(s, e, o, text);
	else if (o->type->kind == IMAGE_K_STRING && text == bare_option)
		bad_value(s, e, o, "expects a string", text);
	else if (o->type->kind == IMAGE_K_STRING)
		o->text = text;
	else
		set_number(s, e, o, text);
}

/* Fills type and default from the call's second argument. False after an error. */
static bool read_default(struct sema *s, struct ast_expr *e, struct sema_getopt *o)
{
	struct ast_expr *x = sema_nargs(e) > 1 ? sema_arg(e, 1) : NULL;

	o->type = type_simple(s->types, IMAGE_K_BOOL);
	if (!x)
		return true;
	sema_expr(s, x);
	if (!x->type)
		return false;
	if (!x->is_const) {
		sema_error(s, x->span,
			   "Second argument to 'getopt' must be a string literal, integer "
			   "literal, or a boolean literal.");
		return false;
	}
	o->value = x->const_int;
	if (x->type->kind == IMAGE_K_BOOL) {
		o->shown = o->value ? "true" : "false";
	} else if (x->type->kind == IMAGE_K_STRING) {
		o->text = o->shown = x->const_str;
		o->type = x->type;
	} else {
		bool negative = x->type->is_signed && (int64_t)o->value < 0;

		o->type = type_int(s->types, 8, negative);
		o->shown = negative ? arena_printf(s->arena, "%lld", (long long)o->value)
				    : arena_printf(s->arena, "%llu", (unsigned long long)o->value);
	}
	return true;
}

static const char *default_text(const struct sema_getopt *o)
{
	return o->shown ? o->shown : "false";
}

static struct sema_getopt *find_option(struct sema *s, const char *name)
{
	for (size_t i = 0; i < s->options.len; i++)
		if (!strcmp(s->options.items[i]->name, name))
			return s->options.items[i];
	return NULL;
}

static bool same_default(const struct sema_getopt *a, const struct sema_getopt *b)
{
	return a->type->kind == b->type->kind && !strcmp(default_text(a), default_text(b));
}

static struct sema_getopt *add_option(struct sema *s, struct ast_expr *e,
				      const struct sema_getopt *seen)
{
	struct sema_getopt *o = arena_new_of(s->arena, struct sema_getopt);
	struct sema_option row = {
		.name = seen->name, .letter = seen->letter, .default_value = seen->shown};

	*o = *seen;
	o->option = (uint32_t)s->r->options.len;
	o->span = e->span;
	row.kind = o->type->kind;
	vec_push(s->arena, &s->r->options, row);
	vec_push(s->arena, &s->options, o);
	return o;
}

/* The third argument, and whether it agrees with other calls of the same option. */
static bool describe(struct sema *s, struct ast_expr *e, struct sema_getopt *o)
{
	struct sema_option *row = &s->r->options.items[o->option];
	const char *text;

	if (sema_nargs(e) < 3)
		return true;
	if (!sema_expr(s, sema_arg(e, 2)))
		return false;
	text = sema_arg(e, 2)->const_str;
	if (!sema_arg(e, 2)->is_const || !text) {
		sema_error(s, sema_arg(e, 2)->span,
			   "Function 'getopt' requires the third parameter to be a string "
			   "literal.");
		return false;
	}
	if (row->description && strcmp(row->description, text)) {
		sema_error(s, e->span,
			   "Command line option '%s' must have the same description in all "
			   "places it's used.",
			   o->name);
		return false;
	}
	row->description = text;
	return true;
}

static struct type *load_option(struct sema *s, struct ast_expr *e, const struct sema_getopt *o)
{
	enum image_kind kind = o->type->kind;
	struct sema_argument a = {
		.kind = kind,
		.name = o->name,
		.letter = o->letter,
		.describe = s->r->options.items[o->option].description,
		.text = kind == IMAGE_K_STRING ? o->text : "",
		.value = kind == IMAGE_K_STRING ? 0 : o->value,
	};
	struct sema_reloc r = {.kind = IMAGE_R_ARGUMENT, .size = sema_argument_row(s, &a)};

	if (kind == IMAGE_K_STRING && !short_enough(s, e, o->text))
		return NULL;
	return sema_set_load(
		s, e, kind == IMAGE_K_STRING ? type_string(s->types, IMAGE_MAX_TEXT) : o->type, &r);
}

static void note_fixed_option(struct sema *s, const struct sema_getopt *o)
{
	struct sema_argument a = {
		.name = o->name,
		.letter = o->letter,
		.describe = s->r->options.items[o->option].description,
		.text = o->text,
	};

	if (o->type->kind == IMAGE_K_BOOL)
		a.text = o->value ? "true" : "false";
	else if (o->type->kind != IMAGE_K_STRING)
		a.text = arena_printf(s->arena, "%lld", (long long)o->value);
	sema_note_fixed(s, &a, FOR_COMPILING);
}

static struct type *option_value(struct sema *s, struct ast_expr *e, struct sema_getopt *o)
{
	struct sema_getopt now = *o;

	now.failed = false;
	apply_given(s, e, &now);
	if (now.failed)
		return NULL;
	if (sema_loads_arguments(s))
		return load_option(s, e, &now);
	note_fixed_option(s, &now);
	if (o->type->kind == IMAGE_K_STRING)
		sema_set_string(s, e, now.text);
	else
		sema_set_int(e, o->type, now.value);
	return e->type;
}

struct type *sema_check_getopt(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *name = sema_arg(e, 0);
	struct sema_getopt seen = {0}, *o;
	struct sema_option_name written;

	sema_expr(s, name);
	if (!name->type)
		return NULL;
	if (!name->is_const || name->type->kind != IMAGE_K_STRING) {
		sema_error(s, name->span, "First argument to 'getopt' must be a string literal.");
		return NULL;
	}
	written = sema_split_option(s->arena, name->const_str);
	seen.name = written.name;
	seen.letter = written.letter;
	if (!read_default(s, e, &seen))
		return NULL;
	o = find_option(s, seen.name);
	if (!o)
		o = add_option(s, e, &seen);
	else if (!same_default(o, &seen)) {
		sema_error(s, e->span,
			   "Command line option '%s' needs to have the same default value in all "
			   "places it is used. Previous default value: %s",
			   o->name, default_text(o));
		return NULL;
	}
	if (seen.letter)
		o->letter = s->r->options.items[o->option].letter = seen.letter;
	return describe(s, e, o) ? option_value(s, e, o) : NULL;
}

/* ---- the script knows them all? ----------------------------------------- */

static const char *option_name(struct sema *s, const char *given_option)
{
	return arena_strndup(s->arena, given_option, strcspn(given_option, "="));
}

void sema_check_options(struct sema *s)
{
	const char *unknown = NULL, *known = NULL;

	for (size_t i = 0; i < s->words->unknown.len; i++)
		unknown = unknown ? arena_printf(s->arena, "%s, %s", unknown,
						 s->words->unknown.items[i])
				  : s->words->unknown.items[i];
	for (size_t i = 0; i < s->words->named.len; i++) {
		const char *name = option_name(s, s->words->named.items[i]);

		if (find_option(s, name))
			continue;
		unknown = unknown ? arena_printf(s->arena, "%s, --%s", unknown, name)
				  : arena_printf(s->arena, "--%s", name);
	}
	if (!unknown)
		return;
	for (size_t i = 0; i < s->options.len; i++)
		known = known ? arena_printf(s->arena, "%s, --%s", known, s->options.items[i]->name)
			      : arena_printf(s->arena, "--%s", s->options.items[i]->name);
	sema_error(s, NOWHERE, "unexpected program command line options: %s", unknown);
	if (known)
		sema_hint(s, "expected program options: %s", known);
}
