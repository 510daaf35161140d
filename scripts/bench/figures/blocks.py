# SPDX-License-Identifier: GPL-2.0
"""The tables of the documents, each made of data files.

What was measured before there were data files is in text files of the same names: lines "key:
value" as in a data file, an empty line, and the table as it was.
"""

import re

from ..reports import demo_table, tables
from .collect import ACCURACY, FOLDER, WAYS

RATES = {"+10%": "+10 %", "-10%": "-10 %", "+500ppm": "+500 ppm", "-500ppm": "-500 ppm"}
TIMERS = {      # of words of a test's command
    "nested_preemption_timer_accuracy_test --wait spinning": "nested, spinning",
    "nested_preemption_timer_accuracy_test --wait halted": "nested",
    "xen_timer_accuracy_test": "Xen",
    "apic_timer_accuracy_test --mode tscdeadline": "LAPIC TSC-deadline",
    "apic_timer_accuracy_test --mode oneshot": "LAPIC one-shot",
    "hyperv_stimer_accuracy_test --mode oneshot": "Hyper-V one-shot",
    "hyperv_stimer_accuracy_test --mode periodic": "Hyper-V periodic",
}
COST = {        # of a part and a name in cost.json
    "``raw_hrtimer_expiry()``": ("before", "expiry"),
    "``raw_hrtimer_restart()``, not early": ("before", "restart"),
    "``hrtimer_start()`` alone": ("before", "hrtimer_start"),
    "arming as KVM does: ``ktime_get()``, a division, the timer": ("before", "arm_plain"),
    "``raw_hrtimer_start()``": ("before", "arm_raw"),
    "``raw_hrtimer_node_start()``": ("before", "arm_node"),
    "``raw_hrtimer_node_cancel()``": ("before", "cancel_node"),
    "anybody else's ``hrtimer_start()``, of one that is queued": ("before", "sleeper"),
    "the same, KVM hooked": ("hooked", "sleeper"),
    "anybody else's ``hrtimer_cancel()``": ("before", "sleeper_cancel"),
    "the same, KVM hooked ": ("hooked", "sleeper_cancel"),
    "anybody else's ``hrtimer_try_to_cancel()``": ("before", "sleeper_try_to_cancel"),
    "the same, KVM hooked  ": ("hooked", "sleeper_try_to_cancel"),
    "the listener, at an update that changes nothing": ("listener", "steady_least"),
}
NESTED = {"stock": "stock", "hooked": "stock, hooked",
          "unprovided": "patched, without the module", "patched": "patched",
          "hardware": "L2's timer in hardware, without the module",
          "both": "L2's timer in hardware"}


def _origin(data):
    """Where figures come from, as the sentence above them."""
    images = [image for image in data["images"] if image]
    return (f"``{data['command']}``, {data['date']}, commit {data['commit']}"
            + (f", Linux {data['kernel']}" if data["kernel"] else "")
            + (f"; image{'s' * (len(images) > 1)} {', '.join(images)}" if images else ""))


def _literal(origins, lines):
    return [*[f"{origin}," for origin in origins[:-1]], f"{origins[-1]}::", "",
            *[f"  {line}".rstrip() for line in lines]]


def _simple(origin, heads, rows):
    """A table of reStructuredText."""
    rows = [[str(cell).rstrip() for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    rule = "  ".join("=" * width for width in widths)

    def line(cells):
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()

    return [f"{origin}:", "", rule, line(heads), rule, *map(line, rows), rule]


def demo(data):
    return _literal([_origin(data["demo"])],
                    demo_table.table(data["demo"]["results"]).splitlines())


def cost(data):
    parts = data["cost"]["results"]
    return _simple(_origin(data["cost"]), ("what", "instructions"),
                   [(what, f"{parts[part][name]:,}") for what, (part, name) in COST.items()])


def accuracy(data):
    """All that "make bench" has of guests."""
    names = list(ACCURACY)
    rows = [row for name in names for row in data[name]["results"]]
    return _literal([_origin(data[name]) for name in names],
                    [*tables.overview(rows)[2:], *tables.l2_last(rows)][:-1])


def slew(data):
    return _literal([_origin(data["slew"])], tables.overview(data["slew"]["results"])[2:-1])


def ways(data):
    """A hooked KVM's timers beside a patched one's."""
    latest = {(row["kvm"], name, row["schedule"]): row["latest"]
              for row in data["ways"]["results"] for words, name in TIMERS.items()
              if set(words.split()) <= set(row["test"].split())}
    if missing := set(TIMERS.values()) - {name for _, name, _ in latest}:
        raise ValueError(f"ways.json has no row of {', '.join(sorted(missing))}")
    schedules = list(dict.fromkeys(row["schedule"] for row in data["ways"]["results"]))
    lines = [f"{'timer':20}{'KVM':9}" + "".join(f"{RATES.get(s, s):>9}" for s in schedules)]
    for name in TIMERS.values():
        for number, way in enumerate(WAYS):
            cells = [latest.get((way, name, schedule)) for schedule in schedules]
            lines.append(f"{'' if number else name:20}{way:9}" + "".join(
                f"{'-' if cell is None else f'{cell:,}':>9}" for cell in cells))
    return _literal([_origin(data["ways"])], lines)


def releases(data):
    """The lines of tested-kernels, each with the commit that its suite has passed with."""
    return _simple(
        f"``{data['releases']['command']}``",
        ("release", "selftests passed", "skipped", "runs expected", "date", "commit"),
        [(row["release"], row["passed"], row["skipped"], f"{row['expected']} of {row['runs']}",
          row["date"], row["commit"]) for row in data["releases"]["results"]])


def other_kernel(name):
    """Nodes and guests' timers on another kernel than stock."""
    def block(data):
        found = data[name]["results"]
        return _literal([_origin(data[name])], [*tables.timers(found["timers"]),
                                                *tables.overview(found["accuracy"]),
                                                *tables.l2_last(found["accuracy"])[:-1]])
    return block


def growth(data):
    return _literal([_origin(data["growth"])], tables.growth(data["growth"]["results"])[2:-1])


def timers(data):
    """Nodes, an adjtimex() with timers pending, and what L2's timer adds to an entry."""
    found = data["timers"]["results"]
    costs = found["cost"]
    nested = [f"{name:42}{costs[f'nested entry, {key}']:>12,}"
              f"{costs[f'nested arm and cancel, {key}']:>11,}"
              for key, name in NESTED.items() if f"nested entry, {key}" in costs]
    return _literal([_origin(data["timers"])], [
        *tables.timers(found["timers"]), *tables.cost({"cost": {}, "passes": found["passes"]}),
        "What the VMX-preemption timer of an L2 adds to an entry, up to the exit that L2 asks for",
        "at once: to arm it, and to cancel it (nested_arm_cost.c)", "",
        f"{'KVM':42}{'entry':>12}{'timer':>11}", *nested])


def flaky(data):
    """How many runs of the tests that are called flaky pass, without the module and with it."""
    rows = data["flaky"]["results"]
    schedules = list(dict.fromkeys(row["schedule"] for row in rows))
    cells = {(row["test"], row["schedule"]): f"{row['absent']}, {row['loaded']} of {row['runs']}"
             for row in rows}
    return _simple(_origin(data["flaky"]), ("test", *schedules), [
        (f"``{test}``", *(cells.get((test, schedule), "-") for schedule in schedules))
        for test in dict.fromkeys(row["test"] for row in rows)])


def advance(data):
    """What KVM's timer advance settles at."""
    return _simple(_origin(data["advance"]), ("clock", "timers", "without, ns", "with, ns"), [
        (f"{row['ppm']:+} ppm" if row["ppm"] else "0", f"{row['us'] // 1000} ms", row["absent"],
         row["loaded"]) for row in data["advance"]["results"]])


def beside(data):
    """What cyclictest measures beside a KVM that is hooked."""
    names = {"absent": "without", "loaded": "with"}
    return _simple(_origin(data["beside"]), ("beside", "module", "samples", "min, ns", "avg, ns",
                                             "max, ns"), [
        ("nothing" if row["test"].startswith("sleep") else "a guest", names[row["state"]],
         *(f"{row[key]:,}" for key in ("samples", "min", "avg", "max")))
        for row in data["beside"]["results"]])


def series(data):
    """What the series of patches/kvm cost."""
    costs = data["timers"]["results"]["cost"]
    kinds = {"stock": "stock", "unprovided": "``patched``, no module", "patched": "``patched``, module",
             "hardware": "``hardware``"}
    rows = [[what, *[f"{costs[name]:,}" if (name := f"{of}, {kind}") in costs and kind in told else ""
                     for kind in kinds]]
            for what, of, told in (
                ("L2's timer, start and cancel", "nested arm and cancel", kinds),
                ("write of a TSC deadline, hrtimer", "TSC deadline, arm", list(kinds)[:3]),
                ("the same, of no deadline", "TSC deadline, disarm", list(kinds)[:3]))]
    return _simple(_origin(data["timers"]), ("what", *kinds.values()), rows)


# What each block is made of: its function, and the data files that it needs.
BLOCKS = {
    "demo": (demo, ["demo"]),
    "cost": (cost, ["cost"]),
    "accuracy": (accuracy, list(ACCURACY)),
    "slew": (slew, ["slew"]),
    "ways": (ways, ["ways"]),
    "releases": (releases, ["releases"]),
    "kernel-6.18": (other_kernel("kernel-6.18"), ["kernel-6.18"]),
    "growth": (growth, ["growth"]),
    "timers": (timers, ["timers"]),
    "flaky": (flaky, ["flaky"]),
    "advance": (advance, ["advance"]),
    "beside": (beside, ["beside"]),
    "series": (series, ["timers"]),
}


def _of_text(file):
    """A table of before, verbatim."""
    head, _, text = file.read_text(encoding="utf-8").partition("\n\n")
    words = dict(line.split(": ", 1) for line in head.splitlines())
    origin = _origin({**words, "images": []})
    lines = text.splitlines()
    if lines[0].startswith("===="):
        return [f"{origin}:", "", *lines]
    return _literal([origin], lines)


def sources(name, data, folder=FOLDER):
    """The files that a block is made of: (function or None, names of files)."""
    function, needs = BLOCKS.get(name, (None, []))
    if function and all(need in data for need in needs):
        return function, [f"{need}.json" for need in needs]
    if (folder / f"{name}.txt").exists():
        return None, [f"{name}.txt"]
    raise KeyError(f"there are no figures for the block {name}: "
                   f"{', '.join(need for need in needs if need not in data) or name + '.txt'}")


def superseded(data, folder=FOLDER):
    """The text files in whose place there are data."""
    return [folder / f"{name}.txt" for name, (_, needs) in BLOCKS.items()
            if all(need in data for need in needs) and (folder / f"{name}.txt").exists()]


def lines(name, data, folder=FOLDER):
    """A block's lines in a document."""
    function, files = sources(name, data, folder)
    return function(data) if function else _of_text(folder / files[0])


def only(table, cells):
    """Those rows of a literal table, below its head, that have one of these cells."""
    head = next(number for number, line in enumerate(table) if line.startswith("  ")) + 1
    rows = [line for line in table[head:] if cells & set(re.split(r"  +", line.strip()))]
    if missing := cells - {cell for row in rows for cell in re.split(r"  +", row.strip())}:
        raise ValueError(f"no row has {', '.join(sorted(missing))}")
    return [*table[:head], *rows]
