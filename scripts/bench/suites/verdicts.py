# SPDX-License-Identifier: GPL-2.0
"""Compares the verdicts of tests without the module and with it.

scripts/guest/verdicts.sh prints them.  The module may cure a test that fails
without it; anything else that differs is a failure, as long as the test says
the same whenever it is run without the module.
"""

from collections import Counter
import re

from ..cache import TREE
from .check import Suite, uses
from .ktap import Count

SCRIPT = TREE / "scripts/guest/verdicts.sh"

# The kernel's own that touch a timer, or what a guest knows of time.
KVM = ["vmx_preemption_timer_test", "nested_tsc_adjust_test", "nested_tsc_scaling_test",
       "tsc_msrs_test", "apic_bus_clock_test", "xapic_state_test", "xapic_tpr_test",
       "hyperv_clock", "kvm_clock_test", "state_test", "smm_test", "tsc_scaling_sync",
       "xapic_ipi_test", "xen_shinfo_test", "hyperv_features", "hyperv_evmcs",
       "nested_close_kvm_test", "nested_set_state_test", "system_counter_offset_test",
       "steal_time"]
TIMERS = ["raw_skew", "nanosleep", "set-timer-lat", "freq-step", "adjtick"]

# Of timeout(1), and of busybox's, which lets the signal's status through.
_NAMES = {0: "pass", 4: "skip", 124: "timeout", 137: "timeout", 143: "timeout",
          126: "missing", 127: "missing"}
_LINE = re.compile(r"verdict (\d+) (absent|loaded) (\d+) (\S+)$")
LAST = "verdicts complete"


def name(status):
    """A verdict in a word.  How a test fails is its own matter."""
    return _NAMES.get(status, "fail")


def parse(lines):
    """{(tick, test): {"absent": [verdict], "loaded": [verdict]}}"""
    found = {}
    for line in lines:
        if match := _LINE.match(line):
            tick, module, status, test = match.groups()
            runs = found.setdefault((int(tick), test), {"absent": [], "loaded": []})
            runs[module].append(name(int(status)))
    return found


def _tell(verdicts):
    return ", ".join(f"{n} {word}" if len(verdicts) > 1 else word
                     for word, n in Counter(verdicts).items())


def judge(absent, loaded):
    """(ok, sentence, whether nothing can be said) for one test at one rate."""
    without, with_it = set(absent), set(loaded)
    told = f"without {_tell(absent)}, with {_tell(loaded)}"
    if not absent or not loaded or "missing" in without | with_it:
        return False, f"not run both ways: {told}", False
    if len(without) > 1:
        # What it says without the module it may say with it, and it may pass.
        if with_it - without - {"pass"}:
            return False, told, False
        return True, f"does not repeat without the module: {told}", True
    if without == with_it:
        # Neither says anything of the module, but then it has changed nothing.
        return True, f"{absent[0]} both ways", absent[0] != "pass"
    if with_it == {"pass"} and without <= {"fail", "timeout"}:
        return True, f"cured: {told}", False
    return False, told, False


def compare(lines, status, ticks, tests):
    """(Count, KTAP lines) of what the script has printed."""
    found = parse(lines)
    count = Count()
    ktap = ["TAP version 13", f"1..{len(ticks) * len(tests)}"]
    number = 0
    for tick in ticks:
        for test in tests:
            number += 1
            runs = found.get((tick, test), {"absent": [], "loaded": []})
            ok, sentence, nothing = judge(runs["absent"], runs["loaded"])
            line = f"{test} at tick {tick}"
            ktap.append(f"{'ok' if ok else 'not ok'} {number} {line}: {sentence}"
                        + (" # SKIP" if ok and nothing else ""))
            if not ok:
                count.failures.append(f"{line}: {sentence}")
            elif nothing:
                count.skipped += 1
            else:
                count.passed += 1
    if status or LAST not in lines:
        count.failures.append(f"the machine's script did not end: exit status {status}")
    return count, ktap


def suite(*options, tests, ticks=("10000",), limit=120, timeout=1500):
    """A suite of "make check": tests, each of which may take so many seconds, in the
    machine that the options are for, at each tick of the clock."""
    def run(context):
        lines, status = context.command(
            [TREE / "scripts/vm", "--timeout", timeout,
             "--keep-log", context.log.with_suffix(".machine.log"), *options,
             "--add", f"{SCRIPT}:/verdicts.sh", "--", "sh", "/verdicts.sh",
             "--ticks", " ".join(ticks), "--limit", limit, *tests], timeout=timeout + 600)
        count, told = compare(lines, status, [int(tick) for tick in ticks], tests)
        for line in told:
            context.note(line)
        return count
    return uses(run, *options, "/verdicts.sh", *tests)


def suites(needs):
    """All of them in both machines, with both KVMs, at three rates; change_skew, which
    spins for minutes of the machine's time, where that is cheap."""
    found = [Suite(f"{machine}-verdicts-{kind}", suite(
        "--machine", machine, "--kvm", kind, tests=KVM, ticks=["10000", "11000", "9000"],
        timeout=7200), needs, long=True)
        for machine in ("vmx", "svm") for kind in ("stock", "patched")]
    found.append(Suite("vmx-verdicts-timers", suite(tests=TIMERS, limit=900, timeout=7200),
                       needs, long=True))
    found.append(Suite("svm-verdicts-timers", suite(
        "--machine", "svm", tests=["change_skew"], limit=3600, timeout=10800), needs, long=True))
    return found
