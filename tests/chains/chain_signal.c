/* SPDX-License-Identifier: Apache-2.0 */
/* A handler that interrupts a function whose frame is not laid out as at a call. */
#include <signal.h>
#include <stdlib.h>

#include "chain.h"

__attribute__((noinline)) static void chain_leaf(int n)
{
	__asm__ volatile("" ::"r"(n) : "memory");
	call_kernel();
	KEEP_FRAME();
}

__attribute__((noinline)) static void chain_handler(int sig)
{
	chain_leaf(sig);
	KEEP_FRAME();
}

/* The very first instruction is the one that is interrupted. */
__attribute__((noinline)) static void chain_trap(void)
{
	__asm__ volatile("ud2" ::: "memory");
}

__attribute__((noinline)) static void chain_outer(void)
{
	chain_trap();
	KEEP_FRAME();
}

static void handle_once(int sig, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	chain_handler(sig);
	_Exit(0);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = handle_once, .sa_flags = SA_SIGINFO};

	sigaction(SIGILL, &action, NULL);
	chain_outer();
	return 1;
}
