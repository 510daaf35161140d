# SPDX-License-Identifier: GPL-2.0
"""The kernels of the bench's own: each line of the table is complete."""

from pathlib import Path
import sys
import tempfile
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.building import own  # noqa: E402
from bench.cache import BenchError  # noqa: E402
from bench.suites import table  # noqa: E402


class Table(unittest.TestCase):
    def test_each_has_its_configuration(self):
        for name in own.NAMES:
            for file in own.configs(name):
                self.assertTrue(file.is_file(), file)

    def test_each_variant_has_its_suites(self):
        suites = {suite.name: suite for suite in table.SUITES}
        for name in own.VARIANTS:
            self.assertIn(f"{name}-kernel", suites[f"{name}-vmx"].after)

    def test_a_later_file_overrides(self):
        self.assertIn("CONFIG_KVM=y", own.config("builtin"))
        self.assertNotIn("CONFIG_KVM=m", own.config("builtin"))


class Configuration(unittest.TestCase):
    def check(self, wanted, got):
        with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
            file.write(got)
            file.flush()
            own._check_config(wanted, Path(file.name))

    def test_what_is_there(self):
        self.check(["CONFIG_A=y", "CONFIG_B=n", "CONFIG_C=n"],
                   "CONFIG_A=y\n# CONFIG_B is not set\n")

    def test_what_was_dropped(self):
        with self.assertRaisesRegex(BenchError, "CONFIG_A=y"):
            self.check(["CONFIG_A=y"], "# CONFIG_A is not set\n")

    def test_what_another_selects(self):
        with self.assertRaisesRegex(BenchError, "CONFIG_B=n"):
            self.check(["CONFIG_B=n"], "CONFIG_B=y\n")


if __name__ == "__main__":
    unittest.main()
