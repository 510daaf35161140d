# SPDX-License-Identifier: GPL-2.0
"""The svm machine (QEMU's own emulation) and the host one (KVM on this processor)."""

import os

from .cache import BenchError

KVM_DEVICE = "/dev/kvm"


def _need_kvm():
    if not os.path.exists(KVM_DEVICE):
        raise BenchError(f"the machine 'host' needs {KVM_DEVICE}: load kvm-intel or kvm-amd, "
                         "or turn virtualisation on in the firmware")
    if not os.access(KVM_DEVICE, os.R_OK | os.W_OK):
        raise BenchError(f"the machine 'host' may not open {KVM_DEVICE}: run this as root")


def command(run, machine, vmlinuz, parameters, cpus, memory):
    """The command, for the toolchain root, that boots vmlinuz and run/initrd.

    It writes the guest's port 0xe9 to stdout, its console to run/console.
    """
    if machine == "host":
        _need_kvm()
        processor = ["-accel", "kvm", "-cpu", "host,migratable=off,+invtsc"]
    else:
        processor = ["-accel", "tcg", "-cpu", "max,+invtsc"]
    return ["qemu-system-x86_64", "-machine", "q35,usb=off", *processor,
            "-smp", str(cpus), "-m", str(memory), "-display", "none", "-vga", "none",
            "-nodefaults", "-no-user-config", "-no-reboot",
            "-serial", f"file:{run}/console",
            "-chardev", "stdio,id=port,signal=off",
            "-device", "isa-debugcon,iobase=0xe9,chardev=port",
            "-kernel", vmlinuz, "-initrd", run / "initrd", "-append", parameters]
