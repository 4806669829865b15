#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One start, one stop: both ends of a busy system call are counted equally often.

A child calls getppid in a loop, about a million times a second. Each thread may be inside
of one call when the probes wake and when they go to sleep: one event too many at each end.
"""

import signal
import time
import unittest

import support

RUNS = support.often(20, 2)
ENTER = "tracepoint:syscalls:sys_enter_getppid /pid == $1/ { @enter = count(); }\n"
EXIT = "tracepoint:syscalls:sys_exit_getppid /pid == $1/ { @exit = count(); }\n"
OTHERS = "tracepoint:syscalls:sys_enter_* /pid == 0/ { @other = count(); }\n"
WINDOW = support.often(30, 300)  # ms: longer where less happens in it
STOP_BY_INTERVAL = f"interval:ms:{WINDOW} {{ exit(); }}\n"
STOP_IN_PROBE = ("tracepoint:syscalls:sys_exit_getppid /pid == $1/ "
                 f"{{ @n++; if (@n > {support.often(20_000, 3000)}) {{ exit(); }} }}\n")
FORGET = "END { clear(@n); }\n"


class Gate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.require_probes("tracepoint:syscalls:sys_enter_getppid")

    def ends(self, script, child, *options, seconds=None):
        """Runs the script once; returns how many starts and ends it counted, and missed."""
        arguments = (*options, "-e", script, child.pid)
        with support.Tracer(*arguments, stop=signal.SIGINT if seconds else None) as tracer:
            if seconds:
                time.sleep(seconds)
        self.assertEqual(tracer.status, 0, tracer.err)
        missed = support.Missed(tracer.err)
        return [*(support.map_value(tracer.out, name) for name in ("enter", "exit")),
                missed.of("enter"), missed.of("exit")]

    def busy_runs(self, script, child, options, seconds, runs):
        """The counts of @runs runs in which the child was seen: on a busy machine it may sleep
        through some."""
        counts = []
        for _ in range(5 * runs):
            ends = self.ends(script, child, *options, seconds=seconds)
            counts += [ends] if min(ends[:2]) > 100 else []
            if len(counts) == runs:
                break
        self.assertGreaterEqual(len(counts), runs / 2, counts)
        return counts

    def runs(self, script, threads, *options, seconds=None, runs=RUNS):
        with support.Child("getppid", threads, 0) as child:
            child.go()
            counts = self.busy_runs(script, child, options, seconds, runs)
        return counts

    def check(self, script, threads, *options, **how):
        for ends in self.runs(script, threads, *options, **how):
            self.assertEqual(support.apart(ends[0], ends[1], threads, *ends[2:]), 0, ends)

    def test_one_thread_stopped_by_an_interval(self):
        self.check(ENTER + EXIT + STOP_BY_INTERVAL, 1)

    def test_one_thread_stopped_by_exit_in_a_probe(self):
        self.check(ENTER + EXIT + STOP_IN_PROBE + FORGET, 1)

    def test_one_thread_stopped_by_a_signal(self):
        self.check(ENTER + EXIT, 1, seconds=WINDOW / 1000)

    def test_two_threads_stopped_by_an_interval(self):
        self.check(ENTER + EXIT + STOP_BY_INTERVAL, 2)

    def test_two_threads_stopped_by_exit_in_a_probe(self):
        self.check(ENTER + EXIT + STOP_IN_PROBE + FORGET, 2)

    def test_two_threads_stopped_by_a_signal(self):
        self.check(ENTER + EXIT, 2, seconds=WINDOW / 1000)

    def test_the_ends_the_other_way_round(self):
        self.check(EXIT + ENTER + STOP_BY_INTERVAL, 1)

    def test_hundreds_of_probes_between_the_ends(self):
        self.check(ENTER + OTHERS + EXIT + STOP_BY_INTERVAL, 1, runs=support.often(5, 1))

    @support.same_everywhere
    def test_hundreds_of_probes_the_other_way_round(self):
        self.check(EXIT + OTHERS + ENTER + STOP_BY_INTERVAL, 1, runs=support.often(5, 1))

    def test_without_global_data(self):
        self.check(ENTER + EXIT + STOP_BY_INTERVAL, 1, "--no-feature", "global_data",
                   runs=support.often(10, 1))

    def test_raw_tracepoints(self):
        script = ("rawtracepoint:sys_enter /pid == $1/ { @enter = count(); }\n"
                  "rawtracepoint:sys_exit /pid == $1/ { @exit = count(); }\n")
        self.check(script + STOP_BY_INTERVAL, 1)

    @support.same_everywhere
    def test_switched_off_they_differ(self):
        """So that the tests above are known to be able to fail."""
        for how in (("--no-sync",), ()):
            script = ENTER + OTHERS + EXIT + STOP_BY_INTERVAL
            if not how:
                script = "config = { sync_probes = 0 }\n" + script
            got = []
            for _ in range(30):  # until the child runs while only one end is attached
                got += self.runs(script, 1, *how, runs=1)
                if support.apart(*got[-1][:2], 1, *got[-1][2:]):
                    break
            self.assertTrue(support.apart(*got[-1][:2], 1, *got[-1][2:]), got)

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

    def test_timers_start_at_the_wake(self):
        """What begin asks for is done before the wake, and takes longer than half a period."""
        for probe, early in ("interval:ms:800", 790), ("profile:ms:800", 790), ("profile:hz:2", 490):
            with self.subTest(probe):
                done = support.btrun("-q", "--unsafe", "-e",
                                     'begin { system("sleep 0.45"); } ' + probe +
                                     " { print(elapsed / 1000000); exit(); }")
                self.assertGreaterEqual(int(done.stdout.split()[0]), early, done.stdout)

    def test_elapsed_starts_at_the_wake(self):
        script = ("tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  "{ @min = min(elapsed); @max = max(elapsed); }\n" + STOP_BY_INTERVAL)
        earliest = None
        for _ in range(5):  # on a busy machine the thread may not run when the gate opens
            with support.Child("getppid", 1, 0) as child:
                child.go()
                with support.Tracer("-e", script, child.pid, stop=None) as tracer:
                    pass
            least, most = (support.map_value(tracer.out, name) for name in ("min", "max"))
            self.assertGreaterEqual(least, 0)
            self.assertLess(most, 1_000_000_000 * support.PATIENCE)
            earliest = least if earliest is None else min(least, earliest)
            if earliest < 10_000_000 * support.PATIENCE:
                break
        self.assertLess(earliest, 10_000_000 * support.PATIENCE)


# One probe of each kind that fires by itself, many times a second.
KINDS = {
    "profile": "profile:hz:999 { @n = count(); @first = min(elapsed); @last = max(nsecs); }",
    "interval": "interval:us:500 { @n = count(); @first = min(elapsed); @last = max(nsecs); }",
    "software": "software:cpu-clock:500000 "
                "{ @n = count(); @first = min(elapsed); @last = max(nsecs); }",
    "tracepoint": "tracepoint:sched:sched_switch /args.next_pid >= 0/ "
                  "{ @n = count(); @first = min(elapsed); @last = max(nsecs); }",
    "rawtracepoint": "rawtracepoint:sched_switch "
                     "{ @n = count(); @first = min(elapsed); @last = max(nsecs); }",
}
CLOSE = f"interval:ms:{2 * WINDOW} {{ @closed = nsecs; exit(); }}\n"
# ns that a program may still run which found the gate open
IN_FLIGHT = 1_000_000 * support.PATIENCE


class Kinds(unittest.TestCase):
    """Both ends of every kind of probe: none fires before the wake, none after exit()."""

    def run_kind(self, probe, *options):
        # attached one by one after the probe in question: time in which it must stay asleep
        slow = "tracepoint:sched:sched_w* /pid == -1/ { @s[kstack(1)] = count(); }\n"
        with support.Child("getppid", 1, 0) as child:
            child.go()
            done = support.btrun(*options, "-e", probe + "\n" + slow + CLOSE)
        self.assertEqual(done.returncode, 0, done.stderr)
        value = {name: support.map_value(done.stdout, name)
                 for name in ("n", "first", "last", "closed")}
        self.assertGreater(value["n"], 5, done.stdout)
        return value["first"], value["last"] - value["closed"]

    def test_each(self):
        for kind, probe in KINDS.items():
            with self.subTest(kind=kind):
                support.require_probes("tracepoint:sched:sched_switch")
                for _ in range(support.often(3, 1)):
                    first, late = self.run_kind(probe)
                    self.assertGreater(first, 0)
                    self.assertLess(late, IN_FLIGHT)

    @support.same_everywhere
    def test_switched_off_they_are_early_or_late(self):
        """elapsed is 0 until the wake: so is its minimum when a probe fired too early."""
        seen = []
        for probe in list(KINDS.values()) * 6:
            seen.append(self.run_kind(probe, "--no-sync"))
            if seen[-1][0] == 0 or seen[-1][1] > IN_FLIGHT:
                return
        self.fail(f"none was early or late: {seen}")


class Callers(unittest.TestCase):
    """32-bit callers, whose numbers mean other calls, are left out as the kernel does."""

    def test_a_32_bit_call_is_not_taken_for_another(self):
        # number 20 is getpid for 32-bit callers and writev for 64-bit ones
        script = ("tracepoint:raw_syscalls:sys_enter /pid == $1 && args.id == 20/ "
                  "{ @seen = count(); }\n"
                  "tracepoint:syscalls:sys_enter_writev /pid == $1/ { @enter = count(); }\n"
                  "tracepoint:syscalls:sys_exit_writev /pid == $1/ { @exit = count(); }\n"
                  "tracepoint:syscalls:sys_enter_writev /pid == $1/ "
                  "{ @slow[kstack(1)] = count(); }\n")
        with support.Child("int80", 20, 100, hold=True) as child:
            with support.Tracer("-e", script, child.pid) as tracer:
                child.go()
                done = child.process.stdout.readline()
            child.process.communicate("\n" if done else None, timeout=60 * support.PATIENCE)
            if child.process.returncode == 77:
                self.skipTest("no 32-bit system calls here")
            self.assertEqual(done, "done\n")
        self.assertEqual(support.map_value(tracer.out, "seen"), 100, tracer.out)
        self.assertEqual(support.map_value(tracer.out, "enter"), 0)
        self.assertEqual(support.map_value(tracer.out, "exit"), 0)
        self.assertNotIn("@slow", tracer.out)


if __name__ == "__main__":
    support.main()
