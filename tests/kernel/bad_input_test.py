#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever the input: a message, exit status 1, nothing attached, no crash."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import support

BIOSNOOP = os.path.join(support.SCRIPTS, "biosnoop.bt")
# What a person would call the words of the language; good enough to remove one at a time.
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|#![^\n]*|"(?:\\.|[^"\\])*"|\w+|\$\w+|@\w*|->|\S',
                   re.S)
BUSY = 'interval:ms:1 { printf("a line that fills the disk, a line that fills the disk\\n"); }'


def tokens(text):
    """The tokens that mean something, with their places."""
    return [m for m in TOKEN.finditer(text)
            if not m.group().startswith(("//", "/*", "#!"))]


@support.same_everywhere
class BadInput(unittest.TestCase):
    def refuse(self, *arguments, message=None, place=True, **how):
        """Runs btrun, which must refuse: status 1, a message, and the place if there is one."""
        before = support.program_ids()
        done = support.btrun(*arguments, **how)
        self.assertEqual(done.returncode, 1, done.stderr + done.stdout)
        if message:
            self.assertRegex(done.stderr, message)
        if place:
            self.assertRegex(done.stderr, r"(?m)^\S+:\d+:\d+-\d+: ERROR: .+\n.*\n +~|~")
        self.assertNotIn("Attached", done.stderr)
        self.assertEqual(support.wait_for_no_new_programs(before), set())
        return done

    def test_unknown_things(self):
        for script, message in (
                ("nosuchprobe:x { exit(); }", "Invalid probe type: nosuchprobe"),
                ("tracepoint:no:such { exit(); }", "No matches for tracepoint no:such"),
                ("BEGIN { nosuchfunction(); }", "Unknown function: 'nosuchfunction'"),
                ("BEGIN { print(nosuchbuiltin); }", "Unknown identifier: 'nosuchbuiltin'"),
                ("BEGIN { print((nosuchtype)1); }", 'unknown type "nosuchtype"'),
                ("tracepoint:sched:sched_switch { print(args.nosuchfield); }", "nosuchfield"),
                ("BEGIN { print(1 +); }", "syntax"),
        ):
            with self.subTest(script):
                self.refuse("-e", script, message=message)

    def test_each_token_of_biosnoop_removed(self):
        with open(BIOSNOOP, encoding="utf-8") as f:
            text = f.read()
        found = tokens(text)
        self.assertGreater(len(found), 100)
        refused = 0
        for token in found[::support.often(1, 12)]:
            script = text[:token.start()] + text[token.end():]
            # Some may go and leave a script that means something: it is not run then.
            done = support.btrun("--dry-run", "-e", script, timeout=60)
            where = f"without {token.group()!r} at byte {token.start()}:\n{done.stderr}"
            self.assertIn(done.returncode, (0, 1), where)
            if done.returncode == 1:
                self.assertRegex(done.stderr, r"(?m)^stdin:\d+:\d+-\d+: ERROR: .", where)
                refused += 1
        print(f"{len(found)} tokens, {refused} scripts refused", flush=True)
        self.assertGreater(refused, len(found) // support.often(2, 24))

    def test_files_that_cannot_be_read(self):
        self.refuse("/no/such/file.bt", message="No such file or directory", place=False)
        self.refuse("/", message="Is a directory", place=False)
        with tempfile.TemporaryDirectory(prefix="btrun-bad-") as directory:
            path = f"{directory}/unreadable.bt"
            os.symlink("unreadable.bt", path)
            self.refuse(path, message="Too many levels", place=False)
            # A file that exists and yields an error when it is read.
            self.refuse("/proc/self/mem", message="failed to open file", place=False)

    def test_empty_scripts(self):
        for text in ("", "\n\n", "// only a comment\n"):
            with tempfile.NamedTemporaryFile("w", suffix=".bt") as f:
                f.write(text)
                f.flush()
                self.assertEqual(support.btrun(f.name).returncode, 1)

    def test_bytes_that_are_no_script(self):
        with tempfile.NamedTemporaryFile("wb", suffix=".bt") as f:
            f.write(bytes(range(256)) * 64)
            f.flush()
            self.refuse(f.name)
        with tempfile.NamedTemporaryFile("wb", suffix=".bt") as f:
            f.write(b"BEGIN { print(" + b"(" * 100000 + b"1" + b")" * 100000 + b"); }")
            f.flush()
            self.refuse(f.name, place=False, message="ERROR")
        self.refuse("/dev/zero", place=False, message="ERROR")

    def test_a_device_that_is_full(self):
        done = support.btrun("-o", "/dev/full", "-e",
                             'BEGIN { printf("hello\\n"); exit(); }')
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("No space left on device", done.stderr)

    def test_a_disk_that_is_full(self):
        """On a tmpfs of 16 KiB that only the children of unshare see."""
        with tempfile.TemporaryDirectory(prefix="btrun-full-") as directory:
            shell = (f"mount -t tmpfs -o size=16k full {directory} && "
                     f"exec '{support.BTRUN}' -o {directory}/out -e '{BUSY}'")
            before = support.program_ids()
            try:
                done = subprocess.run(["unshare", "--mount", "sh", "-c", shell], timeout=60 * support.PATIENCE,
                                      capture_output=True, text=True, check=False)
            except FileNotFoundError:
                self.skipTest("there is no unshare")
            if "mount:" in done.stderr or "unshare" in done.stderr:
                self.skipTest(f"no mount of its own: {done.stderr.strip()}")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("No space left on device", done.stderr)
            self.assertEqual(support.wait_for_no_new_programs(before), set())

    def test_output_that_is_closed(self):
        """The reader of a pipe goes away: the run ends by itself."""
        with subprocess.Popen([support.BTRUN, "-e", BUSY], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            process.wait(timeout=30 * support.PATIENCE)
            self.assertNotIn(b"Sanitizer", process.stderr.read())
        self.assertIsNotNone(process.returncode)

    def test_output_that_cannot_be_opened(self):
        with tempfile.TemporaryDirectory(prefix="btrun-bad-") as directory:
            self.refuse("-o", f"{directory}/none/out", "-e", "interval:s:1 { exit(); }",
                        message="Failed to open output file", place=False)
            self.refuse("--emit-elf", f"{directory}/none/out", "-e", "interval:s:1 { exit(); }",
                        message="failed to write file", place=False)

    def test_children_that_cannot_be_run(self):
        self.refuse("-c", "/no/such/command", "-e", "interval:s:1 { exit(); }",
                    message="does not exist or is not executable", place=False)

    def test_without_root(self):
        # In a place that others may reach, as the build directory may not be.
        with tempfile.TemporaryDirectory(prefix="btrun-bad-") as directory:
            os.chmod(directory, 0o755)
            program = shutil.copy(support.BTRUN, directory)
            done = subprocess.run([program, "-e", "BEGIN { exit(); }"], user=65534, cwd="/",
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr,
                         "ERROR: btrun currently only supports running as the root user.\n")


if __name__ == "__main__":
    support.main()
