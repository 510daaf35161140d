# SPDX-License-Identifier: GPL-2.0
"""Debian unstable's compilers, in a root of their own: the archive's newest kernels are built by them."""

from .. import cache
from . import root, ways

SUITES = ["unstable", "experimental"]
COMPILERS = ["gcc", "binutils", "rustc", "rust-src", "bindgen", "pahole"]
PACKAGES = [*COMPILERS, "bc", "bison", "cpio", "file", "flex", "kmod", "make", "patch", "perl",
            "python3", "rsync", "xz-utils", "zstd", "libdw-dev", "libelf-dev", "libssl-dev",
            "zlib1g-dev"]


def _build(path):
    root.debootstrap(SUITES[0], path, "apt", PACKAGES, "installing Debian unstable's compilers",
                     SUITES)
    root.update(path)


def ensure_unstable():
    """The directory of that root, whose apt knows the archive's newest kernels."""
    return cache.stage("-".join(("unstable", *ways.choose().key)),
                       ["1", root.MIRROR, *SUITES, *PACKAGES], _build)


def refresh():
    """Make its compilers, and what its apt knows, what the archive has today."""
    top = ensure_unstable()
    root.update(top)
    root.run(["apt-get", "-q", "-y", "--no-install-recommends", "install", *PACKAGES],
             env={"DEBIAN_FRONTEND": "noninteractive"}, name="unstable",
             what="bringing Debian unstable's compilers up to date", top=top)
    return top
