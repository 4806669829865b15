/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four mutexes, and four threads, one after the other, so that none ever waits: thread n takes
 * mutex n, then the next one. "ring": the last one takes the last mutex, then the first, and so
 * closes a circle. "order": it takes these two in the order of the others, too.
 */
#include "workload.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define LOCKS 4
/* Each a frame of its own, and not the last call of its caller. */
#define TRACED __attribute__((noinline, noclone, used))

struct pair {
	unsigned first, second;
};

static pthread_mutex_t locks[LOCKS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				       PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

TRACED void locks_take_second(pthread_mutex_t *lock)
{
	pthread_mutex_lock(lock);
	pthread_mutex_unlock(lock);
	__asm__ volatile("");
}

TRACED void locks_take_first(const struct pair *p)
{
	pthread_mutex_lock(&locks[p->first]);
	locks_take_second(&locks[p->second]);
	pthread_mutex_unlock(&locks[p->first]);
	__asm__ volatile("");
}

static void *taker(void *arg)
{
	locks_take_first(arg);
	return NULL;
}

TRACED void locks_start_taker(struct pair *p)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, taker, p))
		workload_die("pthread_create");
	pthread_join(thread, NULL);
	__asm__ volatile("");
}

int workload_locks(int nwords, char **words)
{
	bool ring = nwords == 2 && !strcmp(words[1], "ring");

	if (!ring && (nwords != 2 || strcmp(words[1], "order")))
		return 2;
	for (unsigned i = 0; i < LOCKS; i++) {
		unsigned next = (i + 1) % LOCKS;
		struct pair p = {i, next};

		if (!ring && next < i)
			p = (struct pair){next, i};
		locks_start_taker(&p);
	}
	return 0;
}
