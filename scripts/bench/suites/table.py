# SPDX-License-Identifier: GPL-2.0
"""All suites of "make check", as data, and the functions that they are made of."""

import sys

from .. import cache
from ..building import kernel, kvm, module, selftests
from ..cache import BenchError, TREE
from ..machines import bochs
from ..reports import demo
from ..toolchain import root
from . import (checkers, each_patch, goals, guests, installing, ktap, kvm_series, machines, newest,
               packaging, playing, quiet, repeat, reports, static, storms, timers, tracepoints,
               variants, verdicts, watching)
from .check import Suite, results_of, uses
from .host import cargo, fuzz, miri, proof
from .ktap import Count

VM = TREE / "scripts/vm"
RUN_ALL = ["sh", "/selftests/raw_hrtimer/run_all.sh"]
# Those of timers, whose lateness and instructions mean something on vmx.
TIMING = ["rate.sh", "api.sh", "cost.sh", "arm.sh", "node.sh", "rate_change.sh", "no_tsc.sh",
          "hardware_timer.sh", "bad_input.sh"]
# Those that need several processors, or find more with them, or take vmx several times as long.
OTHERS = ["load_unload.sh", "register.sh", "node.sh", "rate_change.sh", "hotplug.sh",
          "guest_catchup.sh", "remove_running.sh"]
# For vmx alone, where how late a timer is does not depend on what else runs.
RUN_ALL_STRICTLY = ["env", "MAX_LATE_CYCLES=50000", *RUN_ALL]


# --- what is built ------------------------------------------------------------------

def setup(*functions):
    """A suite without a test: what others need."""
    def run(_context):
        for function in functions:
            function()
        return Count()
    return run


def compiles(context):
    """The module builds, and has no tracepoint that costs more than a nop."""
    built = kernel.ensure_kernel()
    module.build_module(built)
    count = Count(passed=1)
    why = tracepoints.check(built)
    context.test(count, "tracepoints that are off are nops", not why, why)
    return count


def lints(context):
    """The module with gcc's extra warnings, clippy and sparse: none may say a thing."""
    built = kernel.ensure_kernel()
    count = Count()
    with cache.scratch() as scratch:
        for number, (name, options) in enumerate(
                {"W=1": ["W=1"], "clippy": ["CLIPPY=1"], "sparse": ["C=2"]}.items(), 1):
            quiet.build(context, count, built, scratch / str(number), name, *options)
    return count


def series(name="stock"):
    """The patches apply and are in style, and KVM builds with them, for a kernel of that name."""
    def run(context):
        try:
            built = kernel.ensure_kernel(name)
        except (kernel.NoKernel, root.Unavailable) as error:
            if name == "stock":
                raise
            context.note(f"1..0 # SKIP {error}")
            return Count(skipped=1)
        count = ktap.ktap(*context.command(root.command(
            [kvm.PATCHES / "check", "--source", built.source])))
        if not count.failed:
            for kind in ("patched",) if name == "stock" else ("patched", "both"):
                kvm.ensure_patched_kvm(built, kind)
                count.passed += 1
        return count
    return run


# --- in user space ------------------------------------------------------------------

def unittests(context):
    """The bench's own; -v only for the log."""
    lines, status = context.command(
        [sys.executable, "-m", "unittest", "discover", "-v", "-s", TREE / "tests/bench"],
        merge=True)
    return ktap.unittest(lines, status)


# --- in a machine -------------------------------------------------------------------

def vm(*options, command=(), timeout=900, judge=None):
    """KTAP that a command prints in a machine; judge: what else to count of it."""
    def run(context):
        machine_log = context.log.with_suffix(".machine.log")
        lines, status = context.command(
            [VM, "--timeout", timeout, "--keep-log", machine_log, *options, "--", *command],
            timeout=timeout + 600)
        count = ktap.ktap(lines, status)
        if 120 <= status <= 125:
            count.failures.append(f"the machine ended with status {status}, see "
                                  f"{machine_log.name}")
        if judge:
            count += judge(lines)
        return count
    return uses(run, *options, *command)


def kvm_tests(*options, tests, schedules="0", distance=None, runs=1, with_module=False,
              timeout=900, judge=None, before=()):
    """KVM selftests in a machine, each under each schedule of the clock as one test.

    distance: in us, of the timers that "up" and "down" are to change the rate of; else what
    rate_schedule has for it.  runs: each of them so often, at random as another.  before: a
    command that runs the rest.
    """
    script = TREE / "scripts/guest/kvm-tests.sh"
    return vm(*options, "--add", f"{script}:/kvm-tests.sh", timeout=timeout, judge=judge,
              command=[*before, "sh", "/kvm-tests.sh", *(["--module"] if with_module else []),
                       "--seed", "1", "--runs", runs,
                       *(["--distance", distance] if distance else []),
                       "--schedules", schedules, *tests])


def unknown_kvm(context):
    """A KVM whose callbacks have other names."""
    other = kvm.ensure_renamed_kvm(kernel.ensure_kernel())
    return vm("--machine", "svm", "--add", f"{other}:/other-kvm",
              command=[*RUN_ALL, "unknown_kvm.sh"])(context)


uses(unknown_kvm, *RUN_ALL, "unknown_kvm.sh")


def careless_kvm(*options, kernel_name="stock", environment=(), **more):
    """A KVM that starts and cancels its timers as no KVM does."""
    def run(context):
        other = kvm.ensure_careless_kvm(kernel.ensure_kernel(kernel_name))
        return vm(*options, "--kernel", kernel_name, "--add", f"{other}:/other-kvm",
                  command=["env", *environment, *RUN_ALL, "careless.sh"], **more)(context)
    return uses(run, *RUN_ALL, "careless.sh")


def demonstration(*options):
    """make demo; each of its runs is a test."""
    def run(context):
        def judge(result):
            if result["left_out"]:
                context.note(f"1..0 # SKIP no patched KVM: {result['left_out']}")
            return Count(passed=result["passed"], failures=demo.unexpected(result),
                         skipped=int(bool(result["left_out"])))
        return results_of(context, "demo", *options, judge=judge, timeout=2400,
                          merge=True)
    return uses(run, "demo", "patched")


def tested_kernel(release):
    """A line of tested-kernels: the module builds, all vmx selftests, make demo, nodes measured."""
    def run(context):
        try:
            found = kernel.ensure_kernel(release)
        except (kernel.NoKernel, root.Unavailable) as error:
            context.note(f"1..0 # SKIP {error}")
            return Count(skipped=1)
        module.build_module(found)
        context.note(f"ok 1 the module builds for {release}")
        count = Count(passed=1)
        for step in (vm("--kernel", release, command=RUN_ALL_STRICTLY, timeout=1500),
                     demonstration("--kernel", release),
                     goals.suite("vmx", "--kernel", release, "--quick", folder="nodes")):
            count += step(context)
        return count
    return uses(run, "demo", "measure", "patched", *RUN_ALL)


KUNIT = ["sh", "-c", "modprobe raw_hrtimer && cat /sys/kernel/debug/kunit/raw_hrtimer*/results"]

KERNEL = ("kernel",)
BUILT = ("kernel", "module", "series", "selftests")
VMX = (*BUILT, "bochs")
NESTED = kvm_series.NESTED

# For the Xen timer; and because identify_cpu() forgets for a moment, with interrupts on, that page
# tables have five levels: KASAN takes each address for a wild one then.
SELF_CHECKING = f"{timers.CONSTANT_TSC} no5lvl"


def self_checking(name, cpus, rounds=()):
    """Every selftest and storm in a kernel of that name, KVM attached to in both ways."""
    after = (f"{name}-kernel", *VMX)
    found = [Suite(f"{name}-kernel", setup(lambda: kernel.ensure_kernel(name)), KERNEL,
                   cores=2, long=True)]
    for way, nested in (("stock", NESTED[:1]), ("patched", NESTED)):
        options = ("--kernel", name, "--kvm", way)
        found += [Suite(f"{name}-{way}-{count}", checkers.checked(
                      vm("--machine", "svm", "--append", SELF_CHECKING, "--cpus",
                         count, *options, command=RUN_ALL, timeout=3000)),
                      after, cores=min(count, 2), long=True)
                  for count in cpus]
        found.append(Suite(f"{name}-storms-{way}", checkers.checked(
            vm("--machine", "svm", "--append", SELF_CHECKING, "--cpus", 4, *options,
               command=["env", "TIMEOUT=3000", *rounds, *RUN_ALL, "attach_race.sh", "growth.sh",
                        *storms.SHORT, *storms.CPUS],
               timeout=12000)),
            after, cores=2, long=True))
        if way == "stock":
            found.append(Suite(f"{name}-careless", checkers.checked(careless_kvm(
                "--machine", "svm", "--append", SELF_CHECKING, "--cpus", 4, kernel_name=name,
                environment=["TIMEOUT=2800", "SECONDS_EACH=120"], timeout=3000)),
                after, cores=2, long=True))
        found.append(Suite(f"{name}-{way}-vmx", checkers.checked(
            kvm_tests(*options, tests=["vmx_preemption_timer_test", *nested],
                      schedules="0 +10% -10%", with_module=True, timeout=3000)),
            after, long=True))
    return found


# In "make check" each promise is shown once, on the machine on which it can be broken most
# easily; what repeats it elsewhere, or in many rounds, is long.
SUITES = [
    Suite("root", setup(root.ensure_root), seconds=1),
    Suite("kernel", setup(kernel.ensure_kernel), ("root",), seconds=1),
    Suite("unittests", unittests, seconds=25, quick=True),
    Suite("arithmetic", cargo("--release"), seconds=20, quick=True),
    Suite("latch", cargo("--release", directory="tests/host/loom"), seconds=40),
    Suite("bookkeeping", cargo("--release", "-p", "raw-hrtimer-loom-timers",
                               directory="tests/host/loom"), seconds=50, quick=True),
    # Another copy of the sources to compile for each fault.
    Suite("bookkeeping-faults", cargo("--release", "-p", "raw-hrtimer-loom-timers", "--features",
                                      "faults", directory="tests/host/loom", timeout=2400),
          ("bookkeeping",), seconds=150, long=True),
    Suite("bochs", setup(bochs.ensure_bochs), ("root",), seconds=1),
    Suite("module", compiles, KERNEL, seconds=1, quick=True),
    Suite("series", series(), KERNEL, seconds=10),
    Suite("series-7.2", series("7.2"), KERNEL, seconds=400, long=True, may_skip=True),
    Suite("selftests", setup(lambda: selftests.ensure_selftests(kernel.ensure_kernel())),
          KERNEL, seconds=1),
    Suite("demo", demonstration("--quick"), VMX, seconds=135),
    Suite("demo-all", demonstration(), VMX, cores=2, seconds=220, long=True),
    Suite("bench-quick", goals.suite("vmx", "--quick", "--only", "timers"), VMX, seconds=60),
    Suite("vmx", vm("--kvm", "patched", command=[*RUN_ALL_STRICTLY, *TIMING]), VMX, seconds=90),
    Suite("vmx-all", vm("--kvm", "patched", command=RUN_ALL_STRICTLY, timeout=1500), VMX,
          seconds=270, long=True),
    Suite("quick-vmx", vm(command=[*RUN_ALL_STRICTLY, "rate.sh", "arm.sh"]), VMX, seconds=30,
          long=True, quick=True),
    Suite("quick-svm", vm("--machine", "svm", command=[*RUN_ALL, "rate.sh", "arm.sh"]), BUILT,
          cores=0.5, seconds=80, long=True, quick=True),
    Suite("vmx-hardware-off", vm(*timers.HRTIMERS, command=[*RUN_ALL, "hardware_timer.sh"]), VMX,
          seconds=20),
    # The processor has a TSC-deadline timer, and the kernel another clockevent.
    Suite("vmx-nolapic-timer", vm("--append", "nolapic_timer",
                                  command=[*RUN_ALL_STRICTLY, "arm.sh"]), VMX, seconds=30),
    # The TSC-deadline timer is in use, and may stop.
    Suite("vmx-no-arat", vm("--append", "clearcpuid=arat",
                            command=[*RUN_ALL_STRICTLY, "arm.sh"]), VMX, seconds=30, long=True),
    Suite("chrony", vm(command=[*RUN_ALL, "chrony.sh"]), VMX, seconds=200, long=True),
    Suite("symptom", vm("--add", f"{TREE / 'scripts/guest/symptom.sh'}:/symptom.sh",
                        command=["sh", "/symptom.sh"]), VMX, seconds=40, long=True),
    # Without the module and with a bent clock they must fail: that is the fault.
    Suite("vmx-guests", kvm_tests("--kvm", "patched", tests=[
        *NESTED, "apic_timer_test",
        *timers.each(timers.TIMERS + timers.PERIODIC + timers.COUNT, timers.SHORTER)]), VMX,
        seconds=45, long=True),
    Suite("vmx-nested", kvm_tests("--kvm", "patched", tests=NESTED + kvm_series.RESTORE,
                                  schedules="random", with_module=True), VMX, seconds=30),
    Suite("vmx-nested-stock", kvm_tests(tests=NESTED[:1], schedules="-10% +10% random",
                                        with_module=True), VMX, seconds=30, long=True),
    *[Suite(f"vmx-jumps-{cpus}{suffix}", kvm_tests(
        "--cpus", cpus, tests=["vmx_preemption_timer_test"], schedules="jumps", runs=runs,
        with_module=True, timeout=timeout), VMX, seconds=12 * runs, long=runs > 9 or cpus == 1)
      for suffix, runs, timeout in (("", 1, 900), ("-long", 100, 9000)) for cpus in (1, 2)],
    *kvm_series.suites(vm, kvm_tests, VMX, BUILT),
    *timers.suites(kvm_tests, VMX, BUILT),
    *verdicts.suites(VMX),
    *reports.suites(kvm_tests, VMX, BUILT),
    *guests.suites(BUILT),
    Suite("svm-1", vm("--machine", "svm", "--kvm", "patched", command=RUN_ALL), BUILT,
          seconds=150, long=True),
    Suite("svm-hpet", vm("--machine", "svm", "--append", "clocksource=hpet",
                         command=[*RUN_ALL, "no_tsc.sh"]), BUILT, cores=0.5, seconds=25,
          long=True),
    Suite("svm-unknown", unknown_kvm, BUILT, cores=0.5, seconds=30),
    *[Suite(f"svm-careless-{cpus}", careless_kvm("--machine", "svm", "--cpus", cpus), BUILT,
            cores=0.5, seconds=90, long=cpus != 2)
      for cpus in (1, 2, 4)],
    # stuck.sh is last: the module cannot be removed after it.
    Suite("svm-1-stock", vm("--machine", "svm", timeout=1500, command=[
        "env", "TICKS=11000", *RUN_ALL, "tracers.sh", "storm_clocksource.sh", "storm_guests.sh",
        "stuck.sh"]), BUILT, seconds=130),
    Suite("svm-tracers", vm("--machine", "svm", timeout=1500, command=[
        "env", "TICKS=11000 9000", *RUN_ALL, "tracers.sh"]), BUILT, seconds=80, long=True),
    Suite("svm-nohz-full", vm("--machine", "svm", "--cpus", "2", "--append", "nohz_full=1",
                              command=[*RUN_ALL, "nohz_full.sh"]), BUILT, cores=0.5, seconds=50),
    # Where the clockevent counts the TSC.  Longer tests take ten minutes here.
    Suite("vmx-nohz-full", vm("--cpus", "2", "--append", "nohz_full=1",
                              command=[*RUN_ALL_STRICTLY, "nohz_full_event.sh"]), VMX,
          seconds=40),
    # tsc_unstable.sh is last: it leaves a machine without a clock that counts the TSC.
    *[Suite(f"svm-attach-{kind}", vm("--machine", "svm", "--cpus", "2", "--kvm", kind, command=[
        *RUN_ALL, *tests, "tsc_unstable.sh"], judge=judge), BUILT, cores=0.5, seconds=130,
            long=kind == "patched")
      for kind, judge, tests in (
          ("stock", watching.judge, ["attach.sh", "tracepoints.sh", "attach_race.sh",
                                     "guest_moved.sh"]),
          ("patched", None, ["attach_race.sh"]))],
    *[Suite(f"vmx-unstable-{kind}", vm("--cpus", 2, "--kvm", kind,
                                       command=[*RUN_ALL, "tsc_unstable.sh"]), VMX,
            seconds=32, long=True)
      for kind in ("stock", "patched")],
    *playing.suites(VMX, BUILT),
    *repeat.suites(VMX, BUILT),
    *machines.suites(VMX, BUILT),
    Suite("static", static.run, KERNEL, seconds=14, quick=True),
    Suite("lints", lints, KERNEL, seconds=40, quick=True),
    Suite("native", installing.native, KERNEL, seconds=10),
    Suite("dkms", installing.dkms, KERNEL, seconds=10),
    *packaging.suites(setup, KERNEL, BUILT),
    # The shifts that clocks_calc_mult_shift() gives a TSC from 0.5 to 8 GHz, and the ends.
    Suite("proof", proof("--shifts", "0,21-25,32"), KERNEL, seconds=32),
    Suite("proof-all", proof(), KERNEL, seconds=117, long=True),
    # Four processors on two of the host's take several times as long.
    *[Suite(f"svm-{cpus}", vm("--machine", "svm", "--kvm", "patched", "--cpus", cpus,
                              command=[*RUN_ALL, *OTHERS]), BUILT, seconds=seconds, long=cpus == 4)
      for cpus, seconds in ((2, 120), (4, 200))],
    Suite("svm-4-all", vm("--machine", "svm", "--kvm", "patched", "--cpus", "4",
                          command=RUN_ALL), BUILT, cores=2, seconds=200, long=True),
    *storms.suites(vm, RUN_ALL, VMX, BUILT),
    # The same tests as "arithmetic" runs, in a kernel: ten minutes to build, if it is not there.
    Suite("kunit-kernel", setup(lambda: kernel.ensure_kernel("kunit")), KERNEL, seconds=500,
          long=True),
    Suite("kunit", vm("--machine", "svm", "--kernel", "kunit", command=KUNIT),
          ("kunit-kernel", "selftests"), seconds=20, long=True),
    *variants.suites(setup, vm, RUN_ALL_STRICTLY, kvm_tests, VMX),
    Suite("builtin", vm("--machine", "svm", "--kernel", "builtin",
                        command=[*RUN_ALL, "builtin.sh"]),
          ("builtin-kernel", "selftests"), seconds=40, long=True),
    *[Suite(release, tested_kernel(release), ("kernel", "bochs"), cores=2, long=True,
            may_skip=True)
      for release in kernel.tested()],
    newest.suite({"selftests": vm("--kernel", "newest", command=RUN_ALL_STRICTLY, timeout=1500),
                  "demonstration": demonstration("--kernel", "newest")}),
    Suite("bench", goals.suite("vmx"), VMX, cores=2, long=True),
    Suite("bench-svm", goals.suite("svm"), BUILT, cores=2, long=True),
    *[Suite(f"each-patch-{kind}", each_patch.each_patch(kind), VMX, cores=2, seconds=600, long=True)
      for kind, series_of_it in kvm.KINDS.items() if series_of_it],
    Suite("arithmetic-long", cargo("--release", env={"PROPTEST_CASES": "5000000"}),
          ("arithmetic",), long=True),
    Suite("proof-faults", proof("--faults", timeout=3600), ("proof",), long=True),
    Suite("fuzz", fuzz, ("arithmetic",), long=True),
    Suite("miri", miri, ("arithmetic",), long=True, may_skip=True),
    Suite("bookkeeping-long", cargo("--release", "-p", "raw-hrtimer-loom-timers",
                                    directory="tests/host/loom", env={"PREEMPTIONS": "4"},
                                    timeout=3600),
          ("bookkeeping",), long=True),
    # So many rounds that a few debug objects left by each are told from a machine's breathing.
    *self_checking("debug", cpus=(1, 4), rounds=["ROUNDS=40"]),
    Suite("debug-faults", checkers.faults("--machine", "svm", "--kernel", "debug"),
          ("debug-kernel", *BUILT), long=True),
    *self_checking("rt", cpus=(4,)),
]


def select(names, with_long=False, quick=False):
    """The suites of these names, or all of them, in their order; or those that are quick."""
    known = {suite.name for suite in SUITES}
    if unknown := set(names) - known:
        raise BenchError(f"there is no suite {', '.join(sorted(unknown))}; there are "
                         + ", ".join(suite.name for suite in SUITES))
    return [suite for suite in SUITES
            if (suite.name in names if names else suite.quick if quick
                else with_long or not suite.long)]
