# SPDX-License-Identifier: GPL-2.0
"""Preparing a kernel's build tree for modules, with less work than the kernel's own build has.

The libraries of the procedural macros are not optimised (unoptimised/rustc), and a program that
is only run is taken from Debian's package of such programs.
"""

import os
from pathlib import Path
import re
import shutil

from ..cache import BenchError
from ..toolchain import root

UNOPTIMISED = Path(__file__).with_name("unoptimised")
PROGRAM = Path("tools/bpf/resolve_btfids/resolve_btfids")   # with a library: 20 s of a processor
# The variable of make without which no build in such a tree makes it.  A module's BTF is made
# with it all the same.
NO_PROGRAM = "CONFIG_DEBUG_INFO_BTF="


def from_headers(path, release, build):
    """Move into the build tree what the packages of the headers and of the programs have."""
    headers = path / "usr/src" / f"linux-headers-{release}"
    for file in (".config", "Module.symvers", "vmlinux"):
        (headers / file).rename(build / file)
    shutil.rmtree(path / "usr/src")
    for programs in (path / "usr/lib").glob("linux-kbuild-*"):
        if (programs / PROGRAM).exists():
            (build / PROGRAM).parent.mkdir(parents=True)
            (programs / PROGRAM).rename(build / PROGRAM)
        shutil.rmtree(programs)


def upstream(release):
    """Of a release, what make's KERNELVERSION has to be: Debian calls a candidate of 7.3, which is
    7.3.0-rc7 by its source, 7.3."""
    return re.match(r"[\d.]+(-rc\d+)?", release)[0]


def configured(tree, symbol):
    """Whether a build tree's configuration has CONFIG_<symbol>=y."""
    return f"CONFIG_{symbol}=y" in (tree / ".config").read_text(encoding="utf-8").splitlines()


def running_release(tree):
    """What uname -r says in the kernel of a build tree."""
    return (tree / "include/config/kernel.release").read_text(encoding="ascii").strip()


def jobs():
    return len(os.sched_getaffinity(0))


def prepare(build, release, source, cc, env, top):
    """Make a tree with a configuration one that builds what the stock kernel would load."""
    (build / "localversion-debian").write_text(release[len(upstream(release)):] + "\n")
    root.run(["make", "-C", source, f"O={build}", f"-j{jobs()}", "ARCH=x86",
              "CROSS_COMPILE=x86_64-linux-gnu-", f"CC={cc}", f"KERNELVERSION={upstream(release)}",
              *([NO_PROGRAM] if (build / PROGRAM).exists() else []), "olddefconfig", "modules_prepare"],
             env={**env, "PATH": f"{UNOPTIMISED}:/usr/sbin:/usr/bin:/sbin:/bin"}, top=top,
             name="kernel", what=f"preparing {release} for Rust modules", expect=200)
    got = running_release(build)
    if got != release:
        raise BenchError(f"the prepared tree says {got} instead of {release}")
    if not configured(build, "RUST"):
        raise BenchError(f"the kernel {release} cannot have Rust modules with this "
                         "toolchain: olddefconfig turned CONFIG_RUST off")
