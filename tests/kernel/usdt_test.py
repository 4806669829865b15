#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usdt: the workload's probes, passed in known numbers with known arguments."""

import re
import struct
import subprocess
import time
import unittest

import support
from support import WORKLOAD

STEPS = 50
PROBE = f"usdt:{WORKLOAD}:workload:"


class Traced(unittest.TestCase):
    def trace(self, script, *options, parameters=(), of_process=False):
        """Runs @script while the workload takes its steps; output of both."""
        with support.Child("usdt", STEPS, hold=True) as child:
            options += ("-p", child.pid) if of_process else ()
            with support.Tracer(*options, "-e", script, child.pid, *parameters) as tracer:
                child.go()
                self.watched = child.process.stdout.readline()
                child.expect("done\n")
            self.after(child)
            child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        return tracer.out

    def after(self, child):
        pass

    def one(self, probe, count, *options, cast=""):
        """The first @count arguments of the first event."""
        args = ", ".join(f"{cast}arg{i}" for i in range(count))
        out = self.trace(f"{PROBE}{probe} /pid == $1 && !@seen/ {{ @seen = 1; print(({args})); }}",
                         *options)
        return re.search(r"^\((.*)\)$", out, re.M)[1]


class Arguments(Traced):
    def test_constants(self):
        self.assertEqual(self.one("constants", 4, cast="(int64)"),
                         f"-5, {0x7fffffffffffffff}, {300 & 0xff}, {300 & 0xff}")

    def test_registers(self):
        value = 0xfedcba98f0f1f2f3
        low = value & 0xffffffff
        self.assertEqual(
            self.one("registers", 8, cast="(int64)"),
            ", ".join(str(n) for n in (value - (1 << 64), low - (1 << 32), low, 0xf2f3 - 0x10000,
                                       0xf2f3, 0xf3 - 0x100, 0xf2, value - (1 << 64))))

    def test_memory(self):
        self.assertEqual(self.one("memory", 8, cast="(int64)"),
                         "-1234567890123, -42, 65535, 1, 200, -56, -77, -77")

    def test_scaled_index(self):
        """The index is that of the step, from 0 to 3 and again."""
        out = self.trace(f"{PROBE}memory /pid == $1/ {{ @words[arg3] = count(); "
                         "@bytes[arg4] = count(); }")
        self.assertEqual(sorted(support.map_values(out, "words")), ["1", "2", "4", "65535"])
        self.assertEqual(support.map_values(out, "bytes"),
                         {"200": 13, "201": 13, "202": 12, "203": 12})

    def test_one_that_is_not_there_is_zero(self):
        with support.Child("usdt", 1) as child:
            with support.Tracer("-e", f"{PROBE}places /pid == $1/ {{ @[arg1] = count(); }}",
                                child.pid) as tracer:
                child.go()
                child.finish()
        self.assertEqual(support.map_values(tracer.out, ""), {"0": 2})
        self.assertIn("arg1 is zero there", tracer.err)


class Counts(Traced):
    def test_places_of_one_probe(self):
        out = self.trace(f"{PROBE}places /pid == $1/ {{ @n = count(); @sum = sum(arg0); "
                         "@[probe] = count(); }")
        self.assertEqual(support.map_value(out, "n"), 2 * STEPS)
        self.assertEqual(support.map_value(out, "sum"), 2 * sum(range(STEPS)) + 1000 * STEPS)
        self.assertEqual(support.map_values(out, ""), {PROBE + "places": 2 * STEPS})

    def test_places_are_one_probe(self):
        with support.Tracer("-e", f"{PROBE}places {{ }}") as tracer:
            pass
        self.assertIn("Attached 1 probe\n", tracer.err)

    def wildcard(self, *options):
        out = self.trace(f"usdt:{WORKLOAD}:work*:* /pid == $1/ {{ @[probe] = count(); }}",
                         *options)
        counts = {"constants": STEPS, "registers": STEPS, "memory": STEPS, "places": 2 * STEPS,
                  "watched": STEPS}
        self.assertEqual(support.map_values(out, ""),
                         {PROBE + name: n for name, n in counts.items()})

    def test_wildcard(self):
        self.wildcard()

    def test_wildcard_without_features(self):
        for feature in ("uprobe_multi", "attach_cookie", "links"):
            with self.subTest(feature=feature):
                self.wildcard("--no-feature", feature)

    def test_any_provider(self):
        out = self.trace(f"usdt:{WORKLOAD}:constants /pid == $1/ {{ @n = count(); }}")
        self.assertEqual(support.map_value(out, "n"), STEPS)

    def test_of_a_process(self):
        for point in ("usdt::workload:constants", "usdt:*:workload:const*", "usdt:constants"):
            with self.subTest(point=point):
                out = self.trace(f"{point} {{ @n = count(); }}", of_process=True)
                self.assertEqual(support.map_value(out, "n"), STEPS)

    def test_of_another_process(self):
        with support.Child("usdt", 1, hold=True) as other:
            out = self.trace(f"{PROBE}constants {{ @n = count(); }}", "-p", other.pid)
        self.assertEqual(support.map_value(out, "n"), 0)

    def test_of_a_command(self):
        done = support.btrun("-e", f"{PROBE}constants {{ @n = count(); }}\n"
                             f"{PROBE}watched {{ @watched = count(); }}",
                             "-c", f"{WORKLOAD} usdt {STEPS}")
        self.assertEqual(support.map_value(done.stdout, "n"), STEPS, done.stderr)
        self.assertEqual(support.map_value(done.stdout, "watched"), STEPS)

    def test_in_the_order_of_the_script(self):
        out = self.trace(f"{PROBE}constants /pid == $1/ {{ printf(\"1\"); }}\n"
                         f"{PROBE}constants /pid == $1/ {{ printf(\"2\\n\"); }}\n")
        self.assertEqual(out.count("12\n"), STEPS)


class Semaphores(Traced):
    def after(self, child):
        self.left = self.semaphore(child.pid)

    def semaphore(self, pid):
        symbols = subprocess.run(["nm", WORKLOAD], capture_output=True, text=True, check=True)
        address = int(re.search(r"^(\w+) \w watched_semaphore$", symbols.stdout, re.M)[1], 16)
        with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
            base = int(re.search(rf"^(\w+)-.* 00000000 .*{re.escape(WORKLOAD)}$", f.read(),
                                 re.M)[1], 16)
        with open(f"/proc/{pid}/mem", "rb") as f:
            f.seek(base + address)
            return struct.unpack("H", f.read(2))[0]

    def watch(self, *options, **how):
        out = self.trace(f"{PROBE}watched /pid == $1/ {{ @n = count(); @v = max(arg1); }}",
                         *options, **how)
        self.assertEqual(support.map_value(out, "n"), STEPS)
        self.assertEqual(self.watched, f"watched {STEPS}\n")
        self.assertEqual(support.map_value(out, "v"), 1)
        self.assertEqual(self.left, 0)

    def test_raised_by_the_kernel(self):
        self.watch()

    def test_raised_in_a_process(self):
        self.watch(of_process=True)

    def test_raised_by_hand(self):
        self.watch("--no-feature", "uprobe_refcount", of_process=True)

    def test_not_raised_by_hand_in_all(self):
        done = support.btrun("--no-feature", "uprobe_refcount", "-e", f"{PROBE}watched {{ }}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("use -p", done.stderr)

    def test_nobody_watches(self):
        self.trace(f"{PROBE}constants /pid == $1/ {{ }}")
        self.assertEqual(self.watched, "watched 0\n")


class Gate(unittest.TestCase):
    def test_one_start_one_stop(self):
        """Two probes that are passed in turn differ by one at each end."""
        script = (f"{PROBE}constants /pid == $1/ {{ @a = count(); }}\n"
                  f"{PROBE}registers /pid == $1/ {{ @b = count(); }}\n"
                  f"interval:ms:{support.often(100, 1000)} {{ exit(); }}\n")
        with support.Child("usdt", 1 << 40) as child:
            child.go()
            for _ in range(support.often(5, 2)):
                with support.Tracer("-e", script, child.pid, stop=None) as tracer:
                    pass
                a, b = (support.map_value(tracer.out, name) for name in "ab")
                self.assertGreater(a, support.often(100, 20))
                self.assertLessEqual(abs(a - b), 2)
                time.sleep(0.01)


if __name__ == "__main__":
    support.main()
