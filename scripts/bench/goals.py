# SPDX-License-Identifier: GPL-2.0
"""What the measurement of "make bench" is held against.

A goal is {what, goal, value, met, asserted}: asserted ones fail "make check", the
others are stated, met or not.  None of them is judged on svm, whose figures depend on
what else the machine does.
"""

from .check import results_of
from .ktap import Count

LATER = 1.05            # of a plain timer's median
SPIKE_NS = 50_000


def _goal(what, goal, value, met, asserted=False):
    return {"what": what, "goal": goal, "value": value, "met": bool(met), "asserted": asserted}


def _where(item):
    return f"{item.get('guest', 'timer')} {item['distance_us']:,} us at {item['schedule']}"


def _worst(items, ratio):
    """(ratio, where) of the greatest one."""
    return max(((ratio(item), _where(item)) for item in items), default=(None, "nowhere"))


def accuracy(result):
    """The guests' timers with a patched KVM."""
    patched = [a for a in result["accuracy"] if a["variant"] == "patched"]
    plain = {(a["guest"], a["distance_us"]): a["median"] for a in result["accuracy"]
             if a["variant"] == "stock" and a["schedule"] == "0"}
    if not patched:
        return []
    early = sum(a["early"] for a in patched)
    found = [_goal("timers that a guest sees early, patched KVM", "0",
                   f"{early} of {sum(a['n'] for a in patched)}", early == 0, True)]

    for schedule in dict.fromkeys(a["schedule"] for a in patched):
        comparable = [a for a in patched if a["schedule"] == schedule
                      and plain.get((a["guest"], a["distance_us"]), 0) > 0]
        if not comparable:
            continue
        worst, where = _worst(comparable, lambda a: a["median"] / plain[
            a["guest"], a["distance_us"]])
        found.append(_goal(f"median late at {schedule}, to stock KVM's at 0",
                           f"<= {LATER:.2f}", f"{worst:.3f} ({where})", worst <= LATER,
                           schedule == "0"))
    return found


def timers(result):
    """Callbacks and interrupts of nodes at constant rates."""
    items = result["timers"]
    if not items:
        return []
    calls, where = _worst(items, lambda t: t["node"]["calls"] / t["times"])
    found = [_goal("callbacks per timer", "1.00", f"{calls:.2f} ({where})", calls == 1, True)]
    counted = [t for t in items if t["plain"].get("irqs") and t["node"].get("irqs")]
    if counted:
        # The kernel has other timers as well, once in some seconds: of all together, and one
        # more at most with any of them.
        node, plain = (sum(t[kind]["irqs"] for t in counted) for kind in ("node", "plain"))
        found.append(_goal("interrupts, to those of plain hrtimers of the same expiries", "1.00",
                           f"{node / plain:.4f} ({node} to {plain})", node / plain < 1.005, True))
        more = max(counted, key=lambda t: t["node"]["irqs"] - t["plain"]["irqs"])
        count = more["node"]["irqs"] - more["plain"]["irqs"]
        found.append(_goal("interrupts beyond those of as many plain hrtimers", "<= 1",
                           f"{count} ({_where(more)})", count <= 1, True))
    early = sum(t["node"]["early"] for t in items)
    found.append(_goal("nodes that are early", "0", str(early), early == 0, True))
    return found


def cost(result):
    """Instructions."""
    found = []
    names = result["cost"]

    def below(what, name, limit, asserted=False):
        if name in names:
            found.append(_goal(what, f"< {limit}", str(names[name]), names[name] < limit, asserted))

    below("instructions of raw_hrtimer_expiry()", "expiry", 100, True)
    below("instructions of a check in a callback", "finish", 30, True)
    below("instructions of the listener, nothing new", "listener, steady", 60, True)
    if "arm_node" in names:
        found.append(_goal("instructions of arming, to KVM's clock read and division",
                           f"<= {names['arm_plain']}", str(names["arm_node"]),
                           names["arm_node"] <= names["arm_plain"]))
    return found


def growth(result):
    """A rate that changes in every tick, with many timers pending."""
    found = []
    alone = max((g["max_ns"] for g in result["growth"] if g["nodes"] == 0), default=0)
    for item in result["growth"]:
        if item["nodes"]:
            more = item["max_ns"] - alone
            found.append(_goal(f"how much later a bystander wakes up, {item['nodes']} pending on "
                               f"{item['cpus']} CPUs", f"<= {SPIKE_NS:,} ns", f"{more:,} ns",
                               more <= SPIKE_NS))
    return found


def judge(result):
    """All goals that there are figures for."""
    if result["machine"]["name"] != "vmx":
        return []
    return accuracy(result) + timers(result) + cost(result) + growth(result)


def _asserted(result):
    goals = [goal for goal in result["goals"] if goal["asserted"]]
    return Count(passed=sum(goal["met"] for goal in goals),
                 failures=[f"{goal['what']}: {goal['value']}, not {goal['goal']}"
                           for goal in goals if not goal["met"]])


def suite(machine, *options):
    """A suite of "make check": each goal that has to be met is a test."""
    def run(context):
        return results_of(context, "measure", "--machine", machine, *options, "--judge",
                          judge=_asserted, timeout=20000)
    return run
