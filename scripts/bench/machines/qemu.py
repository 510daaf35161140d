# SPDX-License-Identifier: GPL-2.0
"""The svm machine (QEMU's own emulation) and the host one (KVM on this processor)."""

import ctypes
import functools
import mmap
import os
from pathlib import Path
import platform
import re
import time

from ..cache import BenchError

KVM_DEVICE = "/dev/kvm"
CPUINFO = Path("/proc/cpuinfo")
NESTED = Path("/sys/module/kvm_intel/parameters/nested")


@functools.cache
def tsc_khz():
    """This machine's TSC frequency, or None where it cannot be had."""
    if platform.machine() != "x86_64":
        return None
    # rdtsc; shl $32, %rdx; or %rdx, %rax; ret
    code = bytes.fromhex("0f31 48c1e220 4809d0 c3")
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE,
                         prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return None
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(address)

    def read():
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        tsc = rdtsc()
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) - before, tsc, before

    # The quickest of many was not interrupted in between.
    _, tsc, ns = min(read() for _ in range(100))
    time.sleep(0.1)
    _, later_tsc, later_ns = min(read() for _ in range(100))
    return round((later_tsc - tsc) * 1e6 / (later_ns - ns))


def _need_kvm():
    if not os.path.exists(KVM_DEVICE):
        raise BenchError(f"the machine 'host' needs {KVM_DEVICE}: load kvm-intel or kvm-amd, "
                         "or turn virtualisation on in the firmware")
    if not os.access(KVM_DEVICE, os.R_OK | os.W_OK):
        raise BenchError(f"the machine 'host' may not open {KVM_DEVICE}: run this as root")


def need_nested_vmx():
    """What a guest needs whose own KVM is Intel's."""
    if not re.search(r"^flags\s*:.*\bvmx\b", CPUINFO.read_text(encoding="utf-8"), re.M):
        raise BenchError("the processor does not have VMX, which KVM's nested timer test needs: it "
                         "is one of AMD's, or VMX is off in the firmware, or this is a virtual "
                         "machine without it")
    _need_kvm()
    if not NESTED.exists() or NESTED.read_text(encoding="ascii").strip() not in ("Y", "1"):
        raise BenchError("this machine's KVM gives its guests no VMX: load it again with "
                         "'modprobe kvm-intel nested=1'")


def command(run, machine, vmlinuz, parameters, cpus, memory, device=None):
    """The command, for the toolchain root, that boots vmlinuz and run/initrd.

    It writes the guest's port 0xe9 to stdout, its console to run/console, or to a terminal
    device of this machine.
    """
    serial = f"serial,path={device}" if device else f"file,path={run}/console"
    if machine == "host":
        _need_kvm()
        processor = ["-accel", "kvm", "-cpu", "host,migratable=off,+invtsc"]
    else:
        processor = ["-accel", "tcg", "-cpu", "max,+invtsc"]
        # The guest's TSC is this one.  On a busy machine it takes it for anything else.
        if khz := tsc_khz():
            parameters += f" tsc_early_khz={khz}"
    return ["qemu-system-x86_64", "-machine", "q35,usb=off", *processor,
            "-smp", str(cpus), "-m", str(memory), "-display", "none", "-vga", "none",
            "-nodefaults", "-no-user-config", "-no-reboot",
            "-chardev", f"{serial},id=console", "-serial", "chardev:console",
            "-chardev", "stdio,id=port,signal=off",
            "-device", "isa-debugcon,iobase=0xe9,chardev=port",
            "-kernel", vmlinuz, "-initrd", run / "initrd", "-append", parameters]
