/* SPDX-License-Identifier: Apache-2.0 */
/* uprobe, uretprobe: functions of programs and libraries, where they begin and return. */
#include "probes/probes_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "probes/elf_file.h"
#include "probes/uprobe.h"
#include "probes/user_path.h"
#include "symbols/demangle.h"
#include "symbols/source_line.h"

#define UNSAFE_HINT                                                                                \
	"\nUse --unsafe to force attachment. WARNING: This option could lead to data corruption "  \
	"in the target process."

/* An attach point as written, parameters in their places. */
struct uprobe_spec {
	const struct probe_type *type;
	enum image_attach_kind attach;
	const char *path, *func; /* func "": address */
	char *own_path;          /* of the process of -p */
	char func_buf[PROBE_NAME_MAX];
	uint64_t offset, address;
	bool has_offset, has_address;
	bool cpp;                   /* func is a name as C++ spells it */
	struct source_place source; /* file NULL: not by a place in the source */
};

/* ---- functions of one file --------------------------------------------------------- */

struct found_function {
	char *name;
	uint64_t addr, size;
};

struct function_list {
	const char *pattern; /* NULL: those that hold the address */
	bool cpp;            /* the pattern is for names as C++ spells them */
	uint64_t address;
	struct found_function *items;
	size_t n, cap;
};

static bool matches_cpp(const char *pattern, const char *name)
{
	for (int form = 0; form < DEMANGLE_FORMS; form++) {
		char *text = symbols_demangle_as(name, form);
		bool matches = text && target_glob(pattern, text);

		free(text);
		if (matches)
			return true;
	}
	return false;
}

static bool matches_name(const struct function_list *l, const char *name)
{
	return l->cpp ? matches_cpp(l->pattern, name) : target_glob(l->pattern, name);
}

static int collect(const struct elf_function *fn, void *arg)
{
	struct function_list *l = arg;
	bool wanted = l->pattern ? matches_name(l, fn->name)
				 : l->address >= fn->addr && (l->address - fn->addr < fn->size ||
							      l->address == fn->addr);
	struct found_function *items = l->items;

	if (!wanted)
		return 0;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		items = realloc(items, l->cap * sizeof(*items));
		if (!items)
			return -ENOMEM;
		l->items = items;
	}
	items[l->n].name = strdup(fn->name);
	items[l->n].addr = fn->addr;
	items[l->n].size = fn->size;
	return items[l->n++].name ? 0 : -ENOMEM;
}

static int by_name(const void *pa, const void *pb)
{
	const struct found_function *a = pa, *b = pb;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->size > b->size ? -1 : a->size < b->size;
}

/* Sorted by name; one that stands in two tables only once. */
static int find_functions(struct elf_file *f, struct function_list *l)
{
	int err = elf_file_each_function(f, collect, l);
	size_t n = 0;

	if (l->n)
		qsort(l->items, l->n, sizeof(*l->items), by_name);
	for (size_t i = 0; i < l->n; i++) {
		if (n && l->items[n - 1].addr == l->items[i].addr &&
		    !strcmp(l->items[n - 1].name, l->items[i].name))
			free(l->items[i].name);
		else
			l->items[n++] = l->items[i];
	}
	l->n = n;
	return err;
}

static void function_list_free(struct function_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].name);
	free(l->items);
}

/* ---- the attach point as written ------------------------------------------------------ */

static int parse_offset(struct uprobe_spec *u, const char *func, char *err, size_t errlen)
{
	const char *plus = strchr(func, '+');
	char why[256];

	if (u->attach == IMAGE_AT_URETPROBE)
		return probe_fail(err, errlen, -EINVAL, "Offset not allowed");
	if (strchr(plus + 1, '+'))
		return probe_fail(err, errlen, -EINVAL, "Cannot take more than one offset");
	if (plus == func || !plus[1] || (size_t)(plus - func) >= sizeof(u->func_buf))
		return probe_fail(err, errlen, -EINVAL, "Invalid offset");
	if (probe_parse_uint(plus + 1, &u->offset, why, sizeof(why)))
		return probe_fail(err, errlen, -EINVAL, "Invalid offset: %s", why);
	memcpy(u->func_buf, func, plus - func);
	u->func = u->func_buf;
	u->has_offset = true;
	return 0;
}

static int parse_func(struct uprobe_spec *u, const char *func, char *err, size_t errlen)
{
	char why[256];

	if (strchr(func, '+'))
		return parse_offset(u, func, err, errlen);
	u->func = func;
	if (!*func)
		return probe_fail(err, errlen, -EINVAL,
				  "%s should be attached to a function and/or address",
				  u->type->name);
	if (probe_parse_uint(func, &u->address, why, sizeof(why)))
		return 0;
	if (target_has_wildcard(u->path))
		return probe_fail(err, errlen, -EINVAL,
				  "Cannot use wildcards with absolute address");
	u->has_address = true;
	u->func = "";
	return 0;
}

static int parse_number(const char *text, const char *what, unsigned *n, char *err, size_t errlen)
{
	uint64_t v = 0;
	char why[256];

	if (probe_parse_uint(text, &v, why, sizeof(why)))
		return probe_fail(err, errlen, -EINVAL, "Invalid %s number: %s", what, why);
	if (!v || v > INT32_MAX)
		return probe_fail(err, errlen, -EINVAL, "Invalid %s number: %s", what, text);
	*n = (unsigned)v;
	return 0;
}

/* path, "@", file, line[, column] */
static int parse_source(struct uprobe_spec *u, const char *const *parts, size_t nparts, char *err,
			size_t errlen)
{
	int code;

	if (nparts != 4 && nparts != 5)
		return probe_fail(
			err, errlen, -EINVAL,
			"Invalid %s arguments, expected format: %s:TARGET@FILE:LINE[:COL]",
			u->type->name, u->type->name);
	if (u->attach == IMAGE_AT_URETPROBE)
		return probe_fail(err, errlen, -EINVAL, "Source code location not allowed");
	if (target_has_wildcard(parts[0]))
		return probe_fail(err, errlen, -EINVAL,
				  "Cannot use wildcards with source code location");
	u->path = parts[0];
	u->func = "";
	u->source.file = parts[2];
	code = parse_number(parts[3], "line", &u->source.line, err, errlen);
	if (!code && nparts == 5)
		code = parse_number(parts[4], "column", &u->source.column, err, errlen);
	return code;
}

static int parse(struct uprobe_spec *u, struct target *t, const char *const *parts, size_t nparts,
		 char *err, size_t errlen)
{
	if (nparts >= 2 && !strcmp(parts[1], "@"))
		return parse_source(u, parts, nparts, err, errlen);
	if (nparts == 1 && target_pid(t)) {
		u->own_path = user_path_of_process(target_pid(t));
		u->path = u->own_path ? u->own_path : "";
	} else if (nparts != 2 && nparts != 3) {
		return probe_fail(err, errlen, -EINVAL,
				  "%s probe type requires 2 or 3 arguments, found %zu",
				  u->type->name, nparts);
	} else {
		u->path = parts[0];
	}
	if (nparts == 3 && strcmp(parts[1], "cpp"))
		return probe_fail(err, errlen, -EINVAL, "unsupported language type: %s", parts[1]);
	u->cpp = nparts == 3;
	if (!*u->path)
		return probe_fail(err, errlen, -EINVAL, "%s should have a target", u->type->name);
	return parse_func(u, parts[nparts - 1], err, errlen);
}

/* ---- expanding --------------------------------------------------------------------------- */

struct expansion {
	struct uprobe_spec *spec;
	struct target *target;
	const char *path;
	struct elf_file *file;
	probe_point_fn *cb;
	void *arg;
	char *err;
	size_t errlen;
	size_t found;
};

static int emit(struct expansion *x, const char *func, uint64_t addr, const char *unsafe)
{
	struct uprobe_spec *u = x->spec;
	char name[PROBE_NAME_MAX], full[4096];
	struct probe_point p = {.name = name,
				.parts = {x->path, func},
				.attach = u->attach,
				.target = uprobe_file(x->path, full),
				.unsafe = unsafe};
	uint64_t offset;

	if (!elf_file_offset(x->file, addr, &offset))
		return 0; /* declared, but no code of this file */
	p.arg[0] = (int64_t)offset;
	p.arg[1] = (int64_t)x->file->fingerprint;
	if (u->has_offset)
		snprintf(name, sizeof(name), "%s:%s:%s+%" PRIu64, u->type->name, x->path, func,
			 u->offset);
	else
		snprintf(name, sizeof(name), "%s:%s:%s%s", u->type->name, x->path,
			 u->cpp ? "cpp:" : "", func);
	x->found++;
	return x->cb(&p, x->arg);
}

/* An offset must be the beginning of an instruction of the function. */
static int emit_offset(struct expansion *x, const struct found_function *fn, uint64_t distance,
		       const char *shown)
{
	uint64_t start;
	char why[512];
	int at;

	if (distance && x->spec->attach == IMAGE_AT_URETPROBE)
		return probe_fail(x->err, x->errlen, -EINVAL,
				  "uretprobes cannot be attached at function offset. (address "
				  "resolved to: %s+%" PRIu64 ")",
				  fn->name, distance);
	if (distance && distance >= fn->size)
		return probe_fail(x->err, x->errlen, -EINVAL,
				  "Offset outside the function bounds ('%s' size is %" PRIu64 ")",
				  fn->name, fn->size);
	if (!elf_file_offset(x->file, fn->addr, &start) || fn->size > x->file->size - start)
		return 0;
	at = distance ? insn_starts_at(x->file->bytes + start, fn->size, distance) : 1;
	if (at == 1)
		return emit(x, shown, fn->addr + distance, NULL);
	snprintf(why, sizeof(why), "%s: %s:%s+%" PRIu64 UNSAFE_HINT,
		 at ? "Failed to check if uprobe is in proper place"
		    : "Could not add uprobe into middle of instruction",
		 x->path, fn->name, distance);
	return emit(x, shown, fn->addr + distance, why);
}

static int emit_address(struct expansion *x)
{
	struct uprobe_spec *u = x->spec;
	struct function_list l = {.address = u->address};
	char shown[24], why[512];
	uint64_t offset;
	int err = find_functions(x->file, &l);

	snprintf(shown, sizeof(shown), "%" PRIu64, u->address);
	if (!err && !elf_file_offset(x->file, u->address, &offset)) {
		err = probe_fail(x->err, x->errlen, -EINVAL,
				 "Address 0x%" PRIx64 " is not code of %s", u->address, x->path);
	} else if (!err && l.n) {
		err = emit_offset(x, &l.items[0], u->address - l.items[0].addr, shown);
	} else if (!err) {
		snprintf(why, sizeof(why),
			 "Could not determine instruction boundary for %s:%s:%s (binary appears "
			 "stripped)." UNSAFE_HINT,
			 u->type->name, x->path, shown);
		err = emit(x, shown, u->address, why);
	}
	function_list_free(&l);
	return err;
}

static int emit_functions(struct expansion *x)
{
	struct uprobe_spec *u = x->spec;
	struct function_list l = {.pattern = u->func, .cpp = u->cpp};
	int err = find_functions(x->file, &l);

	for (size_t i = 0; i < l.n && !err; i++)
		err = u->has_offset ? emit_offset(x, &l.items[i], u->offset, l.items[i].name)
				    : emit(x, l.items[i].name, l.items[i].addr, NULL);
	function_list_free(&l);
	return err;
}

static int expand_path(struct expansion *x, const char *path)
{
	struct elf_file f;
	struct uprobe_spec *u = x->spec;
	int err = 0;

	if (u->source.file) {
		err = source_line_find(path, target_debug_dirs(x->target), &u->source, &u->address,
				       x->err, x->errlen);
		u->has_address = true;
	}
	if (err)
		return err;
	if (elf_file_open(&f, path))
		return 0; /* gone since it was found */
	f.debug_dirs = target_debug_dirs(x->target);
	x->path = path;
	x->file = &f;
	err = x->spec->has_address ? emit_address(x) : emit_functions(x);
	elf_file_close(&f);
	return err;
}

static int expand_spec(struct target *t, struct uprobe_spec *u, probe_point_fn *cb, void *arg,
		       char *err, size_t errlen)
{
	struct expansion x = {
		.spec = u, .target = t, .cb = cb, .arg = arg, .err = err, .errlen = errlen};
	struct user_paths paths;
	int code = user_paths_find(&paths, u->path, target_pid(t));

	user_paths_note(&paths, u->path, t);
	if (!code && !paths.n) {
		code = probe_fail(err, errlen, -ENOENT,
				  "uprobe target file '%s' does not exist or is not executable",
				  u->path);
		goto out;
	}
	for (size_t i = 0; i < paths.n && !code; i++)
		code = expand_path(&x, paths.items[i]);
	if (!code && !x.found)
		code = probe_fail(err, errlen, -ENOENT, "No matches for %s %s:%s.", u->type->name,
				  paths.n == 1 ? paths.items[0] : u->path, u->func);
out:
	user_paths_free(&paths);
	return code;
}

static int expand_as(struct uprobe_spec *u, struct target *t, const char *const *parts,
		     size_t nparts, probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	int code = parse(u, t, parts, nparts, err, errlen);

	if (!code)
		code = expand_spec(t, u, cb, arg, err, errlen);
	free(u->own_path);
	return code;
}

static int expand_uprobe(struct target *t, const char *const *parts, size_t nparts,
			 probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	struct uprobe_spec u = {.type = &probe_uprobe, .attach = IMAGE_AT_UPROBE};

	return expand_as(&u, t, parts, nparts, cb, arg, err, errlen);
}

static int expand_uretprobe(struct target *t, const char *const *parts, size_t nparts,
			    probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	struct uprobe_spec u = {.type = &probe_uretprobe, .attach = IMAGE_AT_URETPROBE};

	return expand_as(&u, t, parts, nparts, cb, arg, err, errlen);
}

/* ---- listing ------------------------------------------------------------------------------ */

/* "path:function", or a path for all of its functions. What has no path in it is not ours. */
static int list_as(struct uprobe_spec *u, struct target *t, const char *pattern, bool by_name_only,
		   probe_point_fn *cb, void *arg)
{
	const char *rest, *colon;
	char *path, err[256];
	int code = 0;

	if (!strchr(pattern, ':') || !probe_list_wanted(u->type, pattern, by_name_only, &rest) ||
	    (target_has_wildcard(pattern) && !strchr(rest, '/') &&
	     strcspn(pattern, "*") < strcspn(pattern, ":")))
		return 0;
	colon = strrchr(rest, ':');
	u->func = colon && colon[1] ? colon + 1 : "*";
	path = strndup(rest, colon ? (size_t)(colon - rest) : strlen(rest));
	u->path = path;
	if (path && *path)
		code = expand_spec(t, u, cb, arg, err, sizeof(err));
	free(path);
	return code > 0 ? code : 0;
}

static int list_uprobe(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct uprobe_spec u = {.type = &probe_uprobe, .attach = IMAGE_AT_UPROBE};

	return list_as(&u, t, pattern, false, cb, arg);
}

static int list_uretprobe(struct target *t, const char *pattern, probe_point_fn *cb, void *arg)
{
	struct uprobe_spec u = {.type = &probe_uretprobe, .attach = IMAGE_AT_URETPROBE};

	return list_as(&u, t, pattern, true, cb, arg);
}

static const char *const uprobe_aliases[] = {"u", NULL};
static const char *const uretprobe_aliases[] = {"ur", NULL};

const struct probe_type probe_uprobe = {
	.name = "uprobe",
	.aliases = uprobe_aliases,
	.flags = PROBE_USER | PROBE_HAS_ARGS | PROBE_HAS_REGS | PROBE_HAS_ARGN | PROBE_HAS_FUNC,
	.expand = expand_uprobe,
	.list = list_uprobe,
};

const struct probe_type probe_uretprobe = {
	.name = "uretprobe",
	.aliases = uretprobe_aliases,
	.flags = PROBE_USER | PROBE_HAS_REGS | PROBE_HAS_RETVAL | PROBE_HAS_FUNC,
	.expand = expand_uretprobe,
	.list = list_uretprobe,
};

/* ---- attaching ----------------------------------------------------------------------------- */

const struct attacher attacher_uprobe = {
	.kind = IMAGE_AT_UPROBE,
	.attach = uprobe_attach,
	.slow_detach = true,
	.last_runs_first = true,
	.can_attach_many = uprobe_can_attach_many,
	.attach_many = uprobe_attach_many,
	.many_type = PROBE_AT_UPROBE_MULTI,
};
const struct attacher attacher_uretprobe = {
	.kind = IMAGE_AT_URETPROBE,
	.attach = uprobe_attach,
	.slow_detach = true,
	.last_runs_first = true,
	.can_attach_many = uprobe_can_attach_many,
	.attach_many = uprobe_attach_many,
	.many_type = PROBE_AT_UPROBE_MULTI,
};
