#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draw the measurement's results: pictures.py RESULTS.json FOLDER

distance.svg: error against distance; slew.svg: error over time while chronyd slews;
histogram.svg: how early and late each variant's timers are.  Runs in the toolchain
root, which has matplotlib, and uses nothing else of the bench.
"""

import argparse
import json
import math
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

GREY = "#78909c"
VARIANTS = {
    "stock": ("stock KVM", "#c62828", "o"),
    "hooked": ("raw_hrtimer, stock KVM", "#1565c0", "s"),
    "patched": ("raw_hrtimer, patched KVM", "#2e7d32", "D"),
    "hardware": ("L2's timer in hardware", "#ef6c00", "^"),
    "both": ("L2's timer in hardware, raw_hrtimer", "#6a1b9a", "v"),
}
# While chronyd slews an L2 halts, and an hrtimer wakes it: not what the hardware is for.
SLEW_VARIANTS = ["stock", "hooked", "patched"]
SLEW_US = 100_000       # the timers that are shown while chronyd slews
GUESTS = {"lapic": "LAPIC TSC-deadline timer", "nested": "nested VMX-preemption timer",
          "spinning": "the same, L2 spins"}
STYLE = {"font.size": 9, "font.family": "sans-serif", "svg.hashsalt": "raw_hrtimer"}


def duration(us):
    """A length of time with its unit and sign."""
    if us == 0:
        return "0"
    sign = "\u2212" if us < 0 else ""
    for unit, size in (("s", 1e6), ("ms", 1e3), ("µs", 1)):
        if abs(us) >= size:
            return f"{sign}{abs(us) / size:.3g} {unit}"
    return f"{sign}{abs(us) * 1e3:.3g} ns"


def tick(value, _position=None):
    return duration(value)


def error_axis(axis, axes, ends=None, linear=1):
    """Microseconds, logarithmic on both sides of 0, up to whole decades; ends: the least
    and the most, if the axis is that of other axes as well."""
    if ends is None:
        ends = axis.get_data_interval()
    low, high = (math.copysign(10 ** math.ceil(math.log10(max(abs(end), 10))), end)
                 for end in ends)
    low = min(low, -10)
    getattr(axes, f"set_{axis.axis_name}scale")("symlog", linthresh=linear, linscale=0.5)
    getattr(axes, f"set_{axis.axis_name}lim")(low, high)
    # Where there are many, every other one, and none beside 0.
    decades = [10.0 ** n for n in (range(8) if max(-low, high) < 1e5 else range(1, 8, 2))]
    axis.set_ticks([-d for d in reversed(decades) if -d >= low] + [0]
                   + [d for d in decades if d <= high])
    axis.set_major_formatter(tick)
    axis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.grid(color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)


def unique(items, key):
    return list(dict.fromkeys(item[key] for item in items))


def save(figure, result, folder, name):
    machine = result["machine"]
    figure.text(0.01, 0.005, f"Linux {result['kernel']['release']}, raw_hrtimer "
                f"{result['module']['git']}; machine {machine['name']}: {machine['cpu']}, "
                f"TSC {machine['khz'] / 1000:.1f} MHz", fontsize=7, color=GREY)
    figure.savefig(folder / f"{name}.svg",
                   metadata={"Date": None, "Source": result["module"]["git"]})
    plt.close(figure)


def legend(figure, axes):
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=3, frameon=False,
                  bbox_to_anchor=(0.5, 0.955))


def draw_distance(result, folder):
    items = [a for a in result["accuracy"] if a["schedule"] != "chronyd"]
    if not items:
        return
    us = 1e3 / result["machine"]["khz"]
    guests, schedules = unique(items, "guest"), unique(items, "schedule")
    figure, grid = plt.subplots(len(guests), len(schedules), sharex=True, sharey=True,
                                squeeze=False,
                                figsize=(2.6 * len(schedules) + 1, 3.1 * len(guests) + 1))
    for row, guest in zip(grid, guests):
        for axes, schedule in zip(row, schedules):
            for place, (variant, (name, colour, marker)) in enumerate(VARIANTS.items()):
                mine = sorted((i for i in items if i["guest"] == guest and i["variant"] == variant
                               and i["schedule"] == schedule), key=lambda i: i["distance_us"])
                # Side by side, so that none hides another.
                x = [i["distance_us"] * 10 ** ((place - 2) * 0.11) for i in mine]
                y = [i["median"] * us for i in mine]
                axes.plot(x, y, color=colour, marker=marker, markersize=3.5, linewidth=0.8,
                          label=name)
                axes.vlines(x, [i["min"] * us for i in mine], [i["max"] * us for i in mine],
                            color=colour, linewidth=1.2, alpha=0.5)
            axes.set_xscale("log")
            axes.axhline(0, color="black", linewidth=1)
            axes.set_title(f"clock {schedule}".replace("-", "\u2212"), fontsize=9)
    error_axis(grid[0][0].yaxis, grid[0][0],
               (min(i["min"] for i in items) * us, max(i["max"] for i in items) * us))
    for row, guest in zip(grid, guests):
        row[0].set_ylabel(f"{GUESTS[guest]}\nearly \u2190   error   \u2192 late", fontsize=8)
        for axes in row:
            axes.grid(color="#e0e0e0", linewidth=0.6)
    for axes in grid[-1]:
        axes.set_xlabel("distance to the deadline")
        distances = sorted(unique(items, "distance_us"))
        axes.set_xticks(distances, [duration(d) for d in distances], rotation=60)
        axes.set_xticks([], minor=True)
    figure.suptitle("Error of guests' timers against distance: median, least and most",
                    weight="bold", fontsize=12)
    figure.subplots_adjust(left=0.09, right=0.99, top=0.87, bottom=0.17, wspace=0.06, hspace=0.12)
    legend(figure, grid[0][0])
    save(figure, result, folder, "distance")


def draw_slew(result, folder):
    items = [a for a in result["accuracy"]
             if a["schedule"] == "chronyd" and a["distance_us"] == SLEW_US]
    if not items:
        return
    khz = result["machine"]["khz"]
    guests = unique(items, "guest")
    figure, grid = plt.subplots(1 + len(guests), 1, sharex=True, squeeze=False,
                                figsize=(9, 1.8 + 2.8 * len(guests)),
                                height_ratios=[1] + [2] * len(guests))
    slew = [point for point in result["slew"]]
    grid[0][0].step([s for s, _, _ in slew],
                    [(t - 10000) / 100 + f / 65536 / 1e4 for _, t, f in slew], where="post",
                    color="black", linewidth=1)
    grid[0][0].set_ylabel("clock, %")
    grid[0][0].grid(color="#e0e0e0", linewidth=0.6)
    for (axes,), guest in zip(grid[1:], guests):
        for variant in SLEW_VARIANTS:
            name, colour, _ = VARIANTS[variant]
            for item in items:
                if (item["guest"], item["variant"]) != (guest, variant):
                    continue
                at, times = 0.0, []
                for late in item["samples"]:
                    at += item["distance_us"] / 1e6 + late / khz / 1e3
                    times.append(at)
                axes.plot(times, [late * 1e3 / khz for late in item["samples"]], color=colour,
                          linewidth=1, marker=".", markersize=2, label=name)
        axes.axhline(0, color="black", linewidth=1)
        axes.set_ylabel(f"{GUESTS[guest]}\nearly \u2190   error   \u2192 late")
        error_axis(axes.yaxis, axes)
    grid[-1][0].set_xlabel("seconds since the recording's start")
    figure.suptitle(f"Error of timers {duration(SLEW_US)} ahead while chronyd slews the clock", weight="bold",
                    fontsize=12)
    figure.subplots_adjust(left=0.13, right=0.98, top=0.87, bottom=0.1, hspace=0.1)
    legend(figure, grid[1][0])
    save(figure, result, folder, "slew")


def edges(most):
    """Bins of a third of a decade on both sides of 1 us, in us."""
    steps, edge = [1.0], 1.0
    while edge < most:
        edge *= 10 ** (1 / 3)
        steps.append(edge)
    return [-e for e in reversed(steps)] + steps


def draw_histogram(result, folder):
    items = result["accuracy"]
    if not items:
        return
    us = 1e3 / result["machine"]["khz"]
    samples = {v: [s * us for i in items if i["variant"] == v for s in i["samples"]]
               for v in unique(items, "variant")}
    bins = edges(max(abs(s) for all_of in samples.values() for s in all_of))
    figure, grid = plt.subplots(len(samples), 1, sharex=True, sharey=True, squeeze=False,
                                figsize=(8, 1 + 2.4 * len(samples)))
    grid = [axes for axes, in grid]
    for axes, (variant, mine) in zip(grid, samples.items()):
        name, colour, _ = VARIANTS[variant]
        early = sum(s < 0 for s in mine)
        axes.hist(mine, bins=bins, color=colour)
        axes.set_yscale("log")
        axes.axvline(0, color="black", linewidth=1)
        axes.set_ylabel("timers")
        axes.text(0.01, 0.86, f"{name}: {early:,} of {len(mine):,} early", color=colour,
                  weight="bold", transform=axes.transAxes)
        error_axis(axes.xaxis, axes)
    grid[-1].set_xlabel("early \u2190   error   \u2192 late")
    figure.suptitle("All timers: every guest, clock and distance", weight="bold", fontsize=12)
    figure.subplots_adjust(left=0.09, right=0.98, top=0.94, bottom=0.09, hspace=0.08)
    save(figure, result, folder, "histogram")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    with open(args.results, encoding="utf-8") as file:
        result = json.load(file)
    plt.rcParams.update(STYLE)
    draw_distance(result, args.folder)
    draw_slew(result, args.folder)
    draw_histogram(result, args.folder)


main()
