/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload: does a known number of known things, to be traced by tests and benchmarks.
 */
#ifndef BT_WORKLOAD_H
#define BT_WORKLOAD_H

/* Runs one command with its words (words[0] is its name, NULL at the end). Exit status. */
int workload_alloc(int nwords, char **words);
int workload_block(int nwords, char **words);
int workload_usdt(int nwords, char **words);
int workload_locks(int nwords, char **words);

/* One step of "call": calls functions that are there to be traced, see call.c. */
void workload_call(unsigned long long n);

/* Prints "workload: WHAT: strerror(errno)" and ends the program with status 1. */
void workload_die(const char *what) __attribute__((noreturn));
/* The number @text, as strtoull reads it; ends the program when it is none. */
unsigned long long workload_number(const char *text);

#endif
