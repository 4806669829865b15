#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""iter: what the kernel has, against what /proc says of a process of ours."""

import contextlib
import os
import re
import resource
import subprocess
import tempfile
import unittest

import support

NAME = "iter-workload"


def count(path):
    return len(os.listdir(path))


class Iterators(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.require_probes("iter:task")

    @contextlib.contextmanager
    def workload(self, threads=2):
        with support.Child("getppid", threads, 0, name=NAME) as child:
            child.go()
            while count(f"/proc/{child.pid}/task") < threads:
                pass
            yield child.pid

    def run_iter(self, script, *options, parameters=()):
        done = support.btrun(*options, "-e", script, *parameters)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_tasks(self):
        with self.workload() as pid:
            out = self.run_iter("iter:task /ctx.task.tgid == $1/ { @n = count(); "
                                "printf(\"<%s %d>\\n\", ctx.task.comm, ctx.task.tgid); }",
                                parameters=[pid])
            threads = count(f"/proc/{pid}/task")
        self.assertEqual(support.map_value(out, "n"), threads)
        self.assertEqual(out.count(f"<{NAME} {pid}>\n"), threads, out)

    def test_files(self):
        with self.workload() as pid:
            out = self.run_iter("iter:task_file /ctx.task.tgid == $1/ { @[ctx.fd] = count(); }",
                                parameters=[pid])
            files = os.listdir(f"/proc/{pid}/fd")
        self.assertEqual(sorted(support.map_values(out, "")), sorted(files), out)

    def test_mappings(self):
        support.require_probes("iter:task_vma")
        with self.workload() as pid:
            out = self.run_iter("iter:task_vma /ctx.task.pid == $1/ "
                                "{ printf(\"%lx-%lx\\n\", ctx.vma.vm_start, ctx.vma.vm_end); }",
                                parameters=[pid])
            with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
                maps = re.findall(r"^\w+-\w+", f.read(), re.M)
        for mapping in maps:
            if not mapping.startswith("ffffffff"):  # vsyscall, no mapping of the process
                start, end = (int(n, 16) for n in mapping.split("-"))
                self.assertIn(f"{start:x}-{end:x}\n", out)

    def test_of_a_process(self):
        with self.workload() as pid:
            done = support.btrun("-p", pid, "-e", "iter:task { @[ctx.task.tgid] = count(); }")
        if "needs Linux 6.1" in done.stderr:
            self.skipTest("iterators of one process are not here")
        self.assertEqual(list(support.map_values(done.stdout, "")), [str(pid)], done.stderr)

    def test_begin_and_end_around_it(self):
        out = self.run_iter("end { print(\"end\"); } iter:task { @n++; } begin { print(@n); }")
        self.assertRegex(out, r"(?s)^@n: 0\n.*end\n.*@n: [1-9]")

    def test_exit(self):
        out = self.run_iter("iter:task { print(probe); exit(); }")
        self.assertEqual(out.count("iter:task\n"), 1)

    def test_two(self):
        out = self.run_iter("iter:task { @a = count(); } iter:task_file { @b = count(); }")
        self.assertGreater(support.map_value(out, "a"), 1)
        self.assertGreater(support.map_value(out, "b"), 1)

    def test_more_events_than_the_buffer_holds(self):
        script = ("config = { perf_rb_pages = 64 }\n"
                  "iter:task_file { @n = count(); printf(\"%s%s\\n\", \"" + 60 * "x" + "\", \"" +
                  60 * "y" + "\"); printf(\"%s\\n\", \"" + 60 * "z" + "\"); }")
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(4096, before[0]), max(4096, before[1])))
        with contextlib.ExitStack() as files:
            for _ in range(3000):
                files.enter_context(open("/dev/null", "rb"))
            done = support.btrun("-e", script)
        self.assertEqual(support.lost_events(done.stdout + done.stderr), 0)
        self.assertEqual(done.stdout.count("z\n"), support.map_value(done.stdout, "n"))
        self.assertGreater(support.map_value(done.stdout, "n"), 3000)


class Pins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.require_probes("iter:task")
        cls.directory = tempfile.mkdtemp(prefix="btrun-bpffs-")
        made = subprocess.run(["mount", "-t", "bpf", "bpf", cls.directory], capture_output=True,
                              check=False)
        if made.returncode:
            os.rmdir(cls.directory)
            raise unittest.SkipTest("no file system for pins")

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["umount", cls.directory], check=True)
        os.rmdir(cls.directory)

    def test_text(self):
        path = f"{self.directory}/list"
        done = support.btrun("-e", f"iter:task:{path} {{ printf(\"<%-16s|%5d|%x> 100%%\\n\", "
                             "ctx.task.comm, ctx.task.pid, (uint8)255); }")
        self.assertIn(f"Program pinned to {path}\n", done.stdout, done.stderr)
        with open(path, encoding="utf-8", errors="replace") as f:
            text = f.read()
        with open("/proc/self/comm", encoding="utf-8") as f:
            comm = f.read().strip()
        self.assertIn(f"<{comm:16}|{os.getpid():5}|ff> 100%\n", text)

    def test_what_it_cannot_do(self):
        for body, said in (("print(1);", "it can only printf()"), ("@x = 1; exit();", "only printf"),
                           ("printf(\"%o\", 1);", "knows no format %o")):
            with self.subTest(body=body):
                done = support.btrun("-e", f"iter:task:{self.directory}/x {{ {body} }}")
                self.assertEqual(done.returncode, 1)
                self.assertIn(said, done.stderr)
        self.assertFalse(os.path.exists(f"{self.directory}/x"))


if __name__ == "__main__":
    support.main()
