# SPDX-License-Identifier: GPL-2.0
"""The tests of the series' patches: each fails before its patch and passes from it on."""

from dataclasses import dataclass

from .storms import TSC_RESTARTS

# What they run in, and the options of scripts/vm for it.
MACHINES = {
    "vmx": [],
    "vmx-suspend": TSC_RESTARTS,
    "svm": ["--machine", "svm", "--cpus", 2],
}
# KVM runs at all with each patch, and a nested guest that is saved and restored in it.
ALWAYS = "vmx_preemption_timer_test"

RESTORE = "nested_preemption_timer_restore_test"
EXACT = "--exact --wait halted --distance 10000 --samples 5"
# Cycles.  At 90 % of the rate a timer 10 ms ahead is 1.6 million late.
LATE = f"{EXACT} --max-late 200000"
APIC = "apic_timer_accuracy_test --mode"
HYPERV = "hyperv_stimer_accuracy_test --mode"


@dataclass(frozen=True)
class PatchTest:
    patch: str              # its series and number
    test: str
    case: str = "-"         # of the test's, the one that is looked at; -: all of them
    schedule: str = "-"     # of the clock, as rate_schedule knows it; -: it is left alone
    module: str = "-"       # the module is loaded, and registered
    machine: str = "vmx"


TESTS = [
    PatchTest("fixes/0001", RESTORE, "deadline passed"),
    PatchTest("fixes/0001", RESTORE, "deadline passed, TSC wrapped"),
    PatchTest("fixes/0002", RESTORE, "deadline beyond 2^64 / 10^6 cycles"),
    PatchTest("fixes/0003", RESTORE, "deadline to come, TSC restored last"),
    PatchTest("fixes/0003", RESTORE, "deadline passed, TSC restored last"),
    PatchTest("fixes/0004", "nested_preemption_timer_save_test", schedule="-10%"),
    PatchTest("fixes/0005", "apic_timer_test", "TSC deadline, beyond 2^64 / 10^6 cycles"),
    PatchTest("fixes/0006", "apic_timer_test", "one-shot, TSC written forward"),
    PatchTest("fixes/0006", "apic_timer_test", "periodic, TSC written back"),
    PatchTest("fixes/0007", "apic_timer_suspend_test", machine="vmx-suspend"),
    PatchTest("fixes/0008", "tsc_cpu_online_test", machine="svm"),
    PatchTest("fixes/0009", "hyperv_stimer_set_clock_test", "set beyond"),
    PatchTest("fixes/0010", "xen_timer_set_clock_test", "set beyond"),
    PatchTest("fixes/0010", "xen_timer_set_clock_test", "set back"),
    # 0001 makes a read cheaper, 0002 adds what the others use, and 0004 needs a vCPU that moves
    # while the rate changes: the storms' business.
    PatchTest("provider/0003", f"nested_preemption_timer_accuracy_test {EXACT}",
              schedule="+10%", module="module"),
    PatchTest("provider/0005", f"{APIC} tscdeadline {EXACT}", schedule="+10%", module="module"),
    # KVM lets none of these be early.
    PatchTest("provider/0006", f"{HYPERV} oneshot {LATE}", schedule="-10%", module="module"),
    PatchTest("provider/0007", f"xen_timer_accuracy_test {EXACT}", schedule="+10%",
              module="module"),
    PatchTest("provider/0008", f"{APIC} oneshot {EXACT}", schedule="+10%", module="module"),
    PatchTest("provider/0008", f"{APIC} periodic {EXACT}", schedule="+10%", module="module"),
    PatchTest("provider/0009", f"{HYPERV} oneshot-msr {LATE}", schedule="-10%", module="module"),
    # 0001 adds what it calls.
    PatchTest("nested-hv-timer/0002", ALWAYS, schedule="+10%"),
    PatchTest("nested-hv-timer/0002", ALWAYS, schedule="-10%"),
]


@dataclass(frozen=True)
class Line:
    """A test with the KVM of a step, as scripts/guest/each-patch.sh reads it."""
    step: int               # so many patches of the series
    patch: str
    verdict: str            # pass or fail: what is expected
    test: PatchTest

    def __str__(self):
        test = self.test
        return ";".join(map(str, (self.step, self.patch, self.verdict, test.module, test.schedule,
                                  test.case, test.test)))


def plan(names, machine):
    """The lines for a machine.  names: of a series' patches, in order, as fixes/0001-*.patch."""
    found = []
    for step, name in enumerate(names, 1):
        patch = name.split("-KVM")[0]
        if machine == "vmx":
            found.append(Line(step, patch, "pass", PatchTest(patch, ALWAYS, schedule="0")))
        for test in TESTS:
            if (test.patch, test.machine) == (patch, machine):
                found += [Line(step - 1, patch, "fail", test), Line(step, patch, "pass", test)]
    return sorted(found, key=lambda line: line.step)


def words(series):
    """Of the commands that test a series, for scripts/check --changed."""
    return [ALWAYS, *(test.test for test in TESTS if test.patch.startswith(f"{series}/"))]
