# SPDX-License-Identifier: GPL-2.0
"""Packages that lie in the archive's pool still, after its lists have dropped them.

No signed list has their checksums, so those that are used have theirs in pool.sha256, taken
from what was downloaded and tested.
"""

from pathlib import Path

from ..cache import BenchError
from . import root

SUMS = Path(__file__).with_name("pool.sha256")
FOLDER = f"{root.MIRROR}/pool/main/l/linux"


def _sums():
    """{file: checksum}"""
    lines = [line.split() for line in SUMS.read_text(encoding="ascii").splitlines()
             if not line.startswith("#")]
    return {file: checksum for checksum, file in lines}


def _file(package, version):
    return f"{package}_{version}_amd64.deb"


def has(package, version):
    """Whether there is a checksum for it: the pool may have dropped it since."""
    return _file(package, version) in _sums()


def unpack(package, version, directory):
    """Download it and unpack it into a directory."""
    file = _file(package, version)
    try:
        root.run(["/usr/lib/apt/apt-helper", "-oAPT::Sandbox::User=root", "download-file",
                  f"{FOLDER}/{file}", directory / file, f"SHA256:{_sums()[file]}"],
                 name="apt", what=f"downloading {file}")
    except BenchError as error:
        raise root.Unavailable(
            f"{FOLDER} does not have {file} any more, or it is another one than was tested "
            f"({error.args[0].splitlines()[-1].strip()})") from None
    root.run(["dpkg-deb", "-x", file, "."], cwd=directory, capture=True)
    (directory / file).unlink()
