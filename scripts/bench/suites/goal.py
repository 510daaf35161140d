# SPDX-License-Identifier: GPL-2.0
"""A goal of the measurement, and what those of guests' timers have in common."""

from ..reports.plan import SCHEDULES
from . import accuracy

# What a patched KVM is held to, a hooked one is, too.
WAYS = {"patched": "patched KVM", "hooked": "hooked KVM"}
LATER = 1.05            # of a plain timer's median
ALIKE = 0.1             # how much later a hooked KVM's timers may be than others
FEW = 7000              # a callback more, now and then; one in a thousand meets the host's tick
NEAR_US = 1000          # up to here the host always wakes up in the same way
FEWEST = 30             # beyond, so many timers have a median of their own
FAR_US = 10_000_000     # so far that a clock that dithers makes a timer early or later (figures.rst)


def goal(what, limit, value, met, asserted=False):
    return {"what": what, "goal": limit, "value": value, "met": bool(met), "asserted": asserted}


def too_few(what, limit, why):
    """A goal that cannot be judged, because too little was measured."""
    return {"what": what, "goal": limit, "value": why, "met": None, "asserted": False}


def _where(item):
    return f"{item.get('guest', 'timer')} {item['distance_us']:,} us at {item['schedule']}"


def worst(items, ratio):
    """(ratio, where) of the greatest one."""
    return max(((ratio(item), _where(item)) for item in items), default=(None, "nowhere"))


def of(result, variant):
    return [a for a in result["accuracy"] if a["variant"] == variant]


def allowed(cycles, least):
    """Cycles, and ALIKE of them more, or so many."""
    return cycles + max(int(cycles * ALIKE), least)


def latest(what, timers, limit_of, few=0):
    """The latest of timers, each beside what limit_of(item) allows.

    One of a thousand may be later by what the host's tick takes; few: so many, however few they are.
    """
    # The first of each goes through page faults.
    beyond = [sample - limit_of(item) for item in timers for sample in item["samples"][1:]]
    outliers = max(few, round(len(beyond) * accuracy.OUTLIERS))
    beyond = [cycles for cycles in beyond if cycles > 0]
    met = len(beyond) <= outliers and max(beyond, default=0) <= accuracy.TICK
    most = max(timers, key=lambda item: max(item["samples"][1:]) - limit_of(item))
    return goal(what, f"<= {limit_of(most)}, but for {outliers}",
                f"{max(most['samples'][1:])} ({_where(most)})", met, True)


def plain(result):
    """The medians of stock KVM at the nominal rate."""
    return {(a["guest"], a["distance_us"]): a["median"] for a in of(result, "stock")
            if a["schedule"] == "0"}


def without_few(timers, what, limit):
    """The timers whose medians can be judged, and a goal that cannot for the others.

    Beyond 1 ms the host wakes up in one of several ways, 600 cycles apart, but for a guest that spins.
    """
    few = [a for a in timers if NEAR_US < a["distance_us"] < FAR_US and a["n"] < FEWEST
           and a["l2_last"] is None]
    said = [too_few(what, limit, f"{a['n']} timers, {FEWEST} are needed ({_where(a)})") for a in few]
    return [a for a in timers if a not in few], said


def late(timers, than, way):
    """The medians of a way's timers, beside those of plain()."""
    found = []
    for schedule, far in [(schedule, far) for schedule in SCHEDULES.values()
                          for far in (False, True)]:
        comparable = [a for a in timers if a["schedule"] == schedule
                      and (a["distance_us"] >= FAR_US) == far
                      and than.get((a["guest"], a["distance_us"]), 0) > 0]
        what = (f"median late at {schedule}{', far ahead' if far else ''}, {way}, "
                "to stock KVM's at 0")
        limit = f"<= {LATER:.2f}"
        comparable, said = without_few(comparable, what, limit)
        found += said
        if comparable:
            most, where = worst(comparable,
                                lambda a: a["median"] / than[a["guest"], a["distance_us"]])
            found.append(goal(what, limit, f"{most:.3f} ({where})", most <= LATER,
                              schedule == "0" or not far))
    return found
