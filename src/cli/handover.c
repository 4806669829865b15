/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/handover.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/io.h"
#include "cli/message.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x8u
#endif

#define RUNNER   "btrun"
#define COMPILER "btrun-compile"
/* Where the two lie when they do not lie side by side, seen from the directory of the other. */
#define COMPILER_INSTALLED "../" BTRUN_LIBEXECDIR "/btrun/" COMPILER
#define RUNNER_INSTALLED   "../../bin/" RUNNER

/* The path of the other program into @path (PATH_MAX bytes). */
static int find_program(char *path, const char *beside, const char *installed)
{
	const char *const places[] = {beside, installed};
	char self[PATH_MAX];
	int err = io_own_directory(self);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (snprintf(path, PATH_MAX, "%s/%s", self, places[i]) >= PATH_MAX)
			return -ENAMETOOLONG;
		if (!access(path, X_OK))
			return 0;
	}
	return -ENOENT;
}

/* A memory file with these bytes; the program that is executed next inherits it. */
static int memory_file(const char *name, const void *data, size_t size)
{
	int fd = memfd_create(name, MFD_NOEXEC_SEAL), err;

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create(name, 0);
	if (fd < 0)
		return -errno;
	err = io_write(fd, data, size);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int become(const char *name, const char *path, char *const *argv, const char *option, int fd,
		  const struct times *times)
{
	char word[64], *all_times = times_format(times, "--times=");
	size_t n = 0, given = 0;
	char **words;
	int err;

	while (argv[n])
		n++;
	words = calloc(n + 3, sizeof(*words));
	if (!words || !all_times) {
		err = ENOMEM;
		goto failed;
	}
	words[given++] = argv[0];
	snprintf(word, sizeof(word), "--%s=%d", option, fd);
	if (fd >= 0)
		words[given++] = word;
	words[given++] = all_times;
	memcpy(words + given, argv + 1, (n - 1) * sizeof(*argv));
	fflush(NULL);
	execv(path, words);
	err = errno;
failed:
	cli_error("Failed to run %s (%s): %s", name, path, strerror(err));
	free(words);
	free(all_times);
	return -err;
}

static int missing(const char *name, int err)
{
	if (err == -ENOENT)
		cli_error("%s is not where this program is, nor where it would be installed: "
			  "scripts cannot be %s",
			  name, strcmp(name, RUNNER) ? "compiled" : "run");
	else
		cli_error("Failed to find %s: %s", name, strerror(-err));
	return err;
}

static int real_path(char *path, const char *beside, const char *installed)
{
	char found[PATH_MAX];
	int err = find_program(found, beside, installed);

	if (err)
		return err;
	return realpath(found, path) ? 0 : -errno;
}

int handover_compiler_path(char *path)
{
	return real_path(path, COMPILER, COMPILER_INSTALLED);
}

int handover_runner_path(char *path)
{
	return real_path(path, RUNNER "-run", RUNNER_INSTALLED "-run");
}

int handover_to_compiler(char *const *argv, const char *text, size_t size,
			 const struct times *times)
{
	char path[PATH_MAX];
	int err = find_program(path, COMPILER, COMPILER_INSTALLED), fd = -1;

	if (err)
		return missing(COMPILER, err);
	if (text) {
		fd = memory_file("script", text, size);
		if (fd < 0) {
			cli_error("Failed to keep the script: %s", strerror(-fd));
			return fd;
		}
	}
	return become(COMPILER, path, argv, "script-fd", fd, times);
}

int handover_to_runner(char *const *argv, const void *image, size_t size, const struct times *times)
{
	char path[PATH_MAX];
	int err = find_program(path, RUNNER, RUNNER_INSTALLED), fd;

	if (err)
		return missing(RUNNER, err);
	fd = memory_file("image", image, size);
	if (fd < 0) {
		cli_error("Failed to keep the image: %s", strerror(-fd));
		return fd;
	}
	return become(RUNNER, path, argv, "image-fd", fd, times);
}

char *handover_take(int fd, size_t *size)
{
	char *data = NULL;
	struct stat st;
	int err = 0;

	if (!fstat(fd, &st))
		data = malloc(st.st_size + 1);
	if (data)
		err = io_read(fd, data, st.st_size, 0);
	close(fd);
	if (!data)
		return NULL;
	if (err) {
		free(data);
		errno = -err;
		return NULL;
	}
	data[st.st_size] = '\0';
	*size = st.st_size;
	return data;
}
