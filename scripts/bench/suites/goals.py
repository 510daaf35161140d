# SPDX-License-Identifier: GPL-2.0
"""What the measurement of "make bench" is held against.

A goal is {what, goal, value, met, asserted}: asserted ones fail "make check", the
others are stated, met or not, or not judged (None), where too little was measured.  On svm,
whose figures depend on what else the machine does,
only that no timer is early.
"""

from ..reports.plan import CONSTANT, SCHEDULES
from . import goals_in_hardware
from .check import results_of, uses
from .goal import FAR_US, WAYS, goal, late, of, plain, worst
from .goals_alike import alike
from .goals_kernels import alone, limits_of
from .ktap import Count

# So many instructions more are none.
FREE = 5
SPIKE_NS = 50_000


def exactness(result):
    """Guests' timers, whatever else the machine does."""
    found = []
    for variant, way in [*WAYS.items(), *goals_in_hardware.WAYS.items()]:
        timers = of(result, variant)
        if timers:
            early = sum(a["early"] for a in timers)
            found.append(goal(f"timers that a guest sees early, {way}", "0",
                              f"{early} of {sum(a['n'] for a in timers)}", early == 0, True))
    return found


def lateness(result):
    """The same timers, where a run can be repeated."""
    return [*late(of(result, "patched"), plain(result), WAYS["patched"]), *_last(result),
            *_restarts(result), *alike(result), *alone(result)]


def _last(result):
    """An L2 that spins does not run on beyond its deadline, whatever the rate does."""
    found = []
    for variant, way in WAYS.items():
        spinning = [a for a in of(result, variant) if a["l2_last"] is not None]
        if spinning:
            most, where = worst(spinning, lambda a: a["l2_last"])
            found.append(goal(f"L2's last TSC, {way}, cycles after its deadline", "< 0",
                              f"{most:,} ({where})", most < 0, True))
    return found


def _restarts(result):
    """Callbacks that a timer that is early costs."""
    found, limit = [], limits_of(result).restarts
    for variant, way in WAYS.items():
        constant = [a for a in of(result, variant)
                    if a["schedule"] in [SCHEDULES[key] for key in CONSTANT]
                    and a["distance_us"] < FAR_US]
        if constant:
            moved, where = worst(constant, lambda a: a["restarts"] / a["n"])
            found.append(goal(
                f"callbacks that find a guest's timer early, at constant rates, {way}",
                f"<= {limit} for each" if limit else "0",
                f"{sum(a['restarts'] for a in constant)} ({moved:.2f} for each, {where})" if moved
                else "0", moved <= limit, True))
    return found


def _interrupts(items, limit):
    """Of nodes, beside those of plain hrtimers: of all together, and of each distance and rate."""
    if not all(t[kind].get("irqs") for t in items for kind in ("plain", "node")):
        return [goal("interrupts of nodes and of plain hrtimers", "counted", "not counted", False,
                     True)]
    node, plain = (sum(t[kind]["irqs"] for t in items) for kind in ("node", "plain"))
    most, where = worst(items, lambda t: t["node"]["irqs"] / t["times"])
    # Both kinds meet a timer of the kernel's own now and then; a second interrupt of our own would
    # be there each time.
    return [goal("interrupts, to those of plain hrtimers of the same expiries", "1.00",
                 f"{node / plain:.4f} ({node} to {plain})", node / plain < 1.005, True),
            goal("interrupts for each node, at any distance and rate", f"<= {limit:.2f}",
                 f"{most:.2f} ({where})", most <= limit, True)]


def timers(result):
    """Callbacks and interrupts of nodes at constant rates."""
    items = result["timers"]
    if not items:
        return []
    near = [item for item in items if item["distance_us"] < FAR_US]
    calls, where = worst(near, lambda t: t["node"]["calls"] / t["times"])
    limits = limits_of(result)
    found = [goal("callbacks per timer", "1.00" if limits.calls == 1 else f"<= {limits.calls:.2f}",
                  f"{calls:.2f} ({where})", calls <= limits.calls, True)]
    found += _interrupts(items, limits.irqs)
    early = sum(t["node"]["early"] for t in items)
    found.append(goal("nodes that are early", "0", str(early), early == 0, True))
    return found


def cost(result):
    """Instructions."""
    found = []
    names = result["cost"]

    def below(what, name, limit, asserted=False):
        if name in names:
            found.append(goal(what, f"< {limit}", str(names[name]), names[name] < limit, asserted))

    below("instructions of raw_hrtimer_expiry()", "expiry", 100, True)
    below("instructions of a check in a callback", "restart", 30, True)
    below("instructions of the listener, nothing new", "listener, steady", 60, True)
    if "arm_node" in names:
        found.append(goal("instructions of arming, to KVM's clock read and division",
                          f"<= {names['arm_plain']}", str(names["arm_node"]),
                          names["arm_node"] <= names["arm_plain"]))
    for what, name in (("a nested arm and cancel", "nested arm and cancel"),
                       ("arming a TSC deadline", "TSC deadline, arm"),
                       ("disarming a TSC deadline", "TSC deadline, disarm")):
        stock, unprovided = (names.get(f"{name}, {kind}") for kind in ("stock", "unprovided"))
        if stock and unprovided:
            found.append(goal(f"instructions of {what}, patched KVM without the module",
                              f"<= {stock + FREE}", str(unprovided), unprovided <= stock + FREE,
                              True))
    stock, patched = (names.get(f"nested arm and cancel, {kind}") for kind in ("stock", "patched"))
    if stock and patched:
        found.append(goal("instructions of a nested arm and cancel, patched KVM, to stock KVM's",
                          f"<= {stock * 11 // 10}", str(patched), patched <= stock * 11 // 10,
                          True))
    return found


def growth(result):
    """A rate that changes in every tick, with many timers pending."""
    found = []
    alone = max((g["max_ns"] for g in result["growth"] if g["nodes"] == 0), default=0)
    for item in result["growth"]:
        if item["nodes"]:
            more = item["max_ns"] - alone
            found.append(goal(f"how much later a bystander wakes up, {item['nodes']} pending on "
                              f"{item['cpus']} CPUs", f"<= {SPIKE_NS:,} ns", f"{more:,} ns",
                              more <= SPIKE_NS, True))
    return found


def judge(result):
    """All goals that there are figures for."""
    if result["machine"]["name"] != "vmx":
        return exactness(result)
    return (exactness(result) + lateness(result) + timers(result) + cost(result)
            + goals_in_hardware.judge(result) + growth(result))


def _asserted(result):
    goals = [one for one in result["goals"] if one["asserted"]]
    return Count(passed=sum(one["met"] for one in goals),
                 skipped=sum(one["met"] is None for one in result["goals"]),
                 failures=[f"{one['what']}: {one['value']}, not {one['goal']}"
                           for one in goals if not one["met"]])


def suite(machine, *options, folder=""):
    """A suite of "make check": each goal that has to be met is a test."""
    def run(context):
        return results_of(context, "measure", "--machine", machine, *options, "--judge",
                          judge=_asserted, folder=folder, timeout=20000)
    return uses(run, "measure", machine, *options, "patched")
