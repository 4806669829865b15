/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skboutput: packets, written to files that tcpdump reads (pcap; see
 * draft-ietf-opsawg-pcap). They come through perf buffers, into which the kernel copies the
 * packet behind what the program says of it (struct image_packet).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/internal.h"

#define PCAP_MAGIC    0xa1b2c3d4u /* times in microseconds */
#define PCAP_RAW_IP   101         /* the data begin with the IP header */
#define PCAP_SNAPLEN  65535
#define PACKETS_PAGES 64 /* of each CPU, where perf_rb_pages says nothing */

struct pcap_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snaplen, link_type;
};

struct pcap_record {
	uint32_t sec, usec, captured, length;
};

struct packets {
	struct perf_buffer *perf;
	struct run *run;
	FILE **files;      /* by row of ACTIONS; rows with the same path share one */
	int64_t clock_off; /* from the clock of nsecs to the time of day, ns */
};

/* ---- files ------------------------------------------------------------------------ */

static FILE *open_file(const char *path)
{
	const struct pcap_header head = {
		.magic = PCAP_MAGIC,
		.major = 2,
		.minor = 4,
		.snaplen = PCAP_SNAPLEN,
		.link_type = PCAP_RAW_IP,
	};
	FILE *f = fopen(path, "we");

	if (f && fwrite(&head, sizeof(head), 1, f) != 1) {
		fclose(f);
		return NULL;
	}
	return f;
}

static FILE *same_file(const struct packets *p, const struct image *img, uint32_t row)
{
	for (uint32_t i = 0; i < row; i++)
		if (p->files[i] && img->actions[i].fmt == img->actions[row].fmt)
			return p->files[i];
	return NULL;
}

static int open_files(struct packets *p)
{
	const struct image *img = p->run->img;

	p->files = calloc(img->nactions + 1, sizeof(*p->files));
	if (!p->files)
		return -ENOMEM;
	for (uint32_t i = 0; i < img->nactions; i++) {
		if (img->actions[i].kind != IMAGE_A_SKBOUTPUT)
			continue;
		p->files[i] = same_file(p, img, i);
		if (!p->files[i])
			p->files[i] = open_file(image_str(img, img->actions[i].fmt));
		if (p->files[i])
			continue;
		run_error("skboutput: cannot write '%s': %s", image_str(img, img->actions[i].fmt),
			  strerror(errno));
		return -errno;
	}
	return 0;
}

static void close_files(struct packets *p)
{
	uint32_t n = p->files ? p->run->img->nactions : 0;

	for (uint32_t i = 0; i < n; i++) {
		FILE *f = p->files[i];

		for (uint32_t k = i; f && k < n; k++)
			if (p->files[k] == f)
				p->files[k] = NULL;
		if (f && fclose(f))
			run_error("skboutput: %s: %s",
				  image_str(p->run->img, p->run->img->actions[i].fmt),
				  strerror(errno));
	}
	free(p->files);
}

/* ---- packets ------------------------------------------------------------------------- */

static void write_packet(struct packets *p, const struct image_packet *head, const uint8_t *data,
			 size_t size)
{
	int64_t at = (int64_t)head->time + p->clock_off;
	uint64_t length = head->length < size ? head->length : size;
	struct pcap_record rec = {.sec = at / 1000000000, .usec = at % 1000000000 / 1000};
	FILE *f = p->files[head->event.action];

	if (!f)
		return;
	length = head->offset < length ? length - head->offset : 0;
	rec.captured = rec.length = length;
	fwrite(&rec, sizeof(rec), 1, f);
	fwrite(data + head->offset, 1, length, f);
}

static void take(void *ctx, int cpu, void *data, uint32_t size)
{
	struct packets *p = ctx;
	struct image_packet head;

	(void)cpu;
	p->run->nevents++;
	if (size < sizeof(head))
		return;
	memcpy(&head, data, sizeof(head));
	if (head.event.action < p->run->img->nactions)
		write_packet(p, &head, (uint8_t *)data + sizeof(head), size - sizeof(head));
}

static void take_lost(void *ctx, int cpu, unsigned long long n)
{
	struct packets *p = ctx;

	(void)cpu;
	p->run->lost_perf += n;
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

int packets_open(struct run *r)
{
	const struct image_config *c = r->img->config;
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, IMAGE_PACKETS_MAP);
	struct packets *p;
	int err;

	if (!map)
		return 0;
	p = r->packets = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->run = r;
	p->clock_off =
		now_ns(CLOCK_REALTIME) - now_ns(c->boot_clock ? CLOCK_BOOTTIME : CLOCK_MONOTONIC);
	err = open_files(p);
	if (err)
		return err;
	p->perf = perf_buffer__new(bpf_map__fd(map),
				   c->perf_rb_pages ? c->perf_rb_pages : PACKETS_PAGES, take,
				   take_lost, p, NULL);
	return p->perf ? 0 : -errno;
}

void packets_close(struct run *r)
{
	if (!r->packets)
		return;
	perf_buffer__free(r->packets->perf);
	close_files(r->packets);
	free(r->packets);
	r->packets = NULL;
}

int packets_fd(const struct run *r)
{
	return r->packets ? perf_buffer__epoll_fd(r->packets->perf) : -1;
}

int packets_consume(struct run *r)
{
	int err = r->packets ? perf_buffer__consume(r->packets->perf) : 0;

	return err < 0 ? err : 0;
}
