# SPDX-License-Identifier: GPL-2.0
"""scripts/on-this-machine: where it refuses, that it asks, and what it reports."""

import json
from pathlib import Path
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "scripts"))
from bench.cache import BenchError  # noqa: E402
from bench.machines import here  # noqa: E402
from bench.suites import own_machine  # noqa: E402

FILES = {
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: A Processor\nmicrocode\t: 0x1\n"
                    "flags\t\t: fpu vmx tsc constant_tsc\n\nprocessor\t: 1\n",
    "proc/self/status": "Name:\tx\nCapEff:\t000001ffffffffff\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "sys/module/kvm_intel/refcnt": "0\n",
    "sys/module/kvm_intel/parameters/nested": "Y\n",
    "sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
}


class Machine(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = Path(scratch.name)
        for name, text in FILES.items():
            self.write(name, text)
        self.replace(here.os, "geteuid", return_value=0)
        self.replace(here.platform, "machine", return_value="x86_64")
        self.synchronised = self.replace(here, "is_synchronised", return_value=False)

    def replace(self, *where, **what):
        patch = mock.patch.object(*where, **what)
        self.addCleanup(patch.stop)
        return patch.start()

    def write(self, name, text):
        file = self.top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="ascii")

    def refused(self, words):
        self.assertIn(words, here.refusal(self.top) or "not refused")


class Refusals(Machine):
    def test_none(self):
        self.assertIsNone(here.refusal(self.top))

    def test_of_files(self):
        for name, text, words in (
                ("proc/cpuinfo", "flags\t: fpu\nvmx flags\t: ept\n", "neither VMX nor SVM"),
                ("proc/self/status", "CapEff:\t0000000000000400\n", "in a container"),
                ("proc/self/status", "CapEff:\t0000000000010000\n", "change the clock"),
                ("sys/kernel/security/lockdown", "none [integrity] confidentiality\n",
                 "locked down"),
                ("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n",
                 "the clocksource is hpet"),
                ("sys/module/kvm_intel/refcnt", "2\n", "guests are running"),
                ("sys/module/raw_hrtimer/refcnt", "0\n", "raw_hrtimer is loaded")):
            with self.subTest(words):
                self.write(name, text)
                self.refused(words)
                if name in FILES:
                    self.write(name, FILES[name])

    def test_of_a_clock_that_is_kept(self):
        self.synchronised.return_value = True
        self.refused("an NTP daemon keeps the clock")

    def test_of_who_is_not_root(self):
        here.os.geteuid.return_value = 1000
        self.refused("run it as root")

    def test_of_another_architecture(self):
        here.platform.machine.return_value = "aarch64"
        self.refused("aarch64")

    def test_one_sentence_and_nothing_is_done(self):
        if not here.refusal():
            self.skipTest("this machine is one on which it would run")
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report.json")
            done = subprocess.run([TREE / "scripts/on-this-machine", "--yes", "--report", report],
                                  capture_output=True, text=True, check=False)
            self.assertFalse(report.exists())
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_it_asks(self):
        for answer in ("no\n", "", "y\n"):
            program = ("import runpy, sys; sys.path.insert(0, 'scripts'); sys.argv[1:] = []; "
                       "from bench.machines import here; from bench.suites import own_machine; "
                       "here.refusal = lambda: None; own_machine.run = None; "
                       "runpy.run_path('scripts/on-this-machine')")
            done = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True,
                                  text=True, input=answer, check=False, cwd=TREE)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("nothing was done", done.stderr)
            self.assertIn("change the clock's rate", done.stdout)


class Clock(unittest.TestCase):
    def test_it_is_put_back(self):
        with mock.patch.object(here, "rate", return_value=(10001, 77)), \
                mock.patch.object(here, "set_rate") as set_rate, \
                self.assertRaises(KeyboardInterrupt), here.Clock():
            raise KeyboardInterrupt
        set_rate.assert_called_once_with(10001, 77)

    def test_it_is_read(self):
        """By anybody; nominal is 10,000, and 10 % off the most."""
        tick, freq = here.rate()
        self.assertTrue(9000 <= tick <= 11000)
        self.assertLessEqual(abs(freq), 500 << 16)


class Report(Machine):
    GOOD = {"status": 0, "lines": ["TAP version 13", "1..1", "ok 1 one"]}

    def report(self, **changes):
        runs = [{"ppm": 25, "module": name, "status": status, "lines": []}
                for name, status in (("absent", 254), ("loaded", 0))]
        return own_machine.count({
            "schema": 1, "machine": here.facts(self.top), "selftests": self.GOOD, "nested": runs,
            "left_out": None, "rate": {"before": [10000, 5], "after": [10000, 5]}, **changes})

    def test_facts(self):
        found = here.facts(self.top)
        self.assertEqual((found["processor"], found["processors"], found["virtual"]),
                         ("A Processor", 2, False))
        self.assertEqual(found["kvm"], {"kvm_intel.nested": "Y"})
        self.assertEqual(set(found), {"kernel", "processor", "microcode", "processors", "virtual",
                                      "tsc_flags", "kvm"})      # nothing of whose it is

    def test_what_fails_without_the_module_is_no_failure(self):
        result = self.report()
        self.assertEqual((result["passed"], result["failed"]), (2, 0))
        self.assertIn("+25 ppm, module absent  failed", own_machine.summary(result))
        self.assertIn("2 passed, 0 failed", own_machine.summary(result))

    def test_failures(self):
        for changes in (
                {"nested": [{"ppm": 0, "module": "loaded", "status": 254, "lines": []}]},
                {"nested": [{"ppm": 0, "module": "loaded", "status": None, "lines": []}]},
                {"selftests": {"status": 1, "lines": ["TAP version 13", "1..1", "not ok 1 a"]}},
                {"rate": {"before": [10000, 5], "after": [10000, 0]}}):
            with self.subTest(changes):
                self.assertEqual(self.report(**changes)["failed"], 1)

    def test_it_is_written(self):
        own_machine.write(self.top / "a/report.json", self.report())
        self.assertEqual(json.loads((self.top / "a/report.json").read_text())["passed"], 2)

    def test_each_test_is_there(self):
        for name in own_machine.TESTS:
            self.assertTrue((TREE / "tests/selftests/raw_hrtimer" / name).exists(), name)

    def test_a_step_that_fails(self):
        with self.assertRaises(BenchError):
            own_machine._checked("false")

    def test_modules_are_removed(self):
        self.write("modules", "raw_hrtimer 1 0 - Live 0x0\nkvm 1 0 - Live 0x0\n"
                   "raw_hrtimer_test 1 0 - Live 0x0\n")
        with mock.patch.object(own_machine, "MODULES", self.top / "modules"), \
                mock.patch.object(own_machine, "_command") as command, \
                self.assertRaises(KeyboardInterrupt), own_machine._modules_removed():
            raise KeyboardInterrupt
        self.assertEqual([call.args[0] for call in command.mock_calls],
                         [["rmmod", "raw_hrtimer_test"], ["rmmod", "raw_hrtimer"]])


if __name__ == "__main__":
    unittest.main()
