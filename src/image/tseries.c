/* SPDX-License-Identifier: Apache-2.0 */
/* tseries(v, interval, n): the layout that both halves share. */
#include "image/image.h"

uint32_t image_tseries_size(int64_t interval_ns, int64_t intervals)
{
	if (interval_ns < 1 || intervals < 1 || intervals > IMAGE_TSERIES_MAX_INTERVALS)
		return 0;
	return intervals * sizeof(struct image_tseries_slot);
}
