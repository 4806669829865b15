/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of tracepoints: the format files of tracefs, a line each
 *   field:const char * filename;	offset:24;	size:8;	signed:0;
 * See Documentation/trace/events.rst of the kernel. Sizes and signs are taken from the
 * line, so that BTF is read for names only that say nothing by themselves.
 */
#include "types/types_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DATA_LOC "__data_loc "
#define REL_LOC  "__rel_loc "

struct format_line {
	const char *decl; /* "char comm[16]" */
	const char *base; /* what stands before the name, const and __data_loc taken away */
	const char *name;
	bool is_array, is_user;
	uint32_t offset, size;
	bool is_signed;
	enum type_field_loc loc;
};

struct format_reader {
	struct types *ts;
	bool syscall; /* category syscalls: pointers come from user space */
	bool raw;     /* the fields are found in registers */
	bool is_exit;
	unsigned nregs; /* fields so far that registers hold */
};

/* ---- one line -------------------------------------------------------------------- */

/* The number after @key in @line. */
static bool find_number(const char *line, const char *key, uint32_t *n)
{
	const char *at = strstr(line, key);

	if (!at || !isdigit((unsigned char)at[strlen(key)]))
		return false;
	*n = strtoul(at + strlen(key), NULL, 10);
	return true;
}

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

/* Takes @word out of @s wherever it stands as a word. Returns whether it was there. */
static bool drop_word(char *s, const char *word)
{
	size_t len = strlen(word);
	bool found = false;

	for (char *at = s; (at = strstr(at, word));) {
		bool starts = at == s || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
		bool ends = !(isalnum((unsigned char)at[len]) || at[len] == '_');

		if (!starts || !ends) {
			at += len;
			continue;
		}
		memset(at, ' ', len);
		found = true;
	}
	return found;
}

/* Splits "char comm[16]" into what stands before the name, the name, and the brackets. */
static bool split_declaration(struct types *ts, struct format_line *l)
{
	char *s = arena_strdup(ts->arena, l->decl), *end, *name;

	end = s + strlen(s);
	while (end > s && end[-1] == ']') {
		while (end > s && *end != '[')
			end--;
		l->is_array = true;
	}
	name = end;
	while (name > s && (isalnum((unsigned char)name[-1]) || name[-1] == '_'))
		name--;
	if (name == end)
		return false;
	l->name = arena_strndup(ts->arena, name, end - name);
	*name = 0;
	/* "__data_loc char[] name": the brackets stand with the type */
	s = trim(s);
	end = strchr(s, '[');
	if (end) {
		l->is_array = true;
		*end = 0;
	}
	l->base = s;
	return true;
}

static void take_prefixes(struct format_line *l)
{
	char *s = (char *)l->base;

	if (!strncmp(s, DATA_LOC, strlen(DATA_LOC))) {
		l->loc = LOC_DATA_LOC;
		s += strlen(DATA_LOC);
	} else if (!strncmp(s, REL_LOC, strlen(REL_LOC))) {
		l->loc = LOC_REL_LOC;
		s += strlen(REL_LOC);
	}
	l->is_user = drop_word(s, "__user");
	drop_word(s, "const");
	drop_word(s, "volatile");
	drop_word(s, "__attribute__((user))");
	l->base = trim(s);
}

/* Returns whether @line (one line, NUL-terminated) describes a field. */
static bool parse_line(struct types *ts, const char *line, struct format_line *l)
{
	const char *field = strstr(line, "field:"), *end;
	uint32_t is_signed;

	memset(l, 0, sizeof(*l));
	l->loc = LOC_CTX;
	if (!field || !(end = strchr(field, ';')))
		return false;
	field += strlen("field:");
	l->decl = trim(arena_strndup(ts->arena, field, end - field));
	if (!find_number(end, "offset:", &l->offset) || !find_number(end, "size:", &l->size) ||
	    !find_number(end, "signed:", &is_signed))
		return false;
	l->is_signed = is_signed;
	if (!split_declaration(ts, l))
		return false;
	take_prefixes(l);
	return true;
}

/* ---- its type ----------------------------------------------------------------------- */

/* "struct foo", "union foo", "enum foo": the name, and the tag in *@tag. */
static const char *split_tag(const char *base, const char **tag)
{
	static const char *const tags[] = {"struct", "union", "enum"};

	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		size_t len = strlen(tags[i]);

		if (!strncmp(base, tags[i], len) && base[len] == ' ') {
			*tag = tags[i];
			return base + len + strspn(base + len, " ");
		}
	}
	*tag = NULL;
	return base;
}

/* What a pointer to @base points to; NULL: void. Structs are looked up when looked into. */
static struct type *pointee(struct types *ts, const char *base)
{
	const char *tag, *name = split_tag(base, &tag);
	struct type *t;

	if (tag && *tag != 'e')
		return type_named_struct(ts, *tag == 's' ? IMAGE_K_STRUCT : IMAGE_K_UNION, name);
	t = types_lookup(ts, tag, name);
	return t && t->kind != IMAGE_K_VOID ? t : NULL;
}

/* The pointer type @base ("char *", "struct foo * *"). */
static struct type *pointer(struct types *ts, const char *base, enum type_space space)
{
	size_t len = strlen(base) - 1;
	char *inner = trim(arena_strndup(ts->arena, base, len));
	bool nested = *inner && inner[strlen(inner) - 1] == '*';

	return type_pointer(ts, nested ? pointer(ts, inner, space) : pointee(ts, inner), space);
}

static bool ends_with_star(const char *base)
{
	return *base && base[strlen(base) - 1] == '*';
}

static bool is_register_size(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

/* A single value: by its size and sign, unless its name says more. */
static struct type *scalar(struct types *ts, const struct format_line *l)
{
	const char *tag, *name = split_tag(l->base, &tag);
	struct type *t;

	if (!tag && l->size == 1 && (!strcmp(name, "bool") || !strcmp(name, "_Bool")))
		return type_simple(ts, IMAGE_K_BOOL);
	if (!tag && is_register_size(l->size))
		return type_int(ts, l->size, l->is_signed);
	t = types_lookup(ts, tag, name);
	if (t && t->size == l->size)
		return t;
	if (is_register_size(l->size))
		return type_int(ts, l->size, l->is_signed);
	return type_array(ts, type_int(ts, 1, false), l->size);
}

/* What an array consists of; single bytes when that cannot be found out. */
static struct type *element(struct types *ts, const struct format_line *l, enum type_space space)
{
	const char *tag, *name = split_tag(l->base, &tag);
	struct type *t;

	if (ends_with_star(l->base))
		return pointer(ts, l->base, space);
	t = types_lookup(ts, tag, name);
	return t && t->size ? t : type_int(ts, 1, false);
}

static struct type *array(struct types *ts, const struct format_line *l, enum type_space space)
{
	bool dynamic = l->loc != LOC_CTX;
	struct type *elem;

	if (!strcmp(l->base, "char"))
		return dynamic ? type_string_read(ts) : type_chars(ts, l->size);
	elem = element(ts, l, space);
	/* the number between the brackets may be a constant's name: the size never is */
	return type_array(ts, elem, dynamic ? 0 : l->size / elem->size);
}

static struct type *field_type(const struct format_reader *r, const struct format_line *l)
{
	enum type_space space = r->syscall || l->is_user ? SPACE_USER : SPACE_KERNEL;

	if (l->is_array || l->loc != LOC_CTX)
		return array(r->ts, l, space);
	if (ends_with_star(l->base))
		return pointer(r->ts, l->base, space);
	return scalar(r->ts, l);
}

/* ---- the whole file -------------------------------------------------------------------- */

/*
 * Finds a system call's field in struct pt_regs and the raw tracepoint's arguments instead of
 * in the record. Returns false for what is only in the record (copies of strings, since 6.19).
 */
static bool place_in_registers(struct format_reader *r, struct type_field *f)
{
	if (f->loc != LOC_CTX)
		return false;
	if (!strcmp(f->name, "__syscall_nr")) {
		f->loc = LOC_SYS_NR;
		f->offset = 0;
		return true;
	}
	f->loc = r->is_exit ? LOC_SYS_RET : LOC_SYS_ARG;
	f->offset = r->nregs++;
	return r->nregs <= (r->is_exit ? 1 : 6);
}

static void read_field(struct format_reader *r, struct type *args, const char *line)
{
	struct format_line l;
	struct type_field f = {0};

	if (!parse_line(r->ts, line, &l) || !strncmp(l.name, "common_", strlen("common_")))
		return;
	f.name = l.name;
	f.decl = l.decl;
	f.offset = l.offset;
	f.loc = l.loc;
	f.type = field_type(r, &l);
	if (l.offset + l.size > args->size)
		args->size = l.offset + l.size;
	if (r->raw && !place_in_registers(r, &f))
		return;
	vec_push(r->ts->arena, &args->fields, f);
}

struct type *types_parse_format(struct types *ts, const char *category, const char *event,
				bool raw_syscall, const char *format, char *err, size_t errlen)
{
	struct format_reader r = {.ts = ts, .raw = raw_syscall};
	char *text = arena_strdup(ts->arena, format), *save = NULL;
	struct type *args;

	if (!strstr(format, "field:")) {
		snprintf(err, errlen, "could not parse the format of tracepoint %s:%s", category,
			 event);
		return NULL;
	}
	r.syscall = !strcmp(category, "syscalls");
	r.is_exit = !strncmp(event, "sys_exit_", strlen("sys_exit_"));
	args = type_new(ts, IMAGE_K_STRUCT, 0, 8);
	args->is_ctx = true;
	args->space = SPACE_CTX;
	args->name = arena_printf(ts->arena, "tracepoint:%s:%s_args", category, event);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "print fmt:", strlen("print fmt:")))
			break;
		read_field(&r, args, line);
	}
	return args;
}

struct type *types_tracepoint_args(struct types *ts, const char *category, const char *event,
				   bool raw_syscall, char *err, size_t errlen)
{
	struct type *args;
	char path[512], *format;

	if (!target_has_tracepoint(ts->target, category, event)) {
		snprintf(err, errlen, "Tracepoint not found: %s:%s", category, event);
		return NULL;
	}
	snprintf(path, sizeof(path), "events/%s/%s/format", category, event);
	format = target_tracefs_read(ts->target, path);
	if (!format) {
		snprintf(err, errlen, "cannot read the format of tracepoint %s:%s: %s", category,
			 event, strerror(errno));
		return NULL;
	}
	args = types_parse_format(ts, category, event, raw_syscall, format, err, errlen);
	free(format);
	return args;
}
