/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of relocation is found by. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "bind/internal.h"
#include "probes/probes.h"

typedef int finder(struct target *t, const char *a, const char *b, struct bind_value *v);

static int field_offset(struct target *t, const char *a, const char *b, struct bind_value *v)
{
	uint64_t bits;
	int err = find_field(t, a, b, false, &bits, v);

	v->value = err ? 0 : bits / 8;
	return err;
}

static int bit_offset(struct target *t, const char *a, const char *b, struct bind_value *v)
{
	uint64_t bits;
	int err = find_field(t, a, b, false, &bits, v);

	v->value = err ? 0 : bits % 8;
	return err;
}

static int field_exists(struct target *t, const char *a, const char *b, struct bind_value *v)
{
	uint64_t bits;

	v->value = !find_field(t, a, b, true, &bits, v);
	v->size = 0;
	return 0;
}

static int type_size(struct target *t, const char *a, const char *b, struct bind_value *v)
{
	(void)b;
	return find_type_size(t, a, v);
}

static int type_layout(struct target *t, const char *a, const char *b, struct bind_value *v)
{
	(void)b;
	return find_layout(t, a, v);
}

static int enumerator(struct target *t, const char *a, const char *b, struct bind_value *v)
{
	(void)a;
	return find_enumerator(t, b, v);
}

static int probe_is_there(struct target *t, const char *a, const char *b, struct bind_value *v)
{
	char err[256];

	(void)b;
	v->value = probe_exists(t, a, err, sizeof(err)) > 0;
	return 0;
}

/* @a: release and version of the kernel, as uname has them. */
static int same_kernel(struct target *t, const char *a, const char *b, struct bind_value *v)
{
	struct utsname u;

	(void)t;
	v->value = !uname(&u) && !strcmp(a, u.release) && !strcmp(b, u.version);
	return 0;
}

static int process(struct target *t, const char *a, const char *b, struct bind_value *v)
{
	(void)a, (void)b;
	v->value = target_pid(t);
	return 0;
}

static finder *const finders[IMAGE_NRELOCS] = {
	[IMAGE_R_FIELD] = field_offset,
	[IMAGE_R_BITS] = bit_offset,
	[IMAGE_R_FIELD_EXISTS] = field_exists,
	[IMAGE_R_TYPE_SIZE] = type_size,
	[IMAGE_R_LAYOUT] = type_layout,
	[IMAGE_R_ENUM] = enumerator,
	[IMAGE_R_TRACEPOINT] = find_tracepoint_field,
	[IMAGE_R_RAW_ARG] = find_raw_argument,
	[IMAGE_R_FUNC_ARG] = find_function_argument,
	[IMAGE_R_PROBE_EXISTS] = probe_is_there,
	[IMAGE_R_PID] = process,
	[IMAGE_R_KERNEL] = same_kernel,
};

int bind_find(struct target *t, uint32_t kind, const char *a, const char *b, struct bind_value *v)
{
	*v = (struct bind_value){0};
	return kind < IMAGE_NRELOCS && finders[kind] ? finders[kind](t, a, b, v) : -ENOENT;
}

static bool fits(const struct image_reloc *r, const struct bind_value *v)
{
	if ((r->flags & IMAGE_RELOC_EXACT) && v->value != r->value)
		return false;
	if (!r->size)
		return true;
	return r->flags & IMAGE_RELOC_AT_LEAST ? v->size >= r->size : v->size == r->size;
}

int find_reloc(const struct binding *bi, uint32_t row, uint64_t *value)
{
	const struct image *img = bi->img;
	const struct image_reloc *r = &img->relocs[row];
	struct bind_value v;
	int err;

	if (r->kind >= IMAGE_R_ARGUMENT)
		return argument_reloc(bi, r, value);
	err = bind_find(bi->target, r->kind, image_str(img, r->a), image_str(img, r->b), &v);
	if (!err && !fits(r, &v))
		err = -ENOENT;
	*value = v.value;
	return err;
}
