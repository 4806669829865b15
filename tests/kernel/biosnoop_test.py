#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/biosnoop.bt against I/O of known size, place and origin on a loop device."""

import collections
import os
import subprocess
import time
import unittest

import block_ways
import support

MIB = 1 << 20
SCRIPT = os.path.join(support.SCRIPTS, "biosnoop.bt")
COLUMNS = ["TIME(s)", "COMM", "PID", "DISK", "T", "SECTOR", "BYTES", "LAT(ms)"]
Line = collections.namedtuple("Line", "time comm pid disk kind sector bytes latency")


def parse_line(text):
    """COMM may hold blanks: the other columns are counted from both ends."""
    first, rest = text.split(maxsplit=1)
    comm, pid, disk, kind, sector, size, latency = rest.rsplit(maxsplit=6)
    return Line(float(first), comm, int(pid), disk, kind, int(sector), int(size), float(latency))


def parse(out):
    lines = [line for line in out.split("\n") if line.strip()]
    assert lines and lines[0].split() == COLUMNS, f"unexpected heading: {lines[:1]}"
    return [parse_line(line) for line in lines[1:]]


class Biosnoop(unittest.TestCase):
    def snoop(self, device, steps, *options, name="snooped", before=()):
        """Traces the steps; returns (the lines of that disk, the child's pid)."""
        with support.Child("block", device, *steps, name=name) as child:
            with support.Tracer(*before, SCRIPT, "--", *options) as tracer:
                child.go()
                child.finish()
            self.seen = tracer.err + tracer.out
            self.assertEqual(tracer.status, 0, tracer.err)
        disk = os.path.basename(device)
        return [line for line in parse(tracer.out) if line.disk == disk], child.pid

    def check_direct(self, lines, pid, want):
        """
        @want: (kind, sector, bytes), in any order: whoever waits for an I/O goes on, with the
        next, before the kernel is done with the last.
        """
        got = [line for line in lines if line.comm == "snooped"]
        self.assertEqual(sorted((x.kind, x.sector, x.bytes) for x in got), sorted(want),
                         self.seen)
        self.assertEqual({x.pid for x in got}, {pid})
        for line in got:
            self.assertGreater(line.latency, 0)

    def check_columns(self, options, want):
        """Latency, and what the options add before it, of reads side by side, then of one apart."""
        steps = ["direct-read:4096:0:5", "direct-read:4096:1048576:1"]
        with support.disk(4 * MIB) as device:
            with support.Child("block", device, *steps, name="snooped") as child:
                with support.Tracer(SCRIPT, "--", *options, "-d",
                                    os.path.basename(device)) as tracer:
                    child.go()
                    child.finish()
        lines = tracer.out.splitlines()
        self.assertEqual(lines[0].split(), COLUMNS[:-1] + want, tracer.out)
        return [line.split() for line in lines[1:] if " snooped " in line]

    def test_pattern(self):
        lines = self.check_columns(["-P"], ["P", "LAT(ms)"])
        self.assertEqual([x[7] for x in sorted(lines, key=lambda x: int(x[5]))],
                         ["?", "S", "S", "S", "S", "R"])

    def test_time_in_the_queue(self):
        lines = self.check_columns(["-Q"], ["QUE(ms)", "LAT(ms)"])
        self.assertEqual(len(lines), 6)
        for line in lines:
            self.assertEqual(len(line), 9)
            self.assertGreater(float(line[8]), 0)
        self.assertGreater(sum(float(line[7]) for line in lines), 0)

    def test_pattern_and_time_in_the_queue(self):
        lines = self.check_columns(["-PQ"], ["P", "QUE(ms)", "LAT(ms)"])
        self.assertEqual({len(line) for line in lines}, {10})

    STEPS = ["direct-write:4096:0:20:65536", "direct-read:8192:65536:10:131072"]
    LINES = ([("W", i * 65536 // 512, 4096) for i in range(20)] +
             [("R", (65536 + i * 131072) // 512, 8192) for i in range(10)])

    def check_line_by_line(self, make_device, *before):
        with make_device(16 * MIB) as device:
            lines, pid = self.snoop(device, self.STEPS, before=before)
        self.check_direct(lines, pid, self.LINES)

    def test_direct_io_line_by_line(self):
        self.check_line_by_line(support.loop_device)

    def test_null_blk_line_by_line(self):
        self.check_line_by_line(support.null_blk_device)

    @unittest.skipIf(support.IMAGES, "an image does not list its probes")
    def test_the_best_way_is_taken(self):
        self.assertEqual(block_ways.taken(SCRIPT), block_ways.expected())

    def test_each_way_line_by_line(self):
        for way in block_ways.of_this_kernel():
            with self.subTest(way=block_ways.WAYS[way][0]):
                before = block_ways.without_better_than(way)
                self.assertIn(block_ways.taken(SCRIPT, *before), (way, None))
                self.check_line_by_line(support.disk, *before)

    def test_each_way_through_the_page_cache(self):
        """Written back in large pieces, bios and requests merged on the way."""
        for way in block_ways.of_this_kernel():
            with self.subTest(way=block_ways.WAYS[way][0]), support.disk(16 * MIB) as device:
                lines, pid = self.snoop(device, [f"write:{MIB}:0:8", "sync"],
                                        before=block_ways.without_better_than(way))
                written = [x for x in lines if x.kind == "W"]
                self.assertEqual(sum(x.bytes for x in written), 8 * MIB)
                self.assertIn(pid, {x.pid for x in written})

    def test_one_sector_written_again_and_again(self):
        with support.loop_device(MIB) as device:
            lines, pid = self.snoop(device, ["direct-write:512:4096:25:0"])
        self.check_direct(lines, pid, [("W", 8, 512)] * 25)

    def test_direct_io_larger_than_a_request(self):
        with support.loop_device(16 * MIB) as device:
            lines, _ = self.snoop(device, [f"direct-write:{8 * MIB}:0:1"])
        parts = sorted(x for x in lines if x.kind == "W")
        self.assertEqual(sum(x.bytes for x in parts), 8 * MIB)
        self.assertEqual({x.comm for x in parts}, {"snooped"})
        places = sorted((x.sector, x.bytes) for x in parts)
        for (sector, size), (following, _) in zip(places, places[1:]):
            self.assertEqual(sector + size // 512, following)

    def test_page_cache_adds_up(self):
        with support.loop_device(16 * MIB) as device:
            lines, _ = self.snoop(device, [f"write:{MIB}:0:8", "sync"])
        self.assertEqual(sum(x.bytes for x in lines if x.kind == "W"), 8 * MIB)

    def test_flush_by_a_kernel_worker_shows_the_worker(self):
        with support.loop_device(32 * MIB) as device:
            disk = os.path.basename(device)
            # Little may be dirty on this disk alone: a worker begins to write at once. The
            # open descriptor keeps the writer's close from flushing in the writer's name.
            bdi = f"/sys/block/{disk}/bdi"
            try:
                for name, value in (("strict_limit", "1"), ("max_bytes", str(MIB))):
                    with open(f"{bdi}/{name}", "w", encoding="ascii") as f:
                        f.write(value)
            except OSError as e:
                self.skipTest(f"no limit of a disk's own: {e}")
            with open(device, "rb"), support.Tracer(SCRIPT) as tracer:
                subprocess.run([support.WORKLOAD, "--name", "snooped", "block", device,
                                f"write:{MIB}:0:8"], check=True)
                time.sleep(1)
                pids = {int(p) for p in os.listdir("/proc") if p.isdigit()}
        lines = [x for x in parse(tracer.out) if x.disk == disk and x.kind == "W"]
        self.assertTrue(lines, "nothing was flushed")
        for line in lines:
            self.assertRegex(line.comm, r"^kworker/")
            self.assertIn(line.pid, pids)

    @support.same_everywhere
    def test_options_of_the_script(self):
        steps = ["direct-write:4096:0:5"]
        with support.loop_device(MIB) as device:
            disk = os.path.basename(device)
            lines, _ = self.snoop(device, steps, f"--disk={disk}")
            self.assertEqual(len(lines), 5)
            lines, _ = self.snoop(device, steps, "--disk=nosuchdisk")
            self.assertEqual(lines, [])
            lines, _ = self.snoop(device, steps, f"--pid={os.getpid()}")
            self.assertEqual(lines, [])
            lines, _ = self.snoop(device, steps, "--min_us=100000000")
            self.assertEqual(lines, [])

    @support.same_everywhere
    def test_its_own_pid_only(self):
        with support.loop_device(MIB) as device:
            with support.Child("block", device, "direct-write:4096:0:5", name="snooped") as one, \
                 support.Child("block", device, "direct-read:4096:0:7", name="other") as two:
                with support.Tracer(SCRIPT, "--", f"--pid={one.pid}") as tracer:
                    one.go()
                    two.go()
                    one.finish()
                    two.finish()
            lines = parse(tracer.out)
        self.assertEqual([(x.comm, x.kind) for x in lines], [("snooped", "W")] * 5)


if __name__ == "__main__":
    support.main()
