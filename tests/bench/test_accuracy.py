# SPDX-License-Identifier: GPL-2.0
"""How late is too late, from what the guests print."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.suites import accuracy  # noqa: E402


def said(schedule, latest, distance=100000, number=1, median=2, p99=3, drift=-5, samples=6,
         name="nested"):
    return ["    TAP version 13", "    1..1",
            f"    ok 1 {name} {distance} us halted: early 0, late min 1 median {median} p99 {p99} "
            f"max {latest} cycles, last - first {drift}",
            f"ok {number} some_test --samples {samples} under {schedule} with the module"]


def count(*runs):
    lines = [line for run in runs for line in run]
    result = accuracy.judge()(lines)
    return result.passed, result.failed


class Judge(unittest.TestCase):
    def test_reads_each_schedule(self):
        lines = said("0", 500) + said("+10%", 600)
        self.assertEqual(accuracy.read(lines), {
            ("some_test --samples 6", "nested 100000 us halted"): {
                "0": (2, 3, 500, -5), "+10%": (2, 3, 600, -5)}})

    def test_bounds(self):
        self.assertEqual(count(said("0", 500), said("-10%", 7500)), (2, 0))
        self.assertEqual(count(said("0", 500), said("-10%", 7501, median=7501)), (1, 1))

    def test_one_in_a_thousand_meets_the_tick(self):
        one = said("-10%", 7501)
        self.assertEqual(count(said("0", 500), one), (2, 0))
        self.assertEqual(count(said("0", 500), one, said("+10%", 7501)), (1, 2))
        self.assertEqual(count(said("0", 500), said("-10%", 37501)), (1, 1))

    def test_one_row_of_each_timer_meets_the_tick(self):
        def many(schedule, latest, distance=500, **more):
            return said(schedule, latest, distance, samples=100000, **more)
        self.assertEqual(count(many("0", 500), many("-10%", 7501)), (2, 0))
        self.assertEqual(count(many("0", 500), many("-10%", 7501), many("+10%", 7501)), (1, 2))
        self.assertEqual(count(many("0", 500), many("-10%", 7501),
                               many("0", 500, 600), many("-10%", 7501, 600)), (4, 0))
        # Late for more than a tick's share of many samples, if only the latest had met it at 0.
        self.assertEqual(count(many("0", 20000), many("-10%", 20000, p99=7003)), (2, 0))
        self.assertEqual(count(many("0", 20000), many("-10%", 20000, p99=7004)), (1, 1))

    def test_drift(self):
        def periods(schedule, drift, samples=100000, name="periodic"):
            return said(schedule, 500, drift=drift, samples=samples, name=name)
        for off in 1000, -1000:
            self.assertEqual(count(periods("0", 0), periods("-10%", off)), (2, 0))
        for off in 1001, -1001:
            self.assertEqual(count(periods("0", 0), periods("-10%", off)), (1, 1))
            self.assertEqual(count(periods("0", off), periods("-10%", 0)), (1, 1))
        # A few may differ by how the host wakes, and timers of their own do not add up.
        self.assertEqual(count(periods("0", 0, samples=8),
                               periods("-10%", 1001, samples=8)), (2, 0))
        self.assertEqual(count(periods("0", 0, name="nested"),
                               periods("-10%", 1001, name="nested")), (2, 0))

    def test_nothing_to_compare_with(self):
        self.assertEqual(count(said("-10%", 500)), (0, 1))

    def test_nothing_at_all(self):
        self.assertEqual(count(["ok 1 a_test under 0"]), (0, 1))

    def test_a_failed_line_is_read_too(self):
        late = [line.replace("    ok", "    not ok") for line in said("up", 9000, median=9000)]
        self.assertEqual(count(said("0", 500), late), (1, 1))


if __name__ == "__main__":
    unittest.main()
