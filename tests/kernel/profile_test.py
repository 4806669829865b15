#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/profile.bt: the samples of one busy process, by its stacks."""

import os
import time
import unittest

import support

SCRIPT = os.path.join(support.SCRIPTS, "profile.bt")


class Profile(unittest.TestCase):
    def sample(self, *options, words=("3", "199")):
        """{stack: samples} of a process that calls getppid() all the time, beside another."""
        with support.Child("getppid", 1, 0, name="busy") as child, \
                support.Child("getppid", 1, 0, name="other") as other:
            child.go()
            other.go()
            with support.Tracer("-f", "folded", SCRIPT, *words, "--", "-p", child.pid, *options,
                                stop=None) as tracer:
                tracer.process.wait(timeout=60 * support.PATIENCE)
            for one in (child, other):
                one.process.stdin.close()
        self.assertEqual(tracer.status, 0, tracer.err)
        return support.folded(tracer.out)

    def test_where_it_is_busy(self):
        stacks = self.sample()
        self.assertTrue(stacks)
        self.assertEqual({s[0] for s in stacks}, {"busy"})
        inside = sum(n for s, n in stacks.items() if "call_again_and_again" in s)
        self.assertGreater(inside, sum(stacks.values()) / 2, stacks)
        self.assertTrue(any("_[k]" in f for s in stacks for f in s))

    def test_user_stacks_alone(self):
        stacks = self.sample("-U")
        self.assertTrue(stacks)
        self.assertFalse(any("_[k]" in f for s in stacks for f in s), stacks)

    def test_kernel_stacks_alone(self):
        stacks = self.sample("-K")
        self.assertTrue(stacks)
        self.assertFalse(any("call_again_and_again" in s for s in stacks), stacks)

    def test_no_more_samples_than_there_are(self):
        """One thread at 50 Hz: no more than in the time that all of it took."""
        begin = time.monotonic()
        stacks = self.sample(words=("2", "50"))
        took = time.monotonic() - begin
        self.assertTrue(stacks)
        self.assertLessEqual(sum(stacks.values()), took * 50 + 1)


if __name__ == "__main__":
    support.main()
