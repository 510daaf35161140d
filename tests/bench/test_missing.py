# SPDX-License-Identifier: GPL-2.0
"""What a machine lacks is told in one sentence, after seconds."""

import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "scripts"))
from bench import cache  # noqa: E402
from bench.cache import BenchError  # noqa: E402
from bench.toolchain import root, ways  # noqa: E402


@unittest.skipUnless(shutil.which("make"), "this machine has no make")
class NoPython(unittest.TestCase):
    """make, where the programs that it finds are these."""

    def make(self, **programs):
        with tempfile.TemporaryDirectory() as top:
            for name, script in programs.items():
                file = Path(top, name.replace("_", "-"))
                file.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
                file.chmod(0o755)
            done = subprocess.run([shutil.which("make"), "-C", TREE, "demo"], env={"PATH": top},
                                  capture_output=True, text=True, check=False, timeout=10)
        self.assertEqual(done.returncode, 2)
        said = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
        return said, done.stdout

    def test_an_ordinary_user(self):
        said, _ = self.make(id="echo 1000", apt_get="exit 9")
        self.assertEqual(said, ["This machine has no python3, which 'sudo apt-get install python3' "
                                "brings"])

    def test_another_distribution(self):
        for user in ("0", "1000"):
            (said,), _ = self.make(id=f"echo {user}")
            self.assertTrue(said.startswith("This machine has no python3 and no apt-get "))
            self.assertTrue(said.endswith(f": {ways.CONTAINER}"), said)

    def test_root_without_a_network(self):
        said, shown = self.make(id="echo 0", apt_get='echo "$@"; test "$2" = update')
        self.assertIn("-q update\n-q -y --no-install-recommends install python3\n", shown)
        self.assertEqual(said, ["This machine has no python3: installing it with apt-get",
                                "This machine has no python3 and apt-get could not install it, as is "
                                "said above"])


class NoRoot(unittest.TestCase):
    """What is found out before the toolchain root is built: nothing is installed before that."""

    def setUp(self):
        self.top = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(mock.patch.object(cache, "CACHE", self.top))
        self.enterContext(mock.patch.object(root, "_built", []))
        self.enterContext(mock.patch.object(ways, "choose"))
        for name in ("_need_host_tools", "_apt"):
            self.enterContext(mock.patch.object(root, name, side_effect=AssertionError(name)))

    def refused(self, words, free):
        with mock.patch("shutil.disk_usage", lambda _: mock.Mock(free=free << 30)), \
                self.assertRaisesRegex(BenchError, words) as error:
            root._build(self.top)
        self.assertNotIn("\n", str(error.exception))

    def test_too_little_disk(self):
        self.refused(f"has less than {root.DISK_GB} GB free: make room or set XDG_CACHE_HOME",
                     root.DISK_GB - 1)

    def test_the_readme_has_the_same(self):
        self.assertIn(f"{root.DISK_GB} GB of disk, {ways.MEMORY_GB + 1} GB of memory",
                      (TREE / "README.rst").read_text(encoding="utf-8"))

    @unittest.skipUnless(Path(root.APT_HELPER).exists(), "this machine has no apt-helper")
    def test_no_network(self):
        """By the real apt-helper, which asks a port that nobody listens on."""
        mirror = "http://127.0.0.1:9/debian"
        with mock.patch.object(root, "MIRROR", mirror), mock.patch.dict(os.environ):
            for name in ("http_proxy", "HTTP_PROXY"):
                os.environ.pop(name, None)
            self.refused(f"^{mirror} cannot be reached, .*: E: Failed to fetch",
                         root.DISK_GB + 1)

    def test_the_archive_answers(self):
        with mock.patch("shutil.disk_usage", lambda _: mock.Mock(free=99 << 30)), \
                mock.patch("subprocess.run", return_value=mock.Mock(returncode=0)), \
                self.assertRaisesRegex(AssertionError, "_need_host_tools"):
            root._build(self.top)


if __name__ == "__main__":
    unittest.main()
