# SPDX-License-Identifier: GPL-2.0
"""The list of tested kernels: who reads it, and what happens to one that is gone."""

from pathlib import Path
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "scripts"))
from bench.building import kernel  # noqa: E402
from bench.suites import check, ktap, table  # noqa: E402


class TestedKernels(unittest.TestCase):
    def test_each_line_is_a_suite(self):
        found = {suite.name for suite in table.SUITES if suite.long}
        self.assertLessEqual(set(kernel.tested()), found)
        self.assertGreater(len(kernel.tested()), 0)

    def test_one_that_the_archive_has_no_more_is_skipped(self):
        runner = mock.Mock()
        with tempfile.TemporaryDirectory() as logs:
            runner.logs = Path(logs)
            suite = check.Suite("7.0.1", table.tested_kernel("7.0.1"))
            context = check.Context(runner, suite)
            with mock.patch.object(kernel, "ensure_kernel", side_effect=kernel.NoKernel("gone")):
                count = suite.run(context)
            self.assertEqual(count, ktap.Count(skipped=1))
            self.assertIn("SKIP gone", context.log.read_text())

    def dkms_takes(self, release):
        script = '. "$1" && [[ $2 =~ $BUILD_EXCLUSIVE_KERNEL ]]'
        return subprocess.run(["bash", "-c", script, "bash", TREE / "dkms.conf", release],
                              check=False).returncode == 0

    def test_dkms_takes_their_series(self):
        for release in kernel.tested():
            self.assertTrue(self.dkms_takes(release), release)
        for release in ("6.12.1+deb13-amd64", "17.3.4-amd64", "7.30.1-amd64"):
            self.assertFalse(self.dkms_takes(release), release)


if __name__ == "__main__":
    unittest.main()
