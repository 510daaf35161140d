# SPDX-License-Identifier: GPL-2.0
"""Packages of the module for who has no compiler: Debian's, and rpm's.

    paths = packages.deb(output, [kernel.ensure_kernel()])

The modules are built in the toolchain root; Debian's tools make packages of them in a root of
their own, as they are half a gigabyte that nothing else asks for.
"""

from email.utils import formatdate
import os
import re
import shutil

from .. import cache
from ..cache import BenchError, TREE
from ..toolchain import root, ways
from . import module

TOOLS = ["debhelper", "dh-dkms", "kmod", "lintian", "rpm"]
PACKAGING = TREE / "packaging"
PIN = ["KBUILD_SIGN_PIN"]       # the password of the key, as the kernel's build has it
# What the packages are made of.
PARTS = ["COPYING", "Documentation", "Kbuild", "MAINTAINERS", "Makefile", "NEWS.rst", "README.rst",
         "c", "dkms.conf", "include", "packaging", "rust", "scripts/distribution.sh",
         "scripts/kdir-check", "tested-kernels", "tools"]


def ensure_tools():
    """The root with Debian's packaging tools."""
    def build(path):
        root.debootstrap(root.SUITES[0], path, "apt", TOOLS, "installing Debian's packaging tools")
    return cache.stage("-".join(("packaging", *ways.choose().key)), ["1", root.MIRROR, *TOOLS], build)


def version():
    """The version of all packages: the one place is dkms.conf."""
    return re.search(r'^PACKAGE_VERSION="(.*)"', (TREE / "dkms.conf").read_text(encoding="ascii"),
                     re.M)[1]


def _copy_parts(path):
    for name in PARTS:
        source = TREE / name
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(
                "*.o", "*.cmd", ".*.cmd", ".*.d", "*.rmeta", "bindgen.mk", "bindings_generated.rs"))
        elif source.exists():
            shutil.copy(source, target)


def _date():
    """When the tree was last committed; now, where there is no history."""
    done = root.run(["git", "-c", f"safe.directory={TREE}", "log", "-1", "--format=%cD"], cwd=TREE,
                    capture=True, check=False)
    return done.stdout.strip() or formatdate()


def sign(kernel, file, key, certificate):
    """Sign a module in place, with the kernel's own program and the hash that it asks for."""
    program = kernel.kdir / "scripts/sign-file"
    if not program.exists():
        raise BenchError(f"the kernel {kernel.release} was built without CONFIG_MODULE_SIG: it does not "
                         "look at signatures")
    config = (kernel.kdir / "include/config/auto.conf").read_text(encoding="utf-8")
    wanted = re.search(r'^CONFIG_MODULE_SIG_HASH="?(\w+)', config, re.M)
    with cache.scratch() as top:
        for name, source in (("key", key), ("certificate", certificate)):
            shutil.copy(source, top / name)
            (top / name).chmod(0o600)
        shutil.copy(file, top / "module")
        root.run([program, wanted[1] if wanted else "sha256", top / "key", top / "certificate",
                  top / "module"], capture=True,
                 env={name: os.environ[name] for name in PIN if name in os.environ})
        shutil.copy(top / "module", file)


def _modules(kernels, path, key, certificate):
    """path/<release>/raw_hrtimer.ko for each kernel."""
    for kernel in kernels:
        file = path / kernel.release / "raw_hrtimer.ko"
        file.parent.mkdir(parents=True)
        shutil.copy(module.build_module(kernel), file)
        if key:
            sign(kernel, file, key, certificate)


def _fill(text, **values):
    for name, value in values.items():
        text = text.replace(f"@{name.upper()}@", value)
    return text


def _debian_directory(path, releases):
    """debian/, with a package for each release."""
    shutil.copytree(PACKAGING / "debian", path)
    values = {"version": version(), "date": _date(),
              "email": re.search(r"<(.*)>", (TREE / "MAINTAINERS").read_text())[1]}
    for name in ("control", "changelog"):
        file = path / name
        file.write_text(_fill(file.read_text(), **values))
    for release in releases:
        with open(path / "control", "a", encoding="utf-8") as control:
            control.write(_fill((path / "modules.control").read_text(), release=release))
        for name in ("install", "postinst", "postrm"):
            (path / f"raw-hrtimer-modules-{release}.{name}").write_text(
                _fill((path / f"modules.{name}").read_text(), release=release))


def _collect(top, pattern, output):
    """Copy the packages into a folder, in place of their older versions."""
    output.mkdir(parents=True, exist_ok=True)
    found = sorted(top.rglob(pattern))
    for file in found:
        stem = file.name.rpartition(version())[0]
        for old in output.glob(f"{stem}[0-9]*{file.suffix}"):
            old.unlink()
        shutil.copy(file, output / file.name)
    return [output / file.name for file in found]


def deb(output, kernels, key=None, certificate=None):
    """Debian's packages for some kernels, in a folder; their paths."""
    with cache.scratch() as top:
        tree = top / f"raw-hrtimer-{version()}"
        _copy_parts(tree)
        _debian_directory(tree / "debian", [kernel.release for kernel in kernels])
        _modules(kernels, tree / "debian/modules", key, certificate)
        # -d: build-essential is not there, as nothing is compiled.
        root.run(["dpkg-buildpackage", "-d", "-b", "--no-sign"], cwd=tree, top=ensure_tools(),
                 name="deb", what="making Debian's packages")
        return _collect(top, "*.deb", output)


def rpm(output, kernels, key=None, certificate=None):
    """The same for rpm."""
    found = []
    for kernel in kernels:
        with cache.scratch() as top:
            _copy_parts(top / "tree")
            _modules([kernel], top / "modules", key, certificate)
            defines = {"_topdir": top / "rpm", "tree": top / "tree", "version": version(),
                       "kernel_release": kernel.release, "foreign_kernel": 1,
                       "module": top / "modules" / kernel.release / "raw_hrtimer.ko"}
            root.run(["rpmbuild", "-bb", "--nodeps", "--target", "x86_64",
                      *[f"--define={name} {value}" for name, value in defines.items()],
                      PACKAGING / "rpm/raw_hrtimer.spec"],
                     cwd=top, top=ensure_tools(), name="rpm", what="making rpm's packages")
            found += _collect(top / "rpm/RPMS", "*.rpm", output)
    return sorted(set(found))
