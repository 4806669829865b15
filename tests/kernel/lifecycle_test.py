#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a run starts and every way in which it may stop."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import support

GETPPID = "tracepoint:syscalls:sys_enter_getppid /pid == $1/ { @n = count(); }\n"
END = 'END { printf("the end\\n"); }\n'


class Start(unittest.TestCase):
    def test_a_command_runs_behind_the_gate(self):
        """Its exec and all that follows is seen, nothing of what came before."""
        script = ("tracepoint:sched:sched_process_exec /pid == cpid/ { @exec = count(); }\n"
                  "tracepoint:syscalls:sys_enter_execve /pid == cpid/ { @enter = count(); }\n"
                  "tracepoint:sched:sched_process_exit /pid == cpid/ { @exit = count(); }\n"
                  "tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @calls = count(); }\n")
        done = support.btrun("-c", f"{support.WORKLOAD} getppid 1 1000", "-e", script)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name, due in (("exec", 1), ("enter", 1), ("calls", 1000)):
            support.check_count(self, done.stderr, support.map_value(done.stdout, name), due)
        self.assertGreaterEqual(support.map_value(done.stdout, "exit"), 1)

    @support.same_everywhere
    def test_service_managers_are_told(self):
        with tempfile.TemporaryDirectory(prefix="btrun-notify-") as directory, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(f"{directory}/socket")
            s.settimeout(30 * support.PATIENCE)
            with support.Tracer("-e", "interval:s:100 { }",
                                env={"NOTIFY_SOCKET": f"{directory}/socket"}) as tracer:
                self.assertIn(b"READY=1", s.recv(4096))
            self.assertIn(b"STOPPING=1", s.recv(4096))
        self.assertEqual(tracer.status, 0)

    @support.same_everywhere
    def test_test_suites_are_told(self):
        done = support.btrun("-e", "interval:ms:1 { exit(); }",
                             env={"__BPFTRACE_NOTIFY_PROBES_ATTACHED": "1"})
        self.assertIn("__BPFTRACE_NOTIFY_PROBES_ATTACHED\n", done.stdout)

    def test_nothing_wakes_when_one_probe_cannot_be_attached(self):
        before = support.program_ids()
        script = ('BEGIN { printf("begun\\n"); } interval:us:100 { printf("awake\\n"); } '
                  "profile:hz:99999999 { } " + END)
        done = support.btrun("-e", script)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn("profile:hz:99999999", done.stderr)
        self.assertEqual(support.wait_for_no_new_programs(before), set())

    def test_attached_is_said_after_the_wake(self):
        """By then a child's calls are counted: none is missed after the message."""
        with support.Child("getppid", 1, 1000) as child:
            with support.Tracer("-e", GETPPID, child.pid) as tracer:
                child.go()
                child.finish()
        support.check_count(self, tracer.err, support.map_value(tracer.out, "n"), 1000)


class Stop(unittest.TestCase):
    """Whatever ends a run: END runs, all that was counted is printed, nothing stays."""

    def check(self, out):
        self.assertIn("the end\n", out)
        self.assertGreater(support.map_value(out, "n"), 0, out)

    def run_until(self, sig=None, script="", seconds=0.1):
        before = support.program_ids()
        with support.Child("getppid", 1, 0) as child:
            child.go()
            with support.Tracer("-e", GETPPID + END + script, child.pid, stop=sig) as tracer:
                if sig:
                    time.sleep(seconds * support.PATIENCE)
        self.check(tracer.out)
        self.assertEqual(support.wait_for_no_new_programs(before), set())
        return tracer

    def test_ctrl_c(self):
        self.assertEqual(self.run_until(signal.SIGINT).status, 0)

    def test_terminate(self):
        self.assertEqual(self.run_until(signal.SIGTERM).status, 0)

    def test_exit_in_an_interval(self):
        script = f"interval:ms:{50 * support.PATIENCE} {{ exit(5); }}"
        self.assertEqual(self.run_until(script=script).status, 5)

    def test_exit_in_a_probe(self):
        script = "tracepoint:syscalls:sys_exit_getppid /pid == $1 && @n > 0/ { exit(); }"
        self.assertEqual(self.run_until(script=script).status, 0)

    def test_the_end_of_the_command(self):
        script = "tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @n = count(); }"
        done = support.btrun("-c", f"{support.WORKLOAD} getppid 1 500", "-e", script + END)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check(done.stdout)
        support.check_count(self, done.stderr, support.map_value(done.stdout, "n"), 500)

    def test_the_end_of_the_process(self):
        script = "tracepoint:syscalls:sys_enter_getppid { @n = count(); }"
        with support.Child("getppid", 1, 500) as child:
            with support.Tracer("-p", child.pid, "-e", script + END, stop=None) as tracer:
                child.go()
                child.finish()
        self.check(tracer.out)
        support.check_count(self, tracer.err, support.map_value(tracer.out, "n"), 500)

    def test_a_command_that_outlives_the_run_is_ended(self):
        with tempfile.TemporaryDirectory(prefix="btrun-child-") as directory:
            path = f"{directory}/pid"
            done = support.btrun("-c", f"sh -c 'echo $$ > {path}; exec sleep 1000'", "-e",
                                 "interval:ms:300 { exit(); }")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(path, encoding="utf-8") as f:
                pid = int(f.read())
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    @support.same_everywhere
    def test_a_second_ctrl_c_ends_a_print_that_nobody_reads(self):
        script = ("tracepoint:syscalls:sys_enter_getppid /pid == $1/ "
                  "{ @n++; @[@n % 3000] = hist(@n); }")
        with support.Child("getppid", 1, 0) as child:
            child.go()
            process = subprocess.Popen([support.BTRUN, "-e", script, str(child.pid)],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                line = process.stderr.readline()
                self.assertIn(b"Attached", line)
                time.sleep(support.often(0.5, 4))
                process.send_signal(signal.SIGINT)
                time.sleep(2)
                self.assertIsNone(process.poll(), "the output fitted into the pipe")
                process.send_signal(signal.SIGINT)
                process.wait(timeout=20 * support.PATIENCE)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
                process.stdout.close()
                process.stderr.close()

    def test_orders_keep_their_place_among_lines(self):
        """print and clear happen between the lines that were printed before and after them."""
        script = ('BEGIN { @k = 7; @x[1] = 5; } interval:ms:5 { @n++; printf("before %d\\n", @n); '
                  'print(@k); printf("after %d\\n", @n); '
                  'if (@n == 10) { print(@x); clear(@x); printf("cleared\\n"); print(@x); } '
                  "if (@n == 20) { exit(); } } END { clear(@n); clear(@k); }")
        due = []
        for i in range(1, 21):
            due += [f"before {i}", "@k: 7", f"after {i}"]
            due += ["@x[1]: 5", "cleared"] if i == 10 else []
        done = support.btrun("-e", script)
        self.assertEqual([line for line in done.stdout.split("\n") if line], due)


if __name__ == "__main__":
    support.main()
