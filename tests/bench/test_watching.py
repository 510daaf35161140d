# SPDX-License-Identifier: GPL-2.0
"""The suite that reads a machine's debugfs files with tools/raw-hrtimer-top."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from bench.suites import watching      # noqa: E402  (the path comes first)
from top_folder import ATTACH, COUNTERS, RATE       # noqa: E402


HIST = ["{ function: [ffffffffc0a1b010] shot_fn [raw_hrtimer_test]        , late: ~ 2^12 } "
        "hitcount:         40  late:     150000",
        "{ function: [ffffffffc0a1b010] shot_fn [raw_hrtimer_test]        , late: ~ 2^13 } "
        "hitcount:         10  late:      61000"]


def printed(rate=(), counters=(), attach=(), hist=HIST):
    """What attach.sh and tracepoints.sh print, among other lines."""
    files = {"rate": {**RATE, "mono/raw": "+0.120 ppm", **dict(rate)},
             "counters": {**COUNTERS, **dict(counters)}, "attach": {**ATTACH, **dict(attach)}}
    return ["    # Subtest: attach.sh", *[
        f"    # debugfs {file} {name}: {value}" for file, values in files.items()
        for name, value in values.items() if value is not None],
        "    # debugfs trigger hist:keys=function.sym,late.log2:vals=hitcount,late:sort=hitcount",
        *[f"    # debugfs hist {line}" for line in hist], "    ok 1 something"]


class Judging(unittest.TestCase):
    def failure(self, lines, words):
        count = watching.judge(lines)
        self.assertEqual((count.passed, count.failed), (0, 1))
        self.assertIn(words, count.failures[0])

    def test_passes(self):
        # On SVM there is no nested timer of this kind.
        for nested in ("yes", "no (its module is not loaded)"):
            count = watching.judge(printed(attach={"nested": nested}))
            self.assertEqual((count.passed, count.failures), (1, []))

    def test_nothing_printed(self):
        self.failure(["TAP version 13"], "printed []")
        self.failure([line for line in printed() if " rate " not in line], "'attach', 'counters'")

    def test_not_hooked(self):
        self.failure(printed(attach={"kvm": "none"}), "KVM is none")
        self.failure(printed(attach={"xen": "no (by parameter)"}), "not covered")

    def test_an_alert(self):
        self.failure(printed(rate={"clocksource": "other"}), "'clocksource'")

    def test_another_rate(self):
        self.failure(printed(rate={"mono/raw": "+500.000 ppm"}), "500.0 ppm")

    def test_a_counter_that_the_tool_does_not_know(self):
        self.failure(printed(counters={"new": 3}), "raw_hrtimer_new_total of 3")
        self.failure(printed(rate={"new": 3}), "raw_hrtimer_new_total of 3")

    def test_another_histogram(self):
        self.failure(printed(hist=[]), "'trigger'")
        self.failure(printed(hist=["# nothing"]), "of 0 timers")
        self.failure(printed(hist=[HIST[0].replace("shot_fn", "another")]), "of 40 timers")
        self.failure(printed(hist=[*HIST, "hitcount: 3"]), "of 53 timers")

    def test_a_file_that_the_tool_does_not_read(self):
        self.failure(printed(attach={"kvm": None}), "kvm is missing")


if __name__ == "__main__":
    unittest.main()
