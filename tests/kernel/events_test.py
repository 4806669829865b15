#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Events in number: none is lost without being counted; nothing important is crowded out."""

import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import support

MILLION = support.often(1_000_000, 100_000)


class Events(unittest.TestCase):
    def test_a_million_lines_into_a_file(self):
        script = ("tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  '{ @n++; printf("event number %d\\n", @n); }')
        with tempfile.TemporaryDirectory(prefix="btrun-events-") as directory:
            path = f"{directory}/out"
            with support.Child("getppid", 1, MILLION) as child:
                with support.Tracer("-o", path, "-e", script, child.pid, timeout=120) as tracer:
                    child.go()
                    child.finish()
            with open(path, encoding="utf-8") as f:
                text = f.read()
        self.assertEqual(tracer.status, 0, tracer.err)
        numbers = [int(line.split()[-1]) for line in text.split("\n")
                   if line.startswith("event number ")]
        lost = support.lost_events(tracer.err + text)
        print(f"{len(numbers)} lines, {lost} lost", flush=True)
        support.check_count(self, tracer.err, len(numbers) + lost, MILLION)
        # None twice, none out of order, none cut.
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(support.map_value(text, "n"), len(numbers) + lost)

    def test_records_of_all_sizes(self):
        """Some go over the end of the buffer, some are larger than what is mapped at once."""
        mark = f"ring-{os.getpid()}-"
        script = ("config = { perf_rb_pages = 512; max_strlen = 400000 } "
                  "tracepoint:syscalls:sys_enter_execve "
                  f'/strncmp(str(args.argv[1], 64), "{mark}", {len(mark)}) == 0/ '
                  '{ @n++; printf("%d is next\\n", @n); printf("%s.\\n", str(args.argv[1])); '
                  '@seen = count(); }')
        count = support.often(40, 15)
        lengths = [1 + i * 100_000 // count for i in range(count)]
        with support.Tracer("-e", script) as tracer:
            for i, length in enumerate(lengths):
                subprocess.run(["/bin/true", f"{mark}{i}-{'x' * length}"], check=True)
                time.sleep(0.02)
        lost = support.lost_events(tracer.err)
        found = [x for x in tracer.out.split("\n") if x.startswith(mark)]
        next_lines = [x for x in tracer.out.split("\n") if x.endswith(" is next")]
        self.assertEqual(len(found) + len(next_lines) + lost, 2 * count, tracer.err)
        self.assertGreater(len(found), count // 2)
        for line in found:
            number = int(line[len(mark):].split("-")[0])
            self.assertEqual(line, f"{mark}{number}-{'x' * lengths[number]}.")

    def test_clear_and_exit_find_room(self):
        """Nobody reads the output: the buffer is full when clear() and exit() want to go in."""
        events = support.often(100_000, 20_000)
        script = ("config = { perf_rb_pages = 64 } "
                  "tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  '{ @n = count(); @sum += 1; printf("%s %d\\n", "a line of some length", nsecs); '
                  f"if (@sum == {events}) {{ print(@n); clear(@n); exit(); }} }}"
                  "END { clear(@sum); }")
        with support.Child("getppid", 1, 0) as child:
            child.go()
            process = subprocess.Popen([support.BTRUN, "-e", script, str(child.pid)],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(support.often(2, 15))
            out, err = process.communicate(timeout=60 * support.PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        lines, lost = out.count("a line of some length"), support.lost_events(err)
        self.assertGreater(lost, support.often(50_000, 2000))
        self.assertEqual(lines + lost, events)
        # print(@n) came through, clear(@n) after it
        self.assertEqual(out.count(f"@n: {events}\n"), 1)
        self.assertEqual(out.count("@n"), 1)

    def test_what_goes_into_a_pipe_keeps_its_order(self):
        script = ("tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  '{ @n++; printf("%d\\n", @n); } END { clear(@n); }')
        with support.Child("getppid", 1, 20_000) as child:
            with support.Tracer("-e", script, child.pid) as tracer:
                child.go()
                child.finish()
        numbers = [int(x) for x in tracer.out.split()]
        support.check_count(self, tracer.err, len(numbers) + support.lost_events(tracer.err), 20_000)
        self.assertEqual(numbers, sorted(set(numbers)))

    def from_two_processors(self, *options):
        """The numbers that events printed which came from one processor and the other by turns,
        all of them there when the first is read."""
        cpus = sorted(os.sched_getaffinity(0))[:2]
        if len(cpus) < 2:
            self.skipTest("there is one processor only")
        script = ("tracepoint:syscalls:sys_enter_getpriority /tid == $1/ "
                  '{ @n++; printf("%d\\n", @n); } END { clear(@n); }')
        with support.Tracer(*options, "-e", script, threading.get_native_id()) as tracer:
            os.kill(tracer.process.pid, signal.SIGSTOP)
            allowed = os.sched_getaffinity(0)
            for i in range(300):
                os.sched_setaffinity(0, {cpus[i % 2]})
                os.getpriority(os.PRIO_PROCESS, 0)
            os.sched_setaffinity(0, allowed)
            os.kill(tracer.process.pid, signal.SIGCONT)
        self.assertEqual(tracer.status, 0, tracer.err)
        numbers = [int(x) for x in tracer.out.split()]
        support.check_count(self, tracer.err, len(numbers), 300)
        return numbers

    def test_order_over_processors(self):
        numbers = self.from_two_processors()
        self.assertEqual(numbers, sorted(numbers))

    def test_order_over_processors_without_ring_buffer(self):
        """Each processor then has a buffer of its own, and they are read one after the other."""
        numbers = self.from_two_processors("--no-feature", "ring_buffer")
        self.assertEqual(numbers, sorted(numbers))

    def test_losses_without_ring_buffer_are_counted(self):
        script = ("config = { perf_rb_pages = 1 } "
                  "tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  '{ @n++; printf("%d\\n", @n); } END { clear(@n); }')
        with support.Child("getppid", 1, 20_000) as child:
            with support.Tracer("--no-feature", "ring_buffer", "-e", script,
                                child.pid) as tracer:
                os.kill(tracer.process.pid, signal.SIGSTOP)
                child.go()
                child.finish()
                os.kill(tracer.process.pid, signal.SIGCONT)
        lost = support.lost_events(tracer.err)
        self.assertGreater(lost, 0)
        support.check_count(self, tracer.err, len(tracer.out.split()) + lost, 20_000)

    def test_a_full_map_is_reported(self):
        script = ("config = { max_map_keys = 16 } "
                  "tracepoint:syscalls:sys_enter_getppid /pid == $1/ { @m[@n++] = 1; } "
                  "END { clear(@n); }")
        with support.Child("getppid", 1, 100) as child:
            with support.Tracer("-e", script, child.pid) as tracer:
                child.go()
                child.finish()
        self.assertEqual(len(support.map_values(tracer.out, "m")), 16)
        self.assertRegex(tracer.err, r"(?i)max_map_keys")

    def test_hundreds_of_probes_come_and_go_quickly(self):
        support.require_probes("tracepoint:syscalls:sys_enter_getppid")
        script = ("tracepoint:syscalls:sys_enter_* { @[probe] = count(); } "
                  "interval:ms:100 { exit(); }")
        with support.Child("getppid", 1, 0) as child:
            child.go()
            start = time.monotonic()
            done = support.btrun("-e", script)
            seconds = time.monotonic() - start
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(
            support.map_values(done.stdout, "")["tracepoint:syscalls:sys_enter_getppid"],
            support.often(1000, 100))
        self.assertLess(seconds, 5 * support.PATIENCE)

    def test_nothing_stays_after_it_was_killed(self):
        before = support.program_ids()
        script = "tracepoint:syscalls:sys_enter_getppid { @ = count(); }"
        tracer = support.Tracer("-e", script)
        with self.assertRaises(KeyboardInterrupt):
            with tracer:
                self.assertTrue(support.program_ids() - before)
                os.kill(tracer.process.pid, support.signal.SIGKILL)
                tracer.process.wait()
                raise KeyboardInterrupt
        self.assertEqual(support.wait_for_no_new_programs(before), set())


if __name__ == "__main__":
    support.main()
