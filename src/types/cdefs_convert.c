/* SPDX-License-Identifier: Apache-2.0 */
/* libclang's types into ours: structs and enums first as shells, then filled one by one. */
#include <string.h>

#include "types/cdefs_internal.h"

#define BUCKETS  4096
#define MAX_SIZE (1u << 31) /* bytes of a type: offsets and sizes are 32 bits wide */
/*
 * Bytes of a struct whose fields are read: libclang looks through all structs inside a struct
 * again and again for the place of each field.
 */
#define MAX_FILLED (1u << 20)

struct cdefs_record {
	struct cdefs_record *next;
	CXCursor decl;
	struct type *type;
};

static struct type *convert(struct cdefs_reader *r, CXType t);

const char *cdefs_string(struct cdefs_reader *r, CXString s)
{
	const char *text = r->c.getCString(s);
	char *copy = arena_strdup(r->arena, text ? text : "");

	r->c.disposeString(s);
	return copy;
}

static bool is_borrowed(struct cdefs_reader *r, CXCursor c)
{
	CXFile file;

	r->c.getFileLocation(r->c.getCursorLocation(c), &file, NULL, NULL, NULL);
	/* all files of memory are equal to clang_File_isEqual() */
	return file && file == r->borrowed_file;
}

/* Without a tag of its own: C gives it the name of a typedef, libclang one of its place. */
static const char *tag_name(struct cdefs_reader *r, CXCursor decl)
{
	const char *name = cdefs_string(r, r->c.getCursorSpelling(decl));

	return strpbrk(name, " (") ? "" : name;
}

static uint32_t size_of(struct cdefs_reader *r, CXType t)
{
	long long size = r->c.Type_getSizeOf(t);

	return size > 0 && size <= MAX_SIZE ? (uint32_t)size : 0;
}

static uint32_t align_of(struct cdefs_reader *r, CXType t)
{
	long long align = r->c.Type_getAlignOf(t);

	return align > 0 && align <= 4096 ? (uint32_t)align : 1;
}

/* ---- structs, unions, enums ---------------------------------------------------- */

static struct cdefs_record **find_record(struct cdefs_reader *r, CXCursor decl)
{
	struct cdefs_record **at = &r->records[r->c.hashCursor(decl) % BUCKETS];

	while (*at && !r->c.equalCursors((*at)->decl, decl))
		at = &(*at)->next;
	return at;
}

static const char *tag_of(enum CXCursorKind kind)
{
	return kind == CXCursor_UnionDecl ? "union" : kind == CXCursor_EnumDecl ? "enum" : "struct";
}

/* Only named: it is BTF's, or stays unknown. */
static struct type *undefined(struct cdefs_reader *r, CXCursor decl, CXType t)
{
	enum CXCursorKind kind = r->c.getCursorKind(decl);
	const char *name = tag_name(r, decl);

	if (kind == CXCursor_EnumDecl) {
		struct type *found = types_lookup(r->ts, "enum", name);

		return found ? found : type_int(r->ts, 4, false);
	}
	(void)t;
	return type_named_struct(r->ts, kind == CXCursor_UnionDecl ? IMAGE_K_UNION : IMAGE_K_STRUCT,
				 name);
}

static struct type *make_shell(struct cdefs_reader *r, CXCursor decl, CXType t)
{
	enum CXCursorKind kind = r->c.getCursorKind(decl);
	enum image_kind k = kind == CXCursor_UnionDecl  ? IMAGE_K_UNION
			    : kind == CXCursor_EnumDecl ? IMAGE_K_ENUM
							: IMAGE_K_STRUCT;
	struct type *shell = type_new(r->ts, k, size_of(r, t), align_of(r, t));

	shell->name = tag_name(r, decl);
	return shell;
}

/* A type by its declaration, which may be a forward one. */
static struct type *convert_declared(struct cdefs_reader *r, CXType t)
{
	CXCursor decl = r->c.getTypeDeclaration(t), def = r->c.getCursorDefinition(decl);
	struct cdefs_record **at, *rec;
	const struct cdefs_borrowed *b;

	if (!r->c.Cursor_isNull(def))
		decl = def;
	at = find_record(r, decl);
	if (*at)
		return (*at)->type;
	rec = arena_new_of(r->arena, struct cdefs_record);
	rec->decl = decl;
	*at = rec;
	b = is_borrowed(r, decl)
		    ? cdefs_find_borrowed(r, tag_of(r->c.getCursorKind(decl)), tag_name(r, decl))
		    : NULL;
	if (b) {
		rec->type = b->type;
	} else if (r->c.Cursor_isNull(def)) {
		rec->type = undefined(r, decl, t);
	} else {
		rec->type = make_shell(r, decl, t);
		vec_push(r->arena, &r->unfilled, rec);
	}
	return rec->type;
}

/* ---- fields ---------------------------------------------------------------------- */

struct filling {
	struct cdefs_reader *r;
	struct type *type;
};

static enum CXVisitorResult add_field(CXCursor c, void *arg)
{
	struct filling *f = arg;
	struct cdefs_reader *r = f->r;
	long long at = f->type->size ? r->c.Cursor_getOffsetOfField(c) : 0;
	struct type_field field = {.loc = LOC_MEMORY};
	const char *name = cdefs_string(r, r->c.getCursorSpelling(c));

	field.name = strpbrk(name, " (") ? "" : name;
	if (at < 0 || at / 8 > MAX_SIZE)
		return CXVisit_Continue;
	field.type = convert(r, r->c.getCursorType(c));
	if (!r->c.Cursor_isBitField(c)) {
		field.offset = (uint32_t)(at / 8);
		vec_push(r->arena, &f->type->fields, field);
		return CXVisit_Continue;
	}
	/* those without a name only fill up */
	if (*field.name && r->c.getFieldDeclBitWidth(c) > 0 &&
	    type_place_bits(r->ts, &field, (uint32_t)at, (uint32_t)r->c.getFieldDeclBitWidth(c)))
		vec_push(r->arena, &f->type->fields, field);
	return CXVisit_Continue;
}

static enum CXChildVisitResult add_enumerator(CXCursor c, CXCursor parent, CXClientData arg)
{
	struct filling *f = arg;
	struct type_enumerator e;

	(void)parent;
	if (f->r->c.getCursorKind(c) != CXCursor_EnumConstantDecl)
		return CXChildVisit_Continue;
	e.name = cdefs_string(f->r, f->r->c.getCursorSpelling(c));
	e.value = (uint64_t)f->r->c.getEnumConstantDeclValue(c);
	vec_push(f->r->arena, &f->type->enumerators, e);
	types_add_constant(f->r->ts, e.name, e.value, f->type);
	return CXChildVisit_Continue;
}

static void fill(struct cdefs_reader *r, struct cdefs_record *rec)
{
	struct filling f = {r, rec->type};

	if (rec->type->kind != IMAGE_K_ENUM) {
		if (rec->type->size > MAX_FILLED)
			return;
		r->c.Type_visitFields(r->c.getCursorType(rec->decl), add_field, &f);
		return;
	}
	rec->type->is_signed = convert(r, r->c.getEnumDeclIntegerType(rec->decl))->is_signed;
	r->c.visitChildren(rec->decl, add_enumerator, &f);
}

/* ---- types ------------------------------------------------------------------------ */

static struct type *convert_typedef(struct cdefs_reader *r, CXType t)
{
	CXCursor decl = r->c.getTypeDeclaration(t);
	const struct cdefs_borrowed *b = NULL;

	if (is_borrowed(r, decl))
		b = cdefs_find_borrowed(r, "", cdefs_string(r, r->c.getCursorSpelling(decl)));
	return b ? b->type : convert(r, r->c.getTypedefDeclUnderlyingType(decl));
}

static struct type *convert_pointer(struct cdefs_reader *r, CXType t)
{
	struct type *to = convert(r, r->c.getPointeeType(t));

	return type_pointer(r->ts, to->kind == IMAGE_K_VOID ? NULL : to, SPACE_NONE);
}

/* Text where the element is C's char, as for BTF. */
static struct type *convert_array(struct cdefs_reader *r, CXType t, long long count)
{
	CXType of = r->c.getArrayElementType(t);
	enum CXTypeKind kind = r->c.getCanonicalType(of).kind;
	struct type *elem = convert(r, of);

	if ((kind == CXType_Char_S || kind == CXType_Char_U) && count > 0 && count <= MAX_SIZE)
		return type_chars(r->ts, (uint32_t)count);
	if (count < 0 || elem->kind == IMAGE_K_VOID ||
	    (elem->size && count > MAX_SIZE / elem->size))
		count = 0;
	if (elem->kind == IMAGE_K_VOID)
		elem = type_int(r->ts, 1, false);
	return type_array(r->ts, elem, (uint32_t)count);
}

static bool is_signed_kind(enum CXTypeKind kind)
{
	switch (kind) {
	case CXType_Char_S:
	case CXType_SChar:
	case CXType_WChar:
	case CXType_Short:
	case CXType_Int:
	case CXType_Long:
	case CXType_LongLong:
	case CXType_Int128:
		return true;
	default:
		return false;
	}
}

static bool is_float_kind(enum CXTypeKind kind)
{
	return kind == CXType_Float || kind == CXType_Double || kind == CXType_LongDouble ||
	       kind == CXType_Float128 || kind == CXType_Half || kind == CXType_Float16;
}

static struct type *convert(struct cdefs_reader *r, CXType t)
{
	switch (t.kind) {
	case CXType_Elaborated:
		return convert(r, r->c.Type_getNamedType(t));
	case CXType_Typedef:
		return convert_typedef(r, t);
	case CXType_Record:
	case CXType_Enum:
		return convert_declared(r, t);
	case CXType_Pointer:
		return convert_pointer(r, t);
	case CXType_ConstantArray:
		return convert_array(r, t, r->c.getArraySize(t));
	case CXType_IncompleteArray:
		return convert_array(r, t, 0);
	case CXType_Bool:
		return type_simple(r->ts, IMAGE_K_BOOL);
	case CXType_Void:
	case CXType_Invalid:
	case CXType_FunctionProto:
	case CXType_FunctionNoProto:
		return type_simple(r->ts, IMAGE_K_VOID);
	default:
		break;
	}
	/* typeof(), attributes and the like hide what they stand for */
	CXType plain = r->c.getCanonicalType(t);

	if (plain.kind != t.kind)
		return convert(r, plain);
	if (!size_of(r, t))
		return type_simple(r->ts, IMAGE_K_VOID);
	if (is_float_kind(t.kind))
		return type_float(r->ts, size_of(r, t));
	return type_sized_int(r->ts, size_of(r, t), is_signed_kind(t.kind));
}

/* ---- the unit ----------------------------------------------------------------------- */

static void list_macro(struct cdefs_reader *r, CXCursor c)
{
	CXFile file;
	unsigned line;

	if (r->c.Cursor_isMacroBuiltin(c) || r->c.Cursor_isMacroFunctionLike(c))
		return;
	/* predefined ones and those of the command line have no file */
	r->c.getFileLocation(r->c.getCursorLocation(c), &file, &line, NULL, NULL);
	if (file)
		vec_push(r->arena, &r->macros, c);
}

static enum CXChildVisitResult visit(CXCursor c, CXCursor parent, CXClientData arg)
{
	struct cdefs_reader *r = arg;
	enum CXCursorKind kind = r->c.getCursorKind(c);
	const char *name;
	struct type *t;

	(void)parent;
	if (kind == CXCursor_MacroDefinition)
		list_macro(r, c);
	if (kind != CXCursor_StructDecl && kind != CXCursor_UnionDecl &&
	    kind != CXCursor_EnumDecl && kind != CXCursor_TypedefDecl)
		return CXChildVisit_Continue;
	if (is_borrowed(r, c))
		return CXChildVisit_Continue;
	if (kind == CXCursor_TypedefDecl) {
		t = convert(r, r->c.getTypedefDeclUnderlyingType(c));
		types_add_c_type(r->ts, "", cdefs_string(r, r->c.getCursorSpelling(c)), t);
		return CXChildVisit_Continue;
	}
	if (!r->c.isCursorDefinition(c))
		return CXChildVisit_Continue;
	t = convert_declared(r, r->c.getCursorType(c));
	name = tag_name(r, c);
	if (*name)
		types_add_c_type(r->ts, tag_of(kind), name, t);
	/* a struct defined inside another is known outside of it, too */
	return kind == CXCursor_EnumDecl ? CXChildVisit_Continue : CXChildVisit_Recurse;
}

void cdefs_convert(struct cdefs_reader *r)
{
	r->borrowed_file = r->c.getFile(r->tu, CDEFS_BORROWED);
	r->records = arena_alloc(r->arena, BUCKETS * sizeof(struct cdefs_record *));
	r->c.visitChildren(r->c.getTranslationUnitCursor(r->tu), visit, r);
	for (size_t i = 0; i < r->unfilled.len; i++)
		fill(r, r->unfilled.items[i]);
}
