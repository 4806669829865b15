#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/runqlat.bt against threads that have one processor between them."""

import os
import re
import threading
import time
import unittest

import support

SCRIPT = os.path.join(support.SCRIPTS, "runqlat.bt")
SECONDS = 2


def spin_until(end):
    while time.monotonic() < end:
        pass


def spinners(count):
    """So many processes of this one, which all want the same processor for SECONDS."""
    pids = []
    for _ in range(count):
        pid = os.fork()
        if not pid:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            spin_until(time.monotonic() + SECONDS)
            os._exit(0)
        pids.append(pid)
    return pids


def value(text):
    """A bound of a row in microseconds: "512", "4K", "1M"."""
    return int(text.rstrip("KM")) << {"K": 10, "M": 20}.get(text[-1], 0)


def waited(out, name):
    """(the least, the most) that the rows of a histogram may come to."""
    least = most = 0
    for row, count in support.histogram(out, name).items():
        bounds = [value(x) for x in re.findall(r"\d+[KM]?", row)]
        least += bounds[0] * count
        most += bounds[-1] * count if len(bounds) > 1 else (bounds[0] + 1) * count
    return least, most


class RunqLat(unittest.TestCase):
    def check(self, out, names):
        """Two that share a processor wait while the other one runs: all of the time together."""
        least, most = (sum(x) for x in zip(*(waited(out, name) for name in names)))
        self.assertGreaterEqual(most, SECONDS * 0.8 * 1e6, out)
        return least

    def test_two_threads_on_one_processor(self):
        with support.Tracer(SCRIPT, "--", "-P") as tracer:
            pids = spinners(2)
            for pid in pids:
                os.waitpid(pid, 0)
        comm = open("/proc/self/comm", encoding="ascii").read().strip()
        names = [f"pid[{pid}, {comm}]" for pid in pids]
        self.check(tracer.out, names)
        for name in names:  # each of them for a good part of it
            self.assertGreater(waited(tracer.out, name)[1], SECONDS * 0.2 * 1e6, tracer.out)

    def test_one_process_in_milliseconds(self):
        pids = []
        ready, go = os.pipe()
        first = os.fork()
        if not first:
            os.read(ready, 1)
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            spin_until(time.monotonic() + SECONDS)
            os._exit(0)
        with support.Tracer(SCRIPT, "--", "-m", f"--pid={first}") as tracer:
            os.write(go, b"x")
            pids = [first, *spinners(1)]
            for pid in pids:
                os.waitpid(pid, 0)
        os.close(ready)
        os.close(go)
        self.assertNotIn("@usecs", tracer.out)
        self.assertGreater(waited(tracer.out, "msecs")[1], SECONDS * 0.2 * 1e3, tracer.out)

    def test_sleep_is_no_wait(self):
        with support.Tracer(SCRIPT, "--", "-P") as tracer:
            pid = os.fork()
            if not pid:
                for _ in range(20):
                    time.sleep(0.1)
                os._exit(0)
            os.waitpid(pid, 0)
        comm = open("/proc/self/comm", encoding="ascii").read().strip()
        self.assertLess(waited(tracer.out, f"pid[{pid}, {comm}]")[0], 1e6, tracer.out)

    @support.same_everywhere
    def test_each_thread(self):
        stop = threading.Event()

        def work():
            while not stop.wait(0.01):
                pass

        with support.Tracer(SCRIPT, "--", "-L", f"--pid={os.getpid()}") as tracer:
            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads:
                thread.start()
            ids = {str(thread.native_id) for thread in threads}
            time.sleep(0.3)
            stop.set()
            for thread in threads:
                thread.join()
        self.assertLessEqual(ids, set(re.findall(r"^@tid\[(\d+),", tracer.out, re.M)))

    @support.same_everywhere
    def test_interval_and_count(self):
        with support.Tracer(SCRIPT, "1", "2", "--", "-T", stop=None) as tracer:
            pass
        self.assertEqual(len(re.findall(r"^\d\d:\d\d:\d\d$", tracer.out, re.M)), 2, tracer.out)
        self.assertEqual(len(re.findall(r"^@usecs:$", tracer.out, re.M)), 2, tracer.out)


if __name__ == "__main__":
    support.main()
