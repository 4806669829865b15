# SPDX-License-Identifier: Apache-2.0
"""The .bt tools that bpftrace's packages ship, from Debian's suites, kept in the cache.

They are scripts that people rely on; the tests run them as they are. None is part of the tree.
"""

import glob
import os
import re
import shutil
import subprocess
import tempfile

from . import kernels

SUITES = ("bookworm", "sid")  # the syntax of 2023, and today's
PACKAGE = "bpftrace"


def version(deb):
    """The upstream version in a package's file name: bpftrace_0.17.0-1_amd64.deb."""
    return re.search(r"_(?:\d+%3a)?([\d.]+)", os.path.basename(deb))[1]


def unpack(suite, work):
    """Makes work/tools: the scripts of the suite's package and its version."""
    apt = kernels.Apt(suite, f"{work}/apt")
    apt.retry("apt-get", "update", "--error-on=any")
    os.mkdir(f"{work}/packages")
    apt.retry("apt-get", "download", PACKAGE, cwd=f"{work}/packages")
    deb, = glob.glob(f"{work}/packages/*.deb")
    subprocess.run(["dpkg", "-x", deb, f"{work}/root"], check=True)
    scripts = glob.glob(f"{work}/root/usr/sbin/*.bt") + glob.glob(f"{work}/root/usr/bin/*.bt")
    if not scripts:
        raise kernels.FetchError(f"{os.path.basename(deb)} holds no .bt files")
    os.mkdir(f"{work}/tools")
    for path in scripts:
        shutil.copy(path, f"{work}/tools")
    with open(f"{work}/tools/version", "w", encoding="ascii") as f:
        f.write(version(deb))


def fetch(suite, say=lambda _: None):
    """Brings the suite's tools into the cache unless they are there; returns their directory."""
    top = kernels.cache_directory()
    path = f"{top}/tools/{suite}"
    with kernels.locked(f"{top}/lock.tools.{suite}"):
        if os.path.exists(f"{path}/version"):
            return path
        say(f"fetching the tools of {suite}'s {PACKAGE}")
        os.makedirs(f"{top}/tools", exist_ok=True)
        work = tempfile.mkdtemp(prefix=f"{suite}.", dir=f"{top}/tools")
        try:
            unpack(suite, work)
            shutil.rmtree(path, ignore_errors=True)
            os.rename(f"{work}/tools", path)
        except (subprocess.CalledProcessError, OSError, ValueError) as e:
            raise kernels.FetchError(str(e)) from e
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return path
