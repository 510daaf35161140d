# SPDX-License-Identifier: GPL-2.0
"""Which test the bench runs with which patch of the series."""

from pathlib import Path
import re
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.building import kvm, selftests  # noqa: E402
from bench.suites import patch_tests  # noqa: E402

def names(series):
    return [kvm.title(patch) for patch in kvm.series("both")
            if kvm.title(patch).startswith(f"{series}/") and kvm.built_files(patch)]


def key(line):
    return str(line).split(";", 1)[1].replace(f";{line.verdict};", ";")


class Plan(unittest.TestCase):
    def test_fails_before_and_passes_after(self):
        for series in kvm.KINDS["both"]:
            steps = {}
            for line in patch_tests.plan(names(series), "vmx"):
                if line.test.schedule != "0":
                    steps.setdefault(key(line), {})[line.verdict] = line.step
            for test, found in steps.items():
                self.assertEqual(found["pass"], found["fail"] + 1, test)
                self.assertTrue(names(series)[found["fail"]].startswith(test.split(";")[0]), test)

    def test_each_step_runs_a_nested_guest(self):
        steps = {line.step for line in patch_tests.plan(names("fixes"), "vmx")
                 if (line.test.test, line.test.schedule) == (patch_tests.ALWAYS, "0")}
        self.assertEqual(steps, set(range(1, len(names("fixes")) + 1)))

    def test_the_steps_are_in_order(self):
        steps = [line.step for line in patch_tests.plan(names("provider"), "vmx")]
        self.assertEqual(steps, sorted(steps))
        self.assertEqual(steps[0], 1)       # 0001 has no test that fails without it

    def test_each_test_has_a_patch_and_a_program(self):
        patches = {name.split("-KVM")[0] for series in kvm.KINDS["both"] for name in names(series)}
        for test in patch_tests.TESTS:
            self.assertIn(test.patch, patches)
            self.assertIn(test.machine, patch_tests.MACHINES)
            if test.case != "-":
                source = selftests.OURS / "kvm" / f"{test.test.split()[0]}.c"
                self.assertIn(f'"{test.case}', source.read_text(encoding="utf-8"))

    def test_each_fix_has_a_test(self):
        tested = {test.patch for test in patch_tests.TESTS}
        for name in names("fixes"):
            self.assertIn(re.match(r"fixes/\d+", name)[0], tested)


if __name__ == "__main__":
    unittest.main()
