# SPDX-License-Identifier: Apache-2.0
"""qemu: starts a guest, passes its output on as it comes, and ends it, come what may.

The kernel's console, the command's standard output, its standard error, the word of how it
ended and a report that the command may write each come over a socket of their own.
"""

import collections
import ctypes
import functools
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time

QEMU = "qemu-system-x86_64"
# Without cmpxchg16b, which qemu 7.2 emulates wrongly; -cpu max makes it crash.
CPU = "qemu64,-cx16,+ssse3,+sse4.1,+sse4.2,+popcnt"
CONSOLE_LINES = 40
TIMED_OUT = 124  # as timeout(1) has it
FAILED = 125  # the guest ended without the command having ended
PR_SET_PDEATHSIG = 1
PANIC = re.compile(rb"Kernel panic - not syncing|BUG: |Oops: ")


class Interrupted(Exception):
    """By a signal, whose number is the argument."""


def raise_interrupted(number, _frame):
    raise Interrupted(number)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@functools.lru_cache(maxsize=None)
def threads():
    """Before 8.1, with a thread for each processor, qemu may still execute what the kernel has
    just overwritten (the breakpoint of a jump label under way), and the kernel dies of it."""
    text = subprocess.run([QEMU, "--version"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", text)
    return "multi" if found and tuple(map(int, found.groups())) >= (8, 1) else "single"


class Channel:
    """A socket that qemu connects to, and what is done with the bytes that come."""

    def __init__(self, directory, name, take):
        self.path = f"{directory}/{name}"
        self.take = take
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.connection = None

    def accept(self):
        self.connection, _ = self.listener.accept()

    def read(self):
        """Takes what is there; False at the end."""
        try:
            data = self.connection.recv(65536)
        except ConnectionError:
            data = b""
        if data:
            self.take(data)
        return bool(data)

    def close(self):
        for s in (self.listener, self.connection):
            if s:
                s.close()


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


class Machine:
    """One guest, from its start to its end."""

    def __init__(self, kernel, initramfs, directory, options):
        self.kernel = kernel
        self.initramfs = initramfs
        self.directory = directory
        self.options = options
        self.console = collections.deque(maxlen=CONSOLE_LINES)
        self.partial = b""
        self.panicked = False
        self.control = b""
        self.report = b""  # what the command wrote to its $REPORT_PORT
        self.process = None
        self.channels = []

    # ---- what comes from the guest ----

    def take_console(self, data):
        if self.options.console:
            write_all(2, data)
        *lines, self.partial = (self.partial + data).split(b"\n")
        for line in lines:
            self.console.append(line.rstrip(b"\r"))
            self.panicked = self.panicked or bool(PANIC.search(line))

    def take_control(self, data):
        self.control += data

    def take_report(self, data):
        self.report += data

    def status(self):
        """The command's exit status, None while it runs."""
        found = re.search(rb"^exit (\d+)\n", self.control, re.M)
        return int(found[1]) if found else None

    def say(self, text):
        print(f"vm: {self.kernel.release}: {text}", file=sys.stderr, flush=True)

    def say_console(self):
        lines = [*self.console, self.partial] if self.partial else list(self.console)
        self.say("the console's last lines:" if lines else "the console is empty")
        for line in lines:
            print("    " + line.decode(errors="replace"), file=sys.stderr)

    # ---- qemu ----

    def command_line(self):
        append = ["console=ttyS0", "quiet", "panic=-1", "oops=panic", "random.trust_cpu=on",
                  self.options.append]
        return [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-accel", f"tcg,thread={threads()},tb-size=256", "-cpu", CPU,
                "-smp", str(self.options.processors), "-m", str(self.options.memory), "-kernel", self.kernel.image,
                "-initrd", self.initramfs, "-append", " ".join(filter(None, append)),
                "-device", "virtio-rng-pci"]

    def channel(self, name, take):
        channel = Channel(self.directory, name, take)
        self.channels.append(channel)
        return ["-chardev", f"socket,id={name},path={channel.path}"]

    def port_line(self):
        words = self.channel("console", self.take_console)
        words += ["-serial", "chardev:console", "-device", "virtio-serial-pci"]
        takes = {"control": self.take_control, "out": lambda data: write_all(1, data),
                 "err": lambda data: write_all(2, data), "report": self.take_report}
        for number, (name, take) in enumerate(takes.items(), 1):
            words += self.channel(name, take)
            words += ["-device", f"virtserialport,chardev={name},name={name},nr={number}"]
        return words

    def start(self, words, **how):
        self.process = subprocess.Popen(words, preexec_fn=die_with_parent, **how)

    def end(self):
        """Ends qemu, by its own process, and the sockets."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        for channel in self.channels:
            channel.close()

    def relay(self, deadline):
        """Passes output on until the command, the guest or its time has ended."""
        selector = selectors.DefaultSelector()
        for channel in self.channels:
            channel.listener.settimeout(10)
            channel.accept()  # qemu connects before the guest starts
            selector.register(channel.connection, selectors.EVENT_READ, channel)
        while selector.get_map():
            # Once the command has ended, what it wrote is in the sockets already.
            wait = 0 if self.status() is not None else max(0, deadline - time.monotonic())
            ready = selector.select(wait)
            if not ready:
                return self.status() is not None
            for key, _ in ready:
                if not key.data.read():
                    selector.unregister(key.fileobj)
        return True

    def run(self):
        """Runs the command to its end; returns its exit status, or TIMED_OUT or FAILED."""
        deadline = time.monotonic() + self.options.timeout
        try:
            self.start([*self.command_line(), *self.port_line()], stdin=subprocess.DEVNULL,
                       start_new_session=True)
            try:
                in_time = self.relay(deadline)
            except socket.timeout:
                self.say(f"{QEMU} did not start")
                return FAILED
        finally:
            self.end()
        return self.verdict(in_time)

    def verdict(self, in_time):
        if self.panicked:
            self.say("the kernel panicked")
        elif not in_time:
            self.say(f"no end after {self.options.timeout:g} seconds: ended")
        elif self.status() is None:
            self.say("the guest ended before its command")
        else:
            return self.status()
        self.say_console()
        return TIMED_OUT if not in_time else FAILED

    def shell(self):
        """An interactive shell on this terminal; returns when it or the guest ends."""
        words = ["-chardev", f"file,id=console,path={self.directory}/console",
                 "-chardev", "stdio,id=terminal,signal=off",
                 "-serial", "chardev:console", "-serial", "chardev:terminal"]
        try:
            self.start([*self.command_line(), *words])
            return self.process.wait()
        finally:
            self.end()
