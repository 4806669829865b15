#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""watchpoint: a variable of the workload that is written a known number of times."""

import ctypes
import os
import re
import struct
import subprocess
import unittest

import support
from support import WORKLOAD

CALLS = 200


def symbol(name):
    out = subprocess.run(["nm", WORKLOAD], capture_output=True, text=True, check=True).stdout
    return int(re.search(rf"^(\w+) \w {name}$", out, re.M)[1], 16)


def address(pid, name):
    """Where the process has what the workload calls @name."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        base = re.search(rf"^(\w+)-.* 00000000 .*{re.escape(WORKLOAD)}$", f.read(), re.M)[1]
    return int(base, 16) + symbol(name)


def processor_has_watchpoints():
    """Whether the kernel counts a write of this process's (some virtual machines never tell it)."""
    libc = ctypes.CDLL(None, use_errno=True)
    word = ctypes.c_uint64(0)
    attr = bytearray(128)
    struct.pack_into("<II", attr, 0, 5, len(attr))  # PERF_TYPE_BREAKPOINT
    # exclude_kernel, exclude_hv; HW_BREAKPOINT_W
    struct.pack_into("<QIIQQ", attr, 40, 1 << 5 | 1 << 6, 0, 2, ctypes.addressof(word), 8)
    buffer = (ctypes.c_char * len(attr)).from_buffer(attr)
    fd = libc.syscall(298, buffer, 0, -1, -1, 0)  # perf_event_open
    if fd < 0:
        return False
    try:
        word.value = 1
        return struct.unpack("<Q", os.read(fd, 8))[0] == 1
    finally:
        os.close(fd)


class Watchpoint(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not processor_has_watchpoints():
            raise unittest.SkipTest("this machine's debug registers do nothing")
        with support.Child("call", 1, 1) as child:
            done = support.btrun("--dry-run", "-p", child.pid, "-e",
                                 "watchpoint:called_last:8:w { }")
        if done.returncode:
            raise unittest.SkipTest("this machine has no watchpoints: " + done.stderr.strip())

    def trace(self, probe, threads=1, calls=CALLS):
        with support.Child("call", threads, calls, hold=True) as child:
            probe = probe.replace("ADDRESS", hex(address(child.pid, "called_last")))
            with support.Tracer("-p", child.pid, "-e", probe) as tracer:
                child.go()
                for _ in range(threads):
                    child.process.stdout.readline()
                child.expect("done\n")
            child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        return tracer.out

    def test_by_symbol(self):
        out = self.trace("watchpoint:called_last:8:w { @n = count(); @[comm] = count(); }")
        self.assertEqual(support.map_value(out, "n"), CALLS)
        self.assertEqual(support.map_values(out, ""), {"workload": CALLS})

    def test_by_address(self):
        out = self.trace("watchpoint:ADDRESS:8:w { @[probe, probetype] = count(); }")
        self.assertRegex(out, rf"@\[watchpoint:0x\w+:8:w, watchpoint\]: {CALLS}\n")

    def test_read_and_written(self):
        out = self.trace("w:ADDRESS:4:wr { @n = count(); }")
        self.assertEqual(support.map_value(out, "n"), CALLS)

    def test_executed(self):
        out = self.trace("watchpoint:called_one:8:x { @n = count(); @ip[reg(\"ip\") & 0xfff] = "
                         "count(); }")
        self.assertEqual(support.map_value(out, "n"), CALLS)
        self.assertEqual(support.map_values(out, "ip"), {str(symbol("called_one") & 0xfff): CALLS})

    def test_other_addresses_are_not_seen(self):
        out = self.trace("watchpoint:called_one:1:rw { @n = count(); }")
        self.assertEqual(support.map_value(out, "n"), 0)

    def test_threads_started_later(self):
        out = self.trace("watchpoint:called_last:8:w { @[tid] = count(); }", threads=3)
        self.assertEqual(sorted(support.map_values(out, "").values()), [CALLS] * 3)

    def test_threads_started_before(self):
        with support.Child("call", 3, 0) as child:
            child.go()
            with support.Tracer("-p", child.pid, "-e", "watchpoint:called_last:8:w "
                                "{ @[tid] = count(); } interval:ms:300 { exit(); }",
                                stop=None) as tracer:
                pass
        self.assertEqual(len(support.map_values(tracer.out, "")), 3, tracer.out)

    @unittest.skipIf(support.SLOW, "an emulated processor mixes up watched words and single steps")
    def test_gate(self):
        """A word, and the function that writes it: as often within one at each end."""
        with support.Child("call", 1, 0) as child:
            script = ("watchpoint:called_last:8:w { @a = count(); } "
                      f"uprobe:{WORKLOAD}:called_one /pid == {child.pid}/ {{ @b = count(); }} "
                      "interval:ms:50 { exit(); }")
            child.go()
            for _ in range(5):
                with support.Tracer("-p", child.pid, "-e", script, stop=None) as tracer:
                    pass
                a, b = (support.map_value(tracer.out, name) for name in "ab")
                self.assertGreater(a, 10)
                self.assertLessEqual(abs(a - b), 2)

    def test_too_many(self):
        with support.Child("call", 1, 1) as child:
            done = support.btrun("--dry-run", "-p", child.pid, "-e",
                                 "watchpoint:called_last:8:w { }\n" * 5)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No more HW registers left", done.stderr)

    def test_unknown_symbol(self):
        done = support.btrun("-e", "watchpoint:no_such_variable:8:w { }")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'no_such_variable'", done.stderr)

    def test_unaligned(self):
        with support.Child("call", 1, 1) as child:
            done = support.btrun("-p", child.pid, "-e", "watchpoint:0x10001:8:w { }")
        self.assertEqual(done.returncode, 1)
        self.assertIn("0x10001 is no multiple of the length", done.stderr)


class Counters(unittest.TestCase):
    """software, profile and hardware of one process: all of its threads, and no other."""

    def test_threads(self):
        script = ("software:cpu-clock:500000 { @s[tid] = count(); @pid[pid] = count(); }\n"
                  "profile:hz:499 { @p[tid] = count(); }\n"
                  "interval:ms:500 { exit(); }\n")
        with support.Child("getppid", 2, 0) as child:
            child.go()
            with support.Tracer("-p", child.pid, "-e", script, stop=None) as tracer:
                pass
            self.assertEqual(list(support.map_values(tracer.out, "pid")), [str(child.pid)])
        self.assertEqual(len(support.map_values(tracer.out, "s")), 2, tracer.out)
        self.assertEqual(len(support.map_values(tracer.out, "p")), 2, tracer.out)

    def test_hardware(self):
        done = support.btrun("-e", "hardware:cycles:100000 { @n = count(); }\n"
                             "interval:ms:200 { exit(); }")
        if done.returncode:
            self.assertIn("hardware:cycles: this machine's processor does not count it",
                          done.stderr)
            self.skipTest("no hardware counters")
        self.assertGreater(support.map_value(done.stdout, "n"), 0)


class Self(unittest.TestCase):
    def test_signal(self):
        with support.Tracer("-e", "self:signal:SIGUSR1 { printf(\"first \"); }\n"
                            "self:signal:SIGUSR1 { print((probe, probetype)); exit(); }",
                            stop=None) as tracer:
            tracer.process.send_signal(support.signal.SIGUSR1)
        self.assertIn("first (self:signal:SIGUSR1, special)\n", tracer.out)


if __name__ == "__main__":
    support.main()
