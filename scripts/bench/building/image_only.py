# SPDX-License-Identifier: GPL-2.0
"""A build tree for a kernel of which the archive keeps the image alone, and no headers.

The image has the configuration, and what the kernel exports: modpost compares with that each
symbol that a module needs, Rust's included.
"""

from pathlib import Path
import re
import shutil
import tempfile

from ..cache import BenchError
from ..toolchain import root
from . import exports

RECIPE = "1"


def fill(path, release, source):
    """Move into path/build what the headers' package would have, from what is unpacked in path."""
    build = path / "build"
    shutil.move(path / f"boot/config-{release}", build / ".config")
    with tempfile.NamedTemporaryFile(dir=path) as vmlinux:
        root.run(["sh", "-c", '"$0" "$1" > "$2"', source / "scripts/extract-vmlinux",
                  path / "vmlinuz", vmlinux.name], capture=True)
        lines = exports.module_symvers(Path(vmlinux.name).read_bytes())
        (build / "Module.symvers").write_text("".join(lines), encoding="ascii")
        # As Debian's headers have it: for the types of modules.
        root.run(["objcopy", "--only-section=.BTF", vmlinux.name, build / "vmlinux"],
                 capture=True)


def environment(release, config, top=None):
    """What has rustc give Rust's symbols the names that the kernel has for them.

    A name has in it which rustc it is of, to the last digit, and Debian mends rustc within a
    release: its kernels of 6.18 were built with 1.85.0, where there is 1.85.1 now.
    """
    found = re.search(r'^CONFIG_RUSTC_VERSION_TEXT="rustc (.*)"$', config, re.M)
    if not found:
        raise BenchError(f"the kernel {release} was built without Rust")
    built_with = found[1]
    said = root.run(["rustc", "--version"], capture=True, top=top).stdout
    ours = said.removeprefix("rustc ").strip()
    if built_with.split(".")[:2] != ours.split(".")[:2]:
        raise BenchError(f"the kernel {release} was built with rustc {built_with}, and Rust "
                         f"modules need that: the toolchain has {ours}")
    return {"RUSTC_FORCE_RUSTC_VERSION": built_with}
