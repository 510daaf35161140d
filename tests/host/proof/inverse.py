# SPDX-License-Identifier: GPL-2.0
"""What is proven of `Timeline::deadline()`, and of it together with `expiry()` and `mono()`.

As in theorems.py: one call by bit vectors, several by integers.
"""

import z3

from lemmas import at_least_each, digit, in_parts, one_more
from model import KTIME_MAX, U64_MAX, Clock, signed, unsigned, wide
from operations import Unsupported
from theorems import AT, clock_claims, expiry_claims


def deadline_claims(result, distance, product, cycle_last, mult, ahead):
    """What is claimed of a deadline, of wide bit vectors or of integers.

    `distance` is what it is after cycle_last before it saturates, `product` that times mult, and
    `ahead` what the time asked for is after the last update, times 2^shift.
    """
    end = cycle_last + distance

    yield "a time that is reached has the last update as its deadline", z3.Implies(
        ahead <= 0, distance == 0)
    yield "at its deadline a time is reached", product >= ahead
    yield "a cycle before its deadline it is not", z3.Implies(ahead > 0, product - mult < ahead)
    yield "a deadline saturates if and only if it must", z3.And(
        distance >= 0, result == z3.If(end > U64_MAX, U64_MAX, end))


def deadline(source, shift):
    """One deadline: a long division by mult, in two digits of 32 bits, rounded up."""
    clock, time = Clock(source, shift), z3.BitVec("time", 64)
    function = clock.call("deadline_of", time)
    base, xtime_nsec = clock.numbers
    # As wide as in the code, and then shown to have been wide enough.
    narrow = (z3.SignExt(64, time) - z3.SignExt(64, clock.base) << shift) - z3.ZeroExt(
        64, clock.xtime_nsec)
    ahead = signed(narrow)
    if len(function.divisions) != 2:
        raise Unsupported(f"{len(function.divisions)} divisions")
    upper, lower = function.divisions
    dividends = [unsigned(dividend) for _, _, dividend, _ in function.divisions]
    last = unsigned(z3.Extract(31, 0, lower[2]))
    distance = z3.If(ahead > 0, unsigned(upper[0]) * 2**32 + unsigned(lower[0]) +
                     z3.If(lower[1] != 0, wide(1), wide(0)), wide(0))
    end = unsigned(clock.cycle_last) + distance
    fits = ahead < 2**96
    # By the lemma of a digit, for which the next but one is enough.
    facts = clock.facts + [fits, z3.Implies(ahead > 0, z3.ULT(lower[0], 2**32))]

    yield "what is ahead of the last update fits", [], [
        fits, ahead == (signed(time) - base << shift) - xtime_nsec]
    yield "deadline() divides by mult what is ahead", clock.facts + [fits], [
        z3.Implies(ahead > 0, z3.And(
            unsigned(upper[3]) == unsigned(clock.mult), unsigned(lower[3]) == unsigned(clock.mult),
            dividends[0] * 2**32 + last == ahead,
            dividends[1] == unsigned(upper[1]) * 2**32 + last))]
    yield "the translation of deadline() holds", facts, [
        z3.Implies(ahead > 0, z3.And(*clock.claims))]
    yield "a deadline is that after the last update, or the end", facts, [
        unsigned(function.result) == z3.If(end > U64_MAX, wide(U64_MAX), end)]


def long_division():
    """What comes of those digits, for any shift."""
    mult, ahead, first, last = z3.Ints("mult ahead first last")
    upper, upper_rest, lower, rest = z3.Ints("upper upper_rest lower rest")
    more = z3.If(rest != 0, 1, 0)
    distance = upper * 2**32 + lower + more
    facts = [mult >= 1, mult < 2**32, ahead > 0, last >= 0, last < 2**32, upper >= 0, lower >= 0,
             upper_rest >= 0, upper_rest < mult, rest >= 0, rest < mult,
             ahead == first * 2**32 + last, first == upper * mult + upper_rest,
             upper_rest * 2**32 + last == lower * mult + rest,
             in_parts(upper, lower, more, mult), digit(lower, mult, upper_rest, last)]

    yield "a digit has 32 bits", facts, [lower < 2**32]
    result, cycle_last = z3.Ints("result cycle_last")
    end = cycle_last + distance
    facts += [cycle_last >= 0, result == z3.If(end > U64_MAX, U64_MAX, end)]
    for name, claim in deadline_claims(result, distance, distance * mult, cycle_last, mult, ahead):
        yield name, facts, [claim]


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

    def deadline(self, name, time):
        """The deadline of a time, and its distance before it saturates."""
        result, distance = z3.Ints(f"{name}_result {name}_distance")
        ahead = (time - self.base) * self.one_ns - self.xtime_nsec
        self._claims(deadline_claims(result, distance, distance * self.mult, self.cycle_last,
                                     self.mult, ahead))
        self.facts += [time >= -KTIME_MAX - 1, time <= KTIME_MAX]
        return result, distance


def to_and_back(_, shift):
    """An expiry and the deadline of that."""
    line, deadline_of = Line(shift), z3.Int("deadline")
    line.facts += [deadline_of >= 0, deadline_of <= U64_MAX]
    kind, ns = line.expiry("to", deadline_of)
    back, distance = line.deadline("back", ns)
    there = deadline_of - line.cycle_last
    facts = line.facts + [kind == AT, one_more(distance, line.mult, there)]

    yield "to an expiry and back is no earlier", facts, [back >= deadline_of]
    yield "and later by less than 1 ns and a cycle", facts, [
        distance * line.mult - there * line.mult < line.one_ns + line.mult]
    yield "which does not follow from a contradiction", facts + [back > line.cycle_last], None


def from_and_back(_, shift):
    """A deadline, and the clock and the expiry there."""
    line, time = Line(shift), z3.Int("time")
    at, distance = line.deadline("at", time)
    kind, ns = line.expiry("back", at)
    # After the last update and below the end: of these nothing more is to be said.
    between = [line.cycle_last < at, at < U64_MAX]
    facts = line.facts + between
    then, before = line.reads("then", at), line.reads("before", at - 1)
    readable = line.facts + between + [distance < 2**63]

    yield "to a deadline and back is no earlier", facts, [ns >= time]
    yield "and later by less than 1 ns and a cycle, unless it is beyond", facts, [
        z3.Implies(kind == AT, ns * line.one_ns < time * line.one_ns + line.one_ns + line.mult)]
    yield "at the deadline the clock has reached the time", readable, [then >= time]
    yield "and a cycle before it has not", readable, [before < time]
    yield "which does not follow from a contradiction of its own", readable, None


def in_order(_, shift):
    """Two deadlines."""
    line, early, late = Line(shift), z3.Int("early"), z3.Int("late")
    first, first_distance = line.deadline("first", early)
    second, second_distance = line.deadline("second", late)
    facts = line.facts + [early <= late, one_more(second_distance, line.mult, first_distance),
                          at_least_each(first_distance, line.mult)]

    yield "a later time has no earlier deadline", facts, [first <= second]


THEOREMS = (deadline, to_and_back, from_and_back, in_order)
