# SPDX-License-Identifier: GPL-2.0
"""A person at a machine (scripts/vm --interactive).

What is typed goes into the machine by its serial port, whose other end is a terminal device made
here; what the command prints comes as ever (scripts/guest/runner.c), as that is quicker.
"""

import os
import pty
import selectors
import shutil
import sys
import termios
import tty

LEAVE = b"\x1d"         # Ctrl-]
END = b"\x04"           # Ctrl-D: there is nothing more to read


def command(argv):
    """argv, or a shell, on a terminal of the size and kind of this one's."""
    columns, lines = shutil.get_terminal_size()
    kind = os.environ.get("TERM", "dumb")
    return ["sh", "-c", f'stty rows {lines} cols {columns}; exec "$@"', "sh",
            "env", f"TERM={kind}", *(argv or ["sh", "-l"])]


class Terminal:
    """Use as a context; `device` is for the emulator's serial port."""

    def __init__(self, log):
        self._log = log         # the file for the serial port's output: the kernel's console
        self._stdin = sys.stdin.fileno()
        self._pending = b""     # typed, and not in the machine yet
        self._listening = False
        self._before = None     # how the person's terminal was

    def __enter__(self):
        self._port, self._end = pty.openpty()
        tty.setraw(self._end)
        os.set_blocking(self._port, False)
        self.device = os.ttyname(self._end)
        return self

    def __exit__(self, *_error):
        if self._before:
            termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._before)
        os.close(self._port)
        os.close(self._end)

    def attach(self, selector):
        if os.isatty(self._stdin):
            self._before = termios.tcgetattr(self._stdin)
            tty.setraw(self._stdin)
        selector.register(self._port, selectors.EVENT_READ, lambda: self._serve(selector))

    def listen(self, selector):
        """From now on there is somebody in the machine who reads."""
        if not self._listening:
            self._listening = True
            selector.register(self._stdin, selectors.EVENT_READ, lambda: self._typed(selector))

    def _typed(self, selector):
        data = os.read(self._stdin, 256)
        if not data:
            selector.unregister(self._stdin)
        if self._before and LEAVE in data:
            raise KeyboardInterrupt
        self._pending += data or END
        self._serve(selector)

    def _serve(self, selector):
        """Move what can be moved without waiting."""
        try:
            with open(self._log, "ab") as log:
                log.write(os.read(self._port, 65536))
        except BlockingIOError:
            pass
        if self._pending:
            try:
                self._pending = self._pending[os.write(self._port, self._pending):]
            except BlockingIOError:
                pass
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._pending else 0)
        selector.modify(self._port, events, lambda: self._serve(selector))
