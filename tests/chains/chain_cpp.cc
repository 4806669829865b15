// SPDX-License-Identifier: Apache-2.0
// The chain in C++: names with scopes, arguments and templates.
#include <cstdlib>
#include <unistd.h>

#include "chain.h"

namespace chain {

struct point {
	int x, y;
	__attribute__((noinline)) int leaf(int n)
	{
		NEED_FRAME();
		__asm__ volatile("" ::"r"(n) : "memory");
		x += call_kernel() & 1;
		KEEP_FRAME();
		return x + n;
	}
};

template <class T> __attribute__((noinline)) int middle(T &p, int n)
{
	int r = p.leaf(n);
	KEEP_FRAME();
	return r;
}

__attribute__((noinline)) int outer(point &p, const char *text)
{
	int r = middle(p, text[0]);
	KEEP_FRAME();
	return r;
}

} // namespace chain

int main(int argc, char **argv)
{
	chain::point p = {1, 2};
	int count = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 0; i < count; i++)
		chain::outer(p, "a");
	return 0;
}
