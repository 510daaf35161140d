# SPDX-License-Identifier: GPL-2.0
"""Stages, and directories for what is thrown away."""

from pathlib import Path
import shutil
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench import cache  # noqa: E402


class Cached(unittest.TestCase):
    def setUp(self):
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        patch = mock.patch.object(cache, "CACHE", Path(top.name))
        patch.start()
        self.addCleanup(patch.stop)


class Scratch(Cached):
    def test_it_goes(self):
        with cache.scratch() as path:
            (path / "file").touch()
        self.assertFalse(path.exists())

    def test_it_goes_while_what_was_killed_still_writes(self):
        with cache.scratch() as path:
            (path / "file").touch()
            rmtree = mock.Mock(side_effect=[None, None, mock.DEFAULT], wraps=shutil.rmtree)
            patch = mock.patch("shutil.rmtree", rmtree)
            patch.start()
            self.addCleanup(patch.stop)
        self.assertFalse(path.exists())

    def test_those_of_the_dead_go_and_those_of_the_living_stay(self):
        left, half_removed, begun = [cache.CACHE / "run" / name for name in ("left", "half", "new-x")]
        for folder in (left, half_removed, begun):
            folder.mkdir(parents=True)
        (left / "lock").touch()
        with cache.scratch() as living, cache.scratch() as path:
            self.assertFalse(left.exists())
            self.assertFalse(half_removed.exists())
            self.assertTrue(begun.exists())
            self.assertTrue(living.exists())
            self.assertNotEqual(living, path)


class Stage(Cached):
    def setUp(self):
        super().setUp()
        for name, value in (("_held", {}), ("say", lambda *_: None)):
            patch = mock.patch.object(cache, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def stages(self):
        return sorted(path.name for path in cache.CACHE.glob("a-*"))

    def test_one_that_is_ended_is_removed(self):
        def build(path):
            (path / "file").touch()
            raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            cache.stage("a", ["1"], build)
        self.assertEqual(self.stages(), [])

    def test_the_last_one_is_kept(self):
        cache.stage("a", ["1"], lambda path: None)
        cache._held.clear()
        path = cache.stage("a", ["2"], lambda path: None)
        self.assertEqual(self.stages(), [path.name])

    def test_an_old_one_that_cannot_be_removed(self):
        old = cache.stage("a", ["1"], lambda path: None)
        cache._held.clear()
        with mock.patch("shutil.rmtree", side_effect=FileNotFoundError):
            path = cache.stage("a", ["2"], lambda path: None)
        self.assertEqual(self.stages(), sorted([old.name, path.name]))
        self.assertFalse((old / ".complete").exists())


if __name__ == "__main__":
    unittest.main()
