# SPDX-License-Identifier: Apache-2.0
"""The ways in which the block scripts learn of I/O, the best first."""

import os

import support

# What begins an I/O, what ends it, and the wildcards that hide them.
WAYS = [
    ("rawtracepoint:vmlinux:block_io_start", "rawtracepoint:vmlinux:block_io_done",
     "rawtracepoint:*:block_io_*"),
    ("kprobe:__blk_account_io_start", "kprobe:__blk_account_io_done", "kprobe:__blk_account_*"),
    ("kprobe:blk_account_io_start", "kprobe:blk_account_io_done", "kprobe:blk_account_*"),
    ("rawtracepoint:vmlinux:block_getrq", "rawtracepoint:vmlinux:block_rq_complete", ""),
]


def taken(script, *options):
    """The number in WAYS of what @script takes here; None: images do not say."""
    if support.IMAGES:
        return None
    listed = support.btrun(*options, "-l", script)
    assert listed.returncode == 0, listed.stderr
    probes = listed.stdout.split()
    found = [i for i, (start, end, _) in enumerate(WAYS) if start in probes and end in probes]
    assert len(found) == 1, f"{script} takes {found}: {probes}"
    return found[0]


def without_better_than(way):
    """Options that leave @way as the best one."""
    hidden = ",".join(hide for _, _, hide in WAYS[:way])
    return ["--no-probe", hidden] if hidden else []


def of_this_kernel():
    """All that work here: of functions, those that the kernel's tracer knows."""
    functions = set()
    for path in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"):
        if not functions and os.path.exists(f"{path}/available_filter_functions"):
            try:
                with open(f"{path}/available_filter_functions", encoding="utf-8") as f:
                    functions = {line.split()[0] for line in f}
            except OSError:
                pass
    return [i for i, (start, end, _) in enumerate(WAYS)
            if (support.has_probe(start) if start.startswith("raw")
                else {x.split(":")[1] for x in (start, end)} <= functions)]


def expected():
    """The best that this kernel has, by what is known of kernels."""
    version = tuple(int(x) for x in os.uname().release.split("-")[0].split(".")[:2])
    there = of_this_kernel()
    if version >= (6, 5):
        assert there[0] == 0, f"Linux {version} without block_io_start: {there}"
    elif support.has_feature("kprobes"):
        assert 0 not in there
    return there[0]
