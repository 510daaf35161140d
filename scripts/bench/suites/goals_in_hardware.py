# SPDX-License-Identifier: GPL-2.0
"""What an L2's timer in the processor's is held to: what the letter of
patches/kvm/nested-hv-timer promises.
"""

from .goal import goal, late, of, plain, worst
from .last_tsc import SLACK

WAYS = {"hardware": "L2's timer in hardware", "both": "L2's timer in hardware with raw_hrtimer"}


def _last(timers, way):
    """L2 stops at the same place at any rate, which is before its deadline."""
    nominal = {a["distance_us"]: a["l2_last"] for a in timers if a["schedule"] == "0"}
    found = []
    for schedule in dict.fromkeys(a["schedule"] for a in timers):
        here = [a for a in timers if a["schedule"] == schedule]
        most, where = worst(here, lambda a: a["l2_last"])
        found.append(goal(f"L2's last TSC at {schedule}, {way}, cycles after its deadline", "< 0",
                          f"{most:,} ({where})", most < 0, True))
        here = [a for a in here if a["distance_us"] in nominal and schedule != "0"]
        if here:
            most, where = worst(here, lambda a: a["l2_last"] - nominal[a["distance_us"]])
            found.append(goal(f"L2's last TSC at {schedule}, {way}, cycles after where it is at 0",
                              f"<= {SLACK}", f"{most:,} ({where})", most <= SLACK, True))
    return found


def _cost(result):
    """It takes no hrtimer."""
    costs = {kind: result["cost"].get(f"nested arm and cancel, {kind}") for kind in ("stock", *WAYS)}
    return [goal(f"instructions of a nested arm and cancel, {way}, to stock KVM's",
                 f"< {costs['stock']}", str(costs[kind]), costs[kind] < costs["stock"], True)
            for kind, way in WAYS.items() if costs[kind] and costs["stock"]]


def judge(result):
    """An L2 that spins is exact by the processor alone; one that halts, by an hrtimer, with the
    module."""
    found = _cost(result)
    for variant, way in WAYS.items():
        timers = of(result, variant)
        spinning = [a for a in timers if a.get("l2_last") is not None]
        found += late(timers if variant == "both" else spinning, plain(result), way)
        found += _last(spinning, way)
    return found
