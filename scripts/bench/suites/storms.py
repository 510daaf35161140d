# SPDX-License-Identifier: GPL-2.0
"""The suites of what the module survives: a few rounds of each storm, and all of them."""

from .check import Suite

# Where a run is the same each time, late is a failure.
LIMITS = {"vmx": ["MAX_LATE_CYCLES=50000", "MAX_WAKE_NS=50000"], "svm": []}

SHORT = ["soak.sh", "storm_load.sh", "storm_kvm.sh", "storm_guests.sh", "hostile.sh",
         "suspend.sh", "suspend_ram.sh", "storm_clocksource.sh"]
# Of these, in make check: other suites change the rate at random, and a suspend to RAM is more.
# With one processor: testing.rst, "What QEMU gets wrong".  That of the clocksource is in svm-1-stock,
# and that of killed guests there, too: KVM is hooked.
ONCE = [test for test in SHORT if test not in (
    "soak.sh", "suspend.sh", "storm_clocksource.sh", "storm_guests.sh")]
RAM = ["suspend_ram.sh"]
CPUS = ["storm_cpus.sh"]

SECONDS = 20000         # for each of the long ones

# Bochs resets the TSC when it is suspended to RAM, and Linux does not set it right then.
TSC_RESTARTS = ["--append", "clearcpuid=tsc_adjust"]

# A guest that never rests: where each of its instructions is emulated one by one, a second of it
# takes a minute.
HOSTILE = {"vmx": ["SECONDS_EACH=5"], "svm": ["SECONDS_EACH=60"]}

SOAK = {"vmx": ["TIMERS=10000", "GUEST_TIMERS=10000"],
        "svm": ["TIMERS=1000000", "GUEST_TIMERS=10000"]}


def _full(machine, cpus, way):
    """(name, environment, tests) of each storm at its full length."""
    if cpus > 1:
        yield "cpus", ["ROUNDS=200"], CPUS
    if machine == "vmx" and cpus > 1:
        return
    yield "load", ["ROUNDS=1000", *(["HALT=1"] if machine == "vmx" else [])], ["storm_load.sh"]
    yield "kvm", ["ROUNDS=100"], ["storm_kvm.sh"]
    yield "guests", ["ROUNDS=1000"], ["storm_guests.sh"]
    yield "soak", SOAK[machine], ["soak.sh"]
    yield "hostile", HOSTILE[machine], ["hostile.sh"]
    yield "suspend", ["ROUNDS=20"], ["suspend.sh"]
    yield "suspend-ram", ["ROUNDS=20"], RAM
    yield "clocksource", ["ROUNDS=100"], ["storm_clocksource.sh"]
    # No KVM has a part in it.
    if way == "patched":
        yield "growth", ["SECONDS_EACH=60", "COUNTS=1 16 256 4096"], ["growth.sh"]


def suites(vm, run_all, vmx, svm):
    """The suites; vmx, svm: what those of the machine have to wait for."""
    def storm(name, machine, cpus, way, environment, tests, timeout, long, options=(), seconds=60):
        return Suite(f"{name}-{machine}-{cpus}-{way}", vm(
            "--machine", machine, "--cpus", cpus, "--kvm", way, *options, timeout=timeout,
            command=["env", f"TIMEOUT={timeout - 200}", *environment, *LIMITS[machine],
                     *run_all, *tests]),
            vmx if machine == "vmx" else svm, long=long, seconds=seconds,
            # Bochs has one thread; on svm, guests' and machines' sleep is most of a short one.
            cores=1 if machine == "vmx" else min(cpus, 2) if long else 0.5)

    # Minutes each: make check has one of them.
    for way in ("stock", "patched"):
        yield storm("storms", "svm", 4, way, [], SHORT + CPUS, 1200, True)
        yield storm("storms", "vmx", 1, way, [], SHORT, 1500, True)
        yield storm("storms", "vmx", 2, way, [], CPUS, 900, True)
        for name, rounds, timeout in (("tsc-restarts", 2, 900), ("storm-tsc-restarts", 20, SECONDS)):
            yield storm(name, "vmx", 1, way, ["TSC_RESTARTS=1", f"ROUNDS={rounds}"], RAM, timeout,
                        rounds > 2 or way == "patched", TSC_RESTARTS, seconds=28)
    yield storm("storms", "svm", 1, "patched", [], ONCE, 1200, False, seconds=110)
    yield storm("growth", "vmx", 1, "stock", ["COUNTS=1 64 4096"], ["growth.sh"], 900, True)
    for machine, cpus in (("svm", 1), ("svm", 4), ("vmx", 1), ("vmx", 2)):
        for way in ("stock", "patched"):
            for name, environment, tests in _full(machine, cpus, way):
                yield storm(f"storm-{name}", machine, cpus, way, environment, tests, SECONDS, True)
