#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The cache of compiled scripts: what is used again, what is compiled anew, what is never used."""

import ctypes
import glob
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import support

SCRIPT = 'BEGIN { printf("%s %d\\n", str($1), N); exit(); }'
LIBC = ctypes.CDLL(None, use_errno=True)


def mounted(path, options):
    """A tmpfs at @path, or a reason to skip."""
    if LIBC.mount(b"none", path.encode(), b"tmpfs", 0, options.encode()):
        raise unittest.SkipTest(f"no tmpfs: {os.strerror(ctypes.get_errno())}")


@support.same_everywhere
class Cache(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="btrun-cache-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.cache = f"{self.directory}/cache"
        os.mkdir(self.cache)
        self.entries = f"{self.cache}/btrun/scripts"
        self.env = {"XDG_CACHE_HOME": self.cache, "BTRUN_CACHE": "1"}

    def run_script(self, *args, env=None, **kwargs):
        """(standard output, whether the compiler was needed)"""
        done = support.btrun("--time", *args, env={**self.env, **(env or {})}, **kwargs)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.err = done.stderr
        return done.stdout.strip(), "LLVM" in done.stderr

    def expect(self, out, compiled, *args, **kwargs):
        self.assertEqual(self.run_script(*args, **kwargs), (out, compiled), self.err)

    def script(self, text, name="script.bt"):
        path = f"{self.directory}/{name}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def entry(self):
        (path,) = glob.glob(f"{self.entries}/*")
        return path

    def test_the_second_time_needs_no_compiler(self):
        for args in (("-e", 'BEGIN { print("a"); exit(); }'),
                     (self.script('BEGIN { print("a"); exit(); }'),)):
            self.expect("a", True, *args)
            self.expect("a", False, *args)

    def test_standard_input(self):
        for compiled in (True, False):
            done = subprocess.run([support.BTRUN, "--time", "-"], capture_output=True, text=True,
                                  input='BEGIN { print("a"); exit(); }', check=False,
                                  env={**support.ENVIRONMENT, **self.env})
            self.assertEqual((done.stdout.strip(), "LLVM" in done.stderr), ("a", compiled))

    def test_switched_off(self):
        args = ("-e", 'BEGIN { print("a"); exit(); }')
        self.expect("a", True, "--no-cache", *args)
        self.expect("a", True, *args, env={"BTRUN_CACHE": "0"})
        self.assertFalse(os.path.exists(self.entries))
        self.expect("a", True, *args)
        self.expect("a", True, "--no-cache", *args)

    def test_exit_status_and_maps(self):
        script = "BEGIN { @x[1] = 2; @y = count(); exit(3); }"
        cold = support.btrun("-e", script, env=self.env)
        warm = support.btrun("--time", "-e", script, env=self.env)
        self.assertNotIn("LLVM", warm.stderr)
        self.assertEqual((cold.stdout, cold.returncode), (warm.stdout, 3))
        self.assertEqual(warm.returncode, 3)

    def test_warnings_are_repeated(self):
        script = 'BEGIN { 1; exit(); }'
        cold = support.btrun("-e", script, env=self.env)
        warm = support.btrun("-e", script, env=self.env)
        self.assertIn("WARNING", cold.stderr)
        self.assertEqual(cold.stderr, warm.stderr)
        quiet = support.btrun("--no-warnings", "-e", script, env=self.env)
        self.assertNotIn("WARNING", quiet.stderr)

    def test_errors_are_not_kept(self):
        for _ in range(2):
            done = support.btrun("-e", "BEGIN { nothing }", env=self.env)
            self.assertEqual(done.returncode, 1)
            self.assertIn("ERROR", done.stderr)
        self.assertFalse(os.path.exists(self.entries))

    # ---- what compiles again ----

    def test_parameters(self):
        script = self.script('BEGIN { printf("%s\\n", str($1)); exit(); }')
        self.expect("a", True, script, "a")
        self.expect("b", True, script, "b")
        self.expect("a", False, script, "a")

    def test_the_type_of_a_parameter(self):
        script = self.script("BEGIN { print($1); exit(); }")
        self.expect("1", True, script, "1")
        self.expect("one", True, script, "one")
        self.expect("1", False, script, "1")

    def test_the_script(self):
        script = self.script('BEGIN { print("a"); exit(); }')
        self.expect("a", True, script)
        self.script('BEGIN { print("b"); exit(); }')
        self.expect("b", True, script)

    def test_options(self):
        args = ("-e", 'BEGIN { print("a"); exit(); }')
        self.expect("a", True, *args)
        self.expect("a", True, "--no-feature", "cpu_v3", *args)
        self.expect("a", True, "--no-sync", *args)
        self.expect("a", False, "-B", "none", *args)
        self.expect("a", False, "--no-sync", *args)

    def test_the_environment(self):
        args = ("-e", "BEGIN { @a = 1; exit(); }")
        self.expect("@a: 1", True, *args)
        self.expect("", True, *args, env={"BPFTRACE_PRINT_MAPS_ON_EXIT": "0"})
        self.expect("@a: 1", False, *args)

    def test_a_header(self):
        header = self.script("#define N 1\n", "n.h")
        args = ("-I", self.directory, self.script('#include "n.h"\n' + SCRIPT), "x")
        self.expect("x 1", True, *args)
        self.expect("x 1", False, *args)
        self.script("#define N 2\n", "n.h")
        self.expect("x 2", True, *args)
        self.expect("x 2", False, *args)
        state = os.stat(header)
        self.script("#define N 3\n", "n.h")  # as large, and not newer by its own account
        os.utime(header, ns=(state.st_atime_ns, state.st_mtime_ns))
        self.expect("x 3", True, *args)

    def test_an_import(self):
        self.script('macro n() { 1 }\n', "lib.bt")
        script = self.script('import "lib.bt";\nBEGIN { print(n()); exit(); }')
        self.expect("1", True, script)
        self.expect("1", False, script)
        self.script('macro n() { 2 }\n', "lib.bt")
        self.expect("2", True, script)
        self.expect("2", False, script)

    def test_the_kernel(self):
        """Another release, as uname(2) tells it: setarch can have it told so."""
        args = ("-e", 'BEGIN { print("a"); exit(); }')
        self.expect("a", True, *args)
        self.expect("a", False, *args)
        done = subprocess.run(["setarch", "--uname-2.6", support.BTRUN, "--time", *args],
                              env={**support.ENVIRONMENT, **self.env}, capture_output=True,
                              text=True, check=False, stdin=subprocess.DEVNULL)
        self.assertIn("LLVM", done.stderr)
        self.expect("a", False, *args)

    def test_a_header_that_was_not_there(self):
        args = ("-I", self.directory,
                self.script("#include <linux/btrun_test.h>\n#ifndef N\n#define N 1\n#endif\n" +
                            SCRIPT), "x")
        self.expect("x 1", True, *args)
        self.expect("x 1", False, *args)
        os.mkdir(f"{self.directory}/linux")
        self.script("#define N 2\n", "linux/btrun_test.h")
        self.expect("x 2", True, *args)

    def test_a_program_that_is_traced(self):
        program = f"{self.directory}/work"
        shutil.copy(support.WORKLOAD, program)
        args = ("-c", f"{program} call 1 3", "-e",
                f'uprobe:{program}:called_one {{ @ = count(); }}')
        _, compiled = self.run_script(*args)
        self.assertTrue(compiled)
        _, compiled = self.run_script(*args)
        self.assertFalse(compiled)
        os.unlink(program)
        shutil.copy(support.WORKLOAD, program)
        _, compiled = self.run_script(*args)
        self.assertTrue(compiled)

    # ---- what must never be used ----

    def damaged(self, damage):
        args = ("-e", 'BEGIN { print("a"); exit(); }')
        self.expect("a", True, *args)
        damage(self.entry())
        self.expect("a", True, *args)

    def test_a_damaged_entry(self):
        def flip(path):
            with open(path, "r+b") as f:
                f.seek(os.path.getsize(path) // 2)
                byte = f.read(1)[0]
                f.seek(-1, os.SEEK_CUR)
                f.write(bytes([byte ^ 1]))
        self.damaged(flip)
        self.expect("a", False, "-e", 'BEGIN { print("a"); exit(); }')

    def test_an_entry_cut_short(self):
        for size in (0, 10, 100, 3000):
            support.btrun("--cache=clear", env=self.env)
            self.damaged(lambda path, size=size: os.truncate(path, size))

    def test_the_entry_of_another_script(self):
        self.expect("a", True, "-e", 'BEGIN { print("a"); exit(); }')
        one = self.entry()
        os.rename(one, f"{self.directory}/one")
        self.expect("b", True, "-e", 'BEGIN { print("b"); exit(); }')
        two = self.entry()
        os.rename(f"{self.directory}/one", two)
        self.expect("b", True, "-e", 'BEGIN { print("b"); exit(); }')

    def test_an_entry_of_somebody_else(self):
        self.damaged(lambda path: os.chown(path, 12345, 12345))

    def test_an_entry_that_others_may_write(self):
        self.damaged(lambda path: os.chmod(path, 0o666))

    def test_a_link_instead_of_an_entry(self):
        def link(path):
            os.rename(path, f"{self.directory}/elsewhere")
            os.symlink(f"{self.directory}/elsewhere", path)
        self.damaged(link)

    def test_a_directory_that_others_may_write(self):
        args = ("-e", 'BEGIN { print("a"); exit(); }')
        self.expect("a", True, *args)
        os.chmod(self.entries, 0o777)
        self.expect("a", True, *args)
        os.chmod(self.entries, 0o700)
        self.expect("a", False, *args)

    def test_only_its_owner_may_read_it(self):
        self.expect("a", True, "-e", 'BEGIN { print("a"); exit(); }')
        self.assertEqual(os.stat(self.entries).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(self.entry()).st_mode & 0o777, 0o600)

    # ---- when it cannot be written ----

    def test_a_full_disk(self):
        os.makedirs(f"{self.cache}/btrun")
        mounted(f"{self.cache}/btrun", "size=4k")
        try:
            for _ in range(2):
                self.expect("a", True, "-e", 'BEGIN { print("a"); exit(); }')
                self.assertEqual(glob.glob(f"{self.entries}/*"), [])
                self.assertNotIn("ERROR", self.err)
        finally:
            LIBC.umount2(f"{self.cache}/btrun".encode(), 2)

    def test_a_read_only_cache(self):
        os.makedirs(f"{self.cache}/btrun")
        mounted(f"{self.cache}/btrun", "ro")
        try:
            for _ in range(2):
                self.expect("a", True, "-e", 'BEGIN { print("a"); exit(); }')
                self.assertNotIn("ERROR", self.err)
        finally:
            LIBC.umount2(f"{self.cache}/btrun".encode(), 2)

    def test_two_at_once(self):
        args = [support.BTRUN, "-q", "-e", 'BEGIN { print("a"); exit(); }']
        running = [subprocess.Popen(args, env={**support.ENVIRONMENT, **self.env}, text=True,
                                    stdout=subprocess.PIPE) for _ in range(4)]
        for one in running:
            out, _ = one.communicate(timeout=60)
            self.assertEqual((out.strip(), one.returncode), ("a", 0))
        self.expect("a", False, *args[1:])

    def test_one_that_was_killed(self):
        """What it leaves behind is not taken for an entry, and is removed in the end."""
        args = ("-e", 'BEGIN { print("a"); exit(); }')
        self.expect("a", True, *args)
        left = f"{self.entries}/.new-1-1-1"
        with open(self.entry(), "rb") as f, open(left, "wb") as g:
            g.write(f.read()[:1000])
        os.utime(left, (time.time() - 7200,) * 2)
        self.expect("a", False, *args)
        self.expect("b", True, "-e", 'BEGIN { print("b"); exit(); }')
        self.assertFalse(os.path.exists(left))

    # ---- looking after it ----

    def test_show_and_clear(self):
        self.expect("a", True, self.script('BEGIN { print("a"); exit(); }'))
        shown = support.btrun("--cache", env=self.env)
        self.assertIn(f"Directory: {self.entries}\nEntries: 1\n", shown.stdout)
        self.assertIn("/script.bt", shown.stdout)
        cleared = support.btrun("--cache=clear", env=self.env)
        self.assertEqual(cleared.stdout, "Entries removed: 1\n")
        self.assertEqual(glob.glob(f"{self.entries}/*"), [])
        self.assertEqual(support.btrun("--cache=other", env=self.env).returncode, 1)

    def test_its_size_is_limited(self):
        """The entries that were not used the longest go."""
        self.expect("a", True, "-e", 'BEGIN { print("a"); exit(); }')
        for i in range(8):
            path = f"{self.entries}/old{i}"
            with open(path, "wb") as f:
                f.truncate(10 << 20)
            os.utime(path, (i, i))
        self.expect("b", True, "-e", 'BEGIN { print("b"); exit(); }')
        self.assertLessEqual(sum(map(os.path.getsize, glob.glob(f"{self.entries}/*"))), 64 << 20)
        self.assertFalse(os.path.exists(f"{self.entries}/old0"))
        self.assertTrue(os.path.exists(f"{self.entries}/old7"))
        self.expect("a", False, "-e", 'BEGIN { print("a"); exit(); }')


if __name__ == "__main__":
    support.main()
