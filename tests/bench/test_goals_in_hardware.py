# SPDX-License-Identifier: GPL-2.0
"""What an L2's timer in the processor's is held to."""

import unittest

from test_measure import guest, met, read, results


class Goals(unittest.TestCase):
    def check(self, what, fine, last=-1400, samples=(9000, 100, 110, 120), variant="hardware",
              name="spinning"):
        """Whether the goals of that name are as expected, of runs at the nominal rate and another."""
        spins = name == "spinning"
        lines = [*guest("stock", name=name, last=-1700 if spins else None),
                 *guest(variant, name=name, last=-1442 if spins else None),
                 *guest(variant, "9000+0", samples, int(min(samples) < 0), name=name,
                        last=last if spins else None)]
        found = met(results(read(*lines)))
        self.assertEqual(found.get(what), fine, found)

    def test_early_in_hardware(self):
        what = "timers that a guest sees early, L2's timer in hardware"
        self.check(what, True)
        self.check(what, False, samples=(9000, 100, -1, 120))

    def test_l2_runs_on(self):
        what = "L2's last TSC at -10 %, L2's timer in hardware, cycles after its deadline"
        self.check(what, True, last=-1)
        self.check(what, False, last=0)

    def test_l2_stops_elsewhere(self):
        what = "L2's last TSC at -10 %, L2's timer in hardware, cycles after where it is at 0"
        self.check(what, True, last=-1442 + 64)
        self.check(what, False, last=-1442 + 65)
        self.check(what, True, last=-9000)

    def test_late_in_hardware(self):
        late = (9000, 116, 116, 116)
        what = "median late at -10 %, L2's timer in hardware, to stock KVM's at 0"
        self.check(what, True)
        self.check(what, False, samples=late)
        # An L2 that halts waits for an hrtimer: without the module it is late.
        self.check(what, None, samples=late, name="nested")
        what = "median late at -10 %, L2's timer in hardware with raw_hrtimer, to stock KVM's at 0"
        self.check(what, False, samples=late, name="nested", variant="both")
        self.check(what, True, name="nested", variant="both")

    def test_cost_in_hardware(self):
        def goals_of(armed):
            lines = [line for kind, most in (("stock", 507), ("hardware", armed), ("both", 140))
                     for line in (f"@ case nested_arm {kind}", "# entry: 20000",
                                  f"# armed_entry: {20000 + most}", "@ end")]
            return [goal["met"] for goal in results(read(*lines))["goals"]]
        self.assertEqual(goals_of(506), [True, True])
        self.assertEqual(goals_of(507), [False, True])


if __name__ == "__main__":
    unittest.main()
