# SPDX-License-Identifier: GPL-2.0
"""How late the guests' timers are under each schedule, against the nominal rate.

Reads what scripts/guest/kvm-tests.sh prints.  Only for a machine whose runs repeat:
there the lateness at the nominal rate is the interrupt's, and what is more under
another schedule is the clock's doing.
"""

import math
import re

from .ktap import Count

NOMINAL = "0"
SLACK = 7000        # cycles: a callback more, or a pass over the pending timers
# One sample in a thousand may be later, as it met an interrupt of the host's own: its tick,
# in which it keeps its time, takes 10,000 cycles and more.
OUTLIERS = 1 / 1000
TICK = 30000

_TIMER = re.compile(r" +(?:not )?ok \d+ (?P<name>\S+ \d+ us \S+): early \d+, late "
                    r"min -?\d+ median (?P<median>-?\d+) p99 -?\d+ max (?P<max>-?\d+) cycles\b")
_RUN = re.compile(r"(?:not )?ok \d+ (?P<test>.*?) under (?P<schedule>\S+)")


def read(lines):
    """{(test, timer): {schedule: (median, latest)}}, in cycles"""
    found, timers = {}, []
    for line in lines:
        if match := _TIMER.match(line):
            timers.append(match)
        elif match := _RUN.match(line):
            for timer in timers:
                key = match["test"], timer["name"]
                found.setdefault(key, {})[match["schedule"]] = tuple(
                    int(timer[value]) for value in ("median", "max"))
            timers = []
    return found


def judge():
    """A function that counts each timer under each schedule as a test."""
    def count(lines):
        result = Count()
        found = read(lines)
        if not found:
            result.failures.append("no timer has reported its lateness")
        samples, late = 0, []
        for (test, timer), schedules in found.items():
            if NOMINAL not in schedules:
                result.failures.append(f"{test}, {timer}: nothing at the nominal rate")
                continue
            nominal = schedules[NOMINAL][1]
            number = re.search(r"--samples (\d+)", test)
            for schedule, (median, latest) in schedules.items():
                samples += int(number[1]) if number else 1
                limit = nominal + SLACK
                if latest <= limit:
                    result.passed += 1
                    continue
                text = (f"{test}, {timer}, under {schedule}: {latest} cycles late, "
                        f"{limit} allowed")
                if median > limit or latest > limit + TICK:
                    result.failures.append(text)
                else:
                    late.append(text)
        if len(late) <= math.ceil(samples * OUTLIERS):
            result.passed += len(late)
        else:
            result.failures += late
        return result
    return count
