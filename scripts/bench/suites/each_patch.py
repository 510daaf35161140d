# SPDX-License-Identifier: GPL-2.0
"""KVM with one patch of a series more each time."""

import re

from .. import cache
from ..building import kernel, kvm
from ..toolchain import root
from .ktap import Count


def each_patch(kind):
    """KVM builds, without a warning, with one patch more each time: so it can be bisected."""
    def run(context):
        built = kernel.ensure_kernel()
        patches = kvm.series(kind, built.series)
        count = Count()
        context.note(f"1..{len(patches)}")
        with cache.scratch() as scratch:
            binds = kvm.copied_source(built, patches, scratch)
            bind, make = kvm.build_in(built, scratch)
            for patch in patches:
                kvm.apply_patch(built, patch, binds)
                lines, status = context.command(root.command(make, binds=[*binds, bind]),
                                                merge=True, timeout=3600)
                said = [line for line in lines if re.search(r"\b(warning|error):", line)]
                context.test(count, kvm.title(patch), not status and not said,
                             (said or lines or ["no output"])[0][:150])
        return count
    return run
