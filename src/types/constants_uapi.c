/* SPDX-License-Identifier: Apache-2.0 */
/* Constants of the kernel's user-space headers, as this machine has them. */
#include <asm/errno.h>
#include <asm/mman.h>
#include <asm/poll.h>
#include <asm/resource.h>
#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if_ether.h>
#include <linux/ipc.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/wait.h>

#include "types/constants_internal.h"

#define CONSTANT(name) {#name, (uint64_t)(name), 0, 0},
const struct constant constants_uapi[] = {
#include "constants_uapi.inc"
};
const size_t constants_nuapi = sizeof(constants_uapi) / sizeof(*constants_uapi);
