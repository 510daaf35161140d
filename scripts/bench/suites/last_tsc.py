# SPDX-License-Identifier: GPL-2.0
"""Where L2 is when its timer, in the processor's, ends it: the same at each rate of the clock.

Reads what vmx_preemption_timer_test prints in scripts/guest/kvm-tests.sh.  The test itself fails
if L1 is early, or if L2 runs on beyond the deadline.
"""

import re
import statistics

from .ktap import Count

NOMINAL = "0"
SLACK = 64      # cycles: L2 reads the TSC every 32, and the processor's timer ticks every 32

_LAST = re.compile(r"# Stage \d+: L2 PT expiry TSC \((\d+)\) , L2 TSC deadline \((\d+)\)")
_RUN = re.compile(r"(?:not )?ok \d+ (vmx_preemption_timer_test) under (\S+?),?(?: |$)")


def read(lines):
    """{schedule: [L2's last TSC, from the deadline, in cycles]}"""
    found, last = {}, None
    for line in lines:
        if match := _LAST.search(line):
            last = int(match[1]) - int(match[2])
        elif match := _RUN.match(line):
            if last is not None:
                found.setdefault(match[2], []).append(last)
            last = None
    return found


def judge(runs):
    """A function that counts each schedule as a test: so many runs, and L2's last TSC is where it
    is at the nominal rate in each."""
    def count(lines):
        result = Count()
        found = read(lines)
        if NOMINAL not in found:
            result.failures.append("nothing tells L2's last TSC at the nominal rate")
            return result
        nominal = round(statistics.median(found[NOMINAL]))
        for schedule, values in found.items():
            far = [value for value in values if abs(value - nominal) > SLACK]
            if len(values) != runs:
                result.failures.append(f"under {schedule}: {len(values)} runs, not {runs}")
            elif far:
                result.failures.append(
                    f"under {schedule}: L2's last TSC is {far[0]} cycles from the deadline, "
                    f"and {nominal} at the nominal rate ({len(far)} of {runs} runs)")
            else:
                result.passed += 1
        return result
    return count
