/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/target/ share. */
#ifndef BT_TARGET_INTERNAL_H
#define BT_TARGET_INTERNAL_H

#include "target/btf_view.h"
#include "target/depends.h"
#include "target/target.h"

#define TARGET_MAX_HELPER   256
#define TARGET_MAX_MAP_TYPE 64
/* What generated code relies on, of the rows of helpers and map types. */
size_t helper_needs(const struct target *t, struct target_need *needs, size_t max);

enum feature_state { FEATURE_UNKNOWN, FEATURE_YES, FEATURE_NO, FEATURE_OFF };

/* BTF as it lies in a file: mapped, read, or taken out of an ELF file by libbpf. */
struct btf_bytes {
	const void *data;
	size_t size;
	bool mapped;     /* munmap(), otherwise free() */
	struct btf *elf; /* owner of data, when it came out of an ELF file */
};

struct target_depends {
	struct target_dependency *files;
	size_t n, cap;
	bool on_now;
};
void depends_free(struct target_depends *d);

struct target_kept {
	struct target_kept *next;
	void *p;
	void (*free_it)(void *p);
};

struct target {
	uint32_t version;
	bool by_version; /* not the running kernel: nothing is tried */
	bool portable;   /* and not one kernel only */
	/* noted for target_needs(): features that there are, helpers, map types */
	bool used_features[TARGET_NFEATURES], used_helpers[TARGET_MAX_HELPER],
		used_map_types[TARGET_MAX_MAP_TYPE];
	int pid;
	enum feature_state feature[TARGET_NFEATURES];
	const char *hidden_probes; /* wildcards joined by commas, NULL: none */
	/* tracefs: a directory, -1: not looked for yet, below: -errno - 1 */
	int tracefs;
	bool btf_bytes_tried, btf_tried, view_tried;
	struct btf_bytes btf_bytes;
	struct btf *btf;
	struct btf_view *view;
	bool functions_tried;
	struct function_list *functions;
	struct target_depends depends;
	const char *const *debug_dirs;
	struct target_kept *kept;
};

/* Tries the feature on the running kernel. */
bool feature_try(struct target *t, enum target_feature f);

/* A directory descriptor of tracefs (owned by the target), or a negative errno. */
int tracefs_dir(struct target *t);
/* The three ways to it, each a fresh descriptor or a negative errno. */
int tracefs_find_mounted(void);
int tracefs_mount_detached(void);
int tracefs_mount_in_child(void);

void function_list_free(struct function_list *l);

/* The bytes of vmlinux BTF, NULL where there is none. */
const struct btf_bytes *target_btf_bytes(struct target *t);
void btf_bytes_free(struct btf_bytes *b);
/* Reads @path, raw BTF or an ELF file with a .BTF section. Returns 0 or a negative errno. */
int btf_bytes_read(struct btf_bytes *b, const char *path);

#endif
