# SPDX-License-Identifier: GPL-2.0
"""The suites of the guests' timers: each timer's guest under each schedule of the clock."""

from . import accuracy
from .check import Suite

TIMERS = ["nested_preemption_timer_accuracy_test", "xen_timer_accuracy_test",
          "apic_timer_accuracy_test --mode tscdeadline",
          "apic_timer_accuracy_test --mode oneshot",
          "hyperv_stimer_accuracy_test --mode oneshot",
          "hyperv_stimer_accuracy_test --mode periodic"]
# Of a KVM that is hooked, early by the skew of whatever comes between the guest's write and the
# arming: on a machine that is shared that may be its own processor's absence.
LOOSE = "apic_timer_accuracy_test --mode oneshot"
# Hooked, exact where its hrtimer runs it, see Documentation/kvm.rst.
PERIODIC = ["apic_timer_accuracy_test --mode periodic"]
# What a KVM that is hooked leaves as it is.
COUNT = ["apic_timer_accuracy_test --mode count"]
WRITTEN = ["apic_timer_accuracy_test --mode oneshot-written",
           "apic_timer_accuracy_test --mode periodic-written"]
# Without a TSC page, and by messages: a patched KVM's other way to the deadline.
NO_PAGE = [f"hyperv_stimer_accuracy_test --mode {mode}"
           for mode in ("oneshot-msr", "periodic-msr", "oneshot-message", "oneshot-msr-message")]
MORE = {"patched": PERIODIC, "stock": []}

# KVM runs the APIC timer of a vCPU that does not halt in the VMX-preemption timer, as on each
# of Intel's processors.  With this the module sees all of them, as on AMD's.
HRTIMERS = ("--append", "kvm_intel.preemption_timer=0")

# What rate_schedule.c knows; kvm-tests.sh knows "chronyd", too.
CONSTANT = f"{accuracy.NOMINAL} +500ppm -500ppm +10% -10%"
FAST_AND_SLOW = f"{accuracy.NOMINAL} +10% -10%"
PPM = f"{accuracy.NOMINAL} +500ppm -500ppm"
CHANGING = "up down random offset"

# QEMU's emulated processor does not say that its TSC is constant, which KVM wants to know
# for the Xen timer.
CONSTANT_TSC = "setcpuid=constant_tsc"

# One timer at a time, long enough to be pending when the rate changes.
HALTED = "--wait halted --distance 100000 --samples 8"
SPINNING = "--wait spinning --distance 100000 --samples 8"
# So many that all that chronyd sets to slew once falls into them.
WHILE_SLEWED = "--wait halted --distance 100000 --samples 30"
SHORTER = "--distance 100 --distance 10000 --samples 5"
# The rates of guests' TSCs, in percent of the host's.
SCALED = [f"--tsc {percent} --wait halted --distance 10000 --samples 5" for percent in (75, 150)]
LONGER = "--distance 10 --distance 1000 --distance 1000000"
# In us.  The APIC counts nanoseconds, in 32 bits.
FARTHEST, FARTHEST_COUNT = 10_000_000, 4_000_000


def is_count(test):
    """Whether a guest's timer is the APIC's count."""
    return test.startswith("apic") and not test.endswith("tscdeadline")


def each(tests, options):
    """The tests, each with the options, and without allowance for the clock's rate."""
    return [f"{test} --exact {options}" for test in tests]


def suites(kvm_tests, vmx, svm):
    """The suites; vmx, svm: what those of the machine have to wait for.

    Late is what is more than at the nominal rate, on the machine where that is the same
    each time, with one processor.  On the others no timer may be early, and that is all.
    """
    found = []

    def on_vmx(name, way, guests, schedules, *, machine=(), long=False, seconds=60, **options):
        found.append(Suite(f"vmx-{name}", kvm_tests(
            "--kvm", way, *machine, tests=guests, schedules=schedules, with_module=True,
            judge=accuracy.judge(), **options), vmx, seconds=seconds, long=long))

    def never_early(machine, cpus, way, tests, after):
        found.append(Suite(f"{machine}-timers-{cpus}-{way}", kvm_tests(
            "--machine", machine, "--cpus", cpus, "--kvm", way, "--append", CONSTANT_TSC,
            with_module=True, tests=tests,
            schedules=f"{CONSTANT} {CHANGING}"), after, seconds=30, long=True))

    for way, more in MORE.items():
        tests = each(TIMERS[:1], SPINNING) + each(TIMERS + more, HALTED)
        on_vmx(f"timers-{way}", way, tests, f"{FAST_AND_SLOW} {CHANGING}", seconds=80,
               long=way == "patched")
        on_vmx(f"timers-{way}-ppm", way, tests, PPM, seconds=40, long=True)
        on_vmx(f"chronyd-{way}", way, each(TIMERS + more, WHILE_SLEWED),
               f"{accuracy.NOMINAL} chronyd", seconds=30, long=way == "patched")
    for way, more in MORE.items():
        apic = [test for test in TIMERS + PERIODIC if test.startswith("apic")]
        tests = (each(apic, SPINNING) + each(apic, HALTED)
                 + (each(WRITTEN, HALTED) if more else []))
        if way == "stock":
            on_vmx("hrtimers", way, each(apic, SPINNING), f"{accuracy.NOMINAL} +10% random",
                   machine=HRTIMERS, seconds=40)
        on_vmx(f"hrtimers-{way}", way, tests, f"{CONSTANT} {CHANGING}", machine=HRTIMERS,
               seconds=120, long=True)
    on_vmx("hyperv-patched", "patched", each(NO_PAGE, HALTED) + each(NO_PAGE, SHORTER),
           f"{FAST_AND_SLOW} random",
           seconds=40, long=True)
    # L2's own timer in hardware, halted or not; the module is there for the APIC's.
    on_vmx("timers-both", "both", each(TIMERS[:1], SPINNING) + each(TIMERS[:3], HALTED),
           f"{FAST_AND_SLOW} {CHANGING}", seconds=60, long=True)
    for way, more in MORE.items():
        tests = (each(TIMERS + more, SHORTER)
                 + (each(COUNT + WRITTEN, SHORTER) if more else []))
        on_vmx(f"distances-{way}", way, tests, f"{accuracy.NOMINAL} random", seconds=45,
               long=way == "stock")
        on_vmx(f"distances-{way}-rates", way, tests, CONSTANT, seconds=90, long=True)
    for way, more in MORE.items():
        on_vmx(f"scaled-{way}", way,
               [test for options in SCALED for test in each(TIMERS + more, options)],
               f"{FAST_AND_SLOW} random", seconds=100, long=True)
    # Hooked, that is no better than before, but may not be worse.
    on_vmx("others-stock", "stock", each(PERIODIC + COUNT, SHORTER), accuracy.NOMINAL,
           seconds=27, long=True)
    for way, more in MORE.items():
        on_vmx(f"distances-{way}-long", way, each(TIMERS + more, LONGER), CONSTANT,
               long=True, timeout=7200)
        for us, counts in (FARTHEST, False), (FARTHEST_COUNT, True):
            on_vmx(f"{us // 10**6}-seconds-{way}", way,
                   each([test for test in TIMERS + more if is_count(test) == counts],
                        f"--wait halted --distance {us} --samples 8"),
                   f"{CONSTANT} {CHANGING}", distance=us, long=True, timeout=7200)
    # 100,000 periods: what is wrong by a cycle in each is late by all of them in the end.
    for way in MORE:
        on_vmx(f"drift-{way}", way,
               each(PERIODIC, "--wait halted --distance 500 --samples 100000"),
               f"{accuracy.NOMINAL} +10% -10% random", machine=HRTIMERS, long=True, timeout=3000)
    for cpus in "124":
        for way, more in MORE.items():
            tests = [test for test in TIMERS[1:] + PERIODIC if more or test != LOOSE]
            never_early("svm", cpus, way, each(tests, HALTED)
                        + each(tests + (COUNT + WRITTEN if more else []), SPINNING), svm)
            if cpus != "1":
                never_early("vmx", cpus, way, each(TIMERS + more, HALTED), vmx)
    return found
