/* SPDX-License-Identifier: Apache-2.0 */
/* Names: how types are spelt in messages, and the basic types by name. */
#include "types/types_internal.h"

#include <string.h>

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

/* ---- type to name ------------------------------------------------------------- */

/* Kinds that have one word; with a 'u' before it when unsigned. */
struct kind_name {
	const char *name;
	bool has_sign;
};

static const struct kind_name kind_names[IMAGE_NKINDS] = {
	[IMAGE_K_VOID] = {"void"},
	[IMAGE_K_BOOL] = {"bool"},
	[IMAGE_K_KSYM] = {"ksym_t"},
	[IMAGE_K_USYM] = {"usym_t"},
	[IMAGE_K_INET] = {"inet"},
	[IMAGE_K_MAC] = {"mac_address"},
	[IMAGE_K_USERNAME] = {"username_t"},
	[IMAGE_K_TIMESTAMP] = {"timestamp"},
	[IMAGE_K_CGROUP_PATH] = {"cgroup_path_t"},
	[IMAGE_K_PROBE] = {"string"},
	[IMAGE_K_DISK] = {"disk"},
	[IMAGE_K_LOADAVG] = {"loadavg"},
	[IMAGE_K_MEMINFO] = {"meminfo"},
	[IMAGE_K_COUNT] = {"count_t"},
	[IMAGE_K_SUM] = {"sum_t", true},
	[IMAGE_K_MIN] = {"min_t", true},
	[IMAGE_K_MAX] = {"max_t", true},
	[IMAGE_K_AVG] = {"avg_t", true},
	[IMAGE_K_STATS] = {"stats_t", true},
	[IMAGE_K_HIST] = {"hist_t"},
	[IMAGE_K_LHIST] = {"lhist_t"},
	[IMAGE_K_TSERIES] = {"tseries_t"},
};

/* "a,b" of the fields; with @record ".name = type" each. */
static const char *name_fields(struct types *ts, const struct type *t, bool record)
{
	const char *s = "";

	for (size_t i = 0; i < t->fields.len; i++) {
		const struct type_field *f = &t->fields.items[i];

		s = record ? arena_printf(ts->arena, "%s%s.%s = %s", s, i ? ", " : "", f->name,
					  type_name(ts, f->type))
			   : arena_printf(ts->arena, "%s%s%s", s, i ? "," : "",
					  type_name(ts, f->type));
	}
	return s;
}

static const char *name_struct(struct types *ts, const struct type *t)
{
	const char *tag = t->kind == IMAGE_K_UNION ? "union" : "struct";

	if (t->name && *t->name)
		return arena_printf(ts->arena, "%s %s", tag, t->name);
	if (t->incomplete)
		type_complete(ts, (struct type *)t);
	return arena_printf(ts->arena, "%s {%s}", tag, name_fields(ts, t, false));
}

static const char *name_int(struct types *ts, const struct type *t)
{
	return arena_printf(ts->arena, "%sint%u", t->is_signed ? "" : "u", t->size * 8);
}

static const char *name_sized(struct types *ts, const char *word, const struct type *t)
{
	return t->size ? arena_printf(ts->arena, "%s[%u]", word, t->size) : word;
}

/* Stacks of another mode or depth are of another type. */
static const char *name_stack(struct types *ts, const struct type *t)
{
	static const char *const modes[] = {
		[IMAGE_STACK_BPFTRACE] = "bpftrace",
		[IMAGE_STACK_PERF] = "perf",
		[IMAGE_STACK_RAW] = "raw",
		[IMAGE_STACK_BUILD_ID] = "build_id",
	};

	return arena_printf(ts->arena, "%cstack_%s_%d", t->kind == IMAGE_K_KSTACK ? 'k' : 'u',
			    modes[t->arg[1]], (int)t->arg[0]);
}

const char *type_name(struct types *ts, const struct type *t)
{
	switch (t->kind) {
	case IMAGE_K_INT:
		return name_int(ts, t);
	case IMAGE_K_ENUM:
		return t->name && *t->name ? arena_printf(ts->arena, "enum %s", t->name)
					   : name_int(ts, t);
	case IMAGE_K_STRING:
		/* named by max_strlen, whatever stands behind it */
		return t == ts->string_read ? arena_printf(ts->arena, "string[%u]", ts->max_strlen)
					    : name_sized(ts, "string", t);
	case IMAGE_K_BUFFER:
		return name_sized(ts, "buffer", t);
	case IMAGE_K_POINTER:
		return arena_printf(ts->arena, "%s *", t->elem ? type_name(ts, t->elem) : "void");
	case IMAGE_K_ARRAY:
		return arena_printf(ts->arena, "%s[%u]", type_name(ts, t->elem), t->count);
	case IMAGE_K_STRUCT:
	case IMAGE_K_UNION:
		return name_struct(ts, t);
	case IMAGE_K_TUPLE:
		return arena_printf(ts->arena, "(%s)", name_fields(ts, t, false));
	case IMAGE_K_RECORD:
		return arena_printf(ts->arena, "record { %s }", name_fields(ts, t, true));
	case IMAGE_K_KSTACK:
	case IMAGE_K_USTACK:
		return name_stack(ts, t);
	default:
		break;
	}
	return arena_printf(ts->arena, "%s%s",
			    kind_names[t->kind].has_sign && !t->is_signed ? "u" : "",
			    kind_names[t->kind].name);
}

void types_print_fields(struct types *ts, struct type *t, FILE *out)
{
	type_complete(ts, t);
	for (size_t i = 0; i < t->fields.len; i++) {
		const struct type_field *f = &t->fields.items[i];

		if (f->decl)
			fprintf(out, "    %s\n", f->decl);
		else
			fprintf(out, "    %s %s\n",
				f->type->orig ? f->type->orig : type_name(ts, f->type), f->name);
	}
}

/* ---- name to type --------------------------------------------------------------- */

struct basic {
	const char *name;
	uint8_t size; /* 0: void */
	bool is_signed;
};

/*
 * The language's names, C's, and those of the kernel's typedefs that system calls and
 * tracepoints are full of: so that BTF is not read for a pid_t.
 */
static const struct basic basics[] = {
	{"int8", 1, true},
	{"int16", 2, true},
	{"int32", 4, true},
	{"int64", 8, true},
	{"uint8", 1, false},
	{"uint16", 2, false},
	{"uint32", 4, false},
	{"uint64", 8, false},
	{"int8_t", 1, true},
	{"int16_t", 2, true},
	{"int32_t", 4, true},
	{"int64_t", 8, true},
	{"uint8_t", 1, false},
	{"uint16_t", 2, false},
	{"uint32_t", 4, false},
	{"uint64_t", 8, false},
	{"s8", 1, true},
	{"s16", 2, true},
	{"s32", 4, true},
	{"s64", 8, true},
	{"u8", 1, false},
	{"u16", 2, false},
	{"u32", 4, false},
	{"u64", 8, false},
	{"__s8", 1, true},
	{"__s16", 2, true},
	{"__s32", 4, true},
	{"__s64", 8, true},
	{"__u8", 1, false},
	{"__u16", 2, false},
	{"__u32", 4, false},
	{"__u64", 8, false},
	{"__le16", 2, false},
	{"__le32", 4, false},
	{"__le64", 8, false},
	{"__be16", 2, false},
	{"__be32", 4, false},
	{"__be64", 8, false},
	{"size_t", 8, false},
	{"ssize_t", 8, true},
	{"uintptr_t", 8, false},
	{"intptr_t", 8, true},
	{"ptrdiff_t", 8, true},
	{"pid_t", 4, true},
	{"uid_t", 4, false},
	{"gid_t", 4, false},
	{"qid_t", 4, false},
	{"key_serial_t", 4, true},
	{"key_t", 4, true},
	{"mqd_t", 4, true},
	{"timer_t", 4, true},
	{"clockid_t", 4, true},
	{"dev_t", 4, false},
	{"umode_t", 2, false},
	{"off_t", 8, true},
	{"loff_t", 8, true},
	{"sector_t", 8, false},
	{"blkcnt_t", 8, false},
	{"ino_t", 8, false},
	{"pgoff_t", 8, false},
	{"gfp_t", 4, false},
	{"rwf_t", 4, true},
	{"aio_context_t", 8, false},
	{"old_sigset_t", 8, false},
	{"__sighandler_t", 8, false},
};

enum { WORD_SIGNED, WORD_UNSIGNED, WORD_CHAR, WORD_SHORT, WORD_INT, WORD_LONG, WORD_COUNT };
static const char *const words[WORD_COUNT] = {"signed", "unsigned", "char", "short", "int", "long"};

/* Kernels are built with an unsigned char since 6.2. */
static bool char_is_signed(const struct types *ts)
{
	return ts->target && target_version(ts->target) < TARGET_VERSION(6, 2, 0);
}

/* "long unsigned int" and the like: counts the words; false when there is another one. */
static bool count_words(const char *name, unsigned counts[WORD_COUNT])
{
	while (*name) {
		size_t len, i;

		name += strspn(name, " ");
		len = strcspn(name, " ");
		if (!len)
			break;
		for (i = 0; i < WORD_COUNT; i++) {
			if (strlen(words[i]) == len && !strncmp(words[i], name, len))
				break;
		}
		if (i == WORD_COUNT)
			return false;
		counts[i]++;
		name += len;
	}
	return true;
}

static struct type *type_c_int(struct types *ts, const char *name)
{
	unsigned n[WORD_COUNT] = {0}, size = 4;
	bool is_signed;

	if (!*name || !count_words(name, n))
		return NULL;
	if (n[WORD_SIGNED] + n[WORD_UNSIGNED] > 1 || n[WORD_LONG] > 2 || n[WORD_INT] > 1 ||
	    n[WORD_CHAR] + n[WORD_SHORT] + !!n[WORD_LONG] > 1 || (n[WORD_CHAR] && n[WORD_INT]))
		return NULL;
	is_signed = !n[WORD_UNSIGNED];
	if (n[WORD_CHAR]) {
		size = 1;
		if (!n[WORD_SIGNED] && !n[WORD_UNSIGNED])
			is_signed = char_is_signed(ts);
	} else if (n[WORD_SHORT]) {
		size = 2;
	} else if (n[WORD_LONG]) {
		size = 8;
	}
	return type_int(ts, size, is_signed);
}

struct type *type_basic(struct types *ts, const char *name)
{
	if (!strcmp(name, "bool") || !strcmp(name, "_Bool"))
		return type_simple(ts, IMAGE_K_BOOL);
	if (!strcmp(name, "void"))
		return type_simple(ts, IMAGE_K_VOID);
	for (size_t i = 0; i < LENGTH(basics); i++) {
		if (!strcmp(basics[i].name, name))
			return type_int(ts, basics[i].size, basics[i].is_signed);
	}
	return type_c_int(ts, name);
}
