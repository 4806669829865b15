/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar. Its tokens come from the classified list (tokens.c), which has told casts,
 * types and values in braces apart; it has no conflicts. RESYNC never occurs in a script:
 * after an error the list hands it out and goes on at a place from which the
 * rest of the script makes sense.
 */
%require "3.8"
%define api.pure full
%define api.prefix {btgram_}
%define api.token.prefix {TOK_}
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {struct parser *p}
%initial-action { @$ = (struct span){p->src, 0, 0}; }

%code requires {
#include "parse_internal.h"
}

%union {
	const struct token *tok;
	struct ast_expr *expr;
	struct ast_type *type;
	struct ast_stmt *stmt;
	struct ast_block *block;
	struct ast_probe *probe;
	struct expr_list *exprs;
	struct name_list *names;
	struct stmt_list *stmts;
	const char *text;
	int op;
}

%code {
#include <stdlib.h>
#include <string.h>

/* The parser's stack has a limit of its own, far above what the other limits let through. */
#define YYMAXDEPTH 10000
#define YYSTACK_USE_ALLOCA 0

#define YYLLOC_DEFAULT(cur, rhs, n)                                                                \
	do {                                                                                       \
		if (n)                                                                             \
			(cur) = span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n));                     \
		else                                                                               \
			(cur) = (struct span){p->src, YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end}; \
	} while (0)

static int btgram_lex(union BTGRAM_STYPE *value, struct span *at, struct parser *p);
static void btgram_error(struct span *at, struct parser *p, const char *message);
}

%token END 0 "end of script"
%token RESYNC "recovery"
%token <tok> IDENT "identifier" INT "integer" STRING "string" VAR "variable" MAP "map"
%token <tok> PARAM "positional parameter"
%token NPARAMS "'$#'"
%token <tok> C_DEF "C definition"
%token ATTACH_POINT "attach point"
%token PRED_BEGIN "'/'" PRED_END "'/' to close predicate"
%token CONFIG "'config'" IMPORT "'import'" MACRO "'macro'" FN "'fn'" LET "'let'"
%token BREAK "'break'" CONTINUE "'continue'" RETURN "'return'" ELSE "'else'" FOR "'for'"
%token IF "'if'" IF_EXPR "'if' " UNROLL "'unroll'" WHILE "'while'" COMPTIME "'comptime'"
%token STRUCT "'struct'" UNION "'union'" ENUM "'enum'" TRUE "'true'" FALSE "'false'"
%token SIZEOF "'sizeof'" OFFSETOF "'offsetof'" TYPEOF "'typeof'" TYPEINFO "'typeinfo'"
%token CAST_PAREN "'(' of a cast" TYPE_PAREN "'(' of a type" BRACE_EXPR "'{' of a value"
%token LOR "'||'" LAND "'&&'" EQ "'=='" NE "'!='" LE "'<='" GE "'>='" SHL "'<<'" SHR "'>>'"
%token INCR "'++'" DECR "'--'" ARROW "'->'" DOTDOT "'..'"
%token ADD_ASSIGN "'+='" SUB_ASSIGN "'-='" MUL_ASSIGN "'*='" DIV_ASSIGN "'/='"
%token MOD_ASSIGN "'%='" AND_ASSIGN "'&='" OR_ASSIGN "'|='" XOR_ASSIGN "'^='"
%token SHL_ASSIGN "'<<='" SHR_ASSIGN "'>>='"

%left LOR
%left LAND
%left '|'
%left '^'
%left '&'
%left EQ NE
%left '<' '>' LE GE
%left SHL SHR
%left '+' '-'
%left '*' '/' '%'
/* "@m [k]" is one map with a key, not an index into a map. */
%precedence KEYLESS
%precedence '['

%type <expr> expr binary unary postfix primary arg macro_param range_end
%type <exprs> exprs args arg_list record macro_params macro_param_list
%type <names> path
%type <type> type type_base typeof let_type
%type <stmt> stmt simple compound if_rest
%type <stmts> stmts
%type <block> block body block_expr
%type <probe> attach_points
%type <expr> predicate let_init let_var
%type <op> assign_op
%type <text> config_value

%%

program:
	  %empty
	| program item
	;

item:
	  C_DEF
		{
			struct ast_c_def def = {@1, $1->text};

			build_section(p, @1, SECTION_C_DEFS, "C definitions");
			vec_push(p->arena, &p->program->c_defs, def);
		}
	| config
	| IMPORT STRING ';'
		{
			build_section(p, @1, SECTION_CONFIG, "root imports");
			build_import(p, span_join(@1, @2), $2, false);
		}
	| LET MAP '=' IDENT '(' INT ')' opt_semicolon
		{
			p->section = SECTION_MAIN;
			build_map_decl(p, span_join(@1, @7), $2, $4, @6, $6);
		}
	| MACRO IDENT macro_params block
		{
			p->section = SECTION_MAIN;
			build_macro(p, span_join(@1, @2), $2, $3, $4);
		}
	| FN IDENT '(' fn_params ')' ':' type body
		{
			p->section = SECTION_MAIN;
			build_error(p, span_join(@1, @2), "functions (fn) are not supported");
			diag_hint(p->diags, "Use a macro: macro %s(...) { ... }", $2->text);
		}
	| attach_points opt_comma predicate body
		{
			p->section = SECTION_MAIN;
			build_probe(p, $1, $3, $4);
		}
	| error RESYNC
		{ yyerrok; }
	;

opt_semicolon: %empty | ';' ;
opt_comma: %empty | ',' ;

/* ---- the top of a script -------------------------------------------------------- */

config:
	  CONFIG
		{
			build_section(p, @1, SECTION_CONFIG, "config");
			if (p->config_seen)
				diag_error(p->diags, @1, "syntax: duplicate config block");
			p->config_seen = true;
		}
	  '=' '{' config_items '}'
	;

config_items:
	  %empty
	| config_items config_item opt_semicolon
	| config_items error RESYNC
		{ yyerrok; }
	;

config_item:
	  IDENT '=' config_value
		{ build_config_item(p, @$, $1, @3, $3); }
	;

config_value:
	  IDENT		{ $$ = $1->text; }
	| STRING	{ $$ = $1->text; }
	| TRUE		{ $$ = "true"; }
	| FALSE		{ $$ = "false"; }
	| INT
		{
			struct ast_expr *e = build_int(p, @1, $1);

			$$ = arena_printf(p->arena, "%llu", (unsigned long long)e->u.integer.value);
		}
	;

macro_params:
	  %empty			{ $$ = NULL; }
	| '(' ')'			{ $$ = NULL; }
	| '(' macro_param_list ')'	{ $$ = $2; }
	;

macro_param_list:
	  macro_param				{ $$ = build_expr_list(p, NULL, $1); }
	| macro_param_list ',' macro_param	{ $$ = build_expr_list(p, $1, $3); }
	;

macro_param:
	  VAR	{ $$ = build_var(p, @1, $1); }
	| MAP	{ $$ = build_map(p, @1, $1, @1, NULL); }
	| IDENT	{ $$ = build_ident(p, @1, $1); }
	;

fn_params: %empty | fn_param_list ;
fn_param_list: fn_param | fn_param_list ',' fn_param ;
fn_param: VAR ':' type ;

/* ---- probes ----------------------------------------------------------------------- */

attach_points:
	  ATTACH_POINT
		{
			$$ = arena_new_of(p->arena, struct ast_probe);
			$$->span = @1;
			vec_push(p->arena, &$$->points, build_attach_point(p, @1));
		}
	| attach_points ',' ATTACH_POINT
		{
			$$ = $1;
			$$->span = span_join($$->span, @3);
			vec_push(p->arena, &$$->points, build_attach_point(p, @3));
		}
	;

predicate:
	  %empty			{ $$ = NULL; }
	| PRED_BEGIN expr PRED_END	{ $$ = $2; }
	;

/* ---- statements ------------------------------------------------------------------- */

/* A body runs; a block may have a value: its last expression without semicolon. */
body: block	{ $$ = build_body(p, $1); } ;

block:
	  '{' stmts '}'		{ $$ = build_block(p, @$, $2, NULL); }
	| '{' stmts simple '}'	{ $$ = build_block(p, @$, $2, $3); }
	;

block_expr:
	  BRACE_EXPR stmts '}'		{ $$ = build_block(p, @$, $2, NULL); }
	| BRACE_EXPR stmts simple '}'	{ $$ = build_block(p, @$, $2, $3); }
	;

stmts:
	  %empty	{ $$ = build_stmt_list(p, NULL, NULL); }
	| stmts stmt	{ $$ = build_stmt_list(p, $1, $2); }
	| stmts ';'	{ $$ = $1; $$->closed = true; }
	| stmts error RESYNC
		{
			$$ = $1;
			yyerrok;
		}
	;

stmt:
	  simple ';'	{ $$ = $1; }
	| compound
	;

simple:
	  expr
		{ $$ = build_stmt(p, AST_EXPR_STMT, @$, $1); }
	| expr '=' expr
		{ $$ = build_assign(p, @$, $1, false, AST_ADD, $3); }
	| expr assign_op expr
		{ $$ = build_assign(p, @$, $1, true, (enum ast_binary_op)$2, $3); }
	| LET let_var let_type let_init
		{ $$ = build_decl(p, @$, $2, $3, $4); }
	| BREAK
		{ $$ = build_stmt(p, AST_BREAK, @$, NULL); }
	| CONTINUE
		{ $$ = build_stmt(p, AST_CONTINUE, @$, NULL); }
	| IMPORT STRING
		{
			build_import(p, @$, $2, true);
			$$ = build_block_stmt(p, build_block(p, @$, build_stmt_list(p, NULL, NULL), NULL));
		}
	| RETURN
		{ $$ = build_stmt(p, AST_RETURN, @$, NULL); }
	| RETURN expr
		{ $$ = build_stmt(p, AST_RETURN, @$, $2); }
	;

let_var: VAR	{ $$ = build_var(p, @1, $1); } ;

let_type:
	  %empty	{ $$ = NULL; }
	| ':' type	{ $$ = $2; }
	;

let_init:
	  %empty	{ $$ = NULL; }
	| '=' expr	{ $$ = $2; }
	;

assign_op:
	  ADD_ASSIGN	{ $$ = AST_ADD; }
	| SUB_ASSIGN	{ $$ = AST_SUB; }
	| MUL_ASSIGN	{ $$ = AST_MUL; }
	| DIV_ASSIGN	{ $$ = AST_DIV; }
	| MOD_ASSIGN	{ $$ = AST_MOD; }
	| AND_ASSIGN	{ $$ = AST_BAND; }
	| OR_ASSIGN	{ $$ = AST_BOR; }
	| XOR_ASSIGN	{ $$ = AST_BXOR; }
	| SHL_ASSIGN	{ $$ = AST_SHL; }
	| SHR_ASSIGN	{ $$ = AST_SHR; }
	;

compound:
	  IF if_rest
		{ $$ = $2; $$->span = @$; }
	| FOR '(' let_var ':' unary range_end ')' body
		{ $$ = build_for(p, @$, $3, $5, $6, $8); }
	| FOR let_var ':' unary range_end body
		{ $$ = build_for(p, @$, $2, $4, $5, $6); }
	| WHILE expr body
		{ $$ = build_loop(p, AST_WHILE, @$, $2, $3); }
	| UNROLL expr body
		{ $$ = build_loop(p, AST_UNROLL, @$, $2, $3); }
	| block
		{ $$ = build_block_stmt(p, $1); }
	;

range_end:
	  %empty	{ $$ = NULL; }
	| DOTDOT unary	{ $$ = $2; }
	;

if_rest:
	  expr block
		{ $$ = build_if(p, @$, $1, $2, NULL); }
	| expr block ELSE block
		{ $$ = build_if(p, @$, $1, $2, $4); }
	| expr block ELSE IF if_rest
		{
			$5->span = span_join(@4, @5);
			$$ = build_if(p, @$, $1, $2, build_block_of(p, $5));
		}
	;

/* ---- expressions ------------------------------------------------------------------ */

expr:
	  binary
	| binary '?' expr ':' expr
		{ $$ = build_ternary(p, @$, $1, $3, $5); }
	| binary '?' ':' expr
		{ $$ = build_ternary(p, @$, $1, NULL, $4); }
	;

binary:
	  unary
	| binary LOR binary	{ $$ = build_binary(p, @2, AST_LOR, $1, $3); }
	| binary LAND binary	{ $$ = build_binary(p, @2, AST_LAND, $1, $3); }
	| binary '|' binary	{ $$ = build_binary(p, @2, AST_BOR, $1, $3); }
	| binary '^' binary	{ $$ = build_binary(p, @2, AST_BXOR, $1, $3); }
	| binary '&' binary	{ $$ = build_binary(p, @2, AST_BAND, $1, $3); }
	| binary EQ binary	{ $$ = build_binary(p, @2, AST_EQ, $1, $3); }
	| binary NE binary	{ $$ = build_binary(p, @2, AST_NE, $1, $3); }
	| binary '<' binary	{ $$ = build_binary(p, @2, AST_LT, $1, $3); }
	| binary '>' binary	{ $$ = build_binary(p, @2, AST_GT, $1, $3); }
	| binary LE binary	{ $$ = build_binary(p, @2, AST_LE, $1, $3); }
	| binary GE binary	{ $$ = build_binary(p, @2, AST_GE, $1, $3); }
	| binary SHL binary	{ $$ = build_binary(p, @2, AST_SHL, $1, $3); }
	| binary SHR binary	{ $$ = build_binary(p, @2, AST_SHR, $1, $3); }
	| binary '+' binary	{ $$ = build_binary(p, @2, AST_ADD, $1, $3); }
	| binary '-' binary	{ $$ = build_binary(p, @2, AST_SUB, $1, $3); }
	| binary '*' binary	{ $$ = build_binary(p, @2, AST_MUL, $1, $3); }
	| binary '/' binary	{ $$ = build_binary(p, @2, AST_DIV, $1, $3); }
	| binary '%' binary	{ $$ = build_binary(p, @2, AST_MOD, $1, $3); }
	;

unary:
	  postfix
	| INCR unary	{ $$ = build_incdec(p, @$, @2, false, true, $2); }
	| DECR unary	{ $$ = build_incdec(p, @$, @2, true, true, $2); }
	| '-' unary	{ $$ = build_unary(p, @$, AST_NEG, $2); }
	| '!' unary	{ $$ = build_unary(p, @$, AST_LNOT, $2); }
	| '~' unary	{ $$ = build_unary(p, @$, AST_BNOT, $2); }
	| '*' unary	{ $$ = build_unary(p, @$, AST_DEREF, $2); }
	| '&' unary	{ $$ = build_unary(p, @$, AST_ADDROF, $2); }
	| CAST_PAREN type ')' unary
		{ $$ = build_cast(p, @$, $2, $4); }
	| COMPTIME unary
		{ $$ = $2; if ($2) { $2->comptime = true; $2->span = @$; } }
	;

postfix:
	  primary
	| postfix '.' IDENT	{ $$ = build_field(p, @$, $1, @3, $3, false); }
	| postfix ARROW IDENT	{ $$ = build_field(p, @$, $1, @3, $3, true); }
	| postfix '.' INT	{ $$ = build_tuple_field(p, @$, $1, @3, $3); }
	| postfix '[' expr ']'	{ $$ = build_index(p, @$, $1, $3); }
	| postfix INCR		{ $$ = build_incdec(p, @$, @2, false, false, $1); }
	| postfix DECR		{ $$ = build_incdec(p, @$, @2, true, false, $1); }
	;

primary:
	  INT		{ $$ = build_int(p, @$, $1); }
	| STRING	{ $$ = build_string(p, @$, $1); }
	| TRUE		{ $$ = build_bool(p, @$, true); }
	| FALSE		{ $$ = build_bool(p, @$, false); }
	| PARAM		{ $$ = build_param(p, @$, $1); }
	| NPARAMS	{ $$ = build_expr(p, AST_NPARAMS, @$); }
	| VAR		{ $$ = build_var(p, @$, $1); }
	| MAP %prec KEYLESS
			{ $$ = build_map(p, @$, $1, @1, NULL); }
	| MAP '[' exprs ']'
			{ $$ = build_map(p, @$, $1, @3, $3); }
	| IDENT		{ $$ = build_ident(p, @$, $1); }
	| IDENT '(' args ')'
			{ $$ = build_call(p, @$, $1, false, $3); }
	| IDENT '!' '(' args ')'
			{ $$ = build_call(p, @$, $1, true, $4); }
	| '(' expr ')'	{ $$ = $2; }
	| '(' ')'	{ $$ = build_tuple(p, @$, AST_TUPLE, NULL); }
	| '(' expr ',' ')'
			{ $$ = build_tuple(p, @$, AST_TUPLE, build_expr_list(p, NULL, $2)); }
	| '(' expr ',' exprs opt_comma ')'
		{
			struct expr_list *list = build_expr_list(p, NULL, $2);

			for (size_t i = 0; i < $4->v.len; i++)
				build_expr_list(p, list, $4->v.items[i]);
			$$ = build_tuple(p, @$, AST_TUPLE, list);
		}
	| '(' record opt_comma ')'
			{ $$ = build_tuple(p, @$, AST_RECORD, $2); }
	| SIZEOF '(' expr ')'
			{ $$ = build_typed(p, @$, AST_SIZEOF, NULL, $3); }
	| SIZEOF TYPE_PAREN type ')'
			{ $$ = build_typed(p, @$, AST_SIZEOF, $3, NULL); }
	| TYPEINFO '(' expr ')'
			{ $$ = build_typed(p, @$, AST_TYPEINFO, NULL, $3); }
	| TYPEINFO TYPE_PAREN type ')'
			{ $$ = build_typed(p, @$, AST_TYPEINFO, $3, NULL); }
	| OFFSETOF '(' expr ',' path ')'
			{ $$ = build_offsetof(p, @$, NULL, $3, $5); }
	| OFFSETOF TYPE_PAREN type ',' path ')'
			{ $$ = build_offsetof(p, @$, $3, NULL, $5); }
	| block_expr	{ $$ = build_block_expr(p, $1); }
	| IF_EXPR if_rest
			{ $$ = build_if_expr(p, @$, $2); }
	;

exprs:
	  expr			{ $$ = build_expr_list(p, NULL, $1); }
	| exprs ',' expr	{ $$ = build_expr_list(p, $1, $3); }
	;

args:
	  %empty	{ $$ = NULL; }
	| arg_list
	;

arg_list:
	  arg			{ $$ = build_expr_list(p, NULL, $1); }
	| arg_list ',' arg	{ $$ = build_expr_list(p, $1, $3); }
	;

/* A macro takes a type as typeof(...). */
arg:
	  expr
	| typeof	{ $$ = build_typed(p, @$, AST_TYPE_EXPR, $1, NULL); }
	;

record:
	  IDENT '=' expr
		{ $$ = build_record_field(p, NULL, @$, $1, $3); }
	| record ',' IDENT '=' expr
		{ $$ = build_record_field(p, $1, span_join(@3, @5), $3, $5); }
	;

path:
	  IDENT			{ $$ = build_name_list(p, NULL, $1); }
	| path '.' IDENT	{ $$ = build_name_list(p, $1, $3); }
	;

/* ---- types ------------------------------------------------------------------------ */

type:
	  type_base
	| type '*'
		{ $$ = $1; build_type_suffix(p, $$, @$, AST_SUFFIX_POINTER, NULL); }
	| type '[' INT ']'
		{ $$ = $1; build_type_suffix(p, $$, @$, AST_SUFFIX_ARRAY, $3); }
	| type '[' ']'
		{ $$ = $1; build_type_suffix(p, $$, @$, AST_SUFFIX_ARRAY, NULL); }
	;

type_base:
	  IDENT		{ $$ = build_type(p, @$, NULL, $1); }
	| STRUCT IDENT	{ $$ = build_type(p, @$, "struct", $2); }
	| UNION IDENT	{ $$ = build_type(p, @$, "union", $2); }
	| ENUM IDENT	{ $$ = build_type(p, @$, "enum", $2); }
	| typeof
	;

typeof:
	  TYPEOF '(' expr ')'		{ $$ = build_typeof(p, @$, NULL, $3); }
	| TYPEOF TYPE_PAREN type ')'	{ $$ = build_typeof(p, @$, $3, NULL); }
	;

%%

/* ---- tokens for the grammar ------------------------------------------------------- */

static struct span token_span(const struct parser *p, uint32_t i)
{
	const struct token *t = &p->tokens.items[i];

	return (struct span){p->src, t->begin, t->end};
}

static int btgram_lex(union BTGRAM_STYPE *value, struct span *at, struct parser *p)
{
	if (p->resync) {
		p->resync = false;
		p->next = p->resync_to;
		*at = token_span(p, p->current);
		return TOK_RESYNC;
	}
	p->current = p->aborted ? p->tokens.len - 1 : p->next;
	if (p->current + 1 < p->tokens.len)
		p->next = p->current + 1;
	value->tok = &p->tokens.items[p->current];
	*at = token_span(p, p->current);
	return p->tokens.items[p->current].kind;
}

/* ---- messages -------------------------------------------------------------------- */

#define MAX_EXPECTED 128

struct expected {
	const char *names[MAX_EXPECTED];
	int n;
};

/* Everything an expression can begin with. */
static const char *const expr_starts[] = {
	"identifier", "integer", "string", "variable", "map", "positional parameter", "'$#'",
	"'if' ", "'comptime'", "'true'", "'false'", "'sizeof'", "'offsetof'", "'typeof'",
	"'typeinfo'", "'('", "'(' of a cast", "'{' of a value", "'++'", "'--'", "'-'", "'!'", "'~'",
	"'*'", "'&'", NULL,
};
static const char *const stmt_starts[] = {
	"'let'", "'break'", "'continue'", "'return'", "'for'", "'if'", "'while'", "'unroll'",
	"'import'", "'{'", "';'", "'else'", NULL,
};
static const char *const operators[] = {
	"'||'", "'&&'", "'|'", "'^'", "'&'", "'=='", "'!='", "'<'", "'>'", "'<='", "'>='", "'<<'",
	"'>>'", "'+'", "'-'", "'*'", "'/'", "'%'", "'?'", "'.'", "'->'", "'['", "'('", "'!'",
	"'++'", "'--'", "'='", "'+='", "'-='", "'*='", "'/='", "'%='", "'&='", "'|='", "'^='",
	"'<<='", "'>>='", "'..'", NULL,
};

static bool expects(const struct expected *e, const char *name)
{
	for (int i = 0; i < e->n; i++) {
		if (!strcmp(e->names[i], name))
			return true;
	}
	return false;
}

static void expect_only(struct expected *e, const char *name)
{
	e->names[0] = name;
	e->n = 1;
}

static void expect_without(struct expected *e, const char *const *drop)
{
	int n = 0;

	for (int i = 0; i < e->n; i++) {
		const char *const *d = drop;

		while (*d && strcmp(*d, e->names[i]))
			d++;
		if (!*d)
			e->names[n++] = e->names[i];
	}
	e->n = n;
}

/* The whole list of what could follow helps nobody: classes of tokens get one name. */
static void expected_in_words(struct expected *e)
{
	static const char *const closing_brace[] = {"'}'", NULL};

	if (expects(e, "attach point") && expects(e, "'config'")) {
		expect_only(e, "attach point");
	} else if (expects(e, "integer") && expects(e, "variable") && expects(e, "'('")) {
		bool statement = expects(e, "'break'");

		expect_without(e, expr_starts);
		if (statement)
			expect_without(e, stmt_starts);
		memmove(e->names + 1, e->names, (size_t)e->n++ * sizeof(*e->names));
		e->names[0] = statement ? "statement" : "expression";
	} else if (expects(e, "'+'") && expects(e, "'%'")) {
		expect_without(e, operators);
	}
	if (expects(e, "';'"))
		expect_without(e, closing_brace);
	if (expects(e, "'{'"))
		expect_only(e, "'{'");
}

static const char *found_in_words(struct parser *p)
{
	const struct token *t = &p->tokens.items[p->current];
	const char *text = p->diags->sources.items[p->src].text + t->begin;
	int len = (int)(t->end - t->begin);

	if (t->kind == TOK_END)
		return "end of script";
	if (t->kind == TOK_C_DEF)
		return "C definition";
	if (t->kind == TOK_STRING)
		return "string";
	if (len > 40)
		return arena_printf(p->arena, "'%.40s...'", text);
	return arena_printf(p->arena, "'%.*s'", len, text);
}

/* The brace that the end of the script was reached in, for a hint. */
static void hint_unclosed(struct parser *p)
{
	for (uint32_t i = p->tokens.len - 1; i-- > 0;) {
		const struct token *t = &p->tokens.items[i];
		unsigned line, col;

		if ((t->kind != '{' && t->kind != TOK_BRACE_EXPR) || t->match != p->tokens.len - 1)
			continue;
		diag_position(p->diags, token_span(p, i), &line, &col);
		diag_hint(p->diags, "The '{' at %u:%u is not closed", line, col);
		return;
	}
}

static void say_expected(struct parser *p, struct span at, const struct expected *e)
{
	const char *found = found_in_words(p), *list = "";

	if (!e->n || e->n > 4) {
		diag_error(p->diags, at, "syntax: unexpected %s", found);
		return;
	}
	for (int i = 0; i < e->n; i++)
		list = arena_printf(p->arena, "%s%s%s", list,
				    !i ? "" : i + 1 < e->n ? ", " : " or ", e->names[i]);
	diag_error(p->diags, at, "syntax: expected %s, found %s", list, found);
}

static void say_hint(struct parser *p, bool operators_fit, const struct expected *e)
{
	uint16_t kind = p->tokens.items[p->current].kind;
	uint16_t before = p->current ? p->tokens.items[p->current - 1].kind : TOK_END;

	if (kind == TOK_END)
		hint_unclosed(p);
	else if (kind == '=' && operators_fit)
		diag_hint(p->diags, "Did you mean '=='?");
	else if (before == TOK_LET && expects(e, "map"))
		diag_hint(p->diags, "Outside of probes only maps can be declared: "
				    "let @a = hash(100);");
}

static int yyreport_syntax_error(const yypcontext_t *ctx, struct parser *p)
{
	yysymbol_kind_t kinds[MAX_EXPECTED];
	struct span at = span_first_line(p, *yypcontext_location(ctx));
	struct expected e = {.n = 0};
	uint32_t i = p->current;
	bool operators_fit;
	int n;

	/* The next token comes from a place from which the script makes sense again. */
	p->resync = true;
	p->resync_to = tokens_resync(&p->tokens, i);
	if (p->said && p->resync_to <= p->last_error && i <= p->last_error)
		p->resync_to = i + 1 < p->tokens.len ? i + 1 : i;
	if (p->aborted || (p->said && p->tokens.items[i].kind == TOK_END))
		return 0;
	p->said = true;
	p->last_error = i;
	n = yypcontext_expected_tokens(ctx, kinds, MAX_EXPECTED - 1);
	for (e.n = 0; e.n < n; e.n++)
		e.names[e.n] = yysymbol_name(kinds[e.n]);
	operators_fit = expects(&e, "'+'") && expects(&e, "'%'");
	expected_in_words(&e);
	/* "expected '{', found '{'" tells nothing: the first is a body's, the second a value's. */
	if (p->tokens.items[i].kind == TOK_BRACE_EXPR && expects(&e, "'{'"))
		e.n = 0;
	if (p->tokens.items[i].kind == TOK_END)
		at.begin = at.end = i ? p->tokens.items[i - 1].end : 0;
	say_expected(p, at, &e);
	say_hint(p, operators_fit, &e);
	/* What follows would not be shown. */
	p->aborted = p->diags->errors >= DIAG_MAX_ERRORS;
	return 0;
}

/* Called only when the parser's stack is full. */
static void btgram_error(struct span *at, struct parser *p, const char *message)
{
	(void)message;
	if (!p->aborted)
		diag_error(p->diags, *at, "syntax: nested too deeply");
	p->aborted = true;
}
