# SPDX-License-Identifier: GPL-2.0
"""The data files of Documentation/figures, made of what the last runs left in build/.

A data file is an object with
  command     what was run
  commit      git describe of the tree that was built
  date        of the run
  kernel      uname -r of the kernel in the machine
  images      digests of what the machines were made of (machines/machine.py): the same ones
              give the same figures
  results     the figures
"""

import json
import re
import time

from ..building import kernel
from ..cache import TREE
from ..machines.machine import image_of
from ..reports.plan import CONSTANT, SCHEDULES, SLEW_US
from ..suites import accuracy, record, reports

FOLDER = TREE / "Documentation/figures"

# The guests of "make bench", by the machine that runs them, and the schedules there.
ACCURACY = {
    "accuracy-1": [SCHEDULES[key] for key in CONSTANT[:3]],
    "accuracy-2": [SCHEDULES[key] for key in CONSTANT[3:]],
    "changes": [SCHEDULES["change"], SCHEDULES["chronyd"]],
}
# The suites that measure the same of a hooked and of a patched KVM.
WAYS = {"hooked": "vmx-timers-stock", "patched": "vmx-timers-patched"}
COST = ("vmx", "vmx-all")
# What the figures above a test of cost.sh's are of.
COST_PARTS = {
    "each can be measured": "before",
    "the listener can be measured": "listener",
    "another's hrtimer_start() while it is": "hooked",
    "all of them when KVM is gone: as before": "after",
}
# What people report, by the data file: the suites that try it, and who reads their logs.
REPORTED = {
    "flaky": (list(reports.FLAKY), reports.flaky_rows),
    "advance": (["vmx-advance"], reports.advance_rows),
    "beside": (["vmx-beside"], reports.latency_rows),
}


def _load(file):
    return json.loads(file.read_text(encoding="utf-8"))


def _date(file):
    return time.strftime("%Y-%m-%d", time.gmtime(file.stat().st_mtime))


def _newest(*files):
    found = [file for file in files if file.exists()]
    return max(found, key=lambda file: file.stat().st_mtime, default=None)


def _data(command, file, result, found):
    """A data file, of a results.json."""
    return {"command": command, "commit": result["module"]["git"], "date": _date(file),
            "kernel": result["kernel"]["release"], "images": result["machine"]["images"],
            "results": found}


def demo(build):
    """{"demo": ...}, of a demonstration at all rates with all KVMs."""
    file = _newest(build / "demo/results.json", build / "check/demo-all/results.json")
    if not file:
        return {}
    result = _load(file)
    if len(result["rates"]) < 5 or result["left_out"] or "images" not in result["machine"]:
        return {}
    return {"demo": _data("make demo", file, result, {
        key: result[key] for key in ("rates", "left_out", "passed", "failed")})}


def _without_samples(rows):
    return [{key: value for key, value in row.items() if key != "samples"} for row in rows]


def _job(result, name):
    if name == "slew":
        return _without_samples(row for row in result["accuracy"] if row["schedule"] == "chronyd"
                                and row["distance_us"] == SLEW_US)
    if name in ACCURACY:
        return _without_samples(row for row in result["accuracy"]
                                if row["schedule"] in ACCURACY[name])
    if name == "timers":
        return {key: result[key] for key in ("timers", "cost", "passes")}
    return result[name]


def bench(build):
    """What each machine of "make bench" measured, by its name."""
    files = [build / "bench/vmx/results.json", *(build / "check").glob("bench*/results.json")]
    found = {}
    for file in sorted((f for f in files if f.exists()), key=lambda f: f.stat().st_mtime):
        result = _load(file)
        if result["machine"]["name"] != "vmx" or "images" not in result["machine"]:
            continue
        for job, image in zip(result["jobs"], result["machine"]["images"]):
            if job in result.get("complaints", {}):     # older ones have none
                continue
            # The picture of a slew is drawn of what "changes" measures, too.
            for name in [job, *(["slew"] if job == "changes" else [])]:
                if name == "accuracy" or not (figures := _job(result, name)):
                    continue
                quick = " --quick" if result["quick"] else ""
                found[name] = _data(f"scripts/measure{quick} --only {job}", file, result, figures)
                found[name]["images"] = [image]
    return found


def _of_suites(build, names, figures):
    """A data file of suites' logs; nothing if one of them has not been run by this tree."""
    suites = record.read(build / "check")["suites"]
    logs = [build / f"check/{name}.machine.log" for name in names]
    if not all(name in suites for name in names) or not all(map(image_of, logs)):
        return None
    commits = list(dict.fromkeys(suites[name]["commit"] for name in names))
    release = re.search(rb"Linux version (\S+)", logs[0].read_bytes())
    return {"command": f"scripts/check {' '.join(names)}", "commit": ", ".join(commits),
            "date": suites[names[0]]["date"],
            "kernel": release[1].decode() if release else None,
            "images": list(map(image_of, logs)), "results": figures}


def other_kernels(build):
    """What "scripts/measure --kernel SERIES" has measured of a kernel other than stock."""
    found = {}
    for file in sorted((build / "bench").glob("vmx-*/results.json")):
        result, series = _load(file), file.parent.name.removeprefix("vmx-")
        if result["jobs"] == ["nodes", "guests"] and not result["complaints"] and not result["quick"]:
            found[f"kernel-{series}"] = _data(f"scripts/measure --kernel {series}", file, result, {
                "timers": result["timers"], "accuracy": _without_samples(result["accuracy"])})
    return found


_TOTALS = re.compile(r"# Totals: pass:(\d+) fail:0 skip:(\d+)")


def _release(build, release):
    """What the suite of a line of tested-kernels has left, if it has passed."""
    entry = record.read(build / "check")["suites"].get(release)
    runs = build / f"check/{release}/results.json"
    totals = next(filter(None, map(_TOTALS.fullmatch, _lines(build, release))), None)
    if not entry or entry["failed"] or not totals or not runs.exists():
        return None
    result = _load(runs)
    return {"release": release, "commit": entry["commit"], "date": entry["date"],
            "passed": int(totals[1]), "skipped": int(totals[2]), "expected": result["passed"],
            "runs": result["passed"] + result["failed"]}


def releases(build, folder=FOLDER):
    """A row for each line of tested-kernels: the new one, or the one that there was."""
    new = [row for release in kernel.tested() if (row := _release(build, release))]
    if not new:
        return {}
    file = folder / "releases.json"
    rows = {row["release"]: row for row in [*(_load(file)["results"] if file.exists() else []), *new]}
    newest = max(new, key=lambda row: row["date"])
    return {"releases": {"command": "scripts/check RELEASE", "commit": newest["commit"],
                         "date": newest["date"], "kernel": None, "images": [],
                         "results": [rows[name] for name in kernel.tested() if name in rows]}}


def _lines(build, suite):
    file = build / f"check/{suite}.log"
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []


def ways(build):
    """The guests' timers of a hooked and of a patched KVM: the latest, in cycles."""
    found = [{"kvm": way, "test": test, "timer": timer, "schedule": schedule, "latest": late.latest}
             for way, suite in WAYS.items()
             for (test, timer), schedules in accuracy.read(_lines(build, suite)).items()
             for schedule, late in schedules.items()]
    data = found and _of_suites(build, list(WAYS.values()), found)
    return {"ways": data} if data else {}


def read_cost(lines):
    """What cost.sh printed: {part: {name: instructions}}, of each part what was measured last, which
    is what its test has judged."""
    parts, last = {}, {}
    inside = False
    for line in lines:
        if line.strip() == "# Subtest: cost.sh":
            inside = True
        elif re.match(r"(not )?ok \d+ cost\.sh", line):
            break
        elif inside and (match := re.match(r"\s+# (?:cost|listener): (\w+): (-?\d+)$", line)):
            if match[1] in last:        # measured again
                last = {}
            last[match[1]] = int(match[2])
        elif inside and last and (match := re.match(r"\s+(?:not )?ok \d+ (.*)", line)):
            if match[1] in COST_PARTS:
                parts[COST_PARTS[match[1]]] = last
            last = {}
    return parts


def cost(build):
    """Instructions, as cost.sh counts them."""
    file = _newest(*(build / f"check/{suite}.log" for suite in COST))
    parts = read_cost(_lines(build, file.stem)) if file else {}
    data = _of_suites(build, [file.stem], parts) if "after" in parts else None
    return {"cost": data} if data else {}


def reported(build):
    """What came of the things that people report."""
    found = {}
    for name, (suites, rows_of) in REPORTED.items():
        rows = [row for suite in suites for row in rows_of(_lines(build, suite))]
        if data := rows and _of_suites(build, suites, rows):
            found[name] = data
    return found


def symptom(build):
    """The nested test with a clock that is 25 ppm slow: each run's status, and by how many cycles
    after its deadline L2 ran last."""
    found = [match.groups() for match in map(re.compile(
        r"\s*@ symptom (absent|loaded) (\d+) (-?\d+)").fullmatch, _lines(build, "symptom")) if match]
    data = len(found) == 6 and _of_suites(build, ["symptom"], [
        {"module": module, "status": int(status), "late": int(late)} for module, status, late in found])
    return {"symptom": data} if data else {}


def check(build):
    """How long a whole "make check" took, and how many tests it has."""
    whole = record.read(build / "check")["whole"]
    if not whole:
        return {}
    return {"check": {"command": "make check", "commit": whole["commit"], "date": whole["date"],
                      "kernel": None, "images": [], "results": whole}}


def collect(build):
    """Every data file that there are results for, by its name."""
    found = {}
    for source in (demo, bench, other_kernels, ways, cost, reported, symptom, releases, check):
        found |= source(build)
    return found


def read(folder=FOLDER):
    """The data files as they are in the tree."""
    return {file.stem: _load(file) for file in sorted(folder.glob("*.json"))}


def write(data, folder=FOLDER):
    folder.mkdir(exist_ok=True)
    for name, content in data.items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n",
                                             encoding="utf-8")
