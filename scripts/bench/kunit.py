# SPDX-License-Identifier: GPL-2.0
"""A small kernel of the bench's own, with KUnit, which Debian's kernels lack."""

import os
from pathlib import Path
import shutil

from . import root
from .cache import BenchError

CONFIG = Path(__file__).with_suffix(".config")
CC = "x86_64-linux-gnu-gcc-14"
LOCALVERSION = "-raw-hrtimer-kunit"


def _check_config(config):
    """Kconfig drops silently what has an unmet dependency."""
    wanted = {line for line in CONFIG.read_text(encoding="utf-8").splitlines()
              if line.startswith("CONFIG_")}
    missing = wanted - set(config.read_text(encoding="utf-8").splitlines())
    if missing:
        raise BenchError(f"{CONFIG.name} asks for what this kernel's Kconfig does not "
                         f"give: {', '.join(sorted(missing))}")


def build(path, source, jobs):
    """Fill path as kernel.py does for one of Debian's: build/, vmlinuz, lib/modules."""
    tree = path / "build"
    tree.mkdir()
    (tree / "localversion").write_text(LOCALVERSION + "\n", encoding="ascii")
    make = ["make", "-C", source, f"O={tree}", f"-j{jobs}", "ARCH=x86",
            "CROSS_COMPILE=x86_64-linux-gnu-", f"CC={CC}"]
    repeatable = {"KBUILD_BUILD_TIMESTAMP": "1970-01-01", "KBUILD_BUILD_USER": "bench",
                  "KBUILD_BUILD_HOST": "bench"}
    root.run([*make, "allnoconfig"], env={"KCONFIG_ALLCONFIG": CONFIG}, name="kunit",
             what="configuring a kernel with KUnit")
    _check_config(tree / ".config")
    root.run([*make, "bzImage", "modules"], env=repeatable, name="kunit", expect=1900,
             what="building a kernel with KUnit")
    root.run([*make, f"INSTALL_MOD_PATH={path}", "INSTALL_MOD_STRIP=1",
              "modules_install"], name="kunit", what="installing its modules")
    (path / "vmlinuz").write_bytes((tree / "arch/x86/boot/bzImage").read_bytes())
    (path / "cc").write_text(CC, encoding="ascii")
    _shrink(tree)


def _shrink(tree):
    """Drop the objects that no build of a module needs."""
    for name in ("vmlinux.o", "vmlinux.a", "arch/x86/boot"):
        item = tree / name
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink(missing_ok=True)
    for folder, _, files in os.walk(tree):
        if Path(folder).relative_to(tree).parts[:1] in (("scripts",), ("tools",), ("rust",)):
            continue
        for file in files:
            if file.endswith((".o", ".a")):
                Path(folder, file).unlink()
