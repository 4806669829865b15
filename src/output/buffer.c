/* SPDX-License-Identifier: Apache-2.0 */
/* The buffer in front of the file, and plain things appended to it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "output/internal.h"

int outbuf_open(struct outbuf *b, FILE *file, size_t cap)
{
	*b = (struct outbuf){.file = file, .fd = -1, .cap = cap};
	b->data = malloc(cap);
	if (!b->data)
		return -ENOMEM;
	if (file) {
		fflush(file); /* what was written through stdio before comes first */
		b->fd = fileno(file);
	}
	return 0;
}

void outbuf_close(struct outbuf *b)
{
	free(b->data);
}

/* A terminal or pipe may be set non-blocking by somebody who shares it. */
static bool wait_writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, -1) > 0 || errno == EINTR;
}

static int write_fd(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t w = write(fd, s, n);

		if (w >= 0) {
			s += w;
			n -= w;
		} else if (errno == EAGAIN) {
			if (!wait_writable(fd))
				return -errno;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static int write_file(FILE *file, const char *s, size_t n)
{
	errno = 0;
	if (fwrite(s, 1, n, file) == n && !fflush(file))
		return 0;
	return errno ? -errno : -EIO;
}

static void write_out(struct outbuf *b, const char *s, size_t n)
{
	if (b->err || !n)
		return;
	b->err = b->fd >= 0 ? write_fd(b->fd, s, n) : write_file(b->file, s, n);
}

void outbuf_flush(struct outbuf *b)
{
	if (!b->file)
		return;
	write_out(b, b->data, b->len);
	b->len = 0;
}

static bool grow(struct outbuf *b, size_t n)
{
	size_t cap = (b->cap + n) * 2;
	char *data = realloc(b->data, cap);

	if (!data) {
		b->err = -ENOMEM;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void outbuf_put_slow(struct outbuf *b, const char *s, size_t n)
{
	if (b->file) {
		outbuf_flush(b);
		if (n >= b->cap) {
			write_out(b, s, n);
			return;
		}
	} else if (!grow(b, n)) {
		return;
	}
	memcpy(b->data + b->len, s, n);
	b->len += n;
}

void outbuf_pad(struct outbuf *b, char c, size_t n)
{
	char pad[64];

	memset(pad, c, n < sizeof(pad) ? n : sizeof(pad));
	for (; n > sizeof(pad); n -= sizeof(pad))
		outbuf_put(b, pad, sizeof(pad));
	outbuf_put(b, pad, n);
}

void outbuf_u64(struct outbuf *b, uint64_t v)
{
	char digits[20];
	char *p = digits + sizeof(digits);

	do {
		*--p = '0' + v % 10;
		v /= 10;
	} while (v);
	outbuf_put(b, p, digits + sizeof(digits) - p);
}

void outbuf_s64(struct outbuf *b, int64_t v)
{
	if (v < 0)
		outbuf_putc(b, '-');
	outbuf_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void outbuf_hex(struct outbuf *b, uint64_t v)
{
	char digits[16];
	char *p = digits + sizeof(digits);

	do {
		*--p = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	outbuf_put(b, p, digits + sizeof(digits) - p);
}

void outbuf_bytes(struct outbuf *b, const uint8_t *bytes, size_t n, bool ascii, bool escape)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		if (ascii && bytes[i] >= ' ' && bytes[i] <= '~') {
			outbuf_putc(b, bytes[i]);
			continue;
		}
		if (escape)
			outbuf_put(b, "\\x", 2);
		else if (i)
			outbuf_putc(b, ' ');
		outbuf_putc(b, hex[bytes[i] >> 4]);
		outbuf_putc(b, hex[bytes[i] & 15]);
	}
}
