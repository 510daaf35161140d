# SPDX-License-Identifier: GPL-2.0
"""What the demonstration makes of the machine's output, and that it trusts none of it."""

from pathlib import Path
import sys
from types import SimpleNamespace
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.reports import demo, demo_table  # noqa: E402

KERNEL = SimpleNamespace(release="7.3.4", version="7.3.4-1")
FAST = demo.Rate("fast", freq=500 << 16)


def said(l1, l2, status):
    return [f"Stage 2: L1 PT expiry TSC ({10 ** 12 + l1}) , L1 TSC deadline ({10 ** 12})",
            f"Stage 2: L2 PT expiry TSC ({10 ** 12 + l2}) , L2 TSC deadline ({10 ** 12})",
            f"@ status {status}"]


EARLY, GOOD = (-200, -300, 254), (50, -10, 0)
DEBUGFS = ["@ debugfs mono/raw: +500.012 ppm", "@ debugfs raw_mult: 4793490",
           "@ debugfs shift: 24", "@ debugfs clocksource: tsc"]
HRTIMER, HARDWARE = "@ preemption_timer N", "@ preemption_timer Y"


def output(absent=EARLY, loaded=GOOD, removed=EARLY):
    return ["@ cpu test", "@ rate fast", "@ adjtimex f 32768000", "@ adjtimex t 10000",
            "@ run stock absent", HARDWARE, *said(*absent),
            "@ run stock loaded", *DEBUGFS, "@ attached hooked", *said(*loaded),
            "@ run stock removed", *said(*removed),
            "@ run patched loaded", HRTIMER, *DEBUGFS, "@ attached registered", *said(*GOOD),
            "@ run patched removed", HRTIMER, *said(*EARLY),
            "@ run hardware absent", HARDWARE, *said(*GOOD),
            "@ run both loaded", HARDWARE, *DEBUGFS, "@ attached registered", *said(*GOOD),
            "@ done"]


def read(lines, with_patched=True):
    reader = demo.Reader([FAST], with_patched, lambda *_: None, lambda *_: None)
    for line in lines:
        reader.line(line + "\n")
    return reader


def results(lines, left_out=None):
    return demo.results([read(lines)], KERNEL, left_out, "git")


def verdicts(lines):
    """Of the stock KVM's runs; how many of all were as expected, and were not."""
    result = results(lines)
    return ([run["verdict"] for run in result["rates"][0]["runs"][:3]],
            result["passed"], result["failed"])


class Verdicts(unittest.TestCase):
    def test_as_it_should_be(self):
        self.assertEqual(verdicts(output()), (["early", "pass", "early"], 7, 0))
        self.assertEqual(demo.complaints([read(output())]), [])

    def test_the_fault_is_gone_without_the_module(self):
        self.assertEqual(verdicts(output(absent=(50, -10, 0)))[1:], (6, 1))

    def test_late_where_it_should_be_early(self):
        self.assertEqual(verdicts(output(absent=(500, 300, 254)))[0][0], "late")

    def test_the_module_does_not_help(self):
        self.assertEqual(verdicts(output(loaded=(-1, -20, 254)))[1:], (6, 1))

    def test_bounds(self):
        self.assertEqual(verdicts(output(loaded=(0, -1, 0)))[0][1], "pass")
        self.assertEqual(verdicts(output(loaded=(5, 0, 254)))[0][1], "late")
        self.assertEqual(verdicts(output(loaded=(-1, -5, 254)))[0][1], "early")

    def test_status_contradicts_the_figures(self):
        self.assertEqual(verdicts(output(loaded=(50, -10, 254)))[0][1], "broken")
        self.assertEqual(verdicts(output(absent=(-200, -300, 0)))[0][0], "broken")

    def test_test_that_ran_nothing(self):
        lines = [l for l in output() if not l.startswith("Stage")]
        self.assertEqual(verdicts(lines), (["broken"] * 3, 0, 7))

    def test_cycles_become_ns(self):
        result = results(output())
        self.assertEqual(result["machine"]["khz"], 3500000)
        self.assertEqual(result["rates"][0]["runs"][0]["l1_error"], {"cycles": -200, "ns": -57})

    def test_what_is_said_of_the_unexpected(self):
        self.assertEqual(demo.unexpected(results(output())), [])
        found = demo.unexpected(results(output(loaded=EARLY)))
        self.assertEqual(found, ["fast, stock KVM, module loaded: early (status 254) "
                                 "instead of pass"])


class Table(unittest.TestCase):
    def table(self, *args):
        text = demo_table.table(results(*args))
        return text.splitlines()[len(demo_table.LEGEND.splitlines()):]

    def test_columns_side_by_side(self):
        head, _, loaded, removed, _, hardware, _, in_hardware = self.table(output())
        for kvm in ("stock KVM, no module", "stock KVM, raw_hrtimer",
                    "patched KVM, raw_hrtimer"):
            self.assertIn(kvm, head)
        self.assertEqual(loaded.split(), ["fast", "-300", "-200", "EARLY",
                                          *["-10", "+50", "pass"] * 2])
        self.assertEqual(removed.split(), ["after", "rmmod", *["-300", "-200", "EARLY"] * 2])
        self.assertIn("in hardware, no module", hardware)
        self.assertEqual(in_hardware.split(), ["fast", *["-10", "+50", "pass"] * 2])

    def test_in_hardware_needs_no_module(self):
        wrong = output()
        at = wrong.index("@ run hardware absent")
        wrong[at + 2:at + 5] = said(*EARLY)
        self.assertEqual(demo.unexpected(results(wrong)),
                         ["fast, hardware KVM, module absent: early (status 254) instead of pass"])

    def test_what_is_not_expected_is_marked(self):
        self.assertIn("EARLY!", self.table(output(loaded=EARLY))[2])
        self.assertNotIn("!", "".join(self.table(output())))

    def test_why_there_is_no_patched_kvm(self):
        lines = self.table(output(), "0003 does not apply")
        self.assertNotIn("patched", lines[0])
        self.assertIn("0003 does not apply", lines[-1])


class TwoMachines(unittest.TestCase):
    """One KVM of a rate in each."""

    def readers(self, *lines):
        found = []
        for kvms, said_of_it in zip((("stock",), ("patched", *demo.IN_HARDWARE)), lines):
            rate = demo.replace(FAST, kvms=kvms)
            found.append(demo.Reader([rate], True, lambda *_: None, lambda *_: None))
            for line in said_of_it:
                found[-1].line(line + "\n")
        return found

    def setUp(self):
        lines = output()
        at = lines.index("@ run patched loaded")
        self.stock, self.patched = lines[:at] + ["@ done"], lines[:4] + lines[at:]

    def test_they_are_one_rate(self):
        result = demo.results(self.readers(self.stock, self.patched), KERNEL, None, "git")
        self.assertEqual([(run["kvm"], run["module"]) for run in result["rates"][0]["runs"]],
                         demo.RUNS)
        self.assertEqual(len(result["rates"]), 1)
        self.assertEqual((result["passed"], result["failed"]), (7, 0))

    def test_each_has_to_run_its_own(self):
        self.assertEqual(demo.complaints(self.readers(self.stock, self.patched)), [])
        found = demo.complaints(self.readers(self.stock, self.stock))
        self.assertTrue(any("not all runs" in sentence for sentence in found), found)

    def test_what_the_machines_do(self):
        runs = {}
        for rate in (rate for machine in demo.MACHINES for rate in machine):
            runs.setdefault(rate.name, []).extend(rate.runs(with_patched=True))
        for found in runs.values():
            self.assertEqual(sorted(found), sorted(demo.RUNS))
        self.assertEqual(len(runs), 5)


class Complaints(unittest.TestCase):
    def check(self, lines, words):
        found = demo.complaints([read(lines)])
        self.assertTrue(any(words in sentence for sentence in found), found)

    def test_machine_died(self):
        self.check(output()[:-1], "did not run to its end")

    def test_run_is_missing(self):
        lines = output()
        self.check(lines[:lines.index("@ run patched removed")] + ["@ done"], "not all runs")

    def test_no_patched_kvm(self):
        lines = output()
        without = lines[:lines.index("@ run patched loaded")] + ["@ done"]
        self.assertEqual(demo.complaints([read(without, with_patched=False)]), [])
        self.check(without, "not all runs")

    def test_the_module_did_not_cover_kvm(self):
        self.check([l.replace("attached hooked", "attached no") for l in output()],
                   "stock KVM: the module says of KVM: no")
        self.check([l.replace("attached registered", "attached hooked") for l in output()],
                   "patched KVM: the module says of KVM: hooked")

    def test_the_columns_are_one_kvm_with_two_timers(self):
        for timer, other, kvm in ((HRTIMER, HARDWARE, "patched"), (HARDWARE, HRTIMER, "both")):
            wrong = output()
            wrong[wrong.index(timer, wrong.index(f"@ run {kvm} loaded"))] = other
            self.check(wrong, f"{kvm} KVM: kvm-intel's preemption_timer is {other[-1]}")
        self.check([l for l in output() if l != HRTIMER], "preemption_timer is None")
        result = results(output())
        self.assertEqual([run["preemption_timer"] for run in result["rates"][0]["runs"][-4:]],
                         [False, False, True, True])

    def test_no_rate_at_all(self):
        self.check(["@ done"], "not all runs")

    def test_a_rate_is_set_for_each_kvm(self):
        lines = output()
        at = lines.index("@ run patched loaded")
        again = [*lines[:at], *lines[1:4], *lines[at:]]
        self.assertEqual(demo.complaints([read(again)]), [])
        self.check([*lines[:at], *[l.replace("32768000", "0") for l in lines[1:4]], *lines[at:]],
                   "reads back")

    def test_adjtimex_had_no_effect(self):
        self.check([l.replace("32768000", "0") for l in output()], "reads back")

    def test_rate_had_no_effect(self):
        self.check([l.replace("+500.012", "+0.012") for l in output()], "runs at 0.012 ppm")

    def test_other_clocksource(self):
        self.check([l.replace(": tsc", ": other") for l in output()], "not the TSC")


if __name__ == "__main__":
    unittest.main()
