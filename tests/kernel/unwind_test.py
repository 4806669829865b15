#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dw_ustack(): stacks of programs without frame pointers, name by name."""

import os
import platform
import re
import subprocess
import unittest

import support
from stack_test import CHAINS, PROBE, C_CHAIN, chain, frames

PLAIN = "config = { show_debug_info = 0 }"


@unittest.skipUnless(CHAINS and os.path.exists(chain("chain_nofp")),
                     "the test programs are not built")
@unittest.skipUnless(platform.machine() == "x86_64", "dw_ustack() is for x86-64")
class Unwinding(unittest.TestCase):
    def btrun(self, script, *words, status=0):
        done = support.btrun("-q", "-e", f"{PLAIN} {script}", *words)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def check(self, script, due, name="chain_nofp", count=3):
        done = self.btrun(script, "-c", f"{chain(name)} {count}")
        self.assertEqual(frames(done.stdout)[:len(due)], due, done.stdout + done.stderr)
        return done

    def test_in_a_system_call(self):
        done = self.check(f"{PROBE} /pid == cpid/ {{ @[dw_ustack()] = count(); }}", C_CHAIN)
        self.assertIn("]: 3\n", done.stdout)
        # the C library, and the end of it all
        self.assertIn("        __libc_start_", done.stdout)
        self.assertEqual(frames(done.stdout)[-1], "_start", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_frame_pointers_do_not_do(self):
        """That the program is built as the other tests of this file take it to be."""
        done = self.btrun(f"{PROBE} /pid == cpid/ {{ print(ustack); }}", "-c",
                          f"{chain('chain_nofp')} 1")
        self.assertNotEqual(frames(done.stdout)[:4], C_CHAIN, done.stdout)

    def test_at_a_function(self):
        program = chain("chain_nofp")
        self.check(f"uprobe:{program}:chain_leaf {{ print(dw_ustack); }}", C_CHAIN, count=1)
        self.check(f"uretprobe:{program}:chain_leaf {{ print(dw_ustack()); }}", C_CHAIN[1:],
                   count=1)

    def test_static_and_with_frame_pointers(self):
        for name in "chain_static", "chain", "chain_stripped":
            with self.subTest(name):
                self.check(f"{PROBE} /pid == cpid/ {{ print(dw_ustack()); }}", C_CHAIN, name=name)

    def test_through_a_signal(self):
        """The function that was interrupted stands at its first instruction."""
        done = self.btrun(f"{PROBE} /pid == cpid/ {{ print(dw_ustack()); }}", "-c",
                          chain("chain_signal"))
        found = frames(done.stdout)
        # where the handler returns to has a name only in a C library that is not stripped
        self.assertEqual(found[:3] + found[4:7],
                         ["chain_leaf", "chain_handler", "handle_once", "chain_trap",
                          "chain_outer", "main"], done.stdout)

    def test_depth_and_mode(self):
        done = self.check(f"{PROBE} /pid == cpid/ {{ $s = dw_ustack(2); print(len($s)); "
                          "print($s); }", C_CHAIN[:2])
        self.assertEqual(len(frames(done.stdout)), 2)
        done = self.btrun(f"{PROBE} /pid == cpid/ {{ print(dw_ustack(perf, 1)); }}", "-c",
                          f"{chain('chain_nofp')} 1")
        self.assertRegex(done.stdout,
                         rf"\t[0-9a-f]+ chain_leaf\+\d+ \({chain('chain_nofp')}\)\n")

    def test_needs_a_process(self):
        done = self.btrun(f"{PROBE} {{ print(dw_ustack()); }}", status=1)
        self.assertIn("ERROR: dw_ustack requires a target process. Use -p, -c, or --dwarf-pid to "
                      "specify one.", done.stderr)

    def test_of_another_process(self):
        """-p, and --dwarf-pid in a script that sees others, too."""
        for option in "-p", "--dwarf-pid":
            with self.subTest(option), subprocess.Popen(
                    [chain("chain_nofp"), "100000000"]) as child:
                try:
                    done = self.btrun(f"{PROBE} /pid == {child.pid}/ {{ print(dw_ustack(4)); "
                                      "exit(); }", option, str(child.pid))
                finally:
                    child.kill()
                self.assertEqual(frames(done.stdout), C_CHAIN, done.stdout + done.stderr)

    def test_without_data(self):
        done = self.btrun(f"{PROBE} /pid == cpid/ {{ print(dw_ustack()); }}", "-c",
                          f"{chain('chain_nofp')} 1")
        self.assertNotIn("No DWARF", done.stderr)
        with subprocess.Popen(["sleep", "60"]) as other:
            with support.Tracer("-e", f"{PROBE} /comm == \"chain_nofp\"/ {{ print(dw_ustack()); "
                                "exit(); }", "--dwarf-pid", str(other.pid)) as tracer:
                subprocess.run([chain("chain_nofp"), "1"], check=True)
                tracer.process.wait(60)
            other.kill()
        self.assertIn("WARNING: No DWARF unwind data available for this process. Use -p or "
                      "--dwarf-pid to specify target PIDs.", tracer.err)

    def test_while_it_computes(self):
        """profile interrupts it anywhere, also in prologues and in the C library."""
        done = self.btrun("profile:hz:499 /pid == cpid/ { @n = count(); "
                          "@main[dw_ustack()] = count(); }", "-c",
                          f"{chain('chain_nofp')} {support.often(3000000, 200000)}")
        stacks = re.findall(r"@main\[([^\]]*)\]: (\d+)", done.stdout)
        whole = sum(int(n) for s, n in stacks if " main+" in s)
        total = sum(int(n) for _, n in stacks)
        self.assertEqual(total, support.map_value(done.stdout, "n"), done.stdout)
        # the rest: the dynamic loader, before main and after it
        self.assertGreater(whole, total / 2, done.stdout)


if __name__ == "__main__":
    support.main()
