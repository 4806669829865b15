#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs language tests: scripts with the output that they must give.

A .test file holds cases. A case starts with a line "=== name", followed by settings,
one "name: value" a line, and sections, each begun by a line of its own:

    === multiplication binds more tightly than addition
    --- script
    BEGIN { print(1 + 2 * 3); exit(); }
    --- stdout
    7

Sections:
    script      the program; how it is handed over is the setting `run`
    stdin       what standard input gives (empty without the section)
    stdout      what must come out, trailing blank lines aside
    stderr      likewise; lines "Attached N probes" are left out of the comparison
    file NAME   a file put into the case's directory, {dir}

A section may be followed by "~" (--- stdout ~): each line is a regular expression for a
whole line; a line "..." stands for any number of lines. "--- stdout exactly" compares
trailing blank lines too. "--- stdout without": each line is a regular expression that
must be found nowhere in the output, which must not be empty. Without a stdout or stderr
section, that output must be empty.

Settings:
    run: WORDS         arguments, quoted as for a shell (default: -e {script})
                       {script} is the program's text, {file} a file that holds it,
                       {dir} a directory for the case; it is also what files lie in
    env: A=B C=D       added to the environment, quoted as for a shell
    exit: N            exit status that is due (default 0)
    requires: PROBE    skipped, and counted as such, where `-l PROBE` finds nothing
    feature: NAME ...  likewise where --info says that the kernel lacks one of the features
    timeout: SECONDS   (default 30)

Exit status: 0 when all passed, 1 otherwise, 77 when all were skipped.
"""

import argparse
import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile

SECTIONS = ("script", "stdin", "stdout", "stderr")
SETTINGS = ("run", "env", "exit", "requires", "feature", "timeout")
MODES = ("", "~", "exactly", "without")
SKIPPED = 77
ATTACHED = re.compile(r"Attached \d+ probes?$")


class Case:
    def __init__(self, name, where):
        self.name = name
        self.where = where
        self.settings = {"run": "-e {script}", "env": "", "exit": "0", "timeout": "30"}
        self.sections = {}  # name -> lines
        self.modes = {}  # name -> one of MODES
        self.files = {}  # name -> lines


def fail_format(where, text):
    sys.exit(f"{where}: {text}")


def start_section(case, words, where):
    """Returns the list that the section's lines go to."""
    if words[0] == "file" and len(words) == 2:
        return case.files.setdefault(words[1], [])
    mode = words[1] if len(words) > 1 else ""
    if words[0] not in SECTIONS or mode not in MODES or len(words) > 2:
        fail_format(where, f"no such section: {' '.join(words)}")
    if words[0] in case.sections:
        fail_format(where, f"a second section {words[0]}")
    case.modes[words[0]] = mode
    return case.sections.setdefault(words[0], [])


def read_cases(path):
    cases = []
    lines = None  # the section being read
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            where = f"{path}:{number}"
            if line.startswith("=== "):
                cases.append(Case(line[4:].strip(), where))
                lines = None
            elif line.startswith("--- "):
                lines = start_section(cases[-1], line[4:].split(), where)
            elif lines is not None:
                lines.append(line)
            elif line.strip() and not line.startswith("#"):
                name, colon, value = line.partition(":")
                if not colon or name not in SETTINGS or not cases:
                    fail_format(where, f"not understood: {line}")
                cases[-1].settings[name] = value.strip()
    names = [c.name for c in cases]
    for name in names:
        if names.count(name) > 1:
            fail_format(path, f"two cases are called: {name}")
    return cases


def section_text(lines):
    """The section as text; the blank line before the next case is not part of it."""
    while lines and not lines[-1]:
        lines = lines[:-1]
    return "\n".join(lines) + "\n" if lines else ""


class Runner:
    def __init__(self, options):
        self.btrun = os.path.abspath(options.btrun)
        self.first = shlex.split(options.options)
        self.ignore = re.compile(options.ignore) if options.ignore else None
        self.known_probes = {}
        self.known_features = None
        self.patience = options.patience
        self.cache = tempfile.TemporaryDirectory(prefix="btrun-warm-") if options.warm else None

    def cache_settings(self):
        """Each case compiles, unless the cache is what is looked at."""
        if not self.cache:
            return {"BTRUN_CACHE": "0"}
        return {"BTRUN_CACHE": "1", "XDG_CACHE_HOME": self.cache.name}

    def has_probe(self, probe):
        if probe not in self.known_probes:
            out = subprocess.run([self.btrun, "-l", probe], capture_output=True,
                                 stdin=subprocess.DEVNULL, check=False).stdout
            self.known_probes[probe] = bool(out.strip())
        return self.known_probes[probe]

    def has_feature(self, name):
        if self.known_features is None:
            out = subprocess.run([self.btrun, *self.first, "--info"], capture_output=True,
                                 stdin=subprocess.DEVNULL, check=False, text=True).stdout
            self.known_features = dict(re.findall(r"^  (\w+): (yes|no|off)\b", out, re.M))
        return self.known_features[name] == "yes"

    def lacks(self, case):
        """What the case needs and the machine has not, or None."""
        need = case.settings.get("requires")
        if need and not self.has_probe(need):
            return need
        features = case.settings.get("feature", "").split()
        return next((f"feature {x}" for x in features if not self.has_feature(x)), None)

    def comparable_stderr(self, text):
        lines = [line for line in text.split("\n")
                 if not ATTACHED.match(line) and not (self.ignore and self.ignore.search(line))]
        return "\n".join(lines)

    def run(self, case, directory):
        """Returns (stdout, stderr, status); status None: it did not end in time."""
        if self.cache:
            self.run_once(case, directory)
        return self.run_once(case, directory)

    def run_once(self, case, directory):
        script = section_text(case.sections.get("script", []))
        values = {"script": script.rstrip("\n"), "file": f"{directory}/script.bt",
                  "dir": directory}
        for name, lines in [("script.bt", script.split("\n")[:-1]), *case.files.items()]:
            os.makedirs(os.path.dirname(f"{directory}/{name}"), exist_ok=True)
            with open(f"{directory}/{name}", "w", encoding="utf-8") as f:
                f.write("".join(line + "\n" for line in lines))
        def fill(text):
            return re.sub(r"\{(script|file|dir)\}", lambda m: values[m.group(1)], text)
        env = dict(os.environ, BPFTRACE_COLOR="never", TZ="UTC", **self.cache_settings())
        for pair in shlex.split(fill(case.settings["env"])):
            name, _, value = pair.partition("=")
            env[name] = value
        # The words are split first, so that a script's quotes stay what they are.
        words = [fill(w) for w in shlex.split(case.settings["run"])]
        try:
            done = subprocess.run([self.btrun, *self.first, *words], env=env, cwd=directory,
                                  input=section_text(case.sections.get("stdin", [])).encode(),
                                  capture_output=True, check=False,
                                  timeout=float(case.settings["timeout"]) * self.patience)
        except subprocess.TimeoutExpired as late:
            return ((late.stdout or b"").decode(errors="replace"),
                    (late.stderr or b"").decode(errors="replace"), None)
        clean = [out.decode(errors="replace").replace(directory, "{dir}")
                 for out in (done.stdout, done.stderr)]
        return clean[0], self.comparable_stderr(clean[1]), done.returncode


def lines_match(patterns, lines):
    """Whether each line is matched by its pattern; "..." takes any number of lines."""
    if not patterns:
        return not lines
    if patterns[0] == "...":
        return any(lines_match(patterns[1:], lines[i:]) for i in range(len(lines) + 1))
    if not lines or not re.fullmatch(patterns[0], lines[0]):
        return False
    return lines_match(patterns[1:], lines[1:])


def compare(case, name, got):
    """Returns None, or what is different in words."""
    mode = case.modes.get(name, "")
    if mode == "exactly":
        want = "".join(line + "\n" for line in case.sections[name][:-1])
    else:
        want = section_text(case.sections.get(name, []))
        got = section_text(got.split("\n"))
    if mode == "without":
        found = [line for line in want.split("\n") if line and re.search(line, got)]
        return f"{name} is empty" if not got else f"{name} holds {found[0]}" if found else None
    if mode == "~":
        same = lines_match(want.split("\n")[:-1], got.split("\n")[:-1])
    else:
        same = want == got
    if same:
        return None
    diff = difflib.unified_diff(want.split("\n"), got.split("\n"), f"{name}, due",
                                f"{name}, got", lineterm="")
    return "\n".join(diff)


def check(runner, case):
    """Runs one case. Returns the list of what is wrong."""
    with tempfile.TemporaryDirectory(prefix="btrun-test-") as directory:
        out, err, status = runner.run(case, directory)
    wrong = []
    if status is None:
        wrong.append(f"did not end within {case.settings['timeout']} s")
    elif status != int(case.settings["exit"]):
        wrong.append(f"exit status {status}, {case.settings['exit']} is due")
    for name, got in (("stdout", out), ("stderr", err)):
        different = compare(case, name, got)
        if different:
            wrong.append(different)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--btrun", required=True, help="the program to test")
    parser.add_argument("--options", default="", help="options of btrun that come first")
    parser.add_argument("--warm", action="store_true",
                        help="run each case twice, the second time from the cache")
    parser.add_argument("--ignore", help="leave stderr lines with this pattern out")
    parser.add_argument("--only", default="", help="only cases whose name holds this text")
    parser.add_argument("--patience", type=float, default=1,
                        help="what the time limits are multiplied by (default: 1)")
    parser.add_argument("--verbose", action="store_true", help="name the cases that passed too")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    runner = Runner(options)
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for path in options.files:
        for case in read_cases(path):
            if options.only not in case.name:
                continue
            lack = runner.lacks(case)
            if lack:
                print(f"SKIP {case.name}: there is no {lack} here")
                count["skipped"] += 1
                continue
            wrong = check(runner, case)
            count["failed" if wrong else "passed"] += 1
            if wrong:
                print(f"FAIL {case.where}: {case.name}")
                print("\n".join("    " + line for text in wrong for line in text.split("\n")))
            elif options.verbose:
                print(f"ok   {case.name}")
    print(", ".join(f"{n} {what}" for what, n in count.items()))
    if count["failed"] or not sum(count.values()):
        return 1
    return SKIPPED if not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
