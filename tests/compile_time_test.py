#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Long scripts compile in time that grows with their length: 2,000 lines in under two seconds.

usage: compile_time_test.py BTRUN_COMPILE

One script is wide (many probes, maps and kinds of statements), one is deep (blocks in blocks in one
probe), one calls macros everywhere. What is counted is processor time, so that other work on the
machine matters little.
"""

import os
import resource
import subprocess
import sys
import tempfile

LIMIT = 2.0  # seconds for 2,000 lines
GROWTH = 3.0  # times as long for twice the length, at most
FLOOR = 0.1  # seconds: what starting takes is left out of the ratio


def wide(lines):
    for i in range(lines // 10):
        yield f"interval:s:{i % 50 + 1} /@on[{i}] != 0/ {{"
        yield f"\t$x = {i} + nsecs % 7;"
        yield f"\t@count[{i % 100}, comm] = count();"
        yield f"\tif ($x > {i % 13}) {{"
        yield f"\t\t@m{i % 100}[$x] = (pid, comm);"
        yield "\t} else {"
        yield f'\t\tprintf("%d %s\\n", $x, comm);'
        yield "\t}"
        yield f"\t@h = hist($x * {i % 9 + 1});"
        yield "}"


def deep(lines):
    levels = 100
    yield "interval:s:1 {"
    yield "\t$x = nsecs % 100;"
    for i in range(lines // (2 * levels + 1)):
        for level in range(levels):
            yield f"if ($x + {i} >= {level}) {{"
        yield f"$x = $x * {i % 7 + 1} + {i};"
        for _ in range(levels):
            yield "}"
    yield "}"


def macros(lines):
    yield "macro twice(x) { let $v = x; $v * 2 }"
    yield "macro add($to, x) { $to += twice(x); }"
    for i in range(lines // 10):
        yield f"interval:s:{i % 50 + 1} {{"
        yield "\t$s = pid % 7;"
        for k in range(7):
            yield f"\tadd($s, twice({k}));"
        yield f"\t@[{i % 20}] = $s; }}"


def seconds(compiler, script, lines):
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/long.bt"
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(script(lines)) + "\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([compiler, "--no-cache", "--no-warnings", "--emit-image",
                        f"{directory}/long.img", path], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime


def main():
    wrong = 0
    for script in (wide, deep, macros):
        half, whole = (min(seconds(sys.argv[1], script, n) for _ in range(2))
                       for n in (1000, 2000))
        growth = whole / max(half, FLOOR)
        print(f"{script.__name__}: 1,000 lines {half:.2f} s, 2,000 lines {whole:.2f} s")
        if whole > LIMIT or growth > GROWTH:
            print(f"FAIL {script.__name__}: too slow (x {growth:.1f} for twice the length)")
            wrong = 1
    return wrong


if __name__ == "__main__":
    if os.geteuid():
        print("not run as root")
        sys.exit(77)
    sys.exit(main())
