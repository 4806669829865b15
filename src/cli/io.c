/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/io.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int io_write(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		p += n;
		size -= n;
	}
	return 0;
}

int io_read(int fd, void *data, size_t size, off_t at)
{
	char *p = data;

	while (size) {
		ssize_t n = pread(fd, p, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		at += n;
		size -= n;
	}
	return 0;
}

int io_own_directory(char *path)
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (len < 0)
		return -errno;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	return 0;
}
