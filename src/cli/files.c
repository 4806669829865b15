/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"

#define MAX_INPUT (256u << 20) /* an endless file must not fill the memory */

static char *open_failed(const char *path, int err)
{
	cli_error("failed to open file '%s': %s", path, strerror(err));
	return NULL;
}

/* Reads @fd to its end into *@data (malloc). Returns 0 or a negative errno. */
static int read_all(int fd, char **data, size_t *size)
{
	size_t cap = 16384;
	char *buf = malloc(cap);
	char *more;
	ssize_t n;

	*size = 0;
	while (buf) {
		n = read(fd, buf + *size, cap - *size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*size += n;
		if (*size > MAX_INPUT) {
			free(buf);
			return -EFBIG;
		}
		if (*size + 1 < cap)
			continue;
		cap *= 2;
		more = realloc(buf, cap);
		if (!more)
			free(buf);
		buf = more;
	}
	if (!buf)
		return -ENOMEM;
	if (n < 0) {
		int err = -errno;

		free(buf);
		return err;
	}
	buf[*size] = '\0';
	*data = buf;
	return 0;
}

char *cli_read_file(const char *path, size_t *size)
{
	bool standard_input = !strcmp(path, "-");
	char *data = NULL;
	int fd, err;

	fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return open_failed(path, errno);
	err = read_all(fd, &data, size);
	if (!standard_input)
		close(fd);
	return err ? open_failed(path, -err) : data;
}

static int write_failed(const char *path, int err)
{
	cli_error("failed to write file '%s': %s", path, strerror(err));
	return -err;
}

/* Devices, pipes and links keep what they are: they are written in place. */
static bool replaceable(const char *path)
{
	struct stat st;

	return lstat(path, &st) || S_ISREG(st.st_mode);
}

int cli_product_begin(struct cli_product *p, const char *path)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	*p = (struct cli_product){.path = path};
	if (!replaceable(path)) {
		p->temp = strdup(path);
		return p->temp ? 0 : write_failed(path, ENOMEM);
	}
	if (asprintf(&p->temp, "%s.XXXXXX", path) < 0) {
		p->temp = NULL;
		return write_failed(path, ENOMEM);
	}
	fd = mkostemp(p->temp, O_CLOEXEC);
	if (fd < 0) {
		int err = errno;

		free(p->temp);
		p->temp = NULL;
		return write_failed(path, err);
	}
	fchmod(fd, 0666 & ~mask);
	close(fd);
	return 0;
}

int cli_product_commit(struct cli_product *p)
{
	int err = 0;

	if (strcmp(p->temp, p->path) && rename(p->temp, p->path))
		err = write_failed(p->path, errno);
	if (err)
		unlink(p->temp);
	free(p->temp);
	p->temp = NULL;
	return err;
}

void cli_product_abandon(struct cli_product *p)
{
	if (!p->temp)
		return;
	if (strcmp(p->temp, p->path))
		unlink(p->temp);
	free(p->temp);
	p->temp = NULL;
}

static int write_all(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "we");
	int err = 0;

	if (!f)
		return errno;
	if (fwrite(data, 1, size, f) != size)
		err = errno;
	if (fclose(f) && !err)
		err = errno;
	return err;
}

/* Whoever may read the file may execute it, too. */
static int make_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	return S_ISREG(st.st_mode) && chmod(path, st.st_mode | (st.st_mode & 0444) >> 2) ? errno
											 : 0;
}

static int write_product(const char *path, const void *data, size_t size, bool executable)
{
	struct cli_product p;
	int err = cli_product_begin(&p, path);

	if (err)
		return err;
	err = write_all(p.temp, data, size);
	if (!err && executable)
		err = make_executable(p.temp);
	if (err) {
		cli_product_abandon(&p);
		return write_failed(path, err);
	}
	return cli_product_commit(&p);
}

int cli_write_file(const char *path, const void *data, size_t size)
{
	return write_product(path, data, size, false);
}

int cli_write_program(const char *path, const void *data, size_t size)
{
	return write_product(path, data, size, true);
}
