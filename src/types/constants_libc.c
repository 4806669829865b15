/* SPDX-License-Identifier: Apache-2.0 */
/* Constants of the C library's headers: those of sockets stand nowhere else in user space. */
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "types/constants_internal.h"

#define CONSTANT(name) {#name, (uint64_t)(name), 0, 0},
const struct constant constants_libc[] = {
#include "constants_libc.inc"
};
const size_t constants_nlibc = sizeof(constants_libc) / sizeof(*constants_libc);
