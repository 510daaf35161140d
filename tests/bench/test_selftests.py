# SPDX-License-Identifier: GPL-2.0
"""The kernel's harness gets all of our selftests."""

from pathlib import Path
import unittest

TREE = Path(__file__).resolve().parents[2]


class Selftests(unittest.TestCase):
    def test_the_makefile_has_each_script(self):
        """What it does not name is not installed."""
        folder = TREE / "tests/selftests/raw_hrtimer"
        named = (folder / "Makefile").read_text(encoding="utf-8").split()
        for file in folder.glob("*.sh"):
            self.assertEqual(named.count(file.name), 1, file.name)


if __name__ == "__main__":
    unittest.main()
