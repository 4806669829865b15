#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/stackcount.bt: as many stacks as there were calls, each with its callers."""

import os
import unittest

import support

SCRIPT = os.path.join(support.SCRIPTS, "stackcount.bt")
CALLS = 50


class Stackcount(unittest.TestCase):
    def count(self, *words, options=(), child=("call", 1, CALLS)):
        with support.Child(*child, name="caller") as one, \
                support.Child(*child, name="other") as other:
            with support.Tracer("-f", "folded", SCRIPT, *words, "--", "-p", one.pid,
                                *options) as tracer:
                for each in (one, other):
                    each.go()
                    each.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        return support.folded(tracer.out)

    def test_function_of_a_program(self):
        stacks = self.count(support.WORKLOAD, "called_one", options=["-U"])
        self.assertEqual(sum(stacks.values()), CALLS, stacks)
        self.assertTrue(all(s[-1] == "called_one" for s in stacks), stacks)

    def test_each_process_by_itself(self):
        stacks = self.count(support.WORKLOAD, "called_one", options=["-U", "-P"])
        self.assertEqual({s[0] for s in stacks}, {"caller"})
        self.assertEqual(sum(stacks.values()), CALLS)

    def test_tracepoint(self):
        stacks = self.count("t", "syscalls", "sys_enter_getppid", child=("getppid", 1, CALLS))
        self.assertEqual(sum(stacks.values()), CALLS, stacks)
        self.assertTrue(all(any("syscall" in f for f in s) for s in stacks), stacks)

    def test_usdt(self):
        support.require_probes(f"usdt:{support.WORKLOAD}:*:*")
        stacks = self.count("u", support.WORKLOAD, "workload", "constants", child=("usdt", 20))
        self.assertEqual(sum(stacks.values()), 20)

    @unittest.skipUnless(support.has_feature("kprobes"), "no kprobes in this kernel")
    def test_kernel_function(self):
        stacks = self.count("do_sys_openat2", options=["-K"], child=("open", "/dev/null", CALLS))
        self.assertGreaterEqual(sum(stacks.values()), CALLS, stacks)

    @support.same_everywhere
    def test_nothing_named(self):
        done = support.btrun(SCRIPT)
        self.assertEqual(done.returncode, 1)
        self.assertIn("name what is to be counted", done.stderr)


if __name__ == "__main__":
    support.main()
