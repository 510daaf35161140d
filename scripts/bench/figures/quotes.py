# SPDX-License-Identifier: GPL-2.0
"""The figures that sentences of the documents quote, by name, as the sentences write them."""


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


QUOTES = {"demo": _demo, "cost": _cost, "timers": _timers, "symptom": _symptom, "check": _check,
          "growth": _growth}


def quotes(data):
    """{name: text}, of all the data files that there are."""
    return {f"{file}.{name}": f"{value:,}" if isinstance(value, int) else value
            for file, function in QUOTES.items() if file in data
            for name, value in function(data[file]["results"]).items()}
