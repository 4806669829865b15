#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The parts of tools/vm that need no guest: apt's sources, the archive, the modules' order."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [f"{TESTS}/../tools", TESTS]
import report  # noqa: E402
from guest import initramfs, kernels  # noqa: E402

ONE_LINE = """\
# deb http://off.example/debian bookworm main
deb http://one.example/debian bookworm main contrib
deb [arch=amd64 signed-by=/a/key.gpg] https://two.example/debian trixie-updates main
deb-src http://one.example/debian bookworm main
"""
DEB822 = """\
Types: deb deb-src
# a note
URIs: http://one.example/debian
 http://two.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Enabled: no

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
"""


class Sources(unittest.TestCase):
    def test_one_line(self):
        self.assertEqual(list(kernels.one_line_sources(ONE_LINE)),
                         [("http://one.example/debian", "bookworm"),
                          ("https://two.example/debian", "trixie-updates")])

    def test_deb822(self):
        want = [(f"http://{host}.example/debian", suite) for host in ("one", "two")
                for suite in ("bookworm", "bookworm-updates")]
        self.assertEqual(list(kernels.deb822_sources(DEB822)), want)

    def test_both_are_found(self):
        with tempfile.TemporaryDirectory() as etc:
            os.mkdir(f"{etc}/sources.list.d")
            for name, text in (("sources.list", ONE_LINE), ("sources.list.d/a.sources", DEB822),
                               ("sources.list.d/b.list.off", "deb http://off.example x main")):
                with open(f"{etc}/{name}", "w", encoding="utf-8") as f:
                    f.write(text)
            self.assertEqual(len(kernels.machine_sources(etc)), 6)


class Archive(unittest.TestCase):
    def test_cpio_reads_it(self):
        cpio = [shutil.which("cpio")] if shutil.which("cpio") else ["busybox", "cpio"]
        if not shutil.which(cpio[0]):
            self.skipTest("there is no cpio here")
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/archive"
            archive = initramfs.Archive(path)
            archive.text("/a/b/text", "odd length", 0o640)
            archive.link("a/link", "b/text")
            archive.file(__file__, "copy")
            archive.close()
            os.mkdir(f"{directory}/out")
            with open(path, "rb") as f:
                subprocess.run([*cpio, "-idm"], stdin=f, cwd=f"{directory}/out", check=True,
                               stderr=subprocess.DEVNULL)
            with open(f"{directory}/out/a/link", encoding="utf-8") as f:
                self.assertEqual(f.read(), "odd length")
            with open(f"{directory}/out/copy", "rb") as a, open(__file__, "rb") as b:
                self.assertEqual(a.read(), b.read())
            self.assertEqual(int(os.stat(f"{directory}/out/copy").st_mtime),
                             int(os.stat(__file__).st_mtime))

    def test_what_a_module_needs(self):
        self.assertEqual(initramfs.module_needs(b"\0alias=x\0depends=scsi-common,scsi_mod\0"),
                         ["scsi_common", "scsi_mod"])
        self.assertEqual(initramfs.module_needs(b"\0depends=\0"), [])


class Reports(unittest.TestCase):
    def test_table(self):
        reports = [{"kernel": "6.1.0", "file": "a_test",
                    "tests": {"x": "passed", "y": "failed", "z": ["skipped", "no disk"]},
                    "seconds": {"x": 60, "y": 30}}]
        lines = list(report.table({"6.1": reports}))
        self.assertEqual(lines[1].split(), ["6.1", "6.1.0", "2", "1", "1", "1", "1.5"])
        self.assertEqual(lines[2:], ["6.1: failed: a_test: y", "6.1: 1 skipped: no disk"])

    def test_order(self):
        self.assertEqual(sorted(["6.12", "here", "6.1", "5.10"], key=report.version),
                         ["here", "5.10", "6.1", "6.12"])


if __name__ == "__main__":
    unittest.main()
