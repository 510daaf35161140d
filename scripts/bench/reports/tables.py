# SPDX-License-Identifier: GPL-2.0
"""The measurement of "make bench" as a person reads it."""

from .plan import VARIANTS


def distance(us):
    for unit, size in (("s", 1_000_000), ("ms", 1000)):
        if us >= size:
            return f"{us // size} {unit}"
    return f"{us} us"


def cycles(number):
    """Millions where nobody reads the last digits."""
    if abs(number) < 1_000_000:
        return f"{number:,}"
    return f"{number / 1e6:,.{0 if abs(number) >= 100e6 else 1}f} M"


def _columns(items, key):
    return list(dict.fromkeys(item[key] for item in items))


def _variants(items):
    """Those that were measured: on svm not all are."""
    return [name for name in VARIANTS if any(item["variant"] == name for item in items)]


def overview(items):
    """For each guest and schedule: of each variant how many are early, and the latest."""
    if not items:
        return []
    variants = _variants(items)
    lines = ["Guests' timers at all distances: early ones in percent, and the latest in cycles "
             "(M: millions)", "",
             f"{'timer':9}{'clock':9}" + "".join(f"{name:>18}" for name in variants)]
    for guest in _columns(items, "guest"):
        for schedule in _columns([i for i in items if i["guest"] == guest], "schedule"):
            cells = []
            for variant in variants:
                found = [i for i in items if (i["guest"], i["schedule"], i["variant"])
                         == (guest, schedule, variant)]
                if not found:
                    cells.append(f"{'-':>18}")
                    continue
                early = sum(i["early"] for i in found) / sum(i["n"] for i in found)
                cells.append(f"{early:>6.0%}{cycles(max(i['max'] for i in found)):>12}")
            lines.append(f"{guest:9}{schedule:9}" + "".join(cells))
    return [*lines, ""]


def l2_last(items):
    """For each schedule: of each variant, where L2 has stopped."""
    items = [item for item in items if item.get("l2_last") is not None]
    if not items:
        return []
    variants = _variants(items)
    lines = ["The last TSC that an L2 which spins has read, cycles from its deadline, at worst: "
             "must be < 0", "", f"{'clock':18}" + "".join(f"{name:>18}" for name in variants)]
    for schedule in _columns(items, "schedule"):
        worst = {}
        for item in items:
            if item["schedule"] == schedule:
                worst.setdefault(item["variant"], []).append(item["l2_last"])
        lines.append(f"{schedule:18}" + "".join(
            f"{cycles(max(worst[name])) if name in worst else '-':>18}" for name in variants))
    return [*lines, ""]


def medians(items):
    """Median cycles after the deadline, by distance."""
    lines = []
    for guest in _columns(items, "guest"):
        mine = [i for i in items if i["guest"] == guest]
        distances = sorted(_columns(mine, "distance_us"))
        lines += [f"Median cycles from the deadline, {guest}; * : some were early", "",
                  f"{'clock':10}{'variant':9}"
                  + "".join(f"{distance(us):>16}" for us in distances)]
        for schedule in _columns(mine, "schedule"):
            for variant in VARIANTS:
                row = {i["distance_us"]: i for i in mine if i["schedule"] == schedule
                       and i["variant"] == variant}
                if row:
                    lines.append(f"{schedule:10}{variant:9}" + "".join(
                        f"{row[us]['median']:>15,}{'*' if row[us]['early'] else ' '}"
                        if us in row else f"{'-':>15} " for us in distances))
        lines.append("")
    return lines


def timers(items):
    """Nodes beside plain hrtimers."""
    if not items:
        return []
    lines = ["A node beside a plain hrtimer of the same expiry: median and latest in cycles,",
             "callbacks and interrupts per timer", "",
             f"{'clock':10}{'distance':>9}{'plain':>11}{'':>12}{'node':>11}{'':>12}"
             f"{'callbacks':>11}{'interrupts':>22}"]
    for item in items:
        plain, node, times = item["plain"], item["node"], item["times"]
        irqs = (f"{node['irqs'] / times:.2f} (plain {plain['irqs'] / times:.2f})"
                if "irqs" in node else "-")
        lines.append(f"{item['schedule']:10}{distance(item['distance_us']):>9}"
                     f"{plain['median']:>11,}{plain['max']:>12,}{node['median']:>11,}"
                     f"{node['max']:>12,}{node['calls'] / times:>11.2f}{irqs:>22}")
    return [*lines, ""]


def cost(result):
    lines = []
    if result["cost"]:
        lines += ["Instructions (cycles, where one is not the other)", ""]
        lines += [f"{name:36}{value:>10,}" for name, value in result["cost"].items()]
        lines.append("")
    if result["passes"]:
        lines += ["Cycles of an adjtimex() that slows the clock down, with the re-arming that it "
                  "causes", "", f"{'pending':12}{'least':>12}{'median':>12}{'most':>12}"]
        lines += [f"{'no module' if p['nodes'] is None else p['nodes']:<12}{p['min']:>12,}"
                  f"{p['median']:>12,}{p['max']:>12,}" for p in result["passes"]]
        lines.append("")
    return lines


def growth(items):
    if not items:
        return []
    lines = ["A rate that changes in every tick, and how late a bystander wakes up, in ns", "",
             f"{'CPUs':5}{'pending':>9}{'passes':>9}{'re-armed':>12}{'median':>11}{'p99':>11}"
             f"{'max':>11}"]
    for item in items:
        lines.append(f"{item['cpus']:<5}{item['nodes']:>9,}{item['passes']:>9,}"
                     f"{item['rearms']:>12,}{item['median_ns']:>11,}{item['p99_ns']:>11,}"
                     f"{item['max_ns']:>11,}")
    return [*lines, ""]


def goals(items):
    if not items:
        return []
    words = {True: "met   ", False: "MISSED", None: "not judged"}
    return ["Goals", ""] + [f"{words[g['met']]}  {g['what']}: {g['value']} (goal: {g['goal']})"
                            for g in items]


def everything(result):
    """All tables."""
    variants = [f"{name:9}{VARIANTS[name]}" for name in _variants(result["accuracy"])]
    shown = [*variants, ""] if variants else []
    return "\n".join(shown + overview(result["accuracy"]) + l2_last(result["accuracy"])
                     + medians(result["accuracy"])
                     + timers(result["timers"]) + cost(result) + growth(result["growth"])
                     + goals(result["goals"]))
