#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tools/vm run promises: output, exit status, an end, and nothing left behind.

usage: guest_test.py BUILD      (the build directory whose programs the guests get)
"""

import os
import signal
import subprocess
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VM = f"{ROOT}/tools/vm"
KERNEL = "6.12"
SKIPPED = 77
BUILD = ""


def command(*words, options=()):
    return [VM, "run", "--build", BUILD, *options, KERNEL, "--", *words]


def run(*words, options=()):
    return subprocess.run(command(*words, options=options), capture_output=True, text=True,
                          check=False, timeout=300)


class Guest(unittest.TestCase):
    def test_output_and_status(self):
        done = run("sh", "-c", "echo out; echo err >&2; echo again >/dev/stdout; "
                               "seq 50000 >&2; exit 7")
        self.assertEqual((done.returncode, done.stdout), (7, "out\nagain\n"))
        self.assertEqual(done.stderr, "err\n" + "".join(f"{i}\n" for i in range(1, 50001)))

    def test_words_stay_words(self):
        self.assertEqual(run("printf", "%s.", "a b", "$HOME", "'", "").stdout, "a b.$HOME.'..")

    def test_a_system_to_trace_in(self):
        script = ("set -e; cat /dev/stdin; [ $(id -u) = 0 ]; cat /proc/net/dev >/dev/fd/1; "
                  "ls /sys/kernel/tracing/events /sys/kernel/debug/tracing/events >/dev/null; "
                  "grep -q ' /sys/fs/bpf bpf ' /proc/mounts; "
                  "grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts; ping -c 1 127.0.0.1; "
                  "modprobe null_blk nr_devices=1; [ -b /dev/nullb0 ]; btrun --version")
        done = run("sh", "-c", script)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("btrun", done.stdout)

    def test_death_by_a_signal(self):
        self.assertEqual(run("sh", "-c", "kill -9 $$").returncode, 137)

    def test_no_end_in_time(self):
        done = run("sh", "-c", "echo begun; sleep 1000", options=("--timeout", "30"))
        self.assertEqual((done.returncode, done.stdout), (124, "begun\n"))

    def test_panic(self):
        done = run("sh", "-c", "echo begun; echo c >/proc/sysrq-trigger")
        self.assertEqual((done.returncode, done.stdout), (125, "begun\n"))
        self.assertIn("the kernel panicked", done.stderr)
        self.assertIn("sysrq triggered crash", done.stderr)

    def test_interrupted(self):
        with subprocess.Popen(command("sh", "-c", "echo begun; sleep 1000"),
                              stdout=subprocess.PIPE) as process:
            self.assertEqual(process.stdout.readline(), b"begun\n")
            below = children(process.pid)
            self.assertEqual(len(below), 1)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(30), 128 + signal.SIGTERM)
        self.assertFalse(os.path.exists(f"/proc/{below[0]}"))

    def test_killed(self):
        """Not even then does qemu stay."""
        with subprocess.Popen(command("sh", "-c", "echo begun; sleep 1000"),
                              stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            below = children(process.pid)
            process.kill()
        for _ in range(100):
            if not os.path.exists(f"/proc/{below[0]}"):
                return
            time.sleep(0.1)
        self.fail("qemu is still there")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return f.read().split()


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    if subprocess.run([VM, "fetch", KERNEL], check=False).returncode == SKIPPED:
        sys.exit(SKIPPED)
    unittest.main()
