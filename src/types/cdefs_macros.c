/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object-like macros: libclang works out those that are constants in C. Others are kept as
 * text, which may be an expression of the script's language.
 */
#include <string.h>

#include "types/cdefs_internal.h"

#define PREFIX     "btrun_macro_"
#define MAX_TOKENS 200
#define MAX_LENGTH 10000 /* tokens of a macro once the macros in it are replaced */
#define BUCKETS    1024

struct macro {
	const char *name, *body;
	bool harmless;      /* in a definition of its own it cannot spoil what follows */
	size_t length;      /* see MAX_LENGTH */
	struct macro *next; /* of those whose names have the same hash */
};

struct macros {
	struct cdefs_reader *r;
	VEC(struct macro *) v;
	struct macro *buckets[BUCKETS];
};

static struct macro **bucket(struct macros *m, const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return &m->buckets[h % BUCKETS];
}

/*
 * Macros that double what they name grow beyond all bounds, in libclang, too. What is named
 * before it is defined counts as one token: rare, and at worst slow.
 */
static size_t token_length(struct macros *m, const char *token)
{
	for (const struct macro *x = *bucket(m, token); x; x = x->next)
		if (!strcmp(x->name, token))
			return x->length;
	return 1;
}

/* Brackets in pairs, nothing that ends a definition. */
static bool is_harmless(struct cdefs_reader *r, const CXToken *tokens, unsigned n)
{
	int depth = 0;

	for (unsigned i = 1; i < n; i++) {
		const char *s = cdefs_string(r, r->c.getTokenSpelling(r->tu, tokens[i]));

		if (strchr("{};#\\", *s) && *s)
			return false;
		depth += !strcmp(s, "(") || !strcmp(s, "[");
		depth -= !strcmp(s, ")") || !strcmp(s, "]");
		if (depth < 0 || (!depth && !strcmp(s, ",")))
			return false;
	}
	return !depth && n > 1;
}

static void take_tokens(struct macros *m, struct macro *x, const CXToken *tokens, unsigned n)
{
	struct cdefs_reader *r = m->r;

	for (unsigned i = 1; i < n; i++) {
		const char *s = cdefs_string(r, r->c.getTokenSpelling(r->tu, tokens[i]));

		if (r->c.getTokenKind(tokens[i]) == CXToken_Comment)
			continue;
		x->body = arena_printf(r->arena, "%s%s%s", x->body, *x->body ? " " : "", s);
		x->length += token_length(m, s);
	}
	if (x->length > MAX_LENGTH) {
		x->length = MAX_LENGTH + 1;
		x->harmless = false;
	}
}

static void read_macro(struct macros *m, CXCursor c)
{
	struct macro *x = arena_new_of(m->r->arena, struct macro);
	struct cdefs_reader *r = m->r;
	CXToken *tokens = NULL;
	unsigned n = 0;

	x->name = cdefs_string(r, r->c.getCursorSpelling(c));
	x->body = "";
	r->c.tokenize(r->tu, r->c.getCursorExtent(c), &tokens, &n);
	if (n <= MAX_TOKENS) {
		x->harmless = is_harmless(r, tokens, n);
		take_tokens(m, x, tokens, n);
	}
	r->c.disposeTokens(r->tu, tokens, n);
	x->next = *bucket(m, x->name);
	*bucket(m, x->name) = x;
	vec_push(r->arena, &m->v, x);
}

/*
 * A variable for each; a macro that has been #undefined by then makes an error, which counts
 * for nothing. Strings are told by the type: libclang evaluates them as char pointers only.
 */
static const char *variables(struct macros *m)
{
	size_t size = 1;
	char *text, *at;

	for (size_t i = 0; i < m->v.len; i++)
		size += 3 * strlen(m->v.items[i]->name) + 200;
	text = at = arena_alloc(m->r->arena, size);
	for (size_t i = 0; i < m->v.len; i++) {
		const struct macro *x = m->v.items[i];

		if (!x->harmless)
			continue;
		at += sprintf(at,
			      "\n#ifdef %s\n__auto_type " PREFIX "n%zu = %s;\n"
			      "const char *" PREFIX "s%zu = %s;\n#endif\n",
			      x->name, i, x->name, i, x->name);
	}
	return text;
}

/* The number behind PREFIX and a letter; false when @name is something else. */
static bool parse_variable(const char *name, char *letter, size_t *i)
{
	return !strncmp(name, PREFIX, strlen(PREFIX)) &&
	       sscanf(name + strlen(PREFIX), "%c%zu", letter, i) == 2;
}

static void take_value(struct cdefs_reader *r, const struct macro *m, CXEvalResult v, char letter)
{
	struct type_constant c = {0};
	CXEvalResultKind kind = r->c.EvalResult_getKind(v);

	if (kind == CXEval_Int && letter == 'n')
		c.value = (uint64_t)r->c.EvalResult_getAsLongLong(v);
	else if (kind == CXEval_StrLiteral && letter == 's')
		c.str = arena_strdup(r->arena, r->c.EvalResult_getAsStr(v));
	else
		return;
	types_add_macro(r->ts, m->name, &c);
}

static enum CXChildVisitResult visit(CXCursor c, CXCursor parent, CXClientData arg)
{
	struct macros *m = arg;
	struct cdefs_reader *r = m->r;
	CXEvalResult v;
	char letter;
	size_t i;

	(void)parent;
	if (r->c.getCursorKind(c) != CXCursor_VarDecl ||
	    !parse_variable(cdefs_string(r, r->c.getCursorSpelling(c)), &letter, &i) ||
	    i >= m->v.len)
		return CXChildVisit_Continue;
	v = r->c.Cursor_Evaluate(c);
	if (v) {
		take_value(r, m->v.items[i], v, letter);
		r->c.EvalResult_dispose(v);
	}
	return CXChildVisit_Continue;
}

void cdefs_read_macros(struct cdefs_reader *r)
{
	struct macros m = {.r = r};

	for (size_t i = 0; i < r->macros.len; i++) {
		struct type_constant c = {0};

		read_macro(&m, r->macros.items[i]);
		c.expr = m.v.items[i]->body;
		if (*c.expr)
			types_add_macro(r->ts, m.v.items[i]->name, &c);
	}
	if (!m.v.len || !cdefs_parse(r, variables(&m)))
		return;
	r->c.visitChildren(r->c.getTranslationUnitCursor(r->tu), visit, &m);
}
