# SPDX-License-Identifier: GPL-2.0
"""How the svm machine is started."""

from pathlib import Path
import platform
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.machines import qemu  # noqa: E402


class TscFrequency(unittest.TestCase):
    @unittest.skipUnless(platform.machine() == "x86_64", "only x86-64 has a TSC")
    def test_repeats(self):
        first = qemu.tsc_khz()
        qemu.tsc_khz.cache_clear()
        self.assertGreater(first, 500_000)
        self.assertLess(abs(qemu.tsc_khz() - first), first / 1000)


if __name__ == "__main__":
    unittest.main()
