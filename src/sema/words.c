/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words that the command line gives to the script, sorted into positional parameters and
 * options. Which words are options' values, and whether a letter is an option, depends on the
 * getopt() calls of the script: they are looked at before anything is typed.
 */
#include <ctype.h>
#include <string.h>

#include "internal.h"

struct known_option {
	const char *name;
	char letter;
	bool is_flag;
};

struct sorter {
	struct arena *arena;
	VEC(struct known_option) known; /* those with a letter */
	unsigned depth;
	struct sema_words *out;
};

struct sema_option_name sema_split_option(struct arena *a, const char *written)
{
	size_t len = strcspn(written, "|");

	if (!len || written[len] != '|' || !isalpha((unsigned char)written[len + 1]) ||
	    written[len + 2])
		return (struct sema_option_name){.name = written};
	return (struct sema_option_name){arena_strndup(a, written, len), written[len + 1]};
}

/* ---- what the script knows -------------------------------------------------- */

static bool is_bool(const struct ast_expr *e)
{
	return e->kind == AST_BOOL;
}

static void add_known(struct sorter *st, const struct ast_expr *call)
{
	struct known_option k = {0};
	struct sema_option_name n;

	if (strcmp(call->u.call.name, "getopt") || !call->u.call.args.len ||
	    call->u.call.args.items[0]->kind != AST_STRING)
		return;
	n = sema_split_option(st->arena, call->u.call.args.items[0]->u.string.text);
	if (!n.letter)
		return;
	k.name = n.name;
	k.letter = n.letter;
	k.is_flag = call->u.call.args.len < 2 || is_bool(call->u.call.args.items[1]);
	vec_push(st->arena, &st->known, k);
}

static void look_at_block(struct ast_block *b, void *arg);

static void look_at_expr(struct ast_expr *e, void *arg)
{
	struct sorter *st = arg;
	struct ast_visitor v = {.expr = look_at_expr, .block = look_at_block, .arg = st};

	if (!e || st->depth > AST_MAX_DEPTH)
		return;
	if (e->kind == AST_CALL)
		add_known(st, e);
	st->depth++;
	ast_visit_expr(e, &v);
	st->depth--;
}

static void look_at_block(struct ast_block *b, void *arg)
{
	struct sorter *st = arg;
	struct ast_visitor v = {.expr = look_at_expr, .block = look_at_block, .arg = st};

	if (!b || st->depth > AST_MAX_DEPTH)
		return;
	st->depth++;
	for (size_t i = 0; i < b->stmts.len; i++)
		ast_visit_stmt(b->stmts.items[i], &v);
	look_at_expr(b->value, st);
	st->depth--;
}

/* ---- sorting ------------------------------------------------------------------ */

static const struct known_option *by_letter(const struct sorter *st, char letter)
{
	for (size_t i = 0; i < st->known.len; i++)
		if (st->known.items[i].letter == letter)
			return &st->known.items[i];
	return NULL;
}

static bool takes_next(const struct sorter *st, const char *name)
{
	for (size_t i = 0; i < st->known.len; i++)
		if (!strcmp(st->known.items[i].name, name))
			return !st->known.items[i].is_flag;
	return false;
}

static void add_named(struct sorter *st, const char *name, const char *value)
{
	const char *text = value ? arena_printf(st->arena, "%s=%s", name, value) : name;

	vec_push(st->arena, &st->out->named, text);
}

/* "-abc": flags a and b, and c; what follows the letter of an option with a value is that. */
static size_t add_letters(struct sorter *st, const char *word, const char *next)
{
	for (const char *p = word + 1; *p; p++) {
		const struct known_option *k = by_letter(st, *p);
		const char *value;

		if (!k) {
			const char *unknown = arena_printf(st->arena, "-%c", *p);

			vec_push(st->arena, &st->out->unknown, unknown);
			return 1;
		}
		if (k->is_flag) {
			add_named(st, k->name, NULL);
			continue;
		}
		value = p[1] ? p + 1 + (p[1] == '=') : next;
		add_named(st, k->name, value);
		return p[1] || !next ? 1 : 2;
	}
	return 1;
}

/* Takes one word, or two. Returns how many. */
static size_t add_word(struct sorter *st, const char *word, const char *next)
{
	if (!strncmp(word, "--", 2)) {
		bool with_next = next && takes_next(st, word + 2);

		add_named(st, word + 2, with_next ? next : NULL);
		return with_next ? 2 : 1;
	}
	if (st->known.len && word[0] == '-' && isalpha((unsigned char)word[1]))
		return add_letters(st, word, next);
	vec_push(st->arena, &st->out->params, word);
	return 1;
}

const struct sema_words *sema_sort_words(struct arena *a, const struct ast_program *p,
					 const struct sema_options *opts)
{
	struct sorter st = {.arena = a, .out = arena_new_of(a, struct sema_words)};

	for (size_t i = 0; i < p->probes.len; i++) {
		look_at_expr(p->probes.items[i]->predicate, &st);
		look_at_block(p->probes.items[i]->body, &st);
	}
	for (size_t i = 0; i < opts->nwords;)
		i += add_word(&st, opts->words[i],
			      i + 1 < opts->nwords ? opts->words[i + 1] : NULL);
	return st.out;
}
