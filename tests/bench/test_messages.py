# SPDX-License-Identifier: GPL-2.0
"""Documentation/troubleshooting.rst quotes messages as the sources have them."""

from pathlib import Path
import re
import unittest

TREE = Path(__file__).resolve().parents[2]
PAGE = (TREE / "Documentation/troubleshooting.rst").read_text(encoding="utf-8")
# The kernel's own, which begin with a module's name.
KERNEL = re.compile(r"version magic |disagrees about version of symbol |Unknown symbol ")


def patterns():
    """Regular expressions for what the module may write to the log."""
    files = [*(TREE / "rust").rglob("*.rs"), *(TREE / "c").rglob("*.c")]
    for file in files:
        text = re.sub(r"\\\n\s*", "", file.read_text(encoding="utf-8"))
        for call in re.findall(r'\bpr_(?:info|warn|err|crit)!?\(\s*"(.*?)(?:\\n)?"', text):
            words = re.split(r"\{[^}]*\}|%[a-z]+", call.removeprefix("raw_hrtimer: "))
            yield re.compile(".*".join(map(re.escape, words)))


class Messages(unittest.TestCase):
    def test_of_the_module(self):
        known = list(patterns())
        quoted = re.findall(r"^  raw_hrtimer: (.*)$", PAGE, re.M)
        quoted = [line for line in quoted if not KERNEL.match(line)]
        self.assertGreater(len(quoted), 5)
        for line in quoted:
            self.assertTrue(any(pattern.fullmatch(line) for pattern in known), line)

    def test_each_reason(self):
        """Why a timer is not covered, in the parentheses of the file attach."""
        source = "".join(file.read_text(encoding="utf-8") for file in (TREE / "rust").rglob("*.rs"))
        reasons = set(re.findall(r"\bno \(([^)]*)\)", PAGE))
        self.assertTrue(reasons)
        for reason in reasons:
            self.assertIn(f'"no ({reason})"', source)

    def test_of_kdir_check(self):
        """Each sentence has an entry, which is some words of it."""
        script = (TREE / "scripts/kdir-check").read_text(encoding="utf-8")
        page = PAGE[PAGE.index("It does not build"):]
        entries = re.findall(r"^([A-Za-z].*)\n  \S", page, re.M)
        entries += re.findall(r"^  (raw_hrtimer is not built for the kernel) ", page, re.M)
        for sentence in re.findall(r'\bfail "(.*)"', script):
            self.assertTrue(any(entry in sentence for entry in entries), sentence)


if __name__ == "__main__":
    unittest.main()
