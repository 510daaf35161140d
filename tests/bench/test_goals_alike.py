# SPDX-License-Identifier: GPL-2.0
"""A hooked KVM's timers beside a patched one's."""

import unittest

from test_measure import goals, guest, met, read, results, tables


class Goals(unittest.TestCase):
    def beside(self, what, hooked, patched, us=1000):
        """Whether goals of that name are met: {name: met}, which there have to be."""
        lines = [*guest(samples=[9000, *patched], us=us),
                 *guest("hooked", samples=[9000, *hooked], us=us)]
        found = {name: fine for name, fine in met(results(read(*lines))).items()
                 if name.startswith(what)}
        self.assertTrue(found, what)
        return all(found.values())

    def test_latest(self):
        what = "latest lapic timer at 0, hooked KVM, to a patched one's"
        for late, fine in ((7120, True), (7121, False)):
            self.assertEqual(self.beside(what, [100, late, late], [100, 110, 120]), fine)
        for late, fine in ((110_000, True), (110_001, False)):
            self.assertEqual(self.beside(what, [100, late, late], [100, 100, 100_000]), fine)

    def test_latest_but_for_a_tick(self):
        what = "latest lapic timer at 0, hooked KVM, to a patched one's"
        for late, fine in (([37_120], True), ([37_121], False), ([7121, 7121], False)):
            self.assertEqual(self.beside(what, [100, *late], [100, 110, 120]), fine)
        others = [100] * 2000
        for late, fine in (([37_120] * 2, True), ([37_121] * 2, False), ([7121] * 3, False)):
            self.assertEqual(self.beside(what, [*others, *late], [100, 110, 120]), fine)

    def test_median(self):
        what = "median late at 0, hooked KVM, to a patched one's"
        for late, fine in ((11_000, True), (11_001, False)):
            self.assertEqual(self.beside(what, [late] * 3, [10_000] * 3), fine)

    def test_median_of_few_beyond_1_ms(self):
        for name, last in (("lapic", None), ("spinning", -1700)):
            lines = [line for variant in ("stock", "patched", "hooked") for line in guest(
                variant, us=10_000, name=name, last=last,
                samples=[9000] + [30_000 if variant == "hooked" else 10_000] * 28)]
            result = results(read(*lines))
            found = [(g["met"], g["value"]) for g in result["goals"]
                     if g["what"].startswith("median late at 0, hooked")]
            few = [(None, "29 timers, 30 are needed (lapic 10,000 us at 0)")]
            self.assertEqual(found, few if last is None else
                             [(False, "3.000 (spinning 10,000 us at 0)")])
        found = self.beside("median late at 0, hooked", [30_000] * 29, [10_000] * 29, us=10_000)
        self.assertFalse(found)

    def test_median_far_ahead_is_that_of_all_rates(self):
        def goals_of(*rates):
            lines = [line for schedule, patched, hooked in rates for line in (
                *guest(schedule=schedule, us=10_000_000, samples=[9000, *patched]),
                *guest("hooked", schedule, us=10_000_000, samples=[9000, *hooked]))]
            return [(g["met"], g["asserted"]) for g in results(read(*lines))["goals"]
                    if "far ahead, at all rates" in g["what"]]
        self.assertEqual(goals_of(("10000+0", [100, 100, 100], [100, 100, 110]),
                                  ("11000+0", [100, 100, 100], [120, 110, 110])), [(True, True)])
        self.assertEqual(goals_of(("10000+0", [100, 100, 100], [100, 111, 111]),
                                  ("11000+0", [100, 100, 100], [120, 110, 112])), [(False, True)])

    def test_interrupts(self):
        what = "interrupts for each timer at +10 %, hooked KVM, more than a patched one's"
        samples = [9000] * 100
        def goals_of(irqs, count=100):
            """Of two distances: at the other one both are alike, for four times as many timers."""
            lines = []
            for variant, here in (("patched", 120), ("hooked", irqs)):
                lines += guest(variant, "11000+0", samples[:count], irqs=here)
                lines += guest(variant, "11000+0", samples * 4, irqs=400, us=10)
            return met(results(read(*lines)))
        for irqs, fine in ((140, True), (141, False), (None, True)):
            self.assertEqual(goals_of(irqs).get(f"{what}, at any distance"), fine)
        # Too few say nothing, and that is said.
        self.assertEqual(goals_of(1000, 99)[f"{what}, at any distance"], True)
        self.assertIs(goals_of(1000, 99)[f"{what}, 1,000 us"], None)
        few = results(read(*[line for variant in ("hooked", "patched") for line in guest(
            variant, "11000+0", samples[:99], irqs=99)]))
        self.assertIn(f"not judged  {what}, 1,000 us: 99 timers, 100 are needed",
                      tables.everything(few))
        count = goals._asserted(few)
        self.assertEqual((count.skipped, count.failed), (1, 0))

    def test_distances_are_apart(self):
        """A late timer of one distance does not excuse another's."""
        what = "latest lapic timer at 0, hooked KVM, to a patched one's"
        for late, fine in ((7110, True), (7111, False)):
            lines = [*guest(us=10, samples=[0, 100, 110]), *guest(samples=[0, 100, 9000]),
                     *guest("hooked", us=10, samples=[0, late, late]),
                     *guest("hooked", samples=[0, 100, 9000])]
            self.assertEqual(met(results(read(*lines)))[what], fine)

    def test_while_chronyd_slews(self):
        for variant in ("patched", "hooked"):
            what = f"latest lapic timer while chronyd slews, {variant} KVM, to those at 0"
            for late, fine in ((7120, True), (7121, False)):
                lines = [*guest(variant), *guest(variant, "chronyd", samples=[9000, 100, late])]
                self.assertEqual(met(results(read(*lines)))[what], fine)
            self.assertNotIn(what, met(results(read(*guest(variant)))))
            other = [*guest(variant, us=10), *guest(variant, "chronyd", samples=[9000, 100, 90000])]
            self.assertNotIn(what, met(results(read(*other))))

    def test_guests_are_apart(self):
        """A late timer of one guest does not excuse another guest's."""
        lines = [line.replace("lapic", name) for name, latest in (("lapic", 100), ("nested", 9000))
                 for line in guest(samples=[9000, 100, 100, latest])]
        lines += [line.replace("lapic", name) for name, latest in (("lapic", 7200), ("nested", 9000))
                  for line in guest("hooked", samples=[9000, 100, latest, latest])]
        found = met(results(read(*lines)))
        self.assertFalse(found["latest lapic timer at 0, hooked KVM, to a patched one's"])
        self.assertTrue(found["latest nested timer at 0, hooked KVM, to a patched one's"])


if __name__ == "__main__":
    unittest.main()
