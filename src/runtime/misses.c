/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that the kernel passed over: a program that is interrupted on a processor, by another
 * thread that meets the same probe or by a probe within its own helpers, is not started again
 * there. The kernel counts them for each program since Linux 5.12.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/internal.h"
#include "runtime/stages.h"

static uint64_t misses_of(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (!prog || bpf_program__fd(prog) < 0 ||
	    bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &size))
		return 0;
	return info.recursion_misses;
}

void note_misses(struct run *r)
{
	uint32_t n;

	if (!r->misses)
		r->misses = calloc(r->img->nattachments + 1, sizeof(*r->misses));
	for (uint32_t i = 0; r->misses && i < r->img->nattachments; i += n) {
		const struct image_attachment *at = &r->img->attachments[i];

		n = object_same_program(r, at);
		r->misses[i] = misses_of(object_program(r, at)) - r->misses[i];
	}
}

void report_misses(struct run *r)
{
	uint64_t total = 0, most = 0;
	const char *worst = "";

	for (uint32_t i = 0; r->misses && i < r->img->nattachments; i++) {
		total += r->misses[i];
		if (r->misses[i] <= most)
			continue;
		most = r->misses[i];
		worst = image_str(r->img, r->img->probes[r->img->attachments[i].probe].name);
	}
	report_loss(r, "missed_events", "events", total,
		    "Missed %" PRIu64 " events: their programs were still running on the "
		    "same processor (%" PRIu64 " of them: %s)",
		    total, most, worst);
}
