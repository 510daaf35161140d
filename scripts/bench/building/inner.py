# SPDX-License-Identifier: GPL-2.0
"""The initramfs of a guest that QEMU boots inside of a machine: busybox and what is added."""

from ..toolchain import root
from . import cpio, libraries

APPLETS = ["awk", "cat", "grep", "kill", "mkdir", "mount", "poweroff", "sed", "sh", "sleep", "uname"]


def write_initrd(path, init, added=()):
    """init: the text of its /init; added: pairs (host path, guest path), dynamic programs with what
    they need."""
    with open(path, "wb") as file:
        archive = cpio.Archive(file)
        for name in ("/proc", "/sys", "/dev", "/tmp", "/usr/lib"):
            archive.directory(name)
        archive.character_device("/dev/console", 0o600, 5, 1)
        archive.copy(root.ensure_root() / "bin/busybox", "/bin/busybox")
        for applet in APPLETS:
            archive.link(f"/bin/{applet}", "busybox")
        archive.data("/init", init.encode(), 0o755)
        for host, guest in added:
            archive.copy(host, guest)
        libraries.copy(archive, added)
        archive.close()
