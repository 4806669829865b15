/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs at places of files that processes run: what uprobe, uretprobe and usdt have in common.
 * Of an attachment, target is the file, arg[0] the place in it, arg[1] the file's fingerprint and
 * arg[2] the place of a semaphore, which counts who is watching (0: none).
 */
#ifndef BT_PROBES_UPROBE_H
#define BT_PROBES_UPROBE_H

#include "probes/probes.h"

/*
 * The name to attach @path by, whatever the working directory is then. @full: 4096 bytes, which
 * the result may lie in.
 */
const char *uprobe_file(const char *path, char *full);

/* See struct attacher. */
int uprobe_attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link);
bool uprobe_can_attach_many(struct target *t, int pid, const struct image *img,
			    const struct image_attachment *at, size_t n);
int uprobe_attach_many(struct attach_env *env, const struct image *img,
		       const struct image_attachment *at, size_t n, struct bpf_program *prog,
		       struct probe_link **link);

#endif
