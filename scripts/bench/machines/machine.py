# SPDX-License-Identifier: GPL-2.0
"""Boot a machine, run a command in it, read what it says.

    result = Machine("vmx", cpus=2).run(["uname", "-a"], timeout=300)

scripts/guest/runner.c is the other end of the conversation.
"""

from dataclasses import dataclass, field
import hashlib
import os
import re
import selectors
import subprocess
import time

from .. import cache
from ..building import image
from ..building.kernel import ensure_kernel
from ..cache import BenchError
from ..toolchain import root
from . import bochs, qemu, splats

MACHINES = ["vmx", "svm", "host"]
MEMORY = 1024       # MB
MAGIC = b"\r\n\x01raw_hrtimer-vm-1\x02"

# Statuses which no command of ours gives; scripts/vm exits with them.
NOT_STARTED, PANIC, OOPS, TIMEOUT, NO_LAST_LINE = 120, 121, 122, 123, 124

# Quick and repeatable to boot, and nothing of what timers depend on changed: the
# clocksource is the TSC, its watchdog off as on hardware that Linux trusts.
PARAMETERS = ("console=ttyS0,115200 quiet panic=-1 nokaslr tsc=reliable nmi_watchdog=0 "
              "audit=0 random.trust_cpu=on raid=noautodetect")

# The console of the emulated serial port may lose single characters.
_PANIC = re.compile(rb"Kernel panic|end Kernel p|not syncing|panic - not s")
_TROUBLE = re.compile(_PANIC.pattern + rb"|BUG: |Oops|general protection fault|kernel BUG at")
# QEMU says this and waits for a person.
_STOPPED = b"KVM internal error"


@dataclass
class Result:
    status: int = NO_LAST_LINE  # the command's, or one of the above
    out: bytes = b""            # what it wrote
    err: bytes = b""
    kernel_log: bytes = b""
    problems: list = field(default_factory=list)    # lines that told of an oops or warning
    why: str = ""               # a sentence, if status is one of the above
    image: str = ""             # a digest of what the machine was made of
    tsc_start: int = 0          # when the command started and ended
    tsc_end: int = 0
    seconds: float = 0          # on this host, with the boot


class _Frames:
    """Cuts the guest's stream into (type, data)."""

    def __init__(self):
        self._buffer = b""
        self._begun = False

    def feed(self, data):
        self._buffer += data
        if not self._begun:
            at = self._buffer.find(MAGIC)
            if at < 0:
                self._buffer = self._buffer[-len(MAGIC):]
                return
            self._buffer = self._buffer[at + len(MAGIC):]
            self._begun = True
        while len(self._buffer) >= 3:
            end = 3 + int.from_bytes(self._buffer[1:3], "little")
            if len(self._buffer) < end:
                return
            kind, payload = self._buffer[:1], self._buffer[3:end]
            self._buffer = self._buffer[end:]
            yield kind, payload


class _Conversation:
    """What a machine has said so far; sinks get it at once."""

    def __init__(self, result, sinks):
        self.result = result
        self.sinks = sinks
        self.running = False    # the command has started
        self.ended = False      # and ended
        self._quote = 0         # lines of a problem still to be quoted
        self._frames = _Frames()

    def _tell(self, name, data):
        if sink := self.sinks.get(name):
            sink(data)

    def hear(self, data):
        for kind, payload in self._frames.feed(data):
            {b"O": self._out, b"E": self._err, b"K": self._kernel, b"S": self._start,
             b"X": self._exit}[kind](payload)

    def _out(self, data):
        self.result.out += data
        self._tell("out", data)

    def _err(self, data):
        self.result.err += data
        self._tell("err", data)

    def _start(self, data):
        self.running = True
        self.result.tsc_start = int(data)
        self._tell("progress", f"up after {self.result.tsc_start:,} cycles, running the command")

    def _exit(self, data):
        status, tsc = data.split()
        self.ended = True
        self.result.status, self.result.tsc_end = int(status), int(tsc)

    def _kernel(self, line):
        self.result.kernel_log += line
        self._tell("kernel", line)
        if not self.running:
            return
        if splats.is_splat(line):
            self.result.problems.append(line.decode(errors="replace").rstrip())
            self._quote = 60
        if self._quote:
            self._quote -= 1
            self._tell("problem", line)
            if splats.END_OF_TRACE.search(line):
                self._quote = 0


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
    add: tuple = ()             # pairs (host path, guest path)
    append: str = ""            # kernel parameters

    def run(self, argv, timeout=600, keep_log=None, **sinks):
        """Run argv as root in a newly booted machine; returns a Result.

        timeout: seconds of host time with the boot.  keep_log: a file for all that
        the machine said.  sinks, each called with what arrives as it arrives:
        out, err, kernel (bytes), problem (bytes: the kernel's log from an oops or a
        warning on), progress (str).
        """
        result = Result()
        with cache.scratch() as run:
            command, result.image = self._prepare(run, argv)
            begin = time.monotonic()
            try:
                self._converse(command, begin + timeout, _Conversation(result, sinks), run)
            finally:
                result.seconds = time.monotonic() - begin
                if keep_log:
                    self._keep(run, command, result, keep_log)
            console = (run / "console").read_bytes() if (run / "console").exists() else b""
            self._judge(result, console, timeout, run)
        return result

    def _prepare(self, run, argv):
        if self.name not in MACHINES:
            raise BenchError(f"there is no machine {self.name}: {', '.join(MACHINES)}")
        kernel = ensure_kernel(self.kernel)
        image.write_initrd(run / "initrd", kernel, self.kvm, self.add, argv)
        parameters = f"{PARAMETERS} {self.append}".strip()
        emulator = bochs.identity() if self.name == "vmx" else [self.name]
        made_of = _digest([run / "initrd", kernel.vmlinuz], [parameters, self.cpus, *emulator])
        if self.name == "vmx":
            return bochs.command(run, kernel.vmlinuz, parameters, self.cpus, MEMORY), made_of
        return (qemu.command(run, self.name, kernel.vmlinuz, parameters, self.cpus, MEMORY),
                made_of)

    @staticmethod
    def _converse(command, deadline, conversation, run):
        """Let the machine run until it has said its last word, dies or is late."""
        with open(run / "stderr", "wb") as errors:
            process = subprocess.Popen(root.command(command, cwd=run),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=errors)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                while not conversation.ended:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        conversation.result.status = TIMEOUT
                        return
                    if _STOPPED in (run / "stderr").read_bytes():
                        return
                    if selector.select(min(left, 1)):
                        data = os.read(process.stdout.fileno(), 65536)
                        if not data:
                            return
                        conversation.hear(data)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()

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
