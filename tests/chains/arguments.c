/* SPDX-License-Identifier: Apache-2.0 */
/* A function with an argument of every kind, whose values the tests know. */
#include <stdint.h>

enum colour { RED, GREEN = 5, BLUE = -2 };

struct inner {
	int numbers[3];
	char text[8];
};

struct whole {
	unsigned low : 3, high : 5;
	int : 24;
	struct inner inner;
	struct whole *next;
	union {
		uint32_t word;
		uint8_t bytes[4];
	};
	enum colour colour;
};

struct pair {
	int32_t a, b;
};

struct large {
	int64_t a, b, c;
};

typedef const char *text_t;

__attribute__((noinline)) long arguments(struct whole *w, text_t text, int8_t small, double d,
					 enum colour colour, struct pair pair, struct large large,
					 _Bool yes, uint16_t seventh)
{
	__asm__ volatile("" ::: "memory");
	return w->inner.numbers[0] + text[0] + small + (long)d + colour + pair.a + large.c + yes +
	       seventh;
}

int main(void)
{
	static struct whole last = {.inner.numbers = {7, 8, 9}};
	struct whole w = {.low = 5,
			  .high = 17,
			  .inner = {{1, -2, 3}, "inner"},
			  .next = &last,
			  .word = 0x01020304,
			  .colour = BLUE};

	return arguments(&w, "text", -8, 1.5, GREEN, (struct pair){10, -11},
			 (struct large){100, 200, 300}, 1, 65535) == 0;
}
