# SPDX-License-Identifier: GPL-2.0
"""The newest rustc of Debian's backports, as apt tells of it."""

from pathlib import Path
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.cache import BenchError  # noqa: E402
from bench.toolchain import root, rustc  # noqa: E402

BACKPORTS = "  rustc | 1.97.1+dfsg1-1~bpo13+1 | http://a.example/debian trixie-backports/main amd64 Packages\n"
STABLE = """     rustc | 1.85.1+dfsg1-1+deb13u1 | http://a.example/debian trixie/main amd64 Packages
     rustc | 1.85.1+dfsg1-1+deb13u1 | http://a.example/debian trixie/main Sources
"""


class Newest(unittest.TestCase):
    def packages(self, madison, depends="libc6 (>= 2.39), libllvm22, libstdc++6 (>= 13.1)"):
        said = {"madison": madison, "show": f"Package: libstd-rust-1.97\nDepends: {depends}\n"}
        with mock.patch.object(root, "run", lambda argv, **_: mock.Mock(stdout=said[argv[1]])):
            return rustc._newest()

    def test_of_the_backports(self):
        for madison in (BACKPORTS + STABLE, STABLE + BACKPORTS):
            packages, series = self.packages(madison)
            self.assertIn("rustc=1.97.1+dfsg1-1~bpo13+1", packages)
            self.assertIn("libstd-rust-1.97=1.97.1+dfsg1-1~bpo13+1", packages)
            self.assertEqual(series, "22")

    def test_none_there(self):
        with self.assertRaisesRegex(BenchError, "trixie-backports has no rustc"):
            self.packages(STABLE)

    def test_an_llvm_of_its_own(self):
        with self.assertRaisesRegex(BenchError, "LLVM"):
            self.packages(BACKPORTS, depends="libc6 (>= 2.39)")


if __name__ == "__main__":
    unittest.main()
