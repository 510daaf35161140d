# SPDX-License-Identifier: GPL-2.0
"""The suite "image" finds a path of this machine, and nothing that only looks like one."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.suites import repeat  # noqa: E402


class Where(unittest.TestCase):
    def test_paths_of_the_folder(self):
        for data, at in ((b"/src", 0), (b"a\0/src/rust/clock.rs\0", 2), (b"(/src\0", 1),
                         (b"-I/src/rust", 2), (b"/srcu.h /src/x", 8)):
            self.assertEqual(repeat._where(Path("/src"), data), at)

    def test_others(self):
        for data in (b"", b"/srcu.h\0", b"/src.c", b"/src-1/x"):
            self.assertIsNone(repeat._where(Path("/src"), data))


if __name__ == "__main__":
    unittest.main()
