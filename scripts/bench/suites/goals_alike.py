# SPDX-License-Identifier: GPL-2.0
"""A hooked KVM's timers are held to what a patched one's do: their nodes are the same."""

import statistics

from ..reports.plan import CONSTANT, SCHEDULES
from .accuracy import SLACK
from .goal import ALIKE, FAR_US, FEW, WAYS, allowed, goal, latest, of, too_few, without_few, worst

# Timer interrupts for each timer: those of the host's own vary, by up to 0.1 for each of so many
# (by up to 0.24 in the first minute after the boot, in which --quick runs).
MORE = 0.2
ENOUGH = 100


def _key(item):
    return item["guest"], item["distance_us"]


def _rows(result, variant, schedule):
    return {_key(a): a for a in of(result, variant) if a["schedule"] == schedule}


def _interrupts(result):
    """No more at any distance, that of all guests' timers: the mean of all distances would hide one
    that each timer of a single distance takes."""
    found = []
    for schedule in (SCHEDULES[key] for key in CONSTANT):
        hooked, patched = (_rows(result, variant, schedule) for variant in ("hooked", "patched"))
        both = [(hooked[key], patched[key]) for key in hooked if key in patched and key[1] < FAR_US
                and None not in (hooked[key].get("irqs"), patched[key].get("irqs"))]
        what = f"interrupts for each timer at {schedule}, hooked KVM, more than a patched one's"
        more = []
        for us in dict.fromkeys(a["distance_us"] for a, _ in both):
            pairs = [pair for pair in both if pair[0]["distance_us"] == us]
            count = sum(a["n"] for a, _ in pairs)
            if count < ENOUGH:
                found.append(too_few(f"{what}, {us:,} us", f"<= {MORE:.2f}",
                                     f"{count} timers, {ENOUGH} are needed"))
            else:
                more.append((sum(a["irqs"] - b["irqs"] for a, b in pairs) / count, us))
        if more:
            most, us = max(more)
            found.append(goal(f"{what}, at any distance", f"<= {MORE:.2f}", f"{most:.3f} ({us:,} us)",
                              most <= MORE, True))
    return found


def _medians_and_latest(result):
    """Of each distance; but one of a guest's timers, or one of a thousand, may have met the host's
    tick, as one of a patched KVM's L2 that spins did at -500 ppm (figures.rst)."""
    found = []
    for schedule in SCHEDULES.values():
        hooked, patched = (_rows(result, variant, schedule) for variant in ("hooked", "patched"))
        both = [key for key in hooked if key in patched]
        what = f"median late at {schedule}, hooked KVM, to a patched one's"
        limit = f"<= {1 + ALIKE:.2f}"
        near, said = without_few([hooked[key] for key in both if key[1] < FAR_US], what, limit)
        found += said
        if near:
            most, where = worst(near, lambda a: a["median"] / patched[_key(a)]["median"])
            found.append(goal(what, limit, f"{most:.3f} ({where})", most <= 1 + ALIKE, True))
        for guest in dict.fromkeys(guest for guest, _ in both):
            found.append(latest(f"latest {guest} timer at {schedule}, hooked KVM, to a patched one's",
                                [hooked[key] for key in both if key[0] == guest],
                                lambda a: allowed(patched[_key(a)]["max"], FEW), few=1))
    return found


def _far(result):
    """Of timers so far ahead that it depends on the clock's dither how late they are: at each rate
    by another value, so the rates together."""
    found = []
    for guest in dict.fromkeys(a["guest"] for a in result["accuracy"]):
        # The first of each goes through page faults.
        late = [[sample for a in of(result, variant)
                 if a["guest"] == guest and a["distance_us"] >= FAR_US for sample in a["samples"][1:]]
                for variant in ("hooked", "patched")]
        if all(late):
            hooked, patched = map(statistics.median, late)
            found.append(goal(f"median late of {guest} far ahead, at all rates, hooked KVM, to a "
                              "patched one's", f"<= {1 + ALIKE:.2f}", f"{hooked / patched:.3f}",
                              hooked <= patched * (1 + ALIKE), True))
    return found


def _chronyd(result):
    """While chronyd slews, a timer is no later than at the nominal rate: what the suites of the
    guests' timers hold each schedule to."""
    found = []
    for variant, way in WAYS.items():
        nominal, slewed = (_rows(result, variant, schedule) for schedule in ("0", "chronyd"))
        for guest in dict.fromkeys(guest for guest, us in slewed if (guest, us) in nominal):
            found.append(latest(f"latest {guest} timer while chronyd slews, {way}, to those at 0",
                                [a for key, a in slewed.items() if key[0] == guest and key in nominal],
                                lambda a: nominal[_key(a)]["max"] + SLACK))
    return found


def alike(result):
    return [*_interrupts(result), *_medians_and_latest(result), *_far(result), *_chronyd(result)]
