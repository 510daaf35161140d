# SPDX-License-Identifier: GPL-2.0
"""What a machine lacks is told in one sentence, after seconds."""

import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import unittest

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "scripts"))
from bench.toolchain import ways  # noqa: E402


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


if __name__ == "__main__":
    unittest.main()
