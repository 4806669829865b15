#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/offcputime.bt: a process that sleeps so long, seen in the stack that it sleeps in."""

import os
import subprocess
import sys
import time
import unittest

import support

SCRIPT = os.path.join(support.SCRIPTS, "offcputime.bt")
SLEEPS = "import sys, time; sys.stdin.readline(); [time.sleep(0.2) for _ in range(5)]"


class Sleeper:
    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", SLEEPS], stdin=subprocess.PIPE,
                                        text=True)
        return self

    def sleep(self):
        self.process.communicate("\n")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.communicate("\n")


class Offcputime(unittest.TestCase):
    def trace(self, *options):
        with Sleeper() as sleeper, Sleeper() as other:
            begin = time.monotonic()
            with support.Tracer("-f", "folded", SCRIPT, "--", "-p", sleeper.process.pid,
                                *options) as tracer:
                sleeper.sleep()
                other.sleep()
                took = time.monotonic() - begin
        self.assertEqual(tracer.status, 0, tracer.err)
        return support.folded(tracer.out), took * 1e6

    def test_as_long_as_it_slept(self):
        stacks, took = self.trace("-m", "150000")
        asleep = sum(us for s, us in stacks.items() if any("nanosleep" in f for f in s))
        self.assertGreaterEqual(asleep, 5 * 200000, stacks)
        self.assertLessEqual(asleep, took)
        self.assertTrue(all(any("schedule" in f for f in s) for s in stacks), stacks)

    def test_too_short_to_count(self):
        stacks, _ = self.trace("-m", "100000000")
        self.assertEqual(stacks, {})

    def test_state(self):
        """Sleeping is interruptible, 1; nothing here waits uninterruptibly so long."""
        stacks, _ = self.trace("--state=1", "-m", "150000")
        self.assertGreaterEqual(sum(stacks.values()), 5 * 200000)
        stacks, _ = self.trace("--state=2", "-m", "150000")
        self.assertEqual(stacks, {})

    def test_one_kind_of_stack(self):
        stacks, _ = self.trace("-K")
        self.assertTrue(stacks and all("_[k]" in f for s in stacks for f in s[2:]), stacks)
        stacks, _ = self.trace("-U")
        self.assertFalse(any("_[k]" in f for s in stacks for f in s), stacks)


if __name__ == "__main__":
    support.main()
