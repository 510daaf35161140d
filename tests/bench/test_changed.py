# SPDX-License-Identifier: GPL-2.0
"""Which suites a change can break: the rules hold for the tree and the suites that there are."""

from pathlib import Path
import re
import sys
from types import SimpleNamespace
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench import cache  # noqa: E402
from bench.suites import changed, table  # noqa: E402


def broken_by(*paths):
    return changed.suites_for(paths, table.SUITES)


class Rules(unittest.TestCase):
    def test_each_has_a_suite(self):
        for _, names, _ in changed.RULES:
            self.assertTrue(changed._matching(table.SUITES, names), names)

    def test_each_has_a_file(self):
        files = [str(file.relative_to(cache.TREE)) for top in (
            "c", "include", "packaging", "patches", "rust", "scripts", "tests", "tools", "Documentation",
            ".ci")
                 for file in cache.files_below(cache.TREE / top)]
        files += [file.name for file in cache.TREE.iterdir() if file.is_file()]
        for pattern, *_ in changed.RULES:
            self.assertTrue(any(re.fullmatch(pattern, file) for file in files), pattern)


class Changes(unittest.TestCase):
    def test_the_module(self):
        found = broken_by("rust/clock/update.rs")
        for name in ("module", "lints", "vmx", "svm-2", "demo", "bookkeeping", "static",
                     "unittests"):
            self.assertIn(name, found)
        self.assertNotIn("series", found)
        self.assertIn("rust/clock/update.rs: runs the module", found["vmx"])

    def test_a_test_of_the_module(self):
        found = broken_by("tests/selftests/raw_hrtimer/arm.sh")
        self.assertIn("vmx", found)             # which runs all of them
        self.assertNotIn("demo", found)
        self.assertNotIn("svm-hpet", found)     # which runs no_tsc.sh alone

    def test_a_program_that_a_test_starts(self):
        found = broken_by("tests/selftests/raw_hrtimer/refclock.c")
        self.assertIn("chrony", found)
        self.assertNotIn("svm-hpet", found)

    def test_a_guest(self):
        found = broken_by("tests/selftests/raw_hrtimer/kvm/xen_timer_accuracy_test.c")
        self.assertIn("vmx-timers-patched", found)
        self.assertIn("series", found)          # compares it with the patch
        self.assertNotIn("vmx-nested", found)

    def test_the_series(self):
        found = broken_by("patches/kvm/0004-any.patch")
        self.assertIn("vmx-timers-patched", found)
        self.assertNotIn("vmx-timers-stock", found)

    def test_documents(self):
        self.assertEqual(list(broken_by("README.rst", "Documentation/kvm.rst")), ["static"])

    def test_what_nobody_knows_can_break_everything(self):
        for path in ("scripts/bench/machines/machine.py", "a/new/file"):
            found = broken_by(path)
            self.assertEqual(len(found), len(table.SUITES), path)
        self.assertIn(f"a/new/file: {changed.EVERYTHING}", found["svm-1"])

    def test_nothing(self):
        self.assertEqual(broken_by(), {})


class Files(unittest.TestCase):
    def files(self, **answers):
        def run(argv, **_how):
            verb = next(word for word in argv if word in answers)
            return SimpleNamespace(returncode=0, stdout=answers[verb], stderr="")
        with mock.patch.object(changed.root, "run", run):
            return changed.files("HEAD")

    def test_changed_and_new(self):
        self.assertEqual(self.files(**{"diff": "b\na\n", "ls-files": "c\n"}), ["a", "b", "c"])
        self.assertEqual(self.files(**{"diff": "", "ls-files": ""}), [])

    def test_no_such_commit(self):
        done = SimpleNamespace(returncode=128, stdout="", stderr="fatal: bad revision\n")
        with mock.patch.object(changed.root, "run", return_value=done):
            with self.assertRaisesRegex(cache.BenchError, "git diff nothing: fatal: bad revision"):
                changed.files("nothing")


if __name__ == "__main__":
    unittest.main()
