# SPDX-License-Identifier: GPL-2.0
"""What counts as passed, failed and skipped; and that no crash passes for success."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.suites import ktap  # noqa: E402


def counted(text, status=0):
    count = ktap.ktap(text.splitlines(), status)
    return count.passed, count.failed, count.skipped


class Flat(unittest.TestCase):
    def test_results(self):
        self.assertEqual(counted("TAP version 13\n1..3\nok 1 a\nnot ok 2 b\nok 3 c # SKIP no\n",
                                 1), (1, 1, 1))

    def test_names_failures(self):
        count = ktap.ktap(["KTAP version 1", "1..1", "not ok 1 - the one"], 1)
        self.assertEqual(count.failures, ["the one"])

    def test_diagnostics_and_noise_are_not_results(self):
        self.assertEqual(counted("KTAP version 1\n1..1\n# ok 1 said\nbook 1 x\nok 1 a\n"),
                         (1, 0, 0))

    def test_kernel_log_prefix(self):
        self.assertEqual(counted("[    1.0] KTAP version 1\n[    1.0] 1..1\n[   12.25] ok 1 a\n"),
                         (1, 0, 0))

    def test_plan_at_the_end(self):
        self.assertEqual(counted("TAP version 13\nok 1 a\n1..1\n"), (1, 0, 0))

    def test_todo_and_xfail_may_fail(self):
        self.assertEqual(counted("KTAP version 1\n1..3\nnot ok 1 a # TODO later\n"
                                 "ok 2 b # TODO\nok 3 # XFAIL known\n"), (3, 0, 0))

    def test_directive_needs_a_hash(self):
        self.assertEqual(counted("KTAP version 1\n1..1\nnot ok 1 SKIP is in its name\n", 1),
                         (0, 1, 0))


class Crashes(unittest.TestCase):
    def test_nothing_at_all(self):
        self.assertEqual(counted(""), (0, 1, 0))
        self.assertEqual(counted("Segmentation fault\n", 139), (0, 1, 0))

    def test_fewer_than_planned(self):
        self.assertEqual(counted("KTAP version 1\n1..3\nok 1 a\nok 2 b\n", 0), (2, 1, 0))

    def test_more_than_planned(self):
        self.assertEqual(counted("KTAP version 1\n1..1\nok 1 a\nok 2 b\n"), (2, 1, 0))

    def test_no_plan(self):
        self.assertEqual(counted("KTAP version 1\nok 1 a\n"), (1, 1, 0))

    def test_planned_but_never_begun(self):
        self.assertEqual(counted("KTAP version 1\n1..2\n"), (0, 1, 0))

    def test_wrong_number(self):
        self.assertEqual(counted("KTAP version 1\n1..2\nok 1 a\nok 3 b\n"), (2, 1, 0))

    def test_two_plans(self):
        self.assertEqual(counted("KTAP version 1\n1..1\nok 1 a\n1..1\n"), (1, 1, 0))

    def test_bail_out(self):
        self.assertEqual(counted("KTAP version 1\n1..1\nok 1 a\nBail out! no disk\n"), (1, 1, 0))

    def test_status_without_a_failure(self):
        self.assertEqual(counted("KTAP version 1\n1..1\nok 1 a\n", 124), (1, 1, 0))

    def test_status_of_a_failure_is_not_counted_again(self):
        self.assertEqual(counted("KTAP version 1\n1..1\nnot ok 1 a\n", 1), (0, 1, 0))

    def test_status_skipped_but_nothing_skipped(self):
        self.assertEqual(counted("KTAP version 1\n1..1\nok 1 a\n", 4), (1, 1, 0))


class Skips(unittest.TestCase):
    def test_whole_suite(self):
        self.assertEqual(counted("TAP version 13\n1..0 # SKIP no hardware\n", 4), (0, 0, 1))

    def test_empty_plan_is_no_skip(self):
        self.assertEqual(counted("TAP version 13\n1..0\n"), (0, 1, 0))


NESTED = """\
KTAP version 1
1..2
    KTAP version 1
    # Subtest: rate
    1..2
    ok 1 a
    {second} 2 b
{parent} 1 rate
    KTAP version 1
    1..1
        KTAP version 1
        1..2
        ok 1 deep
        ok 2 deeper # SKIP not now
    ok 1 group
ok 2 deadline
"""


class Nested(unittest.TestCase):
    def test_leaves_are_counted(self):
        self.assertEqual(counted(NESTED.format(second="ok", parent="ok")), (3, 0, 1))

    def test_a_failure_is_counted_once(self):
        self.assertEqual(counted(NESTED.format(second="not ok", parent="not ok"), 1), (2, 1, 1))

    def test_a_failure_is_not_hidden_by_its_parent(self):
        self.assertEqual(counted(NESTED.format(second="not ok", parent="ok")), (2, 1, 1))

    def test_a_parent_fails_on_its_own(self):
        self.assertEqual(counted(NESTED.format(second="ok", parent="not ok"), 1), (3, 1, 1))

    def test_inner_crash(self):
        text = NESTED.format(second="ok", parent="not ok").replace("    ok 2 b\n", "")
        self.assertEqual(counted(text, 1), (2, 1, 1))

    def test_outer_crash(self):
        text = NESTED.format(second="ok", parent="ok").replace("ok 2 deadline\n", "")
        self.assertEqual(counted(text), (3, 1, 1))

    def test_inner_suite_skipped(self):
        self.assertEqual(counted("TAP version 13\n1..1\n    TAP version 13\n"
                                 "    1..0 # SKIP no VMX\nok 1 kvm # SKIP no VMX\n"), (0, 0, 1))

    def test_inner_died_before_its_plan(self):
        self.assertEqual(counted("TAP version 13\n1..1\n    TAP version 13\n"
                                 "not ok 1 kvm # exit status 139\n", 1), (0, 2, 0))


class Documents(unittest.TestCase):
    def test_two_in_a_row(self):
        self.assertEqual(counted("KTAP version 1\n1..1\nok 1 a\nKTAP version 1\n1..1\nok 1 b\n"),
                         (2, 0, 0))

    def test_the_first_one_crashed(self):
        self.assertEqual(counted("KTAP version 1\n1..2\nok 1 a\nKTAP version 1\n1..1\nok 1 b\n"),
                         (2, 1, 0))


class Others(unittest.TestCase):
    def test_cargo(self):
        line = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out"
        count = ktap.cargo([line, line])
        self.assertEqual((count.passed, count.failed, count.skipped), (10, 0, 2))

    def test_cargo_fails(self):
        count = ktap.cargo(["test a ... FAILED", "---- a stdout ----", "test result: FAILED. "
                            "5 passed; 1 failed; 0 ignored; 0 measured"], 101)
        self.assertEqual((count.passed, count.failures), (5, ["a"]))

    def test_cargo_does_not_build(self):
        self.assertEqual(ktap.cargo(["error: could not compile"], 101).failed, 1)

    def test_cargo_crash_after_success(self):
        count = ktap.cargo(["test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured",
                            "signal: 11"], 101)
        self.assertEqual((count.passed, count.failed), (5, 1))

    def test_unittest(self):
        count = ktap.unittest(["Ran 7 tests in 0.1s", "", "OK (skipped=2)"])
        self.assertEqual((count.passed, count.failed, count.skipped), (5, 0, 2))

    def test_unittest_fails(self):
        count = ktap.unittest(["FAIL: test_a (x)", "Ran 7 tests in 0.1s", "",
                               "FAILED (failures=1, errors=1)"], 1)
        self.assertEqual((count.passed, count.failed), (5, 2))

    def test_unittest_ran_nothing(self):
        self.assertEqual(ktap.unittest(["Ran 0 tests in 0.0s", "", "OK"]).failed, 1)


if __name__ == "__main__":
    unittest.main()
