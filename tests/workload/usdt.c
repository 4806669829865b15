/* SPDX-License-Identifier: Apache-2.0 */
/*
 * USDT probes of provider "workload", as <sys/sdt.h> would make them, but with their operands as
 * written here. Each step of "usdt" passes each of them once, "places" twice, and "watched" when
 * somebody is watching; "usdt COUNT" then prints how often that was the case: "watched N".
 */
#include "usdt_note.h"
#include "workload.h"

#include <stdint.h>
#include <stdio.h>

/* Counts those who watch; in a section that is loaded from the file. */
__attribute__((section(".probes"), used)) volatile uint16_t watched_semaphore = 0;

int32_t workload_global = -77; /* read by an operand relative to the instruction */

static void constants(void)
{
	__asm__ volatile(USDT_NOTE("workload", "constants", "0",
				   "-4@$-5 8@$0x7fffffffffffffff 1@$300 -1@$300"));
}

static void registers(void)
{
	__asm__ volatile(USDT_NOTE("workload", "registers", "0",
				   "8@%%rax -4@%%eax 4@%%eax -2@%%ax 2@%%ax -1@%%al 1@%%ah %%rax "
				   "-4@%%r9d")
			 :
			 : "a"(0xfedcba98f0f1f2f3));
}

/* The third of the last operands is that of the step. */
static void memory(unsigned long long n)
{
	struct {
		int64_t large;
		int32_t negative;
		uint16_t small[6];
		uint8_t bytes[4];
	} m = {-1234567890123, -42, {1, 2, 65535, 4, 5, (uint16_t)n}, {200, 201, 202, 203}};

	__asm__ volatile(
		USDT_NOTE(
			"workload", "memory", "0",
			"-8@(%%rdi) -4@8(%%rdi) 2@16(%%rdi) 2@12(%%rdi,%%rsi,2) 1@24(%%rdi,%%rsi) "
			"-1@24(%%rdi) -4@workload_global(%%rip) -4@workload_global+0(%%rip)")
		:
		: "D"(&m), "S"(n % 4), "m"(m));
}

/* One probe, twice in the code, its argument in another place each time. */
static void places(unsigned long long n)
{
	__asm__ volatile(USDT_NOTE("workload", "places", "0", "8@%%rbx") : : "b"(n));
	__asm__ volatile(USDT_NOTE("workload", "places", "0", "8@%%rcx") : : "c"(n + 1000));
}

static unsigned long long watched(unsigned long long n)
{
	if (!watched_semaphore)
		return 0;
	__asm__ volatile(USDT_NOTE("workload", "watched", "watched_semaphore", "8@%%rdx 2@%%ax")
			 :
			 : "d"(n), "a"(watched_semaphore));
	return 1;
}

int workload_usdt(int nwords, char **words)
{
	unsigned long long count, seen = 0;

	if (nwords != 2)
		return 2;
	count = workload_number(words[1]);
	for (unsigned long long n = 0; n < count; n++) {
		constants();
		registers();
		memory(n);
		places(n);
		seen += watched(n);
	}
	printf("watched %llu\n", seen);
	fflush(stdout);
	return 0;
}
