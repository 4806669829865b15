/* SPDX-License-Identifier: Apache-2.0 */
/* Files in ZIP archives, and archives that are damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probes/zip.h"

/* "a/b", stored, holds "hello"; "c", said to be deflated, holds "xyz". */
static const uint8_t archive[] =
	"PK\3\4\12\0\0\0\0\0\0\0\0\0crc1\5\0\0\0\5\0\0\0\3\0\2\0a/b--hello"
	"PK\3\4\12\0\0\0\10\0\0\0\0\0crc2\3\0\0\0\3\0\0\0\1\0\0\0cxyz"
	"PK\1\2\12\0\12\0\0\0\0\0\0\0\0\0crc1\5\0\0\0\5\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\0\0\0\0a/b"
	"PK\1\2\12\0\12\0\0\0\10\0\0\0\0\0crc2\3\0\0\0\3\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\50\0\0\0c"
	"PK\5\6\0\0\0\0\2\0\2\0\140\0\0\0\112\0\0\0\3\0end";
#define SIZE (sizeof(archive) - 1)

static void test_found(void **state)
{
	uint64_t offset = 0;
	size_t length = 0;

	(void)state;
	assert_int_equal(zip_find_stored(archive, SIZE, "a/b", &offset, &length), 0);
	assert_int_equal(length, 5);
	assert_memory_equal(archive + offset, "hello", 5);
}

static void test_not_to_be_had(void **state)
{
	uint64_t offset;
	size_t length;

	(void)state;
	assert_int_equal(zip_find_stored(archive, SIZE, "c", &offset, &length), -ENOEXEC);
	assert_int_equal(zip_find_stored(archive, SIZE, "a", &offset, &length), -ENOENT);
	assert_int_equal(zip_find_stored(archive, SIZE, "", &offset, &length), -ENOENT);
	assert_int_equal(zip_find_stored("", 0, "c", &offset, &length), -ENOEXEC);
}

/* Whatever is cut off or overwritten: an answer, and no byte outside is read. */
static void test_damaged(void **state)
{
	uint64_t offset;
	size_t length;

	(void)state;
	for (size_t size = 0; size < SIZE; size++) {
		uint8_t *copy = malloc(size + 1);

		memcpy(copy, archive + SIZE - size, size);
		zip_find_stored(copy, size, "a/b", &offset, &length);
		free(copy);
	}
	for (size_t i = 0; i < SIZE; i++) {
		uint8_t *copy = malloc(SIZE);

		memcpy(copy, archive, SIZE);
		copy[i] = 0xff;
		if (!zip_find_stored(copy, SIZE, "a/b", &offset, &length))
			assert_true(offset <= SIZE && length <= SIZE - offset);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_not_to_be_had),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
