#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bpftrace's own tools, of Debian's packages, unmodified: they load, attach, speak and end.

Tools run together, a few at a time, while everything that they look for is done once. What
became of each is printed in a table. The packages come through apt, or lie in the guest.
"""

import contextlib
import ctypes
import functools
import glob
import importlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import support

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITES = ("bookworm", "sid")
IN_GUESTS = ((6, 1), (6, 12))
TOGETHER = 8
ALWAYS_THERE = re.compile(r"^(?:begin|end|interval:[^,{]*|profile:[^,{]*)\s*(?:/[^{]*)?\{", re.I | re.M)
MIB = 1 << 20

# What a tool must say of the work below: a regular expression; those that are not here may be
# silent. Some print when they end, some every second.
SAYS = {
    "bashreadline": r"readline-was-here",
    "biolatency": r"@usecs:.*\|@",
    "biolatency-kp": r"@usecs:.*\|@",
    "biosnoop": r"(?m)^.*workload.*\d",
    "biostacks": r"@usecs\[",
    "bitesize": r"@(\[workload|workload)?.*\|@",
    "capable": r"(?m)^\d\d:\d\d:\d\d .*python3 .*CAP_",
    "cpuwalk": r"@cpu:.*\|@",
    "dcsnoop": r"[MR] .*no-such-file",
    "execsnoop": r"true one-argument",
    "gethostlatency": r"python3 .*localhost",
    "killsnoop": r"python3 ",
    "loads": r"load averages: \d+\.\d+ \d+\.\d+ \d+\.\d+",
    "naptime": r"\d\d:\d\d:\d\d .*(sleep|python3|workload|bash)",
    "opensnoop": r"no-such-file",
    "pidpersec": r"PIDs/sec: (@: )?\d+",
    "runqlat": r"@usecs:.*\|@",
    "setuids": r"python3 .*\(?setuid|python3 ",
    "statsnoop": r"no-such-file",
    "syncsnoop": r"python3 .*sync",
    "syscount": r"@syscall\[.*\]: \d+",
    "tcpaccept": r"python3 .*127\.0\.0\.1",
    "tcpconnect": r"python3 .*127\.0\.0\.1",
    "tcplife": r"python3 .*127\.0\.0\.1",
    "threadsnoop": r"python3 ",
    "undump": r"from-one-to-the-other|66 72 6f 6d|\\x66\\x72\\x6f\\x6d",
    "vfscount": r"@\[vfs_read\]: \d+|@\[.*vfs_read\]: \d+",
    "vfsstat": r"@(\[)?.*vfs_(read|write|open).*: \d+",
}
# Scripts that list the names which several kernels have were written when a missing one was
# a warning, whatever the settings.
SETTINGS = {"bookworm": {"BPFTRACE_MISSING_PROBES": "warn"}}
# What later kernels no longer have, and since when: the tool was written for older ones.
GONE = {("bookworm", "runqlen"): (6, 14)}  # cfs_rq.nr_running
# And what earlier ones have not yet.
NOT_YET = {("sid", "runqlen"): (6, 14)}  # cfs_rq.nr_queued
# What bpftrace 0.27 refuses for the same reason: a variable of an inner block used outside of it.
REFUSED = {("bookworm", "tcpdrop"): "Undefined or undeclared variable"}
NO_SYMBOL = re.compile(r"ERROR: Failed to resolve kernel symbol: (\w+)")
NO_FILE = re.compile(r"ERROR: uprobe target file '(\S+)' does not exist or is not executable")
NO_PROBE = re.compile(r"(?:ERROR|WARNING): No matches for (\w+) (\S+?)[.:]?"
                      r"(?: this kernel has no .*?)?(?: Skipping\.)?$", re.M)


def is_symbol(name):
    with open("/proc/kallsyms", encoding="utf-8") as f:
        return any(line.split()[2] == name for line in f)


def directory(suite):
    """Where the suite's tools are; skips when they are not to be had."""
    lies = f"{ROOT}/peer-tools/{suite}"
    if os.path.isdir(lies):
        return lies
    sys.path.insert(0, f"{ROOT}/tools")
    try:
        guest = importlib.import_module("guest.peer_tools")
    except ImportError as e:
        raise unittest.SkipTest(f"the tools of {suite} are not here") from e
    try:
        return guest.fetch(suite)
    except guest.kernels.FetchError as e:
        raise unittest.SkipTest(f"the tools of {suite} are not to be had: {e}") from e


# ---- what the tools look at -----------------------------------------------------------

def read_a_line():
    """bash reads a line from a terminal."""
    pid, terminal = pty.fork()
    if not pid:
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    time.sleep(0.5 * support.PATIENCE ** 0.5)
    with contextlib.suppress(OSError):
        os.write(terminal, b": readline-was-here\nexit\n")
        while os.read(terminal, 1024):
            pass
    os.waitpid(pid, 0)
    os.close(terminal)


def use_tcp():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as one:
            two, _ = server.accept()
            one.sendall(b"x" * 5000)
            two.recv(5000)
            two.close()
        address = server.getsockname()
    with contextlib.suppress(OSError):  # nobody listens any more
        socket.create_connection(address)


def use_files(folder):
    for _ in range(3):
        with contextlib.suppress(OSError):
            os.statvfs(f"{folder}/no-such-file")
        with contextlib.suppress(OSError):
            os.close(os.open(f"{folder}/no-such-file", os.O_RDONLY))
    with open(f"{folder}/file", "w", encoding="ascii") as f:
        f.write("text")
        f.flush()
        os.fsync(f.fileno())
    os.rename(f"{folder}/file", f"{folder}/other")
    os.sync()


def be_somebody_else():
    """In a child, which may."""
    code = ("import os, time; os.setgid(0); os.setuid(0); time.sleep(0.01); os.setresuid(0, 0, 0); "
            "os.sethostname(os.uname().nodename)")
    subprocess.run(["/usr/bin/python3", "-c", code], check=False, capture_output=True)


def workload(device):
    subprocess.run([support.WORKLOAD, "block", device, "direct-write:4096:0:20:65536",
                    "direct-read:8192:65536:10:131072", f"write:{MIB}:0:4", "sync"], check=True)
    subprocess.run(["/bin/true", "one-argument"], check=True)
    subprocess.run(["sleep", "0.1"], check=True)
    be_somebody_else()
    os.kill(os.getpid(), 0)
    with tempfile.TemporaryDirectory() as folder:
        use_files(folder)
    with contextlib.suppress(OSError):
        socket.getaddrinfo("localhost", 80)
    use_tcp()
    if os.uname().machine == "x86_64":
        nap = (ctypes.c_long * 2)(0, 20_000_000)
        ctypes.CDLL(None).syscall(35, nap, None)  # nanosleep(2), which the C library no longer calls
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with one, two:
        one.sendall(b"from-one-to-the-other")
        two.recv(100)
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, two:
        one.send(b"from-one-to-the-other")
        two.recv(100)
    thread = threading.Thread(target=time.sleep, args=(0.01,))
    thread.start()
    thread.join()
    read_a_line()


# ---- a tool ---------------------------------------------------------------------------

def kernel_version():
    return tuple(int(x) for x in re.findall(r"\d+", os.uname().release)[:2])


@functools.cache
def traceable():
    """The functions that kprobes can be put on."""
    for path in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"):
        with contextlib.suppress(OSError), \
             open(f"{path}/available_filter_functions", encoding="utf-8") as f:
            return {line.split()[0] for line in f}
    return set()


def is_there(kind, what):
    """Whether a probe that was not found is there, as far as that can be told."""
    return kind in ("kprobe", "kretprobe") and what in traceable()


class Tool:
    """One of them, running. After end(), @fate says in words what became of it."""

    def __init__(self, path):
        self.path = path
        self.suite = os.path.basename(os.path.dirname(path))
        self.name = os.path.basename(path).removesuffix(".bt")
        self.out = tempfile.TemporaryFile("w+", errors="replace")
        self.err = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen([support.BTRUN, path], stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.err,
                                        env={**support.ENVIRONMENT,
                                             **SETTINGS.get(self.suite, {})})
        self.attached, self.fate = False, None

    def errors(self):
        self.err.seek(0)
        return self.err.read()

    def wait_until_attached(self, until):
        while not self.attached and time.monotonic() < until:
            ended = self.process.poll() is not None
            self.attached = bool(support.ATTACHED.search(self.errors()))
            if ended:
                break
            time.sleep(0 if self.attached else 0.05)

    def end(self):
        """Waits for its end, which it has been told of."""
        try:
            self.process.wait(60 * support.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.fate = "FAILED: did not end"
        self.out.seek(0)
        self.fate = self.fate or self.judge(self.out.read(), self.errors())
        self.out.close()
        self.err.close()

    def judge(self, out, err):
        missing = NO_PROBE.findall(err)
        there = [x for x in missing if is_there(*x)]
        if there:
            return f"FAILED: is there, and was not found: {there}"
        if self.left_out_all(err, missing):
            return "no such probes here: " + (", ".join(map(" ".join, missing)) or "all left out")
        if not self.attached:
            return self.why_not(err, missing)
        if self.process.returncode:
            return f"FAILED: exit status {self.process.returncode}: {err.strip()[-300:]}"
        warnings = len(re.findall("WARNING: ", err)) - len(missing)
        says = SAYS.get(self.name)
        if says and not re.search(says, out, re.S):
            return f"FAILED: says not what it should: {out[-300:]!r} {err[:200]!r}"
        lines = sum(1 for x in out.splitlines() if x.strip())
        return f"ok, {lines} lines" + (f", {warnings} warnings" if warnings else "") + (
            f", {len(missing)} probes are not here" if missing else "")

    def left_out_all(self, err, missing):
        """With missing_probes on ignore or warn: none of what it is for is left."""
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        ignores = re.search(r"missing_probes\s*=\s*\"?ignore", text)
        if not ignores and not missing:
            return False
        found = support.ATTACHED.search(err)
        errors = re.findall("ERROR: (.*)", err)
        return (int(found[1]) <= len(ALWAYS_THERE.findall(text)) if found else
                errors and all(re.match("Undefined map|No probes to attach", x) for x in errors))

    def why_not(self, err, missing):
        """Only probes that this kernel, or machine, indeed has not are an excuse."""
        errors = re.findall("ERROR: .*", err)
        if errors and all(map(NO_FILE.match, errors)):
            return f"no such file here: {NO_FILE.match(errors[0])[1]}"
        who = (self.suite, self.name)
        if errors and not NOT_YET.get(who, (0,)) <= kernel_version() < GONE.get(who, (1 << 16,)):
            return f"no such thing in this kernel: {errors[0]}"
        if errors and all(REFUSED.get(who, " no ") in x for x in errors):
            return f"refused, as by bpftrace: {errors[0]}"
        if errors and NO_SYMBOL.match(errors[0]) and not is_symbol(NO_SYMBOL.match(errors[0])[1]):
            return f"no such thing in this kernel: {errors[0]}"
        if errors and all(map(NO_PROBE.match, errors)):
            return "no such probes here: " + ", ".join(map(" ".join, missing))
        return f"FAILED: {' '.join(errors)[:300] or err.strip()[-300:] or 'did not attach'}"


def run_together(paths, device):
    tools = [Tool(path) for path in paths]
    until = time.monotonic() + 60 * support.PATIENCE
    for tool in tools:
        tool.wait_until_attached(until)
    if any(tool.attached for tool in tools):
        workload(device)
        time.sleep(1.2)  # those that print every second
    for tool in tools:
        if tool.process.poll() is None:
            tool.process.send_signal(signal.SIGINT)
    for tool in tools:
        tool.end()
    return tools


@unittest.skipUnless(support.EVERYWHERE or kernel_version() in IN_GUESTS,
                     "takes long where processors are emulated: Linux 6.1 and 6.12 will do")
class Tools(unittest.TestCase):
    def check(self, suite):
        where = directory(suite)
        with open(f"{where}/version", encoding="ascii") as f:
            version = f.read().strip()
        paths = sorted(glob.glob(f"{where}/*.bt"))
        tools = []
        with support.disk(16 * MIB) as device:
            for i in range(0, len(paths), TOGETHER):
                tools += run_together(paths[i:i + TOGETHER], device)
        print(f"\n{'bpftrace ' + version:<18} Linux {os.uname().release}")
        for tool in tools:
            print(f"  {tool.name:<16} {tool.fate}", flush=True)
        ok = [x for x in tools if x.fate.startswith("ok")]
        print(f"  {len(tools)} tools: {len(ok)} ran, "
              f"{sum(x.fate.startswith('no such') for x in tools)} lack probes here", flush=True)
        self.assertEqual([f"{x.name}: {x.fate}" for x in tools if x.fate.startswith("FAILED")], [])
        self.assertTrue(ok)

    def test_bookworm(self):
        self.check("bookworm")

    def test_sid(self):
        self.check("sid")


if __name__ == "__main__":
    support.main()
