/* SPDX-License-Identifier: Apache-2.0 */
/* Where the kernel's BTF comes from. */
#include "target/target_internal.h"

#include <bpf/btf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Where distributions keep a vmlinux; %s is the release. */
static const char *const vmlinux_paths[] = {
	"/boot/vmlinux-%1$s",
	"/lib/modules/%1$s/vmlinux-%1$s",
	"/lib/modules/%1$s/build/vmlinux",
	"/usr/lib/modules/%1$s/kernel/vmlinux",
	"/usr/lib/debug/boot/vmlinux-%1$s",
	"/usr/lib/debug/lib/modules/%1$s/vmlinux",
};

static int read_all(int fd, size_t size, void **data)
{
	char *p = malloc(size);
	size_t done = 0;

	if (!p)
		return -ENOMEM;
	while (done < size) {
		ssize_t n = read(fd, p + done, size - done);

		if (n <= 0) {
			n = n ? -errno : -EIO;
			free(p);
			return n;
		}
		done += n;
	}
	*data = p;
	return 0;
}

static int take_elf(struct btf_bytes *b, const char *path)
{
	__u32 size;

	b->elf = btf__parse(path, NULL);
	if (!b->elf)
		return -errno;
	b->data = btf__raw_data(b->elf, &size);
	b->size = size;
	return b->data ? 0 : -ENOMEM;
}

int btf_bytes_read(struct btf_bytes *b, const char *path)
{
	char magic[SELFMAG] = "";
	struct stat st;
	void *data;
	int fd, err = 0;

	memset(b, 0, sizeof(*b));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || pread(fd, magic, sizeof(magic), 0) < 0) {
		err = -errno;
		goto out;
	}
	if (!memcmp(magic, ELFMAG, SELFMAG)) {
		err = take_elf(b, path);
		goto out;
	}
	b->size = st.st_size;
	/* sysfs lets BTF be mapped since Linux 6.16; reading takes 3 ms */
	data = mmap(NULL, b->size, PROT_READ, MAP_PRIVATE, fd, 0);
	b->mapped = data != MAP_FAILED;
	if (!b->mapped)
		err = read_all(fd, b->size, &data);
	if (!err)
		b->data = data;
out:
	close(fd);
	if (err)
		btf_bytes_free(b);
	return err;
}

void btf_bytes_free(struct btf_bytes *b)
{
	if (b->elf)
		btf__free(b->elf);
	else if (b->mapped)
		munmap((void *)b->data, b->size);
	else
		free((void *)b->data);
	memset(b, 0, sizeof(*b));
}

static void read_vmlinux(struct target *t, struct btf_bytes *b)
{
	const char *path = getenv("BPFTRACE_BTF");
	struct utsname u;

	if (path) {
		target_depend(t, path);
		btf_bytes_read(b, path);
		return;
	}
	if (!btf_bytes_read(b, "/sys/kernel/btf/vmlinux") || uname(&u))
		return;
	for (size_t i = 0; i < sizeof(vmlinux_paths) / sizeof(*vmlinux_paths); i++) {
		char name[256];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(name, sizeof(name), vmlinux_paths[i], u.release);
#pragma GCC diagnostic pop
		target_depend(t, name);
		if (!access(name, R_OK) && !btf_bytes_read(b, name))
			return;
	}
}

const struct btf_bytes *target_btf_bytes(struct target *t)
{
	if (!t->btf_bytes_tried) {
		t->btf_bytes_tried = true;
		if (t->feature[TARGET_F_BTF] != FEATURE_OFF)
			read_vmlinux(t, &t->btf_bytes);
	}
	return t->btf_bytes.data ? &t->btf_bytes : NULL;
}

struct btf_view *target_btf_view(struct target *t)
{
	if (!t->view_tried) {
		const struct btf_bytes *b = target_btf_bytes(t);

		t->view_tried = true;
		if (b)
			t->view = btf_view_new(b->data, b->size);
	}
	return t->view;
}

bool target_has_btf_function(struct target *t, const char *name)
{
	struct btf_view *view = target_btf_view(t);

	return view && btf_view_find(view, BTF_KIND_FUNC, name);
}

const struct btf *target_btf(struct target *t)
{
	if (!t->btf_tried) {
		const struct btf_bytes *b = target_btf_bytes(t);

		t->btf_tried = true;
		if (b)
			t->btf = b->elf ? b->elf : btf__new(b->data, b->size);
	}
	return t->btf;
}
