# SPDX-License-Identifier: GPL-2.0
"""Machines that run side by side, each with a reader of what it says.

    session = Session("machine 1", Machine("vmx"), ["sh", "/demo.sh"], 600, log, reader)
    run_all([session, ...], 2)

A reader has line(), which is called with each line of the command's output, and a dict of facts.
"""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
import os

from .. import cache


class Reader:
    """A line "@ WORD REST" is for the method _WORD, or else a fact; any other for other()."""

    def __init__(self):
        self.facts = {}

    def line(self, text):
        text = text.rstrip("\r\n")
        if not text.startswith("@ "):
            self.other(text)
            return
        word, _, rest = text[2:].partition(" ")
        if method := getattr(self, f"_{word}", None):
            method(rest)
        else:
            self.facts[word] = rest

    def other(self, text):
        pass


class Session:
    """One machine, which runs a command, and what it has come to."""

    def __init__(self, name, machine, command, timeout, log):
        self.name = name
        self.machine = machine
        self.command = command
        self.timeout = timeout
        self.log = log          # all that the machine said
        self.reader = None
        self.result = None      # at its end
        self._doing = "waiting"
        self._silence = cache.Silence()
        self._rest = b""

    def news(self, text):
        self._doing = text
        self._silence.broken()
        cache.say(self.name, text)

    def still_there(self):
        """Say what it does, if it has not said anything for a while."""
        if self._silence.over():
            cache.say(self.name, f"still at {self._doing}")

    def _hear(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.reader.line(line.decode(errors="replace"))

    def run(self):
        self.news("booting")
        self.log.unlink(missing_ok=True)
        self.result = self.machine.run(self.command, self.timeout, self.log, out=self._hear)
        self.news(f"ended with status {self.result.status} after {self.result.seconds:.0f} s")
        self.reader.facts["image"] = self.result.image

    @property
    def why(self):
        """A sentence, if the command did not succeed."""
        if not self.result.status:
            return None
        return (f"{self.name} ended with status {self.result.status}, see "
                f"{os.path.relpath(self.log)} {self.result.why}".rstrip())


def run_all(sessions, at_once):
    """All of them, so many at a time; an error or an interrupt ends their machines."""
    with ThreadPoolExecutor(at_once) as pool:
        left = {pool.submit(session.run): session for session in sessions}
        try:
            while left:
                for future in wait(left, 1, FIRST_COMPLETED).done:
                    del left[future]
                    future.result()
                for future, session in left.items():
                    if future.running():
                        session.still_there()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            cache.end_all()
            raise
