/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a run, in the order of their coming. Each returns 0 or a negative errno. */
#ifndef BT_RUNTIME_STAGES_H
#define BT_RUNTIME_STAGES_H

#include "runtime/internal.h"

/* Makes r->sym. Returns 0, or -1 without memory. */
int open_symbols(struct run *r);
/* Processes whose addresses will become names are looked at while they are there. */
void remember_programs(struct run *r);
bool shows_user_addresses(const struct image *img);
/* Likewise of the -c child, which has stopped at its start. */
void remember_child(struct run *r);
void raise_file_limit(const struct run *r);
/* Attaches all rows; nothing runs yet, the gate is closed. Failures are told on stderr. */
int attach_all(struct run *r);
/* The probes are about to wake, or have: timers count from now on. */
void restart_timers(struct run *r);
void detach_all(struct run *r);

/* Goes through what the iter probes iterate over, or pins it. Failures are told on stderr. */
int iterate_all(struct run *r);
/* Whether probes of this kind are of use in the mode of the run. */
bool runs_in_mode(const struct run *r, uint32_t kind);
/* Benchmarks are loaded as programs of the network. */
void prepare_bench(struct run *r);
/* Run all probes of the kind and tell of them; r->status is 1 when one failed. */
int run_tests(struct run *r);
int run_benches(struct run *r);

/* Takes events and watches for reasons to stop until there is one (r->stop). */
int event_loop(struct run *r);

/* Tells of lost events as they are noticed (once a second unless @now), of all at the end. */
void report_lost_events(struct run *r, bool now);
void report_losses(struct run *r);
/* Tells of @count @what of a @type (see struct output_loss), in words by @fmt; nothing when 0. */
void report_loss(struct run *r, const char *type, const char *what, uint64_t count, const char *fmt,
		 ...) __attribute__((format(printf, 5, 6)));
/*
 * How often programs were passed over while awake: noted when they wake and again when they have
 * gone to sleep, told at the end.
 */
void note_misses(struct run *r);
void report_misses(struct run *r);
/* All of the script's maps, by name. */
void print_maps(struct run *r);

#endif
