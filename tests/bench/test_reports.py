# SPDX-License-Identifier: GPL-2.0
"""What the suites of people's reports make of what their machines print."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from bench.suites import reports      # noqa: E402  (the path comes first)


def counts(judged):
    count, told = judged
    return count.passed, count.skipped, len(count.failures), told


class Flaky(unittest.TestCase):
    def judge(self, *runs, status=0, last="flaky complete"):
        lines = [f"flaky {run}" for run in runs]
        return counts(reports.judge_flaky([*lines, last], status))[:3]

    def test_cured(self):
        self.assertEqual(self.judge("0 absent 0 a", "0 loaded 0 a", "-25ppm absent 254 a",
                                    "-25ppm loaded 0 a"), (2, 0, 0))

    def test_a_single_failure_with_the_module_counts(self):
        self.assertEqual(self.judge("-25ppm absent 0 a", "-25ppm absent 0 a", "-25ppm loaded 0 a",
                                    "-25ppm loaded 254 a"), (0, 0, 1))

    def test_one_that_fails_without_it_as_well_says_nothing(self):
        self.assertEqual(self.judge("chronyd absent 0 a", "chronyd absent 254 a",
                                    "chronyd loaded 254 a", "chronyd loaded 254 a"), (0, 1, 0))

    def test_but_the_timer_has_to_pass(self):
        for absent in 0, 254:
            self.assertEqual(self.judge(f"-25ppm absent {absent} vmx_preemption_timer_test",
                                        "-25ppm loaded 254 vmx_preemption_timer_test"), (0, 0, 1))

    def test_one_that_needs_another_processor_is_skipped(self):
        self.assertEqual(self.judge("+25ppm absent 4 a", "+25ppm loaded 4 a"), (0, 1, 0))

    def test_one_that_was_not_run_with_it_fails(self):
        self.assertEqual(self.judge("+25ppm absent 0 a"), (0, 0, 1))

    def test_a_script_that_does_not_end_fails(self):
        self.assertEqual(self.judge("0 absent 0 a", "0 loaded 0 a", status=123), (1, 0, 1))
        self.assertEqual(self.judge("0 absent 0 a", "0 loaded 0 a", last="#"), (1, 0, 1))

    def test_rows(self):
        lines = ["flaky chronyd absent 0 a", "flaky chronyd absent 254 a",
                 "flaky chronyd loaded 0 a", "flaky chronyd loaded 0 a"]
        self.assertEqual(reports.flaky_rows(lines), [
            {"schedule": "chronyd", "test": "a", "runs": 2, "absent": 1, "loaded": 2}])


class Advance(unittest.TestCase):
    def judge(self, *lines):
        return counts(reports.judge_advance(
            [*(f"advance {line}" for line in lines), "advance complete"], 0))[:3]

    def test_against_the_nominal_rate(self):
        self.assertEqual(self.judge("0 absent 1000 900", "0 loaded 1000 1300",
                                    "-500 absent 1000 1400", "-500 loaded 1000 1250"), (2, 0, 0))
        self.assertEqual(self.judge("0 absent 1000 900", "0 loaded 1000 900",
                                    "-500 absent 1000 1400", "-500 loaded 1000 1400"), (1, 0, 1))

    def test_one_that_was_not_seen_fails(self):
        self.assertEqual(self.judge("0 absent 1000 900", "0 loaded 1000 none"), (0, 0, 1))


class Beside(unittest.TestCase):
    LINES = ["beside 10000 absent 0 sleep 3", "latency 10000 absent 100 1000 2000 9000 sleep 3",
             "beside 10000 loaded 0 sleep 3"]

    def judge(self, *lines, strictly=True):
        return counts(reports.judge_beside(strictly)([*lines, "beside complete"], 0))[:3]

    def test_no_measurable_change(self):
        self.assertEqual(self.judge(*self.LINES, "latency 10000 loaded 100 1000 2050 9100 sleep 3"),
                         (2, 0, 0))

    def test_later(self):
        late = "latency 10000 loaded 100 1000 2500 9100 sleep 3"
        self.assertEqual(self.judge(*self.LINES, late), (1, 0, 1))
        self.assertEqual(self.judge(*self.LINES, late, strictly=False), (1, 0, 0))

    def test_nothing_measured(self):
        self.assertEqual(self.judge(*self.LINES, "latency 10000 loaded 0 0 0 0 sleep 3"), (1, 0, 1))
        self.assertEqual(self.judge(), (0, 0, 1))

    def test_a_timer_that_is_early_with_the_module(self):
        self.assertEqual(self.judge("beside 11000 absent 1 a", "beside 11000 loaded 1 a"), (0, 0, 1))
        self.assertEqual(self.judge("beside 11000 absent 1 a", "beside 11000 loaded 0 a"), (1, 0, 0))


if __name__ == "__main__":
    unittest.main()
