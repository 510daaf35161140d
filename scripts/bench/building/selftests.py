# SPDX-License-Identifier: GPL-2.0
"""The kernel's own selftests of KVM and of timers, unmodified, and the project's, all static."""

import os
import shutil

from .. import cache
from ..cache import BenchError, TREE
from ..toolchain import root
from .kernel import ensure_kernel, jobs

OURS = TREE / "tests/selftests/raw_hrtimer"
RECIPE = "2"

# The first version whose library our guests are written for.  They are static, and run on older
# kernels as they are.
LIBRARY = (7, 3)

# Patterns, of files in tools/testing/selftests/kvm: what a change to KVM's timers
# and to its idea of the TSC could break.
KERNELS = ["x86/vmx_preemption_timer_test", "x86/nested_tsc_*", "x86/tsc_*",
           "x86/apic_bus_clock_test", "x86/xapic_*", "x86/hyperv_clock",
           "x86/hyperv_features", "x86/hyperv_evmcs", "x86/kvm_clock_test",
           "x86/xen_shinfo_test", "x86/state_test", "x86/smm_test",
           "x86/nested_close_kvm_test", "x86/nested_exceptions_test", "x86/nested_set_state_test",
           "system_counter_offset_test", "steal_time"]

# In tools/testing/selftests/timers: what bends the clock, and what looks at timers; and
# what change_skew starts.
TIMERS = ["adjtick", "change_skew", "freq-step", "inconsistency-check", "nanosleep",
          "raw_skew", "set-timer-lat"]


def _make(kernel, base, targets, binds=(), extra=()):
    """Build targets (below base/obj) with the Makefile of the kernel's selftests."""
    obj = base / "obj"
    root.run(["make", "-C", kernel.source / "tools/testing/selftests/kvm",
              f"-j{jobs()}", "TARGETS=kvm", "ARCH=x86", f"CC={kernel.cc}",
              "LDFLAGS=-static", f"OUTPUT={obj}", f"INSTALL_HDR_PATH={base}/usr",
              f"KHDR_INCLUDES=-isystem {base}/usr/include", *extra,
              *[obj / target for target in targets]],
             binds=binds, name="selftests", what=f"building {len(targets)} KVM selftests",
             expect=35 + 2 * len(targets))


def _build_kernels(path, kernel, patterns):
    """The kernel's tests of KVM whose names have one of these patterns, in path/bin."""
    tests = kernel.source / "tools/testing/selftests/kvm"
    names = sorted(str(source.relative_to(tests).with_suffix(""))
                   for pattern in patterns for source in tests.glob(pattern + ".c"))
    headers = path / "headers"
    root.run(["make", "-C", kernel.source, f"O={headers}", "ARCH=x86", f"-j{jobs()}",
              f"INSTALL_HDR_PATH={path}/usr", "headers_install"],
             name="selftests", what="installing the kernel's headers")
    shutil.rmtree(headers)
    (path / "obj").mkdir()
    _make(kernel, path, names)
    (path / "bin").mkdir()
    for name in names:
        binary = path / "obj" / name
        root.run(["strip", "-g", "-o", path / "bin" / binary.name, binary])
        binary.unlink()
        binary.with_suffix(".o").unlink()


def _build_timers(kernel, path):
    obj = path / "timers"
    obj.mkdir()
    root.run(["make", "-C", kernel.source / "tools/testing/selftests/timers", f"-j{jobs()}",
              "ARCH=x86", f"CC={kernel.cc}", "LDFLAGS=-static", f"OUTPUT={obj}",
              f"KHDR_INCLUDES=-isystem {path}/usr/include", *[obj / name for name in TIMERS]],
             name="selftests", what=f"building {len(TIMERS)} selftests of timers")
    for name in TIMERS:
        root.run(["strip", "-g", "-o", path / "bin" / name, obj / name])
    shutil.rmtree(obj)


def _build_guests(path, kernel, base):
    """Ours, as if they lay among the kernel's own, with its library, already built."""
    guests = sorted((OURS / "kvm").glob("*.c"))
    work = path / "work"
    x86 = kernel.source / "tools/testing/selftests/kvm/x86"
    shutil.copytree(x86, work / "x86")
    shutil.copytree(base / "obj", work / "obj")
    for file in (OURS / "kvm").glob("*.[ch]"):
        if (work / "x86" / file.name).exists():
            raise BenchError(f"{file} has the name of one of the kernel's own tests")
        shutil.copy2(file, work / "x86")
    names = [f"x86/{file.stem}" for file in guests]
    _make(kernel, base, names,
          binds=[(work / "x86", x86), (work / "obj", base / "obj")],
          extra=["TEST_GEN_PROGS_EXTENDED="
                 + " ".join(str(base / "obj" / name) for name in names)])
    for file in guests:
        root.run(["strip", "-g", "-o", path / file.stem, work / "obj/x86" / file.stem])
    shutil.rmtree(work)


def _build_ours(path, kernel, base, guests):
    """guests: a directory that has ours already, for another kernel; None: build them."""
    for test in (base / "bin").iterdir():
        os.link(test, path / test.name)
    if guests:
        for file in (OURS / "kvm").glob("*.c"):
            os.link(guests / file.stem, path / file.stem)
    else:
        _build_guests(path, kernel, base)
    for file in sorted(OURS.glob("*.c")):
        root.run([kernel.cc, "-static", "-O2", "-Wall", "-D_GNU_SOURCE=", "-I", OURS,
                  "-I", kernel.source / "tools/testing/selftests",
                  "-isystem", base / "usr/include", "-o", path / file.stem, file])


def ensure_selftests(kernel):
    """The directory of all test programs, by their bare names."""
    def build(path):
        _build_kernels(path, kernel, KERNELS)
        _build_timers(kernel, path)

    base = cache.stage(f"kselftests-{kernel.series}",
                       [RECIPE, str(kernel.source), kernel.cc, *KERNELS, *TIMERS], build, keep=2)
    sources = [p for p in cache.files_below(OURS) if p.suffix in (".c", ".h")
               and p.parent in (OURS, OURS / "kvm")]
    is_older = tuple(map(int, kernel.series.split("."))) < LIBRARY
    guests = ensure_selftests(ensure_kernel()) if is_older else None
    return cache.stage(f"selftests-{kernel.series}",
                       [RECIPE, str(base), *sources, *([str(guests)] if guests else [])],
                       lambda path: _build_ours(path, kernel, base, guests), keep=2)


def ensure_some(kernel, names):
    """The directory of some of the kernel's tests of KVM for x86, of which a few are built sooner
    than all."""
    patterns = [f"x86/{name}" for name in names]
    return cache.stage(f"kselftests-some-{kernel.series}",
                       [RECIPE, str(kernel.source), kernel.cc, *patterns],
                       lambda path: _build_kernels(path, kernel, patterns), keep=2) / "bin"
