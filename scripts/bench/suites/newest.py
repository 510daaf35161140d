# SPDX-License-Identifier: GPL-2.0
"""What the archive's newest kernel breaks (scripts/check --newest): found, prepared, built, tested,
demonstrated, and told in one screen."""

from .. import cache
from ..building import kernel, newest
from ..cache import BenchError
from ..toolchain import root, unstable
from . import quiet
from .check import Suite, uses
from .ktap import Count

SHOWN = 8       # failures of a step; the log has all


class _Screen:
    """What is told at the end, in a file beside the log."""

    def __init__(self, context):
        self._file = context.log.with_suffix(".txt")
        self._file.write_text("", encoding="utf-8")

    def line(self, name, text):
        with open(self._file, "a", encoding="utf-8") as file:
            file.write(f"{name:14} {text}\n")

    def step(self, name, count):
        """Count, with each failure named after the step."""
        self.line(name, count.summary())
        for failure in count.failures[:SHOWN]:
            self.line("", failure)
        if len(count.failures) > SHOWN:
            self.line("", f"and {len(count.failures) - SHOWN} more")
        count.failures = [f"{name}: {failure}" for failure in count.failures]
        return count


def _find(screen):
    unstable.refresh()
    found = newest.known()
    chosen = newest.choose(found)
    for one in found:
        screen.line(one.suite, f"{one.release} ({one.version})"
                    + (": in tested-kernels" if one.is_tested else "")
                    + (": this one" if one == chosen else ""))


def _prepare(screen):
    built = kernel.ensure_kernel("newest")
    versions = root.versions(unstable.COMPILERS, built.top)
    screen.line("compilers", ", ".join(f"{name} {versions[name]}"
                                       for name in ("gcc", "rustc", "bindgen") if name in versions))
    return built


def _build(context, built):
    count = Count()
    with cache.scratch() as scratch:
        quiet.build(context, count, built, scratch / "module",
                    f"the module builds for {built.release} without a warning")
    return count


def suite(steps):
    """steps: {what: a suite's function} for a kernel that is named newest, in their order."""
    def run(context):
        screen = _Screen(context)
        total = Count()
        try:
            _find(screen)
            built = _prepare(screen)
        except BenchError as error:
            context.note(str(error))
            return screen.step("prepare", Count(failures=[str(error).splitlines()[0]]))
        total += screen.step("build", _build(context, built))
        # A warning is no reason to stop; a module that is not there ends the first of these.
        for name, step in steps.items():
            try:
                count = step(context)
            except BenchError as error:
                context.note(str(error))
                count = Count(failures=[str(error).splitlines()[0]])
            total += screen.step(name, count)
        return total
    return Suite("newest", uses(run, *[word for step in steps.values()
                                       for word in getattr(step, "words", ())]),
                 ("kernel", "bochs"), cores=2, seconds=1500, long=True)
