# SPDX-License-Identifier: GPL-2.0
"""The suites of what people report of KVM's timers (Documentation/reports.rst), each tried
without the module and with it."""

from collections import Counter
import re

from ..building import load
from ..cache import TREE
from . import timers
from .check import Suite, uses
from .ktap import Count

GUEST = TREE / "scripts/guest"

# What a continuous integration of KVM marks as flaky, by the names of Linux 7.3: what was
# vmx_tsc_adjust_test is nested_tsc_adjust_test, tsc_scaling_test nested_tsc_scaling_test.
TIMER = ["vmx_preemption_timer_test"]
OTHERS = ["kvm_clock_test", "tsc_msrs_test", "nested_tsc_adjust_test", "nested_tsc_scaling_test",
          "system_counter_offset_test", "nested_exceptions_test"]
# What a guest or a monitor may ask for, and seldom does.
EDGES = ["hyperv_stimer_edge_test", "xen_timer_edge_test"]
STOPPED = "apic_timer_stopped_test"
SKIP = 4        # exit status
SCHEDULES = ["0", "+25ppm", "-25ppm", "+500ppm", "-500ppm", "chronyd"]
# A suite for each, of which none takes an hour.
FLAKY = {f"vmx-flaky-{schedule}": schedule for schedule in SCHEDULES}

BESIDE = ["sleep 3", "apic_timer_accuracy_test --exact --mode tscdeadline --wait halted "
          "--distance 1000 --samples 3000"]
LOADED = [f"{test} --exact --wait halted --distance 10000 --samples 20" for test in (
    "apic_timer_accuracy_test --mode tscdeadline", "hyperv_stimer_accuracy_test --mode oneshot",
    "xen_timer_accuracy_test")]
NESTED = "nested_preemption_timer_accuracy_test --exact --distance 10000 --samples 20"

# What the advance may differ by from what it is at the nominal rate.
ADVANCE_NS = 300
# What cyclictest's threads may wake later in the mean, and at most: less than a tick takes.
LATER_NS, LATEST_NS = 100, 5000


def _rows(lines, kind, pattern):
    found = [re.fullmatch(rf"{kind} {pattern}", line) for line in lines]
    return [match.groups() for match in found if match]


def _complete(lines, kind, status):
    if status or f"{kind} complete" not in lines:
        return [f"the machine's script did not end: exit status {status}"]
    return []


# --- tests that fail now and then ---------------------------------------------------

def flaky(lines):
    """{(schedule, test): {"absent": [status], "loaded": [status]}}"""
    found = {}
    for schedule, state, status, test in _rows(lines, "flaky", r"(\S+) (absent|loaded) (\d+) (\S+)"):
        found.setdefault((schedule, test), {"absent": [], "loaded": []})[state].append(int(status))
    return found


def flaky_rows(lines):
    """The same as a list, for the figures: of so many runs, how many have passed."""
    return [{"schedule": schedule, "test": test, "runs": len(runs["absent"]),
             **{state: codes.count(0) for state, codes in runs.items()}}
            for (schedule, test), runs in flaky(lines).items()]


def judge_flaky(lines, status):
    """With the module a test passes each time.  Where one other than that of the timer fails
    without it as well, it says nothing of the module.  (Count, KTAP)"""
    count, told = Count(failures=_complete(lines, "flaky", status)), []
    found = flaky(lines)
    for (schedule, test), runs in found.items():
        absent, loaded = (Counter(runs[state]) for state in ("absent", "loaded"))
        line = (f"{test} at {schedule}: passes {absent[0]} of {len(runs['absent'])} without, "
                f"{loaded[0]} of {len(runs['loaded'])} with")
        number = len(told) + 1
        if runs["loaded"] and set(loaded) == {0}:
            count.passed += 1
            told.append(f"ok {number} {line}")
        elif set(loaded) == set(absent) == {SKIP}:
            count.skipped += 1
            told.append(f"ok {number} {line} # SKIP it does not run on this processor")
        elif test not in TIMER and set(absent) - {0} and loaded:
            count.skipped += 1
            told.append(f"ok {number} {line} # SKIP it fails without the module as well")
        else:
            count.failures.append(line)
            told.append(f"not ok {number} {line}")
    return count, told


# --- the advance that KVM adapts ----------------------------------------------------

def advances(lines):
    """{(ppm, us): {"absent": ns, "loaded": ns}}"""
    found = {}
    for ppm, state, us, ns in _rows(lines, "advance", r"(-?\d+) (absent|loaded) (\d+) (\d+)"):
        found.setdefault((int(ppm), int(us)), {})[state] = int(ns)
    return found


def advance_rows(lines):
    return [{"ppm": ppm, "us": us, **ns} for (ppm, us), ns in advances(lines).items()]


def judge_advance(lines, status):
    """With the module it is what it is at the nominal rate."""
    count, told = Count(failures=_complete(lines, "advance", status)), []
    found = advances(lines)
    for (ppm, us), ns in found.items():
        nominal = found.get((0, us), {}).get("loaded")
        line = f"{us} us at {ppm:+} ppm: {ns.get('absent')} ns without, {ns.get('loaded')} ns with"
        passed = None not in (nominal, ns.get("loaded")) and abs(ns["loaded"] - nominal) <= ADVANCE_NS
        told.append(f"{'ok' if passed else 'not ok'} {len(told) + 1} {line}")
        if passed:
            count.passed += 1
        else:
            count.failures.append(f"{line}, {nominal} at the nominal rate")
    return count, told


# --- beside others' timers ----------------------------------------------------------

def latencies(lines):
    """{(tick, test): {state: (samples, min, avg, max)}}, in ns"""
    found = {}
    for tick, state, *numbers, test in _rows(
            lines, "latency", r"(\d+) (absent|loaded) (\d+) (\d+) (\d+) (\d+) (.+)"):
        found.setdefault((int(tick), test), {})[state] = tuple(map(int, numbers))
    return found


def latency_rows(lines):
    return [{"tick": tick, "test": test, "state": state,
             **dict(zip(("samples", "min", "avg", "max"), ns))}
            for (tick, test), states in latencies(lines).items() for state, ns in states.items()]


def judge_beside(strictly):
    """Each guest's timers are in time with the module; strictly: and others' are as before."""
    def judge(lines, status):
        count, told = Count(failures=_complete(lines, "beside", status)), []

        def test(passed, line):
            told.append(f"{'ok' if passed else 'not ok'} {len(told) + 1} {line}")
            if passed:
                count.passed += 1
            else:
                count.failures.append(line)

        statuses = {}
        for tick, state, code, name in _rows(lines, "beside", r"(\d+) (absent|loaded) (\d+) (.+)"):
            statuses.setdefault((tick, name), {})[state] = int(code)
        for (tick, name), code in statuses.items():
            test(code.get("loaded") == 0, f"{name} at tick {tick}: exit status "
                 f"{code.get('absent')} without, {code.get('loaded')} with")
        for (tick, name), ns in latencies(lines).items():
            line = f"cyclictest beside {name} at tick {tick}: " + ", ".join(
                f"{state}: {n} samples, min {least} avg {mean} max {most} ns"
                for state, (n, least, mean, most) in ns.items())
            if len(ns) < 2 or not all(row[0] for row in ns.values()):
                test(False, line)
            elif strictly:
                more = [b - a for a, b in zip(ns["absent"][2:], ns["loaded"][2:])]
                test(more[0] <= LATER_NS and more[1] <= LATEST_NS, line)
            else:
                told.append(f"# {line}")
        if not told:
            count.failures.append("nothing was measured")
        return count, told
    return judge


# --- the suites ---------------------------------------------------------------------

def _suite(script, judge, *options, command, with_load=False, timeout=900):
    def run(context):
        added = ["--add", f"{load.ensure_load()}:/load"] if with_load else []
        lines, status = context.command(
            [TREE / "scripts/vm", "--timeout", timeout,
             "--keep-log", context.log.with_suffix(".machine.log"), *options, *added,
             "--add", f"{GUEST / script}:/{script}", "--", "sh", f"/{script}", *command],
            timeout=timeout + 600)
        count, told = judge(lines, status)
        for line in told:
            context.note(line)
        return count
    return uses(run, *options, f"/{script}", *command)


def suites(kvm_tests, vmx, svm):
    """vmx, svm: what those of the machine have to wait for."""
    def tests(name, runs, schedules, names, after=vmx, machine=(), **more):
        return Suite(name, _suite("flaky.sh", judge_flaky, *machine, timeout=20000, command=[
            "--runs", runs, "--schedules", schedules, *names]), after, **more)

    def beside(name, *options, command, after, strictly=False, **more):
        return Suite(name, _suite("beside.sh", judge_beside(strictly), *options, command=command,
                                  with_load=True, timeout=3000), after, **more)

    svm_machine = ("--machine", "svm", "--cpus", 2, "--append", timers.CONSTANT_TSC)
    return [
        *[tests(name, 20, schedule, TIMER + OTHERS, seconds=400, long=True)
          for name, schedule in FLAKY.items()],
        tests("svm-flaky", 20, " ".join(SCHEDULES), OTHERS, svm, svm_machine, seconds=900,
              long=True),
        Suite("vmx-edges", kvm_tests(tests=[*EDGES, f"{STOPPED} 3"], schedules="random",
                                     with_module=True), vmx, seconds=45),
        Suite("vmx-edges-long", kvm_tests(tests=[*EDGES, f"{STOPPED} 30"], with_module=True,
                                          schedules="0 +10% -10% random"), vmx, long=True),
        Suite("vmx-edges-absent", kvm_tests(tests=[*EDGES, f"{STOPPED} 30"]), vmx, long=True),
        Suite("svm-edges", kvm_tests(*svm_machine, tests=EDGES, schedules="0 +10% -10% random",
                                     with_module=True), svm, long=True),
        Suite("vmx-advance", _suite("advance.sh", judge_advance, *timers.HRTIMERS, command=[]), vmx,
              seconds=120, long=True),
        beside("vmx-beside", command=BESIDE, after=vmx, strictly=True, seconds=60, long=True),
        beside("vmx-load", command=["--load", "--ticks", "11000", *LOADED[:1], NESTED], after=vmx,
               seconds=300, long=True),
        beside("svm-load", *svm_machine, command=["--load", "--ticks", "10000 11000 9000", *LOADED],
               after=svm, seconds=120, long=True)]
