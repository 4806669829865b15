/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config variables: one table of names, kinds and places in struct sema_config,
 * set from the config block first and from the environment after it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum config_kind {
	CONF_NUMBER,
	CONF_BOOL,
	CONF_STRING,
	CONF_WORD,     /* the value's place in words[] */
	CONF_LICENSE,  /* a string that must be one of words[] */
	CONF_UNSTABLE, /* accepted and checked; nothing here is unstable */
};

struct config_row {
	const char *name;
	enum config_kind kind;
	size_t offset; /* in struct sema_config; SIZE_MAX: not kept */
	const char *const *words;
	const char *expects; /* the words as the message lists them */
	const char *env;     /* besides BPFTRACE_NAME */
};

#define AT(field) offsetof(struct sema_config, field)
#define NOWHERE   SIZE_MAX

static const struct config_row table[] = {
	{"cache_user_symbols", CONF_WORD, AT(cache_user_symbols),
	 WORDS("none", "per_pid", "per_program"), "PER_PID, PER_PROGRAM, and NONE"},
	{"cpp_demangle", CONF_BOOL, AT(cpp_demangle)},
	{"lazy_symbolication", CONF_BOOL, AT(lazy_symbolication)},
	{"license", CONF_LICENSE, AT(license),
	 WORDS("Dual MIT/GPL", "Dual BSD/GPL", "Dual MPL/GPL", "GPL and additional rights",
	       "GPL v2", "GPL")},
	{"log_size", CONF_NUMBER, AT(log_size)},
	{"max_bpf_progs", CONF_NUMBER, AT(max_bpf_progs)},
	{"max_cat_bytes", CONF_NUMBER, AT(max_cat_bytes)},
	{"max_map_keys", CONF_NUMBER, AT(max_map_keys)},
	{"max_probes", CONF_NUMBER, AT(max_probes)},
	{"max_strlen", CONF_NUMBER, AT(max_strlen)},
	{"missing_probes", CONF_WORD, AT(missing_probes), WORDS("error", "warn", "ignore"),
	 "ignore, warn, and error"},
	{"on_stack_limit", CONF_NUMBER, AT(on_stack_limit)},
	{"perf_rb_pages", CONF_NUMBER, AT(perf_rb_pages)},
	{"print_maps_on_exit", CONF_BOOL, AT(print_maps_on_exit)},
	{"show_debug_info", CONF_BOOL, AT(show_debug_info)},
	{"stack_mode", CONF_WORD, AT(stack_mode), WORDS("bpftrace", "perf", "raw", "build_id"),
	 "bpftrace, raw, perf, and build_id"},
	{"str_trunc_trailer", CONF_STRING, AT(str_trunc_trailer)},
	{"sync_probes", CONF_BOOL, AT(sync_probes), .env = "BTRUN_SYNC"},
	{"use_blazesym", CONF_BOOL, AT(use_blazesym)},
	{"unstable_dw_ustack", CONF_UNSTABLE, NOWHERE},
	{"unstable_import_statement", CONF_UNSTABLE, NOWHERE},
	{"unstable_tseries", CONF_UNSTABLE, NOWHERE},
	{"unstable_typeinfo", CONF_UNSTABLE, NOWHERE},
};
#define NROWS (sizeof(table) / sizeof(table[0]))

static const char *const names[NROWS + 1] = {
	"cache_user_symbols",
	"cpp_demangle",
	"lazy_symbolication",
	"license",
	"log_size",
	"max_bpf_progs",
	"max_cat_bytes",
	"max_map_keys",
	"max_probes",
	"max_strlen",
	"missing_probes",
	"on_stack_limit",
	"perf_rb_pages",
	"print_maps_on_exit",
	"show_debug_info",
	"stack_mode",
	"str_trunc_trailer",
	"sync_probes",
	"use_blazesym",
	"unstable_dw_ustack",
	"unstable_import_statement",
	"unstable_tseries",
	"unstable_typeinfo",
	NULL,
};

/* Old names that still work, with a warning. */
static const struct {
	const char *old, *now;
} renamed[] = {
	{"strlen", "max_strlen"},
	{"no_cpp_demangle", "cpp_demangle"},
	{"cat_bytes_max", "max_cat_bytes"},
	{"map_keys_max", "max_map_keys"},
};

/* Old names that do nothing any more. */
static const char *const retired[] = {
	"symbol_source",
	"max_type_res_iterations",
	"unstable_addr",
	"unstable_import",
	"unstable_macro",
	"unstable_map_decl",
	NULL,
};

static const char *const environment_only[] = {"btf", "kernel_build", "kernel_source", "vmlinux",
					       NULL};

const char *const *sema_config_names(void)
{
	return names;
}

void sema_config_defaults(struct sema_config *c)
{
	*c = (struct sema_config){
		.cache_user_symbols = 1,
		.cpp_demangle = 1,
		.log_size = 1000000,
		.max_bpf_progs = 1024,
		.max_cat_bytes = 10240,
		.max_map_keys = 4096,
		.max_probes = 1024,
		.max_strlen = 1024,
		.missing_probes = IMAGE_MISSING_ERROR,
		.on_stack_limit = 32,
		.stack_mode = IMAGE_STACK_BPFTRACE,
		.print_maps_on_exit = 1,
		.show_debug_info = 1,
		.sync_probes = 1,
		.license = "GPL",
		.str_trunc_trailer = "..",
	};
}

static bool listed(const char *const *list, const char *word)
{
	for (; *list; list++)
		if (!strcmp(*list, word))
			return true;
	return false;
}

/* Lower case, and without the environment's prefix. */
static const char *plain_name(struct sema *s, const char *name)
{
	char *low = arena_strdup(s->arena, name);

	for (char *p = low; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return strncmp(low, "bpftrace_", 9) ? low : low + 9;
}

static const struct config_row *find_row(const char *name)
{
	for (size_t i = 0; i < NROWS; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

static bool parse_number(const char *text, uint64_t *v)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*v = strtoull(text, &end, 0);
	return !errno && !*end;
}

static bool parse_bool(const char *text, uint64_t *v)
{
	uint64_t n;

	if (!strcasecmp(text, "true") || !strcasecmp(text, "false")) {
		*v = !strcasecmp(text, "true");
		return true;
	}
	if (!parse_number(text, &n))
		return false;
	*v = n != 0;
	return true;
}

static bool parse_word(const struct config_row *row, const char *text, uint64_t *v)
{
	for (size_t i = 0; row->words[i]; i++) {
		if (!strcasecmp(row->words[i], text)) {
			*v = i;
			return true;
		}
	}
	/* "0" has always switched the cache off, "1" left it as it is. */
	if (row->offset != AT(cache_user_symbols) || (strcmp(text, "0") && strcmp(text, "1")))
		return false;
	*v = text[0] == '1';
	return true;
}

static const char *unstable_problem(const char *text)
{
	uint64_t v;

	if (parse_bool(text, &v) || !strcasecmp(text, "enable") || !strcasecmp(text, "warn") ||
	    !strcasecmp(text, "error"))
		return NULL;
	return "Invalid value for unstable config: valid values are enable, warn, and error.";
}

static const char *license_problem(struct sema *s, const struct config_row *row, const char *text)
{
	const char *all = row->words[0];

	if (listed(row->words, text))
		return NULL;
	for (size_t i = 1; row->words[i]; i++)
		all = arena_printf(s->arena, "%s, %s", all, row->words[i]);
	return arena_printf(s->arena,
			    "Invalid value for license. Found: %s. Valid values: %s. Read more "
			    "about BPF programs and licensing: https://docs.kernel.org/bpf/"
			    "bpf_licensing.html#using-bpf-programs-in-the-linux-kernel",
			    text, all);
}

/* Sets a row from text. Returns NULL, or what is wrong with the value. */
static const char *set_row(struct sema *s, const struct config_row *row, const char *text)
{
	struct sema_config *c = &s->r->config;
	void *place = row->offset == NOWHERE ? NULL : (char *)c + row->offset;
	const char *problem;

	switch (row->kind) {
	case CONF_NUMBER:
		if (!parse_number(text, place))
			return arena_printf(s->arena, "%s: expecting a number, got %s", row->name,
					    text);
		return NULL;
	case CONF_BOOL:
		if (!parse_bool(text, place))
			return arena_printf(s->arena,
					    "%s: Invalid bool value: valid values are true, "
					    "false, 1 or 0.",
					    row->name);
		return NULL;
	case CONF_WORD:
		if (!parse_word(row, text, place))
			return arena_printf(s->arena,
					    "%s: Invalid value for %s: valid values are %s.",
					    row->name, row->name, row->expects);
		return NULL;
	case CONF_LICENSE:
		problem = license_problem(s, row, text);
		if (!problem)
			*(const char **)place = text;
		return problem;
	case CONF_STRING:
		*(const char **)place = text;
		return NULL;
	case CONF_UNSTABLE:
		problem = unstable_problem(text);
		return problem ? arena_printf(s->arena, "%s: %s", row->name, problem) : NULL;
	}
	return NULL;
}

static void unknown_name(struct sema *s, const struct ast_config_item *it, const char *name)
{
	const char *near = diag_did_you_mean(name, names);

	if (listed(environment_only, name)) {
		diag_error(s->diags, it->span, "%s: can only be set as an environment variable",
			   it->name);
		return;
	}
	diag_error(s->diags, it->span, "%s: not a known configuration option", it->name);
	if (near)
		diag_hint(s->diags, "Did you mean: %s?", near);
}

static void set_item(struct sema *s, const struct ast_config_item *it)
{
	const char *name = plain_name(s, it->name);
	const struct config_row *row;
	const char *problem;

	if (listed(retired, name)) {
		diag_warning(s->diags, it->span, "%s is deprecated and has no effect", it->name);
		return;
	}
	for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++) {
		if (strcmp(renamed[i].old, name))
			continue;
		name = renamed[i].now;
		diag_warning(s->diags, it->span, "%s has been renamed, please use %s", it->name,
			     name);
	}
	row = find_row(name);
	if (!row) {
		unknown_name(s, it, name);
		return;
	}
	problem = set_row(s, row, it->value);
	if (problem)
		diag_error(s->diags, it->span, "%s", problem);
}

static const char *env_name(struct sema *s, const struct config_row *row)
{
	char *name = arena_printf(s->arena, "BPFTRACE_%s", row->name);

	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return name;
}

static const char *look_up(struct sema *s, const char *name)
{
	return s->opts->getenv ? s->opts->getenv(name, s->opts->getenv_arg) : getenv(name);
}

static void set_from_environment(struct sema *s, const struct config_row *row, const char *name)
{
	const char *text = look_up(s, name);
	const char *problem;

	if (!text)
		return;
	problem = set_row(s, row, arena_strdup(s->arena, text));
	if (problem)
		diag_error(s->diags, (struct span){0}, "%s (environment variable %s)", problem,
			   name);
}

static void check_limits(struct sema *s)
{
	struct sema_config *c = &s->r->config;

	/* Sizes beyond these would not fit what the kernel takes; see struct image_type. */
	if (c->max_strlen < 1 || c->max_strlen > (1u << 20))
		diag_error(s->diags, (struct span){0},
			   "max_strlen: must be between 1 and 1048576, got %llu",
			   (unsigned long long)c->max_strlen);
	if (c->max_map_keys < 1 || c->max_map_keys > UINT32_MAX)
		diag_error(s->diags, (struct span){0},
			   "max_map_keys: must be between 1 and 4294967295, got %llu",
			   (unsigned long long)c->max_map_keys);
}

void sema_config_run(struct sema *s)
{
	for (size_t i = 0; i < s->ast->config.len; i++)
		set_item(s, &s->ast->config.items[i]);
	for (size_t i = 0; i < NROWS; i++) {
		set_from_environment(s, &table[i], env_name(s, &table[i]));
		if (table[i].env)
			set_from_environment(s, &table[i], table[i].env);
	}
	if (!s->opts->sync)
		s->r->config.sync_probes = 0;
	s->r->config.test_clock = look_up(s, "BPFTRACE_DUMMY_TS_MAP");
	check_limits(s);
}

bool sema_config_setting(struct sema *s, size_t i, struct sema_setting *set)
{
	const struct config_row *row = i < NROWS ? &table[i] : NULL;
	const void *place;

	if (!row)
		return false;
	*set = (struct sema_setting){.name = row->name, .is_bool = row->kind == CONF_BOOL};
	if (row->kind == CONF_UNSTABLE) {
		set->text = "enable";
		return true;
	}
	place = (const char *)&s->r->config + row->offset;
	if (row->kind == CONF_STRING || row->kind == CONF_LICENSE)
		set->text = *(const char *const *)place;
	else
		set->number = *(const uint64_t *)place;
	if (row->kind == CONF_WORD)
		set->text = row->words[set->number];
	if (row->kind == CONF_LICENSE && !set->text)
		set->text = "GPL";
	return true;
}
