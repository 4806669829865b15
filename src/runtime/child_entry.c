/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The -c child from its exec to its first own instruction: by then the loader has mapped all
 * libraries that it starts with, and what they hold can be read.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "runtime/internal.h"

#if defined(__x86_64__)

#define BREAKPOINT 0xcc /* int3 */

static uint64_t entry_of(pid_t pid)
{
	char path[64];
	Elf64_auxv_t v;
	uint64_t entry = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	f = fopen(path, "re");
	while (f && !entry && fread(&v, sizeof(v), 1, f) == 1)
		if (v.a_type == AT_ENTRY)
			entry = v.a_un.a_val;
	if (f)
		fclose(f);
	return entry;
}

/* Lets it run until a SIGTRAP; other signals are handed on to it. False when it has ended. */
static bool run_to_trap(struct child *c)
{
	long sig = 0;

	for (;;) {
		if (ptrace(PTRACE_CONT, c->pid, NULL, (void *)sig) ||
		    waitpid(c->pid, &c->status, __WALL) != c->pid)
			return false;
		if (!WIFSTOPPED(c->status)) {
			c->reaped = true;
			c->stopped = false;
			return false;
		}
		sig = WSTOPSIG(c->status);
		if (sig == SIGTRAP)
			return true;
	}
}

int child_run_to_entry(struct child *c)
{
	struct user_regs_struct regs;
	uint64_t entry;
	long word;

	if (!c->stopped)
		return -ESRCH;
	entry = entry_of(c->pid);
	errno = 0;
	word = entry ? ptrace(PTRACE_PEEKTEXT, c->pid, (void *)entry, NULL) : 0;
	/* where a uprobe waits already, the kernel would take our breakpoint for its own */
	if (!entry || errno || (word & 0xff) == BREAKPOINT)
		return -EBUSY;
	if (ptrace(PTRACE_POKETEXT, c->pid, (void *)entry, (void *)((word & ~0xffl) | BREAKPOINT)))
		return -errno;
	if (!run_to_trap(c))
		return -ESRCH;
	ptrace(PTRACE_POKETEXT, c->pid, (void *)entry, (void *)word);
	if (ptrace(PTRACE_GETREGS, c->pid, NULL, &regs) || regs.rip != entry + 1)
		return -EFAULT;
	regs.rip = entry;
	return ptrace(PTRACE_SETREGS, c->pid, NULL, &regs) ? -errno : 0;
}

#else

int child_run_to_entry(struct child *c)
{
	(void)c;
	return -ENOTSUP;
}

#endif
