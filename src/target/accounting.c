/* SPDX-License-Identifier: Apache-2.0 */
/* By what the kernel counts processes: control groups, PID namespaces. */
#include "target/depends.h"
#include "target/target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* include/linux/proc_ns.h: PROC_PID_INIT_INO */
#define INIT_PID_NAMESPACE 0xeffffffcu

/* A handle of kernfs is the id (name_to_handle_at(2)), which is what the helpers give too. */
int target_cgroup_id(struct target *t, const char *path, uint64_t *id)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = {.head.handle_bytes = sizeof(uint64_t)};
	int mount;

	target_depend(t, path);
	if (name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0))
		return -errno;
	if (handle.head.handle_bytes != sizeof(uint64_t))
		return -EINVAL;
	memcpy(id, &handle.id, sizeof(*id));
	return 0;
}

bool target_in_pid_namespace(struct target *t)
{
	struct stat st;

	(void)t;
	return !stat("/proc/self/ns/pid", &st) && st.st_ino != INIT_PID_NAMESPACE;
}
