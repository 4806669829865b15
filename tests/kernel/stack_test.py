#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stacks of programs whose call chains are known come out name by name."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

import support

CHAINS = os.environ.get("CHAINS", "")
PROBE = "tracepoint:syscalls:sys_enter_getppid"
C_CHAIN = ["chain_leaf", "chain_middle", "chain_outer", "main"]


def chain(name):
    return os.path.join(CHAINS, name)


def frames(text):
    """Names of the frames of the first stack in @text, without offsets; inlined ones in [ ]."""
    found = []
    for line in text.splitlines():
        m = re.match(r"        (\[inlined\] )?(.+?)(\+\d+)?(@.*)?$", line)
        if m:
            found.append(f"[{m[2]}]" if m[1] else m[2])
        elif found:
            break
    return found


@support.same_everywhere
@unittest.skipUnless(CHAINS and os.path.exists(chain("chain")), "the test programs are not built")
class Chains(unittest.TestCase):
    def run_script(self, script, name, *words, options=(), env=None):
        done = support.btrun("-q", *options, "-e", script, "-c",
                             " ".join([chain(name), *map(str, words)]), env=env or {})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def stack(self, name, *words, what="ustack", config="", **kwargs):
        return self.run_script(f"{config} {PROBE} /pid == cpid/ {{ @[{what}] = count(); }}",
                               name, *words, **kwargs)

    def check(self, name, due, *words, config="config = { show_debug_info = 0 }"):
        out = self.stack(name, 3, *words, config=config)
        self.assertEqual(frames(out)[:len(due)], due, out)
        self.assertIn("]: 3\n", out)

    def test_pie(self):
        self.check("chain", C_CHAIN)

    def test_static(self):
        self.check("chain_static", C_CHAIN)

    def test_stripped_with_debug_file(self):
        self.check("chain_stripped", C_CHAIN)

    @unittest.skipUnless(shutil.which("xz") and shutil.which("objcopy"), "no xz, no objcopy")
    def test_stripped_with_small_table(self):
        """.gnu_debugdata: a table of functions, compressed, in the stripped program itself."""
        with tempfile.TemporaryDirectory() as directory:
            program, mini = os.path.join(directory, "chain"), os.path.join(directory, "mini")
            subprocess.run(["objcopy", "--strip-debug", chain("chain"), mini], check=True)
            subprocess.run(["objcopy", "--only-keep-debug", mini], check=True)
            subprocess.run(["xz", mini], check=True)
            subprocess.run(["objcopy", "--strip-all", f"--add-section=.gnu_debugdata={mini}.xz",
                            chain("chain"), program], check=True)
            self.check(program, C_CHAIN)

    def test_cpp(self):
        self.check("chain_cpp", ["chain::point::leaf(int)",
                                 "int chain::middle<chain::point>(chain::point&, int)",
                                 "chain::outer(chain::point&, char const*)", "main"])

    def test_mangled(self):
        config = "config = { show_debug_info = 0; cpp_demangle = 0 }"
        out = self.stack("chain_cpp", 3, config=config)
        self.assertEqual(frames(out)[:1], ["_ZN5chain5point4leafEi"], out)

    def test_code_made_at_run_time(self):
        self.check("chain_jit", ["chain_leaf", "made at run time", "main"], 500)

    def test_lines_and_inlined_functions(self):
        for name in "chain", "chain_split", "chain_stripped":
            with self.subTest(name):
                out = self.stack(name, 1)
                if "@" not in out.splitlines()[2]:
                    self.skipTest("no libdw on this machine")
                self.assertEqual(frames(out)[:5], ["chain_leaf", "[chain_inlined]", *C_CHAIN[1:]])
                self.assertRegex(out, r"\[inlined\] chain_inlined@\S*/chain\.c:21\n")

    def test_perf_style(self):
        out = self.stack("chain", 1, what="ustack(perf, 4)")
        self.assertRegex(out, rf"@\[\n\t[0-9a-f]+ chain_leaf\+\d+ \({chain('chain')}\)\n")

    def test_exited_before_printing(self):
        """Of a program that is not the child of btrun's, and gone when its stack is printed."""
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(directory, "chain")
            shutil.copy(chain("chain"), program)
            with support.Tracer("-e", "config = { show_debug_info = 0 } "
                                f"uprobe:{program}:chain_leaf {{ @[ustack] = count(); }}") as tracer:
                subprocess.run([program, "5", "500"], check=True)
                os.unlink(program)
        # at a function's start Linux before 6.12 misses the one that called it
        found = [f for f in frames(tracer.out)[:4] if f != "chain_middle"]
        self.assertEqual(found[:3], ["chain_leaf", "chain_outer", "main"], tracer.out)
        self.assertIn("]: 5\n", tracer.out)

    def test_without_cache(self):
        out = self.run_script("config = { cache_user_symbols = \"NONE\"; show_debug_info = 0 } "
                              f"{PROBE} /pid == cpid/ {{ print(ustack); }}", "chain", 1, 500)
        self.assertEqual(frames(out)[:4], C_CHAIN, out)

    def test_length_and_limit(self):
        out = self.run_script(f"{PROBE} /pid == cpid/ {{ $s = ustack(3); "
                              "print((len($s), len(ustack) > 3)); }", "chain", 1)
        self.assertIn("(3, true)\n", out)

    def test_build_ids(self):
        out = self.stack("chain", 1, what="ustack(build_id, 1)")
        notes = subprocess.run(["readelf", "-n", chain("chain")], capture_output=True, text=True,
                               check=False).stdout
        m = re.search(r"Build ID: (\w+)", notes)
        self.assertRegex(out, rf"@\[\n{m[1] if m else '[0-9a-f]{40}'} 0x[0-9a-f]+\n\]: 1")

    def test_symbol_of_address(self):
        out = self.run_script(f"uprobe:{chain('chain')}:chain_leaf /pid == cpid/ "
                              "{ printf(\"%s %s\\n\", func, usym(reg(\"ip\"))); }", "chain", 1)
        self.assertIn("chain_leaf chain_leaf\n", out)


class Storms(unittest.TestCase):
    """Every event is counted, or reported as lost."""

    CALLS = support.often(200000, 5000)

    def test_sum_is_exact(self):
        with support.Child("call", 2, self.CALLS, hold=True) as child:
            with support.Tracer("-e", "uprobe:" + support.WORKLOAD + ":called_one /pid == $1/ "
                                "{ @[ustack(raw)] = count(); @k[kstack] = count(); @n = count(); "
                                "printf(\"e\\n\"); }", child.pid) as tracer:
                child.go()
                for _ in range(2):
                    child.process.stdout.readline()
                child.expect("done\n")
            child.finish()
        counted = sum(map(int, re.findall(r"^\]: (\d+)$", tracer.out, re.M)))
        total = support.map_value(tracer.out, "n")
        self.assertEqual(total, 2 * self.CALLS)
        self.assertEqual(counted, 2 * total, "a stack map lost events")
        lost = sum(map(int, re.findall(r"^Lost (\d+) events", tracer.err, re.M)))
        printed = len(re.findall(r"^e$", tracer.out, re.M))
        self.assertEqual(printed + lost, total, f"{printed} printed, {lost} lost")
        self.assertNotIn("could not be stored", tracer.err)


if __name__ == "__main__":
    support.main()
