# SPDX-License-Identifier: GPL-2.0
"""tools/raw-hrtimer-top on a terminal, which it leaves as it was."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
import unittest

from top_folder import BUSY, Folder, TOOL


def own_terminal():
    """In the child: keys send it signals, also where whoever started the tests ignores these."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal(Folder):
    def start(self, *arguments, columns=60, lines=20):
        """The tool on a terminal of its own: (process, the terminal's other end)."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        self.settings = termios.tcgetattr(slave)
        process = subprocess.Popen(
            [sys.executable, TOOL, "--debugfs", self.files, "--interval", "0.1", *arguments],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=own_terminal,
            env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "LINES": str(lines),
                 "PYTHONIOENCODING": "utf-8"})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.slave = slave
        return process, master

    def output(self, master, process=None, until=None):
        """What comes until there is such a text, or until the process has ended."""
        text, end = "", time.monotonic() + 20
        while time.monotonic() < end:
            if select.select([master], [], [], 0.05)[0]:
                text += os.read(master, 65536).decode(errors="replace")
                if until and until in text:
                    return text
            elif process and process.poll() is not None:
                return text
        self.fail(f"nothing of that kind in {text!r}")

    def ends_by(self, end, status):
        process, master = self.start()
        text = self.output(master, until="starts")
        self.assertTrue(text.startswith("\x1b[?1049h\x1b[?25l"), text[:40])
        end(process, master)
        text = self.output(master, process)
        self.assertTrue(text.endswith("\x1b[?25h\x1b[?1049l"), text[-60:])
        self.assertEqual(process.returncode, status)
        self.assertEqual(termios.tcgetattr(self.slave), self.settings)

    def test_ctrl_c(self):
        self.ends_by(lambda _, master: os.write(master, b"\x03"), 0)

    def test_other_signals(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            self.ends_by(lambda process, _, which=number: process.send_signal(which), 128 + number)

    def test_ctrl_z(self):
        process, master = self.start()
        self.output(master, until="starts")
        os.write(master, b"\x1a")
        self.output(master, until="\x1b[?25h\x1b[?1049l")
        self.assertTrue(os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1]))
        process.send_signal(signal.SIGCONT)
        self.output(master, until="\x1b[?1049h\x1b[?25l")

    def test_nothing_wraps(self):
        self.write(attach={"xen": f"no ({BUSY})"})
        process, master = self.start("--count", "1", columns=40, lines=10)
        lines = re.sub(r"\x1b\[[?0-9]*[A-Za-z]", "", self.output(master, process)).splitlines()
        self.assertEqual(len(lines), 10)
        self.assertLessEqual(max(map(len, lines)), 40)
        self.assertTrue(any(line.startswith("ALERT   xen timers") for line in lines))

    def test_removed_and_loaded_again(self):
        process, master = self.start()
        self.output(master, until="starts")
        (self.files / "rate").unlink()
        self.output(master, until="a file is missing")
        self.write(counters={"starts": 77})
        self.output(master, until=" 77 ")
        process.send_signal(signal.SIGINT)
        self.output(master, process)

    def test_without_a_terminal(self):
        done = self.tool("--count", "2")
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("\x1b", done.stdout)
        self.assertEqual(len(re.findall(r"^clock   \+500\.056 ppm", done.stdout, re.M)), 2)

    def test_a_reader_that_leaves(self):
        done = subprocess.run(f"{sys.executable} {TOOL} --debugfs {self.files} --interval 0.1 "
                              "--count 5 | head -n 1", shell=True, capture_output=True, text=True,
                              check=True)
        self.assertRegex(done.stdout, r"\Araw_hrtimer  .*\n\Z")
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
