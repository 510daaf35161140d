# SPDX-License-Identifier: GPL-2.0
"""The names that the cache and the tree have in the toolchain root, the same on every machine."""

from pathlib import Path
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench import cache  # noqa: E402
from bench.building import cpio  # noqa: E402
from bench.toolchain import root  # noqa: E402

CACHE, TREE = Path("/home/me/.cache/raw_hrtimer"), Path("/src")


@mock.patch.dict(root.INSIDE, {CACHE: "/cache", TREE: "/tree"}, clear=True)
class Inside(unittest.TestCase):
    def test_paths_in_words(self):
        for outside, inside in (
                (CACHE / "a/b", "/cache/a/b"), (TREE, "/tree"), ("M=/src", "M=/tree"),
                (f"CC=gcc -isystem {CACHE}/a -I /src/c", "CC=gcc -isystem /cache/a -I /tree/c"),
                (f"'/src/x':{CACHE}", "'/tree/x':/cache"), (7, "7")):
            self.assertEqual(root.inside(outside), inside)

    def test_what_only_looks_like_one(self):
        for word in ("/usr/src/linux", "/srcs/x", "/src-2/x", "/src.d", "-I/src/x", f"{CACHE}2/a"):
            self.assertEqual(root.inside(word), word)

    def test_a_cache_in_the_tree(self):
        with mock.patch.dict(root.INSIDE, {TREE / "cache": "/cache", TREE: "/tree"}, clear=True):
            self.assertEqual(root.inside("/src/cache/a"), "/cache/a")
            self.assertEqual(root.inside("/src/caches"), "/tree/caches")


class Keys(unittest.TestCase):
    """Two caches, and two checkouts, have stages of the same names."""

    def key(self, top, tree):
        (top / "stage").mkdir(parents=True)
        (top / "stage/file").write_text("a", encoding="utf-8")
        with mock.patch.multiple(cache, CACHE=top, TREE=tree):
            return cache.digest(["1", str(top / "stage"), top / "stage/file"])

    def test_wherever_they_are(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            self.assertEqual(self.key(folder / "a", folder / "tree"),
                             self.key(folder / "a/longer/name", folder / "another/tree"))


class Modes(unittest.TestCase):
    def entry(self, mode):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "file")
            file.write_text("a", encoding="utf-8")
            file.chmod(mode)
            with open(Path(folder, "cpio"), "w+b") as out:
                cpio.Archive(out).copy(file, "/x")
                out.seek(0)
                return out.read()

    def test_no_umask_in_an_archive(self):
        self.assertEqual(self.entry(0o600), self.entry(0o664))
        self.assertEqual(self.entry(0o700), self.entry(0o775))
        self.assertNotEqual(self.entry(0o700), self.entry(0o600))
        self.assertNotEqual(self.entry(0o4755), self.entry(0o755))


if __name__ == "__main__":
    unittest.main()
