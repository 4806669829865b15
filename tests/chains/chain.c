/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs whose call chains are known: main, outer, middle, leaf, a few times each. Built in
 * several ways: see CMakeLists.txt. "chain COUNT [SLEEP_MS]"; SLEEP_MS passes before the end.
 */
#include <stdlib.h>
#include <unistd.h>

#include "chain.h"

__attribute__((noinline)) void chain_leaf(int n)
{
	NEED_FRAME();
	__asm__ volatile("" ::"r"(n) : "memory");
	call_kernel();
	KEEP_FRAME();
}

static inline __attribute__((always_inline)) void chain_inlined(int n)
{
	chain_leaf(n); /* line 21: the tests know it */
	KEEP_FRAME();
}

__attribute__((noinline)) void chain_middle(int n)
{
	chain_inlined(n + 1);
	KEEP_FRAME();
}

__attribute__((noinline)) void chain_outer(int n)
{
	chain_middle(n + 1);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 0; i < count; i++)
		chain_outer(i);
	usleep(argc > 2 ? atoi(argv[2]) * 1000 : 0);
	return 0;
}
