#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/cachetop.bt: pages of a disk that are read cold, then warm, and written."""

import os
import re
import unittest

import support

MIB = 1 << 20
PAGE = 4096
PAGES = 512
SCRIPT = os.path.join(support.SCRIPTS, "cachetop.bt")
HEADING = ["PID", "UID", "CMD", "HITS", "MISSES", "DIRTIES", "READ_HIT%", "WRITE_HIT%"]


class Cachetop(unittest.TestCase):
    def sums(self, steps, *options):
        """
        Hits, misses, dirties of one process in all tables, and the percents of the last. The
        disk is as large as what is read: the kernel reads ahead.
        """
        with support.disk(PAGES * PAGE) as device:
            # the disk stays open, or its pages would go with the last who has it open
            with open(device, "rb"):
                with support.Child("block", device, *steps, name="cached") as child:
                    with support.Tracer(SCRIPT, "1", "--", *options, "-p", child.pid) as tracer:
                        child.go()
                        child.finish()
                        support.time.sleep(1.5 * support.PATIENCE)  # shown after a second
            self.assertEqual(tracer.status, 0, tracer.err)
        self.seen = tracer.out
        rows = [line.split() for line in tracer.out.splitlines()]
        self.assertIn(HEADING, rows, tracer.out)
        rows = [x for x in rows if len(x) == 8 and x[0] == str(child.pid) and x[2] == "cached"]
        self.assertEqual({x[1] for x in rows}, {"root"}, tracer.out + tracer.err)
        return tuple(sum(int(x[i]) for x in rows) for i in (3, 4, 5)), rows[-1][6:]

    def check_near(self, got, due):
        """A few pages more: the kernel looks at a disk that is opened, ahead of what is read."""
        for have, want in zip(got, due):
            self.assertLessEqual(want, have, self.seen)
            self.assertLessEqual(have, want + 16, self.seen)

    def test_cold(self):
        got, _ = self.sums([f"read:{PAGE}:0:{PAGES}"])
        self.check_near(got, (0, PAGES, 0))

    def test_cold_then_warm(self):
        got, percent = self.sums([f"read:{PAGE}:0:{PAGES}", f"read:{PAGE}:0:{PAGES}"])
        self.check_near(got, (PAGES, PAGES, 0))
        self.assertAlmostEqual(float(percent[0].rstrip("%")), 50, delta=2, msg=self.seen)
        self.assertEqual(percent[1], "0.0%")

    def test_large_reads(self):
        got, _ = self.sums([f"read:{MIB}:0:2", f"read:{MIB}:0:2"])
        self.check_near(got, (PAGES, PAGES, 0))

    def test_written(self):
        """Pages that were not there are misses; those that were are hits; both are dirty."""
        got, _ = self.sums([f"write:{PAGE}:0:{PAGES}"])
        self.check_near(got, (0, PAGES, PAGES))
        got, _ = self.sums([f"write:{PAGE}:0:{PAGES}", "sync", f"write:{PAGE}:0:{PAGES}"])
        self.check_near(got, (PAGES, PAGES, 2 * PAGES))

    def test_heading_and_order(self):
        with support.Tracer(SCRIPT, "1", "--", "-s", "MISSES", "-C") as tracer:
            for _ in range(3):
                self.sums([f"read:{PAGE}:0:{PAGES}"])
        self.seen = tracer.out
        self.assertRegex(self.seen, re.compile(
            r"^\d\d:\d\d:\d\d Buffers MB: \d+ / Cached MB: \d+ / Sort: MISSES / Order: descending$",
            re.M))
        for table in self.seen.split("\n\n"):
            misses = [int(x.split()[4]) for x in table.splitlines()
                      if len(x.split()) == 8 and x.split()[0].isdigit()]
            self.assertEqual(misses, sorted(misses, reverse=True), self.seen)

    def test_a_column_that_there_is_not(self):
        done = support.btrun(SCRIPT, "--", "-s", "NONE")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no column to sort by: NONE", done.stderr)


if __name__ == "__main__":
    support.main()
