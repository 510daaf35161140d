# SPDX-License-Identifier: GPL-2.0
"""The suites of scripts/vm itself: what its options bring into a machine and back, QEMU inside
one, and the kernel's own harness for selftests."""

import json
import os
import re
import shlex
import shutil

from .. import cache
from ..building import inner, kernel, module, selftests
from ..cache import TREE
from ..toolchain import root
from . import ktap, own_machine
from .check import Suite, uses
from .ktap import Count

VM = TREE / "scripts/vm"
MEMORY = 1536
# A program whose library lies beside it, where no loader looks.
LIBRARY = "int answer(void) { return 42; }"
PROGRAM = """#include <stdio.h>
int answer(void);
int main(void) { return printf("answer %d\\n", answer()) < 0; }
"""
# What is typed.  The terminal shows it as well: nothing that is expected is in it.
TYPED = r"""/add/tests/program
awk '/MemTotal/ { print "memory", int($2 / 1024) }' /proc/meminfo
modprobe MODULE; for name in nested halt_poll_ns; do
for file in /sys/module/kvm*/parameters/$name; do echo "$name" is $(cat $file); done; done
echo new > /share/shared/new; echo longer >> /share/shared/old
test -t 0 && echo "stdin is" a terminal
exit 7
"""


def _compile(top):
    """top/tests with program and, in a folder of its own, libanswer.so.1; by the toolchain
    root's compiler, for the libraries there."""
    (top / "tests/lib").mkdir(parents=True)
    (top / "library.c").write_text(LIBRARY, encoding="ascii")
    (top / "program.c").write_text(PROGRAM, encoding="ascii")
    library = "tests/lib/libanswer.so.1"
    root.run(["gcc-14", "-shared", "-fPIC", "-Wl,-soname,libanswer.so.1", "-o", library,
              "library.c"], cwd=top)
    root.run(["gcc-14", "-o", "tests/program", "program.c", library], cwd=top)


def options(machine):
    """One boot with most options of scripts/vm, the shell's input by a pipe."""
    parameter_of = {"vmx": "kvm-intel", "svm": "kvm-amd"}[machine]

    def run(context):
        count = Count()
        with cache.scratch() as top:
            _compile(top)
            (top / "shared").mkdir()
            for name in ("old", "same"):
                (top / "shared" / name).write_text(f"{name}\n", encoding="ascii")
            os.utime(top / "shared/same", (1, 1))
            (top / "typed").write_text(TYPED.replace("MODULE", parameter_of), encoding="ascii")
            words = [VM, "--machine", machine, "--memory", MEMORY, "--add", top / "tests",
                     "--share", top / "shared", "--get", f"/proc/version:{top}/version",
                     "--kvm-params", "nested=0 kvm.halt_poll_ns=12345", "--interactive"]
            lines, status = context.command(
                ["sh", "-c", f"{shlex.join(map(str, words))} <{top}/typed"])
            said = "\n".join(line.strip() for line in lines)

            def test(name, passed):
                context.test(count, name, passed, said[-300:])

            # No line is whole: what was typed ahead is shown between what is printed.
            test("a program finds its library in the folder", "answer 42" in said)
            memory = re.search(r"memory (\d+)", said)
            test("the memory is what was asked for",
                 memory and 0.8 * MEMORY < int(memory[1]) <= MEMORY)
            test("KVM's modules have the parameters",
                 re.search(r"nested is [N0]", said) and "halt_poll_ns is 12345" in said)
            test("the shell has a terminal", "stdin is a terminal" in said)
            test("the status is the shell's", status == 7)
            test("a file of /proc comes back", (top / "version").exists()
                 and (top / "version").read_text().startswith("Linux version "))
            shared = {file.name: file.read_text() for file in (top / "shared").iterdir()}
            test("what is new or changed in a shared folder comes back",
                 shared == {"old": "old\nlonger\n", "same": "same\n", "new": "new\n"})
            test("what is not changed stays as it is", (top / "shared/same").stat().st_mtime == 1)

            shutil.rmtree(top / "tests/lib")
            lines, status = context.command([VM, "--machine", machine, "--add", top / "tests", "--",
                                             "true"], merge=True)
            test("a library that is nowhere is named",
                 status == 120 and any("libanswer.so.1" in line for line in lines))
        return count
    return uses(run, "--machine", machine)


# What runs inside of the guest: it boots, looks at its clock, and ends.
INNER_INIT = """#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sysfs /sys
for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done
echo "inner: clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
echo "inner: up $(uname -r)"
poweroff -f
"""


def qemu(context):
    """Debian's QEMU in a machine boots Debian's kernel by KVM, whose timers are hooked."""
    found = kernel.ensure_kernel()
    with cache.scratch() as top:
        inner.write_initrd(top / "initrd", INNER_INIT)
        script = TREE / "scripts/guest/inner.sh"
        return ktap.ktap(*context.command(
            [VM, "--machine", "svm", "--memory", 2048, "--qemu", "--timeout", 900,
             "--add", f"{script}:/inner.sh", "--add", f"{found.vmlinuz}:/inner/vmlinuz",
             "--add", f"{top}/initrd:/inner/initrd", "--", "bash", "/inner.sh"], timeout=1500))


uses(qemu, "--machine", "svm")

# What "make -C tools/testing/selftests" reads of a kernel's tree.
HARNESS = ["scripts/subarch.include", *(f"tools/testing/selftests/{name}" for name in (
    "Makefile", "lib.mk", "run_kselftest.sh", "kselftest", "kselftest.h", "kselftest_harness.h"))]
# Those that run in a machine as in the harness's list; all would take minutes.
CHOSEN = ["load_unload.sh", "rate.sh", "arm.sh", "attach.sh"]


def kselftest(context):
    """Our selftests copied into a kernel's tree, installed and run by the kernel's harness."""
    found = kernel.ensure_kernel()
    symbols = module.build_module(found).parent / "out/Module.symvers"
    count = Count()
    with cache.scratch() as top:
        tree = top / "linux"
        for name in HARNESS:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (found.source / name).is_dir() else shutil.copy2
            copy(found.source / name, tree / name)
        shutil.copytree(selftests.OURS, tree / "tools/testing/selftests/raw_hrtimer")
        make = ["make", "-C", "tools/testing/selftests", "TARGETS=raw_hrtimer",
                f"KDIR={found.kdir}", f"KCFLAGS=-I{TREE}/include",
                f"KBUILD_EXTRA_SYMBOLS={symbols}", f"KSFT_INSTALL_PATH={top}/installed", "install"]
        # As the README has it, and with the harness's own output elsewhere.
        for name, more in (("in the tree", []), ("with O=", [f"O={top}/out"])):
            shutil.rmtree(top / "installed", ignore_errors=True)
            lines, status = context.command(root.command([*make, *more], cwd=tree), merge=True)
            context.test(count, f"make install, {name}", not status, "\n".join(lines[-3:]))
        if not count.failed:
            tests = [word for name in CHOSEN for word in ("-t", f"raw_hrtimer:{name}")]
            count += ktap.ktap(*context.command(
                [VM, "--machine", "svm", "--add", f"{top}/installed:/kselftest", "--",
                 "/kselftest/run_kselftest.sh", *tests], timeout=1500))
    return count


uses(kselftest, *CHOSEN)


def own(context):
    """What scripts/on-this-machine runs, in a machine instead of on this one."""
    with cache.scratch() as top:
        own_machine.assemble(top / "own", kernel.ensure_kernel())
        return ktap.ktap(*context.command(
            [VM, "--machine", "svm", "--add", f"{top}/own:/own", "--", "env",
             "PATH=/own/bin:/usr/sbin:/usr/bin:/sbin:/bin", "sh", "/own/raw_hrtimer/run_all.sh",
             *own_machine.TESTS], timeout=1500))


uses(own, *own_machine.TESTS)


def own_report(context):
    """All of scripts/on-this-machine but the building, in a machine with VMX and python3."""
    top, count = root.ensure_root(), Count()
    python = sorted(top.glob("usr/bin/python3.[0-9]*"))[0]
    with cache.scratch() as scratch:
        own_machine.assemble(scratch / "own", kernel.ensure_kernel())
        lines, status = context.command(
            [VM, "--memory", 2048, "--timeout", 900, "--get", f"/tmp/report.json:{scratch}/report",
             "--add", f"{python}:/usr/bin/python3",
             "--add", f"{top}/usr/lib/{python.name}:/usr/lib/{python.name}",
             "--add", f"{scratch}/own:/own", "--add", f"{TREE}/scripts:/bench/scripts", "--",
             "python3", "-B", "/bench/scripts/guest/own-machine.py"], merge=True, timeout=1500)
        context.test(count, "it runs to its end", status == 0, "\n".join(lines[-3:]))
        if not count.failed:
            report = json.loads((scratch / "report").read_text(encoding="utf-8"))
            runs = {(run["ppm"], run["module"]): run["status"] for run in report["nested"]}
            for name, passed in (
                    ("no test has failed with the module",
                     report["passed"] and not report["failed"]),
                    ("the clock's rate is as before", report["rate_now"] == [10001, 12345]),
                    ("no module is left", report["left"] == []),
                    ("the nested test has run at three rates",
                     sorted(runs) == [(ppm, name) for ppm in (-25, 0, 500)
                                      for name in ("absent", "loaded")]),
                    ("with the module it passes at each",
                     all(not status for (_, name), status in runs.items() if name == "loaded")),
                    ("without it, it fails where the clock is bent",
                     runs[-25, "absent"] and runs[500, "absent"] and not runs[0, "absent"])):
                context.test(count, name, passed, json.dumps(report)[:300])
    return count


uses(own_report, "own-machine")


def suites(vmx, built):
    """vmx, built: the suites that those on these machines wait for."""
    return [Suite("vm-options", options("svm"), built, seconds=15),
            Suite("vm-options-vmx", options("vmx"), vmx, seconds=60, long=True),
            Suite("vm-qemu", qemu, built, seconds=90, long=True),
            Suite("kselftest", kselftest, built, seconds=90, long=True),
            Suite("own-machine", own, built, seconds=60, long=True),
            Suite("own-machine-vmx", own_report, vmx, seconds=150, long=True)]
