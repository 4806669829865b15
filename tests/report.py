#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what became of the kernel tests, kernel by kernel.

usage: tests/report.py DIRECTORY   whose folders, one a kernel, hold the tests' reports

A report is what tests/kernel/support.py writes: {"kernel", "file", "tests": {name: "passed",
"failed" or ["skipped", reason]}}.
"""

import collections
import glob
import json
import os
import sys


def version(name):
    """For sorting: 5.10 before 6.1 before 6.12; what is no version comes first."""
    return [int(x) if x.isdigit() else -1 for x in name.split(".")]


def read(directory):
    """{folder: [report, ...]}"""
    found = {}
    for folder in sorted(os.listdir(directory), key=version):
        paths = sorted(glob.glob(f"{directory}/{folder}/*.json"))
        reports = []
        for path in paths:
            with open(path, encoding="utf-8") as f:
                reports.append(json.load(f))
        if reports:
            found[folder] = reports
    return found


def fates(reports):
    return [(f"{r['file']}: {name}", fate) for r in reports for name, fate in r["tests"].items()]


def row(folder, reports):
    count = collections.Counter(fate if isinstance(fate, str) else fate[0]
                                for _, fate in fates(reports))
    ran = count["passed"] + count["failed"]
    minutes = sum(t for r in reports for t in r.get("seconds", {}).values()) / 60
    return (f"{folder:<8}{reports[0]['kernel']:<28}{ran:>6}{count['passed']:>8}"
            f"{count['failed']:>8}{count['skipped']:>9}{minutes:>9.1f}")


def details(folder, reports):
    """The failed by name, the skipped by reason."""
    reasons = collections.Counter()
    for name, fate in fates(reports):
        if fate == "failed":
            yield f"{folder}: failed: {name}"
        elif fate != "passed":
            reasons[fate[1]] += 1
    for reason, count in reasons.items():
        yield f"{folder}: {count} skipped: {reason}"


def table(found):
    yield f"{'':<8}{'kernel':<28}{'ran':>6}{'passed':>8}{'failed':>8}{'skipped':>9}{'minutes':>9}"
    for folder, reports in found.items():
        yield row(folder, reports)
    for folder, reports in found.items():
        yield from details(folder, reports)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    if os.path.isdir(sys.argv[1]):
        print("\n".join(table(read(sys.argv[1]))))
