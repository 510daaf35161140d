# SPDX-License-Identifier: GPL-2.0
"""tools/raw-hrtimer-top: JSON, and the metrics for Prometheus, parsed again."""

import json
import os
import re
import stat
import subprocess
import sys
import unittest
from unittest import mock

from top_folder import BUSY, COUNTERS, Folder, TOOL, top


class Data(Folder):
    def test_json(self):
        done = self.tool("--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        data = json.loads(done.stdout)
        self.assertEqual(data["rate"]["ppm"], 500.056)
        self.assertEqual(data["kvm"], "hooked")
        self.assertEqual(data["timers"]["nested"], {"covered": True, "reason": None})
        self.assertEqual(data["counters"]["starts"], {"total": 100, "per_second": 0})
        self.assertEqual((data["entries"], data["alerts"]), (4, []))

    def test_several(self):
        self.write(attach={"kvm": "none", "xen": f"no ({BUSY})"})
        lines = self.tool("--json", "--count", "3").stdout.splitlines()
        objects = [json.loads(line) for line in lines]
        self.assertEqual(len(objects), 3)
        self.assertEqual([alert["name"] for alert in objects[2]["alerts"]], ["kvm", "timer_xen"])

    def test_a_disk_that_is_full(self):
        for where, how in (("stdout", ["--json"]), ("/dev/full", ["--prometheus", "/dev/full"])):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run(
                    [sys.executable, TOOL, "--debugfs", self.files, "--interval", "0.1", *how],
                    stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr),
                             (1, f"raw-hrtimer-top: {where}: No space left on device\n"))

    def test_arguments(self):
        for wrong in (("--json", "--prometheus"), ("--interval", "0"), ("--interval", "nan"),
                      ("--count", "-1"), ("--count", "x"), ("more",)):
            self.assertEqual(self.tool(*wrong).returncode, 2, wrong)
        self.assertEqual(self.tool("--help").returncode, 0)


# name{label="quoted",...} value
SAMPLE = re.compile(r'(\w+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*"(?:,(?=[a-z]))?)+)\})? '
                    r'(-?[0-9.]+)')


def parse_metrics(text):
    """{name: (type, help, {labels: value})}: what a scraper of the text format accepts."""
    if not text.endswith("\n"):
        raise ValueError("the last line does not end")
    found = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"# HELP ([a-z_][a-z0-9_]*) ([^\\]+)", line):
            if match[1] in found:
                raise ValueError(f"two of {match[1]}")
            found[match[1]] = [None, match[2], {}]
        elif match := re.fullmatch(r"# TYPE (\w+) (counter|gauge|untyped|histogram)", line):
            if found[match[1]][0] or match[1] != list(found)[-1]:
                raise ValueError(f"TYPE of {match[1]} is at the wrong place")
            found[match[1]][0] = match[2]
        else:
            match = SAMPLE.fullmatch(line)
            labels = tuple(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            if match[1] != list(found)[-1] or labels in found[match[1]][2]:
                raise ValueError(f"unexpected: {line}")
            found[match[1]][2][labels] = float(match[3])
    return found


class Metrics(Folder):
    def metrics(self, **files):
        return parse_metrics(top.prometheus(self.read(**files)))

    def test_all_of_it(self):
        found = self.metrics(attach={"lapic": f"no ({BUSY})"})
        self.assertEqual(found["raw_hrtimer_up"][2], {(): 1})
        self.assertEqual(found["raw_hrtimer_clock_skew_ratio"][2], {(): 0.000500056})
        self.assertEqual(found["raw_hrtimer_attached"][2], {
            (("way", "registered"),): 0, (("way", "hooked"),): 1, (("way", "none"),): 0})
        self.assertEqual(found["raw_hrtimer_timer_covered"][2][
            (("timer", "lapic"), ("reason", BUSY))], 0)
        self.assertEqual(found["raw_hrtimer_timer_covered"][2][(("timer", "xen"),)], 1)
        self.assertEqual((found["raw_hrtimer_entries"][0], found["raw_hrtimer_entries"][2]),
                         ("gauge", {(): 4}))

    def test_counters_and_nothing_else_end_in_total(self):
        for name, (kind, text, values) in self.metrics().items():
            self.assertTrue(name.startswith("raw_hrtimer_"), name)
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
            self.assertTrue(text.endswith(".") and values, name)

    def test_each_counter(self):
        found = self.metrics()
        for name, value in {**COUNTERS, "updates": 1000, "rate_changes": 3}.items():
            if name != "entries":
                self.assertEqual(found[f"raw_hrtimer_{name}_total"][2], {(): value})

    def test_one_that_is_new(self):
        self.assertEqual(self.metrics(counters={"new/one": 3})["raw_hrtimer_new_one"][::2],
                         ["untyped", {(): 3}])

    def test_labels_are_quoted(self):
        found = self.metrics(attach={"xen": 'no (a "b" \\ c)'})
        self.assertIn((("timer", "xen"), ("reason", r'a \"b\" \\ c')),
                      found["raw_hrtimer_timer_covered"][2])

    def test_a_big_counter_is_exact(self):
        self.assertIn(f"raw_hrtimer_starts_total {2**63 + 1}\n",
                      top.prometheus(self.read(counters={"starts": 2**63 + 1})))

    def test_no_rate(self):
        self.write_text("rate", "")
        found = parse_metrics(top.prometheus(top.read(str(self.files))))
        self.assertNotIn("raw_hrtimer_clock_skew_ratio", found)
        self.assertEqual(found["raw_hrtimer_clocksource_tsc"][2], {(): 0})

    def test_stdout(self):
        done = self.tool("--prometheus")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("raw_hrtimer_starts_total", parse_metrics(done.stdout))

    def test_a_file(self):
        path = self.scratch / "out/raw_hrtimer.prom"
        path.parent.mkdir()
        self.assertEqual(self.tool("--prometheus", path, "--count", "2").returncode, 0)
        self.assertEqual(parse_metrics(path.read_text())["raw_hrtimer_up"][2], {(): 1})
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o644)
        # Not loaded: the old file does not stay.
        (self.files / "rate").unlink()
        done = self.tool("--prometheus", path)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(list(parse_metrics(path.read_text())), ["raw_hrtimer_up"])
        self.assertEqual(parse_metrics(path.read_text())["raw_hrtimer_up"][2], {(): 0})
        self.assertEqual([file.name for file in path.parent.iterdir()], [path.name])

    def test_it_is_never_half_there(self):
        path = self.scratch / "raw_hrtimer.prom"
        path.write_text("before\n")
        with mock.patch.object(top.os, "replace", side_effect=OSError(5, "broken")):
            self.assertRaises(OSError, top.replace, str(path), "after\n")
        self.assertEqual(path.read_text(), "before\n")
        self.assertEqual(sorted(os.listdir(self.scratch)), ["debug", path.name])
        with open(path, encoding="ascii") as reader:
            top.replace(str(path), "after\n")
            self.assertEqual(reader.read(), "before\n")
        self.assertEqual(path.read_text(), "after\n")

    def test_what_is_no_file_is_not_replaced(self):
        fifo = self.scratch / "fifo"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        top.replace(str(fifo), "text\n")
        self.assertEqual(os.read(reader, 100), b"text\n")
        self.assertTrue(stat.S_ISFIFO(fifo.stat().st_mode))

    def test_nowhere(self):
        done = self.tool("--prometheus", self.scratch / "none/x.prom")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Araw-hrtimer-top: .*: No such file or directory\n\Z")


if __name__ == "__main__":
    unittest.main()
