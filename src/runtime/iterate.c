/* SPDX-License-Identifier: Apache-2.0 */
/* iter probes: their iterators are read once, when the run starts, or pinned for others to read. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/stages.h"

/*
 * Each event of the program also adds a byte to what is read: a read ends when it has as many as
 * it asked for, so that the events of one find room in the buffer.
 */
#define EVENTS_A_READ 256

static int read_iterator(struct run *r, int fd)
{
	char text[EVENTS_A_READ];
	ssize_t n;
	int err;

	do {
		n = read(fd, text, sizeof(text));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			n = 1;
		err = n < 0 ? -errno : events_drain(r);
	} while (!err && n > 0 && !control_read(&r->control)->exiting && !output_error(r->out));
	return err;
}

static void tell_pinned(struct run *r, const char *path)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "Program pinned to %s\n", path);

	output_text(r->out, OUTPUT_SYSTEM, text, n);
}

static int pin(struct run *r, int link, const char *path)
{
	int err = bpf_obj_pin(link, path);

	if (err)
		run_error("Failed to pin iter probe link: %s: %s", path, strerror(-err));
	else
		tell_pinned(r, path);
	return err;
}

static int iterate(struct run *r, const struct image_attachment *at, int link)
{
	const char *path = strchr(image_str(r->img, at->target), ':');
	int fd, err;

	if (path)
		return pin(r, link, path + 1);
	fd = bpf_iter_create(link);
	if (fd < 0) {
		run_error("Failed to open iter probe link: %s", strerror(-fd));
		return fd;
	}
	err = read_iterator(r, fd);
	close(fd);
	if (err)
		run_error("Failed to read from %s: %s",
			  image_str(r->img, r->img->probes[at->probe].name), strerror(-err));
	return err;
}

int iterate_all(struct run *r)
{
	int err = 0;

	for (size_t i = 0; i < r->nlinks && !err; i++) {
		const struct image_attachment *at = &r->img->attachments[r->link_rows[i]];

		if (at->kind == IMAGE_AT_ITER && !control_read(&r->control)->exiting)
			err = iterate(r, at, probe_link_fd(r->links[i]));
	}
	return err;
}
