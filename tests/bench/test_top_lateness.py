# SPDX-License-Identifier: GPL-2.0
"""tools/raw-hrtimer-top: the histogram of lateness, of a made-up tracefs."""

import json
import signal
import subprocess
import sys
import unittest

from top_folder import Folder, TOOL, top

SHOWN = top.SHOWN + "sort=hitcount:size=2048 if late > 0 [active]\n"
HIST = """# event histogram
#
# trigger info: hist:keys=function.sym,late.log2:vals=hitcount,late:sort=hitcount:size=2048 [active]
#

{ function: [ffffffffc0a1b010] vmx_preemption_timer_fn [kvm_intel]  , late: ~ 2^13 } hitcount:          1  late:       5000
{ function: [ffffffffc0a1b010] apic_timer_fn [kvm]                  , late: ~ 2^14 } hitcount:          2  late:      20000
{ function: [ffffffffc0a1b010] apic_timer_fn [kvm]                  , late: ~ 2^12 } hitcount:         30  late:      90000

Totals:
    Hits: 33
    Entries: 3
    Dropped: 0
"""


class Lateness(Folder):
    def setUp(self):
        super().setUp()
        self.event = self.scratch / "tracing/events/raw_hrtimer/expire"
        self.event.mkdir(parents=True)
        self.set("# Available triggers:\n")

    def set(self, trigger, hist=HIST):
        (self.event / "trigger").write_text(trigger, encoding="utf-8")
        (self.event / "hist").write_text(hist, encoding="utf-8")

    def triggers(self):
        return (self.event / "trigger").read_text(encoding="utf-8").splitlines()

    def late(self, *arguments):
        return self.tool("--lateness", "--tracefs", self.scratch / "tracing", *arguments)

    def test_it_is_read(self):
        late = top.histogram(HIST)
        self.assertEqual(list(late), ["apic_timer_fn", "vmx_preemption_timer_fn"])
        self.assertEqual((late["apic_timer_fn"].count, late["apic_timer_fn"].cycles), (32, 110000))
        self.assertEqual(late["apic_timer_fn"].buckets, {14: 2, 12: 30})
        self.assertEqual(top.histogram("# event histogram\n"), {})

    def test_json(self):
        data = json.loads(self.late("--json").stdout)
        self.assertEqual(data["lateness"]["apic_timer_fn"],
                         {"timers": 32, "cycles": 110000, "up_to": {"4096": 30, "16384": 2}})
        self.assertIsNone(json.loads(self.tool("--json").stdout)["lateness"])

    def test_metrics(self):
        lines = self.late("--prometheus").stdout.splitlines()
        name = "raw_hrtimer_late_cycles"
        self.assertIn(f"# TYPE {name} histogram", lines)
        for le, count in (("2048", 0), ("4096", 30), ("8192", 30), ("16384", 32), ("+Inf", 32)):
            self.assertIn(f'{name}_bucket{{callback="apic_timer_fn",le="{le}"}} {count}', lines)
        self.assertIn(f'{name}_sum{{callback="apic_timer_fn"}} 110000', lines)
        self.assertIn(f'{name}_count{{callback="vmx_preemption_timer_fn"}} 1', lines)
        self.assertNotIn(name, self.tool("--prometheus").stdout)

    def test_the_screen(self):
        done = self.late("--count", "1")
        self.assertRegex(done.stdout, r"(?m)^apic_timer_fn +32  2048 \S{3} 16384, mean 3438$")
        self.assertRegex(done.stdout, r"(?m)^vmx_preemption_timer_fn +1  4096 \S 8192, mean 5000$")
        self.set(SHOWN, "# event histogram\n")
        self.assertIn("no timer has expired yet", self.late("--count", "1").stdout)

    def test_the_trigger_is_set_and_removed(self):
        self.assertEqual(self.late("--json").returncode, 0)
        self.assertEqual(self.triggers()[1], top.TRIGGER)       # two samples, in a plain file
        self.assertEqual(self.triggers()[-1], "!" + top.TRIGGER)

    def test_one_of_somebody_else_stays(self):
        self.set(SHOWN)
        self.assertEqual(self.late("--json").returncode, 0)
        self.assertEqual(self.triggers(), [SHOWN.strip()])

    def test_it_is_removed_when_the_tool_is_ended(self):
        with subprocess.Popen([sys.executable, TOOL, "--debugfs", self.files, "--json", "--count", "0",
                               "--interval", "0.1", "--lateness", "--tracefs",
                               self.scratch / "tracing"], stdout=subprocess.PIPE) as tool:
            tool.stdout.readline()
            tool.send_signal(signal.SIGTERM)
            self.assertEqual(tool.wait(), 128 + signal.SIGTERM)
        self.assertEqual(self.triggers()[-1], "!" + top.TRIGGER)

    def test_no_tracepoint(self):
        done = self.tool("--lateness", "--tracefs", self.scratch / "none", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Araw-hrtimer-top: there is no tracepoint .*\n\Z")


if __name__ == "__main__":
    unittest.main()
