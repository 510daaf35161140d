# SPDX-License-Identifier: GPL-2.0
"""The module's manual page names the parameters, files and messages that the sources have."""

from pathlib import Path
import re
import unittest

from test_messages import patterns

TREE = Path(__file__).resolve().parents[2]
PAGE = (TREE / "Documentation/man/raw_hrtimer.4").read_text(encoding="utf-8")


class Page(unittest.TestCase):
    def test_the_parameters(self):
        source = (TREE / "c/params.c").read_text(encoding="utf-8")
        known = set(re.findall(r"^(?:module_param_\w+|RHT_TARGET_PARAM)\((\w+)", source, re.M))
        self.assertGreater(len(known), 4)
        self.assertEqual(set(re.findall(r"^\.It Cm (\w+) Ns =", PAGE, re.M)), known)

    def test_the_files(self):
        abi = (TREE / "Documentation/ABI/testing/debugfs-raw_hrtimer").read_text(encoding="utf-8")
        known = re.findall(r"^What:\s+(\S+)", abi, re.M)
        self.assertEqual(re.findall(r"^\.It Pa (\S+)", PAGE, re.M), known)

    def test_the_messages(self):
        quoted = re.findall(r"^\.It (.*)", PAGE[PAGE.index(".Bl -diag"):], re.M)
        self.assertGreater(len(quoted), 3)
        known = list(patterns())
        for line in quoted:
            self.assertTrue(any(pattern.fullmatch(line) for pattern in known), line)


if __name__ == "__main__":
    unittest.main()
