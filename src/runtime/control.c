/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control words. Mapped they are shared with the kernel side, word by word; where the
 * kernel cannot map them (before 5.5, or no global data) they are copied in and out whole.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/internal.h"

static int copy_in(struct control *c)
{
	uint32_t key = 0;

	return bpf_map_lookup_elem(c->map_fd, &key, c->words);
}

static int copy_out(struct control *c)
{
	uint32_t key = 0;

	return bpf_map_update_elem(c->map_fd, &key, c->words, BPF_ANY);
}

int control_open(struct control *c, struct bpf_object *obj, const struct image_config *config)
{
	const char *name = config->global_data ? IMAGE_CONTROL_SECTION : IMAGE_CONTROL_MAP;
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	void *words;

	*c = (struct control){.map_fd = -1, .clock_boot = config->boot_clock};
	if (!map)
		return -ENOENT;
	c->map_fd = bpf_map__fd(map);
	c->size = bpf_map__value_size(map);
	if (c->size < sizeof(*c->words))
		return -EINVAL;
	words = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, c->map_fd, 0);
	c->mapped = words != MAP_FAILED;
	if (c->mapped) {
		c->words = words;
		return 0;
	}
	c->words = calloc(1, c->size);
	return c->words ? copy_in(c) : -ENOMEM;
}

void control_close(struct control *c)
{
	if (c->mapped)
		munmap(c->words, c->size);
	else
		free(c->words);
	*c = (struct control){.map_fd = -1};
}

const struct image_control *control_read(struct control *c)
{
	if (!c->mapped)
		copy_in(c);
	return c->words;
}

static uint64_t now_ns(bool boot)
{
	struct timespec ts;

	clock_gettime(boot ? CLOCK_BOOTTIME : CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Read between two readings of the other clock. */
static int64_t tai_offset(bool boot)
{
	uint64_t before = now_ns(boot), after;
	struct timespec ts;

	if (clock_gettime(CLOCK_TAI, &ts))
		return 0;
	after = now_ns(boot);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec - (int64_t)(before + (after - before) / 2);
}

#define INITIAL_PIDNS 0xeffffffcul /* PROC_PID_INIT_INO of the kernel */

/* Which PID namespace we are in; the initial one needs no looking up. */
static void note_namespace(struct image_control *words)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) || st.st_ino == INITIAL_PIDNS)
		return;
	words->pidns_dev = st.st_dev;
	words->pidns_ino = st.st_ino;
}

int control_prepare(struct control *c, uint64_t cpid, uint64_t events_limit)
{
	control_read(c);
	note_namespace(c->words);
	c->words->tai_offset = tai_offset(c->clock_boot);
	__atomic_store_n(&c->words->cpid, cpid, __ATOMIC_RELEASE);
	__atomic_store_n(&c->words->events_limit, events_limit, __ATOMIC_RELEASE);
	return c->mapped ? 0 : copy_out(c);
}

static int set_active(struct control *c, uint32_t active)
{
	/* release: whoever sees the gate open sees start_ns too */
	__atomic_store_n(&c->words->active, active, __ATOMIC_RELEASE);
	return c->mapped ? 0 : copy_out(c);
}

int control_unlock(struct control *c)
{
	control_read(c);
	return set_active(c, 1);
}

int control_wake(struct control *c)
{
	control_read(c);
	__atomic_store_n(&c->words->start_ns, now_ns(c->clock_boot), __ATOMIC_RELEASE);
	return set_active(c, 1);
}

int control_forget_exit(struct control *c)
{
	control_read(c);
	c->words->exiting = 0;
	c->words->exit_code = 0;
	return c->mapped ? 0 : copy_out(c);
}

int control_sleep(struct control *c)
{
	control_read(c);
	return set_active(c, 0);
}
