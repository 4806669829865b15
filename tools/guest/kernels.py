# SPDX-License-Identifier: Apache-2.0
"""Kernels from Debian's suites, had with apt's own client, kept in a cache.

apt works on lists and caches of its own below the cache: the machine's stay as they are.
The mirror is the one that the machine's own sources name.
"""

import contextlib
import fcntl
import glob
import os
import re
import shutil
import subprocess
import tempfile

SUITES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie", "7.2": "sid"}
METAPACKAGE = "linux-image-cloud-amd64"
# The packages that hold a kernel and its modules, whichever way a suite splits them.
PARTS = re.compile(r"linux-(image|binary|modules)-\d[^ ]*-cloud-amd64$")
KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg",
            "/usr/share/keyrings/debian-archive-keyring.pgp")
TRIES = 3


class FetchError(Exception):
    """There is no such kernel to be had."""


def cache_directory():
    """$BTRUN_VM_CACHE, $XDG_CACHE_HOME/btrun, or where the user's rights put it."""
    if os.environ.get("BTRUN_VM_CACHE"):
        return os.environ["BTRUN_VM_CACHE"]
    if os.environ.get("XDG_CACHE_HOME"):
        return os.path.join(os.environ["XDG_CACHE_HOME"], "btrun")
    if os.geteuid() == 0:
        return "/var/cache/btrun"
    return os.path.expanduser("~/.cache/btrun")


class Kernel:
    """A kernel in the cache: vmlinuz, modules/ and its release as a string."""

    def __init__(self, directory):
        self.image = f"{directory}/vmlinuz"
        self.modules = f"{directory}/modules"
        with open(f"{directory}/release", encoding="ascii") as f:
            self.release = f.read().strip()


def cached(name):
    """The kernel, or None while it is not in the cache."""
    directory = f"{cache_directory()}/kernels/{name}"
    return Kernel(directory) if os.path.exists(f"{directory}/release") else None


@contextlib.contextmanager
def locked(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def fetch(name, say):
    """Brings the kernel into the cache unless it is there; returns it."""
    if name not in SUITES:
        raise FetchError(f"no such kernel: {name} (there are {', '.join(SUITES)})")
    top = cache_directory()
    with locked(f"{top}/lock.{name}"):
        have = cached(name)
        if have:
            return have
        say(f"fetching Linux {name} from {SUITES[name]}")
        os.makedirs(f"{top}/kernels", exist_ok=True)
        work = tempfile.mkdtemp(prefix=f"{name}.", dir=f"{top}/kernels")
        try:
            unpack(download(SUITES[name], work), work)
            shutil.rmtree(f"{top}/kernels/{name}", ignore_errors=True)
            os.rename(f"{work}/kernel", f"{top}/kernels/{name}")
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return cached(name)


# ---- the machine's sources ------------------------------------------------------------

def one_line_sources(text):
    """(uri, suite) of each "deb [options] URI SUITE COMPONENT..." line."""
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)", line)
        if found:
            yield found[1], found[2]


def deb822_sources(text):
    """(uri, suite) of each paragraph of a .sources file that is switched on."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        lines = [x for x in paragraph.splitlines() if not x.startswith("#")]
        # A line that begins with a blank goes on with the field before it.
        fields = {k.lower(): v.split() for k, v in
                  re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", "\n".join(lines), re.M)}
        enabled = " ".join(fields.get("enabled", ["yes"])).lower()
        if "deb" not in fields.get("types", []) or enabled in ("no", "false", "0", "off"):
            continue
        for uri in fields.get("uris", []):
            for suite in fields.get("suites", []):
                yield uri, suite


def read_all(paths):
    for path in paths:
        with contextlib.suppress(OSError), open(path, encoding="utf-8") as f:
            yield f.read()


def machine_sources(etc="/etc/apt"):
    """Every binary package source of the machine's, as (uri, suite)."""
    found = []
    lists = [f"{etc}/sources.list", *sorted(glob.glob(f"{etc}/sources.list.d/*.list"))]
    for text in read_all(lists):
        found += one_line_sources(text)
    for text in read_all(sorted(glob.glob(f"{etc}/sources.list.d/*.sources"))):
        found += deb822_sources(text)
    return found


def codename():
    for text in read_all(["/etc/os-release"]):
        found = re.search(r'^VERSION_CODENAME="?(\w+)', text, re.M)
        if found:
            return found[1]
    return None


def mirror():
    """Where the machine has its own suite from: the mirror has the other suites too."""
    names = {codename(), *SUITES.values(), "stable", "testing", "unstable"} - {None}
    sources = machine_sources()
    ours = [uri for uri, suite in sources if suite == codename()]
    others = [uri for uri, suite in sources if suite in names]
    if not ours + others:
        raise FetchError("apt's sources name no Debian mirror")
    return (ours + others)[0]


# ---- apt ------------------------------------------------------------------------------

class Apt:
    """apt on one suite, with lists and caches below @state only."""

    def __init__(self, suite, state):
        keyring = next((k for k in KEYRINGS if os.path.exists(k)), None)
        if not keyring:
            raise FetchError("the keys of Debian's archive are missing (debian-archive-keyring)")
        for directory in ("lists/partial", "cache/archives/partial"):
            os.makedirs(f"{state}/{directory}")
        with open(f"{state}/sources", "w", encoding="utf-8") as f:
            f.write(f"deb [arch=amd64 signed-by={keyring}] {mirror()} {suite} main\n")
        self.options = [x for option in (
            f"Dir::Etc::sourcelist={state}/sources", "Dir::Etc::sourceparts=/dev/null",
            "Dir::Etc::preferences=/dev/null", "Dir::Etc::preferencesparts=/dev/null",
            f"Dir::State::Lists={state}/lists", "Dir::State::status=/dev/null",
            f"Dir::Cache={state}/cache", "APT::Sandbox::User=root", "APT::Architecture=amd64",
            "Acquire::Languages=none", "Acquire::Retries=3",
            # what is signed but old will do: a mirror may be late, a suite may have ended
            "Acquire::Check-Valid-Until=false",
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false",
        ) for x in ("-o", option)]

    def run(self, program, *words, cwd=None):
        done = subprocess.run([program, "-q", *self.options, *words], cwd=cwd, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              env=dict(os.environ, LC_ALL="C", DEBIAN_FRONTEND="noninteractive"))
        if done.returncode:
            raise FetchError(f"{program} {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def retry(self, *words, cwd=None):
        """Again when a mirror or the network has a weak moment."""
        for left in reversed(range(TRIES)):
            try:
                return self.run(*words, cwd=cwd)
            except FetchError:
                if not left:
                    raise

    def depends(self, package):
        """The first choice of each of the package's dependencies."""
        text = self.run("apt-cache", "show", "--no-all-versions", package)
        found = re.search(r"^Depends: (.*)$", text, re.M)
        return [x.split()[0] for x in found[1].split(",")] if found else []


def kernel_packages(apt):
    """The packages behind the metapackage that hold the kernel and its modules."""
    names, todo = [], [METAPACKAGE]
    while todo:
        new = [x for x in apt.depends(todo.pop()) if PARTS.match(x) and x not in names]
        names += new
        todo += new
    if not names:
        raise FetchError(f"{METAPACKAGE} depends on no kernel that is known here")
    return names


def download(suite, work):
    """The files of the suite's kernel packages."""
    apt = Apt(suite, f"{work}/apt")
    apt.retry("apt-get", "update", "--error-on=any")
    os.mkdir(f"{work}/packages")
    apt.retry("apt-get", "download", *kernel_packages(apt), cwd=f"{work}/packages")
    return glob.glob(f"{work}/packages/*.deb")


def unpack(packages, work):
    """Makes work/kernel of the packages: vmlinuz, modules/, release."""
    root, kernel = f"{work}/root", f"{work}/kernel"
    for package in packages:
        subprocess.run(["dpkg", "-x", package, root], check=True)
    images = glob.glob(f"{root}/boot/vmlinuz-*") + glob.glob(f"{root}/usr/lib/modules/*/vmlinuz")
    modules = (glob.glob(f"{root}/lib/modules/*/kernel")
               + glob.glob(f"{root}/usr/lib/modules/*/kernel"))
    if not images or not modules:
        raise FetchError("the packages hold no kernel or no modules")
    os.mkdir(kernel)
    shutil.move(images[0], f"{kernel}/vmlinuz")
    shutil.move(modules[0], f"{kernel}/modules")
    with open(f"{kernel}/release", "w", encoding="ascii") as f:
        f.write(os.path.basename(os.path.dirname(modules[0])) + "\n")
