# SPDX-License-Identifier: GPL-2.0
"""What tests say without the module and with it, compared."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from bench.suites import verdicts      # noqa: E402  (the path comes first)

PASS, FAIL, SKIP, TIMEOUT, MISSING = "pass", "fail", "skip", "timeout", "missing"


def run(*lines, status=0, ticks=(10000,), tests=("a",)):
    return verdicts.compare([*lines, verdicts.LAST], status, list(ticks), list(tests))


class Names(unittest.TestCase):
    def test_each_kind_of_status(self):
        for status, name in ((0, PASS), (4, SKIP), (1, FAIL), (254, FAIL), (139, FAIL),
                             (124, TIMEOUT), (143, TIMEOUT), (127, MISSING)):
            self.assertEqual(verdicts.name(status), name, status)


class Judging(unittest.TestCase):
    def judge(self, absent, loaded):
        ok, _, nothing = verdicts.judge(absent, loaded)
        return ok, nothing

    def test_the_same_both_ways(self):
        self.assertEqual(self.judge([PASS], [PASS]), (True, False))

    def test_the_same_but_not_a_pass_says_nothing(self):
        for verdict in (FAIL, SKIP, TIMEOUT):
            self.assertEqual(self.judge([verdict], [verdict]), (True, True), verdict)

    def test_one_that_is_not_there_is_a_failure(self):
        self.assertEqual(self.judge([MISSING], [MISSING]), (False, False))
        self.assertEqual(self.judge([PASS] * 3, [PASS, MISSING, PASS]), (False, False))

    def test_cured(self):
        self.assertEqual(self.judge([FAIL] * 3, [PASS] * 3), (True, False))
        self.assertEqual(self.judge([TIMEOUT] * 3, [PASS] * 3), (True, False))

    def test_broken(self):
        self.assertEqual(self.judge([PASS] * 3, [FAIL] * 3), (False, False))
        self.assertEqual(self.judge([PASS] * 3, [TIMEOUT] * 3), (False, False))

    def test_broken_now_and_then(self):
        self.assertEqual(self.judge([PASS] * 3, [PASS, FAIL, PASS]), (False, False))

    def test_cured_now_and_then_is_not_cured(self):
        self.assertEqual(self.judge([FAIL] * 3, [PASS, FAIL, PASS]), (False, False))

    def test_another_way_not_to_pass(self):
        for absent, loaded in ((FAIL, TIMEOUT), (TIMEOUT, FAIL), (SKIP, FAIL), (FAIL, SKIP),
                               (SKIP, PASS), (PASS, SKIP)):
            self.assertEqual(self.judge([absent] * 3, [loaded] * 3), (False, False),
                             (absent, loaded))

    def test_one_that_does_not_repeat_says_nothing(self):
        self.assertEqual(self.judge([PASS, FAIL, PASS], [FAIL, PASS, PASS]), (True, True))
        self.assertEqual(self.judge([FAIL, TIMEOUT, FAIL], [PASS] * 3), (True, True))

    def test_but_may_not_do_what_it_never_did(self):
        self.assertEqual(self.judge([PASS, FAIL, PASS], [PASS, TIMEOUT, PASS]), (False, False))

    def test_not_run_one_of_the_ways(self):
        self.assertEqual(self.judge([PASS], []), (False, False))
        self.assertEqual(self.judge([], [PASS]), (False, False))


class Comparing(unittest.TestCase):
    def test_the_lines_of_the_script(self):
        count, ktap = run("# a: 3 s, its last lines:", "verdict 10000 absent 0 a",
                          "verdict 10000 loaded 0 a")
        self.assertEqual((count.passed, count.skipped, count.failed), (1, 0, 0))
        self.assertEqual(ktap[1:], ["1..1", "ok 1 a at tick 10000: pass both ways"])

    def test_rates_are_kept_apart(self):
        count, _ = run("verdict 10000 absent 0 a", "verdict 10000 loaded 0 a",
                       "verdict 9000 absent 254 a", "verdict 9000 loaded 0 a",
                       ticks=(10000, 9000))
        self.assertEqual((count.passed, count.failed), (2, 0))

    def test_what_was_broken_is_told(self):
        count, ktap = run("verdict 10000 absent 0 a", "verdict 10000 loaded 254 a")
        self.assertEqual(count.failures, ["a at tick 10000: without pass, with fail"])
        self.assertTrue(ktap[2].startswith("not ok 1 "))

    def test_what_is_told_of_several_runs(self):
        _, ktap = run(*["verdict 10000 absent 254 a", "verdict 10000 loaded 0 a"] * 3)
        self.assertEqual(ktap[2], "ok 1 a at tick 10000: cured: without 3 fail, with 3 pass")

    def test_a_skip_is_counted_as_one(self):
        count, ktap = run("verdict 10000 absent 4 a", "verdict 10000 loaded 4 a")
        self.assertEqual((count.passed, count.skipped), (0, 1))
        self.assertTrue(ktap[2].endswith("# SKIP"))

    def test_a_test_that_is_missing_fails(self):
        count, _ = run("verdict 10000 absent 0 a", "verdict 10000 loaded 0 a",
                       tests=("a", "b"))
        self.assertEqual((count.passed, count.failed), (1, 1))

    def test_a_script_that_did_not_end_fails(self):
        lines = ["verdict 10000 absent 0 a", "verdict 10000 loaded 0 a"]
        self.assertEqual(verdicts.compare(lines, 0, [10000], ["a"])[0].failed, 1)
        self.assertEqual(run(*lines, status=123)[0].failed, 1)


if __name__ == "__main__":
    unittest.main()
