#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Functions that act on a process, read the kernel's own structures, or see a real event."""

import os
import socket
import struct
import tempfile
import time
import unittest

import support

GETPPID = "tracepoint:syscalls:sys_enter_getppid"


def kernel_symbol(name):
    """Whether /proc/kallsyms has it; data is not in those of every kernel."""
    with open("/proc/kallsyms", encoding="ascii") as f:
        return any(line.split()[2] == name for line in f)


def run(script, *options):
    done = support.btrun("-q", *options, "-e", script)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


class Signals(unittest.TestCase):
    def send(self, call):
        """The status of a child that makes one system call while @call is what happens then."""
        support.require_probes(GETPPID)
        child = support.Child("getppid", 1, 1)
        script = f"{GETPPID} /pid == $1/ {{ {call}; }}"
        with child, support.Tracer("--unsafe", "-e", script, child.pid) as tracer:
            child.go()
            child.process.wait(60 * support.PATIENCE)
        return child.process.returncode, tracer.err

    def test_by_number_and_name(self):
        for call in ("signal(9)", 'signal("KILL")', 'signal("SIGKILL")', "signal_thread(9)",
                     "$s = 9; signal($s)"):
            with self.subTest(call):
                self.assertEqual(self.send(call)[0], -9)

    def test_out_of_range_is_reported(self):
        status, err = self.send("$s = 77; signal($s)")
        self.assertEqual(status, 0)
        self.assertIn("signal() expects an integer between 1 and 64 (inclusive). Got 77", err)


class WriteUser(unittest.TestCase):
    def test_a_path_is_replaced(self):
        probe = "tracepoint:syscalls:sys_enter_openat"
        support.require_probes(probe)
        with tempfile.TemporaryDirectory() as folder:
            want, other = f"{folder}/aaaa", f"{folder}/bbbb"
            with open(other, "w", encoding="ascii") as f:
                f.write("x" * 100)
            script = (f'{probe} /pid == $1 && str(args.filename) == "{want}"/ '
                      f'{{ print(write_user(args.filename, "{other}", {len(other) + 1})); }}')
            # the first file does not exist: only what the script writes can be read
            with support.Child("read", want, 10, 1) as child:
                try:
                    with support.Tracer("--unsafe", "-e", script, child.pid) as tracer:
                        child.go()
                        child.finish()
                except support.TraceError as e:
                    if "cannot use helper" not in str(e):
                        raise
                    self.skipTest("the kernel lets no program write to processes")
            self.assertIn("true", tracer.out)


class Override(unittest.TestCase):
    def test_the_call_is_not_made(self):
        probe = "kprobe:__x64_sys_getppid"
        support.require_probes(probe)
        script = f"{probe} /pid == $1/ {{ override(-1); }}"
        with support.Child("getppid", 1, 3) as child:
            try:
                with support.Tracer("--unsafe", "-e", script, child.pid) as tracer:
                    child.go()
                    child.finish()
            except support.TraceError as e:
                self.skipTest(f"the kernel lets no function be overridden: {e}")
        self.assertEqual(tracer.status, 0, tracer.err)


class Addresses(unittest.TestCase):
    def test_kaddr_is_what_kallsyms_says(self):
        out = run('begin { print((ksym(kaddr("vfs_read")), kaddr("vfs_read") != 0)); exit(); }')
        self.assertEqual(out.strip(), "(vfs_read, true)")

    def test_kaddr_of_data(self):
        if not kernel_symbol("avenrun"):
            self.skipTest("kallsyms has functions only")
        out = run('begin { $a = (uint64)*kaddr("jiffies_64"); print($a > 1000); exit(); }')
        self.assertEqual(out.strip(), "true")

    def test_percpu_kaddr(self):
        if not kernel_symbol("runqueues"):
            self.skipTest("kallsyms has functions only")
        out = run("""begin {
            $here = percpu_kaddr("process_counts");
            print(*$here == *percpu_kaddr("process_counts", cpu));
            $rq = (struct rq *)percpu_kaddr("runqueues", 0);
            if ($rq != 0) { print($rq.cpu); }
            print(percpu_kaddr("runqueues", 100000));
            exit();
        }""")
        self.assertEqual(out.split(), ["true", "0", "0"])

    def test_uaddr(self):
        probe = f"uprobe:{support.WORKLOAD}:called_one"
        support.require_probes(probe)
        script = f"{probe} {{ print((usym(uaddr(\"called_one\")), usym(uaddr(\"main\")))); }}"
        with support.Child("call", 1, 1, hold=True) as child:
            with support.Tracer("-e", script) as tracer:
                child.go()
                child.process.stdout.readline()  # its figures
                child.expect("done\n")
                time.sleep(0.3 * support.PATIENCE)
            child.finish()
        self.assertIn("(called_one, main)", tracer.out, tracer.err)


class KernelPointers(unittest.TestCase):
    def test_path(self):
        probe = "fentry:security_file_open"
        support.require_probes(probe)
        with tempfile.TemporaryDirectory(prefix="btrun-path-") as folder:
            name = f"{folder}/known"
            with open(name, "w", encoding="ascii") as f:
                f.write("x" * 100)
            script = f"""{probe} /pid == $1/ {{
                print(path(args.file.f_path));
                print(path(args.file.f_path, {len(name)}));
            }}"""
            with support.Child("read", name, 10, 1) as child:
                with support.Tracer("-e", script, child.pid) as tracer:
                    child.go()
                    child.finish()
        self.assertIn(f"\n{name}\n", "\n" + tracer.out, tracer.err)
        # what is too long loses its beginning; before 5.14 kernels gave nothing then
        short = "" if support.KERNEL < (5, 14) else name[1:]
        self.assertIn(f"\n{name}\n{short}\n", "\n" + tracer.out)

    def connect(self):
        with socket.socket() as server, socket.socket() as client:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.connect(server.getsockname())
            client.sendall(b"known bytes")
            time.sleep(0.1)

    def test_socket_cookie(self):
        probe = "fentry:tcp_v4_connect"
        support.require_probes(probe)
        with support.Tracer("-e", f"{probe} {{ print(socket_cookie(args.sk) > 0); }}") as tracer:
            self.connect()
        self.assertIn("true", tracer.out, tracer.err)

    def test_socket_cookie_in_raw_tracepoint(self):
        probe = "rawtracepoint:tcp_probe"
        support.require_probes(probe)
        script = f"{probe} {{ @[socket_cookie(args.sk) > 0] = count(); }}"
        with support.Tracer("-e", script) as tracer:
            self.connect()
        self.assertEqual(tracer.status, 0, tracer.err)

    def test_skboutput(self):
        probe = "fentry:__dev_queue_xmit"
        support.require_probes(probe)
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/packets.pcap"
            script = (f'{probe} {{ @[skboutput("{file}", args.skb, args.skb.len, 14)] = count(); '
                      "@sent = count(); }")
            with support.Tracer("-e", script) as tracer:
                self.connect()
            self.assertEqual(tracer.status, 0, tracer.err)
            with open(file, "rb") as f:
                data = f.read()
        self.assertIn("@[0]: ", tracer.out)
        magic, major, minor, _, _, _, link = struct.unpack_from("<IHHIIII", data)
        self.assertEqual((magic, major, minor, link), (0xa1b2c3d4, 2, 4, 101))
        packets, at = [], 24
        while at < len(data):
            sec, _, size, length = struct.unpack_from("<IIII", data, at)
            self.assertLess(abs(sec - time.time()), 600 * support.PATIENCE)
            self.assertEqual(size, length)
            packets.append(data[at + 16:at + 16 + size])
            at += 16 + size
        self.assertEqual(at, len(data))
        self.assertEqual(len(packets), support.map_value(tracer.out, "sent"))
        ours = [p for p in packets if b"known bytes" in p]
        self.assertTrue(ours)
        self.assertEqual(ours[0][0] >> 4, 4)  # begins with the IPv4 header
        self.assertEqual(ours[0][12:20], bytes([127, 0, 0, 1] * 2))


class Events(unittest.TestCase):
    def test_usermode(self):
        probe = "kprobe:vfs_read"
        support.require_probes(probe)
        with tempfile.NamedTemporaryFile() as file:
            with support.Child("read", file.name, 10, 1) as child:
                script = f"{probe} /pid == $1/ {{ @mode[usermode] = count(); }}"
                with support.Tracer("-e", script, child.pid) as tracer:
                    child.go()
                    child.finish()
        self.assertEqual(list(support.map_values(tracer.out, "mode")), ["0"])

    def test_debugf_goes_to_the_trace_pipe(self):
        root = next((d for d in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
                     if os.path.exists(d + "/trace")), None)
        if not root:
            self.skipTest("tracefs is not mounted")
        # the kernel gets ready for it in its own time
        run('interval:ms:100 { debugf("known %d %s %x", 7, "text", 255); '
            "if (++@n > 5) { exit(); } }")
        with open(root + "/trace", encoding="utf-8", errors="replace") as f:
            self.assertIn("known 7 text ff", f.read())

    def test_strings_of_a_process(self):
        probe = "tracepoint:syscalls:sys_enter_openat"
        support.require_probes(probe)
        script = f"""{probe} /pid == $1/ {{
            $n = str(args.filename);
            if (strstr($n, "/known-name") > 0) {{
                print((strlen(args.filename), strlen($n), str_concat($n, "!")));
            }}
        }}"""
        with tempfile.TemporaryDirectory() as folder:
            name = folder + "/known-name"
            with open(name, "w", encoding="ascii") as f:
                f.write("x" * 100)
            with support.Child("read", name, 10, 1) as child:
                with support.Tracer("-e", script, child.pid) as tracer:
                    child.go()
                    child.finish()
        self.assertIn(f"({len(name)}, {len(name)}, {name}!)", tracer.out, tracer.err)


if __name__ == "__main__":
    support.main()
