# SPDX-License-Identifier: GPL-2.0
"""What is proven of `margin::expiry()`: the expiry where the clockevent counts nominal nanoseconds.

As in theorems.py: one call by bit vectors, what it means for a clock by integers.
"""

import z3

from line import Line
from lemmas import in_order
from model import KTIME_MAX, U64_MAX, Clock, is_floor, signed, unsigned
from operations import saturating

WORTH_NS = 1000


def look_claims(look, exact, reads, past, ns):
    """What is claimed of a look, of wide bit vectors or of integers.

    `exact` is the timer's expiry, `reads` the clock now, `past` whether the deadline is before
    now, and `ns` what the slower rate makes of the time until then, rounded down.
    """
    yield "a look is not after the expiry", look <= exact
    yield "a look is the expiry or at least 1 us before", z3.Or(look == exact,
                                                                exact - look >= WORTH_NS)
    yield "a deadline that is past has no margin", z3.Implies(past, look == exact)
    yield "the margin is what the slower rate makes of the time left", z3.Implies(
        look != exact, look == reads + ns)
    yield "and is left out only if that is less than 1 us, or 292 years are left", z3.Or(
        past, look != exact, ns > KTIME_MAX, exact - (reads + ns) < WORTH_NS)


def choice(past, exact, reads, ns):
    """The look as the code chooses it, with what it chooses from as it is."""
    early = saturating("s", "add", reads, z3.Extract(63, 0, ns))
    is_worth = saturating("s", "sub", exact, early) >= WORTH_NS
    return z3.If(z3.Or(past, z3.UGT(ns, KTIME_MAX), z3.Not(is_worth)), exact, early)


def look(source, shift):
    """One look."""
    clock = Clock(source, shift)
    deadline, now = z3.BitVecs("deadline now", 64)
    raw_mult = z3.BitVec("raw_mult", 32)
    clock.assume_not_zero(raw_mult)
    until_deadline, _ = clock.product(deadline)
    until_now, _ = clock.product(now)
    exact = clock.call("expiry_ns", deadline, products=[until_deadline]).result
    reads = clock.call("mono", now, products=[until_now]).result

    slow = z3.ZeroExt(32, z3.If(z3.ULT(clock.mult, raw_mult), clock.mult, raw_mult))
    product = unsigned(z3.BitVec("left * slow", 96))
    result = clock.call(
        "look", deadline, raw_mult, now,
        products=[until_deadline, until_now,
                  (unsigned(deadline - now), unsigned(slow), product)]).result

    yield "the translation of the margin's expiry() holds", clock.facts, clock.claims
    yield "a look is chosen from its expiry and the clock", clock.facts, [
        result == choice(z3.ULT(deadline, now), exact, reads, z3.LShR(product, shift))]


def one_choice():
    """What comes of that choice, for any shift."""
    exact, reads = z3.BitVecs("exact reads", 64)
    past, ns = z3.Bool("past"), unsigned(z3.BitVec("ns", 96))
    result = signed(choice(past, exact, reads, ns))
    for name, claim in look_claims(result, signed(exact), signed(reads), past, ns):
        yield name, [], [claim]


class Look:
    """A look at a timer in integers, at or after the last update."""

    def __init__(self, shift):
        """Everything but the shift is free."""
        self.line = Line(shift)
        self.now, self.deadline = z3.Ints("now deadline")
        self.look, self.ns, self.raw_mult = z3.Ints("look ns raw_mult")
        mult, self.left = self.line.mult, self.deadline - self.now
        self.slow = z3.If(mult < self.raw_mult, mult, self.raw_mult)
        self.kind, self.exact = self.line.expiry("timer", self.deadline)
        self.reads = self.line.reads("now", self.now)
        product = self.left * self.slow
        self.facts = self.line.facts + [
            self.raw_mult >= 1, self.raw_mult < 2**32,
            self.line.cycle_last <= self.now, self.now - self.line.cycle_last < 2**63,
            self.deadline >= 0, self.deadline <= U64_MAX,
            self.ns * self.line.one_ns <= product, product < (self.ns + 1) * self.line.one_ns]
        self.facts += [claim for _, claim in look_claims(
            self.look, self.exact, self.reads, self.deadline < self.now, self.ns)]

    def clock_then(self, mult):
        """What the clock reads at the deadline, if from now on it runs at `mult`."""
        line, then = self.line, z3.Int("then")
        since_base = ((self.now - line.cycle_last) * line.mult + self.left * mult +
                      line.xtime_nsec)
        self.facts.append(is_floor(then, line.base * line.one_ns + since_base, line.one_ns))
        return then


def slow_down(_, shift):
    """The clock slows down to the nominal rate, or less, as soon as the timer is armed."""
    timer, mult = Look(shift), z3.Int("slower")
    then = timer.clock_then(mult)
    facts = timer.facts + [timer.now <= timer.deadline, mult >= timer.slow,
                           in_order(timer.slow, timer.left, mult)]

    yield "a clock that slows down to the nominal rate makes no look late", facts, [
        z3.Implies(timer.look != timer.exact, timer.look <= then)]
    yield "and a timer without margin by less than 1 us, in the next 292 years", facts, [
        z3.Implies(timer.ns <= KTIME_MAX, timer.look - then < WORTH_NS)]
    yield "which does not follow from a contradiction", facts + [
        timer.look < timer.exact, timer.line.base == 0, timer.line.xtime_nsec == 0,
        timer.now == 0, timer.deadline == 2**40], None


def cost(_, shift):
    """How much earlier a look is: what the difference of the rates makes of the distance."""
    timer = Look(shift)
    line, lost = timer.line, timer.left * timer.line.mult - timer.left * timer.slow
    facts = timer.facts + [timer.now <= timer.deadline, line.base >= 0]

    yield "the margin is what the slow-down takes, and less than 3 ns", facts, [
        z3.Implies(timer.look != timer.exact,
                   (timer.exact - timer.look - 3) * line.one_ns < lost)]
    yield "there is none at the nominal rate", facts, [
        z3.Implies(line.mult <= timer.raw_mult, timer.look == timer.exact)]


THEOREMS = (look, slow_down, cost)
