#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/biopattern.bt: of a known number of sequential and random reads, so many percent."""

import os
import unittest

import support

KIB = 1 << 10
MIB = 1 << 20
SCRIPT = os.path.join(support.SCRIPTS, "biopattern.bt")
# 70 reads each where the last ended, then 30 with a gap before each
STEPS = ["direct-read:4096:0:70", "direct-read:4096:1048576:30:16384"]


class Biopattern(unittest.TestCase):
    def patterns(self, steps, *options, stop=support.signal.SIGINT):
        """The lines of one disk: (random, sequential, count, KiB)."""
        with support.disk(4 * MIB) as device:
            disk = os.path.basename(device)
            # the kernel looks at a new disk by itself: only what comes after that counts
            with support.Child("block", device, *steps, hold=True) as child:
                with support.Tracer(SCRIPT, *options, "-d", disk, stop=stop) as tracer:
                    child.go()
                    child.expect("done\n")
                child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        self.seen = tracer.out
        lines = [line.split() for line in tracer.out.splitlines() if line]
        self.assertEqual(lines[0], ["TIME", "DISK", "%RND", "%SEQ", "COUNT", "KBYTES"])
        for line in lines[1:]:
            self.assertRegex(line[0], r"^\d\d:\d\d:\d\d$")
            self.assertEqual(line[1], disk)
        return [tuple(int(x) for x in line[2:]) for line in lines[1:]]

    def test_seventy_sequential_and_thirty_random(self):
        # the first has no predecessor: it is neither
        self.assertEqual(self.patterns(STEPS, "--"), [(30, 70, 99, 99 * 4)], self.seen)

    def test_with_a_read_before(self):
        steps = ["direct-read:4096:2097152:1", "direct-read:4096:2101248:70", STEPS[1]]
        self.assertEqual(self.patterns(steps, "--"), [(30, 70, 100, 400)], self.seen)

    def test_intervals(self):
        lines = self.patterns(STEPS, "1", "3", "--", stop=None)
        self.assertEqual(sum(count for _, _, count, _ in lines), 99, self.seen)
        self.assertEqual(sum(kib for _, _, _, kib in lines), 99 * 4)

    def test_disks_by_themselves(self):
        with support.disk(MIB) as one, support.loop_device(MIB) as other:
            with support.Tracer(SCRIPT) as tracer:
                for device, step in ((one, "direct-read:4096:0:11"),
                                     (other, "direct-read:4096:8192:1"),
                                     (other, "direct-read:4096:32768:4:65536")):
                    with support.Child("block", device, step) as child:
                        child.go()
                        child.finish()
        found = {line.split()[1]: line.split()[2:] for line in tracer.out.splitlines() if line}
        self.assertEqual(found[os.path.basename(one)], ["0", "100", "10", "40"], tracer.out)
        self.assertEqual(found[os.path.basename(other)], ["100", "0", "4", "16"], tracer.out)


if __name__ == "__main__":
    support.main()
