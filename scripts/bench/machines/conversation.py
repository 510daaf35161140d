# SPDX-License-Identifier: GPL-2.0
"""What a machine says while it runs; scripts/guest/runner.c is the other end."""

from dataclasses import dataclass, field

from . import splats

MAGIC = b"\r\n\x01raw_hrtimer-vm-1\x02"

# Statuses which no command of ours gives; scripts/vm exits with them.
NOT_COLLECTED, NOT_STARTED, PANIC, OOPS, TIMEOUT, NO_LAST_LINE = 119, 120, 121, 122, 123, 124


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


class Conversation:
    """What a machine has said so far; sinks get it at once."""

    def __init__(self, result, sinks, archive):
        self.result = result
        self._archive = archive     # the file for the files that are asked for
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
             b"F": self._file, b"X": self._exit}[kind](payload)

    def _out(self, data):
        self.result.out += data
        self._tell("out", data)

    def _err(self, data):
        self.result.err += data
        self._tell("err", data)

    def _file(self, data):
        with open(self._archive, "ab") as file:
            file.write(data)

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
