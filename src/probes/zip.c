/* SPDX-License-Identifier: Apache-2.0 */
/* PKWARE's APPNOTE.TXT, 4.3: the directory is found from the end; archives below 4 GiB. */
#include "probes/zip.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define END_MAGIC     0x06054b50u
#define END_SIZE      22
#define COMMENT_MAX   65535
#define ENTRY_MAGIC   0x02014b50u
#define ENTRY_SIZE    46
#define LOCAL_MAGIC   0x04034b50u
#define LOCAL_SIZE    30
#define FLAG_SECRET   1 /* encrypted */
#define METHOD_STORED 0

struct archive {
	const uint8_t *bytes;
	size_t size;
};

static uint16_t u16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
	return u16(p) | (uint32_t)u16(p + 2) << 16;
}

/* Whether @n bytes at @at are within the archive and begin with @magic. */
static bool has_record(const struct archive *a, uint64_t at, size_t n, uint32_t magic)
{
	return at <= a->size && a->size - at >= n && u32(a->bytes + at) == magic;
}

/* The record that ends the archive, but for a comment; NULL when there is none. */
static const uint8_t *find_end(const struct archive *a)
{
	for (size_t back = END_SIZE; back <= a->size && back <= END_SIZE + COMMENT_MAX; back++)
		if (has_record(a, a->size - back, END_SIZE, END_MAGIC))
			return a->bytes + a->size - back;
	return NULL;
}

/* @entry is the file's in the directory. */
static int locate(const struct archive *a, const uint8_t *entry, uint64_t *offset, size_t *length)
{
	uint64_t local = u32(entry + 42);

	if (u16(entry + 8) & FLAG_SECRET || u16(entry + 10) != METHOD_STORED ||
	    !has_record(a, local, LOCAL_SIZE, LOCAL_MAGIC))
		return -ENOEXEC;
	/* its name and extra field are here once more, the latter of another length */
	*offset = local + LOCAL_SIZE + u16(a->bytes + local + 26) + u16(a->bytes + local + 28);
	*length = u32(entry + 20);
	return *offset <= a->size && a->size - *offset >= *length && *length ? 0 : -ENOEXEC;
}

int zip_find_stored(const void *zip, size_t size, const char *name, uint64_t *offset,
		    size_t *length)
{
	const struct archive a = {zip, size};
	const uint8_t *end = find_end(&a);
	uint64_t at = end ? u32(end + 16) : 0;
	size_t len = strlen(name);

	if (!end)
		return -ENOEXEC;
	for (unsigned n = u16(end + 10); n; n--) {
		const uint8_t *entry = a.bytes + at;
		size_t name_len;

		if (!has_record(&a, at, ENTRY_SIZE, ENTRY_MAGIC))
			return -ENOEXEC;
		name_len = u16(entry + 28);
		if (a.size - at - ENTRY_SIZE < name_len)
			return -ENOEXEC;
		if (name_len == len && !memcmp(entry + ENTRY_SIZE, name, len))
			return locate(&a, entry, offset, length);
		at += ENTRY_SIZE + name_len + u16(entry + 30) + u16(entry + 32);
	}
	return -ENOENT;
}
