# SPDX-License-Identifier: GPL-2.0
"""What is made of results for the documents, and that no page quotes another figure."""

import json
from pathlib import Path
import sys
import tempfile
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.building import kernel  # noqa: E402
from bench.figures import blocks, collect, pages, quotes  # noqa: E402
from bench.suites import record, timers  # noqa: E402
from bench.suites.ktap import Count  # noqa: E402

PAGE = """\
Costs
=====

A conversion takes 69 instructions, a check 18, and arming 1,469.

.. quotes: 69 cost.expiry; 18 cost.finish

.. figures: growth

  old

.. figures end
"""
FIGURES = {"cost.expiry": "69", "cost.finish": "18"}

COST = """\
ok 2 api.sh
    # Subtest: cost.sh
    # cost: expiry: 68
    # cost: finish: 18
    ok 1 each can be measured
    # expiry: 68, limit 100
    ok 2 the conversion
    # listener: steady_least: 30
    ok 4 the listener can be measured
    ok 6 KVM is hooked
    # cost: expiry: 69
    # cost: finish: 18
    ok 7 another's hrtimer_start() while it is
    ok 8 another's hrtimer_cancel()
    # cost: expiry: 70
    ok 10 all of them when KVM is gone: as before
ok 3 cost.sh
    # cost: expiry: 1
"""
TIMER = """\
    ok 1 oneshot 100000 us halted: early 0, late min 1 median 2 p99 3 max {0} cycles, last - first 1
ok 1 apic_timer_accuracy_test --mode oneshot --samples 8 under {1} with the module
"""


def data(results, **more):
    return {"command": "make it", "commit": "abc", "date": "2026-11-28", "kernel": "7.3.4",
            "images": ["0123"], "results": results, **more}


GROWTH = {"growth": data([{"cpus": 1, "nodes": 0, "passes": 3, "rearms": 4, "median_ns": 5,
                           "p99_ns": 6, "max_ns": 7123}])}


class Quotes(unittest.TestCase):
    def test_the_right_ones(self):
        self.assertEqual(pages.complaints(PAGE, FIGURES), [])

    def test_another_figure(self):
        self.assertEqual(pages.complaints(PAGE, {**FIGURES, "cost.finish": "17"}),
                         ["line 6: cost.finish is 17, not 18"])

    def test_one_that_there_is_not(self):
        self.assertEqual(pages.complaints(PAGE, {"cost.expiry": "69"}),
                         ["line 6: there is no figure cost.finish"])

    def test_a_text_that_says_something_else(self):
        for said in ("68", "690", "69.5", "1,69", "6 9"):
            page = PAGE.replace("takes 69 ", f"takes {said} ")
            self.assertEqual(pages.complaints(page, FIGURES),
                             ["line 6: the text above does not say 69"], said)

    def test_a_text_behind_a_heading_is_another(self):
        page = PAGE.replace(".. quotes", "More\n----\n\n.. quotes")
        self.assertEqual(len(pages.complaints(page, FIGURES)), 2)

    def test_nonsense(self):
        self.assertIn("cannot be read", pages.complaints(".. quotes: 69\n", FIGURES)[0])

    def test_over_lines_and_in_lists(self):
        page = "* it takes 1.5 %\n  of it, and 58\n  million\n\n" \
               "  .. quotes: 1.5 % a.b; 58 million\n     demo.early\n"
        self.assertEqual(pages.complaints(page, {"a.b": "1.5 %", "demo.early": "58 million"}), [])

    def test_written_anew(self):
        page = pages.rewrite(PAGE, GROWTH, {"cost.expiry": "1,070", "cost.finish": "9"})
        self.assertIn("takes 1,070 instructions, a check 9, and arming 1,469", page)
        self.assertIn(".. quotes: 1,070 cost.expiry; 9 cost.finish\n", page)
        self.assertEqual(pages.complaints(page, {"cost.expiry": "1,070", "cost.finish": "9"}), [])

    def test_not_where_it_stands_twice(self):
        page = PAGE.replace("a check 18", "a check 18 or 18")
        page = pages.rewrite(page, GROWTH, {**FIGURES, "cost.finish": "17"})
        self.assertIn("18 or 18", page)

    def test_names(self):
        found = quotes.quotes({"check": data({"seconds": 899, "processors": 2, "passed": 1234})})
        self.assertEqual(found, {"check.minutes": "15 minutes", "check.processors": "2 processors",
                                 "check.tests": "1,234"})

    def test_the_whole_accuracy(self):
        def rows(schedule, *medians):
            return data([{"variant": variant, "schedule": schedule, "guest": "lapic", "n": 500,
                          "distance_us": us, "median": median, "max": median + 9000}
                         for us, row in zip((10, 1000), medians)
                         for variant, median in zip(("stock", "patched", "hooked"), row)])
        found = {"accuracy-1": rows("0", (1000, 1010, 1111), (2000, 2001, 2003)),
                 "accuracy-2": rows("-10 %", (9000, 1000, 1109), (9000, 1000, 1020))}
        self.assertEqual(quotes.quotes(found), {})
        found["changes"] = rows("changes", (1, 1000, 1000), (1, 1000, 1001))
        self.assertEqual(quotes.quotes(found), {
            "accuracy.timers": "3,000", "accuracy.patched": "1.0 %", "accuracy.hooked": "10.9 %",
            "accuracy.hooked_1ms": "2.0 %", "accuracy.latest_alike": "3 of 3 rows",
            "accuracy.latest_more": "109"})
        found["changes"]["results"][2]["max"] = 12001       # hooked, 10 us
        self.assertEqual(quotes.quotes(found)["accuracy.latest_alike"], "2 of 3 rows")


class Blocks(unittest.TestCase):
    def test_made_of_data(self):
        page = pages.rewrite(PAGE, GROWTH, FIGURES)
        self.assertIn("``make it``, 2026-11-28, commit abc, Linux 7.3.4; image 0123::\n", page)
        self.assertIn("7,123\n", page)
        self.assertNotIn("old", page)
        self.assertEqual(pages.rewrite(page, GROWTH, FIGURES), page)

    def test_of_a_text_where_there_are_no_data(self):
        with tempfile.TemporaryDirectory() as folder:
            text = "command: make it\ncommit: def\ndate: 2025-01-01\nkernel: 6\n\na table\n"
            (Path(folder) / "growth.txt").write_text(text, encoding="utf-8")
            page = pages.rewrite(PAGE, {}, FIGURES, Path(folder))
        self.assertIn("commit def, Linux 6::\n\n  a table\n", page)

    def test_a_text_in_whose_place_there_are_data(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("growth", "ways"):
                Path(folder, f"{name}.txt").touch()
            self.assertEqual([file.name for file in blocks.superseded(GROWTH, Path(folder))],
                             ["growth.txt"])

    def test_some_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            text = "command: make it\ncommit: def\ndate: 2025-01-01\nkernel: 6\n\n" \
                   "timer  clock  late\nlapic  +10 %     1\nlapic  -10 %     2\n"
            (Path(folder) / "old.txt").write_text(text, encoding="utf-8")
            page = ".. figures: old: -10 %\n\n.. figures end\n"
            new = pages.rewrite(page, {}, {}, Path(folder))
            self.assertEqual(pages.rewrite(new, {}, {}, Path(folder)), new)
            self.assertEqual(pages.shown(new), ["old"])
            self.assertIn(".. figures: old: -10 %\n\n``make it``", new)
            self.assertIn("::\n\n  timer  clock  late\n  lapic  -10 %     2\n\n.. figures end\n", new)
            with self.assertRaisesRegex(ValueError, "no row has -20 %"):
                pages.rewrite(page.replace("-10 %", "-10 %; -20 %"), {}, {}, Path(folder))

    def test_of_nothing(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(KeyError):
            pages.rewrite(PAGE, {}, FIGURES, Path(folder))

    def test_two_ways_side_by_side(self):
        # The commands of the suites, each of which has another figure.
        tests = timers.each(timers.TIMERS[:1], timers.SPINNING) + timers.each(timers.TIMERS,
                                                                              timers.HALTED)
        rows = [{"kvm": kvm, "test": test, "timer": "t", "schedule": schedule, "latest": latest + at}
                for at, test in enumerate(tests)
                for kvm, schedule, latest in (("hooked", "0", 10), ("hooked", "+10%", 1200),
                                              ("patched", "0", 20))]
        lines = blocks.lines("ways", {"ways": data(rows)})
        for at, name in enumerate(("nested, spinning", "nested", "Xen", "LAPIC TSC-deadline")):
            row = next(number for number, line in enumerate(lines)
                       if line.startswith(f"  {name}  "))
            self.assertEqual(lines[row].split()[-2:], [str(10 + at), f"{1200 + at:,}"])
            self.assertEqual(lines[row + 1].split(), ["patched", str(20 + at), "-"])
        with self.assertRaisesRegex(ValueError, "no row of nested$"):
            blocks.lines("ways", {"ways": data([row for row in rows if row["test"] != tests[1]])})


class Collecting(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.build = Path(self.folder.name)
        (self.build / "check").mkdir()

    def suite(self, name, log):
        (self.build / f"check/{name}.log").write_text(log, encoding="utf-8")
        (self.build / f"check/{name}.machine.log").write_text(
            "==== image\n0123456789ab\n==== kernel log\nLinux version 7.3.4 (a)\n",
            encoding="utf-8")
        record.write(self.build / "check", [(name, Count(passed=1), 2.4)], None, "abc", 2)

    def test_nothing_there(self):
        self.assertEqual(collect.collect(self.build), {})

    def test_cost(self):
        self.suite("vmx", COST)
        found = collect.collect(self.build)["cost"]
        self.assertEqual(found["results"], {
            "before": {"expiry": 68, "finish": 18}, "listener": {"steady_least": 30},
            "hooked": {"expiry": 69, "finish": 18}, "after": {"expiry": 70}})
        self.assertEqual((found["commit"], found["kernel"], found["images"]),
                         ("abc", "7.3.4", ["0123456789ab"]))

    def test_cost_that_was_measured_again(self):
        """The last one counts, hooked and after: what else was queued has gone by then."""
        hooked, after = "    # cost: expiry: 69\n    # cost: finish: 18\n", "    # cost: expiry: 70\n"
        self.suite("vmx", COST.replace(
            hooked, hooked.replace("69", "85") + "    # expiry: 85, not hooked: 68\n" + hooked).replace(
            after, after.replace("70", "90") + "    # expiry: 90, not hooked: 68\n" + after))
        found = collect.collect(self.build)["cost"]["results"]
        self.assertEqual((found["hooked"], found["after"]), ({"expiry": 69, "finish": 18},
                                                             {"expiry": 70}))

    def test_cost_that_did_not_get_to_its_end(self):
        self.suite("vmx", COST.replace("    # cost: expiry: 70\n", ""))
        self.assertEqual(collect.collect(self.build), {})

    def test_symptom(self):
        log = "".join(f"@ symptom {module} {status} {late}\n# Stage 2\nok 1 a\n"
                      for module, status, late in [("absent", 254, 14250)] * 3 + [("loaded", 0, -9)] * 3)
        self.suite("symptom", log.partition("\n")[2])
        self.assertEqual(collect.collect(self.build), {})
        self.suite("symptom", log)
        found = collect.collect(self.build)["symptom"]
        self.assertEqual(quotes.quotes({"symptom": found}), {
            "symptom.failed": "fails 3 times of 3", "symptom.late": "14,250 cycles late",
            "symptom.passed": "passes 3 times of 3"})

    def test_both_ways_or_none(self):
        self.suite("vmx-timers-stock", TIMER.format(7, "0") + TIMER.format(8, "up"))
        self.assertEqual(collect.collect(self.build), {})
        self.suite("vmx-timers-patched", TIMER.format(6, "0"))
        found = collect.collect(self.build)["ways"]["results"]
        self.assertEqual([(row["kvm"], row["schedule"], row["latest"]) for row in found],
                         [("hooked", "0", 7), ("hooked", "up", 8), ("patched", "0", 6)])

    def bench(self, jobs, quick=False, machine="vmx", **figures):
        (self.build / "check/bench-quick").mkdir(exist_ok=True)
        result = {"module": {"git": "abc"}, "kernel": {"release": "7"}, "jobs": jobs,
                  "machine": {"name": machine, "images": [f"image of {job}" for job in jobs]},
                  "quick": quick, "accuracy": [], "timers": [], "cost": {}, "passes": [],
                  "growth": [], **figures}
        (self.build / "check/bench-quick/results.json").write_text(json.dumps(result),
                                                                   encoding="utf-8")
        return collect.collect(self.build)

    def test_parts_of_the_bench(self):
        found = self.bench(["timers", "changes"], quick=True, timers=[1], accuracy=[
            {"schedule": "changes", "max": 3, "samples": [1, 2]}, {"schedule": "0"}])
        self.assertEqual(found["timers"]["command"], "scripts/measure --quick --only timers")
        self.assertEqual(found["timers"]["images"], ["image of timers"])
        self.assertEqual(found["changes"]["results"], [{"schedule": "changes", "max": 3}])
        self.assertEqual(set(found), {"timers", "changes"})

    def test_the_slew_alone_or_of_the_changes(self):
        row = {"schedule": "chronyd", "distance_us": 100_000, "samples": [1]}
        for job in ("slew", "changes"):
            found = self.bench([job], accuracy=[row, {**row, "distance_us": 10_000}])["slew"]
            self.assertEqual(found["command"], f"scripts/measure --only {job}")
            self.assertEqual(found["results"], [{"schedule": "chronyd", "distance_us": 100_000}])

    def test_not_of_a_machine_that_was_ended(self):
        found = self.bench(["timers", "growth"], timers=[1], growth=[2],
                           complaints={"growth": ["growth did not run to its end"]})
        self.assertEqual(set(found), {"timers"})

    def test_not_of_a_machine_that_does_not_repeat(self):
        self.assertEqual(self.bench(["timers"], machine="svm", timers=[1]), {})

    def test_another_kernel(self):
        def found(**more):
            result = {"module": {"git": "abc"}, "kernel": {"release": "6.18.15"}, "quick": False,
                      "machine": {"name": "vmx", "images": ["01", "23"]}, "jobs": ["nodes", "guests"],
                      "timers": [1], "accuracy": [{"max": 3, "samples": [1]}], "complaints": {}, **more}
            (self.build / "bench/vmx-6.18").mkdir(parents=True, exist_ok=True)
            (self.build / "bench/vmx-6.18/results.json").write_text(json.dumps(result),
                                                                    encoding="utf-8")
            return collect.collect(self.build)
        self.assertEqual(found()["kernel-6.18"]["results"], {"timers": [1], "accuracy": [{"max": 3}]})
        for more in ({"quick": True}, {"complaints": {"nodes": ["a"]}}, {"jobs": ["guests"]}):
            self.assertEqual(found(**more), {})

    def test_releases(self):
        release = kernel.tested()[-1]

        def found(log="    # Totals: pass:1 fail:0 xfail:0\n# Totals: pass:168 fail:0 skip:8\n"):
            self.suite(release, log)
            rows = collect.releases(self.build).get("releases", {}).get("results", [])
            return next((row for row in rows if row["commit"] == "abc"), None)
        self.assertIsNone(found())
        (self.build / f"check/{release}").mkdir()
        (self.build / f"check/{release}/results.json").write_text('{"passed": 15, "failed": 0}')
        row = found()
        self.assertEqual((row["passed"], row["skipped"], row["expected"], row["runs"]), (168, 8, 15, 15))
        line, = [line for line in blocks.lines("releases", {"releases": data([row])}) if release in line]
        self.assertEqual(line.split()[1:6], ["168", "8", "15", "of", "15"])
        self.assertIsNone(found("# Totals: pass:168 fail:1 skip:8\n"))

    def test_releases_that_were_not_run_again(self):
        first, last = kernel.tested()[0], kernel.tested()[-1]
        self.suite(last, "# Totals: pass:168 fail:0 skip:8\n")
        (self.build / f"check/{last}").mkdir()
        (self.build / f"check/{last}/results.json").write_text('{"passed": 15, "failed": 0}')
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "releases.json").write_text(json.dumps(data(
                [{"release": name, "commit": "before"} for name in ("1.0", last, first)])))
            rows = collect.releases(self.build, Path(folder))["releases"]["results"]
        self.assertEqual([(row["release"], row["commit"]) for row in rows],
                         [(first, "before"), (last, "abc")])

    def test_a_whole_check(self):
        record.write(self.build / "check", [], (Count(passed=5, failures=["a"]), 61.2), "abc", 2)
        found = collect.collect(self.build)["check"]["results"]
        self.assertEqual((found["seconds"], found["passed"], found["failed"]), (61, 5, 1))


if __name__ == "__main__":
    unittest.main()
