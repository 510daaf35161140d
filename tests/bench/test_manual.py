# SPDX-License-Identifier: GPL-2.0
"""The module's manual page names the parameters, files and messages that the sources have."""

from pathlib import Path
import re
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from bench.suites import tracepoints        # noqa: E402  (the path comes first)
from test_messages import patterns          # noqa: E402

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
        self.assertEqual(re.findall(r"^\.It Pa (/sys/kernel/debug/\S+)", PAGE, re.M), known)

    def test_the_tracepoints(self):
        known = re.findall(r"^TRACE_EVENT\((\w+),", (TREE / "c/trace.h").read_text(encoding="utf-8"),
                           re.M)
        self.assertEqual(set(known), tracepoints.NAMES)
        abi = (TREE / "Documentation/ABI/testing/tracefs-raw_hrtimer").read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"^What:.*/events/raw_hrtimer/(\w+)$", abi, re.M), known)
        text = (TREE / "Documentation/watching.rst").read_text(encoding="utf-8")
        for name in known:
            self.assertRegex(PAGE, rf"(?m)^\.Pq Cm {name}\b")
            self.assertRegex(text, rf"(?m)^``{name}`` ")

    def test_the_messages(self):
        quoted = re.findall(r"^\.It (.*)", PAGE[PAGE.index(".Bl -diag"):], re.M)
        self.assertGreater(len(quoted), 3)
        known = list(patterns())
        for line in quoted:
            self.assertTrue(any(pattern.fullmatch(line) for pattern in known), line)


if __name__ == "__main__":
    unittest.main()
