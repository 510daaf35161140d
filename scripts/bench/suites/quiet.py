# SPDX-License-Identifier: GPL-2.0
"""A build of the module in which no tool may say a thing."""

import re

from ..cache import TREE
from ..toolchain import root

_COMPLAINT = re.compile(r"\b(warning|error)\b", re.I)


def build(context, count, kernel, folder, name, *options):
    """Build the module for a kernel below a folder, as one test; options: of make."""
    lines, status = context.command(root.command(kernel.make(
        "-C", kernel.kdir, f"M={TREE}", f"MO={folder}", *options, "modules"), top=kernel.top),
        merge=True)
    said = [line for line in lines if _COMPLAINT.search(line)]
    context.test(count, name, not status and not said, (said or lines or ["no output"])[0][:150])
