# SPDX-License-Identifier: Apache-2.0
"""What the kernel tests share: running btrun beside a workload, disks of their own.

The programs under test come from the environment: BTRUN, BTRUN_RUN, WORKLOAD, SCRIPTS.
TEST_SLOW=1 is for a processor that is emulated: what is done very often is done less often,
what takes time is given more. TEST_KERNEL_ONLY=1 leaves out what is the same on every kernel and
tested on the machine's own. TEST_REPORTS is a directory for what became of each test.
Tests see every process of the machine and must filter by their own; they signal and end
only what they started.
"""

import collections
import contextlib
import ctypes
import glob
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BTRUN = os.environ.get("BTRUN", "")
BTRUN_RUN = os.environ.get("BTRUN_RUN", "")
WORKLOAD = os.environ.get("WORKLOAD", "")
SCRIPTS = os.environ.get("SCRIPTS", "")
REPORTS = os.environ.get("TEST_REPORTS", "")
SLOW = bool(os.environ.get("TEST_SLOW"))
EVERYWHERE = not os.environ.get("TEST_KERNEL_ONLY")
KERNEL = tuple(int(n) for n in re.findall(r"\d+", os.uname().release)[:2])
PATIENCE = 10 if SLOW else 1  # what a time limit is multiplied by
ALL_SKIPPED = 77
ENVIRONMENT = dict(os.environ, BPFTRACE_COLOR="never", BTRUN_CACHE="0")
ATTACHED = re.compile(r"Attached (\d+) probes?\n")


def often(count, when_slow):
    """@count, or @when_slow on a processor that is emulated."""
    return when_slow if SLOW else count


# For a test (or a class of tests) in which nothing depends on the kernel.
same_everywhere = unittest.skipUnless(EVERYWHERE, "the same on every kernel: tested on one")


class TraceError(Exception):
    """btrun did not start tracing."""


def btrun(*args, timeout=60, program=None, **kwargs):
    """Runs btrun to its end; returns the CompletedProcess, texts decoded."""
    env = {**ENVIRONMENT, **kwargs.pop("env", {})}
    return subprocess.run([program or BTRUN, *map(str, args)], env=env, timeout=timeout * PATIENCE,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", check=False, **kwargs)


class Tracer:
    """btrun in the background, from the moment its probes are awake.

        with Tracer("-e", script) as t:
            ... what is to be traced ...
        t.out, t.err, t.status
    """

    def __init__(self, *args, stop=signal.SIGINT, timeout=60, env=None):
        self.args = [BTRUN, *map(str, args)]
        self.stop = stop  # the signal at the end of the block; None: it ends by itself
        self.timeout = timeout * PATIENCE
        self.env = {**ENVIRONMENT, **(env or {})}
        self.err = ""

    def __enter__(self):
        self.out_file = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, env=self.env,
                                        stdout=self.out_file, stderr=subprocess.PIPE)
        self.wait_until_attached()
        return self

    def wait_until_attached(self):
        """"Attached N probes" is printed after the probes were woken."""
        fd = self.process.stderr.fileno()
        end = time.monotonic() + self.timeout
        while not ATTACHED.search(self.err):
            ready, _, _ = select.select([fd], [], [], max(0, end - time.monotonic()))
            piece = os.read(fd, 65536) if ready else b""
            if not piece:
                self.process.kill()
                self.process.communicate()
                self.out_file.close()
                raise TraceError(f"{' '.join(self.args)}: {self.err}")
            self.err += piece.decode(errors="replace")

    def __exit__(self, kind, value, trace):
        if kind or self.stop:
            self.process.send_signal(self.stop or signal.SIGINT)
        try:
            self.err += self.process.communicate(timeout=self.timeout)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            self.out_file.close()
            raise
        self.status = self.process.returncode
        self.out_file.seek(0)
        self.out = self.out_file.read()
        self.out_file.close()


class Child:
    """A workload that waits until go() and, with hold, until finish()."""

    def __init__(self, *words, name=None, hold=False):
        options = (["--name", name] if name else []) + (["--hold"] if hold else [])
        self.hold = hold
        self.process = subprocess.Popen([WORKLOAD, *options, "--wait", *map(str, words)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.expect("ready\n")

    def expect(self, line):
        got = self.process.stdout.readline()
        if got != line:
            raise RuntimeError(f"the workload said {got!r}")

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def finish(self):
        """Waits for the end; returns what was printed and raises if it failed."""
        out, _ = self.process.communicate("\n" if self.hold else None, timeout=120 * PATIENCE)
        if self.process.returncode:
            raise RuntimeError(f"the workload ended with {self.process.returncode}")
        return out

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@contextlib.contextmanager
def loop_device(size):
    """A loop device of @size bytes, backed by a file that is gone afterwards."""
    if not shutil.which("losetup"):
        raise unittest.SkipTest("losetup is not installed")
    with tempfile.TemporaryDirectory(prefix="btrun-disk-", dir="/var/tmp") as directory:
        path = f"{directory}/disk"
        with open(path, "wb") as f:
            f.truncate(size)
        made = subprocess.run(["losetup", "--find", "--show", path], capture_output=True,
                              text=True, check=False)
        if made.returncode:
            raise unittest.SkipTest(f"no loop device to be had: {made.stderr.strip()}")
        device = made.stdout.strip()
        try:
            yield device
        finally:
            subprocess.run(["losetup", "--detach", device], check=True)


def load_null_blk():
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "null_blk", "nr_devices=0"], capture_output=True, check=False)


@contextlib.contextmanager
def null_blk_device(size):
    """A disk of null_blk's, of @size bytes, that keeps what is written; gone afterwards."""
    load_null_blk()
    path = f"/sys/kernel/config/nullb/btrun{os.getpid()}"
    try:
        os.mkdir(path)
    except OSError as e:
        raise unittest.SkipTest(f"no null_blk here: {e}") from e
    try:
        for name, value in (("size", size >> 20), ("memory_backed", 1), ("power", 1)):
            with open(f"{path}/{name}", "w", encoding="ascii") as f:
                f.write(str(value))
        with open(f"{path}/index", encoding="ascii") as f:
            names = os.path.basename(path), f"nullb{int(f.read())}"  # newer kernels, older ones
        yield next(f"/dev/{x}" for x in names if os.path.exists(f"/sys/block/{x}"))
    finally:
        os.rmdir(path)


def disk(size):
    """One of null_blk's, or, where the kernel has none, a loop device."""
    load_null_blk()
    return (null_blk_device if os.path.isdir("/sys/kernel/config/nullb") else loop_device)(size)


def has_probe(probe):
    return bool(btrun("-l", probe).stdout.strip())


def require_probes(*probes):
    for probe in probes:
        if not has_probe(probe):
            raise unittest.SkipTest(f"there is no {probe} here")


def has_feature(name):
    """Whether the kernel has the feature that --info and --no-feature call @name."""
    return bool(re.search(rf"^ *{re.escape(name)}: yes", btrun("--info").stdout, re.M))


def require_libclang():
    """What C definitions are read with; large, and so left out of the guests of tools/vm."""
    if "libclang" in btrun("--dry-run", "-e", "struct a { int b; }; begin { }").stderr:
        raise unittest.SkipTest("libclang is not here")


# bpf(2) commands: the ids of programs that the kernel holds
BPF_PROG_GET_NEXT_ID = 11
SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280}.get(os.uname().machine)


def program_ids():
    """The ids of all BPF programs now loaded."""
    libc = ctypes.CDLL(None, use_errno=True)
    attr = (ctypes.c_uint32 * 32)()
    ids = set()
    while not libc.syscall(SYS_BPF, BPF_PROG_GET_NEXT_ID, attr, ctypes.sizeof(attr)):
        attr[0] = attr[1]  # start_id: the one just found
        ids.add(attr[0])
    return ids


def held_program_ids():
    """The ids of programs that some process has a descriptor of: others trace here, too."""
    ids = set()
    for path in glob.glob("/proc/[0-9]*/fdinfo/*"):
        with contextlib.suppress(OSError), open(path, encoding="utf-8") as f:
            ids.update(int(n) for n in re.findall(r"^prog_id:\s*(\d+)$", f.read(), re.M))
    return ids


def wait_for_no_new_programs(before, seconds=10):
    """Programs go a moment after their last descriptor. Returns those that stay."""
    end = time.monotonic() + seconds
    while True:
        new = program_ids() - before
        new -= held_program_ids() if new else set()
        if not new or time.monotonic() > end:
            return new
        time.sleep(0.1)


def map_value(out, name):
    """The number in the line "@name: N" of @out; 0 where there is none."""
    found = re.findall(rf"^@{re.escape(name)}: (-?\d+)$", out, re.M)
    return int(found[-1]) if found else 0


def map_values(out, name):
    """{key: number} of the lines "@name[key]: N"."""
    return {k: int(v) for k, v in
            re.findall(rf"^@{re.escape(name)}\[(.*)\]: (-?\d+)$", out, re.M)}


def folded(out):
    """{(frame, ...): number} of folded lines, root first."""
    found = (re.fullmatch(r"(.*) (-?\d+)", line) for line in out.split("\n"))
    return {tuple(m[1].split(";")): int(m[2]) for m in found if m}


def histogram(out, name):
    """{bucket as printed: count} of the histogram headed "@name:" or "@name[key]:"."""
    lines = out.split("\n")
    start = lines.index(f"@{name}:") + 1
    buckets = {}
    for line in lines[start:]:
        row = re.match(r"([\[(].*?[\])])\s+(\d+) \|", line)
        if not row:
            break
        if int(row[2]):
            buckets[row[1]] = int(row[2])
    return buckets


def lost_events(text):
    """The events that btrun reported as lost."""
    return sum(int(n) for n in re.findall(r"[Ll]ost (\d+) events?\b", text))


MISSED = re.compile(r"Missed (\d+) events: .* \((\d+) of them: (.*)\)")


class Missed:
    """What btrun reported as passed over by the kernel: a program that was preempted on a
    processor is not started there again. How many of which probe is known of the worst."""

    def __init__(self, err):
        found = MISSED.search(err)
        self.total, self.most = (int(found[1]), int(found[2])) if found else (0, 0)
        self.worst = found[3] if found else ""

    def of(self, *probes):
        """At most so many of the probes whose names these are parts of."""
        worst = any(probe in self.worst for probe in probes)
        return self.most if worst else self.total - self.most


def apart(enter, leave, threads, missed_enter=0, missed_leave=0):
    """How far the ends of a call are counted apart beyond what is due to them: a thread may be
    within one when the probes wake, and when they sleep; and what was missed was reported."""
    more = enter - leave - 2 * threads - missed_leave
    less = leave - enter - 2 * threads - missed_enter
    return max(more, less, 0)


def check_count(test, err, got, due):
    """All that happened was counted, but for what was reported as missed in @err."""
    test.assertLessEqual(got, due, err)
    test.assertGreaterEqual(got, due - Missed(err).total, err)


def link_types(pid):
    """{type: how many} of the BPF links that a process holds; empty before Linux 5.8."""
    found = collections.Counter()
    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
        with contextlib.suppress(OSError), open(path, encoding="utf-8") as f:
            found.update(re.findall(r"^link_type:\s*(\w+)$", f.read(), re.M))
    return found


def check_links(test, links, kind, *options):
    """That what is probed in number is attached in bulk (kprobe.multi, uprobe.multi), or one by
    one with links or without, as the kernel and --no-feature have it."""
    off = options[options.index("--no-feature") + 1] if "--no-feature" in options else ""
    def has(feature):
        return feature not in off.split(",") and has_feature(feature)
    bulk = sum(n for name, n in links.items() if name.endswith("probe_multi"))
    # without cookies a program knows which probe it serves by serving one only
    one_by_one = not (has(f"{kind}_multi") and has("attach_cookie") and has("links"))
    test.assertEqual(bulk > 0, not one_by_one, links)
    if one_by_one:
        test.assertEqual(links["perf"] > 1, has("links"), links)


def tests_of(suite):
    """The ids of all tests in a suite."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test.id()


class Report(unittest.TextTestResult):
    """Remembers what became of each test: "passed", "failed", or ["skipped", reason]."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fate = {}
        self.seconds = {}

    def startTest(self, test):
        self.seconds[test.id()] = -time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.seconds[test.id()] += time.monotonic()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.fate.setdefault(test.id(), "passed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.fate[test.id()] = ["skipped", reason]

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.fate[test.id()] = "failed"

    def addError(self, test, err):
        super().addError(test, err)
        self.fate[test.id()] = "failed"

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.fate[test.id()] = "failed"

    def of(self, name):
        """What became of one test; its class or file may have been skipped or failed whole."""
        for what, fate in self.fate.items():
            whole = re.match(r"setUp(?:Class|Module) \((.*)\)", what)
            if what == name or whole and name.startswith(whole[1] + "."):
                return fate
        return None  # not chosen


def write_report(fates, seconds):
    """As JSON: the kernel, the file, {test: what became of it} and {test: the time it took}."""
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    os.makedirs(REPORTS, exist_ok=True)
    with open(f"{REPORTS}/{name}.json", "w", encoding="utf-8") as f:
        json.dump({"kernel": os.uname().release, "file": name,
                   "tests": {k.removeprefix("__main__."): v for k, v in fates.items()},
                   "seconds": {k.removeprefix("__main__."): round(v, 1)
                               for k, v in seconds.items()}}, f)


def main():
    """Runs the tests of the calling file; exit status 77 when all were skipped."""
    for what in ("BTRUN", "WORKLOAD", "SCRIPTS"):
        if not os.environ.get(what):
            sys.exit(f"set {what}; ctest does")
    if os.geteuid():
        print("SKIP: tracing needs root")
        sys.exit(ALL_SKIPPED)
    runner = unittest.TextTestRunner(verbosity=2, resultclass=Report)
    program = unittest.main(exit=False, testRunner=runner)
    # A suite forgets the tests that it has run: they are listed anew.
    names = list(tests_of(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])))
    fates = {name: program.result.of(name) for name in names if program.result.of(name)}
    if REPORTS:
        write_report(fates, program.result.seconds)
    if not program.result.wasSuccessful():
        sys.exit(1)
    if fates and all(fate[0] == "skipped" for fate in fates.values()):
        sys.exit(ALL_SKIPPED)
