/* SPDX-License-Identifier: Apache-2.0 */
/* tracefs: found where it is mounted, or mounted where nobody else sees it. */
#include "target/target_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* From <linux/mount.h>, which cannot be included beside <sys/mount.h>. */
#define BT_FSOPEN_CLOEXEC      1
#define BT_FSCONFIG_CMD_CREATE 6
#define BT_FSMOUNT_CLOEXEC     1

#define TRACEFS_DIR "/sys/kernel/tracing"

static int open_tracefs(const char *path)
{
	struct statfs fs;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!fstatfs(fd, &fs) && fs.f_type == TRACEFS_MAGIC)
		return fd;
	close(fd);
	return -ENOENT;
}

int tracefs_find_mounted(void)
{
	int fd = open_tracefs(TRACEFS_DIR);
	struct mntent *m, buf;
	char strings[4096];
	FILE *mounts;

	if (fd >= 0)
		return fd;
	mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return fd;
	while (fd < 0 && (m = getmntent_r(mounts, &buf, strings, sizeof(strings)))) {
		if (!strcmp(m->mnt_type, "tracefs"))
			fd = open_tracefs(m->mnt_dir);
	}
	endmntent(mounts);
	return fd;
}

int tracefs_mount_detached(void)
{
	int fs, fd = -1, err = 0;

	fs = syscall(SYS_fsopen, "tracefs", BT_FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (!syscall(SYS_fsconfig, fs, BT_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = syscall(SYS_fsmount, fs, BT_FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		err = -errno;
	close(fs);
	return err ? err : fd;
}

/* Sends a descriptor through a Unix socket (unix(7), SCM_RIGHTS). */
static int send_fd(int sock, int fd)
{
	char c = 0, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&c, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) < 0 ? -errno : 0;
}

static int receive_fd(int sock)
{
	char c, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&c, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *cm;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) <= 0)
		return -ENOENT;
	cm = CMSG_FIRSTHDR(&msg);
	if (!cm || cm->cmsg_type != SCM_RIGHTS)
		return -ENOENT;
	memcpy(&fd, CMSG_DATA(cm), sizeof(int));
	return fd;
}

/* The child's part: a mount namespace that ends with it; the descriptor outlives both. */
static _Noreturn void mount_and_send(int sock)
{
	int fd;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tracefs", TRACEFS_DIR, "tracefs", 0, NULL))
		_exit(1);
	fd = open_tracefs(TRACEFS_DIR);
	_exit(fd < 0 || send_fd(sock, fd));
}

int tracefs_mount_in_child(void)
{
	int sock[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -errno;
	pid = fork();
	if (!pid)
		mount_and_send(sock[1]);
	close(sock[1]);
	fd = pid < 0 ? -errno : receive_fd(sock[0]);
	close(sock[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return fd;
}

int tracefs_dir(struct target *t)
{
	static int (*const ways[])(void) = {tracefs_find_mounted, tracefs_mount_detached,
					    tracefs_mount_in_child};
	int fd = -ENOENT;

	if (t->tracefs != -1)
		return t->tracefs < 0 ? t->tracefs + 1 : t->tracefs;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && fd < 0; i++)
		fd = ways[i]();
	t->tracefs = fd < 0 ? fd - 1 : fd;
	return fd;
}

int target_tracefs_open(struct target *t, const char *path)
{
	int dir = tracefs_dir(t), fd;

	if (dir < 0)
		return dir;
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

char *target_tracefs_read(struct target *t, const char *path)
{
	size_t len = 0, cap = 8192;
	int fd = target_tracefs_open(t, path);
	ssize_t n = 0;
	char *text;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	text = malloc(cap);
	while (text && (n = read(fd, text + len, cap - len - 1)) > 0) {
		len += n;
		if (cap - len < 4096) {
			char *grown = realloc(text, cap *= 2);

			if (!grown)
				free(text);
			text = grown;
		}
	}
	if (text && n < 0) {
		free(text);
		text = NULL;
	}
	if (text)
		text[len] = 0;
	close(fd);
	return text;
}
