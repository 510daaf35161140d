# SPDX-License-Identifier: GPL-2.0
"""Small kernels of the bench's own, with what Debian's kernels lack, and built otherwise."""

import os
from pathlib import Path
import shutil

from ..cache import BenchError
from ..toolchain import llvm, root, rustc

HERE = Path(__file__).parent
GCC = "x86_64-linux-gnu-gcc-14"
# Each has a file NAME.config, of what it has beyond small.config and what instead, and a compiler.
CHECKING = {
    "kunit": "gcc",
    "debug": "clang",       # KASAN does not go with Rust otherwise
}
# As people build theirs: a line here, and a suite NAME-vmx is there (suites/variants.py).
VARIANTS = {
    "builtin": "gcc",       # KVM in the kernel, Intel's and AMD's
    "noftrace": "gcc",      # neither ftrace nor kprobes: no KVM can be hooked
    "modversions": "gcc",   # symbols have versions, Rust's by gendwarfksyms
    "lto": "newest",        # ThinLTO, kCFI, IBT and RUST_INLINE_HELPERS
}
# Those that take longer to build than others: they have nothing that is not asked for.
SMALLEST = {"modversions", "lto"}
COMPILERS = CHECKING | VARIANTS
NAMES = tuple(COMPILERS)
RECIPE = "2"


def configs(name):
    """The files of what is asked for, beyond allnoconfig."""
    less = [HERE / "variant.config"] if name in VARIANTS else []
    less += [HERE / "expert.config"] if name in SMALLEST else []
    return [HERE / "small.config", *less, HERE / f"{name}.config"]


def toolchain(name):
    """The variables of make that choose the compiler."""
    if COMPILERS[name] == "clang":
        return [f"LLVM={llvm.ensure_llvm()}/"]
    if COMPILERS[name] == "newest":
        return rustc.ensure()
    return ["CROSS_COMPILE=x86_64-linux-gnu-", f"CC={GCC}"]


def config(name):
    """What is asked for, line by line: a later file overrides an earlier one."""
    options = {}
    for file in configs(name):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("CONFIG_"):
                options[line.partition("=")[0]] = line
    return list(options.values())


def _check_config(wanted, got):
    """Kconfig drops silently what has an unmet dependency, and keeps what another selects."""
    lines = set(got.read_text(encoding="utf-8").splitlines())
    there = {line.partition("=")[0] for line in lines}
    missing = {line for line in wanted if line not in lines
               and not (line.endswith("=n") and line.removesuffix("=n") not in there)}
    if missing:
        raise BenchError("a kernel of this source and compiler does not have "
                         + ", ".join(sorted(missing)))


def build(path, name, source, jobs):
    """Fill path as kernel.py does for one of Debian's: build/, vmlinuz, lib/modules."""
    tree = path / "build"
    tree.mkdir()
    (tree / "localversion").write_text(f"-raw-hrtimer-{name}\n", encoding="ascii")
    wanted = path / "config"
    wanted.write_text("".join(f"{line}\n" for line in config(name)), encoding="utf-8")
    make = ["make", "-C", source, f"O={tree}", f"-j{jobs}", "ARCH=x86", *toolchain(name)]
    repeatable = {"KBUILD_BUILD_TIMESTAMP": "1970-01-01", "KBUILD_BUILD_USER": "bench",
                  "KBUILD_BUILD_HOST": "bench"}
    root.run([*make, "allnoconfig"], env={"KCONFIG_ALLCONFIG": wanted}, name=name,
             what=f"configuring the {name} kernel")
    _check_config(config(name), tree / ".config")
    root.run([*make, "bzImage", "modules"], env=repeatable, name=name, expect=1900,
             what=f"building the {name} kernel")
    root.run([*make, f"INSTALL_MOD_PATH={path}", "INSTALL_MOD_STRIP=1",
              "modules_install"], name=name, what="installing its modules")
    (path / "vmlinuz").write_bytes((tree / "arch/x86/boot/bzImage").read_bytes())
    (path / "cc").write_text(GCC, encoding="ascii")
    _shrink(tree)


def _shrink(tree):
    """Drop the objects that no build of a module needs."""
    for name in ("vmlinux.o", "vmlinux.a", "arch/x86/boot"):
        item = tree / name
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink(missing_ok=True)
    for folder, _, files in os.walk(tree):
        if Path(folder).relative_to(tree).parts[:1] in (("scripts",), ("tools",), ("rust",)):
            continue
        for file in files:
            if file.endswith((".o", ".a")):
                Path(folder, file).unlink()
