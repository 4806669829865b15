/* SPDX-License-Identifier: Apache-2.0 */
/* Programs on perf events (perf_event_open(2)). */
#include "probes/probes_internal.h"

#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ONLINE_CPUS "/sys/devices/system/cpu/online"

/* Set of CPUs; the kernel's limit on x86-64 is 8192. */
#define MAX_CPUS 8192

struct cpu_list {
	size_t n;
	int *cpus;
};

/* Reads "0-3,6"; CPU numbers may have gaps where CPUs are offline. */
static int read_online(struct cpu_list *list)
{
	FILE *f = fopen(ONLINE_CPUS, "re");
	int low, high, c;

	if (!f)
		return -errno;
	while (fscanf(f, "%d", &low) == 1) {
		high = low;
		c = fgetc(f);
		if (c == '-' && fscanf(f, "%d", &high) == 1)
			c = fgetc(f);
		for (; low <= high && list->n < MAX_CPUS; low++)
			list->cpus[list->n++] = low;
		if (c != ',')
			break;
	}
	fclose(f);
	return list->n ? 0 : -ENODATA;
}

static int get_cpus(struct cpu_list *list)
{
	list->n = 0;
	list->cpus = malloc(MAX_CPUS * sizeof(*list->cpus));
	if (!list->cpus)
		return -ENOMEM;
	if (read_online(list)) { /* no sysfs */
		list->n = 0;
		for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN) && i < MAX_CPUS; i++)
			list->cpus[list->n++] = i;
	}
	return 0;
}

int probe_first_cpu(void)
{
	struct cpu_list list;
	int cpu = 0;

	if (!get_cpus(&list) && list.n)
		cpu = list.cpus[0];
	free(list.cpus);
	return cpu;
}

int probe_attach_fail(struct attach_env *env, int code, const char *what)
{
	snprintf(env->err, sizeof(env->err), "%s: %s", what, strerror(-code));
	return code;
}

int probe_attach_perf(struct attach_env *env, struct bpf_program *prog,
		      struct perf_event_attr *attr, int pid, int cpu, struct probe_link *link)
{
	/* libbpf would find that out too, but not that links are switched off */
	LIBBPF_OPTS(bpf_perf_event_opts, opts,
		    .force_ioctl_attach = !target_has(env->target, TARGET_F_LINKS));
	struct bpf_link *bpf;
	int fd, err;

	attr->size = sizeof(*attr);
	attr->inherit = pid > 0;
	/* threads, not other processes */
	attr->inherit_thread = pid > 0 && target_version(env->target) >= TARGET_VERSION(5, 13, 0);
	fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return probe_attach_fail(env, -errno, "perf_event_open");
	bpf = bpf_program__attach_perf_event_opts(prog, fd, &opts);
	if (!bpf) {
		err = -errno;
		close(fd);
		return probe_attach_fail(env, err, "attaching to the perf event");
	}
	err = probe_link_add(link, bpf);
	if (!err && attr->type == PERF_TYPE_SOFTWARE && attr->config == PERF_COUNT_SW_CPU_CLOCK)
		err = probe_link_add_timer(link, fd);
	return err;
}

/* ---- on all CPUs ------------------------------------------------------------------ */

static int attach_cpus(struct attach_env *env, struct bpf_program *prog,
		       struct perf_event_attr *attr, struct probe_link *link)
{
	struct cpu_list list;
	int err = get_cpus(&list);

	if (err)
		return probe_attach_fail(env, err, "perf_event_open");
	for (size_t i = 0; i < list.n && !err; i++) {
		err = probe_attach_perf(env, prog, attr, -1, list.cpus[i], link);
		if (err == -ENODEV) /* gone offline since */
			err = 0;
	}
	free(list.cpus);
	return err;
}

/* ---- on all threads ---------------------------------------------------------------- */

struct thread_list {
	size_t n, cap;
	int *tids;
};

static bool known_thread(const struct thread_list *list, int tid)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->tids[i] == tid)
			return true;
	return false;
}

static int add_thread(struct thread_list *list, int tid)
{
	int *tids = list->tids;

	if (list->n == list->cap) {
		list->cap = list->cap ? 2 * list->cap : 64;
		tids = realloc(tids, list->cap * sizeof(*tids));
		if (!tids)
			return -ENOMEM;
		list->tids = tids;
	}
	tids[list->n++] = tid;
	return 0;
}

/* Attaches to the threads that are not in @list yet, and adds them. */
static int attach_new_threads(struct attach_env *env, struct bpf_program *prog,
			      struct perf_event_attr *attr, struct probe_link *link,
			      struct thread_list *list)
{
	struct dirent *entry;
	char path[64];
	int err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", env->pid);
	dir = opendir(path);
	if (!dir)
		return probe_attach_fail(env, errno == ENOENT ? -ESRCH : -errno, path);
	while (!err && (entry = readdir(dir))) {
		int tid = atoi(entry->d_name);

		if (tid <= 0 || known_thread(list, tid))
			continue;
		err = probe_attach_perf(env, prog, attr, tid, -1, link);
		if (err == -ESRCH) /* it ended meanwhile */
			err = 0;
		if (!err)
			err = add_thread(list, tid);
	}
	closedir(dir);
	return err;
}

/* Those that have an event hand it on; until there is none, others may have started more. */
static int attach_threads(struct attach_env *env, struct bpf_program *prog,
			  struct perf_event_attr *attr, struct probe_link *link)
{
	struct thread_list list = {0};
	size_t before;
	int err;

	do {
		before = list.n;
		err = attach_new_threads(env, prog, attr, link, &list);
	} while (!err && list.n > before);
	free(list.tids);
	if (!err && !probe_link_count(link))
		return probe_attach_fail(env, -ESRCH, "perf_event_open");
	return err;
}

int probe_attach_everywhere(struct attach_env *env, struct bpf_program *prog,
			    struct perf_event_attr *attr, struct probe_link **link)
{
	struct probe_link *l = probe_link_new(16, false);
	int err;

	if (!l)
		return probe_attach_fail(env, -ENOMEM, "perf_event_open");
	err = env->pid > 0 ? attach_threads(env, prog, attr, l) : attach_cpus(env, prog, attr, l);
	if (err)
		probe_link_free(l);
	else
		*link = l;
	return err;
}
