# SPDX-License-Identifier: GPL-2.0
"""QEMU with its firmware for the inside of a machine, and what scripts that start it need.

As chrony in the base they have libraries of their own.
"""

from pathlib import Path

from .. import cache
from ..cache import TREE
from ..toolchain import root
from . import cpio, libraries

RECIPE = "1"
HOME = "/opt/qemu"
WRAPPER = TREE / "scripts/guest/qemu-wrapper"
# Programs, and the packages that they and the firmware are of.
PROGRAMS = ["/usr/bin/qemu-system-x86_64", "/bin/bash", "/usr/bin/timeout", "/usr/bin/getconf"]
PACKAGES = ["qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios", "ipxe-qemu",
            "bash", "coreutils", "libc-bin", "libc6"]
# Of that, what is for x86.
FIRMWARE = ["/usr/share/qemu/*.bin", "/usr/share/qemu/*.rom", "/usr/share/qemu/keymaps",
            "/usr/share/seabios/*.bin"]
OTHERS = {"npcm7xx_bootrom.bin", "npcm8xx_bootrom.bin", "u-boot-sam460.bin", "vof.bin",
          "QEMU,cgthree.bin", "QEMU,tcx.bin", "s390-ccw.img"}


def _build(path):
    top = root.ensure_root()
    with open(path / "cpio", "wb") as file:
        archive = cpio.Archive(file)
        for program in PROGRAMS:
            archive.copy(top / program[1:], f"{HOME}/bin/{Path(program).name}")
            archive.copy(WRAPPER, program)
        for name, library in libraries.of_root(PROGRAMS):
            place = f"{HOME}/lib/{name}" if name else f"{HOME}/bin/ld.so"
            archive.copy(libraries.in_root(library), place)
        for pattern in FIRMWARE:
            for firmware in sorted(top.glob(pattern[1:])):
                if firmware.name not in OTHERS:
                    name = f"/{firmware.relative_to(top)}"
                    archive.copy(libraries.in_root(name), name)
        archive.close()


def ensure_qemu():
    """The directory of cpio."""
    return cache.stage("guest-qemu", [RECIPE, *sorted(root.versions(PACKAGES).items()), *PROGRAMS,
                                      *FIRMWARE, *sorted(OTHERS), WRAPPER], _build, keep=2)
