/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions and types as they are written in a script. */
#include "ast.h"

#include <ctype.h>
#include <inttypes.h>

static const unsigned char binary_levels[] = {
	[AST_LOR] = 1,  [AST_LAND] = 2, [AST_BOR] = 3,  [AST_BXOR] = 4, [AST_BAND] = 5,
	[AST_EQ] = 6,   [AST_NE] = 6,   [AST_LT] = 7,   [AST_LE] = 7,   [AST_GT] = 7,
	[AST_GE] = 7,   [AST_SHL] = 8,  [AST_SHR] = 8,  [AST_ADD] = 9,  [AST_SUB] = 9,
	[AST_MUL] = 10, [AST_DIV] = 10, [AST_MOD] = 10,
};

/* How tightly an expression holds together; less than its place asks for means parentheses. */
enum level { LEVEL_TERNARY = 0, LEVEL_UNARY = 11, LEVEL_POSTFIX = 12 };

static int level_of(const struct ast_expr *e)
{
	switch (e->kind) {
	case AST_TERNARY:
		return LEVEL_TERNARY;
	case AST_BINARY:
		return binary_levels[e->u.binary.op];
	case AST_UNARY:
	case AST_CAST:
		return LEVEL_UNARY;
	case AST_INCDEC:
		return e->u.incdec.prefix ? LEVEL_UNARY : LEVEL_POSTFIX;
	default:
		return LEVEL_POSTFIX;
	}
}

static void format_at(FILE *out, const struct ast_expr *e, int level)
{
	bool parens = level_of(e) < level;

	if (parens)
		fputc('(', out);
	ast_format_expr(out, e);
	if (parens)
		fputc(')', out);
}

void ast_format_string(FILE *out, const char *text, uint32_t len)
{
	fputc('"', out);
	for (uint32_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c == '\r')
			fputs("\\r", out);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

void ast_format_type(FILE *out, const struct ast_type *t)
{
	if (t->tag)
		fprintf(out, "%s ", t->tag);
	if (t->name) {
		fputs(t->name, out);
	} else {
		fputs("typeof(", out);
		if (t->typeof_type)
			ast_format_type(out, t->typeof_type);
		else
			ast_format_expr(out, t->typeof_expr);
		fputc(')', out);
	}
	for (size_t i = 0; i < t->suffixes.len; i++) {
		const struct ast_type_suffix *s = &t->suffixes.items[i];

		if (s->kind == AST_SUFFIX_POINTER)
			fputc('*', out);
		else if (s->count < 0)
			fputs("[]", out);
		else
			fprintf(out, "[%" PRId64 "]", s->count);
	}
}

static void format_list(FILE *out, struct ast_expr *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputs(", ", out);
		ast_format_expr(out, items[i]);
	}
}

static void format_map(FILE *out, const struct ast_expr *e)
{
	const struct ast_expr *key = e->u.map.key;

	fprintf(out, "@%s", e->u.map.name);
	if (!key)
		return;
	fputc('[', out);
	if (key->kind == AST_TUPLE && key->u.tuple.elems.len > 1)
		format_list(out, key->u.tuple.elems.items, key->u.tuple.elems.len);
	else
		ast_format_expr(out, key);
	fputc(']', out);
}

static void format_tuple(FILE *out, const struct ast_expr *e)
{
	size_t n = e->u.tuple.elems.len;

	fputc('(', out);
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputs(", ", out);
		if (e->kind == AST_RECORD)
			fprintf(out, "%s=", e->u.tuple.names.items[i]);
		ast_format_expr(out, e->u.tuple.elems.items[i]);
	}
	fputs(e->kind == AST_TUPLE && n == 1 ? ",)" : ")", out);
}

static void format_type_or_expr(FILE *out, const struct ast_type *t, const struct ast_expr *e)
{
	if (t)
		ast_format_type(out, t);
	else
		ast_format_expr(out, e);
}

static void format_offsetof(FILE *out, const struct ast_expr *e)
{
	fputs("offsetof(", out);
	format_type_or_expr(out, e->u.offsetof_.type, e->u.offsetof_.e);
	for (size_t i = 0; i < e->u.offsetof_.path.len; i++)
		fprintf(out, "%s%s", i ? "." : ", ", e->u.offsetof_.path.items[i]);
	fputc(')', out);
}

static void format_ternary(FILE *out, const struct ast_expr *e)
{
	format_at(out, e->u.ternary.cond, 1);
	if (e->u.ternary.then) {
		fputs(" ? ", out);
		format_at(out, e->u.ternary.then, LEVEL_TERNARY);
		fputs(" : ", out);
	} else {
		fputs(" ?: ", out);
	}
	format_at(out, e->u.ternary.otherwise, LEVEL_TERNARY);
}

/* "-(-x)" and "-(--x)" must not run together. */
static void format_unary(FILE *out, const struct ast_expr *e)
{
	const struct ast_expr *inner = e->u.unary.e;
	bool runs_together = e->u.unary.op == AST_NEG &&
			     ((inner->kind == AST_UNARY && inner->u.unary.op == AST_NEG) ||
			      (inner->kind == AST_INCDEC && inner->u.incdec.prefix));

	fputs(ast_unary_op_text(e->u.unary.op), out);
	format_at(out, inner, runs_together ? LEVEL_POSTFIX : LEVEL_UNARY);
}

static void format_incdec(FILE *out, const struct ast_expr *e)
{
	const char *op = e->u.incdec.decrement ? "--" : "++";

	if (e->u.incdec.prefix)
		fputs(op, out);
	format_at(out, e->u.incdec.e, LEVEL_POSTFIX);
	if (!e->u.incdec.prefix)
		fputs(op, out);
}

/* The statements of a block are not written out: one line is to stay one line. */
static void format_block(FILE *out, const struct ast_block *b)
{
	fputs(b->stmts.len ? "{ ...; " : "{ ", out);
	if (b->value)
		ast_format_expr(out, b->value);
	fputs(" }", out);
}

void ast_format_expr(FILE *out, const struct ast_expr *e)
{
	switch (e->kind) {
	case AST_INT:
		fprintf(out, "%" PRIu64, e->u.integer.value);
		break;
	case AST_STRING:
		ast_format_string(out, e->u.string.text, e->u.string.len);
		break;
	case AST_BOOL:
		fputs(e->u.integer.value ? "true" : "false", out);
		break;
	case AST_POSITIONAL:
		fprintf(out, "$%" PRIu64, e->u.integer.value);
		break;
	case AST_NPARAMS:
		fputs("$#", out);
		break;
	case AST_VAR:
		fprintf(out, "$%s", e->u.var.name);
		break;
	case AST_MAP:
		format_map(out, e);
		break;
	case AST_IDENT:
		fputs(e->u.ident.name, out);
		break;
	case AST_CALL:
		fprintf(out, "%s%s(", e->u.call.name, e->u.call.macro_bang ? "!" : "");
		format_list(out, e->u.call.args.items, e->u.call.args.len);
		fputc(')', out);
		break;
	case AST_UNARY:
		format_unary(out, e);
		break;
	case AST_INCDEC:
		format_incdec(out, e);
		break;
	case AST_BINARY:
		format_at(out, e->u.binary.l, level_of(e));
		fprintf(out, " %s ", ast_binary_op_text(e->u.binary.op));
		format_at(out, e->u.binary.r, level_of(e) + 1);
		break;
	case AST_TERNARY:
		format_ternary(out, e);
		break;
	case AST_FIELD:
		format_at(out, e->u.field.e, LEVEL_POSTFIX);
		fprintf(out, "%s%s", e->u.field.arrow ? "->" : ".", e->u.field.name);
		break;
	case AST_TUPLE_FIELD:
		format_at(out, e->u.tuple_field.e, LEVEL_POSTFIX);
		fprintf(out, ".%" PRIu32, e->u.tuple_field.index);
		break;
	case AST_INDEX:
		format_at(out, e->u.index.e, LEVEL_POSTFIX);
		fputc('[', out);
		ast_format_expr(out, e->u.index.i);
		fputc(']', out);
		break;
	case AST_CAST:
		fputc('(', out);
		ast_format_type(out, e->u.cast.type);
		fputc(')', out);
		format_at(out, e->u.cast.e, LEVEL_UNARY);
		break;
	case AST_TUPLE:
	case AST_RECORD:
		format_tuple(out, e);
		break;
	case AST_SIZEOF:
	case AST_TYPEINFO:
		fputs(e->kind == AST_SIZEOF ? "sizeof(" : "typeinfo(", out);
		format_type_or_expr(out, e->u.sizeof_.type, e->u.sizeof_.e);
		fputc(')', out);
		break;
	case AST_TYPE_EXPR:
		format_type_or_expr(out, e->u.sizeof_.type, e->u.sizeof_.e);
		break;
	case AST_OFFSETOF:
		format_offsetof(out, e);
		break;
	case AST_BLOCK_EXPR:
		format_block(out, e->u.block);
		break;
	}
}
