#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One start, one stop: both ends of a busy system call are counted equally often.

A child calls getppid in a loop, about a million times a second. Each thread may be inside
of one call when the probes wake and when they go to sleep: one event too many at each end.
"""

import signal
import statistics
import time
import unittest

import support

RUNS = 20
ENTER = "tracepoint:syscalls:sys_enter_getppid /pid == $1/ { @enter = count(); }\n"
EXIT = "tracepoint:syscalls:sys_exit_getppid /pid == $1/ { @exit = count(); }\n"
OTHERS = "tracepoint:syscalls:sys_enter_* /pid == 0/ { @other = count(); }\n"
STOP_BY_INTERVAL = "interval:ms:30 { exit(); }\n"
STOP_IN_PROBE = ("tracepoint:syscalls:sys_exit_getppid /pid == $1/ "
                 "{ @n++; if (@n > 20000) { exit(); } }\n")
FORGET = "END { clear(@n); }\n"


class Gate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.require_probes("tracepoint:syscalls:sys_enter_getppid")

    def ends(self, script, child, *options, seconds=None):
        """Runs the script once; returns how many starts and ends it counted."""
        arguments = (*options, "-e", script, child.pid)
        with support.Tracer(*arguments, stop=signal.SIGINT if seconds else None) as tracer:
            if seconds:
                time.sleep(seconds)
        self.assertEqual(tracer.status, 0, tracer.err)
        return [support.map_value(tracer.out, name) for name in ("enter", "exit")]

    def differences(self, script, threads, *options, seconds=None, runs=RUNS):
        with support.Child("getppid", threads, 0) as child:
            child.go()
            counts = [self.ends(script, child, *options, seconds=seconds) for _ in range(runs)]
        # On a busy machine the child may sleep through one run, not through most of them.
        self.assertGreater(statistics.median(min(pair) for pair in counts), 1000, counts)
        return [enter - leave for enter, leave in counts]

    def check(self, script, threads, **how):
        got = self.differences(script, threads, **how)
        self.assertLessEqual(max(map(abs, got)), 2 * threads, got)

    def test_one_thread_stopped_by_an_interval(self):
        self.check(ENTER + EXIT + STOP_BY_INTERVAL, 1)

    def test_one_thread_stopped_by_exit_in_a_probe(self):
        self.check(ENTER + EXIT + STOP_IN_PROBE + FORGET, 1)

    def test_one_thread_stopped_by_a_signal(self):
        self.check(ENTER + EXIT, 1, seconds=0.03)

    def test_two_threads_stopped_by_an_interval(self):
        self.check(ENTER + EXIT + STOP_BY_INTERVAL, 2)

    def test_two_threads_stopped_by_exit_in_a_probe(self):
        self.check(ENTER + EXIT + STOP_IN_PROBE + FORGET, 2)

    def test_two_threads_stopped_by_a_signal(self):
        self.check(ENTER + EXIT, 2, seconds=0.03)

    def test_the_ends_the_other_way_round(self):
        self.check(EXIT + ENTER + STOP_BY_INTERVAL, 1)

    def test_hundreds_of_probes_between_the_ends(self):
        self.check(ENTER + OTHERS + EXIT + STOP_BY_INTERVAL, 1, runs=5)

    def test_hundreds_of_probes_the_other_way_round(self):
        self.check(EXIT + OTHERS + ENTER + STOP_BY_INTERVAL, 1, runs=5)

    def test_without_global_data(self):
        got = self.differences(ENTER + EXIT + STOP_BY_INTERVAL, 1,
                               "--no-feature", "global_data", runs=10)
        self.assertLessEqual(max(map(abs, got)), 2, got)

    def test_raw_tracepoints(self):
        script = ("rawtracepoint:sys_enter /pid == $1/ { @enter = count(); }\n"
                  "rawtracepoint:sys_exit /pid == $1/ { @exit = count(); }\n")
        self.check(script + STOP_BY_INTERVAL, 1)

    def test_switched_off_they_differ(self):
        """So that the tests above are known to be able to fail."""
        for how in (("--no-sync",), ()):
            script = ENTER + OTHERS + EXIT + STOP_BY_INTERVAL
            if not how:
                script = "config = { sync_probes = 0 }\n" + script
            got = self.differences(script, 1, *how, runs=10)
            self.assertGreater(max(map(abs, got)), 2, got)

    def test_what_is_printed_is_what_is_counted(self):
        script = ("tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  "{ @enter = count(); printf(\"event\\n\"); }\n"
                  "interval:ms:20 { exit(); }\n")
        with support.Child("getppid", 1, 0) as child:
            child.go()
            with support.Tracer("-e", script, child.pid, stop=None) as tracer:
                pass
        lost = support.lost_events(tracer.err + tracer.out)
        self.assertEqual(tracer.out.count("event\n") + lost,
                         support.map_value(tracer.out, "enter"))

    def test_elapsed_starts_at_the_wake(self):
        script = ("tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  "{ @min = min(elapsed); @max = max(elapsed); }\n" + STOP_BY_INTERVAL)
        with support.Child("getppid", 1, 0) as child:
            child.go()
            with support.Tracer("-e", script, child.pid, stop=None) as tracer:
                pass
        least, most = (support.map_value(tracer.out, name) for name in ("min", "max"))
        self.assertGreaterEqual(least, 0)
        self.assertLess(least, 10_000_000)
        self.assertLess(most, 1_000_000_000)


if __name__ == "__main__":
    support.main()
