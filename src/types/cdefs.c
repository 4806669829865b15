/* SPDX-License-Identifier: Apache-2.0 */
/* The C reader: the text for libclang, attempts until nothing more can be learnt, complaints. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "types/cdefs_internal.h"

#define MAX_ATTEMPTS 200

/* ---- the text ------------------------------------------------------------------- */

static void make_text(struct cdefs_reader *r, const struct ast_program *p)
{
	size_t size = 1;
	char *text;

	for (size_t i = 0; i < p->c_defs.len; i++)
		size += strlen(p->c_defs.items[i].text) + 1;
	r->text = text = arena_alloc(r->arena, size);
	for (size_t i = 0; i < p->c_defs.len; i++) {
		const struct ast_c_def *def = &p->c_defs.items[i];
		struct cdefs_segment seg = {.at = r->size, .len = strlen(def->text), def->span};

		memcpy(text + r->size, def->text, seg.len);
		text[r->size + seg.len] = '\n';
		r->size += seg.len + 1;
		vec_push(r->arena, &r->segments, seg);
	}
}

/* The script's bytes behind @len bytes at @at of the text. */
static struct span script_span(const struct cdefs_reader *r, size_t at, size_t len)
{
	struct span none = {UINT32_MAX, 0, 0};

	for (size_t i = 0; i < r->segments.len; i++) {
		const struct cdefs_segment *seg = &r->segments.items[i];
		struct span s = seg->from;

		if (at > seg->at + seg->len)
			continue;
		if (at < seg->at)
			return none;
		s.begin += (uint32_t)(at - seg->at);
		if (s.begin > s.end)
			s.begin = s.end;
		if (s.begin + len < s.end)
			s.end = s.begin + (uint32_t)len;
		return s;
	}
	return none;
}

/* ---- parsing ---------------------------------------------------------------------- */

static void add_arg(struct cdefs_reader *r, struct cdefs_args *args, const char *a)
{
	vec_push(r->arena, &args->v, a);
}

static void make_args(struct cdefs_reader *r, struct cdefs_args *args)
{
	static const char *const fixed[] = {
		"-xc",
		"-std=gnu17",
		"-w",
		"-ferror-limit=0",
		"-fno-color-diagnostics",
		"-idirafter",
		CDEFS_VIRTUAL_DIR,
		"-include",
		CDEFS_BORROWED,
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		add_arg(r, args, fixed[i]);
	if (types_btf(r->ts))
		add_arg(r, args, "-DBPFTRACE_HAVE_BTF");
	for (size_t i = 0; r->opts->dirs && r->opts->dirs[i]; i++) {
		add_arg(r, args, "-I");
		add_arg(r, args, r->opts->dirs[i]);
	}
	if (r->kernel_dirs)
		r->kernel_dirs = cdefs_kernel_args(r, args);
	cdefs_config_args(r, args);
	for (size_t i = 0; r->opts->files && r->opts->files[i]; i++) {
		add_arg(r, args, "-include");
		add_arg(r, args, r->opts->files[i]);
	}
}

static struct CXUnsavedFile virtual_file(struct cdefs_reader *r, const char *path, const char *text)
{
	struct CXUnsavedFile f = {.Contents = text, .Length = strlen(text)};

	f.Filename = *path == '/' || !strcmp(path, CDEFS_MAIN)
			     ? path
			     : arena_printf(r->arena, CDEFS_VIRTUAL_DIR "/%s", path);
	return f;
}

void cdefs_drop(struct cdefs_reader *r)
{
	if (r->tu)
		r->c.disposeTranslationUnit(r->tu);
	r->tu = NULL;
}

bool cdefs_parse(struct cdefs_reader *r, const char *extra)
{
	VEC(struct CXUnsavedFile) files = {0};
	struct cdefs_args args = {0};
	const char *text = arena_printf(r->arena, "%s%s", r->text, extra);

	vec_push(r->arena, &files, virtual_file(r, CDEFS_MAIN, text));
	vec_push(r->arena, &files, virtual_file(r, CDEFS_BORROWED, cdefs_borrowed_text(r)));
	for (const struct cdefs_header *h = cdefs_own_headers; h->path; h++)
		vec_push(r->arena, &files, virtual_file(r, h->path, h->text));
	for (size_t i = 0; i < r->empty_headers.len; i++)
		vec_push(r->arena, &files, virtual_file(r, r->empty_headers.items[i], ""));
	make_args(r, &args);
	cdefs_drop(r);
	return r->c.parseTranslationUnit2(r->index, CDEFS_MAIN, args.v.items, (int)args.v.len,
					  files.items, (unsigned)files.len,
					  CXTranslationUnit_DetailedPreprocessingRecord,
					  &r->tu) == CXError_Success;
}

/* ---- complaints -------------------------------------------------------------------- */

struct place {
	const char *file; /* "": nowhere */
	CXFile handle;
	unsigned line, col, offset;
};

static struct place place_of(struct cdefs_reader *r, CXSourceLocation at)
{
	struct place p = {.file = ""};

	r->c.getFileLocation(at, &p.handle, &p.line, &p.col, &p.offset);
	if (p.handle)
		p.file = cdefs_string(r, r->c.getFileName(p.handle));
	return p;
}

struct inclusion {
	struct cdefs_reader *r;
	CXFile wanted;
	struct span span; /* of the script's own #include that brought it in */
};

static void find_inclusion(CXFile file, CXSourceLocation *stack, unsigned n, CXClientData arg)
{
	struct inclusion *x = arg;
	struct place p;

	if (!n || file != x->wanted || x->span.src != UINT32_MAX)
		return;
	p = place_of(x->r, stack[n - 1]);
	if (!strcmp(p.file, CDEFS_MAIN))
		x->span = script_span(x->r, p.offset, SIZE_MAX / 2);
}

/* From a name's first to its last letter, or a header's name; others are one character wide. */
static size_t word_length(const char *s)
{
	size_t n = 0;

	if (*s == '<' || *s == '"') {
		n = strcspn(s + 1, ">\"\n");
		return n + 2;
	}
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n ? n : 1;
}

static void report(struct cdefs_reader *r, CXDiagnostic diag)
{
	struct place p = place_of(r, r->c.getDiagnosticLocation(diag));
	const char *message = cdefs_string(r, r->c.getDiagnosticSpelling(diag));
	struct inclusion in = {r, p.handle, {UINT32_MAX, 0, 0}};

	if (p.handle)
		r->c.getInclusions(r->tu, find_inclusion, &in);
	if (!strcmp(p.file, CDEFS_MAIN) && p.offset <= r->size)
		diag_error(r->diags, script_span(r, p.offset, word_length(r->text + p.offset)),
			   "%s", message);
	else if (p.handle)
		diag_error(r->diags, in.span, "%s:%u:%u: %s", p.file, p.line, p.col, message);
	else
		diag_error(r->diags, in.span, "%s", message);
	if (strstr(message, "file not found") && !types_btf(r->ts))
		diag_hint(r->diags, "the kernel has no BTF to take its place: install the headers, "
				    "or name their directory with -I");
}

static bool is_error(struct cdefs_reader *r, CXDiagnostic diag)
{
	return r->c.getDiagnosticSeverity(diag) >= CXDiagnostic_Error;
}

static bool learn_one(struct cdefs_reader *r, CXDiagnostic diag)
{
	CXCursor at = r->c.getCursor(r->tu, r->c.getDiagnosticLocation(diag));

	return cdefs_learn(r, cdefs_string(r, r->c.getDiagnosticSpelling(diag)),
			   cdefs_string(r, r->c.getCursorSpelling(at)));
}

/* Does @what with every error of the unit; whether any call said true. */
static bool each_error(struct cdefs_reader *r, bool (*what)(struct cdefs_reader *r, CXDiagnostic d))
{
	bool any = false;

	for (unsigned i = 0; i < r->c.getNumDiagnostics(r->tu); i++) {
		CXDiagnostic d = r->c.getDiagnostic(r->tu, i);

		if (is_error(r, d))
			any |= what(r, d);
		r->c.disposeDiagnostic(d);
	}
	return any;
}

static bool report_one(struct cdefs_reader *r, CXDiagnostic diag)
{
	report(r, diag);
	return true;
}

static bool count_one(struct cdefs_reader *r, CXDiagnostic diag)
{
	(void)r;
	(void)diag;
	return true;
}

/* ---- reading ------------------------------------------------------------------------ */

/* Parses again and again, each time with what the errors of the last time asked for. */
static bool parse_and_learn(struct cdefs_reader *r)
{
	r->borrowed.len = r->empty_headers.len = 0;
	for (int i = 0; i < MAX_ATTEMPTS; i++) {
		if (!cdefs_parse(r, ""))
			return false;
		if (!each_error(r, learn_one))
			return true;
	}
	return true;
}

static int read_unit(struct cdefs_reader *r)
{
	/* The kernel's headers say more than BTF does, but do not always suit the compiler. */
	r->kernel_dirs = strstr(r->text, "include") || (r->opts->files && *r->opts->files);
	if (!parse_and_learn(r))
		goto failed;
	if (r->kernel_dirs && each_error(r, count_one)) {
		r->kernel_dirs = false;
		if (!parse_and_learn(r))
			goto failed;
	}
	if (each_error(r, report_one))
		return -EINVAL;
	cdefs_convert(r);
	cdefs_read_macros(r);
	cdefs_note_files(r);
	return 0;
failed:
	diag_error(r->diags, script_span(r, 0, SIZE_MAX / 2),
		   "libclang cannot read the C definitions");
	return -EINVAL;
}

int cdefs_read(struct types *ts, struct diag_list *d, const struct ast_program *p,
	       const struct cdefs_options *o)
{
	struct cdefs_reader r = {.arena = d->arena, .ts = ts, .diags = d, .opts = o};
	char message[256];
	int err;

	if (!p->c_defs.len && !(o->files && *o->files))
		return 0;
	make_text(&r, p);
	if (cdefs_read_plain(&r, false) == CDEFS_PLAIN)
		return 0;
	if (!clang_api_load(&r.c, message, sizeof(message))) {
		if (cdefs_read_plain(&r, true) == CDEFS_PLAIN)
			return 0;
		diag_error(d, script_span(&r, 0, SIZE_MAX / 2), "%s", message);
		diag_hint(d, "install the package libclang1-19");
		return -EINVAL;
	}
	r.index = r.c.createIndex(0, 0);
	err = read_unit(&r);
	cdefs_drop(&r);
	r.c.disposeIndex(r.index);
	return err;
}
