# SPDX-License-Identifier: GPL-2.0
"""Made-up folders of debugfs files for the tests of tools/raw-hrtimer-top."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

TREE = Path(__file__).resolve().parents[2]
TOOL = TREE / "tools/raw-hrtimer-top"


def _load():
    """The tool as a module; its name has no .py, and no bytecode is to lie beside it."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    module = module_from_spec(spec_from_loader("top", SourceFileLoader("top", str(TOOL))))
    sys.modules["top"] = module         # dataclasses look there
    module.__loader__.exec_module(module)
    sys.dont_write_bytecode = before
    return module


top = _load()

RATE = {"mono/raw": "+500.056 ppm", "mono_mult": 4796, "raw_mult": 4793, "shift": 24,
        "clocksource": "tsc", "generation": 7, "updates": 1000, "rate_changes": 3,
        "clocksource_changes": 1}
COUNTERS = {"starts": 100, "restarts": 20, "past": 1, "saturated": 0, "plain": 0, "no_room": 0,
            "unseen": 0, "wrong_clock": 0, "wrong_mode": 0, "passes": 2, "rearms": 5, "entries": 4}
ATTACH = {"kvm": "hooked", "nested": "yes", "lapic": "yes", "hyperv": "yes", "xen": "yes"}
BUSY = "another has the function, or ftrace is off"


class Folder(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)
        self.files = self.scratch / "debug/raw_hrtimer"
        self.files.mkdir(parents=True)
        self.write()

    def write(self, rate=(), counters=(), attach=()):
        for name, values in (("rate", {**RATE, **dict(rate)}),
                             ("counters", {**COUNTERS, **dict(counters)}),
                             ("attach", {**ATTACH, **dict(attach)})):
            self.write_text(name, "".join(f"{k}: {v}\n" for k, v in values.items()
                                          if v is not None))

    def write_text(self, name, text):
        (self.files / name).write_text(text, encoding="utf-8")

    def read(self, at=0.0, **files):
        """A sample of such files, as if taken at that time."""
        self.write(**files)
        with mock.patch.object(top.time, "clock_gettime", return_value=at):
            return top.read(str(self.files))

    def watch(self, *samples, interval=1.0):
        watch = top.Watch(interval)
        for at, files in samples:
            watch.add(self.read(at, **files))
        return watch

    def tool(self, *arguments, **options):
        return subprocess.run([sys.executable, TOOL, "--debugfs", self.files, "--interval", "0.1",
                               *arguments], capture_output=True, text=True, check=False, **options)
