# SPDX-License-Identifier: GPL-2.0
"""The figures that sentences of the documents quote, by name, as the sentences write them."""

from ..suites.goal import ALIKE, FAR_US
from .collect import ACCURACY


def _millions(cycles):
    return f"{round(abs(cycles) / 1e6)} million"


def _demo(results):
    def worst(rate, end):
        found = next(r for r in results["rates"] if r["name"] == rate)
        run = next(r for r in found["runs"] if (r["kvm"], r["module"]) == ("stock", "absent"))
        return run[end]["cycles"]

    runs = results["passed"] + results["failed"]
    return {"early": _millions(worst("tick +10 %", "l1_error")),
            "late": _millions(worst("tick -10 %", "l2_error")),
            "early_500": abs(worst("+500 ppm", "l1_error")),
            "late_500": abs(worst("-500 ppm", "l2_error")),
            "runs": f"{results['passed']} of {runs}"}


def _cost(results):
    before, hooked = results["before"], results["hooked"]
    names = [name for name in before if name.startswith("sleeper")]
    more = [hooked[name] - before[name] for name in names]
    conversion = before["arm_plain"] - before["hrtimer_start"]
    return {"expiry": before["expiry"], "restart": before["restart"],
            "start": before["hrtimer_start"],
            "listener": results["listener"]["steady_least"],
            "raw_more": before["arm_raw"] - before["arm_plain"],
            "node_more": before["arm_node"] - before["arm_plain"],
            "clock_read": conversion,
            "raw_instead": before["arm_raw"] - before["hrtimer_start"],
            "node_instead": before["arm_node"] - before["hrtimer_start"],
            "hooked_least": min(more), "hooked_most": max(more)}


def _timers(results):
    cost = results["cost"]

    def timer(kind):
        return cost[f"nested arm and cancel, {kind}"]

    return {"nested_goal": timer("stock") * 11 // 10,
            "unprovided_more": timer("unprovided") - timer("stock"),
            "hooked_more": timer("hooked") - timer("stock")}


def _symptom(results):
    runs = {module: [run for run in results if run["module"] == module]
            for module in ("absent", "loaded")}
    failed = sum(run["status"] != 0 for run in runs["absent"])
    passed = sum(run["status"] == 0 for run in runs["loaded"])
    return {"failed": f"fails {failed} times of {len(runs['absent'])}",
            "late": f"{max(run['late'] for run in runs['absent']):,} cycles late",
            "passed": f"passes {passed} times of {len(runs['loaded'])}"}


def _check(results):
    return {"minutes": f"{round(results['seconds'] / 60)} minutes",
            "processors": f"{results['processors']} processors", "tests": f"{results['passed']:,}"}


def _growth(results):
    def latest(nodes):
        return f"{max(row['max_ns'] for row in results if row['nodes'] == nodes) / 1000:.1f} us"
    return {"alone": latest(0), "many": latest(4096)}


def _accuracy(results):
    """Of "make bench" as a whole: by how much the medians are later than others, at most; and in how
    many of the table's rows a hooked KVM's latest timer is as a patched one's."""
    median = {(row["variant"], row["schedule"], row["guest"], row["distance_us"]): row["median"]
              for row in results}

    def later(variant, than, schedules, least=0):
        most = max(cycles / median[than, schedule, guest, us]
                   for (way, schedule, guest, us), cycles in median.items()
                   if way == variant and schedule in schedules and least <= us < FAR_US)
        return f"{(most - 1) * 100:.1f} %"

    latest = {}
    for row in results:
        key = row["variant"], row["schedule"], row["guest"]
        latest[key] = max(row["max"], latest.get(key, row["max"]))
    pairs = [(cycles, latest["patched", schedule, guest])
             for (variant, schedule, guest), cycles in latest.items() if variant == "hooked"]
    every = {schedule for _, schedule, _, _ in median}
    return {"latest_alike": f"{sum(hooked <= (1 + ALIKE) * than for hooked, than in pairs)} of "
                            f"{len(pairs)} rows",
            "latest_more": max(hooked - than for hooked, than in pairs),
            "timers": sum(row["n"] for row in results if row["variant"] == "hooked"),
            "patched": later("patched", "stock", {"0"}),
            "hooked": later("hooked", "patched", every),
            "hooked_1ms": later("hooked", "patched", every, 1000)}


QUOTES = {"demo": _demo, "cost": _cost, "timers": _timers, "symptom": _symptom, "check": _check,
          "growth": _growth, "accuracy": _accuracy}


def quotes(data):
    """{name: text}, of all the data files that there are."""
    results = {file: content["results"] for file, content in data.items()}
    if all(file in results for file in ACCURACY):
        results["accuracy"] = [row for file in ACCURACY for row in results[file]]
    return {f"{file}.{name}": f"{value:,}" if isinstance(value, int) else value
            for file, function in QUOTES.items() if file in results
            for name, value in function(results[file]).items()}
