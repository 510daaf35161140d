# SPDX-License-Identifier: GPL-2.0
"""The newest kernel of Debian's archive that is not tested, whichever suite has it.

Its compilers are those of Debian unstable, where the archive's newest kernels are built.
"""

from dataclasses import dataclass
import functools
import subprocess

from .. import cache
from ..cache import BenchError
from ..toolchain import root, unstable
from . import kernel, own
from . import source as sources

RECIPE = "1"
PACKAGE = kernel.METAPACKAGES["stock"]


@dataclass(frozen=True)
class Found:
    version: str        # of the Debian packages
    suite: str
    release: str        # uname -r
    top: object         # the root whose apt knows it; None: the toolchain root

    @property
    def is_tested(self):
        return self.release in kernel.tested()


def _compare(one, other):
    """As Debian orders versions: 7.3~rc7 is before 7.3."""
    def is_so(relation):
        return subprocess.run(["dpkg", "--compare-versions", one.version, relation, other.version],
                              check=False).returncode == 0
    return -1 if is_so("lt") else int(is_so("gt"))


def _known(top):
    """What a root's apt knows: lines "package | version | where suite/main amd64 Packages"."""
    releases = {record["Version"]: kernel.image_of(record)
                for record in kernel.records(PACKAGE, top=top)}
    said = root.run(["apt-cache", "madison", PACKAGE], capture=True, top=top).stdout
    for line in said.splitlines():
        _, version, where = [part.strip() for part in line.split("|")]
        if where.endswith("Packages") and releases.get(version):
            yield Found(version, where.split()[1].partition("/")[0], releases[version], top)


def known():
    """The newest kernel of each suite, the newest first."""
    found = {}
    for one in [*_known(None), *_known(unstable.ensure_unstable())]:
        if one.suite not in found or _compare(one, found[one.suite]) > 0:
            found[one.suite] = one
    return sorted(found.values(), key=functools.cmp_to_key(_compare), reverse=True)


def choose(found):
    """The first of these that is not tested."""
    for one in found:
        if not one.is_tested:
            return one
    raise BenchError(f"the archive's newest kernels are all in {kernel.TESTED.name}")


def ensure():
    """That kernel, prepared."""
    one = choose(known())
    if one.top is None:
        return kernel.ensure_kernel(one.release)
    source = sources.ensure(kernel.series_of(one.release), one.version, top=one.top)
    tools = root.versions(unstable.COMPILERS, one.top)
    path = cache.stage(
        "kernel-newest", [RECIPE, one.release, one.version, str(source), *sorted(tools.items())],
        lambda path: kernel.build_tree(path, one.release, one.version, source, True, one.top))
    return kernel.Kernel(
        "newest", kernel.running_release(path / "build"), one.version, path / "build", source,
        path / "vmlinuz", path, own.GCC,
        ("CROSS_COMPILE=x86_64-linux-gnu-", f"CC={(path / 'cc').read_text()}"), one.top)
