#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draw the demonstration's results: report.py RESULTS.json REPORT.svg

Runs in the toolchain root, which has matplotlib, and uses nothing else of the bench.
"""

import argparse
import json
import math
import textwrap

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

RED, GREEN, GREY, PALE = "#c62828", "#2e7d32", "#607d8b", "#eceff1"
PANELS = [("stock KVM\nwithout the module", ("stock", "absent"), None),
          ("stock KVM\nwith raw_hrtimer", ("stock", "loaded"), ("stock", "removed")),
          ("patched KVM\nwith raw_hrtimer", ("patched", "loaded"), ("patched", "removed")),
          ("L2's timer in hardware\nwithout the module", ("hardware", "absent"), None),
          ("L2's timer in hardware\nwith raw_hrtimer", ("both", "loaded"), None)]
PANEL, ROW, GAP = 3.1, 0.62, 0.12       # inches
LABELS, TOP, BOTTOM = 1.15, 1.75, 0.65


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
    """What to write about a run, and where: not where its bar is."""
    if run["verdict"] == "early":
        return f"{duration(run['l1_error']['ns'])} too early", "right"
    if run["verdict"] == "late":
        return f"{duration(run['l2_error']['ns'])} too late", "left"
    return {"pass": "in time"}.get(run["verdict"], "broken"), "beside"


def microseconds(run):
    """When L2 last ran and when L1 took over; None where that is not known."""
    ends = [run["l2_error"], run["l1_error"]]
    if any(end is None or end["ns"] is None for end in ends):
        return None
    return [end["ns"] / 1e3 for end in ends]


def draw_run(axes, y, run, removed=False):
    colour = GREEN if run["verdict"] == "pass" else RED
    ends = microseconds(run)
    if ends:
        axes.plot(ends, [y, y], color=colour, linewidth=2 if removed else 5,
                  solid_capstyle="butt", zorder=2)
        axes.plot(ends, [y, y], color=colour, linestyle="", marker="|", zorder=3,
                  markersize=6 if removed else 13, markeredgewidth=2 if removed else 3)
    text, side = says(run)
    if removed:
        text = f"after rmmod: {text.replace('too ', '')}"
    axes.text({"left": 0.47, "right": 0.53, "beside": 0.36}[side], y, text, color=colour,
              va="center", ha="left" if side == "right" else "right",
              fontsize=7 if removed else 10,
              weight="normal" if removed else "bold", transform=axes.get_yaxis_transform())


def draw_time(axes, edge):
    """The x axis: time from the deadline, logarithmic on both sides."""
    decades = [10.0 ** n for n in range(0, round(math.log10(edge)) + 1, 2)]
    axes.set_xscale("symlog", linthresh=0.3, linscale=0.5)
    axes.set_xlim(-edge, edge)
    axes.set_xticks([-d for d in decades] + [0] + decades)
    axes.xaxis.set_major_formatter(tick)
    axes.minorticks_off()
    axes.tick_params(axis="x", labelsize=7, length=2)
    axes.grid(axis="x", color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.axvline(0, color="black", linewidth=1.4, zorder=4)
    words = {"fontsize": 8, "color": GREY, "transform": axes.transAxes}
    axes.text(0.02, 1.02, "\u2190 too early", **words)
    axes.text(0.5, 1.02, "deadline", ha="center", **words)
    axes.text(0.98, 1.02, "too late \u2192", ha="right", **words)


def draw_panel(axes, rates, runs, edge):
    title, main, removed = runs
    for row, rate in enumerate(rates):
        if row % 2 == 0:
            axes.axhspan(row - 0.5, row + 0.5, color=PALE, zorder=0)
        found = {(run["kvm"], run["module"]): run for run in rate["runs"]}
        for key, y in ((main, row - 0.14), (removed, row + 0.28)):
            if key in found:
                draw_run(axes, y, found[key], removed=key is removed)
    axes.set_ylim(len(rates) - 0.5, -0.5)
    axes.set_yticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    draw_time(axes, edge)
    axes.text(0.5, 1.1, title, ha="center", va="bottom", weight="bold", fontsize=11,
              transform=axes.transAxes)


def draw(result, path):
    plt.rcParams.update({"font.size": 10, "font.family": "sans-serif",
                         "svg.hashsalt": "raw_hrtimer"})
    rates = result["rates"]
    ends = [end for rate in rates for run in rate["runs"] for end in microseconds(run) or []]
    edge = 10 ** math.ceil(math.log10(max([1, *map(abs, ends)])))
    width = LABELS + len(PANELS) * (PANEL + GAP)
    height = TOP + len(rates) * ROW + BOTTOM
    figure = plt.figure(figsize=(width, height))

    def words(x, y, text, **style):
        figure.text(x / width, 1 - y / height, text, va="top", **style)

    for number, panel in enumerate(PANELS):
        left = LABELS + number * (PANEL + GAP)
        ran = any(run["kvm"] == panel[1][0] for rate in rates for run in rate["runs"])
        if panel[1][0] in ("hardware", "both") and not ran:
            continue
        if result["left_out"] and panel[1][0] == "patched":
            words(left + 0.2, TOP + ROW, "No patched KVM:\n" + textwrap.fill(
                result["left_out"], 36), color=GREY, fontsize=9)
            continue
        draw_panel(figure.add_axes([left / width, BOTTOM / height, PANEL / width,
                                    len(rates) * ROW / height]), rates, panel, edge)
    words(0.15, TOP - 0.45, "host's clock", color=GREY, fontsize=8)
    for row, rate in enumerate(rates):
        name = "not bent" if rate["wanted_ppm"] == 0 else rate["name"].replace("-", "\u2212")
        words(0.15, TOP + (row + 0.26) * ROW, name, weight="bold")
    words(0.15, 0.15, "A nested guest's timer, while NTP bends the host's clock",
          weight="bold", fontsize=14)
    words(0.15, 0.5, f"Each bar is a run of KVM's own {result['test']}: from the last moment "
          "that the nested guest (L2) ran to the moment that its\nhypervisor (L1) was back. "
          "The deadline of its VMX-preemption timer must lie in the bar. "
          "The scale is logarithmic on both sides.", fontsize=9)
    emulated = "emulated " if result["machine"]["name"] == "vmx" else ""
    words(0.15, height - 0.25, f"Linux {result['kernel']['release']}, raw_hrtimer "
          f"{result['module']['git']}; {emulated}{result['machine']['cpu']}, "
          f"TSC {(result['machine']['khz'] or 0) / 1000:.1f} MHz", fontsize=7, color=GREY)
    metadata = {"Date": None, "Source": result["module"]["git"]}
    figure.savefig(path, metadata=metadata if path.endswith(".svg") else None,
                   facecolor="white", dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results")
    parser.add_argument("picture")
    args = parser.parse_args()
    with open(args.results, encoding="utf-8") as file:
        draw(json.load(file), args.picture)


main()
