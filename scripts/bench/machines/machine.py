# SPDX-License-Identifier: GPL-2.0
"""Boot a machine, run a command in it, read what it says.

    result = Machine("vmx", cpus=2).run(["uname", "-a"], timeout=300)

scripts/guest/runner.c is the other end of the conversation.
"""

import contextlib
from dataclasses import dataclass
import functools
import hashlib
import os
import re
import selectors
import subprocess
import time

from .. import cache
from ..building import image, kvm_parameters
from ..building.kernel import ensure_kernel
from ..cache import BenchError
from ..toolchain import root
from . import bochs, fetched, qemu, splats, terminal
from .conversation import (NOT_COLLECTED, NO_LAST_LINE, OOPS, PANIC, TIMEOUT, Conversation,
                           Result)

MACHINES = ["vmx", "svm", "host"]
MEMORY = 1024       # MB
LARGEST = 2500      # MB: what the initramfs may have between 256 MB and the PCI devices
# Quick and repeatable to boot, and nothing of what timers depend on changed: the
# clocksource is the TSC, its watchdog off as on hardware that Linux trusts.  Debian's kernels test
# their cryptography at boot: a third of what the emulators take for one.
PARAMETERS = ("console=ttyS0,115200 quiet panic=-1 nokaslr tsc=reliable nmi_watchdog=0 "
              "audit=0 random.trust_cpu=on raid=noautodetect cryptomgr.notests")

# The console of the emulated serial port may lose single characters.
_PANIC = re.compile(rb"Kernel panic|end Kernel p|not syncing|panic - not s")
_TROUBLE = re.compile(_PANIC.pattern + rb"|BUG: |Oops|general protection fault|kernel BUG at")
# QEMU says this and waits for a person.
_STOPPED = b"KVM internal error"


def _digest(files, words):
    """Vmx machines with the same digest give the same figures."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.read_bytes())
    total.update("\0".join(map(str, words)).encode())
    return total.hexdigest()[:12]


def image_of(log):
    """The digest in a file that a machine's log was kept in; None without such a file."""
    text = log.read_bytes() if log.exists() else b""
    found = re.search(rb"^==== image\n([0-9a-f]+)$", text, re.M)
    return found[1].decode() if found else None


@dataclass(frozen=True)
class Machine:
    name: str = "vmx"
    kernel: str = "stock"
    kvm: str = "stock"          # one of kvm.KINDS
    cpus: int = 1
    memory: int = MEMORY        # MB
    add: tuple = ()             # pairs (host path, guest path)
    get: tuple = ()             # pairs (guest path, host path): brought back at the end
    share: tuple = ()           # pairs (host folder, guest path): both
    append: str = ""            # kernel parameters
    kvm_parameters: str = ""    # as in kvm_parameters.py
    qemu: bool = False          # with QEMU in it
    timer_bits: int = bochs.TIMER_BITS      # of vmx's VMX-preemption timer
    only: tuple = ()            # programs of /selftests: without the others it boots sooner

    def run(self, argv, timeout=600, keep_log=None, interactive=False, **sinks):
        """Run argv as root in a newly booted machine; returns a Result.

        timeout: seconds of host time with the boot.  keep_log: a file for all that
        the machine said.  interactive: argv (a shell, if empty) has this process's
        terminal.  sinks, each called with what arrives as it arrives:
        out, err, kernel (bytes), problem (bytes: the kernel's log from an oops or a
        warning on), progress (str).
        """
        result = Result()
        if interactive:
            argv = terminal.command(argv)
        with cache.scratch() as run, contextlib.ExitStack() as stack:
            person = interactive and stack.enter_context(terminal.Terminal(run / "console"))
            command, result.image = self._prepare(run, argv, person.device if person else None)
            begin = time.monotonic()
            try:
                self._converse(command, begin + timeout,
                               Conversation(result, sinks, run / "archive"), run, person)
            finally:
                result.seconds = time.monotonic() - begin
                if keep_log:
                    self._keep(run, command, result, keep_log)
            console = (run / "console").read_bytes() if (run / "console").exists() else b""
            self._judge(result, console, timeout, run)
            self._fetch(result, run)
        return result

    def _wanted(self):
        """The pairs to bring back, and those of them that are shared."""
        shared = tuple((guest, host) for host, guest in self.share)
        return (*self.get, *shared), shared

    def _fetch(self, result, run):
        wanted, shared = self._wanted()
        missing = fetched.unpack(run / "archive", wanted, shared)
        if missing and not result.status:
            result.status, result.why = NOT_COLLECTED, "; ".join(missing)

    def _prepare(self, run, argv, device):
        if self.name not in MACHINES:
            raise BenchError(f"there is no machine {self.name}: {', '.join(MACHINES)}")
        kernel = ensure_kernel(self.kernel)
        image.write_initrd(run / "initrd", kernel, self.kvm, (*self.add, *self.share), {
            "command": argv, "get": [guest for guest, _ in self._wanted()[0]],
            "interactive": [device] if device else []}, self.qemu, self.only)
        self._check_size(run / "initrd")
        parameters = f"{PARAMETERS} {self.append}".strip()
        if self.kvm_parameters:
            folder = image.modules_folder(kernel, self.kvm)
            parameters += " " + kvm_parameters.command_line(self.kvm_parameters, self.name, folder)
        emulator = [self.name]
        command = qemu.command
        if self.name == "vmx":
            emulator = [*bochs.identity(), self.timer_bits]
            command = functools.partial(bochs.command, timer_bits=self.timer_bits)
        elif self.timer_bits != bochs.TIMER_BITS:
            raise BenchError("it is the vmx machine's VMX-preemption timer that can be early")
        made_of = _digest([run / "initrd", kernel.vmlinuz],
                          [parameters, self.cpus, self.memory, *emulator])
        return command(run, self.name, kernel.vmlinuz, parameters, self.cpus, self.memory,
                       device), made_of

    def _check_size(self, initrd):
        """The kernel has it twice while it unpacks it, into half of its memory at most."""
        size = initrd.stat().st_size >> 20
        if size > LARGEST:
            raise BenchError(f"{size} MB of files are too many for a machine: {LARGEST} at most")
        if (needed := 2 * size + 256) > self.memory:
            raise BenchError(f"{size} MB of files need a machine with more memory: --memory {needed}")

    @staticmethod
    def _converse(command, deadline, conversation, run, person):
        """Let the machine run until it has said its last word, dies or is late."""
        with open(run / "stderr", "wb") as errors:
            process = subprocess.Popen(root.command(command, cwd=run),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=errors)
        with process.stdout, cache.ended(process), selectors.PollSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if person:
                person.attach(selector)
            while not conversation.ended:
                left = deadline - time.monotonic()
                if left <= 0:
                    conversation.result.status = TIMEOUT
                    return
                if _STOPPED in (run / "stderr").read_bytes():
                    return
                for key, _ in selector.select(min(left, 1)):
                    if key.data:
                        key.data()
                    elif data := os.read(key.fd, 65536):
                        conversation.hear(data)
                    else:
                        return
                if person and conversation.running:
                    person.listen(selector)

    def _judge(self, result, console, timeout, run):
        """Say why, where the command did not simply end."""
        oopsed = [line for line in result.problems if splats.OOPS.search(line.encode())]
        end = console[-3000:].decode(errors="replace").strip() or "(empty)"
        if result.status in (TIMEOUT, NO_LAST_LINE) and not result.tsc_end:
            if _PANIC.search(console):
                result.status = PANIC
                trouble = console[_TROUBLE.search(console).start():][:6000]
                result.why = ("the guest's kernel panicked, its console from there on:\n"
                              + trouble.decode(errors="replace").strip())
            elif result.status == NO_LAST_LINE and not result.tsc_start and not console:
                errors = (run / "stderr").read_text(errors="replace").strip()
                if _STOPPED.decode() in errors:
                    raise BenchError("this machine's own KVM cannot run the guest "
                                     f"(is it a virtual machine itself?): {errors[:300]}")
                log = run / "emulator.log"
                errors += log.read_text(errors="replace")[-1000:] if log.exists() else ""
                raise BenchError(f"the machine {self.name} did not start: {errors}")
            elif result.status == TIMEOUT:
                doing = "its command ran" if result.tsc_start else "it booted"
                result.why = f"still running after {timeout:g} s, {doing}"
            else:
                result.why = f"the machine ended without the last line, its console ends:\n{end}"
        if oopsed and result.status != PANIC:
            result.status = OOPS
            result.why = f"the guest's kernel said: {oopsed[0]}"

    def _keep(self, run, command, result, keep_log):
        def section(title, data):
            return b"==== " + title.encode() + b"\n" + data + (b"" if data[-1:] == b"\n" else b"\n")

        with open(keep_log, "wb") as file:
            file.write(section("machine", " ".join(map(str, command)).encode()))
            file.write(section("image", result.image.encode()))
            for name in ("bochsrc", "stderr", "emulator.log", "console"):
                if (run / name).exists():
                    file.write(section(name, (run / name).read_bytes()))
            file.write(section("kernel log", result.kernel_log))
            file.write(section("stdout", result.out) + section("stderr", result.err))
