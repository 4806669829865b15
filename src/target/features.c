/* SPDX-License-Identifier: Apache-2.0 */
/* What the running kernel can do, found by doing it: one small function a feature. */
#include "target/target_internal.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

/* Newer than some headers: include/uapi/linux/bpf.h. */
#define AT_UPROBE_MULTI      48
#define AT_KPROBE_SESSION    56
#define HELPER_LOOKUP_PERCPU 195
/* A function that the kernel keeps for trying out, and calls in a test run only. */
#define TEST_FUNCTION "bpf_fentry_test1"

#define INSN(c, d, s, o, i)                                                                        \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define MOV_IMM(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_REG(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_IMM(d, i) INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define CALL(f)       INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT          INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static const struct bpf_insn empty_program[] = {MOV_IMM(BPF_REG_0, 0), EXIT};

/* Loads @insns, which end with an exit. Returns a descriptor or a negative errno. */
static int load(enum bpf_prog_type type, const struct bpf_insn *insns, size_t n)
{
	return bpf_prog_load(type, NULL, "GPL", insns, n, NULL);
}

/* Whether a descriptor was had; closes it. */
static bool worked(int fd)
{
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool loads(enum bpf_prog_type type, const struct bpf_insn *insns, size_t n)
{
	return worked(load(type, insns, n));
}

static bool try_global_data(struct target *t)
{
	struct bpf_insn insns[] = {
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, 0),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_1, 0, 0, 1),
		MOV_IMM(BPF_REG_0, 0),
		EXIT,
	};
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 8, 1, NULL);
	bool ok;

	(void)t;
	if (map < 0)
		return false;
	insns[0].imm = map;
	ok = loads(BPF_PROG_TYPE_TRACEPOINT, insns, LENGTH(insns));
	close(map);
	return ok;
}

static bool try_mmapable(struct target *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);

	(void)t;
	return worked(bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 8, 1, &opts));
}

static bool try_ring_buffer(struct target *t)
{
	(void)t;
	return worked(bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, getpagesize(), NULL));
}

static bool try_probe_read_kernel(struct target *t)
{
	const struct bpf_insn insns[] = {
		MOV_REG(BPF_REG_1, BPF_REG_10),
		ADD_IMM(BPF_REG_1, -8),
		MOV_IMM(BPF_REG_2, 8),
		MOV_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_probe_read_kernel),
		MOV_IMM(BPF_REG_0, 0),
		EXIT,
	};

	(void)t;
	return loads(BPF_PROG_TYPE_TRACEPOINT, insns, LENGTH(insns));
}

static bool try_boot_clock(struct target *t)
{
	const struct bpf_insn insns[] = {CALL(BPF_FUNC_ktime_get_boot_ns), EXIT};

	(void)t;
	return loads(BPF_PROG_TYPE_TRACEPOINT, insns, LENGTH(insns));
}

static bool try_attach_cookie(struct target *t)
{
	const struct bpf_insn insns[] = {CALL(BPF_FUNC_get_attach_cookie), EXIT};

	(void)t;
	return loads(BPF_PROG_TYPE_TRACEPOINT, insns, LENGTH(insns));
}

static bool try_func_ip(struct target *t)
{
	const struct bpf_insn insns[] = {CALL(BPF_FUNC_get_func_ip), EXIT};

	(void)t;
	return loads(BPF_PROG_TYPE_KPROBE, insns, LENGTH(insns));
}

static bool try_bpf_loop(struct target *t)
{
	(void)t;
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, BPF_FUNC_loop, NULL) > 0;
}

static bool try_for_each_map(struct target *t)
{
	(void)t;
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, BPF_FUNC_for_each_map_elem, NULL) >
	       0;
}

static bool try_percpu_lookup(struct target *t)
{
	(void)t;
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, HELPER_LOOKUP_PERCPU, NULL) > 0;
}

static bool try_large_keys(struct target *t)
{
	(void)t;
	return worked(bpf_map_create(BPF_MAP_TYPE_HASH, NULL, TARGET_MAX_KEY + 8, 8, 1, NULL));
}

/* An empty hash says ENOENT where batches are known, else EINVAL. */
static bool try_map_batch(struct target *t)
{
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 4, 4, 1, NULL), err;
	__u32 next, key, value, count = 1;

	(void)t;
	if (map < 0)
		return false;
	err = bpf_map_lookup_batch(map, NULL, &next, &key, &value, &count, NULL);
	close(map);
	return !err || err == -ENOENT;
}

/* Four times round, by a jump back. */
static bool try_bounded_loops(struct target *t)
{
	const struct bpf_insn insns[] = {
		MOV_IMM(BPF_REG_0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_0, 0, 0, 1),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, -2, 4),
		EXIT,
	};

	(void)t;
	return loads(BPF_PROG_TYPE_TRACEPOINT, insns, LENGTH(insns));
}

/* Before, programs that may run anywhere had to find all of a map's memory there. */
static bool try_lazy_hash(struct target *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	struct bpf_insn insns[] = {
		INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -8),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, 0),
		INSN(0, 0, 0, 0, 0),
		CALL(BPF_FUNC_map_lookup_elem),
		MOV_IMM(BPF_REG_0, 0),
		EXIT,
	};
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 8, 8, 1, &opts);
	bool ok;

	(void)t;
	if (map < 0)
		return false;
	insns[3].imm = map;
	ok = loads(BPF_PROG_TYPE_PERF_EVENT, insns, LENGTH(insns));
	close(map);
	return ok;
}

static bool try_raw_tp(struct target *t)
{
	(void)t;
	return loads(BPF_PROG_TYPE_RAW_TRACEPOINT, empty_program, LENGTH(empty_program));
}

static bool try_raw_tp_test_run(struct target *t)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int fd = load(BPF_PROG_TYPE_RAW_TRACEPOINT, empty_program, LENGTH(empty_program)), err;

	(void)t;
	if (fd < 0)
		return false;
	err = bpf_prog_test_run_opts(fd, &opts);
	close(fd);
	return !err;
}

/* No event to link to: EBADF where links to perf events are known, else EINVAL. */
static bool try_links(struct target *t)
{
	int fd = load(BPF_PROG_TYPE_TRACEPOINT, empty_program, LENGTH(empty_program)), err;

	(void)t;
	if (fd < 0)
		return false;
	err = bpf_link_create(fd, -1, BPF_PERF_EVENT, NULL);
	close(fd);
	return err == -EBADF;
}

static bool try_kprobe(struct target *t)
{
	int fd;

	if (!access("/sys/bus/event_source/devices/kprobe/type", F_OK))
		return true;
	fd = target_tracefs_open(t, "kprobe_events"); /* before Linux 4.17 */
	return worked(fd);
}

static bool try_kprobe_link(unsigned attach_type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type);
	const char *symbol = TEST_FUNCTION;
	union bpf_attr attr = {0};
	int fd, link;

	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", empty_program, LENGTH(empty_program),
			   &opts);
	if (fd < 0)
		return false;
	attr.link_create.prog_fd = fd;
	attr.link_create.attach_type = attach_type;
	attr.link_create.kprobe_multi.cnt = 1;
	attr.link_create.kprobe_multi.syms = (uintptr_t)&symbol;
	link = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	close(fd);
	return worked(link);
}

static bool try_kprobe_multi(struct target *t)
{
	(void)t;
	return try_kprobe_link(BPF_TRACE_KPROBE_MULTI);
}

static bool try_kprobe_session(struct target *t)
{
	(void)t;
	return try_kprobe_link(AT_KPROBE_SESSION);
}

/* A folder has no functions: EBADF where the link is known. */
static bool try_uprobe_multi(struct target *t)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = AT_UPROBE_MULTI);
	LIBBPF_OPTS(bpf_link_create_opts, link_opts);
	const unsigned long offset = 0;
	int fd, err;

	(void)t;
	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", empty_program, LENGTH(empty_program),
			   &opts);
	if (fd < 0)
		return false;
	link_opts.uprobe_multi.path = "/";
	link_opts.uprobe_multi.offsets = &offset;
	link_opts.uprobe_multi.cnt = 1;
	err = bpf_link_create(fd, -1, AT_UPROBE_MULTI, &link_opts);
	close(fd);
	return err == -EBADF;
}

/*
 * Programs that ask for it load on older kernels too, and are told zero. It came with the same
 * kernel as uprobe.multi links, which can be tried without a process to trace.
 */
static bool try_uprobe_func_ip(struct target *t)
{
	return target_version(t) >= TARGET_VERSION(6, 6, 0) || try_uprobe_multi(t);
}

static bool try_ref_ctr(struct target *t)
{
	(void)t;
	return !access("/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset", F_OK);
}

/* Loading is not enough: some kernels load such programs and refuse to attach them. */
static bool try_fentry(struct target *t)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	struct btf_view *btf = target_btf_view(t);
	int fd, link;

	opts.attach_btf_id = btf ? btf_view_find(btf, BTF_KIND_FUNC, TEST_FUNCTION) : 0;
	if (!opts.attach_btf_id)
		return false;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", empty_program, LENGTH(empty_program),
			   &opts);
	if (fd < 0)
		return false;
	link = bpf_raw_tracepoint_open(NULL, fd);
	close(fd);
	return worked(link);
}

/* A program on the kernel function @name; @how: BPF_TRACE_FENTRY, BPF_TRACE_ITER. */
static bool loads_on(struct target *t, const char *name, enum bpf_attach_type how,
		     const struct bpf_insn *insns, size_t n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = how);
	struct btf_view *btf = target_btf_view(t);

	opts.attach_btf_id = btf ? btf_view_find(btf, BTF_KIND_FUNC, name) : 0;
	return opts.attach_btf_id &&
	       worked(bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", insns, n, &opts));
}

static bool try_iter(struct target *t)
{
	return loads_on(t, "bpf_iter_task", BPF_TRACE_ITER, empty_program, LENGTH(empty_program));
}

/* The helper is for a few functions only, this one among them. */
static bool try_d_path(struct target *t)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_1, 0, 0),
		INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -8),
		MOV_IMM(BPF_REG_3, 8),
		CALL(BPF_FUNC_d_path),
		MOV_IMM(BPF_REG_0, 0),
		EXIT,
	};

	return target_has(t, TARGET_F_FENTRY) &&
	       loads_on(t, "dentry_open", BPF_TRACE_FENTRY, insns, LENGTH(insns));
}

static bool try_btf(struct target *t)
{
	return target_btf_bytes(t);
}

static bool try_cpu_v2(struct target *t)
{
	const struct bpf_insn insns[] = {
		MOV_IMM(BPF_REG_0, 0),
		INSN(BPF_JMP | BPF_JLT | BPF_K, BPF_REG_0, 0, 0, 1),
		EXIT,
	};

	(void)t;
	return loads(BPF_PROG_TYPE_TRACEPOINT, insns, LENGTH(insns));
}

/* Jumps on 32 bits, and atomic operations that give the old value. */
static bool try_cpu_v3(struct target *t)
{
	const struct bpf_insn insns[] = {
		MOV_IMM(BPF_REG_0, 0),
		INSN(BPF_JMP32 | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0),
		INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0),
		MOV_IMM(BPF_REG_1, 1),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_10, BPF_REG_1, -8, BPF_ADD | BPF_FETCH),
		EXIT,
	};

	(void)t;
	return loads(BPF_PROG_TYPE_TRACEPOINT, insns, LENGTH(insns));
}

/* The kernel leaves the command out where it would refuse it (nohz_full). */
static bool try_membarrier(struct target *t)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	(void)t;
	return commands > 0 && commands & MEMBARRIER_CMD_GLOBAL;
}

static bool (*const tries[TARGET_NFEATURES])(struct target *t) = {
	[TARGET_F_GLOBAL_DATA] = try_global_data,
	[TARGET_F_MMAPABLE] = try_mmapable,
	[TARGET_F_RING_BUFFER] = try_ring_buffer,
	[TARGET_F_PROBE_READ_KERNEL] = try_probe_read_kernel,
	[TARGET_F_BOOT_CLOCK] = try_boot_clock,
	[TARGET_F_BPF_LOOP] = try_bpf_loop,
	[TARGET_F_FOR_EACH_MAP] = try_for_each_map,
	[TARGET_F_PERCPU_LOOKUP] = try_percpu_lookup,
	[TARGET_F_LARGE_KEYS] = try_large_keys,
	[TARGET_F_MAP_BATCH] = try_map_batch,
	[TARGET_F_BOUNDED_LOOPS] = try_bounded_loops,
	[TARGET_F_LAZY_HASH] = try_lazy_hash,
	[TARGET_F_RAW_TP] = try_raw_tp,
	[TARGET_F_RAW_TP_TEST_RUN] = try_raw_tp_test_run,
	[TARGET_F_FUNC_IP] = try_func_ip,
	[TARGET_F_UPROBE_FUNC_IP] = try_uprobe_func_ip,
	[TARGET_F_ATTACH_COOKIE] = try_attach_cookie,
	[TARGET_F_LINKS] = try_links,
	[TARGET_F_KPROBE] = try_kprobe,
	[TARGET_F_KPROBE_MULTI] = try_kprobe_multi,
	[TARGET_F_KPROBE_SESSION] = try_kprobe_session,
	[TARGET_F_UPROBE_MULTI] = try_uprobe_multi,
	[TARGET_F_REF_CTR] = try_ref_ctr,
	[TARGET_F_FENTRY] = try_fentry,
	[TARGET_F_ITER] = try_iter,
	[TARGET_F_D_PATH] = try_d_path,
	[TARGET_F_BTF] = try_btf,
	[TARGET_F_CPU_V2] = try_cpu_v2,
	[TARGET_F_CPU_V3] = try_cpu_v3,
	[TARGET_F_MEMBARRIER] = try_membarrier,
};

bool feature_try(struct target *t, enum target_feature f)
{
	return tries[f](t);
}
