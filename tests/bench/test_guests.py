# SPDX-License-Identifier: GPL-2.0
"""What is made of what a guest's Linux says of its timers."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from bench.suites import guests       # noqa: E402  (the path comes first)
from bench.suites.ktap import Count   # noqa: E402

LATE = guests.LATER_NS + 1


class Context:
    def note(self, text):
        pass

    def test(self, count, name, passed, why):
        if passed:
            count.passed += 1
        else:
            count.failures.append(f"{name}: {why}")


def lines(least=400_000, samples=guests.SAMPLES, **of):
    """One for each round; of: the least of those of a tick and a state, as n9000_loaded."""
    return [f"guest {tick} {state} {beside} {samples} {of.get(f'n{tick}_{state}', least)} 2 3 4"
            for tick in (10000, 11000, 9000) for state in ("absent", "loaded")
            for beside in ("nothing", "stress-ng")]


class Judging(unittest.TestCase):
    def judge(self, said):
        count = Count()
        guests.judge(Context(), count, said)
        return count.passed, len(count.failures)

    def test_in_time(self):
        self.assertEqual(self.judge(lines()), (9, 0))

    def test_late_without_the_module_is_told_only(self):
        self.assertEqual(self.judge(lines(n9000_absent=LATE)), (9, 0))

    def test_late_with_it_fails(self):
        self.assertEqual(self.judge(lines(n9000_loaded=LATE)), (7, 2))

    def test_a_machine_that_is_too_slow_fails(self):
        self.assertEqual(self.judge(lines(n10000_absent=LATE)), (7, 2))

    def test_what_was_not_measured_fails(self):
        self.assertEqual(self.judge([]), (0, 1))
        self.assertEqual(self.judge(lines()[:-1])[1], 1)
        self.assertEqual(self.judge(lines(samples=3))[1], 1)
