# SPDX-License-Identifier: Apache-2.0
"""What tools/vm is made of.

    kernels.py    gets kernels from Debian's suites, keeps them in a cache
    initramfs.py  the guest's files, from the machine's own and the tree's build
    init          the guest's first process
    machine.py    qemu: starts it, passes its output on, ends it
"""
