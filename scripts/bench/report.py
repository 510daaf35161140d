#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draw the demonstration's results: report.py RESULTS.json REPORT.svg

Runs in the toolchain root, which has matplotlib, and uses nothing else of the bench.
"""

import argparse
import json
import math

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

RED, GREEN, GREY = "#c62828", "#2e7d32", "#78909c"
MODULES = {"absent": "without the module", "loaded": "with raw_hrtimer",
           "removed": "module removed again"}


def duration(ns):
    """A length of time with its unit, three digits."""
    for unit, size in (("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= size:
            return f"{abs(ns) / size:.3g} {unit}"
    return f"{abs(ns):.0f} ns"


def tick(value, _position=None):
    if value == 0:
        return "0"
    return ("\u2212" if value < 0 else "+") + duration(value * 1e3)


def says(run):
    if run["verdict"] == "early":
        return f"fails: {duration(run['l1_error']['ns'])} too early"
    if run["verdict"] == "late":
        return f"fails: {duration(run['l2_error']['ns'])} too late"
    return {"pass": "passes"}.get(run["verdict"], "broke")


def microseconds(run):
    """When L2 last ran and when L1 took over; None where that is not known."""
    ends = [run["l2_error"], run["l1_error"]]
    if any(end is None or end["ns"] is None for end in ends):
        return None
    return [end["ns"] / 1e3 for end in ends]


def draw_run(axes, y, run):
    colour = GREEN if run["verdict"] == "pass" else RED
    ends = microseconds(run)
    if ends:
        axes.plot(ends, [y, y], color=colour, linewidth=5, solid_capstyle="butt", zorder=2)
        axes.plot(ends, [y, y], color=colour, linestyle="", marker="|", markersize=13,
                  markeredgewidth=3, zorder=3)
    axes.text(1.01, y, says(run), color=colour, va="center",
              transform=axes.get_yaxis_transform())


def draw_time(axes, result):
    """The x axis: time from the deadline, logarithmic on both sides."""
    ends = [end for rate in result["rates"] for run in rate["runs"]
            for end in microseconds(run) or []]
    edge = 10 ** math.ceil(math.log10(max([1, *map(abs, ends)])))
    decades = [10.0 ** n for n in range(round(math.log10(edge)) + 1)]
    axes.set_xscale("symlog", linthresh=0.3, linscale=0.5)
    axes.set_xlim(-edge, edge)
    axes.set_xticks([-d for d in decades] + [0] + decades)
    axes.xaxis.set_major_formatter(tick)
    axes.minorticks_off()
    axes.grid(axis="x", color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.axvline(0, color="black", linewidth=1.4, zorder=4)
    axes.text(0.25, 1.01, "\u2190 too early", ha="center", transform=axes.transAxes)
    axes.text(0.5, 1.01, "deadline", ha="center", transform=axes.transAxes)
    axes.text(0.75, 1.01, "too late \u2192", ha="center", transform=axes.transAxes)


def draw(result, path):
    plt.rcParams.update({"font.size": 10, "font.family": "sans-serif",
                         "svg.hashsalt": "raw_hrtimer"})
    count = sum(len(rate["runs"]) for rate in result["rates"]) + len(result["rates"]) / 2
    height = 0.3 * count
    figure = plt.figure(figsize=(8.5, height))
    axes = figure.add_axes([0, 0, 1, 1])        # text lies outside; the file gets it all
    y, ticks, names = 0.0, [], []
    for rate in result["rates"]:
        axes.axhline(y - 0.75, color=GREY, linewidth=0.5)
        middle = y + (len(rate["runs"]) - 1) / 2
        name = "not bent" if rate["wanted_ppm"] == 0 else rate["name"].replace("-", "\u2212")
        axes.text(-0.36, middle, name, weight="bold", va="center",
                  transform=axes.get_yaxis_transform())
        for run in rate["runs"]:
            draw_run(axes, y, run)
            ticks.append(y)
            names.append(MODULES[run["module"]])
            y += 1
        y += 0.5
    axes.set_ylim(y - 0.75, -0.75)
    axes.set_yticks(ticks, names)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    draw_time(axes, result)

    def words(inches, text, **style):
        axes.text(-0.36, inches / height, text, transform=axes.transAxes, **style)

    words(height + 1.15, "A nested guest's timer, while NTP bends the host's clock",
          weight="bold", fontsize=14)
    words(height + 0.42, f"Each bar is a run of KVM's own {result['test']}: from the last moment that "
          "the nested guest (L2)\nran to the moment that its hypervisor (L1) was back. The "
          "deadline of its VMX-preemption timer must lie between.\nThe scale is logarithmic "
          "on both sides.", fontsize=10)
    words(-0.6, f"Linux {result['kernel']['release']}, {result['kvm']} KVM, raw_hrtimer "
          f"{result['module']['git']}; emulated {result['machine']['cpu']}, "
          f"TSC {(result['machine']['khz'] or 0) / 1000:.1f} MHz", fontsize=8, color=GREY)
    figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None,
                   bbox_inches="tight", pad_inches=0.2, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results")
    parser.add_argument("picture")
    args = parser.parse_args()
    with open(args.results, encoding="utf-8") as file:
        draw(json.load(file), args.picture)


main()
