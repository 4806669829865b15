#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Arguments of a program's functions by name, and probes at places of its source."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import support

CHAINS = os.environ.get("CHAINS", "")
DUE = {
    "args.w.low": "5", "args.w.high": "17", "args.w.inner.numbers": "[1,-2,3]",
    "args.w.inner.numbers[1]": "-2", "args.w.inner.text": "inner", "args.w.next.inner.numbers[2]":
    "9", "args.w.word": "16909060", "args.w.bytes[0]": "4", "args.w.colour": "BLUE",
    "str(args.text)": "text", "args.small": "-8", "args.colour": "GREEN", "args.pair.b": "-11",
    "args.pair": "{ .a = 10, .b = -11 }", "args.large.b": "200", "args.yes": "true",
    "args.seventh": "65535", "((struct pair *)0) == 0": "true", "sizeof(struct large)": "24",
    "((struct whole *)arg0).next.inner.numbers[0]": "7",
}


def program(name):
    return os.path.join(CHAINS, name)


def has_libdw():
    return "struct whole* w" in support.btrun("-lv", f"uprobe:{program('arguments')}:arguments").stdout


@unittest.skipUnless(CHAINS and os.path.exists(program("arguments")), "no test programs")
class Dwarf(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not has_libdw():
            raise unittest.SkipTest("no libdw on this machine")

    def trace(self, script, name="arguments", *options):
        path = program(name)
        done = support.btrun("-q", *options, "-e", script.replace("PROGRAM", path), "-c", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def check_values(self, name, *options):
        prints = "".join(f"print({e}); " for e in DUE)
        out = self.trace("uprobe:PROGRAM:arguments { " + prints + "}", name, *options)
        self.assertEqual(out.split("\n")[:len(DUE)], list(DUE.values()), out)

    def test_values(self):
        self.check_values("arguments")

    def test_split(self):
        self.check_values("arguments_split")

    def test_separate_debug_file(self):
        with tempfile.TemporaryDirectory() as directory:
            stripped = os.path.join(directory, "stripped")
            debug = os.path.join(directory, "debug")
            os.mkdir(debug)
            subprocess.run(["objcopy", "--only-keep-debug", program("arguments"),
                            f"{debug}/stripped.debug"], check=True)
            subprocess.run(["objcopy", "--strip-all", program("arguments"), stripped], check=True)
            for where in debug, "debug", f"/nowhere:{debug}":
                with self.subTest(where):
                    self.check_values(stripped, "--debuginfo", where)
            other = os.path.join(directory, "other")
            shutil.copy(program("chain"), other)
            os.rename(f"{debug}/stripped.debug", f"{debug}/other.debug")
            out = support.btrun("-lv", f"uprobe:{stripped}:*", "--debuginfo", debug)
            self.assertNotIn("struct", out.stdout)  # another name, or another build id

    def test_list(self):
        out = support.btrun("-lv", f"uprobe:{program('arguments')}:arguments").stdout
        self.assertEqual(out.splitlines()[1:], [
            "    struct whole* w", "    text_t text", "    int8_t small", "    double d",
            "    enum colour colour", "    struct pair pair", "    struct large large",
            "    _Bool yes", "    uint16_t seventh"])

    def test_what_cannot_be_read(self):
        done = support.btrun("-e", f"uprobe:{program('arguments')}:arguments {{ print(args.d); }}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ERROR", done.stderr)
        done = support.btrun("-e", f"uprobe:{program('arguments')}:arguments {{ print(args.x); }}")
        self.assertIn("ERROR", done.stderr)
        done = support.btrun("-e", f"uprobe:{support.BTRUN_RUN}:main {{ print(args.nothing); }}")
        self.assertIn("ERROR", done.stderr)

    def test_source_line(self):
        path = program("arguments")
        for place in "arguments.c:39", "chains/arguments.c:39":
            out = self.trace(f"uprobe:PROGRAM@{place} {{ print((probe, func)); }}")
            self.assertRegex(out, rf"^\(uprobe:{path}:\d+, arguments\)\n", place)

    def test_no_such_source_line(self):
        for place, why in (("arguments.c:1", "Unable to map"), ("nowhere.c:1", "No compilation"),
                           ("arguments.c:x", "Invalid line number"),
                           ("arguments.c", "expected format"),
                           ("guments.c:39", "No compilation")):
            done = support.btrun("-e", f"uprobe:{program('arguments')}@{place} {{ print(1); }}")
            self.assertNotEqual(done.returncode, 0, place)
            self.assertIn(why, done.stderr)

    def test_cpp_names(self):
        for name in ("chain::outer", "chain::outer(chain::point&, char const*)", "chain::out*",
                     "chain::middle<chain::point>"):
            with self.subTest(name):
                out = self.trace(f"uprobe:PROGRAM:cpp:\"{name}\" {{ print(probe); }}", "chain_cpp")
                self.assertRegex(out, r":cpp:_ZN5chain(5outer|6middle)")


if __name__ == "__main__":
    support.main()
