/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of the system calls by the names of their tracepoints. The tracepoints are
 * named after the kernel's functions (SYSCALL_DEFINE), which a few times differ from the
 * names that programs use; and a kernel may have calls newer than the headers built with.
 */
#include "target/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

struct syscall_nr {
	const char *name;
	int nr;
};

/* Sorted by name. */
static const struct syscall_nr by_header[] = {
#define SYSCALL(name) {#name, __NR_##name},
#include "syscall_names.inc"
#undef SYSCALL
};

static const struct syscall_nr by_kernel_name[] = {
#if defined(__x86_64__)
	{"newstat", __NR_stat},
	{"newfstat", __NR_fstat},
	{"newlstat", __NR_lstat},
	{"newuname", __NR_uname},
	{"sendfile64", __NR_sendfile},
	{"umount", __NR_umount2},
	{"sysctl", __NR__sysctl},
	/* newer than some headers: arch/x86/entry/syscalls/syscall_64.tbl */
	{"uretprobe", 335},
	{"uprobe", 336},
#endif
	/* from 424 on the numbers are those of every architecture: scripts/syscall.tbl */
	{"cachestat", 451},
	{"fchmodat2", 452},
	{"map_shadow_stack", 453},
	{"futex_wake", 454},
	{"futex_wait", 455},
	{"futex_requeue", 456},
	{"statmount", 457},
	{"listmount", 458},
	{"lsm_get_self_attr", 459},
	{"lsm_set_self_attr", 460},
	{"lsm_list_modules", 461},
	{"mseal", 462},
	{"setxattrat", 463},
	{"getxattrat", 464},
	{"listxattrat", 465},
	{"removexattrat", 466},
	{"open_tree_attr", 467},
	{"file_getattr", 468},
	{"file_setattr", 469},
};

static int compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct syscall_nr *)row)->name);
}

int target_syscall_nr(const char *name)
{
	const struct syscall_nr *row;

	for (size_t i = 0; i < sizeof(by_kernel_name) / sizeof(*by_kernel_name); i++) {
		if (!strcmp(by_kernel_name[i].name, name))
			return by_kernel_name[i].nr;
	}
	row = bsearch(name, by_header, sizeof(by_header) / sizeof(*by_header), sizeof(*by_header),
		      compare);
	return row ? row->nr : -ENOENT;
}

const char *target_syscall_name(int nr)
{
	for (size_t i = 0; i < sizeof(by_header) / sizeof(*by_header); i++)
		if (by_header[i].nr == nr)
			return by_header[i].name;
	for (size_t i = 0; i < sizeof(by_kernel_name) / sizeof(*by_kernel_name); i++)
		if (by_kernel_name[i].nr == nr)
			return by_kernel_name[i].name;
	return NULL;
}
