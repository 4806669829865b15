#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""uprobe and uretprobe: functions of the workload, called in known numbers."""

import ctypes
import mmap
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
import zipfile

import support
from support import WORKLOAD

CALLS = 100
ENTER = f"uprobe:{WORKLOAD}:called_one /pid == $1/ {{ @enter = count(); }}\n"
EXIT = f"uretprobe:{WORKLOAD}:called_one /pid == $1/ {{ @exit = count(); }}\n"
OTHERS = f"uprobe:{WORKLOAD}:*ed_t* /pid == 0/ {{ @other = count(); }}\n"
STOP_BY_INTERVAL = f"interval:ms:{support.often(100, 1000)} {{ exit(); }}\n"
STOP_IN_PROBE = (f"uretprobe:{WORKLOAD}:called_one /pid == $1/ "
                 "{ @n++; if (@n > 2000) { exit(); } }\n")
FORGET = "END { clear(@n); }\n"


def symbol(name):
    """Address of a function of the workload, as linked."""
    out = subprocess.run(["nm", WORKLOAD], capture_output=True, text=True, check=True).stdout
    return int(re.search(rf"^(\w+) \w {name}$", out, re.M)[1], 16)


def has_func_in_returns():
    return support.has_feature("uprobe_func_ip")


class Traced(unittest.TestCase):
    def trace(self, script, *options, calls=CALLS, threads=1, parameters=()):
        """Runs @script while the workload makes its calls; its output."""
        with support.Child("call", threads, calls, hold=True) as child:
            with support.Tracer(*options, "-e", script, child.pid, *parameters) as tracer:
                child.go()
                for _ in range(threads):
                    child.process.stdout.readline()
                child.expect("done\n")
                self.links = support.link_types(tracer.process.pid)
            child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        return tracer.out


class Uprobe(Traced):
    def test_counts(self):
        out = self.trace(ENTER + EXIT)
        self.assertEqual(support.map_value(out, "enter"), CALLS)
        self.assertEqual(support.map_value(out, "exit"), CALLS)

    def test_arguments(self):
        args = ", ".join(f"arg{i}" for i in range(10))
        out = self.trace(f"uprobe:{WORKLOAD}:called_ten /pid == $1/ {{ print(({args})); }}")
        self.assertIn("(10, 11, 12, 13, 14, 15, 16, 17, 18, 19)\n", out)

    def test_registers(self):
        out = self.trace(f"uprobe:{WORKLOAD}:called_ten /pid == $1/ {{ print("
                         "(reg(\"di\") == arg0, reg(\"ip\") & 0xfff)); }")
        self.assertIn(f"(true, {symbol('called_ten') & 0xfff})\n", out)

    def test_return_value(self):
        out = self.trace(f"uretprobe:{WORKLOAD}:called_one /pid == $1/ {{ @sum = sum(retval); }}\n"
                         f"uretprobe:{WORKLOAD}:called_ten /pid == $1/ {{ @ten = retval; }}\n")
        self.assertEqual(support.map_value(out, "sum"), 3 * sum(range(CALLS)))
        self.assertEqual(support.map_value(out, "ten"), 145)

    def check_names(self, kind, *options):
        with_func = kind == "uprobe" or has_func_in_returns()
        count_func = "@f[func] = count(); " if with_func else ""
        out = self.trace(f"{kind}:{WORKLOAD}:called_* /pid == $1/ {{ @[probe] = count(); "
                         f"{count_func}}}", *options)
        support.check_links(self, self.links, "uprobe", *options)
        probes = {f"{kind}:{WORKLOAD}:called_one": CALLS,
                  f"{kind}:{WORKLOAD}:called_two": CALLS // 2,
                  f"{kind}:{WORKLOAD}:called_ten": 1}
        self.assertEqual(support.map_values(out, ""), probes)
        if with_func:
            self.assertEqual(support.map_values(out, "f"),
                             {name.split(":")[2]: n for name, n in probes.items()})

    def test_wildcard(self):
        self.check_names("uprobe")

    def test_wildcard_of_returns(self):
        self.check_names("uretprobe")

    def test_wildcard_one_by_one(self):
        self.check_names("uprobe", "--no-feature", "uprobe_multi")
        self.check_names("uretprobe", "--no-feature", "uprobe_multi")

    def test_wildcard_without_cookies(self):
        self.check_names("uprobe", "--no-feature", "attach_cookie,uprobe_multi")
        self.check_names("uprobe", "--no-feature", "links")

    def instructions(self, name):
        """Addresses of a function's instructions."""
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", WORKLOAD],
                              capture_output=True, text=True, check=False).stdout
        body = re.search(rf"<{name}>:\n((?: +\w+:.*\n)+)", text)
        if not body:
            self.skipTest("objdump is not here, or the workload is built for another machine")
        return [int(line.split(":")[0], 16) for line in body[1].splitlines()]

    def test_offset(self):
        """The second instruction of a function, met once a call."""
        at = self.instructions("called_one")
        offset = at[1] - at[0]
        out = self.trace(f"uprobe:{WORKLOAD}:called_one+{offset} /pid == $1/ "
                         "{ @[probe] = count(); }\n"
                         f"uprobe:{WORKLOAD}:{at[1]} /pid == $1/ {{ @[probe] = count(); }}\n")
        self.assertEqual(support.map_values(out, ""),
                         {f"uprobe:{WORKLOAD}:called_one+{offset}": CALLS,
                          f"uprobe:{WORKLOAD}:{at[1]}": CALLS})

    @support.same_everywhere
    def test_middle_of_an_instruction(self):
        at = self.instructions("called_ten")
        middle = next(i for i, n in zip(at, at[1:]) if n > i + 1) + 1 - at[0]
        refused = support.btrun("-e", f"uprobe:{WORKLOAD}:called_ten+{middle} {{ exit(); }}")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("Could not add uprobe into middle of instruction", refused.stderr)

    def test_stacks_and_predicate(self):
        out = self.trace(f"uprobe:{WORKLOAD}:called_two /pid == $1 && arg0 == 4/ "
                         "{ print(ustack(2)); }")
        # at a function's entry the frame of its caller is not there yet: newer kernels know
        self.assertRegex(out, r"called_two\+0\S*\n +(workload_call|call_again_and_again)\+\d+")
        self.assertEqual(out.count("called_two"), 1)

    def test_pid(self):
        """-p: of two processes only one is seen, all its threads, with bulk links or without."""
        name, before = ("func", "") if has_func_in_returns() else ("probe",
                                                                   f"uretprobe:{WORKLOAD}:")
        script = (f"uprobe:{WORKLOAD}:called_one {{ @enter[pid] = count(); }}\n"
                  f"uretprobe:{WORKLOAD}:called_* {{ @exit[pid, {name}] = count(); }}\n")
        for options in ([], ["--no-feature", "uprobe_multi"]):
            with support.Child("call", 2, 50, hold=True) as ours, \
                 support.Child("call", 1, 50, hold=True) as other:
                with support.Tracer(*options, "-p", ours.pid, "-e", script) as tracer:
                    for child, threads in ((ours, 2), (other, 1)):
                        child.go()
                        for _ in range(threads):
                            child.process.stdout.readline()
                        child.expect("done\n")
                ours.finish()
                other.finish()
            self.assertEqual(support.map_values(tracer.out, "enter"), {str(ours.pid): 100})
            # no two lines with one key: threads share the name of a function
            self.assertEqual(len(re.findall("^@exit", tracer.out, re.M)), 3, tracer.out)
            self.assertEqual(support.map_values(tracer.out, "exit"),
                             {f"{ours.pid}, {before}called_one": 100,
                              f"{ours.pid}, {before}called_two": 50,
                              f"{ours.pid}, {before}called_ten": 2})

    @support.same_everywhere
    def test_pid_names_the_program(self):
        with support.Child("call", 1, 10, hold=True) as child:
            with support.Tracer("-p", child.pid, "-e",
                                "uprobe:called_one { @ = count(); }") as tracer:
                child.go()
                child.process.stdout.readline()
                child.expect("done\n")
            child.finish()
        self.assertIn("@: 10\n", tracer.out)

    def test_child(self):
        got = support.btrun("-e", f"uprobe:{WORKLOAD}:called_one {{ @ = count(); }}",
                            "-c", f"{WORKLOAD} call 1 7")
        self.assertIn("@: 7\n", got.stdout)

    @support.same_everywhere
    def test_library_by_name(self):
        got = support.btrun("-e", "uprobe:libc:getppid { @[probe] = count(); }",
                            "-c", f"{WORKLOAD} call 1 1")
        self.assertEqual(got.returncode, 0, got.stderr)
        listed = support.btrun("-l", "uprobe:libc:getppid").stdout
        self.assertRegex(listed, r"^uprobe:/.*/libc\.so\.6:getppid\n$")

    @support.same_everywhere
    def test_program_in_path(self):
        path = f"{os.path.dirname(WORKLOAD)}:{os.environ['PATH']}"
        got = support.btrun("-e", "uprobe:workload:called_two { @[probe] = count(); }",
                            "-c", f"{WORKLOAD} call 1 8", env={"PATH": path}, cwd="/")
        self.assertEqual(support.map_values(got.stdout, ""),
                         {f"uprobe:{WORKLOAD}:called_two": 4})

    @support.same_everywhere
    def test_another_file_than_compiled_for(self):
        """Offsets of one build must not be attached to another."""
        with tempfile.TemporaryDirectory() as directory:
            program, image = f"{directory}/program", f"{directory}/image"
            with open(WORKLOAD, "rb") as f:
                contents = f.read()
            for data in (contents, None):
                if data is None:
                    with open("/bin/true", "rb") as f:
                        data = f.read()
                with open(program, "wb") as f:
                    f.write(data)
                os.chmod(program, 0o755)
                if data is contents:
                    made = support.btrun("--no-portable", "--emit-image", image, "-e",
                                         f"uprobe:{program}:called_one {{ exit(); }}")
                    self.assertEqual(made.returncode, 0, made.stderr)
            run = support.btrun(image, program=support.BTRUN_RUN)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("is not the file that the script was compiled for", run.stderr)

    @support.same_everywhere
    def test_listed(self):
        listed = support.btrun("-l", f"uprobe:{WORKLOAD}:called_*").stdout
        self.assertEqual(listed, "".join(f"uprobe:{WORKLOAD}:called_{n}\n"
                                         for n in ("one", "ten", "two")))

    def test_hundreds(self):
        """All functions of a library with one program, there and gone."""
        if not support.has_probe("uprobe:libc:malloc"):
            self.skipTest("no libc found")
        before = support.program_ids()
        start = time.monotonic()
        got = support.btrun("-e", "uprobe:libc:str* /pid == 0/ { @[probe] = count(); } "
                            "interval:ms:10 { exit(); }")
        self.assertEqual(got.returncode, 0, got.stderr)
        attached = int(re.search(r"Attached (\d+) probes", got.stderr)[1])
        self.assertGreater(attached, 50)
        self.assertFalse(support.wait_for_no_new_programs(before))
        print(f"{attached} probes came and went in {time.monotonic() - start:.2f} s")


class Gate(unittest.TestCase):
    def difference(self, script, child, threads, *options, seconds=None):
        """How far the ends are apart beyond what is allowed; None: the child hardly ran."""
        with support.Tracer(*options, "-e", script, child.pid,
                            stop=signal.SIGINT if seconds else None) as tracer:
            if seconds:
                time.sleep(seconds * support.PATIENCE)
        self.assertEqual(tracer.status, 0, tracer.err)
        enter, leave = (support.map_value(tracer.out, name) for name in ("enter", "exit"))
        missed = support.Missed(tracer.err)
        if min(enter, leave) <= 50:
            return None
        return support.apart(enter, leave, threads, missed.of("uprobe:"), missed.of("uretprobe:"))

    def differences(self, script, threads, *options, seconds=None, runs=support.often(8, 2)):
        with support.Child("call", threads, 0) as child:
            child.go()
            got = []
            for _ in range(5 * runs):  # on a busy machine the child may sleep through some
                one = self.difference(script, child, threads, *options, seconds=seconds)
                got += [] if one is None else [one]
                if len(got) == runs:
                    break
        self.assertGreaterEqual(len(got), runs / 2)
        return got

    def check(self, script, threads, *options, **how):
        self.assertEqual(max(self.differences(script, threads, *options, **how)), 0)

    def test_one_thread_stopped_by_an_interval(self):
        self.check(ENTER + OTHERS + EXIT + STOP_BY_INTERVAL, 1)

    def test_two_threads_stopped_by_exit_in_a_probe(self):
        self.check(EXIT + OTHERS + ENTER + STOP_IN_PROBE + FORGET, 2)

    def test_two_threads_stopped_by_a_signal(self):
        self.check(ENTER + EXIT, 2, seconds=0.1)

    def test_one_by_one(self):
        self.check(ENTER + OTHERS + EXIT + STOP_BY_INTERVAL, 1, "--no-feature", "uprobe_multi",
                   runs=support.often(4, 1))

    @support.same_everywhere
    def test_switched_off_they_differ(self):
        """So that the tests above are known to be able to fail."""
        got = []
        for _ in range(30):  # until the child runs while one is attached and the other is not
            got += self.differences(ENTER + OTHERS + EXIT + STOP_BY_INTERVAL, 1, "--no-sync",
                                    "--no-feature", "uprobe_multi", runs=1)
            if max(got):
                return
        self.fail("never more than two apart")


class Listing(unittest.TestCase):
    def test_of_a_process(self):
        with support.Child("call", 1, 1) as child:
            for pattern in ("uprobe:called_*", "uprobe:*:called_*", "*called_*"):
                with self.subTest(pattern=pattern):
                    done = support.btrun("-p", child.pid, "-l", pattern)
                    found = [line.split(":")[2] for line in done.stdout.splitlines()
                             if line.startswith("uprobe:")]
                    self.assertEqual(found, ["called_one", "called_ten", "called_two"],
                                     done.stdout)
            every = support.btrun("-p", child.pid, "-l", "uprobe:*").stdout
        self.assertIn(f"uprobe:{WORKLOAD}:called_one\n", every)
        self.assertRegex(every, r"uprobe:/.*/libc\.so\.6:getpid\n")


class Places(unittest.TestCase):
    """Code that is no ELF file of its own, called by this very process."""

    def setUp(self):
        if os.uname().machine != "x86_64":
            self.skipTest("the code is written for x86-64")

    def call(self, path, offset, times):
        with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ | mmap.PROT_EXEC,
                                              flags=mmap.MAP_PRIVATE):
            address = mapped_at(path)
            function = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long)(address + offset)
            for n in range(times):
                function(n)

    def test_raw(self):
        with tempfile.NamedTemporaryFile(suffix=".bin") as f:
            f.write(b"\x90\x90" b"\x48\x89\xf8" b"\xc3")  # nop; nop; mov %rdi,%rax; ret
            f.flush()
            done = support.btrun("-e", f"uprobe:{f.name}:2 {{ }}")
            self.assertIn("Use --unsafe to force attachment", done.stderr)
            with support.Tracer("--unsafe", "-e", f"uprobe:{f.name}:2 /pid == $1/ "
                                "{ @n = count(); @sum = sum(arg0); }", os.getpid()) as tracer:
                self.call(f.name, 0, CALLS)
        self.assertEqual(support.map_value(tracer.out, "n"), CALLS, tracer.err)
        self.assertEqual(support.map_value(tracer.out, "sum"), sum(range(CALLS)))

    def test_archive(self):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/a.zip"
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("first", "x")
                info = zipfile.ZipInfo("dir/workload")
                with open(WORKLOAD, "rb") as f:
                    archive.writestr(info, f.read(), compress_type=zipfile.ZIP_STORED)
                packed = zipfile.ZipInfo("packed")
                archive.writestr(packed, 1000 * "x", compress_type=zipfile.ZIP_DEFLATED)
            base = info.header_offset + 30 + len(info.filename)
            point = f'uprobe:"{path}!/dir/workload":called_two'
            with support.Tracer("-e", f"{point} /pid == $1/ {{ @[probe] = count(); }}",
                                os.getpid()) as tracer:
                self.call(path, base + code_offset("called_two"), CALLS)
            for name in ("nothing", "packed", "first"):
                done = support.btrun("-e", f'uprobe:"{path}!/{name}":f {{ }}')
                self.assertIn("does not exist or is not executable", done.stderr)
        self.assertEqual(support.map_values(tracer.out, ""),
                         {f"uprobe:{path}!/dir/workload:called_two": CALLS}, tracer.err)


def mapped_at(path):
    """Where this process has mapped the beginning of a file to be run."""
    with open("/proc/self/maps", encoding="utf-8") as f:
        return int(re.search(rf"^(\w+)-\w+ r-xp 00000000 .*{re.escape(path)}$", f.read(),
                             re.M)[1], 16)


def code_offset(name):
    """The place in the workload's file of one of its functions."""
    headers = subprocess.run(["readelf", "-lW", WORKLOAD], capture_output=True, text=True,
                             check=True).stdout
    for offset, addr, size in re.findall(r"LOAD +(\w+) (\w+) \w+ (\w+)", headers):
        offset, addr, size = (int(n, 16) for n in (offset, addr, size))
        if addr <= symbol(name) < addr + size:
            return symbol(name) - addr + offset
    raise LookupError(name)


if __name__ == "__main__":
    support.main()
