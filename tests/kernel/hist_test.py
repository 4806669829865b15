#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Histograms: each value lands in the bucket whose label holds it."""

import random
import re
import unittest

import support

UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50, "E": 60}
ROW = re.compile(r"^([\[(])(.*?)([\])])\s+([1-9]\d*) \|", re.M)  # a short bar may be empty


def number(text):
    if text in ("...", ""):
        return None
    m = re.fullmatch(r"(-?\d+)([KMGTPE]?)", text)
    return int(m.group(1)) << UNITS[m.group(2)]


def holds(row, value):
    """Whether the label of @row, [low, high) or [value] or (..., high), holds @value."""
    bounds = [number(b.strip()) for b in row[1].split(",")]
    if len(bounds) == 1:
        return value == bounds[0]
    low, high = bounds
    return (low is None or value >= low) and (high is None or value < high)


def values():
    rng = random.Random(7)
    edges = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 1023, 1024, 1025, -1, -5]
    return edges + [rng.getrandbits(rng.randrange(1, 62)) for _ in range(40)]


@support.same_everywhere
class Buckets(unittest.TestCase):
    def buckets(self, call, numbers):
        """{value: the only row of its histogram}"""
        body = " ".join(f"@[{i}] = {call(v)};" for i, v in enumerate(numbers))
        done = support.btrun("-e", f"BEGIN {{ {body} exit(); }}")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = {}
        for part in re.split(r"^@\[", done.stdout, flags=re.M)[1:]:
            rows = ROW.findall(part)
            self.assertEqual(len(rows), 1, part)
            found[numbers[int(part.split("]")[0])]] = rows[0]
        self.assertEqual(len(found), len(set(numbers)))
        return found

    def test_powers_of_two(self):
        for bits in range(6):
            with self.subTest(bits=bits):
                found = self.buckets(lambda v, b=bits: f"hist({v}, {b})", values())
                for value, row in found.items():
                    # labels of fine buckets are rounded to units: only exact ones are judged
                    if bits == 0 or abs(value) < 1024:
                        self.assertTrue(holds(row, value), f"{value} in {row}")

    def test_linear(self):
        numbers = [-20, -1, 0, 1, 9, 10, 11, 55, 99, 100, 101, 5000]
        found = self.buckets(lambda v: f"lhist({v}, 0, 100, 10)", numbers)
        for value, row in found.items():
            self.assertTrue(holds(row, value), f"{value} in {row}")

    def test_every_value_is_counted(self):
        done = support.btrun("-e", "BEGIN { unroll(100) { @ = hist(rand); } exit(); }")
        self.assertEqual(sum(int(row[3]) for row in ROW.findall(done.stdout)), 100)


if __name__ == "__main__":
    support.main()
