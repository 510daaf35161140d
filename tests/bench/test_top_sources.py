# SPDX-License-Identifier: GPL-2.0
"""tools/raw-hrtimer-top knows what the module has, and its manual page what the tool has."""

import re
import subprocess
import sys
import unittest

from test_top_lateness import HIST
from top_folder import TOOL, TREE, top

PAGE = (TREE / "Documentation/man/raw-hrtimer-top.8").read_text(encoding="utf-8")


class Sources(unittest.TestCase):
    def names(self):
        text = "".join(file.read_text(encoding="utf-8") for file in (TREE / "rust").rglob("*.rs"))
        found = set(re.findall(r'^ +\("([a-z_]+)", &?(?:\w+::)*[A-Z_]+\),$', text, re.M))
        self.assertIn("clocksource_changes", found)
        self.assertIn("rearms", found)
        return found, text

    def test_each_counter(self):
        self.assertEqual(set(top.COUNTERS), self.names()[0])

    def test_each_expected_reason(self):
        for why in top.EXPECTED:
            self.assertIn(f'"no ({why})"', self.names()[1])

    def test_the_page_of_the_tool(self):
        options = set(re.findall(r"--([a-z]+)", subprocess.run(
            [sys.executable, TOOL, "--help"], capture_output=True, text=True, check=True).stdout))
        self.assertEqual(set(re.findall(r"^\.It Fl Fl ([a-z]+)", PAGE, re.M)), options - {"help"})
        # What each alert is about has an entry.
        for name in ("rate", "clocksource", "kvm", *top.HARMFUL):
            self.assertRegex(PAGE, rf"(?m)^\.It (Cm \S+ , )*Cm {name}\b")
        sample = top.Sample(0, 0.0, "tsc", "none", {"xen": ""}, {}, 0, top.histogram(HIST))
        for name, *_ in top.families(sample):
            self.assertIn(f"raw_hrtimer_{name}", PAGE)


if __name__ == "__main__":
    unittest.main()
