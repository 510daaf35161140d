# SPDX-License-Identifier: GPL-2.0
"""KVM's modules with the project's patches, for an otherwise unmodified kernel."""

import fnmatch
import re
import shutil

from .. import cache
from ..cache import BenchError, TREE
from ..toolchain import root
from . import module
from .preparing import NO_PROGRAM, upstream

PATCHES = TREE / "patches/kvm"
# What a kind of KVM has, beyond the kernel's own: the series in these folders, in order.
KINDS = {
    "stock": (),
    "fixes": ("fixes",),
    "patched": ("fixes", "provider"),
    "hardware": ("fixes", "nested-hv-timer"),
    "both": ("fixes", "provider", "nested-hv-timer"),
}
MODULES = ["kvm.ko", "kvm-intel.ko", "kvm-amd.ko"]
RECIPE = "2"
CALLBACKS = ["apic_timer_fn", "stimer_timer_callback", "xen_timer_callback"]    # of kvm.ko
# Parts of a patch that are left out.  Our selftests are built from this tree.
NOT_BUILT = ["MAINTAINERS", "Documentation/*", "tools/*"]


class DoesNotApply(BenchError):
    """The series is for another version of Linux."""


def series(kind="patched", version=None):
    """The patches of a kind of KVM in order, without the cover letters; version: of Linux, as 7.2,
    which a folder of that name has other patches for."""
    patches = [patch for name in KINDS[kind] for patch in sorted((PATCHES / name).glob("*.patch"))
               if not patch.name.startswith("0000")]
    others = [PATCHES / (version or "") / patch.relative_to(PATCHES) for patch in patches]
    return [other if other.exists() else patch for patch, other in zip(patches, others)]


def title(patch):
    """What a patch is called in a result: its series, and its file."""
    return str(patch.relative_to(PATCHES))


def built_files(patch):
    """The files that a patch changes and that a build of KVM reads."""
    names = re.findall(r"^(?:---|\+\+\+) [ab]/(\S+)", patch.read_text("utf-8"), re.M)
    return [name for name in names
            if not any(fnmatch.fnmatch(name, pattern) for pattern in NOT_BUILT)]


def _changed_directories(source, patches):
    """The directories of `source` that patches write to, none inside another."""
    found = set()
    for patch in patches:
        for name in built_files(patch):
            directory = (source / name).parent
            while not directory.is_dir():       # the patch creates it
                directory = directory.parent
            found.add(directory)
    return sorted(d for d in found if not found & set(d.parents))


def copied_source(kernel, patches, path):
    """Copy what the patches change into path.

    Returns the binds which put the copies over the kernel's pristine source, so
    that every path in the prepared build tree still holds.
    """
    binds = []
    for number, directory in enumerate(_changed_directories(kernel.source, patches)):
        copy = path / str(number)
        shutil.copytree(directory, copy, symlinks=True)
        binds.append((copy, directory))
    return binds


def apply_patch(kernel, patch, binds):
    done = root.run(["git", "apply", *[f"--exclude={p}" for p in NOT_BUILT], patch],
                    cwd=kernel.source, binds=binds, capture=True, check=False,
                    env={"GIT_CEILING_DIRECTORIES": kernel.source.parent})
    if done.returncode:
        raise DoesNotApply(f"{title(patch)} does not apply to Linux {kernel.version}:\n"
                           + done.stderr.strip())


def build_in(kernel, path):
    """The build tree to make KVM in, a copy that the kernel's own stays, as a bind;
    and the command that does it.

    Without what describes the code to debuggers, which takes a third of the time (measured).
    """
    shutil.copytree(kernel.kdir, path / "build", symlinks=True)
    targets = [f"arch/x86/kvm/{module}" for module in MODULES]
    return (path / "build", kernel.kdir), kernel.make(
        "-C", kernel.kdir, f"KERNELVERSION={upstream(kernel.release)}", "KBUILD_MODPOST_WARN=1",
        "CFLAGS_MODULE=-g0", "CONFIG_DEBUG_INFO_BTF_MODULES=", NO_PROGRAM, *targets)


def _check_symbols(kernel, build, modules):
    """modpost sees no vmlinux.o here, so it cannot say what will not load."""
    lists = [kernel.kdir / "Module.symvers", build / "modules-only.symvers"]
    known = {line.split("\t")[1] for file in lists
             for line in file.read_text(encoding="utf-8").splitlines()}
    wanted = root.run(["nm", "-u", *modules], capture=True).stdout
    undefined = set(re.findall(r"^ +U (\S+)$", wanted, re.M)) - known
    if undefined:
        raise BenchError(f"the patched KVM needs {', '.join(sorted(undefined))}, which "
                         f"{kernel.release} does not export")


def _build(path, kernel, patches):
    work = path / "work"
    work.mkdir()
    binds = copied_source(kernel, patches, work)
    for patch in patches:
        apply_patch(kernel, patch, binds)
    bind, command = build_in(kernel, work)
    root.run(command, binds=[*binds, bind], name="kvm", expect=95, top=kernel.top,
             what=f"building KVM's modules with {len(patches)} patches")
    built = [work / "build/arch/x86/kvm" / module for module in MODULES]
    _check_symbols(kernel, work / "build", built)
    for file in built:
        root.run(["strip", "-g", "-o", path / file.name, file])
    shutil.rmtree(work)


def ensure_patched_kvm(kernel, kind="patched"):
    """The directory of kvm.ko, kvm-intel.ko and kvm-amd.ko of a kind other than stock."""
    patches = [patch for patch in series(kind, kernel.series) if built_files(patch)]
    return cache.stage(f"kvm-{kind}-{kernel.name}", [RECIPE, str(kernel.kdir), *patches],
                       lambda path: _build(path, kernel, patches), keep=2)


def _build_renamed(path, kernel):
    found = next((kernel.modules / "lib/modules").rglob("kvm.ko*"))
    shutil.copy(found, path)
    if found.suffix == ".xz":
        root.run(["unxz", path / found.name])
    for kind, names in (("some", CALLBACKS[-1:]), ("none", CALLBACKS)):
        (path / kind).mkdir()
        root.run(["objcopy", *[f"--redefine-sym={name}=another_{name}" for name in names],
                  path / "kvm.ko", path / kind / "kvm.ko"])
    (path / "kvm.ko").unlink()


def ensure_renamed_kvm(kernel):
    """The directory of some/kvm.ko and none/kvm.ko: the kernel's own, but for the names of
    one of the timers' callbacks, or of all: a KVM that raw_hrtimer does not know."""
    return cache.stage(f"kvm-renamed-{kernel.name}", [RECIPE, str(kernel.kdir), *CALLBACKS],
                       lambda path: _build_renamed(path, kernel), keep=2)


def ensure_careless_kvm(kernel):
    """A directory with careless/kvm.ko: no KVM, but what raw_hrtimer takes for one, to be
    loaded in its place."""
    def build(path):
        out = path / "careless"
        out.mkdir()
        module.build_external(kernel, module.TEST_MODULES / "careless", out, "careless_kvm")
        shutil.rmtree(out / "out")

    return cache.stage(f"kvm-careless-{kernel.name}",
                       [RECIPE, str(kernel.kdir), module.TEST_MODULES, TREE / "include"], build,
                       keep=2)
