/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the room share. */
#ifndef BT_BIND_INTERNAL_H
#define BT_BIND_INTERNAL_H

#include "bind/bind.h"

/* A relocation that was found out, or not. */
struct bound_value {
	uint64_t value;
	bool found;
};

/* What the script is given for each row of ARGUMENTS. */
struct given {
	const char *text; /* NULL: nothing */
	bool bare;        /* an option without a value: "true" */
};

struct binding {
	const struct image *img;
	struct target *target;
	struct given *given;
	size_t nparams;
	struct bound_value *values; /* a row of RELOCS each */
	char *err;                  /* BIND_ERROR_MAX bytes */
};

/* ---- btf.c, format.c: what bind_find() is made of; all return as that ------------ */
int find_field(struct target *t, const char *type, const char *path, bool follow, uint64_t *at_bits,
	       struct bind_value *v);
int find_type_size(struct target *t, const char *type, struct bind_value *v);
int find_layout(struct target *t, const char *type, struct bind_value *v);
int find_enumerator(struct target *t, const char *name, struct bind_value *v);
int find_raw_argument(struct target *t, const char *tracepoint, const char *name,
		      struct bind_value *v);
int find_function_argument(struct target *t, const char *function, const char *name,
			   struct bind_value *v);
int find_tracepoint_field(struct target *t, const char *tracepoint, const char *field,
			  struct bind_value *v);

/* ---- arguments.c ------------------------------------------------------------------ */
/* Fills bi->given (the caller frees it), or says in bi->err why the words cannot be that. */
int sort_arguments(struct binding *bi, const struct bind_arguments *args);
/* A relocation that is about an argument. */
int argument_reloc(const struct binding *bi, const struct image_reloc *r, uint64_t *value);
/* Relocation @row, whatever it is about. Returns as bind_find(). */
int find_reloc(const struct binding *bi, uint32_t row, uint64_t *value);

/* ---- points.c ---------------------------------------------------------------------- */
/* Adds the bound PROBES and ATTACHMENTS to @b, which has those of the image. */
int bind_points(struct binding *bi, struct image_builder *b);

#endif
