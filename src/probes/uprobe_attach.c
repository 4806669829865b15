/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/uprobe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "probes/elf_file.h"
#include "probes/probes_internal.h"
#include "probes/process.h"

const char *uprobe_file(const char *path, char *full)
{
	/* what lies behind /proc/PID/root has no other name here */
	char archive[PATH_MAX], real[PATH_MAX];
	const char *member = elf_archive_member(path, archive, sizeof(archive));

	if (!strncmp(path, "/proc/", 6) || !realpath(member ? archive : path, real))
		return path;
	if (snprintf(full, PATH_MAX, "%s%s%s", real, member ? "!/" : "", member ? member : "") >=
	    PATH_MAX)
		return path;
	return full;
}

/* The offsets are of one file; another one under its name has other code there. */
static int check_file(struct attach_env *env, const char *path, int64_t fingerprint)
{
	struct elf_file f;
	int err = elf_file_open(&f, path);

	if (err == -ENOEXEC)
		err = elf_file_open_raw(&f, path);
	if (err)
		return probe_attach_fail(env, err, path);
	if (f.fingerprint != (uint64_t)fingerprint) {
		err = -ENOENT;
		snprintf(env->err, sizeof(env->err),
			 "%s is not the file that the script was compiled for", path);
	}
	elf_file_close(&f);
	return err;
}

/* The file that the kernel is told: of a member, the archive; the places are of it. */
static const char *on_disk(const char *path, char archive[PATH_MAX])
{
	return elf_archive_member(path, archive, PATH_MAX) ? archive : path;
}

/* ---- semaphores -------------------------------------------------------------------- */

/* One that we have raised ourselves. */
struct semaphore {
	int pid;
	uint64_t address;
};

static void lower(void *arg)
{
	struct semaphore *s = arg;

	process_add_u16(s->pid, s->address, -1); /* the process may have ended */
	free(s);
}

/* What the kernel does for every process that maps the file, for the one that is traced. */
static int raise_semaphore(struct attach_env *env, const char *path,
			   const struct image_attachment *at, struct probe_link *link)
{
	struct semaphore *s;
	int err = -ENOTSUP;

	if (!env->pid)
		return probe_fail(env->err, sizeof(env->err), err,
				  "%s: the probe has a semaphore, which this kernel cannot raise "
				  "(%s can): use -p",
				  path, target_feature_since(TARGET_F_REF_CTR));
	s = calloc(1, sizeof(*s));
	if (!s)
		return probe_attach_fail(env, -ENOMEM, path);
	s->pid = env->pid;
	err = process_address(env->pid, path, at->arg[2], &s->address);
	if (!err)
		err = process_add_u16(s->pid, s->address, 1);
	if (err) {
		free(s);
		return probe_attach_fail(env, err, path);
	}
	probe_link_on_free(link, lower, s);
	return 0;
}

/* ---- one ------------------------------------------------------------------------------ */

static int attach_to(struct attach_env *env, const char *path, const struct image_attachment *at,
		     struct bpf_program *prog, struct probe_link *link)
{
	bool by_kernel = target_has(env->target, TARGET_F_REF_CTR);
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = at->cookie,
		    .ref_ctr_offset = by_kernel ? at->arg[2] : 0,
		    .retprobe = at->kind == IMAGE_AT_URETPROBE,
		    .attach_mode = target_has(env->target, TARGET_F_LINKS)
					   ? PROBE_ATTACH_MODE_DEFAULT
					   : PROBE_ATTACH_MODE_PERF);
	struct bpf_link *bpf;
	int err;

	bpf = bpf_program__attach_uprobe_opts(prog, env->pid > 0 ? env->pid : -1, path, at->arg[0],
					      &opts);
	if (!bpf)
		return probe_attach_fail(env, -errno, path);
	err = probe_link_add(link, bpf);
	if (!err && at->arg[2] && !by_kernel)
		err = raise_semaphore(env, path, at, link);
	return err;
}

int uprobe_attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link)
{
	const char *path = image_str(img, at->target);
	int err = check_file(env, path, at->arg[1]);
	char archive[PATH_MAX];
	struct probe_link *l;

	if (err)
		return err;
	l = probe_link_new(1, true);
	if (!l)
		return probe_attach_fail(env, -ENOMEM, path);
	err = attach_to(env, on_disk(path, archive), at, prog, l);
	if (err)
		probe_link_free(l);
	else
		*link = l;
	return err;
}

/* ---- many ------------------------------------------------------------------------------ */

/*
 * Until Linux 6.10 such a link told threads apart, and saw only the one of the pid. Semaphores
 * are the kernel's to raise here.
 */
bool uprobe_can_attach_many(struct target *t, int pid, const struct image *img,
			    const struct image_attachment *at, size_t n)
{
	(void)img;
	for (size_t i = 0; i < n; i++)
		if (at[i].arg[2] && !target_has(t, TARGET_F_REF_CTR))
			return false;
	return target_has(t, TARGET_F_UPROBE_MULTI) &&
	       (!pid || target_version(t) >= TARGET_VERSION(6, 10, 0));
}

/* What the kernel is told of each place. */
struct places {
	unsigned long *offsets, *semaphores;
	__u64 *cookies;
};

static bool places_fill(struct places *p, const struct image_attachment *at, size_t n)
{
	p->offsets = calloc(n, sizeof(*p->offsets));
	p->semaphores = calloc(n, sizeof(*p->semaphores));
	p->cookies = calloc(n, sizeof(*p->cookies));
	if (!p->offsets || !p->semaphores || !p->cookies)
		return false;
	for (size_t i = 0; i < n; i++) {
		p->offsets[i] = at[i].arg[0];
		p->semaphores[i] = at[i].arg[2];
		p->cookies[i] = at[i].cookie;
	}
	return true;
}

static void places_free(struct places *p)
{
	free(p->offsets);
	free(p->semaphores);
	free(p->cookies);
}

int uprobe_attach_many(struct attach_env *env, const struct image *img,
		       const struct image_attachment *at, size_t n, struct bpf_program *prog,
		       struct probe_link **link)
{
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .cnt = n,
		    .retprobe = at->kind == IMAGE_AT_URETPROBE);
	const char *path = image_str(img, at->target);
	struct probe_link *l = probe_link_new(1, true);
	struct places places = {0};
	char archive[PATH_MAX];
	struct bpf_link *bpf;
	int err = -ENOMEM;

	if (!l || !places_fill(&places, at, n)) {
		probe_attach_fail(env, err, path);
		goto out;
	}
	err = check_file(env, path, at->arg[1]);
	if (err)
		goto out;
	opts.offsets = places.offsets;
	opts.ref_ctr_offsets = places.semaphores;
	opts.cookies = places.cookies;
	bpf = bpf_program__attach_uprobe_multi(prog, env->pid > 0 ? env->pid : -1,
					       on_disk(path, archive), NULL, &opts);
	if (!bpf) {
		err = probe_attach_fail(env, -errno, path);
		goto out;
	}
	err = probe_link_add(l, bpf);
	*link = l;
	l = NULL;
out:
	probe_link_free(l);
	places_free(&places);
	return err;
}
