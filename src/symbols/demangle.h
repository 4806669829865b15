/* SPDX-License-Identifier: Apache-2.0 */
/* demangle: names of C++ and Rust as their sources spell them. All results are malloc()ed. */
#ifndef BT_DEMANGLE_H
#define BT_DEMANGLE_H

/* With types of parameters, as stacks show it. NULL when it is no mangled name. */
char *symbols_demangle(const char *name);

enum demangle_form {
	DEMANGLE_FULL,      /* "int a::f<int>(int)" */
	DEMANGLE_NO_RESULT, /* "a::f<int>(int)" */
	DEMANGLE_NAME,      /* "a::f<int>" */
	DEMANGLE_FORMS
};
/* A C++ name in one of the ways that people write it. */
char *symbols_demangle_as(const char *name, enum demangle_form form);

#endif
