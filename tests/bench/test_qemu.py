# SPDX-License-Identifier: GPL-2.0
"""How the svm machine is started, and when the host one is not."""

import os
from pathlib import Path
import platform
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "scripts"))
from bench.cache import BenchError  # noqa: E402
from bench.machines import qemu  # noqa: E402


class TscFrequency(unittest.TestCase):
    @unittest.skipUnless(platform.machine() == "x86_64", "only x86-64 has a TSC")
    def test_repeats(self):
        first = qemu.tsc_khz()
        qemu.tsc_khz.cache_clear()
        self.assertGreater(first, 500_000)
        self.assertLess(abs(qemu.tsc_khz() - first), first / 1000)


class Host(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = Path(scratch.name)
        for name, text in (("cpuinfo", "flags\t\t: fpu vmx sse\n"), ("nested", "Y\n"),
                           ("kvm", "")):
            (self.top / name).write_text(text, encoding="ascii")
        for constant in ("CPUINFO", "NESTED"):
            self.replace(constant, self.top / constant.lower())
        self.replace("KVM_DEVICE", str(self.top / "kvm"))

    def replace(self, name, value):
        patch = mock.patch.object(qemu, name, value)
        patch.start()
        self.addCleanup(patch.stop)

    def refused(self, words):
        with self.assertRaises(BenchError) as error:
            qemu.need_nested_vmx()
        self.assertIn(words, str(error.exception))

    def test_with_all_of_it(self):
        qemu.need_nested_vmx()

    def test_without_vmx(self):
        (self.top / "cpuinfo").write_text("flags\t\t: fpu svm\nvmx flags\t: x\n", encoding="ascii")
        self.refused("does not have VMX")

    def test_without_kvm(self):
        (self.top / "kvm").unlink()
        self.refused("load kvm-intel or kvm-amd")

    def test_without_nested(self):
        (self.top / "nested").write_text("N\n", encoding="ascii")
        self.refused("nested=1")
        (self.top / "nested").unlink()
        self.refused("nested=1")

    def test_the_demonstration_asks_first(self):
        """Before anything is fetched or built."""
        if re.search(r"^flags\s*:.*\bvmx\b", Path("/proc/cpuinfo").read_text(), re.M):
            self.skipTest("this processor has VMX")
        with tempfile.TemporaryDirectory() as cache:
            done = subprocess.run(["make", "demo", "MACHINE=host"], capture_output=True, text=True,
                                  check=False, cwd=TREE, env={**os.environ, "XDG_CACHE_HOME": cache})
            self.assertEqual(list(Path(cache).iterdir()), [])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("the processor does not have VMX", done.stderr)


if __name__ == "__main__":
    unittest.main()
