/* SPDX-License-Identifier: Apache-2.0 */
/* The script's arguments: told from the command line of the run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bind/internal.h"
#include "probes/probes.h"

bool parse_argument(const char *text, uint64_t *value)
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

/* What is given for @a: its text, "true" for an option without "=", NULL: nothing. */
static const char *given(const struct image *img, const struct image_argument *a,
			 const struct bind_arguments *args, bool *bare)
{
	const char *name = image_str(img, a->name);
	size_t len = strlen(name);

	*bare = false;
	if (a->position)
		return a->position <= args->nparams ? args->params[a->position - 1] : NULL;
	/* The last one wins. */
	for (size_t i = args->nnamed; i-- > 0;) {
		const char *o = args->named[i];

		if (strncmp(o, name, len))
			continue;
		*bare = !o[len];
		if (!o[len])
			return "true";
		if (o[len] == '=')
			return o + len + 1;
	}
	return NULL;
}

static int bad(const struct image *img, const struct image_argument *a, const char *what,
	       const char *text, char *err)
{
	if (a->position)
		snprintf(err, BIND_ERROR_MAX, "parameter $%u %s (value: %s)", a->position, what,
			 text);
	else
		snprintf(err, BIND_ERROR_MAX, "program command line option --%s %s (value: %s)",
			 image_str(img, a->name), what, text);
	return -EINVAL;
}

static bool parse_bool(const char *text, uint64_t *value)
{
	*value = !strcasecmp(text, "true") || !strcmp(text, "1");
	return *value || !strcasecmp(text, "false") || !strcmp(text, "0");
}

static int check_one(const struct image *img, const struct image_argument *a,
		     const struct bind_arguments *args, char *err)
{
	const char *fixed = image_str(img, a->fixed), *text;
	uint64_t value;
	bool bare;

	text = given(img, a, args, &bare);
	if (!text)
		return 0;
	if (*fixed)
		return bad(img, a, fixed, text, err);
	if (a->kind == IMAGE_K_BOOL && !parse_bool(text, &value))
		return bad(img, a, "expects a boolean (e.g. 'true')", text, err);
	if (a->kind == IMAGE_K_STRING && bare)
		return bad(img, a, "expects a string", text, err);
	if (a->kind == IMAGE_K_STRING && strlen(text) >= IMAGE_MAX_TEXT)
		return bad(img, a, "is too long for a compiled script", text, err);
	if (a->kind == IMAGE_K_INT && !parse_argument(text, &value))
		return bad(img, a, bare ? "expects an integer" : "invalid integer", text, err);
	return 0;
}

static bool is_known(const struct image *img, const char *option)
{
	size_t len = strcspn(option, "=");

	for (uint32_t i = 0; i < img->narguments; i++) {
		const char *name = image_str(img, img->arguments[i].name);

		if (!img->arguments[i].position && !strncmp(name, option, len) && !name[len])
			return true;
	}
	return false;
}

/* The names that there are, behind what is in @err already. */
static void list_names(const struct image *img, char *err)
{
	size_t at = strlen(err);
	bool any = false;

	for (uint32_t i = 0; i < img->narguments && at < BIND_ERROR_MAX; i++) {
		if (img->arguments[i].position)
			continue;
		at += snprintf(err + at, BIND_ERROR_MAX - at, "%s--%s",
			       any ? ", " : "; expected program options: ",
			       image_str(img, img->arguments[i].name));
		any = true;
	}
}

int bind_check_arguments(const struct image *img, const struct bind_arguments *args, char *err)
{
	for (size_t i = 0; i < args->nnamed; i++) {
		if (is_known(img, args->named[i]))
			continue;
		snprintf(err, BIND_ERROR_MAX, "unexpected program command line options: --%.*s",
			 (int)strcspn(args->named[i], "="), args->named[i]);
		list_names(img, err);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < img->narguments; i++) {
		int ret = check_one(img, &img->arguments[i], args, err);

		if (ret)
			return ret;
	}
	return 0;
}

int argument_reloc(const struct image *img, const struct image_reloc *r,
		   const struct bind_arguments *args, uint64_t *value)
{
	const struct image_argument *a;
	char padded[IMAGE_MAX_TEXT] = "";
	const char *text;
	bool bare;

	if (r->kind == IMAGE_R_NARGUMENTS) {
		*value = args->nparams ? args->nparams : r->value;
		return 0;
	}
	a = &img->arguments[r->size];
	text = *image_str(img, a->fixed) ? NULL : given(img, a, args, &bare);
	*value = a->value;
	if (a->kind == IMAGE_K_BOOL && text)
		parse_bool(text, value);
	else if (a->kind == IMAGE_K_INT && text)
		parse_argument(text, value);
	if (a->kind != IMAGE_K_STRING)
		return 0;
	/* its length was checked */
	snprintf(padded, sizeof(padded), "%s", text ? text : image_str(img, a->text));
	if (r->kind == IMAGE_R_TEXT)
		memcpy(value, padded + r->value * 8, 8);
	else if (r->kind == IMAGE_R_ARGUMENT_IS)
		*value = !strcmp(padded, image_str(img, r->b));
	else
		*value = strlen(padded);
	return 0;
}
