# SPDX-License-Identifier: GPL-2.0
"""The suites of the ways into the toolchain root (ways.py), each played on this machine.

An ordinary user is played by ordinary.py, a container's root by contain.py: in the short suites
on this machine with what is built already, in "make check-long" from nothing, and the container
in an unpacked Debian 12 and 13 with nothing but what their images have.  They need root that may
mount, as the ways that they are not do: without it they are skipped.
"""

from pathlib import Path
import os
import shutil
import sys

from . import cache, ktap, root, ways
from .cache import CACHE, TREE
from .check import Suite, uses
from .ktap import Count

HERE = Path(__file__).parent
IMAGES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
# What ordinary.py and contain.py are started by.
ALONE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation",
         "private"]


def _skip(context, why):
    context.note(f"1..0 # SKIP {why}")
    return Count(skipped=1)


def _cannot_play(name):
    if why := ways.WAYS[0].missing():
        return why
    if name == "user" and not shutil.which("newuidmap"):
        return "newuidmap is missing (apt-get install uidmap)"
    return None


def _proot():
    """A directory with a proot that runs on this machine: a container would install its own."""
    def build(path):
        root.unpack(["proot", "libtalloc2"], path)
        top = root.ensure_root()
        libraries = "usr/lib/x86_64-linux-gnu"
        (path / "bin").mkdir()
        (path / "bin/proot").write_text(
            "#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0\n"
            f"exec {top}/lib64/ld-linux-x86-64.so.2 --library-path "
            f"{path}/{libraries}:{top}/{libraries} {path}/usr/bin/proot \"$@\"\n", encoding="ascii")
        (path / "bin/proot").chmod(0o755)
    return cache.stage("proot", ["1", str(root.ensure_root())], build)


def _steps(context, way, wrap, **environment):
    """The root is entered, the module built, an svm machine booted."""
    env = {k: v for k, v in os.environ.items() if k not in (ways.TOLD, ways.VARIABLE)}
    return ktap.ktap(*context.command(
        [*wrap, HERE / "steps.sh", way, len(ways.WAYS) - 1], env={**env, **environment}))


def as_container(context):
    """Root without CAP_SYS_ADMIN, on this machine."""
    if why := _cannot_play("proot"):
        return _skip(context, why)
    return _steps(context, "proot", [sys.executable, HERE / "contain.py"],
                  PATH=f"{_proot()}/bin:{os.environ['PATH']}")


def as_user(context):
    """An ordinary user, for whom the files of the cache are his."""
    if why := _cannot_play("user"):
        return _skip(context, why)
    root.ensure_root()
    with cache.scratch() as scratch:
        top = scratch / "user"
        top.mkdir()
        return _steps(context, "user", [*ALONE, sys.executable, HERE / "ordinary.py", "--share",
                                        top, CACHE, TREE])


def suites(built):
    """The suites; built: what they have to wait for."""
    return [Suite("way-user", as_user, built, seconds=60, may_skip=True),
            Suite("way-container", as_container, built, seconds=40, may_skip=True)]
