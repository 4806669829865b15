#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Events in number: none is lost without being counted; nothing important is crowded out."""

import os
import subprocess
import tempfile
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
        self.assertEqual(len(numbers) + lost, MILLION)
        # None twice, none out of order, none cut.
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(support.map_value(text, "n"), MILLION)

    def test_clear_and_exit_find_room(self):
        """Nobody reads the output: the buffer is full when clear() and exit() want to go in."""
        script = ("config = { perf_rb_pages = 64 } "
                  "tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  '{ @n = count(); @sum += 1; printf("%s %d\\n", "a line of some length", nsecs); '
                  "if (@sum == 100000) { print(@n); clear(@n); exit(); } }"
                  "END { clear(@sum); }")
        with support.Child("getppid", 1, 0) as child:
            child.go()
            process = subprocess.Popen([support.BTRUN, "-e", script, str(child.pid)],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(support.often(2, 15))
            out, err = process.communicate(timeout=60 * support.PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        lines, lost = out.count("a line of some length"), support.lost_events(err)
        self.assertGreater(lost, 50_000)
        self.assertEqual(lines + lost, 100_000)
        # print(@n) came through, clear(@n) after it
        self.assertEqual(out.count("@n: 100000\n"), 1)
        self.assertEqual(out.count("@n"), 1)

    def test_what_goes_into_a_pipe_keeps_its_order(self):
        script = ("tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  '{ @n++; printf("%d\\n", @n); } END { clear(@n); }')
        with support.Child("getppid", 1, 20_000) as child:
            with support.Tracer("-e", script, child.pid) as tracer:
                child.go()
                child.finish()
        numbers = [int(x) for x in tracer.out.split()]
        self.assertEqual(len(numbers) + support.lost_events(tracer.err), 20_000)
        self.assertEqual(numbers, sorted(set(numbers)))

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
            support.map_values(done.stdout, "")["tracepoint:syscalls:sys_enter_getppid"], 1000)
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
