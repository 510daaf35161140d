# SPDX-License-Identifier: GPL-2.0
"""How late the guests' timers are under each schedule, against the nominal rate.

Reads what scripts/guest/kvm-tests.sh prints.  Only for a machine whose runs repeat:
there the lateness at the nominal rate is the interrupt's, and what is more under
another schedule is the clock's doing.
"""

import math
import re
from typing import NamedTuple

from .ktap import Count

NOMINAL = "0"
SLACK = 7000        # cycles: a callback more, or a pass over the pending timers
# One sample in a thousand may be later, as it met an interrupt of the host's own: its tick,
# in which it keeps its time, takes 10,000 cycles and more.
OUTLIERS = 1 / 1000
TICK = 30000
# Of so many samples the tick is in less than one of a hundred.
MANY = 1000
# From the first of so many periods to the last, in cycles: the host wakes in several ways, 600 apart.
DRIFT = 1000

_TIMER = re.compile(r" +(?:not )?ok \d+ (?P<name>\S+ \d+ us \S+): early \d+, late "
                    r"min -?\d+ median (?P<median>-?\d+) p99 (?P<p99>-?\d+) "
                    r"max (?P<latest>-?\d+) cycles, last - first (?P<drift>-?\d+)")
_RUN = re.compile(r"(?:not )?ok \d+ (?P<test>.*?) under (?P<schedule>\S+)")


class Late(NamedTuple):
    """How late a timer was under a schedule, in cycles; drift: the last less the first."""
    median: int
    p99: int
    latest: int
    drift: int


def read(lines):
    """{(test, timer): {schedule: Late}}"""
    found, timers = {}, []
    for line in lines:
        if match := _TIMER.match(line):
            timers.append(match)
        elif match := _RUN.match(line):
            for timer in timers:
                key = match["test"], timer["name"]
                found.setdefault(key, {})[match["schedule"]] = Late(
                    *(int(timer[field]) for field in Late._fields))
            timers = []
    return found


def _samples(test):
    number = re.search(r"--samples (\d+)", test)
    return int(number[1]) if number else 1


def _lateness(test, late, nominal):
    """What is wrong, or None; and whether it may be the host's tick that the timer has met."""
    limit = nominal.latest + SLACK
    if _samples(test) >= MANY and late.p99 > nominal.p99 + SLACK:
        return f"one in a hundred {late.p99} cycles late, {nominal.p99 + SLACK} allowed", False
    if late.latest > limit:
        return (f"{late.latest} cycles late, {limit} allowed",
                late.median <= limit and late.latest <= limit + TICK)
    return None, False


def _drifts(test, timer, late):
    return (_samples(test) >= MANY and timer.startswith("periodic") and abs(late.drift) > DRIFT)


def judge():
    """A function that counts each timer under each schedule as a test."""
    def count(lines):
        result = Count()
        found = read(lines)
        if not found:
            result.failures.append("no timer has reported its lateness")
        samples, outliers = 0, []
        for (test, timer), schedules in found.items():
            if NOMINAL not in schedules:
                result.failures.append(f"{test}, {timer}: nothing at the nominal rate")
                continue
            met = []
            for schedule, late in schedules.items():
                samples += _samples(test)
                where = f"{test}, {timer}, under {schedule}"
                if _drifts(test, timer, late):
                    result.failures.append(f"{where}: the last {late.drift} cycles later than the "
                                           f"first, {DRIFT} allowed")
                    continue
                wrong, tick = _lateness(test, late, schedules[NOMINAL])
                if not wrong:
                    result.passed += 1
                else:
                    (met if tick else result.failures).append(f"{where}: {wrong}")
            # More than one of a timer's rows are no accident.
            (outliers if len(met) == 1 else result.failures).extend(met)
        if len(outliers) <= math.ceil(samples * OUTLIERS):
            result.passed += len(outliers)
        else:
            result.failures += outliers
        return result
    return count
