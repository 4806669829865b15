/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs of this folder share. */
#ifndef BT_CHAIN_H
#define BT_CHAIN_H

#include <sys/syscall.h>

/* Not the last thing that a function does, or the call would be a jump. */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

/* Compilers leave the frame pointer of a function without calls alone, unless it is asked for. */
#ifdef WITH_FRAMES
#define NEED_FRAME() __asm__ volatile("" ::"r"(__builtin_frame_address(0)))
#else
#define NEED_FRAME()
#endif

/* getppid(2) from where it stands, without a function of the C library between. */
static inline __attribute__((always_inline)) long call_kernel(void)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"((long)SYS_getppid)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long number __asm__("x8") = SYS_getppid, result __asm__("x0");

	__asm__ volatile("svc #0" : "=r"(result) : "r"(number) : "memory");
	return result;
#else
#error "no system call for this machine"
#endif
}

#endif
