# SPDX-License-Identifier: GPL-2.0
"""Directories for what is thrown away."""

from pathlib import Path
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench import cache  # noqa: E402


class Scratch(unittest.TestCase):
    def setUp(self):
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        patch = mock.patch.object(cache, "CACHE", Path(top.name))
        patch.start()
        self.addCleanup(patch.stop)

    def test_it_goes(self):
        with cache.scratch() as path:
            (path / "file").touch()
        self.assertFalse(path.exists())

    def test_those_of_the_dead_go_and_those_of_the_living_stay(self):
        left = cache.CACHE / "run/left"
        left.mkdir(parents=True)
        (left / "lock").touch()
        with cache.scratch() as living, cache.scratch() as path:
            self.assertFalse(left.exists())
            self.assertTrue(living.exists())
            self.assertNotEqual(living, path)


if __name__ == "__main__":
    unittest.main()
