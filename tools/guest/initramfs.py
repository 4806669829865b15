# SPDX-License-Identifier: Apache-2.0
"""The guest's files as an initramfs: the machine's own programs and the tree's build.

An archive in memory needs no driver for a disk and no file system's module, and, not
compressed, costs the kernel one copy. It is written here, in the "newc" format of cpio.
"""

import glob
import lzma
import os
import re
import shlex
import shutil
import stat
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
HOME = "/btrun"  # where the tree lies in the guest
PYTHON = "/usr/bin/python3"
# Modules that the guest may load, with what they depend on; a kernel that has one built in
# has no file of it, and needs none.
MODULES = ("virtio_pci", "virtio_console", "virtio_rng", "configfs", "null_blk", "loop",
           "scsi_debug", "sd_mod", "ext4", "dummy")
# Programs of the machine's that busybox has not or has not well enough.
PROGRAMS = ("losetup", "bash", "ldd", "nm", "readelf", "objdump", "unshare", "taskset", "timeout")
LEFT_OUT_OF_PYTHON = {"test", "tests", "idlelib", "tkinter", "lib2to3", "ensurepip", "distutils",
                      "turtledemo", "pydoc_data", "dist-packages", "site-packages"}
MERGED = ("bin", "sbin", "lib", "lib64")


def guest_path(path):
    """Where a file of the machine's lies in the guest, where /bin is /usr/bin and so on."""
    path = os.path.normpath(path)
    for name in MERGED:
        if path.startswith(f"/{name}/"):
            return "/usr" + path
    return path


class Archive:
    """A cpio archive that is written file by file; directories come by themselves."""

    def __init__(self, path):
        self.out = open(path, "wb")
        self.names = set()
        self.inode = 0

    def entry(self, name, mode, data=b"", mtime=0, device=(0, 0)):
        name = name.strip("/")
        if name in self.names:
            return
        if os.path.dirname(name) and name != "TRAILER!!!":
            self.directory(os.path.dirname(name))
        self.names.add(name)
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, int(mtime), len(data), 0, 0, *device,
                  len(encoded), 0)
        head = b"070701" + b"".join(b"%08X" % x for x in fields) + encoded
        self.out.write(head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))

    def directory(self, name, mode=0o755):
        self.entry(name, stat.S_IFDIR | mode)

    def link(self, name, target):
        self.entry(name, stat.S_IFLNK | 0o777, target.encode())

    def text(self, name, text, mode=0o644):
        self.entry(name, stat.S_IFREG | mode, text.encode())

    def file(self, path, name=None):
        """@path as @name, with its mode and the time that Python's compiled files go by."""
        about = os.stat(path)
        with open(path, "rb") as f:
            self.entry(name or guest_path(path), stat.S_IFREG | stat.S_IMODE(about.st_mode),
                       f.read(), about.st_mtime)

    def tree(self, path, name, leave_out=()):
        for directory, below, files in os.walk(path):
            below[:] = [x for x in below if x not in leave_out]
            for file in files:
                inside = os.path.relpath(f"{directory}/{file}", path)
                self.file(f"{directory}/{file}", f"{name}/{inside}")

    def close(self):
        self.entry("TRAILER!!!", 0)
        self.out.close()


# ---- programs and libraries -----------------------------------------------------------

def libraries(programs):
    """The shared libraries of the programs, their loader among them, as ldd finds them."""
    done = subprocess.run(["ldd", *programs], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False, text=True)  # fails for those that are linked statically
    return set(re.findall(r"(?:=> |^\t)(/\S+) \(0x", done.stdout, re.M))


def add_programs(archive, programs):
    for path in programs:
        archive.file(path)
    for path in libraries(programs):
        archive.file(path)
    if os.path.exists("/etc/ld.so.cache"):
        archive.file("/etc/ld.so.cache")


def add_python(archive):
    """Python with as much of its library as a test may want; returns its ELF files."""
    script = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    standard = subprocess.run([PYTHON, "-c", script],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    leave_out = LEFT_OUT_OF_PYTHON | {x for x in os.listdir(standard) if x.startswith("config-")}
    archive.tree(standard, standard, leave_out)
    archive.file(os.path.realpath(PYTHON), PYTHON)
    return [PYTHON, *glob.glob(f"{standard}/lib-dynload/*.so")]


def add_busybox(archive):
    """busybox under all its names that nothing else has taken."""
    busybox = shutil.which("busybox")
    archive.file(busybox, "/usr/bin/busybox")
    applets = subprocess.run([busybox, "--list-full"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout.split()
    for applet in applets:
        archive.link(guest_path("/" + applet), "/usr/bin/busybox")
    return [busybox]


# ---- modules --------------------------------------------------------------------------

def module_name(path):
    return os.path.basename(path).split(".")[0].replace("-", "_")


def module_bytes(path):
    if path.endswith(".xz"):
        with lzma.open(path) as f:
            return f.read()
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout
    with open(path, "rb") as f:
        return f.read()


def module_needs(data):
    """The names of the modules that a module depends on, from its .modinfo section."""
    found = re.search(rb"\0depends=([^\0]*)\0", data)
    return [x.replace("-", "_") for x in found[1].decode().split(",") if x] if found else []


def add_modules(archive, kernel):
    """The modules of MODULES, not compressed, and a modules.dep of them for modprobe."""
    paths = {module_name(p): p for p in glob.glob(f"{kernel.modules}/**/*.ko*", recursive=True)}
    needs, todo = {}, [x for x in MODULES if x in paths]
    directory = f"/usr/lib/modules/{kernel.release}"
    while todo:
        name = todo.pop()
        if name in needs:
            continue
        data = module_bytes(paths[name])
        archive.entry(f"{directory}/{name}.ko", stat.S_IFREG | 0o644, data)
        needs[name] = [x for x in module_needs(data) if x in paths]
        todo += needs[name]

    def all_needs(name):  # modprobe loads a line's modules from its end
        found = []
        for need in needs[name]:
            found = [x for x in found if x not in (need, *all_needs(need))]
            found += [need, *all_needs(need)]
        return found

    lines = [f"{x}.ko: {' '.join(f'{y}.ko' for y in all_needs(x))}\n" for x in sorted(needs)]
    archive.text(f"{directory}/modules.dep", "".join(lines))


# ---- the whole ------------------------------------------------------------------------

def build_programs(build):
    names = ["btrun", "btrun-compile", "btrun-run", "tests/workload"]
    names += [os.path.relpath(x, build) for x in glob.glob(f"{build}/tests/chains/*")]
    return {f"{build}/{x}": f"{HOME}/build/{x}" for x in names if os.path.exists(f"{build}/{x}")}


def add_tree(archive, build):
    """The tree's build and what of the repository the tests need; returns ELF files."""
    programs = build_programs(build)
    for path, name in programs.items():
        archive.file(path, name)
    for directory in ("scripts", "tests"):
        archive.tree(f"{ROOT}/{directory}", f"{HOME}/{directory}", {"__pycache__"})
    return list(programs)


def add_settings(archive, settings):
    """Words for the init script, which reads them as shell."""
    archive.text("/guest/settings",
                 "".join(f"{k}={shlex.quote(str(v))}\n" for k, v in settings.items()))


def make(path, kernel, build, command, settings, extra=()):
    """Writes the initramfs to @path. @extra: (file of the machine's, its name in the guest)."""
    archive = Archive(path)
    try:
        for name in MERGED:
            archive.link(name, f"usr/{name}")
        for name in ("proc", "sys", "dev", "run", "root", "mnt", "etc", "usr/bin", "usr/sbin",
                     "usr/include"):
            archive.directory(name)
        archive.directory("tmp", 0o1777)
        archive.directory("var/tmp", 0o1777)
        archive.entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        archive.file(f"{HERE}/init", "/init")
        archive.text("/guest/command", f"exec {shlex.join(command)}\n" if command else "")
        add_settings(archive, {"release": kernel.release, "home": HOME, **settings})
        archive.text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
                                    "nobody:x:65534:65534:nobody:/:/bin/sh\n")
        archive.text("/etc/group", "root:x:0:\nnogroup:x:65534:\n")
        elf = add_tree(archive, build) + add_python(archive)
        for source, name in extra:
            archive.file(source, name)
            elf.append(source)
        add_programs(archive, [p for p in map(shutil.which, PROGRAMS) if p])
        for library in libraries(elf):
            archive.file(library)
        add_busybox(archive)
        add_modules(archive, kernel)
    finally:
        archive.close()
