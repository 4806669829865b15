/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload alloc PAIRS LEAKS [threads]: memory from the C library, by every function that gives it.
 *
 * PAIRS times a block is allocated and freed, by each function in turn, some moved by realloc();
 * LEAKS blocks of LEAK_SIZE bytes, got in leak_here(), are kept. With threads, a second one
 * allocates and frees as many at the same time.
 *
 * workload alloc each: one block of each function is kept.
 */
#include "workload.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LEAK_SIZE 1000
#define MAX_LEAKS 1024
#define LARGE     (1 << 20) /* for which the allocator asks the kernel */

static void *volatile kept[MAX_LEAKS]; /* as if somebody read them */

__attribute__((noinline)) void leak_here(unsigned long long n);
__attribute__((noinline)) void leak_here(unsigned long long n)
{
	for (unsigned long long i = 0; i < n && i < MAX_LEAKS; i++)
		kept[i] = malloc(LEAK_SIZE);
}

static void *by_malloc(size_t size)
{
	return malloc(size);
}

static void *by_calloc(size_t size)
{
	return calloc(4, size / 4);
}

static void *by_realloc(size_t size)
{
	return realloc(realloc(NULL, 16), size);
}

static void *by_reallocarray(size_t size)
{
	return reallocarray(malloc(32), 8, size / 8);
}

static void *by_posix_memalign(size_t size)
{
	void *p;

	return posix_memalign(&p, 64, size) ? NULL : p;
}

static void *by_aligned_alloc(size_t size)
{
	return aligned_alloc(64, size);
}

static void *by_memalign(size_t size)
{
	return memalign(128, size);
}

static void *by_valloc(size_t size)
{
	return valloc(size);
}

static void *by_large_malloc(size_t size)
{
	return malloc(LARGE + size);
}

static void *(*const ways[])(size_t size) = {
	by_malloc,        by_calloc,   by_realloc, by_reallocarray, by_posix_memalign,
	by_aligned_alloc, by_memalign, by_valloc,  by_malloc,       by_calloc,
};

static void map_and_unmap(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || munmap(p, size))
		workload_die("mmap");
}

static void *allocate_and_free(void *arg)
{
	unsigned long long pairs = *(unsigned long long *)arg;

	for (unsigned long long i = 0; i < pairs; i++) {
		size_t size = 64 + i % 32 * 64;
		void *p = i % 1000 == 999 ? by_large_malloc(size)
					  : ways[i % (sizeof(ways) / sizeof(*ways))](size);

		if (!p)
			workload_die("malloc");
		memset(p, 1, size);
		free(p);
		if (i % 1000 == 500)
			map_and_unmap(65536);
	}
	return NULL;
}

/* What the ways make, one of each, and keeps them. */
static int keep_one_of_each(void)
{
	for (size_t i = 0; i < 8; i++)
		kept[i] = ways[i](LEAK_SIZE + 24);
	kept[8] = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return 0;
}

int workload_alloc(int nwords, char **words)
{
	unsigned long long pairs;
	pthread_t other;

	if (nwords == 2 && !strcmp(words[1], "each"))
		return keep_one_of_each();
	if (nwords != 3 && nwords != 4)
		return 2;
	pairs = workload_number(words[1]);
	if (nwords == 4 && pthread_create(&other, NULL, allocate_and_free, &pairs))
		workload_die("pthread_create");
	allocate_and_free(&pairs);
	leak_here(workload_number(words[2]));
	if (nwords == 4)
		pthread_join(other, NULL);
	return 0;
}
