#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the kernel tests within a guest of tools/vm, one file after the other.

usage: run_tests.py [--limit SECONDS] [--all] [--language NAME]... [FILE]...
       (all of tests/kernel without FILE)

Without --all what is the same on every kernel is left out. --language runs the cases of
tests/language/NAME.test, too. Each file's report goes to the port that $REPORT_PORT names, as a line of JSON, as soon as
the file is done: what a panic interrupts is then known as well. Exit status: 1 when a test failed,
77 when all were skipped.
"""

import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPPED = 77
LONGER = {"tools_test": 3}  # times the limit: it starts dozens of programs


def name_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def run(path, directory, options):
    """(exit status, None: not ended in time; report) of one file."""
    limit = options.limit * LONGER.get(name_of(path), 1)
    env = dict(os.environ, TEST_SLOW="1", TEST_REPORTS=directory)
    if not options.all:
        env["TEST_KERNEL_ONLY"] = "1"
    try:
        status = subprocess.run([sys.executable, path], env=env, check=False, timeout=limit,
                                stderr=subprocess.STDOUT).returncode
    except subprocess.TimeoutExpired:
        status = None
    try:
        with open(f"{directory}/{name_of(path)}.json", encoding="utf-8") as f:
            return status, json.load(f)
    except FileNotFoundError:
        why = f"no end within {limit} s" if status is None else f"exit status {status}"
        return status or 1, {"kernel": os.uname().release, "file": name_of(path),
                             "tests": {f"the file as a whole ({why})": "failed"}}


def run_language(path, directory, options):
    """Likewise of one file of tests/language, whose cases are one test together."""
    start = time.monotonic()
    out = open(f"{directory}/out", "w+", encoding="utf-8")
    command = [sys.executable, f"{TESTS}/run_language.py", "--btrun", os.environ["BTRUN"],
               "--patience", "10", path]
    try:
        status = subprocess.run(command, check=False, timeout=options.limit, stdout=out,
                                stderr=subprocess.STDOUT).returncode
    except subprocess.TimeoutExpired:
        status = None
    out.seek(0)
    print(out.read(), end="")
    fate = {0: "passed", SKIPPED: ["skipped", "nothing of it is here"]}.get(status, "failed")
    seconds = round(time.monotonic() - start, 1)
    return status, {"kernel": os.uname().release, "file": f"language.{name_of(path)}",
                    "tests": {"all cases": fate}, "seconds": {"all cases": seconds}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--limit", type=int, default=1200, help="seconds that a file may take")
    parser.add_argument("--all", action="store_true", help="what is the same everywhere, too")
    parser.add_argument("--language", action="append", default=[], metavar="NAME",
                        help="a file of tests/language")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    port = open(os.environ.get("REPORT_PORT") or os.devnull, "w", encoding="utf-8")
    jobs = [(run, x) for x in options.files or sorted(glob.glob(f"{TESTS}/kernel/*_test.py"))]
    jobs += [(run_language, f"{TESTS}/language/{x}.test") for x in options.language]
    statuses = []
    for do, path in jobs:
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="btrun-reports-") as directory:
            status, report = do(path, directory, options)
        statuses.append(status)
        print(f"{name_of(path)}: {time.monotonic() - start:.0f} s, status {status}", flush=True)
        port.write(json.dumps(report) + "\n")
        port.flush()
    if any(x not in (0, SKIPPED) for x in statuses):
        return 1
    return 0 if 0 in statuses else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
