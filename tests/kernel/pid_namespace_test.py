#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Processes are numbered as the tracer's own PID namespace numbers them."""

import re
import shutil
import subprocess
import unittest

import support
from support import BTRUN, WORKLOAD

CALLS = 20
INSIDE = ("unshare", "--fork", "--pid", "--mount-proc")
GETPPID = "tracepoint:syscalls:sys_enter_getppid"


def inside(*args, timeout=60):
    """Runs btrun as the first process of a namespace of its own."""
    return subprocess.run([*INSIDE, BTRUN, *map(str, args)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False,
                          timeout=timeout * support.PATIENCE)


class Namespaces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("unshare"):
            raise unittest.SkipTest("unshare is not here")
        support.require_probes(GETPPID)
        if subprocess.run([*INSIDE, "true"], capture_output=True, check=False).returncode:
            raise unittest.SkipTest("there are no PID namespaces here")

    def test_of_the_tracer(self):
        done = inside("-e", "begin { print((pid, tid, pid(curr_ns), tid(curr_ns))); "
                      "print((pid(init) > 1, tid(init) > 1)); exit(); }")
        self.assertIn("(1, 1, 1, 1)\n(true, true)\n", done.stdout, done.stderr)

    def test_of_a_command(self):
        done = inside("-e", f"{GETPPID} /pid == cpid/ {{ @n = count(); @[pid, pid(init) > 10] = "
                      "count(); }", "-c", f"{WORKLOAD} getppid 1 {CALLS}")
        self.assertEqual(support.map_value(done.stdout, "n"), CALLS, done.stderr)
        self.assertRegex(done.stdout, rf"@\[\d, true\]: {CALLS}\n")

    def test_of_a_process(self):
        """-p takes the number that the namespace has for it."""
        script = (f"{WORKLOAD} getppid 1 2000000000 & sleep 0.2; {BTRUN} -p $! -e "
                  f"'{GETPPID} {{ @[pid] = count(); }} interval:ms:100 {{ exit(); }}'; "
                  "echo it is $!; kill $!")
        done = subprocess.run([*INSIDE, "sh", "-c", script], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
        pid = re.search(r"it is (\d+)", done.stdout)[1]
        self.assertEqual(list(support.map_values(done.stdout, "")), [pid], done.stderr)

    def test_stacks_and_symbols(self):
        script = (f"sleep 2 | {WORKLOAD} call 1 0 & {BTRUN} -e "
                  f"'uprobe:{WORKLOAD}:called_one {{ print(ustack(1)); print(func); exit(); }}'")
        done = subprocess.run([*INSIDE, "sh", "-c", script], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(len(re.findall(r"called_one", done.stdout)), 2, done.stdout)

    def test_of_one_that_is_in_a_namespace(self):
        """From outside it has the number that is ours."""
        with support.Tracer("-e", f"{GETPPID} /comm == \"in-namespace\"/ "
                            "{ @[pid == pid(init)] = count(); @least = min(pid); }") as tracer:
            subprocess.run([*INSIDE, WORKLOAD, "--name", "in-namespace", "getppid", "1",
                            str(CALLS)], check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(support.map_values(tracer.out, ""), {"true": CALLS}, tracer.out)
        self.assertGreater(support.map_value(tracer.out, "least"), 1)

    def test_others_have_no_number(self):
        """What runs outside of the tracer's namespace is 0 to it."""
        with support.Child("getppid", 1, 0) as child:
            child.go()
            done = inside("-e", f"{GETPPID} /pid(init) == {child.pid}/ {{ @[pid, tid] = count(); }} "
                          "interval:ms:100 { exit(); }")
        self.assertIn("@[0, 0]: ", done.stdout, done.stderr)

    def test_unknown_mode(self):
        done = support.btrun("-e", "begin { print(pid(other)); }")
        self.assertIn("Invalid PID namespace mode: other (expects: curr_ns or init)", done.stderr)


if __name__ == "__main__":
    support.main()
