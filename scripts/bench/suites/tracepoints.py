# SPDX-License-Identifier: GPL-2.0
"""What a tracepoint costs that is off: a jump label, which the kernel patches, and no read of its key."""

import re

from ..building import module
from ..toolchain import root

NAMES = {"start", "expire", "rearm", "rate", "attach"}


def wrong(relocations):
    """What is not as it has to be in objdump -r of the module's Rust half, or None."""
    section, found = "", set()
    for line in relocations.splitlines():
        if match := re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line):
            section = match[1]
        elif match := re.search(r"\b__tracepoint_(\w+)", line):
            if section != "__jump_table":
                return f"{match[1]} is read in {section}"
            found.add(match[1])
    return f"without a jump label: {sorted(NAMES - found)}" if NAMES - found else None


def check(kernel):
    """The same of the module that is built for a kernel, which has jump labels."""
    out = module.build_module(kernel).parent / "out"
    done = root.run(["objdump", "-r", out / "rust/raw_hrtimer_main.o"], capture=True)
    return wrong(done.stdout)
