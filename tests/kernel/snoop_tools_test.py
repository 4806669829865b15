#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/execsnoop.bt, opensnoop.bt, killsnoop.bt, syscount.bt and gethostlatency.bt against
programs executed, files opened, signals sent, calls made and names looked up in known number."""

import contextlib
import ctypes
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import support


TRUE = shutil.which("true")


def tool(name, *options, stop=signal.SIGINT):
    return support.Tracer(os.path.join(support.SCRIPTS, f"{name}.bt"), "--", *options, stop=stop)


def lines(out):
    return [line for line in out.splitlines()[1:] if line.strip()]


def heading(out):
    return out.split("\n", 1)[0].split()


def words(line, count):
    """The first @count columns and all the rest; no name here has a blank in it."""
    return tuple(line.split(maxsplit=count))


class ExecSnoop(unittest.TestCase):
    ME = os.getpid()

    def snoop(self, run, *options):
        with tool("execsnoop", f"--ppid={self.ME}", *options) as tracer:
            run()
        self.out = tracer.out
        # PCOMM PID PPID RET ARGS
        return [words(line, 4) for line in lines(tracer.out)]

    def test_each_program_with_its_arguments(self):
        pids = []

        def run():
            for n in range(5):
                child = subprocess.Popen([TRUE, f"argument {n}", "", "-x"])
                pids.append(child.pid)
                child.wait()

        got = self.snoop(run)
        self.assertEqual(heading(self.out), ["PCOMM", "PID", "PPID", "RET", "ARGS"])
        want = [("true", str(pid), str(self.ME), "0", f"{TRUE} argument {n}  -x")
                for n, pid in enumerate(pids)]
        self.assertEqual(got, want, self.out)

    @support.same_everywhere
    def test_many_arguments(self):
        numbers = [str(n) for n in range(1, 25)]

        def run():
            for count in (19, 20):
                subprocess.run([TRUE, *numbers[:count]], check=True)

        self.assertEqual([x[4] for x in self.snoop(run)],
                         [" ".join([TRUE, *numbers[:19]]),
                          " ".join([TRUE, *numbers[:19], "..."])])
        self.assertEqual([x[4] for x in self.snoop(run, "--max-args=2", "--quote")],
                         [f'"{TRUE}" "1" ...'] * 2)

    def test_those_that_fail(self):
        def run():
            for program in ("/nonexistent/program", TRUE, "/dev/null"):
                pid = os.fork()
                if not pid:
                    try:
                        os.execv(program, ["true", "one", "two"])
                    finally:
                        os._exit(0)
                os.waitpid(pid, 0)

        me = open("/proc/self/comm", encoding="ascii").read().strip()
        got = [(x[0], x[3], x[4]) for x in self.snoop(run, "--fails")]
        self.assertEqual(got, [(me, str(-errno.ENOENT), "/nonexistent/program one two"),
                               ("true", "0", f"{TRUE} one two"),
                               (me, str(-errno.EACCES), "/dev/null one two")], self.out)
        self.assertEqual([x[4] for x in self.snoop(run)], [f"{TRUE} one two"])

    def test_a_script_and_its_interpreter(self):
        with tempfile.TemporaryDirectory(prefix="btrun-exec-") as directory:
            path = f"{directory}/script"
            with open(path, "w", encoding="ascii") as f:
                f.write("#!/bin/sh\nexit 0\n")
            os.chmod(path, 0o755)
            got = self.snoop(lambda: subprocess.run([path, "a b"], check=True))
        self.assertEqual([(x[0], x[4]) for x in got], [("script", f"/bin/sh {path} a b")])

    @support.same_everywhere
    def test_columns_and_filters(self):
        def run():
            subprocess.run(["true"], check=True)
            subprocess.run(["sleep", "0"], check=True)

        self.assertEqual([x[0] for x in self.snoop(run, "--name=lee")], ["sleep"])
        self.assertEqual(self.snoop(run, "--uid=12345"), [])
        self.snoop(run, "--time", "--timestamp", "--print-uid", "--uid=0")
        self.assertEqual(heading(self.out), ["TIME", "TIME(s)", "UID", "PCOMM", "PID", "PPID",
                                             "RET", "ARGS"])
        for line in lines(self.out):
            self.assertRegex(line, r"^\d\d:\d\d:\d\d +\d+\.\d{6} 0 +(true|sleep) ")
        self.assertEqual(len(lines(self.out)), 2)


class OpenSnoop(unittest.TestCase):
    def snoop(self, run, *options):
        with tool("opensnoop", f"--pid={os.getpid()}", *options) as tracer:
            run()
        self.out = tracer.out
        return lines(tracer.out)

    def test_each_open_with_its_result(self):
        with tempfile.TemporaryDirectory(prefix="btrun-open-") as directory:
            fds = []

            def run():
                for n in range(7):
                    fds.append(os.open(f"{directory}/{n}", os.O_CREAT | os.O_WRONLY))
                for name, flags in (("none", os.O_RDONLY), ("0/x", os.O_RDONLY),
                                    ("0", os.O_CREAT | os.O_EXCL)):
                    with self.assertRaises(OSError):
                        os.open(f"{directory}/{name}", flags)

            got = [words(line, 4) for line in self.snoop(run) if directory in line]
            failed = [words(line, 4) for line in self.snoop(run, "--failed")
                      if directory in line]
            for fd in fds:
                os.close(fd)
        self.assertEqual(heading(self.out), ["PID", "COMM", "FD", "ERR", "PATH"])
        want = [(str(fd), "0", f"{directory}/{n}") for n, fd in enumerate(fds[:7])]
        bad = [("-1", str(number), f"{directory}/{name}") for number, name in
               ((errno.ENOENT, "none"), (errno.ENOTDIR, "0/x"), (errno.EEXIST, "0"))]
        self.assertEqual([x[2:] for x in got], want + bad, self.out)
        self.assertEqual([x[2:] for x in failed], bad)
        self.assertEqual({x[0] for x in got}, {str(os.getpid())})

    def test_every_call_that_opens(self):
        """creat(2), open(2) and openat2(2) have numbers of their own."""
        libc = ctypes.CDLL(None, use_errno=True)
        with tempfile.TemporaryDirectory(prefix="btrun-open-") as directory:
            path = f"{directory}/file".encode()
            how = (ctypes.c_uint64 * 3)(os.O_RDWR, 0, 0)
            calls = [(437, -100, path, how, ctypes.sizeof(how))]
            if os.uname().machine == "x86_64":
                calls = [(85, path, 0o640), (2, path, os.O_RDONLY), *calls]
            else:
                open(path, "w", encoding="ascii").close()
            fds = []
            got = self.snoop(lambda: fds.extend(libc.syscall(*call) for call in calls),
                             "--extended_fields")
            for fd in fds:
                os.close(fd)
        got = [words(line, 6)[2:] for line in got if path.decode() in line]
        flags = {85: ("00001101", "0640"), 2: ("00000000", "0000"), 437: ("00000002", "0000")}
        want = [(str(fd), "0", *flags[call[0]], path.decode()) for fd, call in zip(fds, calls)]
        self.assertEqual(got, want, self.out)

    @support.same_everywhere
    def test_columns_and_filters(self):
        def run():
            os.close(os.open("/dev/null", os.O_RDWR))
            os.close(os.open("/dev/zero", os.O_RDONLY))

        got = self.snoop(run, "--timestamp", "--print-uid", "--uid=0", "--flag_filter=2")
        self.assertEqual(heading(self.out), ["TIME(s)", "UID", "PID", "COMM", "FD", "ERR", "PATH"])
        self.assertEqual(len(got), 1)
        self.assertRegex(got[0], rf"^ *\d+\.\d{{6}} 0 +{os.getpid()} .* 0 /dev/null$")
        self.assertEqual(self.snoop(run, "--name=nobody"), [])
        self.assertEqual(self.snoop(run, "--tid=1"), [])
        self.assertEqual(self.snoop(run, "--uid=12345"), [])

    @support.same_everywhere
    def test_duration(self):
        with tool("opensnoop", "--pid=1", "--duration=1", stop=None) as tracer:
            pass
        self.assertEqual(tracer.status, 0, tracer.err)


class KillSnoop(unittest.TestCase):
    def test_each_signal_with_its_result(self):
        child = subprocess.Popen(["sleep", "100"])
        gone = subprocess.Popen(["true"])
        gone.wait()
        me = str(os.getpid())
        with tool("killsnoop", f"--pid={me}") as tracer, \
             tool("killsnoop", f"--pid={me}", "--failed") as failed, \
             tool("killsnoop", f"--tpid={child.pid}", "--signal=15") as one:
            os.kill(child.pid, 0)
            os.kill(child.pid, signal.SIGCONT)
            for target in (gone.pid, -gone.pid):
                with self.assertRaises(ProcessLookupError):
                    os.kill(target, signal.SIGKILL)
            os.kill(child.pid, signal.SIGTERM)
            child.wait()
        self.assertEqual(heading(tracer.out), ["TIME", "PID", "COMM", "SIG", "TPID", "RESULT"])
        lost = [("9", str(gone.pid), "-3"), ("9", str(-gone.pid), "-3")]
        want = [("0", str(child.pid), "0"), ("18", str(child.pid), "0"), *lost,
                ("15", str(child.pid), "0")]
        got = [line.split() for line in lines(tracer.out)]
        got = [x for x in got if x[3] != "2"]  # this test's own, which end the tracers
        self.assertEqual([tuple(x[3:]) for x in got], want, tracer.out)
        self.assertEqual({x[1] for x in got}, {me})
        self.assertEqual([tuple(x.split()[3:]) for x in lines(failed.out)], lost)
        self.assertEqual([tuple(x.split()[3:]) for x in lines(one.out)], want[-1:])


class SysCount(unittest.TestCase):
    CALLS = support.often(50000, 5000)

    def count(self, *options, word="getppid", threads=1):
        with support.Child(word, threads, self.CALLS) as child:
            with tool("syscount", f"--pid={child.pid}", *options) as tracer:
                child.go()
                child.finish()
        self.out = tracer.out
        rows = [line.split() for line in tracer.out.splitlines() if len(line.split()) > 1]
        return {row[0]: row[1:] for row in rows}

    def test_calls_by_name(self):
        got = self.count("--top=0")
        self.assertEqual(got["getppid"], [str(self.CALLS)], self.out)
        self.assertEqual(got["SYSCALL"], ["COUNT"])
        self.assertEqual(list(got)[2], "getppid", self.out)  # the most frequent is the first
        self.assertEqual(len(self.count("-T", "1")), 3, self.out)

    def test_time_of_calls(self):
        begin = time.monotonic()
        got = self.count("--latency")
        took = (time.monotonic() - begin) * 1e6
        self.assertEqual(got["getppid"][0], str(self.CALLS), self.out)
        self.assertEqual(got["SYSCALL"], ["COUNT", "TIME", "(us)"])
        self.assertGreater(float(got["getppid"][1]), self.CALLS * 0.01)
        self.assertLess(float(got["getppid"][1]), took)

    def test_failures_by_process(self):
        with tempfile.TemporaryDirectory(prefix="btrun-call-") as directory, \
             tool("syscount", "-P", "-L", "-m", f"--pid={os.getpid()}", "-e",
                  str(errno.ENOTDIR)) as tracer:
            for _ in range(123):
                with self.assertRaises(OSError):
                    os.rmdir("/dev/null")
                with self.assertRaises(OSError):
                    os.rmdir(f"{directory}/none")
        got = [line.split() for line in tracer.out.splitlines() if line.startswith(f"{os.getpid()} ")]
        self.assertEqual([x[-2] for x in got], ["123"], tracer.out)

    @support.same_everywhere
    def test_interval_and_duration(self):
        with tool("syscount", "-i", "1", "-d", "2", "-x", stop=None) as tracer:
            pass
        self.assertEqual(tracer.status, 0, tracer.err)
        self.assertEqual(tracer.out.count("SYSCALL"), 2, tracer.out)


class GetHostLatency(unittest.TestCase):
    def test_each_name_with_its_time(self):
        me = str(os.getpid())
        names = ["127.0.0.1", "localhost", "127.0.0.2"]
        took = []
        with tool("gethostlatency", f"--pid={me}") as tracer:
            for name in names:
                begin = time.monotonic()
                with contextlib.suppress(socket.gaierror):  # without a file of hosts
                    socket.getaddrinfo(name, None)
                took.append((time.monotonic() - begin) * 1000)
        self.assertEqual(heading(tracer.out), ["TIME", "PID", "COMM", "LATms", "HOST"])
        got = [line.split() for line in lines(tracer.out)]
        self.assertEqual([x[-1] for x in got], names, tracer.out)
        self.assertEqual({x[1] for x in got}, {me})
        for line, most in zip(got, took):
            self.assertGreater(float(line[-2]), 0)
            self.assertLessEqual(float(line[-2]), most + 0.001)

    def test_a_slow_server(self):
        """A server of ours that answers late: its time is the lookup's. Needs a resolver that
        asks it, so a mount namespace with a resolv.conf of its own."""
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with server, tempfile.TemporaryDirectory(prefix="btrun-host-") as directory:
            try:
                server.bind(("127.0.0.1", 53))
            except OSError as e:
                self.skipTest(f"port 53 of the loopback is in use: {e}")
            files = {"resolv.conf": "nameserver 127.0.0.1\noptions timeout:20 attempts:1\n",
                     "nsswitch.conf": "hosts: dns\n"}
            mounts = ""
            for name, text in files.items():
                with open(f"{directory}/{name}", "w", encoding="ascii") as f:
                    f.write(text)
                mounts += f"test -e /etc/{name} || exit 77; " \
                          f"mount --bind {directory}/{name} /etc/{name} || exit 77; "
            program = f"{mounts} exec {sys.executable} -c 'import socket, sys;" \
                      " sys.stdin.readline(); socket.gethostbyname(\"slow.example\")'"
            child = subprocess.Popen(["unshare", "-m", "sh", "-c", program],
                                     stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
            with tool("gethostlatency", f"--pid={child.pid}") as tracer:
                with contextlib.suppress(BrokenPipeError):
                    child.stdin.write(b"\n")
                    child.stdin.close()
                asked = self.answer_late(server, child)
                status = child.wait()
            if not asked:
                self.skipTest(f"no resolver here that asks a server: status {status}")
        self.assertEqual([line.split()[-1] for line in lines(tracer.out)], ["slow.example"])
        latency = float(lines(tracer.out)[0].split()[-2])
        self.assertGreaterEqual(latency, 300)
        self.assertLess(latency, 300 + 5000 * support.PATIENCE)

    @staticmethod
    def answer_late(server, child):
        """Answers after 300 ms, with nothing that helps; False where nobody asked."""
        server.settimeout(0.1)
        while child.poll() is None:
            try:
                _, client = server.recvfrom(512)
            except socket.timeout:
                continue
            time.sleep(0.3)
            server.sendto(b"", client)
            return True
        return False


if __name__ == "__main__":
    support.main()
