#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The one-liners of bpftrace's tutorial that need no kprobe, against what a child did."""

import re
import unittest

import support


class OneLiners(unittest.TestCase):
    def trace(self, script, *words, name=None, seconds=None):
        """Traces a child that does what @words say; "$1" in the script is its pid."""
        with support.Child(*words, name=name) as child:
            with support.Tracer("-e", script, child.pid) as tracer:
                child.go()
                child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        return tracer.out

    def test_1_listing(self):
        listed = support.btrun("-l", "tracepoint:syscalls:sys_enter_*").stdout.split()
        self.assertIn("tracepoint:syscalls:sys_enter_openat", listed)
        self.assertGreater(len(listed), 250)
        self.assertEqual(listed, sorted(listed))
        for line in listed:
            self.assertRegex(line, r"^tracepoint:syscalls:sys_enter_\w+$")

    def test_2_hello_world(self):
        with support.Tracer("-e", 'BEGIN { printf("hello world\\n"); }', stop=None) as tracer:
            pass
        self.assertEqual(tracer.out, "hello world\n\n\n")
        self.assertEqual(tracer.status, 0)

    def test_3_file_opens(self):
        out = self.trace("tracepoint:syscalls:sys_enter_openat /pid == $1/ "
                         '{ printf("%s %s\\n", comm, str(args.filename)); }',
                         "open", "/proc/self/status", 25, name="opener")
        self.assertEqual(out.count("opener /proc/self/status\n"), 25)

    def test_3_with_an_arrow(self):
        out = self.trace("tracepoint:syscalls:sys_enter_openat /pid == $1/ "
                         '{ printf("%s %s\\n", comm, str(args->filename)); }',
                         "open", "/proc/self/status", 3, name="opener")
        self.assertEqual(out.count("opener /proc/self/status\n"), 3)

    def test_4_system_calls_by_process(self):
        out = self.trace("tracepoint:raw_syscalls:sys_enter /pid == $1/ { @[comm] = count(); }",
                         "getppid", 1, 5000, name="caller")
        count = support.map_values(out, "")["caller"]
        # A few more to start and end the thread that calls.
        self.assertGreaterEqual(count, 5000)
        self.assertLess(count, 5100)

    def test_5_distribution_of_read_sizes(self):
        out = self.trace("tracepoint:syscalls:sys_exit_read /pid == $1 && args.ret > 100/ "
                         "{ @bytes = hist(args.ret); }",
                         "read", "/dev/zero", 200, 7, 1000, 3, 5000, 11)
        self.assertEqual(support.histogram(out, "bytes"),
                         {"[128, 256)": 7, "[512, 1K)": 3, "[4K, 8K)": 11})

    def test_5_linear(self):
        out = self.trace("tracepoint:syscalls:sys_exit_read /pid == $1 && args.ret > 100/ "
                         "{ @bytes = lhist(args.ret, 0, 2000, 200); }",
                         "read", "/dev/zero", 150, 4, 399, 2, 400, 5, 1999, 1, 2000, 6)
        self.assertEqual(support.histogram(out, "bytes"),
                         {"[0, 200)": 4, "[200, 400)": 2, "[400, 600)": 5, "[1800, 2000)": 1,
                          "[2000, ...)": 6})

    def test_7_timing_reads(self):
        out = self.trace("tracepoint:syscalls:sys_enter_read /pid == $1/ "
                         "{ @start[tid] = nsecs; }"
                         "tracepoint:syscalls:sys_exit_read /@start[tid]/ "
                         "{ @ns[comm] = hist(nsecs - @start[tid]); delete(@start, tid); }",
                         "read", "/dev/zero", 4096, 500, name="reader")
        times = support.histogram(out, "ns[reader]")
        self.assertGreaterEqual(sum(times.values()), 500)
        self.assertLess(sum(times.values()), 520)
        self.assertNotIn("@start", out)

    def test_8_process_events(self):
        script = ("tracepoint:sched:sched_process_exec /pid == cpid/ { @[probe] = count(); } "
                  "tracepoint:sched:sched_process_exit /pid == cpid/ { @[probe] = count(); }")
        done = support.btrun("-c", "/bin/true", "-e", script)
        self.assertEqual(support.map_values(done.stdout, ""),
                         {"tracepoint:sched:sched_process_exec": 1,
                          "tracepoint:sched:sched_process_exit": 1})

    def test_8_wildcard(self):
        script = ("tracepoint:sched:sched_process_* /pid == cpid/ { @[probe] = count(); }")
        done = support.btrun("-c", "/bin/true", "-e", script)
        found = support.map_values(done.stdout, "")
        self.assertEqual(found["tracepoint:sched:sched_process_exec"], 1)
        self.assertEqual(found["tracepoint:sched:sched_process_exit"], 1)
        for name in found:
            self.assertRegex(name, r"^tracepoint:sched:sched_process_\w+$")

    def test_9_profile_of_kernel_stacks(self):
        with support.Child("getppid", 1, 0) as child:
            child.go()
            script = "profile:hz:999 /pid == $1/ { @[kstack] = count(); }"
            with support.Tracer("-e", script, child.pid) as tracer:
                support.time.sleep(0.5)
        stacks = re.findall(r"^@\[\n(.*?)\]: (\d+)$", tracer.out, re.M | re.S)
        samples = sum(int(n) for _, n in stacks)
        # A busy thread on one processor: half a second at 999 Hz, less what others took.
        self.assertGreater(samples, 5)
        self.assertLess(samples, 700)
        self.assertRegex(tracer.out, r"\n *\w*(do_syscall_64|el0_svc|do_trap_ecall_u)\+\d+\n")

    def test_10_stacks_of_the_scheduler(self):
        script = "tracepoint:sched:sched_switch { @[kstack] = count(); } interval:ms:200 { exit(); }"
        done = support.btrun("-e", script)
        self.assertRegex(done.stdout, r"\n *(schedule|__schedule)\+\d+\n")

    def test_11_block_io_by_size(self):
        support.require_probes("tracepoint:block:block_rq_issue")
        with support.loop_device(1 << 20) as device:
            major_minor = support.os.stat(device).st_rdev
            dev = support.os.major(major_minor) << 20 | support.os.minor(major_minor)
            with support.Child("block", device, "direct-write:4096:0:12",
                               "direct-read:16384:0:5") as child:
                script = "tracepoint:block:block_rq_issue /args.dev == $1/ { @ = hist(args.bytes); }"
                with support.Tracer("-e", script, dev) as tracer:
                    child.go()
                    child.finish()
        self.assertEqual(support.histogram(tracer.out, ""),
                         {"[4K, 8K)": 12, "[16K, 32K)": 5})

    def test_sums_and_extremes(self):
        out = self.trace("tracepoint:syscalls:sys_exit_write /pid == $1 && args.ret > 100/ "
                         "{ @sum = sum(args.ret); @min = min(args.ret); @max = max(args.ret); "
                         "@avg = avg(args.ret); @n = count(); }",
                         "write", "/dev/null", 200, 10, 1000, 10)
        self.assertEqual([support.map_value(out, n) for n in ("sum", "min", "max", "avg", "n")],
                         [12000, 200, 1000, 600, 20])

    def test_threads_by_tid(self):
        out = self.trace("tracepoint:syscalls:sys_enter_getppid /pid == $1/ { @[tid] = count(); }",
                         "getppid", 3, 2000)
        self.assertEqual(sorted(support.map_values(out, "").values()), [2000] * 3)

    def test_disk_name(self):
        support.require_probes("tracepoint:block:block_io_start")
        with support.loop_device(1 << 20) as device:
            with support.Child("block", device, "direct-write:4096:0:9", name="named") as child:
                script = ('tracepoint:block:block_io_start /comm == "named"/ '
                          "{ @[disk_name(args.dev)] = count(); }")
                with support.Tracer("-e", script) as tracer:
                    child.go()
                    child.finish()
        self.assertEqual(support.map_values(tracer.out, "")[support.os.path.basename(device)], 9)


if __name__ == "__main__":
    support.main()
