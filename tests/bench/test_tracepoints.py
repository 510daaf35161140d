# SPDX-License-Identifier: GPL-2.0
"""The check that a tracepoint that is off is a jump label alone."""

from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from bench.suites import tracepoints        # noqa: E402  (the path comes first)

TABLE = "RELOCATION RECORDS FOR [__jump_table]:\nOFFSET  TYPE  VALUE\n" + "".join(
    f"0000000000000008 R_X86_64_PC64     __tracepoint_{name}+0x000000000000000a\n"
    for name in tracepoints.NAMES)
READ = ("RELOCATION RECORDS FOR [.text]:\n"
        "0000000000000008 R_X86_64_PC32     __tracepoint_start+0x0000000000000003\n")


class Relocations(unittest.TestCase):
    def test_jump_labels(self):
        self.assertIsNone(tracepoints.wrong(TABLE))

    def test_a_key_that_is_read(self):
        self.assertEqual(tracepoints.wrong(TABLE + READ), "start is read in .text")

    def test_one_that_is_missing(self):
        self.assertEqual(tracepoints.wrong(TABLE.replace("_rearm", "_rearms")),
                         "without a jump label: ['rearm']")
        self.assertIn("rate", tracepoints.wrong(""))


if __name__ == "__main__":
    unittest.main()
