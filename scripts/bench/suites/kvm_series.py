# SPDX-License-Identifier: GPL-2.0
"""The suites of the series in patches/kvm: what each corrects, and restores in each order."""

from ..cache import TREE
from . import last_tsc
from .check import Suite
from .storms import TSC_RESTARTS

NESTED = ["nested_preemption_timer_save_test --exact", "nested_preemption_timer_restore_test"]
SET_CLOCK = ["hyperv_stimer_set_clock_test", "xen_timer_set_clock_test"]
FIXES = ["nested_preemption_timer_restore_test", "apic_timer_test", *SET_CLOCK]
HARDWARE = ["vmx_preemption_timer_test", *NESTED,
            "nested_preemption_timer_accuracy_test --exact --distance 100 --distance 10000 "
            "--samples 20"]
BOTH = [*HARDWARE, "nested_timers_test --exact"]
# Timers that are restored into a new VM, and a clock that is set under them.
RESTORE = ["apic_timer_restore_test", *SET_CLOCK]
# Of the series: they allow for what NTP makes of a timer.
NTP = [NESTED[0].removesuffix(" --exact"), "nested_timers_test",
       *(f"{timer}_accuracy_test --distance 10000 --samples 5"
         for timer in ("nested_preemption_timer", "apic_timer", "hyperv_stimer", "xen_timer"))]
EARLY = TREE / "scripts/guest/early-timer.sh"
# Of 32: the processor's timer holds 1.4 ms, and is early for 10 ms and more.
EARLY_BITS = 16
EACH_RATE = "0 +500ppm -500ppm +10% -10% random"
RUNS = 20


def suites(vm, kvm_tests, vmx, svm):
    """The suites; vmx, svm: what those of the machine have to wait for."""
    def two(kind, name, tests, **options):
        return Suite(f"vmx-nested-{name}", kvm_tests(
            "--kvm", kind, "--cpus", 2, tests=tests, **options.pop("run")), vmx, **options)

    def runs(kind, **options):
        # With one processor: two take their turns in the emulator, of several instructions each,
        # and the way into L2 is not of the same length each time.
        return Suite(f"vmx-nested-{kind}-runs", kvm_tests(
            "--kvm", kind, tests=HARDWARE[:1], schedules=EACH_RATE, runs=RUNS, timeout=9000,
            judge=last_tsc.judge(RUNS), **options), vmx, seconds=1500, long=True)

    found = [
        Suite("vmx-fixes", kvm_tests("--kvm", "fixes", tests=FIXES), vmx, seconds=60),
        Suite("vmx-fixes-long", kvm_tests("--kvm", "fixes", tests=FIXES, schedules="+500ppm"), vmx,
              seconds=60, long=True),
        Suite("vmx-fixes-ntp", kvm_tests("--kvm", "fixes", tests=NTP, schedules="+500ppm -500ppm"),
              vmx, seconds=150, long=True),
        # The TSC restarts when the machine is suspended to RAM.
        Suite("vmx-fixes-suspend", kvm_tests("--kvm", "fixes", *TSC_RESTARTS,
                                             tests=["apic_timer_suspend_test"]), vmx, seconds=60,
              long=True),
        # Not with the real-time priority of the others: when the second CPU is offline, what the
        # test has running would leave nothing of the first for the kernel's threads.
        Suite("svm-fixes", vm("--machine", "svm", "--cpus", 2, "--kvm", "fixes", command=[
            "sh", "-c", "modprobe kvm-amd && /selftests/tsc_cpu_online_test"]), svm, cores=0.5,
            seconds=50),
        # L2's timer in the processor's, which needs no module. The APIC timer is an hrtimer while
        # L2 is halted, and is exact with the module alone.
        # Those that it has in common with the other series run with these, or with both.
        *[Suite(f"vmx-nested-hardware{suffix}", kvm_tests(
            "--kvm", "hardware", tests=tests, schedules=schedules), vmx, seconds=seconds,
            long=bool(suffix))
          for suffix, tests, schedules, seconds in (
              ("", HARDWARE[-1:], "random", 30),
              ("-rates", HARDWARE, "0 -10% +10% random", 300))],
        # Not nested_timers_test: KVM does not look again at an APIC timer that is early in L1.
        Suite("vmx-nested-early", kvm_tests(
            "--kvm", "hardware", "--timer-bits", EARLY_BITS, "--add", f"{EARLY}:/early-timer.sh",
            before=["sh", "/early-timer.sh"], tests=HARDWARE, schedules="0 random"), vmx,
              seconds=60, long=True),
        two("both", "both", BOTH, run={"with_module": True, "schedules": "random"}, seconds=70,
            long=True),
        two("both", "both-rates", BOTH, run={"with_module": True, "schedules": "-10% +10%"},
            seconds=80, long=True),
        runs("hardware"),
        runs("both", with_module=True),
        two("both", "timers-runs", BOTH[-1:],
            run={"with_module": True, "schedules": "random", "runs": RUNS, "timeout": 9000},
            seconds=600, long=True),
    ]
    # Stock KVM has to pass the first as well: no other KVM may do worse.  In make check a patched
    # one does all of them, beside others of its tests (vmx-nested).
    for machine, after in ("vmx", vmx), ("svm", svm):
        for kind, tests, module in (("stock", RESTORE[:1], False), ("fixes", RESTORE, False),
                                    ("patched", RESTORE, True)):
            found.append(Suite(f"{machine}-restore-{kind}", kvm_tests(
                "--machine", machine, "--kvm", kind, tests=tests, with_module=module,
                schedules="0 random" if module else "0"), after, seconds=20, long=True))
    return found
