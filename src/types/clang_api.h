/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clang_api: libclang's C interface, loaded when a script has C definitions and not before.
 *
 * Linked in, it would map and relocate two libraries of 160 MB at every start. Its C interface
 * is stable between versions, so a table of its functions is filled with dlsym().
 */
#ifndef BT_CLANG_API_H
#define BT_CLANG_API_H

#include <clang-c/Index.h>
#include <stdbool.h>
#include <stddef.h>

#define CLANG_FUNCTIONS(X)                                                                         \
	X(createIndex)                                                                             \
	X(disposeIndex)                                                                            \
	X(parseTranslationUnit2)                                                                   \
	X(disposeTranslationUnit)                                                                  \
	X(getNumDiagnostics)                                                                       \
	X(getDiagnostic)                                                                           \
	X(disposeDiagnostic)                                                                       \
	X(getDiagnosticSeverity)                                                                   \
	X(getDiagnosticSpelling)                                                                   \
	X(getDiagnosticLocation)                                                                   \
	X(getFileLocation)                                                                         \
	X(getFileName)                                                                             \
	X(getCursor)                                                                               \
	X(getFile)                                                                                 \
	X(getInclusions)                                                                           \
	X(getCString)                                                                              \
	X(disposeString)                                                                           \
	X(getTranslationUnitCursor)                                                                \
	X(visitChildren)                                                                           \
	X(getCursorKind)                                                                           \
	X(getCursorSpelling)                                                                       \
	X(getCursorType)                                                                           \
	X(getCursorLocation)                                                                       \
	X(getCursorExtent)                                                                         \
	X(getCursorDefinition)                                                                     \
	X(getNullCursor)                                                                           \
	X(isCursorDefinition)                                                                      \
	X(equalCursors)                                                                            \
	X(hashCursor)                                                                              \
	X(Cursor_isNull)                                                                           \
	X(Cursor_isBitField)                                                                       \
	X(Cursor_isMacroBuiltin)                                                                   \
	X(Cursor_isMacroFunctionLike)                                                              \
	X(Cursor_getOffsetOfField)                                                                 \
	X(Cursor_Evaluate)                                                                         \
	X(EvalResult_getKind)                                                                      \
	X(EvalResult_getAsLongLong)                                                                \
	X(EvalResult_getAsStr)                                                                     \
	X(EvalResult_dispose)                                                                      \
	X(getCanonicalType)                                                                        \
	X(getPointeeType)                                                                          \
	X(getTypeDeclaration)                                                                      \
	X(getTypedefDeclUnderlyingType)                                                            \
	X(getArrayElementType)                                                                     \
	X(getArraySize)                                                                            \
	X(getEnumDeclIntegerType)                                                                  \
	X(getEnumConstantDeclValue)                                                                \
	X(getFieldDeclBitWidth)                                                                    \
	X(Type_getNamedType)                                                                       \
	X(Type_getSizeOf)                                                                          \
	X(Type_getAlignOf)                                                                         \
	X(Type_visitFields)                                                                        \
	X(tokenize)                                                                                \
	X(getTokenKind)                                                                            \
	X(getTokenSpelling)                                                                        \
	X(disposeTokens)

struct clang_api {
#define X(name) __typeof__(clang_##name) *name;
	CLANG_FUNCTIONS(X)
#undef X
};

/*
 * Loads libclang and fills @c. False where there is none: @err then says which libraries were
 * looked for. The library stays loaded: its own threads and signal handlers may outlive a use.
 */
bool clang_api_load(struct clang_api *c, char *err, size_t errlen);

#endif
