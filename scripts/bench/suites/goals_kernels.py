# SPDX-License-Identifier: GPL-2.0
"""What kernels differ in: limits by the kind of clockevent, and a hooked KVM where none is patched."""

from dataclasses import dataclass

from ..reports.plan import CONSTANT, SCHEDULES
from .goal import ALIKE, FEW, allowed, goal, latest, of, worst

MET = 1.25              # interrupts, with those of others that nodes meet
# Cycles, where that is more than a tenth: what ftrace and the hooks take from an interrupt to the
# guest, and as much again, as the host wakes up in one of several ways, 600 cycles apart.
ALONE = 1200
CHANGE = 23_000         # what a change of the rate adds, in a tick that the timer has met


@dataclass(frozen=True)
class Limits:
    """Of a kernel, for each timer: those of the clockevent's kind (figures.rst)."""
    calls: float        # callbacks of a node
    irqs: float         # interrupts of a node, less than a plain timer's or not
    restarts: float     # callbacks that find a guest's timer early


# Where the clockevent is programmed with the expiry's TSC value, nothing is to be said of how late.
COUPLED = Limits(calls=1, irqs=MET, restarts=0)
# Where it counts nanoseconds of its own.
UNCOUPLED = Limits(calls=3, irqs=2.25, restarts=3)


def limits_of(result):
    # Older results do not say.
    return COUPLED if result["kernel"].get("coupled", True) else UNCOUPLED


def alone(result):
    """A hooked KVM's timers beside stock KVM's, where there is no patched one: late as these at the
    nominal rate, and as many interrupts as these at the same rate, and one more."""
    plain, hooked = ({(a["guest"], a["distance_us"], a["schedule"]): a for a in of(result, variant)}
                     for variant in ("stock", "hooked"))
    at_nominal = {key: plain[*key[:2], "0"] for key in hooked if (*key[:2], "0") in plain}
    if of(result, "patched") or not at_nominal:
        return []
    most, where = worst([hooked[key] for key in at_nominal], lambda a: a["median"] / allowed(
        plain[a["guest"], a["distance_us"], "0"]["median"], ALONE))
    found = [goal(f"median late, hooked KVM, to stock KVM's at 0, of what is allowed: {ALIKE:.0%} more, "
                  f"or {ALONE} cycles", "<= 1.00", f"{most:.2f} ({where})", most <= 1, True)]
    constant = [SCHEDULES[key] for key in CONSTANT]
    for guest in dict.fromkeys(key[0] for key in hooked):
        stock = [a for key, a in at_nominal.items() if key[0] == guest]
        for name, more, some in (
                ("constant rates", 0, [a for key, a in hooked.items() if key[0] == guest
                                       and key[2] in constant]),
                ("rates that change", CHANGE, [a for key, a in hooked.items() if key[0] == guest
                                               and key[2] not in constant])):
            if some:
                limit = allowed(max(a["max"] for a in stock), FEW) + more
                found.append(latest(f"latest {guest} timer at {name}, hooked KVM", some,
                                    lambda _, limit=limit: limit, few=1))
    for schedule in constant:
        both = [(a, plain[key]) for key, a in hooked.items() if key[2] == schedule and key in plain
                and None not in (a["irqs"], plain[key]["irqs"])]
        if both:
            count = sum(a["n"] for a, _ in both)
            more = sum(a["irqs"] - b["irqs"] for a, b in both) / count
            found.append(goal(f"interrupts for each timer at {schedule}, hooked KVM, more than stock "
                              "KVM's", "<= 1.00", f"{more:.3f} ({count} timers)", more <= 1, True))
    return found
