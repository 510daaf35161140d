# SPDX-License-Identifier: GPL-2.0
"""Kernels as people build them (own.VARIANTS): the module builds for each without a warning, loads,
hooks KVM or says why not, and cures the nested test."""

from functools import partial

from .. import cache
from ..building import kernel, own
from . import quiet
from .check import Suite, uses
from .ktap import Count

TESTS = ["load_unload.sh", "rate.sh", "api.sh", "arm.sh"]
NESTED = "vmx_preemption_timer_test"


def _kvms(name):
    """The kinds of KVM that the module is to cure there."""
    hookable = "CONFIG_KPROBES=n" not in own.config(name)
    return ["stock"] if hookable else ["patched"]


def _all_of_it(name, vm, run_all, kvm_tests):
    """The suite of a variant."""
    options = ("--kernel", name)
    kvms = _kvms(name)
    tests = TESTS if "stock" in kvms else [*TESTS, "unhooked.sh"]
    steps = [vm(*options, command=[*run_all, *tests]),
             *[kvm_tests(*options, "--kvm", kvm, tests=[NESTED], schedules="0 +10% -10%",
                         with_module=True) for kvm in kvms]]

    def run(context):
        count = Count()
        with cache.scratch() as scratch:
            quiet.build(context, count, kernel.ensure_kernel(name), scratch / "module",
                        f"the module builds for {name} without a warning")
        for step in steps:
            count += step(context)
        return count
    return uses(run, *options, *run_all, *tests, NESTED)


def suites(setup, vm, run_all, kvm_tests, vmx):
    """setup, vm, kvm_tests: what makes suites; run_all: the command that runs selftests; vmx: what
    the suites on that machine wait for."""
    found = []
    for name in own.VARIANTS:
        found += [
            Suite(f"{name}-kernel", setup(partial(kernel.ensure_kernel, name)), ("kernel",),
                  cores=2, seconds=600, long=True),
            Suite(f"{name}-vmx", _all_of_it(name, vm, run_all, kvm_tests),
                  (f"{name}-kernel", *vmx), seconds=120, long=True)]
    return found
