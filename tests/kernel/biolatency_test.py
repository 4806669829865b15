#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/biolatency.bt: as many latencies as there were I/Os."""

import os
import re
import unittest

import block_ways
import support

MIB = 1 << 20
SCRIPT = os.path.join(support.SCRIPTS, "biolatency.bt")


def histograms(out):
    """{heading: number of values}, summed up over repeated prints."""
    counts, heading = {}, None
    for line in out.split("\n"):
        row = re.match(r"[\[(].*[\])]\s+(\d+) \|", line)
        if row and heading is not None:
            counts[heading] = counts.get(heading, 0) + int(row[1])
        elif line.strip():
            heading = line.strip()
    return counts


class Biolatency(unittest.TestCase):
    def measure(self, device, steps, *options, before=()):
        with support.Child("block", device, *steps) as child:
            with support.Tracer(*before, SCRIPT, *options) as tracer:
                child.go()
                child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        return tracer.out

    def of_disk(self, out, device):
        disk = os.path.basename(device)
        return sum(n for head, n in histograms(out).items() if re.search(rf"\b{disk}\b", head))

    def check_disks(self, make_device, *before):
        steps = ["direct-write:4096:0:40", "direct-read:4096:0:25"]
        with make_device(MIB) as device:
            out = self.measure(device, steps, "--", "--disks", before=before)
        self.assertEqual(self.of_disk(out, device), 65)

    def test_each_disk_has_its_own(self):
        self.check_disks(support.loop_device)

    def test_null_blk(self):
        self.check_disks(support.null_blk_device)

    @unittest.skipIf(support.IMAGES, "an image does not list its probes")
    def test_the_best_way_is_taken(self):
        self.assertEqual(block_ways.taken(SCRIPT), block_ways.expected())

    def test_each_way(self):
        for way in block_ways.of_this_kernel():
            with self.subTest(way=block_ways.WAYS[way][0]):
                before = block_ways.without_better_than(way)
                self.assertIn(block_ways.taken(SCRIPT, *before), (way, None))
                self.check_disks(support.disk, *before)

    def test_each_set_of_flags(self):
        steps = ["direct-write:4096:0:40", "direct-read:4096:0:25"]
        with support.disk(MIB) as device:
            out = self.measure(device, steps, "--", "-F", "-d", os.path.basename(device))
        counts = histograms(out)
        reads = sum(n for head, n in counts.items() if head.endswith("Read]:"))
        writes = sum(n for head, n in counts.items() if head.endswith("Write]:"))
        self.assertEqual((reads, writes), (25, 40), out)
        self.assertTrue(any("Sync-" in head and "Write" in head for head in counts), out)

    def test_intervals_and_their_number(self):
        with support.disk(MIB) as device:
            with support.Child("block", device, "direct-write:4096:0:30") as child:
                with support.Tracer(SCRIPT, "--", "-T", "-d", os.path.basename(device), "1", "2",
                                    stop=None) as tracer:
                    child.go()
                    child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        self.assertEqual(len(re.findall(r"^\d\d:\d\d:\d\d$", tracer.out, re.M)), 2, tracer.out)
        self.assertEqual(sum(histograms(tracer.out).values()), 30, tracer.out)

    def test_time_in_the_queue_and_units(self):
        for options, unit in (["-Q"], "microseconds"), (["-Q", "-m"], "milliseconds"):
            with support.disk(MIB) as device:
                out = self.measure(device, ["direct-read:4096:0:20"], "--", *options, "-d",
                                   os.path.basename(device))
            self.assertEqual(sum(histograms(out).values()), 20, out)
            self.assertIn(f"latency in {unit}", out)

    @support.same_everywhere
    def test_all_disks_together_see_at_least_these(self):
        with support.loop_device(MIB) as device:
            out = self.measure(device, ["direct-write:4096:0:40"])
        self.assertGreaterEqual(sum(histograms(out).values()), 40)

    @support.same_everywhere
    def test_every_second(self):
        with support.loop_device(MIB) as device:
            with support.Child("block", device, "direct-write:4096:0:30") as child:
                with support.Tracer(SCRIPT, "1", "--", "--disks", stop=None) as tracer:
                    child.go()
                    child.finish()
                    # The first interval has to print it without being asked.
                    try:
                        tracer.process.wait(timeout=1.5 * support.PATIENCE)
                    except support.subprocess.TimeoutExpired:
                        pass
                    tracer.process.send_signal(support.signal.SIGINT)
        self.assertEqual(self.of_disk(tracer.out, device), 30)


if __name__ == "__main__":
    support.main()
