# SPDX-License-Identifier: GPL-2.0
"""The suites of the ways into the toolchain root (ways.py), each played on this machine.

An ordinary user is played by ordinary.py, a container's root by contain.py: in the short suites on
this machine with what is built already, in "make check-long" with both commands from nothing, and
the container in an unpacked Debian 12 and 13 with nothing but what their images have.  They need
root that may mount, as the ways that they are not do: without it they are skipped.
"""

import json
import os
from pathlib import Path
import shutil
import subprocess
import sys

from .. import cache
from ..cache import CACHE, TREE
from ..reports import demo
from ..toolchain import root, ways
from . import ktap
from .check import Suite
from .ktap import Count

HERE = Path(__file__).parent
ENTERING = TREE / "scripts/bench/toolchain"
IMAGES = ["bookworm", "trixie"]
# What ordinary.py and contain.py are started by.
ALONE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation",
         "private"]
# What Ctrl-C does not end by itself.
DEAF = ["sh", "-c", 'trap "" INT; sleep 300; true']


def _played(run):
    """The suite, skipped where root may not mount, which those who play it need."""
    def played(context):
        if why := ways.WAYS[0].missing():
            context.note(f"1..0 # SKIP {why}")
            return Count(skipped=1)
        return run(context)
    return played


def _untold(**more):
    """The environment of one who has not been told a way, with more."""
    return {**{k: v for k, v in os.environ.items() if k not in (ways.TOLD, ways.VARIABLE)}, **more}


def _ordinary(*options):
    """The command that plays an ordinary user.  The package that he has to have installed is
    unpacked for him, with the library that it needs, where this machine has it not."""
    usr = []
    if not shutil.which("newuidmap"):
        usr = ["--usr", root.unpacked(["uidmap", "?name(^libsubid[0-9]+$)"]) / "usr"]
    return [*ALONE, sys.executable, ENTERING / "ordinary.py", *usr, *options]


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
    return ktap.ktap(*context.command(
        [*wrap, HERE / "steps.sh", way, len(ways.WAYS) - 1], env=_untold(**environment)))


@_played
def as_container(context):
    """Root without CAP_SYS_ADMIN, on this machine."""
    return _steps(context, "proot", [sys.executable, ENTERING / "contain.py"],
                  PATH=f"{_proot()}/bin:{os.environ['PATH']}")


@_played
def as_user(context):
    """An ordinary user, for whom the files of the cache are his."""
    root.ensure_root()
    with cache.scratch() as scratch:
        top = scratch / "user"
        top.mkdir()
        return _steps(context, "user", _ordinary("--share", top, CACHE, TREE))


def interrupted(context):
    """Nothing is left of what is ended, in this machine's own way: by Ctrl-C and by a time limit."""
    count = Count()
    logs = context.log.with_suffix("")
    for what, name, argv in (
            ("a command", "sleep", ["toolchain", "run", "--", *DEAF]),
            ("the svm machine", "qemu-system-x86", ["vm", "--machine", "svm", "--", "true"]),
            ("the vmx machine", "bochs", ["vm", "--", "true"]),
            ("a suite", "qemu-system-x86", ["check", "--logs", logs, "vm-options"])):
        lines, status = context.command(
            [HERE / "interrupted.py", name, TREE / "scripts" / argv[0], *argv[1:]], merge=True)
        context.test(count, f"nothing is left of {what}", not status, lines[-1])
    return count


def _demo(result):
    """Each run of the demonstration is a test."""
    return Count(passed=result["passed"], failures=demo.unexpected(result))


def _check(result):
    """All of it, and each suite that failed."""
    whole = result["whole"]
    if not whole:
        return Count(failures=["it came to no end"])
    return Count(passed=whole["passed"], skipped=whole["skipped"], failures=[
        f"{name}: {suite['failed']} failed" for name, suite in result["suites"].items()
        if suite["failed"]])


def _whole(context, argv, results, judge):
    """One of the two commands; results: the file that it leaves."""
    lines, status = context.command(argv, merge=True, timeout=6000, env=_untold())
    if not results.exists():
        return Count(failures=[f"no results (status {status}): {(lines or ['no output'])[-1]}"])
    count = judge(json.loads(results.read_text(encoding="utf-8")))
    if status and not count.failed:
        count.failures.append(f"exit status {status}")
    return count


def _copy_tree(path):
    """The tree without what was built in it."""
    shutil.copytree(TREE, path, symlinks=True,
                    ignore=shutil.ignore_patterns("build", "target", "__pycache__"))


def from_nothing_as_user(target, judge):
    """By an ordinary user, with a tree and a cache of his own."""
    @_played
    def run(context):
        with cache.scratch() as scratch:
            top = scratch / "user"
            top.mkdir()
            _copy_tree(top / "tree")
            return _whole(context, [*_ordinary(top, CACHE, TREE), TREE / "scripts" / target,
                                    "--verbose"], top / "tree/build" / target / "results.json",
                          judge)
    return run


def _image(release):
    """Debian with nothing but what its container image has."""
    def build(path):
        root.debootstrap(release, path)
    return cache.stage(f"image-{release}", ["1", root.MIRROR], build)


# $1 image, $2 what is to be made, then what comes before chroot.  /dev as the engines have it,
# without /dev/kvm.
_CONTAIN = r"""
image=$1
target=$2
shift 2
mount --bind "$image" "$image"
mount -t proc proc "$image/proc"
mount -t tmpfs -o mode=755 tmpfs "$image/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$image/dev/${device%:*}" c 1 "${device#*:}"
done
ln -s /proc/self/fd "$image/dev/fd"
mkdir -m 1777 "$image/dev/shm"
mkdir "$image/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$image/dev/pts"
ln -s pts/ptmx "$image/dev/ptmx"
exec "$@" chroot "$image" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -ec '
    apt-get -q update
    apt-get -q -y --no-install-recommends install make
    exec make -C /src VERBOSE=1 "$0"' "$target"
"""


def from_nothing_in_container(release, target, judge):
    """As root of a container with Debian's image."""
    @_played
    def run(context):
        with cache.scratch() as scratch:
            image = scratch / "image"
            subprocess.run(["cp", "-a", _image(release), image], check=True)
            _copy_tree(image / "src")
            for name in filter(os.path.exists, root.NETWORK):
                (image / name[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, image / name[1:])
            return _whole(context, [*ALONE, "sh", "-ec", _CONTAIN, "sh", image, target,
                                    sys.executable, ENTERING / "contain.py"],
                          image / "src/build" / target / "results.json", judge)
    return run


def suites(vmx, built):
    """The suites; vmx, built: what the short ones have to wait for."""
    long = {"cores": 2, "seconds": 900, "long": True, "may_skip": True}
    return [Suite("way-user", as_user, built, seconds=30, may_skip=True),
            Suite("way-container", as_container, built, seconds=25, may_skip=True),
            Suite("interrupted", interrupted, vmx, seconds=20),
            Suite("way-user-demo", from_nothing_as_user("demo", _demo), ("kernel",), **long),
            Suite("way-user-check", from_nothing_as_user("check", _check), ("kernel",), **long),
            *[Suite(f"way-container-{release}", from_nothing_in_container(release, "demo", _demo),
                    ("kernel",), **long) for release in IMAGES],
            Suite("way-container-check", from_nothing_in_container(IMAGES[-1], "check", _check),
                  ("kernel",), **long)]
