/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets of hist() and lhist(): one definition for generating, merging and printing. */
#include "image/image.h"

/*
 * After the bucket for negatives come 2^bits buckets of one value each (0 .. 2^bits - 1),
 * then for every power of two from 2^bits on, 2^bits buckets of equal width.
 */
uint32_t image_hist_buckets(unsigned bits)
{
	return image_hist_bucket(INT64_MAX, bits) + 1;
}

uint32_t image_hist_bucket(int64_t value, unsigned bits)
{
	uint64_t v = value;
	uint64_t per_power = 1ull << bits;
	unsigned power, width;

	if (value < 0)
		return 0;
	if (v < per_power)
		return v + 1;
	power = 63 - __builtin_clzll(v);
	width = power - bits; /* log2 of one bucket's width */
	return ((width + 1) << bits) + ((v >> width) & (per_power - 1)) + 1;
}

/* Where bucket @i (from 1 on) starts; 2^63 and above come out as INT64_MAX. */
static int64_t hist_start(uint32_t i, unsigned bits)
{
	uint64_t per_power = 1ull << bits;
	uint32_t n = i - 1;
	uint32_t width;

	if (n < per_power)
		return n;
	width = (n >> bits) - 1;
	if (width + bits >= 63)
		return INT64_MAX;
	return (per_power + (n & (per_power - 1))) << width;
}

void image_hist_range(uint32_t i, unsigned bits, int64_t *low, int64_t *high)
{
	*low = i ? hist_start(i, bits) : INT64_MIN;
	*high = i ? hist_start(i + 1, bits) : 0;
}

static uint64_t lhist_steps(int64_t min, int64_t max, int64_t step)
{
	return ((uint64_t)max - (uint64_t)min) / (uint64_t)step;
}

uint32_t image_lhist_buckets(int64_t min, int64_t max, int64_t step)
{
	uint64_t n;

	if (step < 1 || max < min)
		return 0;
	n = lhist_steps(min, max, step);
	return n > UINT32_MAX - 2 ? 0 : n + 2;
}

uint32_t image_lhist_bucket(int64_t value, int64_t min, int64_t max, int64_t step)
{
	if (value < min)
		return 0;
	return 1 + lhist_steps(min, value < max ? value : max, step);
}
