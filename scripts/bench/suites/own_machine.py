# SPDX-License-Identifier: GPL-2.0
"""What scripts/on-this-machine does and reports.

The report, an object with
  schema      1
  module      {git}: git describe of the tree
  machine     here.facts()
  selftests   {status, lines}: KTAP of run_all.sh
  nested      one object for each run of KVM's nested test: ppm, module (absent or loaded),
              status, lines; empty where there is none, and left_out says why
  left_out    a sentence, or null
  rate        {before, after}: tick and freq of the clock, which are the same
  passed, failed, skipped     of the selftests, and of the runs with the module
"""

import contextlib
import json
import os
from pathlib import Path
import shutil
import subprocess
import time

from .. import cache
from ..building import kernel, module, selftests
from ..cache import BenchError
from ..machines import here, qemu
from ..reports import demo
from ..toolchain import root
from . import ktap

# Those that leave a machine as it was: no CPU is taken offline, no clocksource changed, no
# warning provoked.
TESTS = ["load_unload.sh", "rate.sh", "api.sh", "cost.sh", "arm.sh", "node.sh", "rate_change.sh",
         "attach.sh", "hardware_timer.sh"]
PPM = [0, 25, -25, 500, -500]
SETTLE = 2          # seconds, until a new frequency is taken over
MODULES = Path("/proc/modules")
SECONDS = 900       # for the selftests

WHAT_IT_DOES = f"""\
This will, on the kernel that runs here,
  - change the clock's rate several times, by 10 % for some seconds each (selftests) and by
    up to 500 ppm for a minute, and set it back: the time of day will be off by seconds;
  - load and remove raw_hrtimer, its test modules and KVM's;
  - start nested guests, and read the kernel's log.
It runs {len(TESTS)} selftests and KVM's nested timer test at {len(PPM)} rates, without the module
and with it: about five minutes, after a first build of up to half an hour.
"""


def assemble(folder, found):
    """The selftests with what they need, as an installed kselftest has it."""
    tests = folder / "raw_hrtimer"
    shutil.copytree(selftests.OURS, tests, ignore=shutil.ignore_patterns("kvm", "test_modules"))
    (tests / "test_modules").mkdir()
    for file in (module.build_module(found), *module.build_test_modules(found).glob("*.ko")):
        shutil.copy(file, tests / "test_modules")
    for program in selftests.ensure_selftests(found).iterdir():
        if program.is_file() and program.name[0] != ".":
            shutil.copy2(program, folder)
    (folder / "kselftest").mkdir()
    shutil.copy(found.source / "tools/testing/selftests/kselftest/ktap_helpers.sh",
                folder / "kselftest")
    # The tests bend the clock by busybox's adjtimex, which Debian's own package is not.
    (folder / "bin").mkdir()
    shutil.copy2(root.ensure_root() / "bin/busybox", folder / "bin/adjtimex")
    return tests


def _command(argv, timeout, env=None):
    """{status, lines}; what runs over the time is ended."""
    try:
        done = subprocess.run(list(map(str, argv)), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False, timeout=timeout,
                              env={**os.environ, **(env or {})})
    except subprocess.TimeoutExpired as error:
        text = (error.stdout or b"").decode(errors="replace")
        return {"status": None, "lines": [*text.splitlines(), f"not ended after {timeout} s"]}
    return {"status": done.returncode, "lines": done.stdout.splitlines()}


def _checked(*argv):
    done = _command(argv, 60)
    if done["status"]:
        raise BenchError(f"{' '.join(map(str, argv))}: {' '.join(done['lines'][-1:])}")


@contextlib.contextmanager
def _modules_removed():
    """However this ends, no module of ours stays loaded."""
    try:
        yield
    finally:
        loaded = [line.split()[0] for line in
                  MODULES.read_text(encoding="ascii").splitlines()]
        for name in sorted((n for n in loaded if n.startswith("raw_hrtimer")), reverse=True):
            _command(["rmmod", name], 60)


def nested_runs(folder, module_file):
    """KVM's nested test at each rate, without the module and with it."""
    runs = []
    for ppm in PPM:
        here.set_rate(10000, ppm << 16)
        time.sleep(SETTLE)
        for state in ("absent", "loaded"):
            if state == "loaded":
                _checked("insmod", module_file)
            try:
                cache.say("on-this-machine", f"{demo.TEST}, clock {ppm:+} ppm, module {state}")
                runs.append({"ppm": ppm, "module": state,
                             **_command([folder / demo.TEST], 120)})
            finally:
                if state == "loaded":
                    _checked("rmmod", "raw_hrtimer")
    return runs


def why_not_nested():
    """Why KVM's nested test cannot run, in a sentence, or None."""
    try:
        qemu.need_nested_vmx()
    except BenchError as error:
        return str(error)
    return None


def count(result):
    """The report with its sums: of the nested runs, those with the module have to pass."""
    total = ktap.ktap(result["selftests"]["lines"], result["selftests"]["status"])
    for run in result["nested"]:
        if run["module"] == "loaded":
            if run["status"] == 0:
                total.passed += 1
            else:
                total.failures.append(f"{demo.TEST} at {run['ppm']:+} ppm")
    if result["rate"]["before"] != result["rate"]["after"]:
        total.failures.append("the clock's rate is not what it was before")
    return {**result, "passed": total.passed, "failed": total.failed, "skipped": total.skipped}


def run():
    """Build, run, put everything back; the report."""
    machine = here.facts()
    found = kernel.ensure_kernel(machine["kernel"])
    before = list(here.rate())
    with cache.scratch() as folder:
        tests = assemble(folder, found)
        with here.Clock(), _modules_removed():
            _checked("modprobe", here.vendor())
            cache.say("on-this-machine", f"{len(TESTS)} selftests")
            path = f"{folder}/bin:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
            said = _command(["sh", tests / "run_all.sh", *TESTS], SECONDS, {"PATH": path})
            left_out = why_not_nested()
            runs = [] if left_out else nested_runs(folder,
                                                   tests / "test_modules/raw_hrtimer.ko")
    return count({
        "schema": 1, "module": {"git": root.git_describe()}, "machine": machine,
        "selftests": said, "nested": runs, "left_out": left_out,
        "rate": {"before": before, "after": list(here.rate())}})


def write(path, result):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def summary(result):
    """What is printed at the end."""
    lines = [f"{run['ppm']:+5} ppm, module {run['module']:7} "
             f"{'passed' if run['status'] == 0 else 'failed'}" for run in result["nested"]]
    if result["left_out"]:
        lines.append(f"{demo.TEST} was left out: {result['left_out']}")
    return "\n".join([*lines, f"{result['passed']} passed, {result['failed']} failed, "
                              f"{result['skipped']} skipped"])
