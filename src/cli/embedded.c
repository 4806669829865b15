/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/embedded.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/io.h"

#define MAGIC "BTRUNAOT"

struct trailer {
	char magic[8];
	uint64_t offset, size; /* of the image */
};

static void *read_embedded(int fd, size_t *size)
{
	struct trailer t;
	struct stat st;
	void *image;

	if (fstat(fd, &st) || (size_t)st.st_size < sizeof(t) ||
	    io_read(fd, &t, sizeof(t), st.st_size - sizeof(t)) ||
	    memcmp(t.magic, MAGIC, sizeof(t.magic)))
		return NULL;
	if (t.size > (uint64_t)st.st_size || t.offset > st.st_size - t.size)
		return NULL;
	image = malloc(t.size + 1);
	if (image && io_read(fd, image, t.size, t.offset)) {
		free(image);
		return NULL;
	}
	*size = t.size;
	return image;
}

void *embedded_image(size_t *size)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	void *image = fd < 0 ? NULL : read_embedded(fd, size);

	if (fd >= 0)
		close(fd);
	return image;
}

void *embedded_program(const void *runner, size_t runner_size, const void *image, size_t image_size,
		       size_t *size)
{
	struct trailer t = {MAGIC, (runner_size + 7) & ~(size_t)7, image_size};
	char *data = calloc(1, t.offset + image_size + sizeof(t));

	if (!data)
		return NULL;
	memcpy(data, runner, runner_size);
	memcpy(data + t.offset, image, image_size);
	memcpy(data + t.offset + image_size, &t, sizeof(t));
	*size = t.offset + image_size + sizeof(t);
	return data;
}
