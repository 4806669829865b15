#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Portable images: one file for other kernels and other arguments."""

import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

import support

VERSION_AT = 8  # in the header, behind the magic


class Portable(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="btrun-portable-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.image = f"{self.directory}/script.img"

    def compile(self, script, *words, before=(), path=None):
        done = support.btrun(*before, "--emit-image", path or self.image, "-e", script, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def run_image(self, *words, before=(), program=None, status=0):
        done = support.btrun(*before, self.image, *words, program=program or support.BTRUN_RUN)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def replace(self, old, new):
        """In the image; both are equally long."""
        with open(self.image, "rb") as f:
            data = f.read()
        self.assertIn(old, data)
        self.assertEqual(len(old), len(new))
        with open(self.image, "wb") as f:
            f.write(data.replace(old, new))

    # ---- arguments

    @support.same_everywhere
    def test_arguments_of_the_run(self):
        self.compile('BEGIN { printf("%d %d %s %d %s %d\\n", $1, $#, str($2), getopt("n", 3), '
                     'getopt("name|N", "none"), getopt("flag|f")); exit(); }', "7", "seven")
        for words, out in (((), "7 2 seven 3 none 0"),
                           (("8",), "8 1 seven 3 none 0"),
                           (("8", "eight", "--n=-4", "--flag"), "8 2 eight -4 none 1"),
                           (("-f", "-N", "some one", "0x10"), "16 1 seven 3 some one 1"),
                           (("--name=" + "x" * 63,), f"7 2 seven 3 {'x' * 63} 0")):
            for program in (support.BTRUN, support.BTRUN_RUN):
                done = self.run_image("--", *words, program=program)
                self.assertEqual(done.stdout.strip("\n"), out)

    @support.same_everywhere
    def test_arguments_that_cannot_be(self):
        self.compile('BEGIN { printf("%d %d %s\\n", $1, getopt("n", 3), getopt("s", "")); exit(); }')
        for words, says in ((("x",), r"\$1 invalid integer"),
                            (("--n=x",), "--n invalid integer"),
                            (("--s",), "--s expects a string"),
                            (("--m=1",), "unexpected program command line options: --m; expected "
                                         "program options: --n, --s"),
                            (("--s=" + "x" * 64,), "--s is too long")):
            self.assertRegex(self.run_image(*words, status=1).stderr, says)

    @support.same_everywhere
    def test_an_argument_in_an_attach_point_is_fixed(self):
        self.compile('interval:ms:$1 { printf("tick\\n"); exit(); }', "5")
        self.assertEqual(self.run_image().stdout.strip(), "tick")
        self.assertEqual(self.run_image("5").stdout.strip(), "tick")
        self.assertIn("fixed when the script was compiled", self.run_image("6", status=1).stderr)
        self.assertIn("fixed when the script was compiled",
                      self.run_image(before=("-d", "image")).stdout)

    @support.same_everywhere
    def test_arguments_that_compiling_needs_are_fixed(self):
        self.compile('BEGIN { printf(getopt("wide", false) ? "%5d|%s\\n" : "%d|%s\\n", '
                     'getopt("n", 7), str($1)); exit(); }', "word")
        self.assertEqual(self.run_image().stdout.strip("\n"), "7|word")
        self.assertEqual(self.run_image("--n=7", "--wide=false", "word").stdout.strip("\n"),
                         "7|word")
        for words in (("--n=8",), ("--wide",), ("other",)):
            self.assertIn("was needed for compiling", self.run_image(*words, status=1).stderr)
        self.assertIn("was needed for compiling", self.run_image(before=("-d", "image")).stdout)

    @support.same_everywhere
    def test_text_compared(self):
        self.compile('BEGIN /getopt("s", "") == "" || getopt("s", "") == comm/ '
                     '{ printf("%s\\n", getopt("s", "") != "a" ? "yes" : "no"); } '
                     'END { printf("end\\n"); } interval:ms:5 { exit(); }')
        self.assertEqual(self.run_image().stdout.split(), ["yes", "end"])
        self.assertEqual(self.run_image("--s=btrun-run").stdout.split(), ["yes", "end"])
        self.assertEqual(self.run_image("--s=other").stdout.split(), ["end"])

    # ---- the kernel

    FIELDS = ('BEGIN { $t = (struct task_struct *)curtask; printf("%d %d %s\\n", $t.tgid == pid(init), '
              '$t.group_leader.pid == $t.tgid, $t.comm); exit(); }')

    def test_fields(self):
        self.compile(self.FIELDS)
        self.assertEqual(self.run_image().stdout.split(), ["1", "1", "btrun-run"])

    def test_a_field_that_this_kernel_has_not(self):
        """What stands at its old place must not be read."""
        self.compile(self.FIELDS)
        self.replace(b"\0group_leader\0", b"\0group_leaves\0")
        err = self.run_image(status=1).stderr
        self.assertRegex(err, r"stdin:1:\d+-\d+: the compiled script needs the offset of "
                              r"group_leaves in struct task_struct \(8 bytes\), which this kernel "
                              r"does not have")

    def test_a_field_that_is_wider(self):
        self.compile(self.FIELDS)
        with open(self.image, "rb") as f:
            data = bytearray(f.read())
        # the row of RELOCS: kind, flags, a, b, size; size of pid_t
        strings = {}
        for name in (b"struct task_struct", b"tgid"):
            at = data.index(b"\0" + name + b"\0") + 1
            strings[name] = at - self.strings_at(data)
        row = struct.pack("<IIIII", 0, 0, strings[b"struct task_struct"], strings[b"tgid"], 4)
        at = data.index(row)
        data[at + 16:at + 20] = struct.pack("<I", 8)
        with open(self.image, "wb") as f:
            f.write(data)
        self.assertIn("the offset of tgid in struct task_struct (8 bytes)",
                      self.run_image(status=1).stderr)

    def strings_at(self, data):
        return struct.unpack_from("<Q", data, 24)[0]

    def test_a_field_of_other_kernels(self):
        self.compile('BEGIN { $t = (struct task_struct *)curtask; '
                     '$p = field_exists("struct task_struct", "no_such_1") ? $t.no_such_1 : $t.tgid; '
                     'printf("%d\\n", $p == pid(init)); exit(); }')
        self.assertEqual(self.run_image().stdout.strip(), "1")
        self.replace(b"\0no_such_1\0", b"\0exit_code\0")
        self.assertEqual(self.run_image().stdout.strip(), "0")
        self.replace(b"\0exit_code\0", b"\0no_such_1\0")
        self.replace(b"\0tgid\0", b"\0tgix\0")
        self.assertIn("tgix", self.run_image(status=1).stderr)

    def test_probes_that_are_not_there(self):
        """A program that can do nothing is not loaded, nor is its probe looked for."""
        self.compile('kprobe:no_such_function /probe_exists("kprobe:no_such_function*")/ { @a++; } '
                     'tracepoint:no_such:event /probe_exists("tracepoint:no_such:event")/ { @a++; } '
                     'BEGIN { printf("%d\\n", probe_exists("tracepoint:no_such:event")); exit(); }')
        self.assertEqual(self.run_image().stdout.split(), ["0"])

    def test_a_probe_that_is_missing(self):
        self.compile('tracepoint:no_such:event { @a++; } BEGIN { exit(); }')
        self.assertIn("no_such:event", self.run_image(status=1).stderr)

    def test_tracepoint_fields(self):
        script = ('tracepoint:sched:sched_process_exec /args.pid == cpid/ '
                  '{ printf("%s %d\\n", str(args.filename), args.old_pid == args.pid); }')
        self.compile(script)
        out = self.run_image(before=("-c", "/bin/true")).stdout.split()
        self.assertEqual(out[1:], ["1"])
        self.assertTrue(out[0].endswith("true"), out)
        self.replace(b"\0old_pid\0", b"\0old_pix\0")
        self.assertIn("the offset of old_pix in tracepoint sched:sched_process_exec",
                      self.run_image(before=("-c", "/bin/true"), status=1).stderr)

    def test_arguments_of_raw_tracepoints(self):
        script = ('rawtracepoint:sched_process_fork /pid == cpid/ '
                  '{ printf("%d\\n", args.parent.tgid == cpid); exit(); }')
        self.compile(script)
        child = ("-c", "/bin/sh -c 'true & wait'")
        self.assertEqual(self.run_image(before=child).stdout.strip(), "1")
        self.replace(b"\0parent\0", b"\0parenx\0")
        self.assertIn("argument parenx of raw tracepoint sched_process_fork",
                      self.run_image(before=child, status=1).stderr)

    def test_system_calls(self):
        script = ("tracepoint:syscalls:sys_enter_execve, tracepoint:syscalls:sys_enter_exit_group "
                  "/pid == cpid/ { @[probe] = count(); }")
        self.compile(script)
        out = self.run_image(before=("-c", "/bin/true")).stdout
        self.assertIn("@[tracepoint:syscalls:sys_enter_exit_group]: 1", out)

    def test_enumerators_and_sizes(self):
        script = ('BEGIN { printf("%d %d %d\\n", BPF_MAP_TYPE_ARRAY, sizeof(struct list_head), '
                  'offsetof(struct list_head, prev)); exit(); }')
        self.compile(script)
        self.assertEqual(self.run_image().stdout.split(), ["2", "16", "8"])
        self.replace(b"\0BPF_MAP_TYPE_ARRAY\0", b"\0BPF_MAP_TYPE_QUEUE\0")
        self.assertIn("the value of BPF_MAP_TYPE_QUEUE to be 2", self.run_image(status=1).stderr)

    def test_a_struct_that_is_copied(self):
        script = ('BEGIN { $l = *(struct list_head *)curtask; printf("%d\\n", sizeof($l)); '
                  'print($l.next == $l.next); exit(); }')
        self.compile(script)
        self.assertEqual(self.run_image().stdout.split()[0], "16")
        self.replace(b"\0struct list_head\0", b"\0struct hlist_nod\0")
        self.assertRegex(self.run_image(status=1).stderr, "struct hlist_nod")

    def test_the_process_of_p(self):
        self.compile('tracepoint:syscalls:sys_enter_read { @[pid] = count(); } '
                     'interval:ms:300 { exit(); }')
        with subprocess.Popen(["sh", "-c", "while :; do read x < /dev/null; done"],
                              stdin=subprocess.DEVNULL) as one, \
             subprocess.Popen(["sh", "-c", "while :; do read x < /dev/null; done"],
                              stdin=subprocess.DEVNULL) as two:
            try:
                out = self.run_image(before=("-p", one.pid)).stdout
                everybody = self.run_image().stdout
            finally:
                one.kill()
                two.kill()
        self.assertEqual(re.findall(r"@\[(\d+)\]", out), [str(one.pid)])
        self.assertLessEqual({str(one.pid), str(two.pid)}, set(re.findall(r"@\[(\d+)\]", everybody)))

    def test_wildcards_are_matched_again(self):
        events = "tracepoint:syscalls:sys_enter_execve*"
        self.compile(f"tracepoint:sched:sched_process_e*, {events} /pid == cpid/ {{ @n++; }}")
        attached = support.ATTACHED
        before = self.run_image(before=("-c", "/bin/true")).stderr
        done = support.btrun("--no-probe", "tracepoint:sched:sched_process_exec", "-c", "/bin/true",
                             self.image)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(int(attached.search(before)[1]) - 1, int(attached.search(done.stderr)[1]))

    def test_places_in_files(self):
        """Another file under the same name: its function lies elsewhere."""
        if not shutil.which("cc"):
            self.skipTest("no C compiler here")
        program = f"{self.directory}/program"
        self.build(program, "void g_1(void) { } int main(void) { g_1(); }")
        self.compile(f'uprobe:{program}:g_* {{ printf("%s\\n", probe); }}')
        self.assertEqual(self.run_image(before=("-c", program)).stdout.split(),
                         [f"uprobe:{program}:g_1"])
        self.build(program, "int a[99]; void f(void) { a[1] = 1; } void g_2(void) { f(); } "
                            "void g_1(void) { g_2(); } int main(void) { g_1(); }")
        self.assertEqual(sorted(self.run_image(before=("-c", program)).stdout.split()),
                         [f"uprobe:{program}:g_1", f"uprobe:{program}:g_2"])

    def build(self, program, text):
        subprocess.run(["cc", "-O0", "-g", "-x", "c", "-", "-o", program], input=text, text=True,
                       check=True)

    # ---- the file

    @support.same_everywhere
    def test_another_version_is_named(self):
        self.compile("BEGIN { exit(); }")
        with open(self.image, "rb") as f:
            version = struct.unpack_from("<I", f.read(), VERSION_AT)[0]
        for other in (version - 1, version + 1):
            with open(self.image, "r+b") as f:
                f.seek(VERSION_AT)
                f.write(struct.pack("<I", other))
            for program in (support.BTRUN, support.BTRUN_RUN):
                self.assertIn(f"image version {other}, this program reads {version}",
                              self.run_image(program=program, status=1).stderr)

    @support.same_everywhere
    def test_what_is_in_it(self):
        self.compile('struct s { int a; }; BEGIN { @a = curtask; printf("%d\\n", $1); } '
                     'tracepoint:sched:sched_process_e* { @b[comm] = count(); }')
        text = self.run_image(before=("-d", "image")).stdout
        for piece in ("compiled by btrun v", os.uname().release, "portable", "@b", "count",
                      'printf "%d\\n"', "feature ring_buffer, since Linux 5.8", "$1, int",
                      "tracepoint:sched:sched_process_e*", "matched again", "argument 0"):
            self.assertIn(piece, text)

    @support.same_everywhere
    def test_for_this_kernel_alone(self):
        self.compile("BEGIN { printf(\"%d\\n\", $1); exit(); }", "5", before=("--no-portable",))
        self.assertEqual(self.run_image().stdout.strip(), "5")
        self.assertIn("compiled with its parameters", self.run_image("6", status=1).stderr)
        release = os.uname().release.encode()
        self.replace(b"\0" + release, b"\0" + b"9" + release[1:])
        err = self.run_image(status=1).stderr
        self.assertIn("--no-portable", err)
        self.assertIn(release.decode(), err)

    @support.same_everywhere
    def test_a_feature_that_is_missing(self):
        self.compile("BEGIN { @a[1] = 1; for ($kv : @a) { print($kv); } exit(); }")
        self.assertIn("(1, 1)", self.run_image().stdout)
        done = support.btrun("--no-feature", "for_each_map", self.image)
        self.assertEqual(done.returncode, 1)
        self.assertIn("for_each_map, which came with Linux 5.13", done.stderr)

    @support.same_everywhere
    def test_what_can_be_done_without_is(self):
        self.compile('BEGIN { @a = count(); printf("%d\\n", (int64)@a); exit(); } END { clear(@a); }')
        for lacks in ("percpu_lookup", "percpu_lookup,ring_buffer,global_data,mmapable"):
            done = support.btrun("--no-feature", lacks, self.image)
            self.assertEqual((done.stdout.split(), done.returncode), (["1"], 0), done.stderr)


if __name__ == "__main__":
    support.main()
