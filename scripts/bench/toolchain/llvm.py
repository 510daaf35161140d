# SPDX-License-Identifier: GPL-2.0
"""clang and its tools beside the toolchain root: only the debug kernel needs them."""

from .. import cache
from . import root

# The series that rustc was built with: the kernel wants the two to agree.
SERIES = "19"
PACKAGES = [f"clang-{SERIES}", f"lld-{SERIES}", f"llvm-{SERIES}", f"libllvm{SERIES}",
            f"libclang-cpp{SERIES}", f"libclang-common-{SERIES}-dev"]
RECIPE = "1"


def _build(path):
    root.unpack(PACKAGES, path)
    # Programs look for their libraries beside themselves, then where the root has them.
    root.run(["bash", "-ec", f"""
        rm -r usr/share
        mv usr/lib/x86_64-linux-gnu/*.so* usr/lib/llvm-{SERIES}/lib/
        usr/lib/llvm-{SERIES}/bin/clang --version"""], cwd=path, capture=True)


def ensure_llvm():
    """The directory of clang, ld.lld, llvm-nm and so on, for LLVM=<it>/ of a kernel."""
    path = cache.stage("llvm", [RECIPE, *PACKAGES], _build)
    return path / f"usr/lib/llvm-{SERIES}/bin"
