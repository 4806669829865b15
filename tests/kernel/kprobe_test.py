#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kprobe, kretprobe, fentry and fexit: kernel functions that a child makes be called.

The workload reads a file N times: vfs_read is called that often with that size, and some
times more by the loader, with other sizes.
"""

import os
import re
import tempfile
import time
import unittest

import support

SIZE, COUNT = 10, 50
KPROBE = "kprobe:vfs_read"
FENTRY = "fentry:vfs_read"
STOP_BY_INTERVAL = f"interval:ms:{support.often(300, 1000)} {{ exit(); }}\n"


def getppid(kind):
    """The function behind the system call; its names share one address."""
    for name in ("__x64_sys_getppid", "__do_sys_getppid", "__ia32_sys_getppid"):
        if support.has_probe(f"{kind}:{name}"):
            return name
    raise unittest.SkipTest("no function of getppid can be traced here")


class Traced(unittest.TestCase):
    probe = ""

    @classmethod
    def setUpClass(cls):
        support.require_probes(cls.probe)
        cls.file = tempfile.NamedTemporaryFile("w", prefix="btrun-known-")
        cls.file.write("x" * 1000)
        cls.file.flush()

    @classmethod
    def tearDownClass(cls):
        cls.file.close()

    def trace(self, script, *options, parameters=()):
        """Runs @script while the child reads; $1 is the child's pid."""
        with support.Child("read", self.file.name, SIZE, COUNT) as child:
            with support.Tracer(*options, "-e", script, child.pid, *parameters) as tracer:
                child.go()
                child.finish()
                self.links = support.link_types(tracer.process.pid)
        self.assertEqual(tracer.status, 0, tracer.err)
        return tracer.out

    def refused(self, script, *options):
        run = support.btrun(*options, "-e", script)
        self.assertNotEqual(run.returncode, 0, run.stdout)
        return run.stderr

    def gate(self, enter, leave, *options, runs=support.often(4, 2)):
        """Threads call getppid all the time; both ends are counted equally often."""
        script = (f"{enter} /pid == $1/ {{ @enter = count(); }}\n"
                  f"{leave} /pid == $1/ {{ @exit = count(); }}\n" + STOP_BY_INTERVAL)
        seen = 0
        with support.Child("getppid", 2, 0) as child:
            child.go()
            for _ in range(5 * runs):  # on a busy machine the child may sleep through some
                with support.Tracer(*options, "-e", script, child.pid, stop=None) as tracer:
                    pass
                counts = [support.map_value(tracer.out, name) for name in ("enter", "exit")]
                missed = support.Missed(tracer.err)
                self.assertEqual(0, support.apart(*counts, 2, missed.of("kprobe:", "fentry:"),
                                                  missed.of("kretprobe:", "fexit:")),
                                 (counts, tracer.err))
                seen += min(counts) > 100
                if seen == runs:
                    break
        self.assertGreaterEqual(seen, runs / 2)


class Kprobe(Traced):
    probe = KPROBE

    def test_arguments_and_return_value(self):
        out = self.trace("kprobe:vfs_read /pid == $1 && arg2 == 10/ "
                         "{ @n = count(); @bytes = sum(arg2); @in[tid] = 1; }\n"
                         "kretprobe:vfs_read /pid == $1 && @in[tid]/ "
                         "{ @r = sum(retval); delete(@in, tid); }\n")
        self.assertEqual(support.map_value(out, "n"), COUNT)
        self.assertEqual(support.map_value(out, "bytes"), COUNT * SIZE)
        self.assertEqual(support.map_value(out, "r"), COUNT * SIZE)

    def test_struct_argument(self):
        out = self.trace("kprobe:vfs_read /pid == $1 && arg2 == 10/ { "
                         "@[str(((struct file *)arg0).f_path.dentry.d_name.name, 64)] = count(); }")
        self.assertEqual(support.map_values(out, ""),
                         {os.path.basename(self.file.name): COUNT})

    def check_names(self, kind, *options):
        out = self.trace(f"{kind}:vfs_rea*, {kind}:vfs_write /pid == $1/ "
                         "{ @[probe, func] = count(); }\n"
                         "kprobe:vfs_read /pid == $1/ { @all = count(); }\n", *options)
        support.check_links(self, self.links, "kprobe", *options)
        self.assertGreaterEqual(support.map_value(out, "all"), COUNT)
        names = support.map_values(out, "")
        self.assertEqual(names[f"{kind}:vfs_read, vfs_read"], support.map_value(out, "all"))
        self.assertNotIn(f"{kind}:vfs_write, vfs_write", names)

    def test_wildcard(self):
        self.check_names("kprobe")

    def test_wildcard_one_by_one(self):
        self.check_names("kprobe", "--no-feature", "kprobe_multi")

    def test_wildcard_without_cookies(self):
        self.check_names("kprobe", "--no-feature", "attach_cookie,kprobe_multi")

    def test_wildcard_with_ioctl(self):
        self.check_names("kprobe", "--no-feature", "links,kprobe_multi")

    def test_wildcard_of_returns(self):
        if not support.has_feature("func_ip"):
            self.assertIn("func_ip", self.refused("kretprobe:vfs_read { print(func); }"))
            self.skipTest("func of a kretprobe is not known to this kernel")
        self.check_names("kretprobe")

    def test_hundreds(self):
        """One program for all of them, there and gone; on newer kernels in one go."""
        before = support.program_ids()
        start = time.monotonic()
        run = support.btrun("-e", "kprobe:vfs_* /pid == 0/ { @[probe] = count(); } "
                            "interval:ms:10 { exit(); }", timeout=300,
                            env={"BPFTRACE_MISSING_PROBES": "ignore"})
        self.assertEqual(run.returncode, 0, run.stderr)
        attached = int(re.search(r"Attached (\d+) probes", run.stderr)[1])
        self.assertGreater(attached, 30)
        self.assertFalse(support.wait_for_no_new_programs(before))
        print(f"{attached} probes came and went in {time.monotonic() - start:.2f} s")

    def test_pid(self):
        with support.Child("read", self.file.name, SIZE, COUNT) as ours, \
             support.Child("read", self.file.name, SIZE, COUNT) as other:
            with support.Tracer("-p", ours.pid, "-e",
                                "kprobe:vfs_read /arg2 == 10/ { @[pid] = count(); }",
                                stop=None) as tracer:
                other.go()
                other.finish()
                ours.go()
                ours.finish()
        self.assertEqual(support.map_values(tracer.out, ""), {str(ours.pid): COUNT})

    def test_offset_and_module(self):
        out = self.trace("kprobe:vfs_read+0, kprobe:vmlinux:vfs_read /pid == $1 && arg2 == 10/ "
                         "{ @[probe] = count(); }")
        self.assertEqual(support.map_values(out, ""),
                         {"kprobe:vfs_read": COUNT, "kprobe:vmlinux:vfs_read": COUNT})

    def test_middle_of_an_instruction(self):
        """Some offset of the first ones is none that the kernel takes."""
        errors = [support.btrun("-e", f"kprobe:vfs_read+{n} {{ exit(); }} "
                                "interval:ms:1 { exit(); }").stderr for n in range(1, 8)]
        self.assertTrue(any("in the middle of an instruction" in e for e in errors), errors)

    def test_stack(self):
        out = self.trace("kprobe:vfs_read /pid == $1 && arg2 == 10/ { @[kstack(2)] = count(); }")
        self.assertRegex(out, r"@\[\n +vfs_read\+\d+\n")

    def test_missing(self):
        err = self.refused("kprobe:no_such_function { exit(); }")
        self.assertIn("No matches for kprobe no_such_function.", err)
        err = self.refused("kprobe:no_such_module:vfs_read { exit(); }")
        self.assertIn("specified module no_such_module in probe "
                      "kprobe:no_such_module:vfs_read is not loaded.", err)
        run = support.btrun("-e", "config = { missing_probes = \"warn\" } "
                            "kprobe:no_such_function, interval:ms:1 { print(probe); exit(); }")
        self.assertEqual(run.stdout.strip(), "interval:ms:1")

    def test_exists(self):
        run = support.btrun("-e", "begin { print((probe_exists(\"kprobe:vfs_read\"), "
                            "probe_exists(\"kretprobe:vfs_read\"), "
                            "probe_exists(\"kprobe:no_such_function\"))); exit(); }")
        self.assertIn("(true, true, false)", run.stdout)

    def test_listed(self):
        listed = support.btrun("-l", "kprobe:vfs_rea*").stdout.split()
        self.assertIn("kprobe:vfs_read", listed)
        self.assertEqual(listed, sorted(listed))
        self.assertEqual(support.btrun("-l", "kprobe:vmlinux:vfs_read").stdout,
                         "kprobe:vmlinux:vfs_read\n")

    def test_gate(self):
        function = getppid("kprobe")
        self.gate(f"kprobe:{function}", f"kretprobe:{function}")

    def test_gate_of_wildcards(self):
        """Two probes a link, and other probes between the ends."""
        function = getppid("kprobe")
        self.gate(f"kprobe:{function}*", f"kretprobe:vfs_readl*, kretprobe:{function}*")
        self.gate(f"kprobe:{function}*", f"kretprobe:vfs_readl*, kretprobe:{function}*",
                  "--no-feature", "kprobe_multi", runs=support.often(2, 1))


class Fentry(Traced):
    probe = FENTRY

    def test_arguments_and_return_value(self):
        out = self.trace("fentry:vfs_read /pid == $1 && args.count == 10/ "
                         "{ @n = count(); @bytes = sum(args.count); }\n"
                         "fexit:vfs_read /pid == $1 && args.count == 10/ "
                         "{ @r = sum(retval); @left = count(); }\n")
        self.assertEqual(support.map_value(out, "n"), COUNT)
        self.assertEqual(support.map_value(out, "left"), COUNT)
        self.assertEqual(support.map_value(out, "bytes"), COUNT * SIZE)
        self.assertEqual(support.map_value(out, "r"), COUNT * SIZE)

    def test_failure_is_negative(self):
        with support.Child("open", "/proc/self/mem", 1) as child:
            with support.Tracer("-e", "fexit:vfs_read /pid == $1 && retval < 0/ { @ = count(); }"
                                "fexit:vfs_open /pid == $1 && retval == 0/ { @open = count(); }",
                                child.pid) as tracer:
                child.go()
                child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        self.assertGreaterEqual(support.map_value(tracer.out, "open"), 1)

    def test_struct_argument(self):
        out = self.trace("fentry:vfs_read /pid == $1 && args.count == 10/ { "
                         "@[str(args.file.f_path.dentry.d_name.name, 64)] = count(); "
                         "@aligned = ((uint64)args.file & 7) == 0; @same = args.file == args.file; }")
        self.assertEqual(support.map_values(out, ""),
                         {os.path.basename(self.file.name): COUNT})
        self.assertIn("@aligned: true\n", out)
        self.assertIn("@same: true\n", out)

    def test_wildcard_and_names(self):
        for kind in ("fentry", "fexit"):
            out = self.trace(f"{kind}:vfs_rea* /pid == $1/ {{ @[probe] = count(); }}\n"
                             f"{kind}:vfs_read /pid == $1/ {{ @all = count(); }}\n")
            self.assertEqual(support.map_values(out, "").get(f"{kind}:vmlinux:vfs_read"),
                             support.map_value(out, "all"))

    def test_old_names(self):
        out = self.trace("kfunc:vfs_read /pid == $1 && args.count == 10/ { @a = count(); }\n"
                         "kretfunc:vmlinux:vfs_read /pid == $1 && args.count == 10/ "
                         "{ @b = count(); }\n")
        self.assertEqual((support.map_value(out, "a"), support.map_value(out, "b")),
                         (COUNT, COUNT))

    def test_func(self):
        script = "fentry:vfs_read /pid == $1 && args.count == 10/ { @[func] = count(); }"
        if not support.has_feature("func_ip"):
            self.assertIn("func_ip", self.refused(script))
            return
        self.assertEqual(support.map_values(self.trace(script), ""), {"vfs_read": COUNT})

    def test_stacks(self):
        out = self.trace("fentry:vfs_read /pid == $1 && args.count == 10/ "
                         "{ @[kstack(6)] = count(); @u[ustack(1)] = count(); }")
        self.assertRegex(out, r"\n +vfs_read\+\d+\n")
        self.assertIn("@u[", out)

    def test_missing(self):
        self.assertIn("No matches for fentry no_such_function.",
                      self.refused("fentry:no_such_function { exit(); }"))
        self.assertIn("no_such", self.refused("fentry:vfs_read { print(args.no_such); }"))

    def test_listed(self):
        self.assertEqual(support.btrun("-lv", "fexit:vfs_read").stdout,
                         "fexit:vmlinux:vfs_read\n    struct file * file\n    char * buf\n"
                         "    size_t count\n    loff_t * pos\n    ssize_t retval\n")
        self.assertEqual(support.btrun("-l", "fentry:vmlinux:vfs_read").stdout,
                         "fentry:vmlinux:vfs_read\n")

    def test_exists(self):
        run = support.btrun("-e", "begin { print((probe_exists(\"fentry:vfs_read\"), "
                            "probe_exists(\"fexit:no_such_function\"))); exit(); }")
        self.assertIn("(true, false)", run.stdout)

    def test_gate(self):
        function = getppid("fentry")
        self.gate(f"fentry:{function}", f"fexit:{function}")


if __name__ == "__main__":
    support.main()
