/* SPDX-License-Identifier: Apache-2.0 */
/* The tree as text: one node a line, one space a level. */
#include "ast.h"

#include <inttypes.h>
#include <string.h>

struct printer {
	FILE *out;
	const struct ast_print_opts *opts;
	int depth;
};

static void print_expr(struct printer *p, const struct ast_expr *e);
static void print_block(struct printer *p, const struct ast_block *b);

static void indent(struct printer *p)
{
	for (int i = 0; i < p->depth; i++)
		fputc(' ', p->out);
}

static void __attribute__((format(printf, 2, 3))) line(struct printer *p, const char *fmt, ...)
{
	va_list ap;

	indent(p);
	va_start(ap, fmt);
	vfprintf(p->out, fmt, ap);
	va_end(ap);
	fputc('\n', p->out);
}

/* ---- expressions ------------------------------------------------------------- */

static void print_label(FILE *out, const struct ast_expr *e)
{
	switch (e->kind) {
	case AST_INT:
		fprintf(out, "int: %" PRIu64, e->u.integer.value);
		break;
	case AST_STRING:
		fputs("string: ", out);
		ast_format_string(out, e->u.string.text, e->u.string.len);
		break;
	case AST_BOOL:
		fprintf(out, "bool: %s", e->u.integer.value ? "true" : "false");
		break;
	case AST_POSITIONAL:
		fprintf(out, "param: $%" PRIu64, e->u.integer.value);
		break;
	case AST_NPARAMS:
		fputs("param: $#", out);
		break;
	case AST_VAR:
		fprintf(out, "variable: $%s", e->u.var.name);
		break;
	case AST_MAP:
		fprintf(out, "map: @%s", e->u.map.name);
		break;
	case AST_IDENT:
		fprintf(out, "%s: %s", e->u.ident.builtin ? "builtin" : "identifier",
			e->u.ident.name);
		break;
	case AST_CALL:
		fprintf(out, "call: %s%s", e->u.call.name, e->u.call.macro_bang ? "!" : "");
		break;
	case AST_UNARY:
		fputs(e->u.unary.op == AST_DEREF    ? "dereference"
		      : e->u.unary.op == AST_ADDROF ? "address of"
						    : ast_unary_op_text(e->u.unary.op),
		      out);
		break;
	case AST_INCDEC:
		fprintf(out, "%s (%s)", e->u.incdec.decrement ? "--" : "++",
			e->u.incdec.prefix ? "before" : "after");
		break;
	case AST_BINARY:
		fputs(ast_binary_op_text(e->u.binary.op), out);
		break;
	case AST_TERNARY:
		fputs(e->u.ternary.then ? "? :" : "?:", out);
		break;
	case AST_FIELD:
		fprintf(out, "%s %s", e->u.field.arrow ? "->" : ".", e->u.field.name);
		break;
	case AST_TUPLE_FIELD:
		fprintf(out, ". %" PRIu32, e->u.tuple_field.index);
		break;
	case AST_INDEX:
		fputs("[]", out);
		break;
	case AST_CAST:
		fputc('(', out);
		ast_format_type(out, e->u.cast.type);
		fputc(')', out);
		break;
	case AST_TUPLE:
		fputs("tuple", out);
		break;
	case AST_RECORD:
		fputs("record", out);
		break;
	case AST_SIZEOF:
		fputs("sizeof", out);
		break;
	case AST_OFFSETOF:
		fputs("offsetof", out);
		break;
	case AST_TYPEINFO:
		fputs("typeinfo", out);
		break;
	case AST_TYPE_EXPR:
		fputs("type", out);
		break;
	case AST_BLOCK_EXPR:
		fputs("block expression", out);
		break;
	}
}

static void print_type(struct printer *p, const struct ast_type *t)
{
	indent(p);
	fputs("type: ", p->out);
	ast_format_type(p->out, t);
	fputc('\n', p->out);
}

static void print_type_or_expr(struct printer *p, const struct ast_type *t,
			       const struct ast_expr *e)
{
	if (t)
		print_type(p, t);
	else
		print_expr(p, e);
}

static void print_record(struct printer *p, const struct ast_expr *e)
{
	for (size_t i = 0; i < e->u.tuple.elems.len; i++) {
		line(p, "%s =", e->u.tuple.names.items[i]);
		p->depth++;
		print_expr(p, e->u.tuple.elems.items[i]);
		p->depth--;
	}
}

static void print_list(struct printer *p, struct ast_expr *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print_expr(p, items[i]);
}

/* Keys stand below their map, each on a line of its own. */
static void print_key(struct printer *p, const struct ast_expr *key)
{
	if (key->kind == AST_TUPLE && key->u.tuple.elems.len > 1)
		print_list(p, key->u.tuple.elems.items, key->u.tuple.elems.len);
	else
		print_expr(p, key);
}

static void print_children(struct printer *p, const struct ast_expr *e)
{
	switch (e->kind) {
	case AST_INT:
	case AST_STRING:
	case AST_BOOL:
	case AST_POSITIONAL:
	case AST_NPARAMS:
	case AST_VAR:
	case AST_IDENT:
		break;
	case AST_MAP:
		if (e->u.map.key)
			print_key(p, e->u.map.key);
		break;
	case AST_CALL:
		print_list(p, e->u.call.args.items, e->u.call.args.len);
		break;
	case AST_UNARY:
		print_expr(p, e->u.unary.e);
		break;
	case AST_INCDEC:
		print_expr(p, e->u.incdec.e);
		break;
	case AST_BINARY:
		print_expr(p, e->u.binary.l);
		print_expr(p, e->u.binary.r);
		break;
	case AST_TERNARY:
		print_expr(p, e->u.ternary.cond);
		if (e->u.ternary.then)
			print_expr(p, e->u.ternary.then);
		print_expr(p, e->u.ternary.otherwise);
		break;
	case AST_FIELD:
		print_expr(p, e->u.field.e);
		break;
	case AST_TUPLE_FIELD:
		print_expr(p, e->u.tuple_field.e);
		break;
	case AST_INDEX:
		print_expr(p, e->u.index.e);
		print_expr(p, e->u.index.i);
		break;
	case AST_CAST:
		print_expr(p, e->u.cast.e);
		break;
	case AST_TUPLE:
		print_list(p, e->u.tuple.elems.items, e->u.tuple.elems.len);
		break;
	case AST_RECORD:
		print_record(p, e);
		break;
	case AST_SIZEOF:
	case AST_TYPEINFO:
	case AST_TYPE_EXPR:
		print_type_or_expr(p, e->u.sizeof_.type, e->u.sizeof_.e);
		break;
	case AST_OFFSETOF:
		print_type_or_expr(p, e->u.offsetof_.type, e->u.offsetof_.e);
		for (size_t i = 0; i < e->u.offsetof_.path.len; i++)
			line(p, ". %s", e->u.offsetof_.path.items[i]);
		break;
	case AST_BLOCK_EXPR:
		print_block(p, e->u.block);
		break;
	}
}

static void print_expr(struct printer *p, const struct ast_expr *e)
{
	indent(p);
	print_label(p->out, e);
	if (p->opts->types && e->type && p->opts->type_name)
		fprintf(p->out, " :: [%s]", p->opts->type_name(e->type, p->opts->arg));
	fputc('\n', p->out);
	p->depth++;
	print_children(p, e);
	p->depth--;
}

/* ---- statements ---------------------------------------------------------------- */

static void print_named_block(struct printer *p, const char *name, const struct ast_block *b)
{
	line(p, "%s", name);
	p->depth++;
	print_block(p, b);
	p->depth--;
}

static void print_assign(struct printer *p, const struct ast_stmt *s)
{
	if (s->u.assign.compound)
		line(p, "%s=", ast_binary_op_text(s->u.assign.op));
	else
		line(p, "=");
	p->depth++;
	print_expr(p, s->u.assign.target);
	print_expr(p, s->u.assign.value);
	p->depth--;
}

static void print_decl(struct printer *p, const struct ast_stmt *s)
{
	line(p, "decl");
	p->depth++;
	print_expr(p, s->u.decl.var);
	if (s->u.decl.type)
		print_type(p, s->u.decl.type);
	if (s->u.decl.init)
		print_expr(p, s->u.decl.init);
	p->depth--;
}

static void print_if(struct printer *p, const struct ast_stmt *s)
{
	line(p, "if");
	p->depth++;
	print_expr(p, s->u.if_.cond);
	print_named_block(p, "then", s->u.if_.then);
	if (s->u.if_.otherwise)
		print_named_block(p, "else", s->u.if_.otherwise);
	p->depth--;
}

static void print_for(struct printer *p, const struct ast_stmt *s)
{
	line(p, "for");
	p->depth++;
	print_expr(p, s->u.for_.var);
	if (s->kind == AST_FOR_MAP) {
		print_expr(p, s->u.for_.map);
	} else {
		line(p, "range");
		p->depth++;
		print_expr(p, s->u.for_.begin);
		print_expr(p, s->u.for_.end);
		p->depth--;
	}
	print_named_block(p, "block", s->u.for_.body);
	p->depth--;
}

static void print_loop(struct printer *p, const struct ast_stmt *s)
{
	line(p, s->kind == AST_WHILE ? "while" : "unroll");
	p->depth++;
	print_expr(p, s->u.loop.cond);
	print_named_block(p, "block", s->u.loop.body);
	p->depth--;
}

static void print_with_expr(struct printer *p, const char *name, const struct ast_expr *e)
{
	line(p, "%s", name);
	if (!e)
		return;
	p->depth++;
	print_expr(p, e);
	p->depth--;
}

static void print_stmt(struct printer *p, const struct ast_stmt *s)
{
	switch (s->kind) {
	case AST_EXPR_STMT:
		print_expr(p, s->u.expr);
		break;
	case AST_ASSIGN:
		print_assign(p, s);
		break;
	case AST_DECL:
		print_decl(p, s);
		break;
	case AST_IF:
		print_if(p, s);
		break;
	case AST_FOR_MAP:
	case AST_FOR_RANGE:
		print_for(p, s);
		break;
	case AST_WHILE:
	case AST_UNROLL:
		print_loop(p, s);
		break;
	case AST_BREAK:
		line(p, "break");
		break;
	case AST_CONTINUE:
		line(p, "continue");
		break;
	case AST_RETURN:
		print_with_expr(p, "return", s->u.expr);
		break;
	case AST_BLOCK:
		print_named_block(p, "block", s->u.block);
		break;
	case AST_DISCARD:
		print_with_expr(p, "discard", s->u.expr);
		break;
	}
}

static void print_block(struct printer *p, const struct ast_block *b)
{
	for (size_t i = 0; i < b->stmts.len; i++)
		print_stmt(p, b->stmts.items[i]);
	if (b->value)
		print_with_expr(p, "value", b->value);
}

/* ---- the program ------------------------------------------------------------------ */

static void print_c_def(struct printer *p, const char *text)
{
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		line(p, "%.*s", (int)(end - text), text);
	}
}

static void print_head(struct printer *p, const struct ast_program *a)
{
	for (size_t i = 0; i < a->c_defs.len; i++)
		print_c_def(p, a->c_defs.items[i].text);
	if (a->config.len)
		line(p, "config");
	for (size_t i = 0; i < a->config.len; i++) {
		p->depth++;
		line(p, "%s = %s", a->config.items[i].name, a->config.items[i].value);
		p->depth--;
	}
	for (size_t i = 0; i < a->imports.len; i++)
		line(p, "import: %s", a->imports.items[i].path);
	for (size_t i = 0; i < a->map_decls.len; i++) {
		const struct ast_map_decl *d = &a->map_decls.items[i];

		line(p, "map decl: @%s = %s(%" PRId64 ")", d->name, d->kind, d->max_entries);
	}
}

static void print_macro(struct printer *p, const struct ast_macro *m)
{
	line(p, "macro: %s", m->name);
	p->depth++;
	print_list(p, m->params.items, m->params.len);
	print_named_block(p, "block", m->body);
	p->depth--;
}

static void print_probe(struct printer *p, const struct ast_probe *probe)
{
	for (size_t i = 0; i < probe->points.len; i++)
		line(p, "%s", probe->points.items[i]->text);
	p->depth++;
	if (probe->predicate) {
		indent(p);
		fputs("pred /", p->out);
		ast_format_expr(p->out, probe->predicate);
		fputs("/\n", p->out);
		p->depth++;
		print_expr(p, probe->predicate);
		p->depth--;
	}
	print_block(p, probe->body);
	p->depth--;
}

void ast_print_probe(FILE *out, const struct ast_probe *probe, const struct ast_print_opts *o)
{
	static const struct ast_print_opts plain;
	struct printer p = {.out = out, .opts = o ? o : &plain};

	print_probe(&p, probe);
}

void ast_print_program(FILE *out, const struct ast_program *a, const struct ast_print_opts *o)
{
	static const struct ast_print_opts plain;
	struct printer p = {.out = out, .opts = o ? o : &plain};

	line(&p, "Program");
	p.depth++;
	print_head(&p, a);
	for (size_t i = 0; i < a->macros.len; i++)
		print_macro(&p, a->macros.items[i]);
	for (size_t i = 0; i < a->probes.len; i++)
		print_probe(&p, a->probes.items[i]);
}
