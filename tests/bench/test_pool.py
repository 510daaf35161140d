# SPDX-License-Identifier: GPL-2.0
"""Packages that the archive's lists have dropped."""

from pathlib import Path
import re
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.cache import BenchError  # noqa: E402
from bench.toolchain import pool, root  # noqa: E402


class Pool(unittest.TestCase):
    def test_each_has_a_checksum(self):
        for file, checksum in pool._sums().items():
            self.assertRegex(checksum, r"^[0-9a-f]{64}$")
            package, version, _ = re.split("_", file)
            self.assertTrue(pool.has(package, version), file)

    def test_any_other_is_not_taken(self):
        package, version, _ = next(iter(pool._sums())).split("_")
        self.assertFalse(pool.has(package, f"{version}1"))
        self.assertFalse(pool.has("linux-headers", version))

    def test_one_that_is_gone_is_named(self):
        package, version, _ = next(iter(pool._sums())).split("_")
        with mock.patch.object(root, "run", side_effect=BenchError("E: Download Failed")):
            with self.assertRaisesRegex(root.Unavailable, re.escape(f"{package}_{version}")):
                pool.unpack(package, version, Path("/nowhere"))


if __name__ == "__main__":
    unittest.main()
