/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#include "symbols/xz.h"

#define LIBRARY       "liblzma.so.5"
#define MEMORY_LIMIT  (256ull << 20)
#define EXPANDED_MAX  (256ull << 20)
#define GUESSED_RATIO 6

/* From lzma/base.h and lzma/container.h, version 5.0 on. */
enum lzma_results { LZMA_OK = 0, LZMA_BUF_ERROR = 10 };
typedef int decode_fn(uint64_t *memlimit, uint32_t flags, const void *allocator, const uint8_t *in,
		      size_t *in_pos, size_t in_size, uint8_t *out, size_t *out_pos,
		      size_t out_size);

static decode_fn *find_decoder(void)
{
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	return lib ? (decode_fn *)dlsym(lib, "lzma_stream_buffer_decode") : NULL;
}

void *xz_expand(const void *data, size_t size, size_t *expanded)
{
	decode_fn *decode = find_decoder();
	uint8_t *out = NULL;
	size_t room;

	/* how large it will be is not written before it */
	for (room = size * GUESSED_RATIO; decode && room <= EXPANDED_MAX; room *= 2) {
		uint64_t memory = MEMORY_LIMIT;
		size_t in_pos = 0, out_pos = 0;
		int result;

		free(out);
		out = malloc(room);
		if (!out)
			return NULL;
		result = decode(&memory, 0, NULL, data, &in_pos, size, out, &out_pos, room);
		if (result == LZMA_OK) {
			*expanded = out_pos;
			return out;
		}
		if (result != LZMA_BUF_ERROR)
			break;
	}
	free(out);
	return NULL;
}
