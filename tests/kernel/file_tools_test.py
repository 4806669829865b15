#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/filetop.bt, vfsstat.bt and cachestat.bt against a file of this process, read and written
a known number of times."""

import os
import re
import signal
import tempfile
import time
import unittest

import support

PAGE = os.sysconf("SC_PAGE_SIZE")
PAGES = support.often(4096, 1024)


def tool(name, *words, stop=signal.SIGINT):
    return support.Tracer(os.path.join(support.SCRIPTS, f"{name}.bt"), *words, stop=stop)


def numbers(line):
    """The numbers of a line, without a time of day before them."""
    return [float(n) for n in re.findall(r"[\d.]+", line.split(": ")[-1].replace("%", ""))]


class OnOneDisk(unittest.TestCase):
    """A file on a file system that has pages of a disk in the cache."""

    @classmethod
    def setUpClass(cls):
        support.require_probes("kprobe:vfs_read")
        cls.directory = tempfile.TemporaryDirectory(prefix="btrun-file-", dir="/var/tmp")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.path = f"{cls.directory.name}/a_file_of_ours"


class FileTop(OnOneDisk):
    def top(self, *options):
        """Two seconds of it, in which 8 KiB are written 10 times and 3 KiB read 20 times; the
        rows of our files."""
        other = f"{self.path}2"
        with tool("filetop", "2", "1", "--", f"--pid={os.getpid()}", "-C", *options,
                  stop=None) as tracer:
            fd = os.open(self.path, os.O_CREAT | os.O_TRUNC | os.O_RDWR)
            for _ in range(10):
                os.write(fd, b"w" * 8192)
            for n in range(20):
                os.pread(fd, 3072, n * 4096)
            os.pread(fd, 4096, 1 << 20)  # nothing is there
            os.close(fd)
            fd = os.open(other, os.O_CREAT | os.O_TRUNC | os.O_RDWR)
            os.write(fd, b"x" * 70000)
            for _ in range(5):
                os.pread(fd, 1024, 0)
            os.close(fd)
        self.out = tracer.out
        return [line.split() for line in tracer.out.splitlines() if "a_file_of_ours" in line]

    def test_reads_and_writes_by_file(self):
        got = self.top()
        me = str(os.getpid())
        self.assertEqual([(x[0], *x[-6:]) for x in got],
                         [(me, "21", "10", "60", "80", "R", "a_file_of_ours"),
                          (me, "5", "1", "5", "68", "R", "a_file_of_ours2")], self.out)
        self.assertRegex(self.out, r"\n\d\d:\d\d:\d\d loadavg: [\d.]+ [\d.]+ [\d.]+ \d+/\d+ \d+\n")
        self.assertIn("TID COMM READS WRITES R_Kb W_Kb T FILE".split(),
                      [line.split() for line in self.out.splitlines()])

    def test_order_and_rows(self):
        self.assertEqual([x[-1] for x in self.top("-s", "writes", "-r", "1")], ["a_file_of_ours"])
        got = self.top("--write-only", "-s", "wbytes")
        self.assertEqual([tuple(x[-6:-2]) for x in got], [("0", "10", "0", "80"),
                                                          ("0", "1", "0", "68")])


class VfsStat(OnOneDisk):
    def test_each_column(self):
        directory = f"{self.directory.name}/sub"
        with tool("vfsstat", "1", "3", "--", f"--pid={os.getpid()}", stop=None) as tracer:
            fd = os.open(self.path, os.O_CREAT | os.O_RDWR)
            for _ in range(30):
                os.write(fd, b"w")
            for _ in range(50):
                os.pread(fd, 1, 0)
            for _ in range(3):
                os.fsync(fd)
            os.close(fd)
            for _ in range(7):
                os.close(os.open(self.path, os.O_RDONLY))
            os.mknod(f"{self.path}.made")
            for name in (self.path, f"{self.path}.made"):
                os.unlink(name)
            for _ in range(4):
                os.mkdir(directory)
                os.rmdir(directory)
        lines = tracer.out.splitlines()
        self.assertEqual(lines[0].split(), "TIME READ/s WRITE/s FSYNC/s OPEN/s CREATE/s UNLINK/s"
                         " MKDIR/s RMDIR/s".split())
        rows = [numbers(line) for line in lines[1:] if line.strip()]
        self.assertEqual(len(rows), 3)
        total = [int(sum(column)) for column in zip(*rows)]
        # this process also waits for the tracer, which reads
        self.assertGreaterEqual(total[0], 50)
        self.assertLess(total[0], 60)
        self.assertEqual(total[1:], [30, 3, 8, 1, 2, 4, 4], tracer.out)


class CacheStat(OnOneDisk):
    def test_cold_and_warm(self):
        with open(self.path, "wb") as f:
            f.write(b"c" * PAGE * PAGES)
            f.flush()
            os.fsync(f.fileno())
        fd = os.open(self.path, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)  # page by page
        got = {}
        for kind in ("cold", "warm"):
            if kind == "cold":
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            with tool("cachestat", "2", "1", stop=None) as tracer:
                for n in range(PAGES):
                    os.pread(fd, PAGE, n * PAGE)
            got[kind] = numbers(tracer.out.splitlines()[1])
        hits, misses, _, ratio, buffers, cached = got["cold"]
        self.assertEqual(len(got["cold"]), 6)
        self.assertGreaterEqual(misses, PAGES * 0.98, got)
        self.assertLess(hits, PAGES * 0.2, got)
        self.assertAlmostEqual(ratio, 100 * hits / (hits + misses), delta=0.02)
        with open("/proc/meminfo", encoding="ascii") as f:
            memory = dict(re.findall(r"^(\w+): +(\d+)", f.read(), re.M))
        self.assertAlmostEqual(buffers, int(memory["Buffers"]) / 1024, delta=20)
        self.assertAlmostEqual(cached, int(memory["Cached"]) / 1024, delta=100)
        hits, misses, _, ratio, _, _ = got["warm"]
        self.assertGreaterEqual(hits, PAGES * 0.98, got)
        self.assertLess(hits, PAGES * 1.3, got)
        self.assertLess(misses, PAGES * 0.1, got)

    def test_dirty_buffers_and_the_time(self):
        with tool("cachestat", "--", "-T") as tracer:
            time.sleep(1.5 * (2 if support.SLOW else 1))
        self.assertEqual(tracer.out.split("\n", 1)[0].split(),
                         "TIME HITS MISSES DIRTIES HITRATIO BUFFERS_MB CACHED_MB".split())
        self.assertRegex(tracer.out.splitlines()[1], r"^\d\d:\d\d:\d\d +\d+ +\d+ +\d+ +[\d.]+% ")


if __name__ == "__main__":
    support.main()
