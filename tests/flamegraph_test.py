#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: flamegraph_test.py BTRUN

Opens a flame graph in headless Chromium: frames are as wide as their share, a click zooms, a
search marks. The graph is btrun's own; a script that is put at its end does what a reader would
do and notes what is to be seen. Skipped (exit status 77) without Chromium or root.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

BTRUN = sys.argv.pop() if len(sys.argv) > 1 else "btrun"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser",
                                                "google-chrome"))), None)
OPTIONS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
           "--disable-background-networking --disable-component-update --disable-sync "
           "--virtual-time-budget=2000 --window-size=1220,800").split()
# comm frames of 60, 30 and 10 of 100, one of them with a name for XML to stumble over
SCRIPT = """begin {
    @["wide<&>", kstack(3)] = sum(60);
    @["middle", kstack(3)] = sum(30);
    @["thin", kstack(3)] = sum(10);
}"""
# What a reader does, and what is to be seen after each step.
READER = """
const seen = [], frames = Array.from(document.querySelectorAll(".f"));
function look(step) {
    const now = { step: step, frames: {}, matched: document.getElementById("matched").textContent,
                  details: document.getElementById("details").textContent,
                  unzoom: getComputedStyle(document.getElementById("unzoom")).display };
    for (const g of frames) {
        const name = g.querySelector("title").textContent.replace(/ \\([^(]*\\)$/, "");
        if (g.dataset.d > 1)
            continue;
        now.frames[name] = { width: g.querySelector("rect").getBoundingClientRect().width,
                             shown: getComputedStyle(g).display !== "none",
                             text: g.querySelector("text").textContent,
                             fill: getComputedStyle(g.querySelector("rect")).fill,
                             opacity: +getComputedStyle(g).opacity };
    }
    seen.push(now);
}
const frame = (name) => frames.find(
    (g) => g.querySelector("title").textContent.startsWith(name + " ("));
const mouse = (target, kind) => target.dispatchEvent(new MouseEvent(kind, { bubbles: true }));
function type(text) {
    const field = document.getElementById("search");
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
}
look("first");
mouse(frame("middle").querySelector("rect"), "mouseover");
look("hover");
mouse(frame("middle").querySelector("rect"), "click");
look("zoomed");
mouse(document.getElementById("unzoom"), "click");
look("unzoomed");
type("^(wide|thin)");
look("searched");
type("(");
look("mistyped");
type("");
look("cleared");
document.documentElement.setAttribute("data-seen", JSON.stringify(seen));
"""


class Flamegraph(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp()
        cls.svg = os.path.join(cls.dir, "graph.svg")
        subprocess.run([BTRUN, "-q", "-f", "flamegraph", "-o", cls.svg, "-e", SCRIPT], check=True,
                       stdin=subprocess.DEVNULL, timeout=60)
        with open(cls.svg, encoding="utf-8") as f:
            cls.text = f.read()
        read = os.path.join(cls.dir, "read.svg")
        with open(read, "w", encoding="utf-8") as f:
            f.write(cls.text.replace("</svg>", f"<script><![CDATA[{READER}]]></script></svg>"))
        dom = subprocess.run([CHROMIUM, *OPTIONS, f"--user-data-dir={cls.dir}/profile",
                              "--dump-dom", f"file://{read}"], check=True, capture_output=True,
                             text=True, stdin=subprocess.DEVNULL, timeout=300).stdout
        found = re.search(r'data-seen="([^"]*)"', dom)
        assert found, dom[:2000]
        text = found[1].replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">")
        cls.seen = {s["step"]: s for s in json.loads(text.replace("&amp;", "&"))}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir, ignore_errors=True)

    def widths(self, step):
        return {name: f["width"] for name, f in self.seen[step]["frames"].items() if f["shown"]}

    def check_shares(self, step):
        widths = self.widths(step)
        for name, share in (("wide<&>", 0.6), ("middle", 0.3), ("thin", 0.1)):
            self.assertAlmostEqual(widths[name] / widths["all"], share, delta=0.001)

    def test_it_is_xml_and_needs_nothing_else(self):
        root = xml.etree.ElementTree.fromstring(self.text)
        self.assertTrue(root.tag.endswith("svg"))
        outside = re.sub(r'xmlns="[^"]*"', "", self.text)
        self.assertNotIn("http", outside)
        self.assertNotIn("href", outside)

    def test_frames_are_as_wide_as_their_share(self):
        self.check_shares("first")
        self.assertEqual(self.seen["first"]["frames"]["wide<&>"]["text"], "wide<&>")

    def test_details_on_hover(self):
        self.assertEqual(self.seen["hover"]["details"], "middle (30, 30.00%)")

    def test_click_zooms(self):
        frames = self.seen["zoomed"]["frames"]
        self.assertAlmostEqual(frames["middle"]["width"], self.widths("first")["all"], delta=0.1)
        self.assertFalse(frames["wide<&>"]["shown"])
        self.assertFalse(frames["thin"]["shown"])
        self.assertLess(frames["all"]["opacity"], 1)
        self.assertNotEqual(self.seen["zoomed"]["unzoom"], "none")

    def test_and_back(self):
        self.check_shares("unzoomed")
        self.assertEqual(self.seen["unzoomed"]["unzoom"], "none")

    def test_search_marks(self):
        before, after = (self.seen[s]["frames"] for s in ("unzoomed", "searched"))
        for name in ("wide<&>", "thin"):
            self.assertEqual(after[name]["fill"], "rgb(230, 0, 230)")
            self.assertNotEqual(before[name]["fill"], "rgb(230, 0, 230)")
        self.assertEqual(after["middle"]["fill"], before["middle"]["fill"])
        self.assertEqual(self.seen["searched"]["matched"], "Matched: 70.00%")
        self.assertEqual(self.seen["cleared"]["frames"], before)
        self.assertIn("no regular expression", self.seen["mistyped"]["matched"])


if __name__ == "__main__":
    if not CHROMIUM or os.geteuid():
        print("skipped: " + ("needs root" if CHROMIUM else "there is no Chromium here"))
        sys.exit(77)
    unittest.main()
