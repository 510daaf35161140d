# SPDX-License-Identifier: GPL-2.0
"""Debian's kernels, with a build tree in which Rust modules build for them.

Debian ships headers without what Rust needs, but its source, configuration,
compiler and rustc are all public: prepared the same way, they give the same Rust
symbols as the kernel itself has (checked by the module loading at all).  Of an older
kernel the archive keeps the image alone, which has the configuration, and what is exported.
"""

from dataclasses import dataclass
from pathlib import Path
import re

from .. import cache
from ..cache import BenchError, TREE
from ..toolchain import pool, root
from . import exports, image_only, own
from . import source as sources
from .preparing import configured, from_headers, jobs, prepare, running_release

TESTED = TREE / "tested-kernels"
TOOLCHAIN = ["gcc-14", "binutils", "rustc", "rust-src", "bindgen", "pahole"]
METAPACKAGES = {"stock": "linux-image-cloud-amd64", "generic": "linux-image-amd64"}
RECIPE = "1"


@dataclass(frozen=True)
class Kernel:
    name: str           # stock, one of own.NAMES, or the release
    release: str        # uname -r
    version: str        # of the Debian packages
    kdir: Path          # prepared build tree, for make -C
    source: Path        # the source of kdir, pristine: bind a copy over it to change it
    vmlinuz: Path
    modules: Path       # contains lib/modules/<release>, with modules.dep
    cc: str             # a compiler for programs that run on it
    toolchain: tuple    # the variables of make that choose its own compiler
    top: Path = None    # the root that has that compiler, if not the toolchain root

    @property
    def series(self):
        """Major and minor: 7.3.  All that are built from one source have the same."""
        return series_of(self.release)

    def has(self, symbol):
        """Whether its configuration has CONFIG_<symbol>=y."""
        return configured(self.kdir, symbol)

    def make(self, *args):
        """The command that starts every build for this kernel."""
        return ["make", f"-j{jobs()}", "ARCH=x86", *self.toolchain, *map(str, args)]


class NoKernel(BenchError):
    """The archive does not have it, or has it no more."""


def tested():
    """The releases in the file of tested kernels."""
    lines = TESTED.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and line[0] != "#"]


def series_of(release):
    """7.3, of 7.3.4+deb13-amd64 or of 7.3-amd64."""
    return re.match(r"\d+\.\d+", release)[0]


def _numbers(text):
    return [int(n) for n in re.findall(r"\d+", text)]


def records(*packages, top=None):
    """The archive's records of these packages, as dicts, newest version first."""
    done = root.run(["apt-cache", "show", *packages], capture=True, check=False, top=top)
    found = [dict(re.findall(r"^(\S+): (.*)$", text, re.M))
             for text in done.stdout.split("\n\n") if text.strip()]
    return sorted(found, key=lambda r: _numbers(r["Version"]), reverse=True)


def image_of(record):
    """The release of the kernel that a metapackage depends on, or None."""
    found = re.search(r"\blinux-image-(\d[^\s,]+)", record.get("Depends", ""))
    return found and found[1]


def _release(name):
    """The release of a kernel: stock, generic, a version such as 7.2, or a release."""
    if name in METAPACKAGES:
        for record in records(METAPACKAGES[name])[:1]:
            if release := image_of(record):
                return release
        raise BenchError(f"the archive has no kernel package {METAPACKAGES[name]}: "
                         "refresh its lists (scripts/toolchain --update root)")
    images = _images(name)
    if name in images:
        return name
    return _newest(name, "cloud-amd64")


def _images(prefix):
    """The releases that begin with this and that the archive has a kernel for."""
    done = root.run(["apt-cache", "pkgnames", f"linux-image-{prefix}"], capture=True)
    return [line.removeprefix("linux-image-") for line in done.stdout.split()]


def _newest(version, flavour):
    """The release of the newest kernel of a version that has this flavour."""
    found = [image for image in _images(version)
             if re.fullmatch(rf"{re.escape(version)}(?:\.\d+)*\+deb\d+-{flavour}", image)]
    if not found:
        raise NoKernel(f"the archive ({', '.join(root.SUITES)}) has no kernel {version} of "
                       f"the flavour {flavour}")
    return max(found, key=_numbers)


def _of_headers(release, version, top):
    """The packages that have what a build needs, and programs that it would make otherwise."""
    package = f"linux-headers-{release}"
    depends = "".join(record.get("Depends", "") for record in records(package, top=top)
                      if record["Version"] == version)
    programs = [name for name in re.findall(r"\blinux-kbuild-[^\s,]+", depends)
                if any(record["Version"] == version for record in records(name, top=top))]
    return [package, *programs]


def build_tree(path, release, version, source, has_headers, top=None):
    """Fill path with a kernel of Debian's; top: the root whose apt and compilers it takes."""
    image = records(f"linux-image-{release}", top=top)[0]
    packages = [f"linux-image-{release}"]
    packages += _of_headers(release, version, top) if has_headers else []
    packages += re.findall(rf"linux-(?:binary|modules)-{re.escape(release)}(?=[\s,])",
                           image.get("Depends", ""))
    dropped = [package for package in packages if pool.has(package, version)]
    root.unpack([f"{p}={version}" for p in packages if p not in dropped], path, top)
    for package in dropped:
        pool.unpack(package, version, path)
    root.run(["bash", "-ec", f"""
        rm -r usr/share
        [ -d lib ] || ln -s usr/lib lib
        mv usr/lib/modules/{release}/vmlinuz vmlinuz || mv boot/vmlinuz-{release} vmlinuz
        depmod -b "$PWD" {release}"""], cwd=path, capture=True)
    build = path / "build"
    build.mkdir()
    if has_headers:
        from_headers(path, release, build)
    else:
        image_only.fill(path, release, source)
    config = (build / ".config").read_text(encoding="utf-8")
    cc = re.search(r'^CONFIG_CC_VERSION_TEXT="(\S+)', config, re.M)[1]
    (path / "cc").write_text(cc)
    prepare(build, release, source, cc, image_only.environment(release, config, top), top)


def _found(name):
    """What the archive has of a kernel: its name here, its release, its version, whether there are
    headers, and its source."""
    stock = _release("stock")
    if name == "rt":
        release = _newest(".".join(stock.split(".")[:2]), "rt-amd64")
    else:
        release = stock if name in own.NAMES else _release(name)
    if name not in own.NAMES:
        name = "stock" if release == stock else release     # one tree for each kernel
    image = f"linux-image-{release}"
    headers, packaged_source = f"linux-headers-{release}", f"linux-source-{series_of(release)}"
    found = records(image, headers, packaged_source)
    version = next(r["Version"] for r in found if r["Package"] == image)
    there = {record["Package"] for record in found if record["Version"] == version}
    source = sources.ensure(series_of(release), version, packaged_source in there)
    return name, release, version, headers in there or pool.has(headers, version), source


def _ensure_with(function, name):
    try:
        return function(name)
    except root.Unavailable:
        return function(name)       # its lists are new now: perhaps a newer kernel


def ensure_source(name):
    """Fetch the source of a kernel, for which the packages FIRST of the root will do."""
    if name != "newest":
        _ensure_with(_found, name)


def _ensure(name):
    name, release, version, has_headers, source = _found(name)
    tools = root.versions(TOOLCHAIN)
    inputs = [RECIPE, release, version, str(source), *sorted(tools.items())]
    if name in own.NAMES:
        toolchain = own.toolchain(name)
        inputs += [own.RECIPE, *toolchain, *own.configs(name)]

        def build(path):
            own.build(path, name, source, jobs())
    else:
        toolchain = None
        if not has_headers:
            inputs += [image_only.RECIPE, Path(exports.__file__)]

        def build(path):
            build_tree(path, release, version, source, has_headers)

    path = cache.stage(f"kernel-{name}", inputs, build, keep=2)
    cc = (path / "cc").read_text()
    toolchain = toolchain or ["CROSS_COMPILE=x86_64-linux-gnu-", f"CC={cc}"]
    return Kernel(name, running_release(path / "build"), version, path / "build", source,
                  path / "vmlinuz", path, cc, tuple(toolchain))


def ensure_kernel(name="stock"):
    """A kernel, fetched or built the first time.

    name: stock (Debian's newest cloud kernel), generic (its newest for PCs), rt (its
    newest of stock's version with PREEMPT_RT), a version whose cloud kernel the archive
    still has, such as 7.2, a release such as 7.2.12+deb13-amd64, newest (see newest.py),
    or one built here from the source of stock (see own.py).
    """
    if name == "newest":
        from . import newest        # it is made of what is here
        return newest.ensure()
    kernel = _ensure_with(_ensure, name)
    if name not in own.NAMES and kernel.release not in tested():
        cache.say("kernel", f"note: {kernel.release} is not in {TESTED.name}: it should "
                  "work, but nobody has said so")
    return kernel
