# SPDX-License-Identifier: GPL-2.0
"""patches/kvm/copies.py finds a copy that differs from its original, and makes it anew."""

import importlib.util
from pathlib import Path
import re
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

TREE = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("copies", TREE / "patches/kvm/copies.py")
copies = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(copies)

HEADER = "include/linux/tsc_timer.h"


class Copies(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = Path(scratch.name)
        for name in ("patches/kvm", "include", "tests/selftests/raw_hrtimer/kvm"):
            shutil.copytree(TREE / name, self.top / name)
        for name, value in (("TREE", self.top), ("HERE", self.top / "patches/kvm")):
            patcher = mock.patch.object(copies, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def texts(self):
        return {file: file.read_text(encoding="utf-8") for file in copies.HERE.rglob("*.patch")}

    def test_the_tree_has_copies(self):
        self.assertEqual(copies.differences(), [])
        self.assertEqual(copies.update(), [])

    def test_an_original_that_changes_is_noticed_and_copied_and_back(self):
        was, header = self.texts(), self.top / HEADER
        text = header.read_text(encoding="utf-8")
        header.write_text(text + "/* one */\n/* two */\n", encoding="utf-8")
        # The series has it, and so has that for 7.2.
        self.assertEqual(len(copies.differences()), 2)
        written = copies.update()
        self.assertEqual(len(written), 2)
        self.assertEqual(copies.differences(), [])

        cover = copies.HERE / "provider/0000-cover-letter.patch"
        new = cover.read_text(encoding="utf-8")
        self.assertRegex(new, rf"\n {HEADER} +\| {text.count(chr(10)) + 2} \++\n")
        before, after = (int(re.search(r"(\d+) insertions", it)[1]) for it in (was[cover], new))
        self.assertEqual(after, before + 2)
        header.write_text(text, encoding="utf-8")
        copies.update()
        self.assertEqual(self.texts(), was)

    @unittest.skipUnless(shutil.which("git"), "this machine has no git")
    def test_git_takes_what_is_written(self):
        header = self.top / HEADER
        header.write_text("/* one */\n", encoding="utf-8")
        for patch in copies.update():
            subprocess.run(["git", "apply", f"--include={HEADER}", patch], cwd=self.top / "patches",
                           check=True, env={"GIT_CEILING_DIRECTORIES": str(self.top)})
            made = self.top / "patches" / HEADER
            self.assertEqual(made.read_text(encoding="utf-8"), "/* one */\n")
            made.unlink()

    def test_no_copy_at_all_is_noticed(self):
        for patch in copies.patches():
            patch.unlink()
        self.assertEqual(copies.differences(), ["the series add no file of this tree"])


if __name__ == "__main__":
    unittest.main()
