/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/list.h"

#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "probes/probes.h"
#include "types/types.h"

struct lister {
	struct target *target;
	struct arena *arena;
	struct types *types; /* NULL: names only */
	size_t printed;
};

/* ---- one probe ---------------------------------------------------------------- */

static struct type *tracepoint_args(struct types *ts, const struct probe_point *p, char *err,
				    size_t errlen)
{
	return types_tracepoint_args(ts, p->parts[0], p->parts[1], false, err, errlen);
}

static struct type *raw_tracepoint_args(struct types *ts, const struct probe_point *p, char *err,
					size_t errlen)
{
	return types_raw_tracepoint_args(ts, p->target, err, errlen);
}

static struct type *fentry_args(struct types *ts, const struct probe_point *p, char *err,
				size_t errlen)
{
	return types_function_args(ts, p->parts[1], false, err, errlen);
}

static struct type *fexit_args(struct types *ts, const struct probe_point *p, char *err,
			       size_t errlen)
{
	return types_function_args(ts, p->parts[1], true, err, errlen);
}

static struct type *uprobe_args(struct types *ts, const struct probe_point *p, char *err,
				size_t errlen)
{
	return types_program_args(ts, p->parts[0], (uint64_t)p->arg[0], err, errlen);
}

static const struct {
	enum image_attach_kind attach;
	struct type *(*args)(struct types *ts, const struct probe_point *p, char *err,
			     size_t errlen);
} arg_readers[] = {
	{IMAGE_AT_TRACEPOINT, tracepoint_args}, {IMAGE_AT_RAW_TP, raw_tracepoint_args},
	{IMAGE_AT_FENTRY, fentry_args},         {IMAGE_AT_FEXIT, fexit_args},
	{IMAGE_AT_UPROBE, uprobe_args},
};

static void print_args(struct lister *l, const struct probe_point *p)
{
	struct type *args = NULL;
	char err[256];

	for (size_t i = 0; i < sizeof(arg_readers) / sizeof(*arg_readers); i++)
		if (arg_readers[i].attach == p->attach)
			args = arg_readers[i].args(l->types, p, err, sizeof(err));
	if (args)
		types_print_fields(l->types, args, stdout);
}

static int print_probe(const struct probe_point *p, void *arg)
{
	struct lister *l = arg;

	puts(p->name);
	l->printed++;
	if (l->types)
		print_args(l, p);
	return 0;
}

/* ---- struct, union and enum ------------------------------------------------------ */

static void collect(void *ctx, const char *fmt, va_list args)
{
	vfprintf(ctx, fmt, args);
}

/* Prints the last definition in @text: the one asked for, after those that it needs. */
static void print_last_definition(const char *text, const char *spelling)
{
	const char *found = NULL;
	size_t len = strlen(spelling);

	for (const char *p = text; (p = strstr(p, spelling)); p += len)
		if ((p == text || p[-1] == '\n') && !strncmp(p + len, " {", 2))
			found = p;
	if (found)
		printf("vmlinux: %.*s\n\n", (int)(strstr(found, "\n}") + 3 - found), found);
}

static int print_definition(const struct btf *btf, int id, const char *spelling)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct btf_dump *d = f ? btf_dump__new(btf, collect, f, NULL) : NULL;
	int err = d ? btf_dump__dump_type(d, id) : -ENOMEM;

	btf_dump__free(d);
	if (f)
		fclose(f);
	if (!err)
		print_last_definition(text, spelling);
	free(text);
	return err;
}

static const struct {
	const char *tag;
	unsigned kinds[2];
} type_tags[] = {
	{"struct ", {BTF_KIND_STRUCT, BTF_KIND_STRUCT}},
	{"union ", {BTF_KIND_UNION, BTF_KIND_UNION}},
	{"enum ", {BTF_KIND_ENUM, BTF_KIND_ENUM64}},
};

/* Prints the type if @pattern names one ("struct request"). Returns whether it does. */
static bool list_type(struct target *t, const char *pattern)
{
	const struct btf *btf;

	for (size_t i = 0; i < sizeof(type_tags) / sizeof(*type_tags); i++) {
		const char *tag = type_tags[i].tag;

		if (strncmp(pattern, tag, strlen(tag)))
			continue;
		btf = target_btf(t);
		for (int k = 0; btf && k < 2; k++) {
			int id = btf__find_by_name_kind(btf, pattern + strlen(tag),
							type_tags[i].kinds[k]);

			if (id > 0 && !print_definition(btf, id, pattern))
				break;
		}
		return true;
	}
	return false;
}

/* ---- searching --------------------------------------------------------------------- */

/*
 * The pattern as the lists know it: aliases of the probe type replaced by its name, "*:" put
 * in front where there is no type. In the arena.
 */
static const char *full_pattern(struct arena *a, const char *pattern)
{
	const char *colon = strchr(pattern, ':');
	const struct probe_type *type;

	if (!*pattern || !strcmp(pattern, "*"))
		return "*:*";
	if (!colon)
		return arena_printf(a, "*:%s", pattern);
	type = probe_type_find(arena_strndup(a, pattern, colon - pattern));
	return type ? arena_printf(a, "%s%s", type->name, colon) : pattern;
}

/* Types that a kernel may be without. */
static const struct {
	const char *type;
	enum target_feature feature;
} type_features[] = {
	{"kprobe", TARGET_F_KPROBE},        {"kretprobe", TARGET_F_KPROBE},
	{"fentry", TARGET_F_FENTRY},        {"fexit", TARGET_F_FENTRY},
	{"rawtracepoint", TARGET_F_RAW_TP}, {"iter", TARGET_F_ITER},
};

/* Nothing found is no error; where the kernel is why, that is told. */
static void warn_of_nothing(struct lister *l, const char *provider, const char *pattern)
{
	for (size_t i = 0; i < sizeof(type_features) / sizeof(*type_features); i++) {
		if (strcmp(type_features[i].type, provider) ||
		    target_has(l->target, type_features[i].feature))
			continue;
		cli_warning("No probe matches '%s': this kernel cannot attach %s probes", pattern,
			    provider);
		return;
	}
	if (!target_has_wildcard(provider) && !probe_type_find(provider))
		cli_warning("No probe matches '%s': there is no probe type '%s'", pattern,
			    provider);
}

static void list_pattern(struct lister *l, const char *written)
{
	const char *pattern = full_pattern(l->arena, written);
	const char *provider = arena_strndup(l->arena, pattern, strcspn(pattern, ":"));
	size_t before = l->printed;

	for (size_t i = 0; probe_types[i]; i++) {
		const struct probe_type *type = probe_types[i];

		/* A list that cannot be read is no list. */
		if (type->list && target_glob(provider, type->name))
			type->list(l->target, pattern, print_probe, l);
	}
	if (l->printed == before)
		warn_of_nothing(l, provider, written);
}

static const char *trimmed(struct arena *a, const char *s, size_t len)
{
	while (len && isspace((unsigned char)*s))
		s++, len--;
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	return arena_strndup(a, s, len);
}

static void lister_init(struct lister *l, struct target *t, bool verbose)
{
	*l = (struct lister){.target = t, .arena = arena_new()};
	if (verbose)
		l->types = types_new(l->arena, t);
}

static void warn_of_file_name(const char *search)
{
	if (strchr(search, '.') && !strpbrk(search, ":*"))
		cli_warning("It appears that '%s' is a filename but the file does not exist. "
			    "Treating '%s' as a search pattern.",
			    search, search);
}

int cli_list_search(struct target *t, const char *search, bool verbose)
{
	struct lister l;
	const char *p = search ? search : "";

	warn_of_file_name(p);
	lister_init(&l, t, verbose);
	for (;;) {
		size_t len = strcspn(p, ",");
		const char *pattern = trimmed(l.arena, p, len);

		if (!list_type(t, pattern))
			list_pattern(&l, pattern);
		if (!p[len])
			break;
		p += len + 1;
	}
	arena_free(l.arena);
	return 0;
}

/* ---- a script's probes ---------------------------------------------------------------- */

/* Timers and counters are listed without their number: "interval:s:". */
static bool has_number(const struct probe_type *type)
{
	return type->list && type->flags & PROBE_NO_WILDCARD;
}

static void print_numbered(const char *name)
{
	const char *last = strrchr(name, ':');

	if (last && strchr(name, ':') != last)
		printf("%.*s\n", (int)(last + 1 - name), name);
	else
		puts(name);
}

static void list_probe(struct lister *l, const struct sema_probe *p)
{
	const struct probe_type *type = probe_type_find(p->type);
	size_t before = l->printed;

	if (!type || type->flags & PROBE_SPECIAL)
		return;
	if (has_number(type)) {
		print_numbered(p->name);
		return;
	}
	/* Its arguments are known to the list of its type. */
	if (l->types && type->list)
		type->list(l->target, p->name, print_probe, l);
	if (l->printed == before)
		puts(p->name);
}

int cli_list_script(struct target *t, const struct sema_result *r, bool verbose)
{
	struct lister l;

	lister_init(&l, t, verbose);
	for (size_t i = 0; i < r->probes.len; i++)
		list_probe(&l, &r->probes.items[i]);
	arena_free(l.arena);
	return 0;
}
