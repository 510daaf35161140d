# SPDX-License-Identifier: GPL-2.0
"""Which kernel is the newest that is not tested, and what is told of it."""

import functools
from pathlib import Path
import random
import sys
import tempfile
from types import SimpleNamespace
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.building import kernel, newest  # noqa: E402
from bench.cache import BenchError  # noqa: E402
from bench.suites import ktap  # noqa: E402
from bench.suites import newest as suite  # noqa: E402

VERSIONS = ["7.2.13-1", "7.3~rc7-1~exp1", "7.3.4-1~bpo13+1", "7.3.4-1", "7.10.1-1"]


def found(version, release="7.9.1-cloud-amd64", where="unstable"):
    return newest.Found(version, where, release, None)


class Order(unittest.TestCase):
    def test_it_is_that_of_debian(self):
        mixed = [found(version) for version in VERSIONS]
        random.Random(1).shuffle(mixed)
        mixed.sort(key=functools.cmp_to_key(newest._compare))
        self.assertEqual([one.version for one in mixed], VERSIONS)

    def test_those_that_are_tested_are_passed_over(self):
        tested = found("7.3.4-1", kernel.tested()[0])
        other = found("7.2.13-1", "7.2.13+deb14-cloud-amd64")
        self.assertEqual(newest.choose([tested, other]), other)
        with self.assertRaises(BenchError):
            newest.choose([tested])


class Names(unittest.TestCase):
    def test_a_candidate_has_a_series(self):
        for release in ("7.3-cloud-amd64", "7.3.4+deb13-cloud-amd64", "7.3-rc7"):
            self.assertEqual(kernel.series_of(release), "7.3")


class Archive(unittest.TestCase):
    SAID = """\
linux-image-cloud-amd64 | 7.3~rc7-1~exp1 | http://archive/debian experimental/main amd64 Packages
linux-image-cloud-amd64 |   7.2.13-1 | http://archive/debian unstable/main amd64 Packages
linux-image-cloud-amd64 |   7.2.13-1 | http://archive/debian unstable/main Sources
"""
    RECORDS = [{"Version": "7.3~rc7-1~exp1", "Depends": "linux-image-7.3-cloud-amd64 (= 7.3~rc7)"},
               {"Version": "7.2.13-1", "Depends": "linux-image-7.2.13+deb14-cloud-amd64 (= 7)"}]

    def test_each_suite_is_known(self):
        with mock.patch.object(newest.root, "run", return_value=SimpleNamespace(stdout=self.SAID)), \
                mock.patch.object(kernel, "records", return_value=self.RECORDS):
            self.assertEqual(
                [(one.suite, one.release) for one in newest._known(None)],
                [("experimental", "7.3-cloud-amd64"), ("unstable", "7.2.13+deb14-cloud-amd64")])


class Screen(unittest.TestCase):
    def test_a_failure_says_in_which_step(self):
        with tempfile.TemporaryDirectory() as folder:
            screen = suite._Screen(SimpleNamespace(log=Path(folder) / "newest.log"))
            failures = [f"a.rs:{line}: error" for line in range(20)]
            count = screen.step("build", ktap.Count(passed=2, failures=list(failures)))
            text = (Path(folder) / "newest.txt").read_text(encoding="utf-8")
        self.assertEqual(count.failures[3], "build: a.rs:3: error")
        self.assertIn("build          2 passed, 20 failed\n", text)
        self.assertIn("a.rs:7: error", text)
        self.assertNotIn("a.rs:8: error", text)
        self.assertIn("and 12 more", text)


if __name__ == "__main__":
    unittest.main()
