#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/bitesize.bt: each size in its bucket, each process by itself."""

import os
import unittest

import support

KIB = 1 << 10
MIB = 1 << 20
SCRIPT = os.path.join(support.SCRIPTS, "bitesize.bt")


class Bitesize(unittest.TestCase):
    def test_each_size_in_its_bucket(self):
        steps = {"small": ["direct-write:512:0:3", "direct-read:4096:0:12"],
                 "large": ["direct-write:8192:0:7", "direct-read:65536:0:5"]}
        with support.disk(4 * MIB) as device:
            disk = os.path.basename(device)
            with support.Tracer(SCRIPT, "--", "-d", disk) as tracer:
                for name, words in steps.items():
                    with support.Child("block", device, *words, name=name) as child:
                        child.go()
                        child.finish()
        self.assertEqual(tracer.status, 0, tracer.err)
        self.assertEqual(support.histogram(tracer.out, "kbytes[small]"),
                         {"[0]": 3, "[4, 8)": 12}, tracer.out)
        self.assertEqual(support.histogram(tracer.out, "kbytes[large]"),
                         {"[8, 16)": 7, "[64, 128)": 5}, tracer.out)

    def test_one_process_and_one_disk(self):
        with support.disk(MIB) as device, support.loop_device(MIB) as other:
            with support.Tracer(SCRIPT, "--", "--comm=wanted",
                                "--disk", os.path.basename(device)) as tracer:
                for where, name in ((device, "wanted"), (device, "other"), (other, "wanted")):
                    with support.Child("block", where, "direct-read:4096:0:4", name=name) as child:
                        child.go()
                        child.finish()
        self.assertEqual(support.histogram(tracer.out, "kbytes[wanted]"), {"[4, 8)": 4},
                         tracer.out)
        self.assertNotIn("kbytes[other]", tracer.out)


if __name__ == "__main__":
    support.main()
