#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/memleak.bt: the blocks that a program keeps among many that it frees, and no others."""

import os
import re
import unittest

import support

SCRIPT = os.path.join(support.SCRIPTS, "memleak.bt")
PAIRS = support.often(100000, 2000)
ALLOCATION = re.compile(r"\t(\d+) bytes in (\d+) allocations from stack$")


def reports(out):
    """[{(bytes, allocations): [the frames of such stacks]}] of each report."""
    found, frames = [], None
    for line in out.splitlines():
        head = ALLOCATION.match(line)
        if "outstanding allocations" in line:
            found.append([])
            frames = None
        elif head:
            frames = []
            found[-1].append((int(head[1]), int(head[2]), frames))
        elif frames is not None and line.startswith("        "):
            frames.append(line.strip())
    return found


class OfAProcess(unittest.TestCase):
    def of_child(self, words, *options, before=()):
        done = support.btrun("-q", *before, "-c", f"{support.WORKLOAD} {words}", SCRIPT, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.seen = done.stdout + done.stderr
        return reports(done.stdout)[-1], done.stdout

    def check_ten(self, *before):
        found, _ = self.of_child(f"alloc {PAIRS} 10", before=before)
        self.assertEqual([(size, n) for size, n, _ in found], [(10000, 10)], self.seen)
        self.assertIn("leak_here", found[0][2][0], self.seen)

    def test_ten_blocks_among_many(self):
        self.check_ten()

    def test_ten_blocks_where_maps_cannot_be_gone_through(self):
        if support.has_feature("for_each_map"):
            self.check_ten("--no-feature", "for_each_map")

    def test_nothing_where_nothing_leaks(self):
        found, _ = self.of_child(f"alloc {PAIRS} 0")
        self.assertEqual(found, [], self.seen)

    def test_threads(self):
        found, _ = self.of_child(f"alloc {PAIRS // 2} 10 threads")
        # what the C library keeps for a thread that has ended it does not give back
        found = [x for x in found if "allocate_dtv" not in x[2][0]]
        self.assertEqual([(size, n) for size, n, _ in found], [(10000, 10)], self.seen)

    def test_every_function_and_addresses(self):
        found, out = self.of_child("alloc each", "--", "-a", "-T", "20")
        blocks = [1024] * 8 + [65536]
        self.assertEqual(sorted(size for size, _, _ in found), blocks, self.seen)
        names = {frames[0].split("+")[0] for _, _, frames in found[1:]}
        self.assertEqual(names, {f"by_{x}" for x in (
            "malloc", "calloc", "realloc", "reallocarray", "posix_memalign", "aligned_alloc",
            "memalign", "valloc")}, self.seen)
        listed = re.findall(r"^\taddr = ([0-9a-f]+) size = (\d+)$", out, re.M)
        self.assertEqual(sorted(int(size) for _, size in listed), blocks)
        self.assertEqual(len({address for address, _ in listed}), 9)

    def test_sizes(self):
        found, _ = self.of_child("alloc each", "--", "-z", "2000")
        self.assertEqual([x[0] for x in found], [65536], self.seen)
        found, _ = self.of_child("alloc each", "--", "--max-size=1024", "-T20")
        self.assertEqual([x[0] for x in found], [1024] * 8, self.seen)

    def test_some_of_many(self):
        found, _ = self.of_child("alloc 100 1000", "--", "-s", "4")
        self.assertEqual(len(found), 1, self.seen)
        size, n, _ = found[0]
        self.assertEqual(size, n * 1000)
        self.assertTrue(100 < n < 500, f"{n} of 1000 with -s 4")

    def leaks_of_pid(self, *options):
        """Of a process that runs already, in the second of two reports."""
        with support.Child("alloc", "200", "10", hold=True) as child:
            with support.Tracer("-p", child.pid, SCRIPT, "1", "2", *options, stop=None) as tracer:
                child.go()
                child.expect("done\n")
                tracer.process.wait(timeout=60 * support.PATIENCE)
                child.finish()
        self.seen = tracer.out + tracer.err
        return [(size, n) for size, n, frames in reports(tracer.out)[-1]
                if "leak_here" in frames[0]]

    def test_by_pid(self):
        self.assertEqual(self.leaks_of_pid(), [(10000, 10)], self.seen)

    def test_nothing_that_is_too_young(self):
        if not support.has_feature("for_each_map"):
            self.skipTest("an age needs for_each_map")
        self.assertEqual(self.leaks_of_pid("--", "-o", "3600000"), [], self.seen)


class OfTheKernel(unittest.TestCase):
    def test_open_event_descriptors(self):
        """Each holds a block that do_eventfd() asked for, until it is closed."""
        count = 300
        with support.Tracer(SCRIPT, "2", "1", "--", "-T", "2000", "-o", "0"
                            if support.has_feature("for_each_map") else "500", stop=None) as tracer:
            held = [os.eventfd(0) for _ in range(count)]
            for fd in [os.eventfd(0) for _ in range(count)]:
                os.close(fd)
            tracer.process.wait(timeout=60 * support.PATIENCE)
        for fd in held:
            os.close(fd)
        found = [n for _, n, frames in reports(tracer.out)[-1]
                 if frames and any("do_eventfd" in x for x in frames[:4])]
        self.assertIn(count, found, tracer.err)


if __name__ == "__main__":
    support.main()
