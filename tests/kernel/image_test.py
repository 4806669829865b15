#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiled scripts: written whole, run by both programs, the same bytes every time."""

import os
import subprocess
import tempfile
import unittest

import support

SCRIPT = ('BEGIN { @start = 5; } interval:ms:5 { @ticks++; if (@ticks == 3) { '
          'printf("%d ticks, %s\\n", @ticks, str($1)); exit(3); } } END { clear(@ticks); }')
OUTPUT = "3 ticks, hello\n\n\n@start: 5\n\n"


class Images(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="btrun-image-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.image = f"{self.directory}/script.img"

    def compile(self, path, *more):
        done = support.btrun("--emit-image", path, "-e", SCRIPT, "hello", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_run_by_btrun(self):
        self.compile(self.image)
        done = support.btrun(self.image)
        self.assertEqual((done.stdout.rstrip("\n"), done.returncode), (OUTPUT.rstrip("\n"), 3))

    def test_run_without_the_compiler(self):
        self.compile(self.image)
        done = support.btrun(self.image, program=support.BTRUN_RUN)
        self.assertEqual((done.stdout.rstrip("\n"), done.returncode), (OUTPUT.rstrip("\n"), 3))

    @support.same_everywhere
    def test_the_running_half_has_no_compiler_in_it(self):
        compiler = f"{os.path.dirname(support.BTRUN)}/btrun-compile"
        for program in (support.BTRUN, support.BTRUN_RUN):
            libraries = subprocess.run(["ldd", program], capture_output=True, text=True,
                                       check=False).stdout
            self.assertNotIn("LLVM", libraries)
            self.assertNotIn("clang", libraries)
            self.assertLess(os.path.getsize(program), os.path.getsize(compiler) / 3)

    @support.same_everywhere
    def test_the_same_bytes(self):
        self.compile(self.image)
        self.compile(f"{self.directory}/again.img")
        with open(self.image, "rb") as one, open(f"{self.directory}/again.img", "rb") as two:
            self.assertEqual(one.read(), two.read())

    @support.same_everywhere
    def test_nothing_is_left_of_a_script_with_errors(self):
        done = support.btrun("--emit-image", self.image, "--emit-elf", f"{self.image}.o",
                             "-e", "BEGIN { nothing }")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(os.listdir(self.directory), [])

    @support.same_everywhere
    def test_an_image_cut_short(self):
        self.compile(self.image)
        with open(self.image, "rb") as f:
            data = f.read()
        for size in (len(data) - 8, len(data) // 2, 64):
            with open(self.image, "wb") as f:
                f.write(data[:size])
            for program in (support.BTRUN, support.BTRUN_RUN):
                done = support.btrun(self.image, program=program)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, "ERROR: ")

    def test_a_program_of_its_own(self):
        program = f"{self.directory}/program"
        done = support.btrun("--aot", program, "-e", SCRIPT, "hello")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertEqual(os.listdir(self.directory), ["program"])
        done = support.btrun(program=program)
        self.assertEqual((done.stdout.rstrip("\n"), done.returncode), (OUTPUT.rstrip("\n"), 3))
        done = support.btrun("-q", "-d", "image", program=program)
        self.assertEqual(done.returncode, 0)
        self.assertIn("interval", done.stdout)
        done = support.btrun("other", program=program)
        self.assertEqual(done.stdout.rstrip("\n"), OUTPUT.replace("hello", "other").rstrip("\n"))

    @support.same_everywhere
    def test_a_program_that_is_damaged(self):
        program = f"{self.directory}/program"
        support.btrun("--aot", program, "-e", SCRIPT, "hello")
        size = os.path.getsize(program)
        with open(program, "r+b") as f:
            f.seek(size - 16)
            f.write((size * 2).to_bytes(8, "little"))
        done = support.btrun(program=program)
        self.assertEqual(done.returncode, 1)
        self.assertIn("USAGE", done.stderr)

    def test_the_gate_left_open_at_run_time(self):
        """--no-sync with an image: a probe records before all are attached."""
        many = ", ".join(f"tracepoint:syscalls:sys_enter_{x}" for x in ("openat", "close", "read"))
        done = support.btrun("--emit-image", self.image, "-e",
                             f"interval:us:100 {{ @early = 1; }} {many} /0/ {{ }} "
                             "BEGIN { print(@early); exit(); } END { clear(@early); }")
        self.assertEqual(done.returncode, 0, done.stderr)
        seen = set()
        for _ in range(20):
            for words in ((), ("--no-sync",)):
                out = support.btrun("-q", *words, self.image, program=support.BTRUN_RUN).stdout
                seen.add((bool(words), "1" in out))
        self.assertNotIn((False, True), seen)
        self.assertIn((True, True), seen)

    @support.same_everywhere
    def test_an_image_with_parameters_of_its_own(self):
        self.compile(self.image, "--no-portable")
        done = support.btrun(self.image, "other")
        self.assertEqual(done.returncode, 1)
        self.assertIn("its parameters were fixed", done.stderr)

    @support.same_everywhere
    def test_the_object(self):
        path = f"{self.directory}/script.o"
        done = support.btrun("--dry-run", "--emit-elf", path, "-e", SCRIPT)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, "rb") as f:
            self.assertEqual(f.read(4), b"\x7fELF")
        self.assertEqual(os.listdir(self.directory), ["script.o"])


if __name__ == "__main__":
    support.main()
