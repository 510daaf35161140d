# SPDX-License-Identifier: GPL-2.0
"""The source of a kernel of Debian's, without what nothing here reads.

It is what the package linux-source has, or, for a kernel of which the archive keeps the
image alone, the upstream release that Debian has built it from: what Debian adds to that is
no header that a module of ours includes.
"""

from .. import cache
from ..toolchain import root, tarball

RECIPE = "1"
SUITE = root.SUITES[2]      # where Debian's newer kernels come from

# Generated files of another configuration, then what no kernel of the bench
# compiles (Kconfig files stay, and headers that the selftests share).
EXCLUDE = ["include/generated", "Documentation/*/*", "arch/[!x]*/*.dts*",
           "drivers/gpu/*.h",
           *[f"{directory}/*.[cS]" for directory in (
               "arch/[!x]*", "sound", "drivers/gpu", "drivers/media", "drivers/infiniband",
               "drivers/net/ethernet", "drivers/net/wireless", "drivers/scsi",
               "drivers/staging", "drivers/iio", "drivers/usb", "drivers/clk")]]


def _unpack(path, top, tar_from, file):
    """Unpack into path/linux what a command of the shell writes, below the folder top."""
    (path / "linux").mkdir()
    excludes = " ".join(f"--exclude='{top}/{pattern}'" for pattern in EXCLUDE)
    root.run(["bash", "-ec", f"""
        set -o pipefail
        {tar_from} | xz -dc | tar -x -C linux --strip-components=1 {excludes}
        rm {file}"""], cwd=path, name="source", what=f"unpacking the source of {top}")


def ensure(series, version, packaged=True, top=None):
    """The directory of the source of Debian's version, which is of a series such as 7.3.

    packaged: whether the archive has it as a package; top: the root whose apt knows that.
    """
    package = f"linux-source-{series}"

    def from_package(path):
        root.download([f"{package}={version}"], path, top)
        _unpack(path, package, f"dpkg-deb --fsys-tarfile {package}_*.deb | "
                               f"tar -xO ./usr/src/{package}.tar.xz", f"{package}_*.deb")

    def from_upstream(path):
        file = tarball.fetch("linux", path, version, SUITE).name
        upstream = file.removeprefix("linux_").partition(".orig.")[0]
        _unpack(path, f"linux-{upstream}", f"cat {file}", file)

    inputs, build = ([package], from_package) if packaged else (["upstream"], from_upstream)
    # One of another root does not push the other's out.
    name = f"source-{series}" if top is None else "source-newest"
    return cache.stage(name, [RECIPE, *inputs, version, *EXCLUDE], build) / "linux"
