# SPDX-License-Identifier: GPL-2.0
"""The newest rustc of Debian's backports, and the LLVM that it is made with, beside the toolchain
root's own."""

import re

from .. import cache
from ..cache import BenchError
from . import llvm, root

PACKAGES = ["rustc", "rust-src", "libstd-rust-dev"]
RECIPE = "1"


def _newest():
    """The packages of that compiler, each with its version, and the series of its LLVM."""
    suite = root.SUITES[-1]
    said = root.run(["apt-cache", "madison", "rustc"], capture=True).stdout
    found = re.search(rf"^ *rustc \| +(\S+) \| \S+ {suite}/main amd64 Packages$", said, re.M)
    if not found:
        raise BenchError(f"{suite} has no rustc")
    version = found[1]
    library = "libstd-rust-" + ".".join(version.split(".")[:2])
    said = root.run(["apt-cache", "show", f"{library}={version}"], capture=True).stdout
    series = re.search(r"\blibllvm(\d+)\b", said)
    if not series:
        raise BenchError(f"{library} {version} does not say which LLVM it needs")
    return [f"{package}={version}" for package in (*PACKAGES, library)], series[1]


def _build(path, packages):
    root.unpack(packages, path)
    root.run(["bash", "-ec", r"""
        rm -r usr/share usr/src/*/compiler
        printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' \
            "$PWD/usr/lib/x86_64-linux-gnu" "$PWD/usr/bin/rustc" > rustc
        chmod +x rustc
        ./rustc --version"""], cwd=path, capture=True)


def ensure():
    """The variables of make that choose it, and clang of the LLVM that it is made with.

    bindgen stays the root's, and reads headers by an older libclang, which does not know all
    warnings that clang is told not to give.
    """
    packages, series = _newest()
    packages.append(f"libllvm{series}")
    path = cache.stage("rustc", [RECIPE, *packages], lambda path: _build(path, packages))
    return [f"LLVM={llvm.ensure_llvm(series)}/", f"RUSTC={path}/rustc",
            f"RUST_LIB_SRC={path}/usr/lib/rustlib/src/rust/library",
            "BINDGEN_EXTRA_CLANG_ARGS=-Wno-unknown-warning-option"]
