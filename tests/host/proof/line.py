# SPDX-License-Identifier: GPL-2.0
"""A timekeeper in integers: what several calls have to do with one another follows from its claims."""

import z3

from model import KTIME_MAX, U64_MAX
from theorems import clock_claims, expiry_claims


class Line:
    """A timekeeper in integers, with functions of it."""

    def __init__(self, shift):
        """Everything but the shift is free."""
        self.one_ns = 2**shift
        self.mult, self.cycle_last, self.xtime_nsec, self.base = z3.Ints(
            "mult cycle_last xtime_nsec base")
        self.facts = [self.mult >= 1, self.mult < 2**32, self.cycle_last >= 0,
                      self.cycle_last <= U64_MAX, self.xtime_nsec >= 0, self.xtime_nsec <= U64_MAX,
                      self.base >= -KTIME_MAX - 1, self.base <= KTIME_MAX]

    def _claims(self, claims):
        self.facts += [claim for _, claim in claims]

    def expiry(self, name, tsc):
        """The kind of the expiry of a deadline, and the expiry."""
        kind, ns = z3.Ints(f"{name}_kind {name}_ns")
        since_base = (tsc - self.cycle_last) * self.mult + self.xtime_nsec
        self._claims(expiry_claims(tsc <= self.cycle_last, kind, ns, self.base, self.xtime_nsec,
                                   since_base, self.one_ns))
        self.facts += [ns >= -KTIME_MAX - 1, ns <= KTIME_MAX]
        return kind, ns

    def reads(self, name, tsc):
        """What the clock reads at or after cycle_last, at most 2^63 - 1 cycles."""
        reads = z3.Int(f"{name}_reads")
        since_base = (tsc - self.cycle_last) * self.mult + self.xtime_nsec
        self._claims(clock_claims(z3.BoolVal(False), reads, self.base, self.xtime_nsec,
                                  since_base, self.one_ns))
        return reads
