# SPDX-License-Identifier: GPL-2.0
"""Kernels as people build them (own.VARIANTS): the module builds for each without a warning, loads,
hooks KVM or says why not, and cures the nested test."""

from functools import partial

from .. import cache
from ..building import kernel, own
from . import checkers, quiet
from .check import Suite, uses
from .ktap import Count

TESTS = ["load_unload.sh", "rate.sh", "api.sh", "arm.sh"]
NESTED = "vmx_preemption_timer_test"


def _kvms(config):
    """The kinds of KVM that the module is to cure there."""
    hookable = "CONFIG_KPROBES=n" not in config
    # Where calls are checked by type, a patched KVM's calls of the module are to be seen, too.
    called = not hookable or "CONFIG_CFI=y" in config
    return ["stock"] * hookable + ["patched"] * called


def _boots(config):
    """{the kernel's parameters: what its log must have}: that it checks calls, and how.

    FineIBT by itself needs a processor that has IBT; when told to, the kernel checks calls by it
    on any other, too.
    """
    if "CONFIG_FINEIBT=y" not in config:
        return {"": ""}
    return {"": "Using rehashed retpoline kCFI", "cfi=fineibt": "Using FineIBT CFI"}


def _all_of_it(name, vm, run_all, kvm_tests):
    """The suite of a variant."""
    config = own.config(name)
    options = ("--kernel", name)
    kvms = _kvms(config)
    tests = TESTS if "stock" in kvms else [*TESTS, "unhooked.sh"]

    def steps(parameters):
        more = (*options, "--append", parameters) if parameters else options
        return [vm(*more, command=[*run_all, *tests]),
                *[kvm_tests(*more, "--kvm", kvm, tests=[NESTED], schedules="0 +10% -10%",
                            with_module=True) for kvm in kvms]]

    def run(context):
        count = Count()
        with cache.scratch() as scratch:
            quiet.build(context, count, kernel.ensure_kernel(name), scratch / "module",
                        f"the module builds for {name} without a warning")
        for parameters, said in _boots(config).items():
            for step in steps(parameters):
                count += step(context)
                if said:
                    log = checkers.kernel_log(checkers.machine_log(context)).decode(errors="replace")
                    context.test(count, f"the kernel's log has '{said}'", said in log,
                                 "; ".join(line for line in log.splitlines() if "CFI" in line))
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
