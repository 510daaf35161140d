# SPDX-License-Identifier: GPL-2.0
"""Debian's programs that load a host with timers, or measure its latency, for scripts/vm --add."""

from .. import cache
from ..toolchain import root

# stress-ng is linked with libraries of graphics, of which nothing is used.
PACKAGES = ["rt-tests", "stress-ng", "libnuma1", "libapparmor1", "libsctp1", "libjudydebian1",
            "libipsec-mb2", "libgbm1", "libdrm2", "libegl1", "libgles2", "libglvnd0"]
PROGRAMS = ["cyclictest", "stress-ng"]
RECIPE = "1"


def _build(path):
    base = path / "unpacked"
    base.mkdir()
    root.unpack(PACKAGES, base)
    for program in PROGRAMS:
        (base / "usr/bin" / program).rename(path / program)
    libraries = base / "usr/lib/x86_64-linux-gnu"
    for library in libraries.glob("*.so*"):
        library.rename(path / library.name)
    cache.discard(base)


def ensure_load():
    """The folder of the programs, with the libraries that the toolchain root lacks."""
    return cache.stage("load", [RECIPE, *PACKAGES], _build)
