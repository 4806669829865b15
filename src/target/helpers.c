/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BPF helpers and map types that generated programs use, and since when kernels have them
 * (the kernel's include/uapi/linux/bpf.h over its history). A kernel older than that may have
 * them all the same, taken over by its distributor: the running one is asked.
 */
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "target/target_internal.h"

struct since_row {
	uint32_t id;
	const char *name;
	uint32_t a, b; /* Linux a.b */
	/* of this feature, one beyond it: not there where that is switched off; 0: of none */
	unsigned feature;
};

#define OF(feature) (TARGET_F_##feature + 1)

static const struct since_row helpers[] = {
	{BPF_FUNC_map_lookup_elem, "map_lookup_elem", 3, 19},
	{BPF_FUNC_map_update_elem, "map_update_elem", 3, 19},
	{BPF_FUNC_map_delete_elem, "map_delete_elem", 3, 19},
	{BPF_FUNC_probe_read, "probe_read", 4, 1},
	{BPF_FUNC_ktime_get_ns, "ktime_get_ns", 4, 1},
	{BPF_FUNC_get_prandom_u32, "get_prandom_u32", 4, 1},
	{BPF_FUNC_get_smp_processor_id, "get_smp_processor_id", 4, 1},
	{BPF_FUNC_get_current_pid_tgid, "get_current_pid_tgid", 4, 2},
	{BPF_FUNC_get_current_uid_gid, "get_current_uid_gid", 4, 2},
	{BPF_FUNC_get_current_comm, "get_current_comm", 4, 2},
	{BPF_FUNC_trace_printk, "trace_printk", 4, 1},
	{BPF_FUNC_perf_event_output, "perf_event_output", 4, 4},
	{BPF_FUNC_get_stackid, "get_stackid", 4, 6},
	{BPF_FUNC_get_current_task, "get_current_task", 4, 8},
	{BPF_FUNC_get_numa_node_id, "get_numa_node_id", 4, 10},
	{BPF_FUNC_probe_write_user, "probe_write_user", 4, 8},
	{BPF_FUNC_probe_read_str, "probe_read_str", 4, 11},
	{BPF_FUNC_override_return, "override_return", 4, 16},
	{BPF_FUNC_get_stack, "get_stack", 4, 18},
	{BPF_FUNC_get_current_cgroup_id, "get_current_cgroup_id", 4, 18},
	{BPF_FUNC_send_signal, "send_signal", 5, 3},
	{BPF_FUNC_probe_read_user, "probe_read_user", 5, 5, OF(PROBE_READ_KERNEL)},
	{BPF_FUNC_probe_read_kernel, "probe_read_kernel", 5, 5, OF(PROBE_READ_KERNEL)},
	{BPF_FUNC_probe_read_user_str, "probe_read_user_str", 5, 5, OF(PROBE_READ_KERNEL)},
	{BPF_FUNC_probe_read_kernel_str, "probe_read_kernel_str", 5, 5, OF(PROBE_READ_KERNEL)},
	{BPF_FUNC_task_pt_regs, "task_pt_regs", 5, 15},
	{BPF_FUNC_get_current_task_btf, "get_current_task_btf", 5, 11},
	{BPF_FUNC_skb_output, "skb_output", 5, 5},
	{BPF_FUNC_send_signal_thread, "send_signal_thread", 5, 6},
	{BPF_FUNC_jiffies64, "jiffies64", 5, 6},
	{BPF_FUNC_get_ns_current_pid_tgid, "get_ns_current_pid_tgid", 5, 7},
	{BPF_FUNC_seq_printf, "seq_printf", 5, 7},
	{BPF_FUNC_seq_write, "seq_write", 5, 7},
	{BPF_FUNC_ktime_get_boot_ns, "ktime_get_boot_ns", 5, 8, OF(BOOT_CLOCK)},
	{BPF_FUNC_ringbuf_output, "ringbuf_output", 5, 8, OF(RING_BUFFER)},
	{BPF_FUNC_ringbuf_reserve, "ringbuf_reserve", 5, 8, OF(RING_BUFFER)},
	{BPF_FUNC_ringbuf_submit, "ringbuf_submit", 5, 8, OF(RING_BUFFER)},
	{BPF_FUNC_ringbuf_discard, "ringbuf_discard", 5, 8, OF(RING_BUFFER)},
	{BPF_FUNC_ringbuf_query, "ringbuf_query", 5, 8, OF(RING_BUFFER)},
	{BPF_FUNC_d_path, "d_path", 5, 10},
	{BPF_FUNC_per_cpu_ptr, "per_cpu_ptr", 5, 10},
	{BPF_FUNC_this_cpu_ptr, "this_cpu_ptr", 5, 10},
	/* of any struct sock, in fentry and raw tracepoints; older ones only know those of sk_buffs
	 */
	{BPF_FUNC_get_socket_cookie, "get_socket_cookie", 5, 12},
	{BPF_FUNC_for_each_map_elem, "for_each_map_elem", 5, 13, OF(FOR_EACH_MAP)},
	{BPF_FUNC_get_func_ip, "get_func_ip", 5, 15, OF(FUNC_IP)},
	{BPF_FUNC_get_attach_cookie, "get_attach_cookie", 5, 15, OF(ATTACH_COOKIE)},
	{BPF_FUNC_loop, "loop", 5, 17, OF(BPF_LOOP)},
	{BPF_FUNC_get_func_arg, "get_func_arg", 5, 17},
	{BPF_FUNC_get_func_ret, "get_func_ret", 5, 17},
	{195, "map_lookup_percpu_elem", 5, 19,
	 OF(PERCPU_LOOKUP)}, /* newer than the headers of some */
	{208, "ktime_get_tai_ns", 6, 1},
};

static const struct since_row map_types[] = {
	{BPF_MAP_TYPE_HASH, "hash", 3, 19},
	{BPF_MAP_TYPE_ARRAY, "array", 3, 19},
	{BPF_MAP_TYPE_PERF_EVENT_ARRAY, "perf_event_array", 4, 3},
	{BPF_MAP_TYPE_PERCPU_HASH, "percpu_hash", 4, 6},
	{BPF_MAP_TYPE_PERCPU_ARRAY, "percpu_array", 4, 6},
	{BPF_MAP_TYPE_STACK_TRACE, "stack_trace", 4, 6},
	{BPF_MAP_TYPE_LRU_HASH, "lru_hash", 4, 10},
	{BPF_MAP_TYPE_LRU_PERCPU_HASH, "lru_percpu_hash", 4, 10},
	{BPF_MAP_TYPE_RINGBUF, "ringbuf", 5, 8, OF(RING_BUFFER)},
};

static const struct since_row *find(const struct since_row *rows, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

static bool lacks(struct target *t, const struct since_row *row, bool (*running_has)(uint32_t),
		  struct target_lack *lack)
{
	uint32_t since;

	if (!row)
		return false; /* not known here: the verifier will say */
	since = TARGET_VERSION(row->a, row->b, 0);
	if (!(row->feature && t->feature[row->feature - 1] == FEATURE_OFF) &&
	    (target_version(t) >= since || (!t->by_version && running_has(row->id))))
		return false;
	lack->name = row->name;
	lack->since = since;
	return true;
}

static bool running_has_helper(uint32_t id)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, id, NULL) > 0;
}

static bool running_has_map_type(uint32_t id)
{
	return libbpf_probe_bpf_map_type(id, NULL) > 0;
}

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

bool target_lacks_helper(struct target *t, uint32_t helper, struct target_lack *lack)
{
	return lacks(t, find(helpers, LENGTH(helpers), helper), running_has_helper, lack);
}

bool target_lacks_map_type(struct target *t, uint32_t type, struct target_lack *lack)
{
	return lacks(t, find(map_types, LENGTH(map_types), type), running_has_map_type, lack);
}
