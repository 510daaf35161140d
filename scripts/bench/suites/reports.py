# SPDX-License-Identifier: GPL-2.0
"""The suites of what people report of KVM's timers (Documentation/reports.rst), each tried
without the module and with it."""

from collections import Counter
import re

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
SCHEDULES = "0 +25ppm -25ppm +500ppm -500ppm"
SLEW = "chronyd"


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


# --- the suites ---------------------------------------------------------------------

def _suite(script, judge, *options, command, timeout=900):
    def run(context):
        lines, status = context.command(
            [TREE / "scripts/vm", "--timeout", timeout,
             "--keep-log", context.log.with_suffix(".machine.log"), *options,
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

    svm_machine = ("--machine", "svm", "--cpus", 2, "--append", timers.CONSTANT_TSC)
    return [
        tests("vmx-flaky", 1, "-25ppm", TIMER + OTHERS, seconds=60),
        tests("vmx-flaky-timer", 2, SCHEDULES, TIMER, seconds=240, long=True),
        tests("vmx-flaky-others", 5, SCHEDULES, OTHERS, seconds=150, long=True),
        tests("vmx-flaky-chronyd", 3, SLEW, TIMER + OTHERS, seconds=120, long=True),
        tests("vmx-flaky-20", 20, f"{SCHEDULES} {SLEW}", TIMER + OTHERS, seconds=3600, long=True),
        tests("svm-flaky-20", 20, f"{SCHEDULES} {SLEW}", OTHERS, svm, svm_machine, seconds=900,
              long=True),
        Suite("vmx-edges", kvm_tests(tests=[*EDGES, f"{STOPPED} 3"], schedules="random",
                                     with_module=True), vmx, seconds=45),
        Suite("vmx-edges-long", kvm_tests(tests=[*EDGES, f"{STOPPED} 30"], with_module=True,
                                          schedules="0 +10% -10% random"), vmx, long=True),
        Suite("vmx-edges-absent", kvm_tests(tests=[*EDGES, f"{STOPPED} 30"]), vmx, long=True),
        Suite("svm-edges", kvm_tests(*svm_machine, tests=EDGES, schedules="0 +10% -10% random",
                                     with_module=True), svm, long=True)]
