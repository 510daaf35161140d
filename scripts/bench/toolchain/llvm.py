# SPDX-License-Identifier: GPL-2.0
"""clang and its tools beside the toolchain root: only kernels of the bench's own need them."""

from .. import cache
from . import root

# The series that the root's rustc was built with: the kernel wants the two to agree.
SERIES = "19"
RECIPE = "1"


def _packages(series):
    return [f"clang-{series}", f"lld-{series}", f"llvm-{series}", f"libllvm{series}",
            f"libclang-cpp{series}", f"libclang-common-{series}-dev"]


def _build(path, series):
    root.unpack(_packages(series), path)
    # Programs look for their libraries beside themselves, then where the root has them.
    root.run(["bash", "-ec", f"""
        rm -r usr/share
        mv usr/lib/x86_64-linux-gnu/*.so* usr/lib/llvm-{series}/lib/
        usr/lib/llvm-{series}/bin/clang --version"""], cwd=path, capture=True)


def ensure_llvm(series=SERIES):
    """The directory of clang, ld.lld, llvm-nm and so on, for LLVM=<it>/ of a kernel."""
    name = "llvm" if series == SERIES else f"llvm-{series}"
    path = cache.stage(name, [RECIPE, *_packages(series)], lambda path: _build(path, series))
    return path / f"usr/lib/llvm-{series}/bin"
