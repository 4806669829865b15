#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/funccount.bt and funclatency.bt against functions of tests/workload, and of the kernel,
that are called a known number of times."""

import ctypes
import os
import re
import time
import unittest

import support

CALLS = support.often(5000, 500)


class Tools(unittest.TestCase):
    def run_tool(self, name, *words, work=("call", 1, CALLS)):
        """Runs the workload with its pid as the last option of the tool."""
        with support.Child(*work) as child:
            with support.Tracer(os.path.join(support.SCRIPTS, f"{name}.bt"), *words, "--",
                                *self.options, f"--pid={child.pid}") as tracer:
                begin = time.monotonic()
                child.go()
                child.finish()
                self.took = (time.monotonic() - begin) * 1e9
        self.out = tracer.out
        return tracer

    options = ()


class FuncCount(Tools):
    def count(self, *words, work=("call", 1, CALLS)):
        self.run_tool("funccount", *words, work=work)
        rows = [line.split() for line in self.out.splitlines() if re.search(r" \d+$", line)]
        return [(name, int(count)) for name, count in rows]

    def test_functions_of_a_program(self):
        self.assertEqual(self.count(support.WORKLOAD, "called_*"),
                         [("called_ten", 1), ("called_two", CALLS // 2), ("called_one", CALLS)])
        self.assertIn(["FUNC", "COUNT"], [line.split() for line in self.out.splitlines()])

    def test_functions_of_the_kernel(self):
        support.require_probes("kprobe:vfs_read")
        got = dict(self.count("ksys_*", work=("read", "/dev/zero", 8, CALLS)))
        # and the line that the workload waits for
        self.assertEqual(got["ksys_read"], CALLS + 1, self.out)
        self.assertGreaterEqual(got["ksys_lseek"] if "ksys_lseek" in got else CALLS, CALLS)

    def test_tracepoints(self):
        got = self.count("t", "syscalls", "sys_enter_getppi*", work=("getppid", 1, CALLS))
        self.assertEqual(got, [("tracepoint:syscalls:sys_enter_getppid", CALLS)])

    @support.same_everywhere
    def test_interval_and_duration(self):
        with support.Tracer(os.path.join(support.SCRIPTS, "funccount.bt"), support.WORKLOAD,
                            "called_one", "--", "-i", "1", "-d", "2", "-T", stop=None) as tracer:
            pass
        self.assertEqual(tracer.status, 0, tracer.err)
        self.assertEqual(len(re.findall(r"^\d\d:\d\d:\d\d$", tracer.out, re.M)), 2, tracer.out)

    @support.same_everywhere
    def test_nothing_to_count(self):
        done = support.btrun(os.path.join(support.SCRIPTS, "funccount.bt"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("name what is to be counted", done.stderr)


class FuncLatency(Tools):
    def summary(self):
        found = re.search(r"^avg = (\d+) (\w+), total: (\d+) \w+, count: (\d+)$", self.out, re.M)
        self.assertTrue(found, self.out)
        return int(found[1]), found[2], int(found[3]), int(found[4])

    def test_a_function_of_a_program(self):
        self.run_tool("funclatency", support.WORKLOAD, "called_one")
        average, unit, total, count = self.summary()
        self.assertEqual((unit, count), ("nsecs", CALLS))
        self.assertEqual(average, total // count)
        self.assertLess(total, self.took)
        self.assertEqual(sum(support.histogram(self.out, "nsecs").values()), CALLS)

    def test_each_function(self):
        self.options = ("--function", "--microseconds")
        self.run_tool("funclatency", support.WORKLOAD, "called_*")
        got = {name: sum(support.histogram(self.out, f"function[{name}]").values())
               for name in ("called_one", "called_two", "called_ten")}
        self.assertEqual(got, {"called_one": CALLS, "called_two": CALLS // 2, "called_ten": 1})
        self.assertEqual(self.summary()[1::2], ("usecs", CALLS + CALLS // 2 + 1))

    def test_a_function_that_takes_long(self):
        """Sleeps of known length, in the C library."""
        self.options = ("-m",)
        me = os.getpid()
        with support.Tracer(os.path.join(support.SCRIPTS, "funclatency.bt"), "libc", "nanosleep",
                            "--", "-m", f"--pid={me}") as tracer:
            libc = ctypes.CDLL(None)
            for _ in range(5):
                libc.nanosleep((ctypes.c_long * 2)(0, 100000000), None)
        self.out = tracer.out
        average, unit, total, count = self.summary()
        self.assertEqual((unit, count), ("msecs", 5))
        self.assertGreaterEqual(total, 500)
        self.assertGreaterEqual(average, 100)
        self.assertLess(average, 100 + 500 * support.PATIENCE)

    def test_a_function_of_the_kernel(self):
        support.require_probes("kretprobe:ksys_read")
        self.run_tool("funclatency", "ksys_read", work=("read", "/dev/zero", 8, CALLS))
        average, unit, total, count = self.summary()
        # at the wake the workload is within the read of the line that it waits for
        self.assertEqual((unit, count), ("nsecs", CALLS))
        self.assertGreater(average, 0)
        self.assertLess(total, self.took)


if __name__ == "__main__":
    support.main()
