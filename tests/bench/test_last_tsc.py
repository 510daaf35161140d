# SPDX-License-Identifier: GPL-2.0
"""How the bench judges where L2's timer ends it."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.suites import last_tsc  # noqa: E402


def run(schedule, last, number, deadline=10 ** 12):
    return [f"# Stage 2: L2 PT expiry TSC ({deadline + last}) , L2 TSC deadline ({deadline})",
            f"ok {number} vmx_preemption_timer_test under {schedule} with the module, run {number}"]


class LastTsc(unittest.TestCase):
    """As the test prints it, in scripts/guest/kvm-tests.sh."""

    def judge(self, *runs):
        lines = [line for number, (schedule, last) in enumerate(runs, 1)
                 for line in run(schedule, last, number)]
        return last_tsc.judge(2)(lines)

    def test_the_same_at_each_rate(self):
        count = self.judge(("0", -1400), ("0", -1410), ("-10%", -1469), ("-10%", -1341))
        self.assertEqual((count.passed, count.failures), (2, []))

    def test_beyond_two_ticks(self):
        count = self.judge(("0", -1400), ("0", -1400), ("random", -1400), ("random", -1465))
        self.assertEqual(count.passed, 1)
        self.assertIn("under random: L2's last TSC is -1465", count.failures[0])

    def test_a_run_that_is_missing(self):
        count = self.judge(("0", -1400), ("0", -1400), ("random", -1400))
        self.assertEqual(count.failures, ["under random: 1 runs, not 2"])

    def test_nothing_at_the_nominal_rate(self):
        self.assertEqual(self.judge(("random", -1400)).failed, 1)

    def test_without_the_module(self):
        lines = [line.replace(" with the module, run", ", run") for line in run("+500ppm", 5, 1)]
        self.assertEqual(last_tsc.read(lines), {"+500ppm": [5]})


if __name__ == "__main__":
    unittest.main()
