/* SPDX-License-Identifier: Apache-2.0 */
/* The script's arguments: told from the command line of the run. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bind/internal.h"
#include "probes/probes.h"

/* ---- words to rows, as src/sema/words.c does with a script's ------------------------- */

static const struct image_argument *arguments(const struct binding *bi)
{
	return bi->img->arguments;
}

static int unknown(struct binding *bi, const char *dashes, const char *name, size_t len)
{
	const struct image_argument *a = arguments(bi);
	bool any = false;
	size_t at =
		snprintf(bi->err, BIND_ERROR_MAX, "unexpected program command line options: %s%.*s",
			 dashes, (int)len, name);

	for (uint32_t i = 0; i < bi->img->narguments && at < BIND_ERROR_MAX; i++) {
		if (a[i].position)
			continue;
		at += snprintf(
			bi->err + at, BIND_ERROR_MAX - at, "%s--%s",
			any ? ", " : "; expected program options: ", image_str(bi->img, a[i].name));
		any = true;
	}
	return -EINVAL;
}

static uint32_t by_letter(const struct binding *bi, char letter)
{
	for (uint32_t i = 0; i < bi->img->narguments; i++)
		if (letter && arguments(bi)[i].letter == (unsigned char)letter)
			return i;
	return IMAGE_NONE;
}

static uint32_t by_name(const struct binding *bi, const char *name, size_t len)
{
	for (uint32_t i = 0; i < bi->img->narguments; i++) {
		const char *own = image_str(bi->img, arguments(bi)[i].name);

		if (!arguments(bi)[i].position && !strncmp(own, name, len) && !own[len])
			return i;
	}
	return IMAGE_NONE;
}

static bool is_flag(const struct binding *bi, uint32_t row)
{
	return arguments(bi)[row].kind == IMAGE_K_BOOL;
}

/* The last one wins. */
static void give(struct binding *bi, uint32_t row, const char *value)
{
	bi->given[row].text = value ? value : "true";
	bi->given[row].bare = !value;
}

/* Each returns how many words it took, or a negative errno. */
static int add_letters(struct binding *bi, const char *word, const char *next)
{
	for (const char *p = word + 1; *p; p++) {
		uint32_t row = by_letter(bi, *p);

		if (row == IMAGE_NONE)
			return unknown(bi, "-", p, 1);
		if (is_flag(bi, row)) {
			give(bi, row, NULL);
			continue;
		}
		give(bi, row, p[1] ? p + 1 + (p[1] == '=') : next);
		return p[1] || !next ? 1 : 2;
	}
	return 1;
}

static int add_option(struct binding *bi, const char *name, const char *next)
{
	size_t len = strcspn(name, "=");
	uint32_t row = by_name(bi, name, len);

	if (row == IMAGE_NONE)
		return unknown(bi, "--", name, len);
	if (name[len]) {
		give(bi, row, name + len + 1);
		return 1;
	}
	if (!next || !arguments(bi)[row].letter || is_flag(bi, row)) {
		give(bi, row, NULL);
		return 1;
	}
	give(bi, row, next);
	return 2;
}

static int add_param(struct binding *bi, const char *word)
{
	bi->nparams++;
	for (uint32_t i = 0; i < bi->img->narguments; i++)
		if (arguments(bi)[i].position == bi->nparams)
			give(bi, i, word);
	return 1;
}

static bool has_letters(const struct binding *bi)
{
	for (uint32_t i = 0; i < bi->img->narguments; i++)
		if (arguments(bi)[i].letter)
			return true;
	return false;
}

static int add_word(struct binding *bi, const char *word, const char *next)
{
	if (!strncmp(word, "--", 2))
		return add_option(bi, word + 2, next);
	if (has_letters(bi) && word[0] == '-' && isalpha((unsigned char)word[1]))
		return add_letters(bi, word, next);
	return add_param(bi, word);
}

/* ---- what they say ----------------------------------------------------------------------- */

/* As the language writes numbers, durations too. */
static bool parse_number(const char *text, uint64_t *value)
{
	bool negative = *text == '-';
	char why[128];

	if (probe_parse_uint(text + negative, value, why, sizeof(why)))
		return false;
	if (negative && *value > (uint64_t)INT64_MAX + 1)
		return false;
	if (negative)
		*value = -*value;
	return true;
}

static bool parse_bool(const char *text, uint64_t *value)
{
	*value = !strcasecmp(text, "true") || !strcmp(text, "1");
	return *value || !strcasecmp(text, "false") || !strcmp(text, "0");
}

static int bad(const struct binding *bi, const struct image_argument *a, const char *what,
	       const char *text)
{
	if (a->position)
		snprintf(bi->err, BIND_ERROR_MAX, "parameter $%u %s (value: %s)", a->position, what,
			 text);
	else
		snprintf(bi->err, BIND_ERROR_MAX, "program command line option --%s %s (value: %s)",
			 image_str(bi->img, a->name), what, text);
	return -EINVAL;
}

static int check(const struct binding *bi, uint32_t row)
{
	const struct image_argument *a = &arguments(bi)[row];
	const char *fixed = image_str(bi->img, a->fixed), *text = bi->given[row].text;
	bool bare = bi->given[row].bare;
	uint64_t value;

	if (!text)
		return 0;
	if (*fixed)
		return strcmp(text, image_str(bi->img, a->text)) ? bad(bi, a, fixed, text) : 0;
	if (a->kind == IMAGE_K_BOOL && !parse_bool(text, &value))
		return bad(bi, a, "expects a boolean (e.g. 'true')", text);
	if (a->kind == IMAGE_K_STRING && bare)
		return bad(bi, a, "expects a string", text);
	if (a->kind == IMAGE_K_STRING && strlen(text) >= IMAGE_MAX_TEXT)
		return bad(bi, a, "is too long for a compiled script", text);
	if (a->kind == IMAGE_K_INT && !parse_number(text, &value))
		return bad(bi, a, bare ? "expects an integer" : "invalid integer", text);
	return 0;
}

int sort_arguments(struct binding *bi, const struct bind_arguments *args)
{
	int ret = 0;

	bi->given = calloc(bi->img->narguments + 1, sizeof(*bi->given));
	if (!bi->given)
		return -ENOMEM;
	for (size_t i = 0; i < args->nwords && ret >= 0; i += ret)
		ret = add_word(bi, args->words[i],
			       i + 1 < args->nwords ? args->words[i + 1] : NULL);
	for (uint32_t i = 0; i < bi->img->narguments && ret >= 0; i++)
		ret = check(bi, i);
	return ret < 0 ? ret : 0;
}

int argument_reloc(const struct binding *bi, const struct image_reloc *r, uint64_t *value)
{
	const struct image_argument *a;
	char padded[IMAGE_MAX_TEXT] = "";
	const char *text;

	if (r->kind == IMAGE_R_NARGUMENTS) {
		*value = bi->nparams ? bi->nparams : r->value;
		return 0;
	}
	a = &arguments(bi)[r->size];
	text = *image_str(bi->img, a->fixed) ? NULL : bi->given[r->size].text;
	*value = a->value;
	if (a->kind == IMAGE_K_BOOL && text)
		parse_bool(text, value);
	else if (a->kind == IMAGE_K_INT && text)
		parse_number(text, value);
	if (a->kind != IMAGE_K_STRING)
		return 0;
	/* its length was checked */
	snprintf(padded, sizeof(padded), "%s", text ? text : image_str(bi->img, a->text));
	if (r->kind == IMAGE_R_TEXT)
		memcpy(value, padded + r->value * 8, 8);
	else if (r->kind == IMAGE_R_ARGUMENT_IS)
		*value = !strcmp(padded, image_str(bi->img, r->b));
	else
		*value = strlen(padded);
	return 0;
}
