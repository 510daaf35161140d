# SPDX-License-Identifier: GPL-2.0
"""Kernels as people build them (own.VARIANTS): the module builds for each without a warning, loads,
hooks KVM, and cures the nested test."""

from .. import cache
from ..building import kernel, own
from . import quiet
from .check import Suite, uses
from .ktap import Count

RUN = ["env", "MAX_LATE_CYCLES=50000", "sh", "/selftests/raw_hrtimer/run_all.sh"]
TESTS = ["load_unload.sh", "rate.sh", "api.sh", "arm.sh"]
NESTED = "vmx_preemption_timer_test"


def _build(name):
    def run(_context):
        kernel.ensure_kernel(name)
        return Count()
    return run


def _all_of_it(name, vm, kvm_tests):
    """The suite of a variant."""
    options = ("--kernel", name)
    steps = [vm(*options, command=[*RUN, *TESTS]),
             kvm_tests(*options, tests=[NESTED], schedules="0 +10% -10%", with_module=True)]

    def run(context):
        count = Count()
        with cache.scratch() as scratch:
            quiet.build(context, count, kernel.ensure_kernel(name), scratch / "module",
                        f"the module builds for {name} without a warning")
        for step in steps:
            count += step(context)
        return count
    return uses(run, *options, *RUN, *TESTS, NESTED)


def suites(vm, kvm_tests, vmx):
    """vm, kvm_tests: what makes suites; vmx: what those on that machine wait for."""
    found = []
    for name in own.VARIANTS:
        found += [
            Suite(f"{name}-kernel", _build(name), ("kernel",), cores=2, seconds=600, long=True),
            Suite(f"{name}-vmx", _all_of_it(name, vm, kvm_tests), (f"{name}-kernel", *vmx),
                  seconds=120, long=True)]
    return found
