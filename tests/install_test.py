#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the build into a directory of its own and runs what lies there.

usage: install_test.py BUILD
"""

import os
import subprocess
import sys
import tempfile
import unittest

BUILD = ""
ENVIRONMENT = dict(os.environ, BTRUN_CACHE="0", BPFTRACE_COLOR="never")


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="btrun-install-")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.prefix = cls.directory.name
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix], check=True,
                       stdout=subprocess.DEVNULL)

    def run_it(self, *words, program="btrun"):
        return subprocess.run([f"{self.prefix}/bin/{program}", *words], env=ENVIRONMENT,
                              cwd=self.prefix, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False, timeout=60)

    def test_a_script_is_compiled_and_run(self):
        done = self.run_it("-q", "-e", 'BEGIN { print("ran"); exit(); }')
        self.assertEqual((done.stdout.strip(), done.returncode), ("ran", 0), done.stderr)

    def test_an_image_and_a_program(self):
        for option in ("--emit-image", "--aot"):
            done = self.run_it(option, f"{self.prefix}/it", "-e", 'BEGIN { print("ran"); exit(); }')
            self.assertEqual(done.returncode, 0, done.stderr)
            words = (f"{self.prefix}/it",)
            done = self.run_it("-q", *words, program="btrun-run") if option == "--emit-image" \
                else self.run_it("-q", program="../it")
            self.assertEqual((done.stdout.strip(), done.returncode), ("ran", 0), done.stderr)
            os.unlink(f"{self.prefix}/it")

    def test_the_bundled_scripts(self):
        listed = self.run_it("--tools").stdout
        names = sorted(x[:-3] for x in os.listdir(f"{self.prefix}/share/btrun")
                       if x.endswith(".bt"))
        self.assertEqual([line.split()[0] for line in listed.splitlines()], names)
        for line in listed.splitlines():
            self.assertRegex(line, r"^\S+ +\w", "says nothing of itself")
        done = self.run_it("biosnoop", "--", "--help")
        self.assertIn("--disk: ", done.stderr)

    def test_without_its_compiler(self):
        compiler = f"{self.prefix}/libexec/btrun/btrun-compile"
        os.rename(compiler, f"{compiler}.away")
        try:
            done = self.run_it("-e", "BEGIN { exit(); }")
            self.assertEqual(done.returncode, 1)
            self.assertIn("btrun-compile is not where", done.stderr)
        finally:
            os.rename(f"{compiler}.away", compiler)


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
