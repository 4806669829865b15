/* SPDX-License-Identifier: Apache-2.0 */
/* Constants that are macros in headers, so that BTF knows nothing of them. */
#include <stdlib.h>
#include <string.h>

#include "target/target.h"
#include "types/constants_internal.h"
#include "types/types_internal.h"

#define V(a, b) TARGET_VERSION(a, b, 0)

/* Of headers that only the kernel has: the states and flags of a task, and sizes. */
static const struct constant constants_kernel[] = {
	{"EXIT_DEAD", 0x10, 0, 0},
	{"EXIT_TRACE", 0x30, 0, 0},
	{"EXIT_ZOMBIE", 0x20, 0, 0},
	{"MAX_ERRNO", 4095, 0, 0},
	{"MINORBITS", 20, 0, 0},
	{"MINORMASK", 0xfffff, 0, 0},
	{"PAGE_MASK", ~4095ull, 0, 0},
	{"PAGE_SHIFT", 12, 0, 0},
	{"PAGE_SIZE", 4096, 0, 0},
	{"PF_EXITING", 0x4, 0, 0},
	{"PF_FORKNOEXEC", 0x40, 0, 0},
	{"PF_FROZEN", 0x10000, 0, V(6, 1)},
	{"PF_IDLE", 0x2, V(4, 10), 0},
	{"PF_KTHREAD", 0x200000, 0, 0},
	{"PF_MCE_PROCESS", 0x80, 0, 0},
	{"PF_MEMALLOC", 0x800, 0, 0},
	{"PF_RANDOMIZE", 0x400000, 0, 0},
	{"PF_SIGNALED", 0x400, 0, 0},
	{"PF_SUPERPRIV", 0x100, 0, 0},
	{"PF_USER_WORKER", 0x4000, V(6, 4), 0},
	{"PF_VCPU", 0x1, 0, 0},
	{"PF_WQ_WORKER", 0x20, 0, 0},
	{"SIGRTMAX", 64, 0, 0},
	{"TASK_COMM_LEN", 16, 0, 0},
	{"TASK_DEAD", 0x40, 0, V(4, 14)},
	{"TASK_DEAD", 0x80, V(4, 14), 0},
	{"TASK_FREEZABLE", 0x2000, V(6, 1), 0},
	{"TASK_FROZEN", 0x8000, V(6, 1), 0},
	{"TASK_IDLE", 0x402, V(4, 2), 0},
	{"TASK_INTERRUPTIBLE", 0x1, 0, 0},
	{"TASK_KILLABLE", 0x82, 0, V(4, 14)},
	{"TASK_KILLABLE", 0x102, V(4, 14), 0},
	{"TASK_NEW", 0x800, V(4, 8), 0},
	{"TASK_NOLOAD", 0x400, V(4, 2), 0},
	{"TASK_NORMAL", 0x3, 0, 0},
	{"TASK_PARKED", 0x40, V(4, 14), 0},
	{"TASK_PARKED", 0x200, V(3, 9), V(4, 14)},
	{"TASK_REPORT", 0x7f, V(4, 14), 0},
	{"TASK_RTLOCK_WAIT", 0x1000, V(5, 15), 0},
	{"TASK_RUNNING", 0x0, 0, 0},
	{"TASK_STATE_MAX", 0x1000, V(4, 8), V(5, 15)},
	{"TASK_STATE_MAX", 0x2000, V(5, 15), V(6, 1)},
	{"TASK_STATE_MAX", 0x10000, V(6, 1), 0},
	{"TASK_UNINTERRUPTIBLE", 0x2, 0, 0},
	{"TASK_WAKEKILL", 0x80, 0, V(4, 14)},
	{"TASK_WAKEKILL", 0x100, V(4, 14), 0},
	{"TASK_WAKING", 0x100, 0, V(4, 14)},
	{"TASK_WAKING", 0x200, V(4, 14), 0},
	{"__TASK_STOPPED", 0x4, 0, 0},
	{"__TASK_TRACED", 0x8, 0, 0},
};

static int by_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct constant *)row)->name);
}

static bool find_sorted(const struct constant *table, size_t n, const char *name, uint64_t *value)
{
	const struct constant *c = bsearch(name, table, n, sizeof(*table), by_name);

	if (c)
		*value = c->value;
	return c != NULL;
}

bool constant_find(const char *name, uint32_t version, uint64_t *value)
{
	for (size_t i = 0; i < sizeof(constants_kernel) / sizeof(*constants_kernel); i++) {
		const struct constant *c = &constants_kernel[i];

		if (strcmp(c->name, name) || version < c->since ||
		    (c->until && version >= c->until))
			continue;
		*value = c->value;
		return true;
	}
	return find_sorted(constants_uapi, constants_nuapi, name, value) ||
	       find_sorted(constants_libc, constants_nlibc, name, value);
}
