# SPDX-License-Identifier: GPL-2.0
"""What tools/raw-hrtimer-top makes of the files that a machine's debugfs has.

The machine has no Python: the selftest attach.sh prints the files while all of KVM's timers are
hooked, tracepoints.sh prints a histogram of lateness, and the tool reads them here.
"""

import json
import re
import subprocess
import sys

from .. import cache
from ..cache import TREE
from .ktap import Count

_LINE = re.compile(r"\s*# debugfs (rate|counters|attach|trigger|hist) (.*)")
EVENT = "events/raw_hrtimer/expire"
CLOCK_PPM = 1       # it runs straight there, and dithers by less


def _tool(directory, *options):
    done = subprocess.run([sys.executable, TREE / "tools/raw-hrtimer-top", "--debugfs", directory,
                           "--lateness", "--tracefs", directory, "--interval", "0.1", *options],
                          capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise ValueError(f"status {done.returncode}, {done.stderr.strip()}")
    return done.stdout


def _wrong(files, data, metrics):
    """The first thing that is not as it has to be."""
    if data["kvm"] != "hooked" or data["alerts"]:
        return f"KVM is {data['kvm']}, alerts: {data['alerts']}"
    if not all(data["timers"][name]["covered"] for name in ("lapic", "hyperv", "xen")):
        return f"not covered: {data['timers']}"
    if abs(data["rate"]["ppm"]) > CLOCK_PPM:
        return f"the clock's rate is {data['rate']['ppm']} ppm"
    for line in (line for name in ("rate", "counters") for line in files[name]):
        name, value = line.split(": ")
        if name in ("mono/raw", "mono_mult", "raw_mult", "shift", "clocksource", "generation"):
            continue
        name += "" if name == "entries" else "_total"
        if f"raw_hrtimer_{name} {value}" not in metrics:
            return f"there is no metric raw_hrtimer_{name} of {value}"
    hits = sum(int(hits) for line in files["hist"] for hits in re.findall(r"hitcount: *(\d+)", line))
    late = (data["lateness"] or {}).get("shot_fn", {})
    if not hits or late.get("timers") != hits or late["cycles"] < hits:
        return f"of {hits} timers in the histogram: {data['lateness']}"
    if f'raw_hrtimer_late_cycles_count{{callback="shot_fn"}} {hits}' not in metrics:
        return "there is no metric of the histogram"
    return None


def judge(lines):
    """A Count of one test."""
    files = {}
    for match in filter(None, map(_LINE.fullmatch, lines)):
        files.setdefault(match[1], []).append(match[2])
    try:
        if len(files) != 5:
            raise ValueError(f"the machine has printed {sorted(files)}")
        with cache.scratch() as scratch:
            for name, text in files.items():
                folder = scratch / (EVENT if name in ("trigger", "hist") else "")
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text("\n".join(text) + "\n", encoding="utf-8")
            why = _wrong(files, json.loads(_tool(scratch, "--json")),
                         _tool(scratch, "--prometheus").splitlines())
    except ValueError as error:
        why = str(error)
    return Count(failures=[f"raw-hrtimer-top: {why}"]) if why else Count(passed=1)
