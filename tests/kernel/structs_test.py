#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fields of the kernel's own structs, by BTF, against what user space knows of the same."""

import os
import resource
import socket
import subprocess
import tempfile
import time
import unittest

import support

TASK = "$t = (struct task_struct *)curtask; "


def stat_fields(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(") ", 1)[1].split()


class Task(unittest.TestCase):
    """The task is btrun itself, whose state is set up before it starts."""

    def read(self, fields, **options):
        """Prints (format, expression) pairs in begin, a line each; the process's stdout."""
        script = "begin { " + TASK + " ".join(
            f'printf("{fmt}\\n", {expr});' for fmt, expr in fields) + " }"
        done = subprocess.run([support.BTRUN, "-q", "-e", script], text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split("\n")[:len(fields)]

    def test_plain_fields_and_pointers(self):
        lines = self.read([("%d", "$t->tgid == pid"), ("%d", "$t.pid == tid"), ("%s", "$t->comm"),
                           ("%d", "$t->real_parent->tgid"), ("%d", "$t->real_cred->uid.val"),
                           ("%s", "$t->nsproxy->uts_ns->name.nodename")])
        self.assertEqual(lines, ["1", "1", "btrun", str(os.getpid()), str(os.getuid()),
                                 socket.gethostname()])

    def test_structs_in_structs(self):
        lines = self.read([("%d", "$t->static_prio"), ("%lu", "$t->se.load.weight")],
                          preexec_fn=lambda: os.nice(3))
        # sched_prio_to_weight[nice 3] is 526, in fixed point with 10 bits
        self.assertEqual(lines, ["123", str(526 << 10)])

    def test_arrays_of_structs(self):
        limits = (777, 888)
        lines = self.read(
            [("%lu", "$t->signal->rlim[7].rlim_cur"), ("%lu", "$t.signal.rlim[7].rlim_max")],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits))
        self.assertEqual(lines, ["777", "888"])

    def test_flexible_arrays_and_pointers_to_pointers(self):
        with tempfile.TemporaryFile() as f:
            there = os.fstat(f.fileno())
            lines = self.read([("%d", "$t->thread_pid->numbers[0].nr == tid"),
                               ("%lu", "$t->files->fdt->fd[0]->f_inode->i_ino"),
                               ("%d", "$t->files->fdt->fd[0]->f_inode->i_mode")], stdin=f)
        self.assertEqual(lines[1:], [str(there.st_ino), str(there.st_mode)])

    def test_anonymous_unions(self):
        with tempfile.TemporaryDirectory(prefix="twenty_letters_long") as d:
            lines = self.read([("%d", "$t->fs->pwd.dentry->d_name.len"),
                               ("%s", "str($t->fs->pwd.dentry->d_name.name)")], cwd=d)
        name = os.path.basename(d)
        self.assertEqual(lines, [str(len(name)), name])

    def test_anonymous_structs(self):
        script = ('begin { printf("%lu %lu\\n", curtask->mm->start_stack, '
                  "curtask->mm->arg_start); } interval:s:30 { exit(); }")
        with support.Tracer("-e", script) as tracer:
            fields = stat_fields(tracer.process.pid)
        # proc_pid_stat(5): the fields 28 and 48, counted from the third
        self.assertEqual(tracer.out.split("\n")[0], f"{fields[25]} {fields[45]}")

    def test_whole_structs(self):
        script = "begin { print(curtask->signal->rlim[4]); @l = curtask->signal->rlim[4]; }"
        done = subprocess.run(
            [support.BTRUN, "-q", "-e", script], text=True, stdout=subprocess.PIPE, timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (55, 66)))
        whole = "{ .rlim_cur = 55, .rlim_max = 66 }"
        self.assertEqual(done.stdout.split("\n")[0], whole)
        self.assertIn(f"@l: {whole}\n", done.stdout)


class Events(unittest.TestCase):
    def test_bit_fields(self):
        script = ("rawtracepoint:sched_process_exec /args.p->tgid == cpid/ "
                  '{ printf("%d %d %d\\n", args.p->in_execve, args.p->sched_reset_on_fork, '
                  "args.bprm->argc); }")
        done = support.btrun("-q", "-c", "/bin/true 1 2 3", "-e", script)
        self.assertEqual(done.stdout.split("\n")[0], "1 0 4")

    def test_a_packet(self):
        script = ("tracepoint:net:net_dev_queue { $s = (struct sk_buff *)args.skbaddr; "
                  "if ($s->len == 14 + 28 + 321) { "
                  'printf("%s %d %x %d %d\\n", $s->dev->name, $s->pkt_type, $s->protocol, '
                  "$s->sk->__sk_common.skc_family, $s->sk->__sk_common.skc_num); exit(); } }")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
            with support.Tracer("-e", script, stop=None) as tracer:
                end = time.monotonic() + 20
                while tracer.process.poll() is None and time.monotonic() < end:
                    s.sendto(b"x" * 321, s.getsockname())
                    time.sleep(0.1)
        # PACKET_HOST, ETH_P_IP in network order, AF_INET
        self.assertEqual(tracer.out.split("\n")[0], f"lo 0 8 2 {port}")

    def test_c_definitions_of_a_kernel_struct(self):
        """The script's own struct counts, not the kernel's."""
        support.require_libclang()
        script = ("struct rlimit { unsigned long soft; unsigned int hard_low; }; "
                  "begin { $l = (struct rlimit *)((uint64)curtask->signal + "
                  "offsetof(struct signal_struct, rlim)); "
                  "printf(\"%d %lu %u\\n\", sizeof(struct rlimit), $l[0].soft, $l[0].hard_low); }")
        done = subprocess.run(
            [support.BTRUN, "-q", "-e", script], text=True, stdout=subprocess.PIPE, timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (1000, 2000)))
        self.assertEqual(done.stdout.split("\n")[0], "16 1000 2000")


class WithoutHeaders(unittest.TestCase):
    """A machine that has BTF, and not a single header."""

    def test_types_and_constants(self):
        support.require_libclang()
        script = ("#include <linux/sched.h>\n#include <sys/socket.h>\n#include <net/sock.h>\n"
                  "#include <stdint.h>\n"
                  "struct mine { uint16_t a; pid_t pid; struct list_head l; }\n"
                  "begin { print((sizeof(struct mine), AF_INET6, TASK_INTERRUPTIBLE)); "
                  "print(((struct task_struct *)curtask)->pid == tid); }")
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c",
             'mount -t tmpfs none /usr/include && exec "$@"', "sh", support.BTRUN, "-e", script],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        if "mount:" in done.stderr or "unshare:" in done.stderr:
            self.skipTest(f"no mounts of its own to be had here: {done.stderr.strip()}")
        self.assertEqual(done.stdout.split("\n")[:2], ["(24, 10, 1)", "true"], done.stderr)


if __name__ == "__main__":
    support.main()
