/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for running programs. BPF programs run inside an RCU read-side section, so a grace
 * period that starts after the gate was closed ends after the last of them.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/internal.h"
#include "target/target.h"

/* The kernel waits for a grace period when a map inside a map is replaced (bpf(2) since 4.20). */
static int wait_by_map_in_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int inner, outer = -1, err;
	uint32_t key = 0;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sync_inner", 4, 4, 1, NULL);
	if (inner < 0)
		return inner;
	opts.inner_map_fd = inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "sync_outer", 4, 4, 1, &opts);
	err = outer < 0 ? outer : bpf_map_update_elem(outer, &key, &inner, BPF_ANY);
	if (outer >= 0)
		close(outer);
	close(inner);
	return err;
}

int wait_for_programs(struct target *t)
{
	if (target_has(t, TARGET_F_MEMBARRIER) &&
	    !syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return 0;
	return wait_by_map_in_map(); /* nohz_full, or no membarrier */
}
