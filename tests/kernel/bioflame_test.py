#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/bioflame.bt and scripts/biostacks.bt: the stacks that asked for known I/O."""

import os
import re
import unittest

import block_ways
import support

MIB = 1 << 20
FLAME = os.path.join(support.SCRIPTS, "bioflame.bt")
STACKS = os.path.join(support.SCRIPTS, "biostacks.bt")
STEPS = ["direct-write:4096:0:40", "direct-read:8192:0:25"]


class Block(unittest.TestCase):
    def flame(self, device, *options, before=()):
        with support.Child("block", device, *STEPS, name="asker") as child:
            with support.Tracer(*before, "-f", "folded", FLAME, "--", "-d",
                                os.path.basename(device), "-p", child.pid, *options) as tracer:
                child.go()
                child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        stacks = support.folded(tracer.out)
        self.assertEqual({s[0] for s in stacks}, {"asker"}, tracer.out)
        return stacks

    def check_direction(self, stacks, writes, reads):
        """Writes and reads come from system calls of their own."""
        of = lambda call: sum(n for s, n in stacks.items() if any(call in f for f in s))
        self.assertEqual(of("pwrite64") or of("sys_write"), writes, stacks)
        self.assertEqual(of("pread64") or of("sys_read"), reads, stacks)

    def test_how_often(self):
        with support.disk(MIB) as device:
            self.check_direction(self.flame(device), 40, 25)

    def test_how_much(self):
        with support.disk(MIB) as device:
            self.check_direction(self.flame(device, "-b"), 40 * 4096, 25 * 8192)

    def test_how_long(self):
        with support.disk(MIB) as device:
            stacks = self.flame(device, "-l")
        self.assertGreater(sum(stacks.values()), 0)

    def test_each_way(self):
        for way in block_ways.of_this_kernel():
            with self.subTest(way=block_ways.WAYS[way][0]), support.disk(MIB) as device:
                before = block_ways.without_better_than(way)
                self.check_direction(self.flame(device, "-b", before=before), 40 * 4096,
                                     25 * 8192)

    def test_histograms_by_stack(self):
        with support.disk(MIB) as device:
            with support.Child("block", device, *STEPS, name="asker") as child:
                with support.Tracer(STACKS, "--", "-d", os.path.basename(device)) as tracer:
                    child.go()
                    child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        blocks = re.split(r"@latency\[", tracer.out)[1:]
        counts = [sum(int(n) for n in re.findall(r"[\])]\s+(\d+) \|", b)) for b in blocks
                  if re.search(rf", asker, {os.path.basename(device)}\]:", b)]
        self.assertEqual(sorted(counts), [25, 40], tracer.out)


if __name__ == "__main__":
    support.main()
