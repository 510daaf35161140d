# SPDX-License-Identifier: GPL-2.0
"""Suites in kernels that check themselves: a splat anywhere fails the run."""

import re

from ..cache import TREE
from ..machines import splats
from . import ktap
from .check import uses
from .ktap import Count

SCRIPT = "/selftests/raw_hrtimer/checkers.sh"

# Which faults share a boot: lockdep and KASAN end with their first report, and a
# failed assertion of Rust's with the oops that it is.
BOOTS = [["rcu", "this_cpu", "sleep_atomic", "active_timer", "shift", "bounds", "list",
          "lock_order", "use_after_free", "rust_assertion"],
         ["lock_nesting", "rust_overflow"],
         ["irq_flags", "rust_use_after_free"]]

# bad_input.sh asks for these two.
WANTED = re.compile(r"WARNING: .*\brht_warn_(?:mode|clock)\b")


def machine_log(context, boot=""):
    return context.log.with_suffix(f".machine{boot}.log")


def kernel_log(file):
    """The kernel's log, from its first line on, in what scripts/vm --keep-log wrote."""
    _, _, rest = file.read_bytes().partition(b"\n==== kernel log\n")
    return rest.partition(b"\n==== stdout\n")[0]


def checked(run):
    """The suite, and one test more: its kernel's log, the boot's too, has no splat."""
    def suite(context):
        count = run(context)
        log = kernel_log(machine_log(context))
        found = [line for line in splats.find(log) if not WANTED.search(line)]
        if found or not log:
            count.failures.append(f"{len(found)} splats in the kernel's log, the first: "
                                  f"{(found or ['there is no log'])[0]}")
        else:
            count.passed += 1
        return count
    return uses(suite, *getattr(run, "words", ()))


def faults(*options):
    """Each checker reports the fault made for it, to the tests and to this program."""
    def suite(context):
        count = Count()
        for number, kinds in enumerate(BOOTS, 1):
            log = machine_log(context, number)
            lines, status = context.command(
                [TREE / "scripts/vm", *options, "--keep-log", log, "--", "sh", SCRIPT, *kinds])
            here = ktap.ktap(lines)
            seen = len(splats.find(kernel_log(log)))
            wanted = sum("is reported" in line for line in lines if line.startswith("ok")
                         and "# SKIP" not in line)
            if seen < wanted or (wanted and status not in (0, 122)):
                here.failures.append(f"boot {number}: {wanted} faults, {seen} splats, "
                                     f"exit status {status}")
            count += here
        return count
    return uses(suite, *options, SCRIPT)
