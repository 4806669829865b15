/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a JIT compiler does: code made at run time, a file that tells its name. main calls the
 * code, the code calls chain_leaf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chain.h"

__attribute__((noinline)) void chain_leaf(void)
{
	NEED_FRAME();
	call_kernel();
	KEEP_FRAME();
}

#if defined(__x86_64__)
/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
#elif defined(__aarch64__)
/* stp x29, x30, [sp, #-16]!; mov x29, sp; blr x0; ldp x29, x30, [sp], #16; ret */
static const unsigned char code[] = {0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0x00, 0x00,
				     0x3f, 0xd6, 0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6};
#else
#error "no code for this machine"
#endif

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1;
	void (*made)(void (*f)(void));
	char path[64];
	FILE *f;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	memcpy(p, code, sizeof(code));
	if (mprotect(p, 4096, PROT_READ | PROT_EXEC))
		return 1;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	f = fopen(path, "w");
	if (!f)
		return 1;
	fprintf(f, "%lx %zx made at run time\n", (unsigned long)p, sizeof(code));
	fclose(f);
	memcpy(&made, &p, sizeof(made));
	for (int i = 0; i < count; i++)
		made(chain_leaf);
	usleep(argc > 2 ? atoi(argv[2]) * 1000 : 0);
	unlink(path);
	return 0;
}
