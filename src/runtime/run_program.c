/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a program once, which nothing is attached to: BEGIN, END and the like. The kernel does
 * it for the asking (BPF_PROG_TEST_RUN) with raw tracepoint programs since Linux 5.10. Before
 * that they are programs on a perf event of the kernel's page faults for this thread, and it has
 * one made.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/internal.h"
#include "target/target.h"

static int open_fault_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS,
		.sample_period = 1,
		.disabled = 1,
		.exclude_user = 1,
		.exclude_hv = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * Lets the kernel write into @page while the event is on, for one overflow at most. A fault in
 * the kernel has a stack there; what the process itself may meet with is not looked at.
 */
static int fault_with_event(int event, char *page, unsigned long request)
{
	if (ioctl(event, request, 1) || syscall(SYS_uname, page))
		return -errno;
	return ioctl(event, PERF_EVENT_IOC_DISABLE, 0) ? -errno : 0;
}

/* The first page is for a rehearsal, so that nothing else is missing afterwards. */
static int run_on_event(int prog, int event, char *pages)
{
	uint64_t count = 0;
	int err = fault_with_event(event, pages, PERF_EVENT_IOC_DISABLE);

	if (!err && ioctl(event, PERF_EVENT_IOC_SET_BPF, prog))
		err = -errno;
	if (!err)
		err = fault_with_event(event, pages + getpagesize(), PERF_EVENT_IOC_REFRESH);
	if (err)
		return err;
	if (read(event, &count, sizeof(count)) != sizeof(count))
		return -EIO;
	return count ? 0 : -EAGAIN;
}

static int run_by_page_fault(int prog)
{
	size_t size = 2 * getpagesize();
	char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int event, err;

	if (pages == MAP_FAILED)
		return -errno;
	madvise(pages, size, MADV_NOHUGEPAGE);
	event = open_fault_event();
	err = event < 0 ? event : run_on_event(prog, event, pages);
	if (event >= 0)
		close(event);
	munmap(pages, size);
	return err;
}

int run_program(const struct run *r, const struct bpf_program *prog)
{
	int fd = bpf_program__fd(prog);

	if (bpf_program__type(prog) == BPF_PROG_TYPE_PERF_EVENT)
		return run_by_page_fault(fd);
	if (!target_has(r->target, TARGET_F_RAW_TP_TEST_RUN))
		return -ENOTSUP;
	return bpf_prog_test_run_opts(fd, NULL);
}
