#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/biotop.bt: as many I/Os and bytes as the workload makes, busiest first."""

import os
import re
import unittest

import block_ways
import support

MIB = 1 << 20
SCRIPT = os.path.join(support.SCRIPTS, "biotop.bt")
HEADING = ["PID", "COMM", "D", "MAJ", "MIN", "DISK", "I/O", "Kbytes", "AVGms"]
LOAD = re.compile(r"^\d\d:\d\d:\d\d loadavg: [\d.]+ [\d.]+ [\d.]+ \d+/\d+ \d+$")


def tables(out):
    """The rows of each interval, split; COMM without blanks, as those of the workload are."""
    found = []
    for line in out.splitlines():
        if line.split() == HEADING:
            found.append([])
        elif found and re.match(r"\d+ ", line):
            found[-1].append(line.split())
    return found


class Biotop(unittest.TestCase):
    STEPS = {"little": ["direct-write:4096:0:20"],
             "much": ["direct-read:65536:0:30", "direct-write:8192:0:10"]}

    def run_it(self, *options, before=(), stop=support.signal.SIGINT):
        """Returns (the output's tables, {(pid, comm, kind): (I/Os, KiB)} in all of them)."""
        with support.disk(4 * MIB) as device:
            disk, number = os.path.basename(device), os.stat(device).st_rdev
            children = {name: support.Child("block", device, *steps, name=name)
                        for name, steps in self.STEPS.items()}
            self.pids = {name: str(child.pid) for name, child in children.items()}
            with support.Tracer(*before, SCRIPT, *options, "-d", disk, stop=stop) as tracer:
                for child in children.values():
                    with child:
                        child.go()
                        child.finish()
                if stop:
                    support.time.sleep(1.5 * support.PATIENCE)  # the next interval shows them
        self.assertEqual(tracer.status, 0, tracer.err)
        self.seen = tracer.out
        sums = {}
        for row in (row for table in tables(tracer.out) for row in table):
            self.assertEqual(row[3:6], [str(os.major(number)), str(os.minor(number)), disk])
            n, kib = sums.get(tuple(row[:3]), (0, 0))
            sums[tuple(row[:3])] = n + int(row[6]), kib + int(row[7])
            self.assertGreaterEqual(float(row[8]), 0)
        return tables(tracer.out), sums

    def due(self):
        little, much = self.pids["little"], self.pids["much"]
        return {(little, "little", "W"): (20, 80), (much, "much", "R"): (30, 30 * 64),
                (much, "much", "W"): (10, 80)}

    def test_bytes_are_those_of_the_workload(self):
        found, sums = self.run_it("--")
        self.assertEqual(sums, self.due(), self.seen)
        self.assertTrue(any(LOAD.match(line) for line in self.seen.splitlines()), self.seen)
        for table in found:
            sizes = [int(row[7]) for row in table]
            self.assertEqual(sizes, sorted(sizes, reverse=True), self.seen)

    def test_each_way(self):
        for way in block_ways.of_this_kernel()[1:]:  # the best: above
            with self.subTest(way=block_ways.WAYS[way][0]):
                before = block_ways.without_better_than(way)
                self.assertEqual(block_ways.taken(SCRIPT, *before), way)
                self.assertEqual(self.run_it("--", before=before)[1], self.due(), self.seen)

    def test_lines_at_most_and_intervals(self):
        found, _ = self.run_it("3", "1", "--", "-r", "1", "-C", stop=None)
        self.assertEqual([len(table) for table in found], [1], self.seen)
        self.assertEqual(found[0][0][1:3], ["much", "R"], self.seen)


if __name__ == "__main__":
    support.main()
