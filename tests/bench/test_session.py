# SPDX-License-Identifier: GPL-2.0
"""Machines side by side: what their readers are told, and how all of them end."""

import contextlib
import io
from pathlib import Path
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench import cache  # noqa: E402
from bench.machines import session  # noqa: E402
from bench.machines.conversation import Result  # noqa: E402


class Reader(session.Reader):
    def __init__(self):
        super().__init__()
        self.said = []

    def _run(self, rest):
        self.said.append(("run", rest))

    def other(self, text):
        self.said.append(text)


class Machine:
    """In place of one that boots."""

    def __init__(self, chunks=(), status=0, error=None, sleeps=False, begun=None):
        self.chunks, self.status, self.error, self.sleeps = chunks, status, error, sleeps
        self.begun = begun or threading.Event()

    def run(self, _command, _timeout, _log, out):
        for chunk in self.chunks:
            out(chunk)
        if self.sleeps:
            with cache.ended(subprocess.Popen(["sleep", "600"])) as process:
                self.begun.set()
                self.status = process.wait()
        if self.error:
            self.begun.wait(10)
            raise self.error
        return Result(status=self.status, why="it said why" if self.status else "", image="0123")


class Sessions(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = Path(scratch.name)
        self.addCleanup(cache._ended.clear)
        self.stderr = io.StringIO()
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        stack.enter_context(contextlib.redirect_stderr(self.stderr))

    def session(self, machine, name="machine 1"):
        made = session.Session(name, machine, ["true"], 10, self.top / f"{name}.log")
        made.reader = Reader()
        return made

    def test_lines_are_whole(self):
        one = self.session(Machine([b"@ kernel 7.3\nhel", b"lo\r\n@ run a ", b"b\nrest"]))
        session.run_all([one], 1)
        self.assertEqual(one.reader.said, ["hello", ("run", "a b")])
        self.assertEqual(one.reader.facts, {"kernel": "7.3", "image": "0123"})
        self.assertIsNone(one.why)

    def test_one_that_fails_is_told_of(self):
        one, two = self.session(Machine(status=3)), self.session(Machine(), "machine 2")
        session.run_all([one, two], 2)
        self.assertRegex(one.why, r"machine 1 ended with status 3, see .*machine 1\.log it said why")
        self.assertIsNone(two.why)

    def test_silence_is_broken(self):
        machine = Machine(sleeps=True)
        one = self.session(machine)
        threading.Timer(2.5, cache.end_all).start()
        with mock.patch.object(cache, "SILENCE", 1):
            session.run_all([one], 1)
        self.assertIn("machine 1: still at booting", self.stderr.getvalue())

    def test_an_error_ends_the_others(self):
        sleeper = Machine(sleeps=True)
        bad = Machine(error=cache.BenchError("it did not start"), begun=sleeper.begun)
        sessions = [self.session(sleeper), self.session(bad, "machine 2"),
                    self.session(Machine(), "machine 3")]
        with self.assertRaisesRegex(cache.BenchError, "it did not start"):
            session.run_all(sessions, 2)
        self.assertEqual(sleeper.status, -9)

    def test_nothing_begins_after_the_end(self):
        cache.end_all()
        with cache.ended(subprocess.Popen(["sleep", "600"])) as process:
            self.assertEqual(process.wait(), -9)


if __name__ == "__main__":
    unittest.main()
