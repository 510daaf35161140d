# SPDX-License-Identifier: GPL-2.0
"""What the suites of the guests' timers replay of chronyd."""

from pathlib import Path
import re
import subprocess
import sys
import unittest

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "scripts"))
from bench.suites import timers  # noqa: E402

SELFTESTS = TREE / "tests/selftests/raw_hrtimer"


def chronyd_did(before, seconds):
    script = '. "$0/functions_kvm.sh"; what_chronyd_did "$1" "$2"'
    done = subprocess.run(
        ["sh", "-c", script, SELFTESTS, before, seconds], check=True, text=True,
        stdout=subprocess.PIPE, env={"PATH": "/usr/bin:/bin",
                                     "SLEW_CHRONYD": str(SELFTESTS / "slew_chronyd.txt")})
    return [[float(word) for word in line.split()] for line in done.stdout.splitlines()]


class Slew(unittest.TestCase):
    def test_timers_are_pending_while_it_is_in_effect(self):
        before, seconds = re.search(r"what_chronyd_did (\S+) (\S+) >",
                                    (TREE / "scripts/guest/kvm-tests.sh").read_text()).groups()
        us, samples = map(int, re.search(r"--distance (\d+) --samples (\d+)",
                                         timers.WHILE_SLEWED).groups())
        changes = chronyd_did(before, seconds)
        self.assertAlmostEqual(changes[0][0], float(before), places=3)
        self.assertLess(changes[0][1], 9200)        # by 8 % and more
        within = [tick for at, tick, _ in changes if at < us * samples / 1e6]
        self.assertGreaterEqual(len(within), 3)     # as kvm-tests.sh asks for
        self.assertGreater(within[-1], 10000)       # and up again

    def test_from_where_it_begins(self):
        changes = chronyd_did("0", "18")
        self.assertEqual(changes[0][0], 0)
        self.assertGreater(max(tick for _, tick, _ in changes), 10800)


if __name__ == "__main__":
    unittest.main()
