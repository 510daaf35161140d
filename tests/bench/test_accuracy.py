# SPDX-License-Identifier: GPL-2.0
"""How late is too late, from what the guests print."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.suites import accuracy  # noqa: E402


def said(schedule, latest, distance=100000, number=1, median=2):
    return ["    TAP version 13", "    1..1",
            f"    ok 1 nested {distance} us halted: early 0, late min 1 median {median} p99 3 max "
            f"{latest} cycles, last - first -5",
            f"ok {number} some_test --samples 6 under {schedule} with the module"]


def count(*runs):
    lines = [line for run in runs for line in run]
    result = accuracy.judge()(lines)
    return result.passed, result.failed


class Judge(unittest.TestCase):
    def test_reads_each_schedule(self):
        lines = said("0", 500) + said("+10%", 600)
        self.assertEqual(accuracy.read(lines), {
            ("some_test --samples 6", "nested 100000 us halted"): {
                "0": (2, 500), "+10%": (2, 600)}})

    def test_bounds(self):
        self.assertEqual(count(said("0", 500), said("-10%", 7500)), (2, 0))
        self.assertEqual(count(said("0", 500), said("-10%", 7501, median=7501)), (1, 1))

    def test_one_in_a_thousand_meets_the_tick(self):
        one = said("-10%", 7501)
        self.assertEqual(count(said("0", 500), one), (2, 0))
        self.assertEqual(count(said("0", 500), one, said("+10%", 7501)), (1, 2))
        self.assertEqual(count(said("0", 500), said("-10%", 37501)), (1, 1))

    def test_nothing_to_compare_with(self):
        self.assertEqual(count(said("-10%", 500)), (0, 1))

    def test_nothing_at_all(self):
        self.assertEqual(count(["ok 1 a_test under 0"]), (0, 1))

    def test_a_failed_line_is_read_too(self):
        late = [line.replace("    ok", "    not ok") for line in said("up", 9000, median=9000)]
        self.assertEqual(count(said("0", 500), late), (1, 1))


if __name__ == "__main__":
    unittest.main()
