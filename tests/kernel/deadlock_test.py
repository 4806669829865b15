#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/deadlock.bt: the one circle of four locks in a program that has it, none in its twin."""

import os
import re
import unittest

import support

SCRIPT = os.path.join(support.SCRIPTS, "deadlock.bt")
EDGE = re.compile(r"Thread (\d+) \((\S+)\) took (\S+) while it held (\S+)\.\n"
                  r"(.*?)Thread \1 was created by thread (\d+) in (\S+), at\n(.*?)\n\n", re.S)


class Deadlock(unittest.TestCase):
    def trace(self, how):
        """What is said of the program, and its pid."""
        with support.Child("locks", how, name="locks", hold=True) as child:
            with support.Tracer("-p", child.pid, SCRIPT) as tracer:
                child.go()
                child.expect("done\n")
            child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        return tracer.out, child.pid

    def test_a_circle_of_four(self):
        out, pid = self.trace("ring")
        self.assertEqual(out.count("Possible deadlock"), 1, out)
        self.assertIn("Possible deadlock 1, of 4 locks:", out)
        edges = EDGE.findall(out + "\n\n")
        self.assertEqual(len(edges), 4, out)
        self.assertEqual(len({e[0] for e in edges}), 4, "not four threads")
        self.assertEqual({e[2] for e in edges}, {e[3] for e in edges})
        self.assertEqual(len({e[2] for e in edges}), 4, "not four locks")
        for (_, comm, _, held, stacks, parent, creator, _), before in zip(edges,
                                                                         edges[-1:] + edges):
            self.assertEqual(held, before[2], "each edge begins where the one before ends")
            self.assertEqual(comm, "locks")
            self.assertIn(" was taken in locks_take_first, at\n", stacks)
            self.assertIn(" was taken in locks_take_second, at\n", stacks)
            self.assertGreaterEqual(stacks.count("pthread_mutex_lock"), 2)
            self.assertEqual(int(parent), pid)
            self.assertEqual(creator, "locks_start_taker")

    def test_none_in_the_order_of_the_locks(self):
        out, _ = self.trace("order")
        self.assertNotIn("Possible deadlock", out)


if __name__ == "__main__":
    support.main()
