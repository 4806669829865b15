/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags of page allocations as the kernel's %pGg shows them: masks that have a name first, then
 * single bits (include/linux/gfp_types.h, include/trace/events/mmflags.h of Linux 6.18).
 */
#include "output/internal.h"

enum {
	DMA = 1 << 0,
	HIGHMEM = 1 << 1,
	DMA32 = 1 << 2,
	MOVABLE = 1 << 3,
	RECLAIMABLE = 1 << 4,
	HIGH = 1 << 5,
	IO = 1 << 6,
	FS = 1 << 7,
	ZERO = 1 << 8,
	ATOMIC = 1 << 9, /* until Linux 6.2 */
	DIRECT_RECLAIM = 1 << 10,
	KSWAPD_RECLAIM = 1 << 11,
	WRITE = 1 << 12,
	NOWARN = 1 << 13,
	RETRY_MAYFAIL = 1 << 14,
	NOFAIL = 1 << 15,
	NORETRY = 1 << 16,
	MEMALLOC = 1 << 17,
	COMP = 1 << 18,
	NOMEMALLOC = 1 << 19,
	HARDWALL = 1 << 20,
	THISNODE = 1 << 21,
	ACCOUNT = 1 << 22,
	ZEROTAGS = 1 << 23,
	SKIP_ZERO = 1 << 24,
	SKIP_KASAN = 1 << 25,
	NO_OBJ_EXT = 1 << 26,
	/* what is made of them */
	RECLAIM = DIRECT_RECLAIM | KSWAPD_RECLAIM,
	KERNEL = RECLAIM | IO | FS,
	USER = KERNEL | HARDWALL,
	HIGHUSER = USER | HIGHMEM,
	HIGHUSER_MOVABLE = HIGHUSER | MOVABLE | SKIP_KASAN,
	TRANSHUGE_LIGHT = (HIGHUSER_MOVABLE | COMP | NOMEMALLOC | NOWARN) & ~RECLAIM,
};

static const struct {
	uint32_t mask;
	const char *name;
} flags[] = {
	{TRANSHUGE_LIGHT | DIRECT_RECLAIM, "GFP_TRANSHUGE"},
	{TRANSHUGE_LIGHT, "GFP_TRANSHUGE_LIGHT"},
	{HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE"},
	{HIGHUSER, "GFP_HIGHUSER"},
	{USER, "GFP_USER"},
	{KERNEL | ACCOUNT, "GFP_KERNEL_ACCOUNT"},
	{KERNEL, "GFP_KERNEL"},
	{RECLAIM | IO, "GFP_NOFS"},
	{HIGH | KSWAPD_RECLAIM, "GFP_ATOMIC"},
	{RECLAIM, "GFP_NOIO"},
	{KSWAPD_RECLAIM | NOWARN, "GFP_NOWAIT"},
	{DMA, "GFP_DMA"},
	{HIGHMEM, "__GFP_HIGHMEM"},
	{DMA32, "GFP_DMA32"},
	{MOVABLE, "__GFP_MOVABLE"},
	{RECLAIMABLE, "__GFP_RECLAIMABLE"},
	{HIGH, "__GFP_HIGH"},
	{IO, "__GFP_IO"},
	{FS, "__GFP_FS"},
	{ZERO, "__GFP_ZERO"},
	{ATOMIC, "__GFP_ATOMIC"},
	{DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM"},
	{KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM"},
	{WRITE, "__GFP_WRITE"},
	{NOWARN, "__GFP_NOWARN"},
	{RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL"},
	{NOFAIL, "__GFP_NOFAIL"},
	{NORETRY, "__GFP_NORETRY"},
	{MEMALLOC, "__GFP_MEMALLOC"},
	{COMP, "__GFP_COMP"},
	{NOMEMALLOC, "__GFP_NOMEMALLOC"},
	{HARDWALL, "__GFP_HARDWALL"},
	{THISNODE, "__GFP_THISNODE"},
	{ACCOUNT, "__GFP_ACCOUNT"},
	{ZEROTAGS, "__GFP_ZEROTAGS"},
	{SKIP_ZERO, "__GFP_SKIP_ZERO"},
	{SKIP_KASAN, "__GFP_SKIP_KASAN"},
	{NO_OBJ_EXT, "__GFP_NO_OBJ_EXT"},
};

void gfp_text(struct outbuf *b, uint64_t v)
{
	bool first = true;

	if (!v) {
		outbuf_putc(b, '0');
		return;
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if ((v & flags[i].mask) != flags[i].mask)
			continue;
		if (!first)
			outbuf_putc(b, '|');
		outbuf_puts(b, flags[i].name);
		v &= ~(uint64_t)flags[i].mask;
		first = false;
	}
	if (!v)
		return;
	outbuf_puts(b, first ? "0x" : "|0x");
	outbuf_hex(b, v);
}
