/* SPDX-License-Identifier: Apache-2.0 */
/*
 * btf_view: BTF read in place.
 *
 * libbpf copies and checks all of vmlinux BTF before it answers a question: 8 ms,
 * a good part of a start. This is one pass over the mapped bytes (1 ms), and names
 * are looked for one by one until there are many of them.
 * The format: Documentation/bpf/btf.rst of the kernel.
 */
#ifndef BT_BTF_VIEW_H
#define BT_BTF_VIEW_H

#include <linux/btf.h>
#include <stddef.h>
#include <stdint.h>

struct btf_view;
struct target;

/*
 * Indexes @size bytes of raw BTF, which must outlive the view. Returns NULL with errno
 * EINVAL when they are no well-formed BTF of this machine's byte order.
 */
struct btf_view *btf_view_new(const void *data, size_t size);
void btf_view_free(struct btf_view *v);

/* Number of types, void (0) included: ids are below it. */
uint32_t btf_view_count(const struct btf_view *v);
/* The type @id, with its members after it; NULL for void and ids that do not exist. */
const struct btf_type *btf_view_type(const struct btf_view *v, uint32_t id);
/* A string; "" where the offset is outside. */
const char *btf_view_str(const struct btf_view *v, uint32_t off);
/* The first type of @kind (BTF_KIND_*) called @name, or 0. */
uint32_t btf_view_find(struct btf_view *v, unsigned kind, const char *name);

/* The view of the target's vmlinux BTF, made on the first call; NULL where there is none. */
struct btf_view *target_btf_view(struct target *t);

#endif
