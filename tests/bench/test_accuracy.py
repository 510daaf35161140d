# SPDX-License-Identifier: GPL-2.0
"""How late is too late, from what the guests print."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench import accuracy  # noqa: E402

KHZ = 1_000_000


def said(schedule, latest, distance=100000, number=1, median=2):
    return ["    TAP version 13", "    1..1",
            f"    ok 1 nested {distance} us halted: early 0, late min 1 median {median} p99 3 max "
            f"{latest} cycles, last - first -5",
            f"ok {number} some_test --samples 6 under {schedule} with the module"]


def count(*runs, hooked=False):
    lines = [line for run in runs for line in run]
    result = accuracy.judge(hooked, KHZ)(lines)
    return result.passed, result.failed


class Judge(unittest.TestCase):
    def test_reads_each_schedule(self):
        lines = said("0", 500) + said("+10%", 600)
        self.assertEqual(accuracy.read(lines), {
            ("some_test --samples 6", "nested 100000 us halted"): {
                "0": (100000, 2, 500), "+10%": (100000, 2, 600)}})

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

    def test_hooked(self):
        # The worst step is from 94 to 90 %: 4.34 ms of 100 ms.
        self.assertEqual(count(said("0", 0), said("down", 4_340_000), hooked=True), (2, 0))
        self.assertEqual(count(said("0", 0), said("down", 4_400_000), hooked=True), (1, 1))
        self.assertEqual(count(said("0", 0), said("down", 4_340_000)), (1, 1))
        self.assertEqual(count(said("0", 0), said("up", 8000, median=8000), hooked=True), (1, 1))
        self.assertEqual(count(said("0", 0), said("random", 11_000_000), hooked=True), (2, 0))


if __name__ == "__main__":
    unittest.main()
