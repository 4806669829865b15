/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions to be traced. Each step of "call" is a call of called_one(n), which returns 3 * n, and
 * in every second step of called_two(n), which returns nothing to speak of; before the first
 * one called_ten(10, 11, ..., 19) is called, which returns their sum, 145. called_one writes its
 * argument to called_last.
 */
#include "workload.h"

/* Neither inlined nor cloned for its arguments, and never known to have no effect. */
#define TRACED __attribute__((noinline, noclone, used))

volatile unsigned long long called_last;

TRACED unsigned long long called_one(unsigned long long n)
{
	called_last = n;
	__asm__ volatile("" : "+r"(n));
	return 3 * n;
}

TRACED void called_two(unsigned long long n)
{
	__asm__ volatile("" : : "r"(n));
}

TRACED long called_ten(long a0, long a1, long a2, long a3, long a4, long a5, long a6, long a7,
		       long a8, long a9)
{
	__asm__ volatile("" : "+r"(a0));
	return a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9;
}

void workload_call(unsigned long long n)
{
	if (!n)
		called_ten(10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
	called_one(n);
	if (!(n & 1))
		called_two(n);
}
