# SPDX-License-Identifier: GPL-2.0
"""KVM with one patch of a series more each time."""

import re
import shutil

from .. import cache
from ..building import kernel, kvm
from ..cache import TREE
from ..toolchain import root
from . import ktap, patch_tests
from .check import uses
from .ktap import Count

VM = TREE / "scripts/vm"
SCRIPT = TREE / "scripts/guest/each-patch.sh"
TIMEOUT = 3000


def _build(context, built, before, patches, scratch, count):
    """Build KVM with the patches that come before, and then with one more each time: a test each.
    Leaves the modules in folders, STEP of them; returns how many patches there are in the last."""
    steps = scratch / "steps"
    binds = kvm.copied_source(built, [*before, *patches], scratch)
    bind, make = kvm.build_in(built, scratch)
    for step, more in enumerate([before, *([patch] for patch in patches)]):
        for patch in more:
            kvm.apply_patch(built, patch, binds)
        lines, status = context.command(root.command(make, binds=[*binds, bind]), merge=True,
                                        timeout=3600)
        said = [line for line in lines if re.search(r"\b(warning|error):", line)]
        if step:
            context.test(count, f"{kvm.title(more[0])} is built", not status and not said,
                         (said or lines or ["no output"])[0][:150])
        if status:
            return step - 1
        (steps / str(step)).mkdir(parents=True)
        for module in kvm.MODULES:
            root.run(["strip", "-g", "-o", steps / str(step) / module,
                      scratch / "build/arch/x86/kvm" / module])
    return len(patches)


def _test(context, kind, machine, words, lines, scratch):
    """Run tests in a machine, each with the KVM of its step."""
    folder = scratch / machine
    folder.mkdir()
    for step in {line.step for line in lines}:
        shutil.copytree(scratch / "steps" / str(step), folder / str(step))
    (folder / "tests").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    output, status = context.command(
        [VM, "--timeout", TIMEOUT, "--keep-log", context.log.with_suffix(f".{machine}.log"),
         "--kvm", kind, *words, "--add", f"{folder}:/steps", "--add", f"{SCRIPT}:/each-patch.sh",
         "--", "sh", "/each-patch.sh", "/steps"], timeout=TIMEOUT + 600)
    return ktap.ktap(output, status)


def each_patch(kind):
    """KVM builds, without a warning, with one patch more each time of the last series of that kind,
    runs the kernel's nested test then, and passes the patch's own test, which fails without: so it
    can be bisected."""
    tested = kvm.KINDS[kind][-1]

    def run(context):
        built = kernel.ensure_kernel()
        every = [patch for patch in kvm.series(kind, built.series) if kvm.built_files(patch)]
        patches = [patch for patch in every if kvm.title(patch).startswith(f"{tested}/")]
        count = Count()
        with cache.scratch() as scratch:
            last = _build(context, built, every[:-len(patches)], patches, scratch, count)
            if last < 0:
                raise cache.BenchError(f"KVM is not built without {tested}, see {context.log.name}")
            names = [kvm.title(patch) for patch in patches[:last]]
            for machine, words in patch_tests.MACHINES.items():
                if lines := patch_tests.plan(names, machine):
                    count += _test(context, kind, machine, words, lines, scratch)
        return count
    return uses(run, *patch_tests.words(tested))
