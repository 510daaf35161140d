# SPDX-License-Identifier: GPL-2.0
"""What is proven of the pure arithmetic: for one shift, and all values of everything else.

Theorems are yielded as (name, facts, claims): the claims follow from the facts, for all values.

First what one call returns, by bit vectors, so to the last bit of the code.  What two calls have to
do with one another follows from that by arithmetic alone, and is proven so, in integers: the same
functions (`expiry_claims`, `clock_claims`) state both.
"""

import z3

from llvm import Function

# Of a product and xtime_nsec, which are below 2^97; and of everything, with sign and room.
TOTAL = 97
WIDE = 130
KTIME_MAX = 2**63 - 1
NO_RATE = 99
PAST, AT, BEYOND = 0, 1, 2


def unsigned(term):
    """A term as an unsigned number, wide."""
    return z3.ZeroExt(WIDE - term.size(), term)


def signed(term):
    """A term as a signed number, wide."""
    return z3.SignExt(WIDE - term.size(), term)


def wide(number):
    """A number, wide."""
    return z3.BitVecVal(number, WIDE)


def is_floor(result, exact, one_ns):
    """Whether a result is an exact time rounded down, or the largest there is."""
    beyond = exact >= (KTIME_MAX + 1) * one_ns
    return z3.If(beyond, result == KTIME_MAX,
                 z3.And(result * one_ns <= exact, exact < (result + 1) * one_ns))


def expiry_claims(past, kind, ns, base, xtime_nsec, since_base, one_ns):
    """What is claimed of an expiry, of wide bit vectors or of integers.

    `since_base` is the sum of the product and xtime_nsec.
    """
    exact = base * one_ns + since_base
    limit = KTIME_MAX * one_ns

    yield "a deadline is past or not", (kind == PAST) == past
    yield "a past deadline has been reached", z3.Implies(
        past, is_floor(ns, base * one_ns + xtime_nsec, one_ns))
    yield "an expiry is never early", z3.Implies(kind == AT, ns * one_ns >= exact)
    yield "an expiry is less than 1 ns late", z3.Implies(kind == AT, ns * one_ns < exact + one_ns)
    yield "an expiry saturates if and only if it must", z3.Implies(z3.Not(past), z3.And(
        z3.Or(kind == AT, kind == BEYOND),
        (kind == BEYOND) == z3.Or(exact > limit, since_base > limit),
        z3.Implies(kind == BEYOND, ns == KTIME_MAX)))


def clock_claims(behind, reads, base, xtime_nsec, since_base, one_ns):
    """What is claimed of a reading of the clock, of wide bit vectors or of integers."""
    exact = base * one_ns + z3.If(behind, xtime_nsec, since_base)

    yield "the clock reads as ktime_get()", is_floor(reads, exact, one_ns)


def lemmas():
    """The facts about products that are used below, of all integers."""
    a, b, c = z3.Ints("a b c")
    positive = z3.And(a >= 1, b >= 1)
    bounded = z3.And(a >= 0, a < 2**64, b >= 0, b < 2**32)
    yield "a product is at least each factor", z3.Implies(
        positive, z3.And(a * b >= a, a * b >= b))
    yield "a product of 64 and 32 bits has at most 96", z3.Implies(
        bounded, z3.And(a * b >= 0, a * b <= (2**64 - 1) * (2**32 - 1)))
    yield "one more cycle is at least one more mult", z3.Implies(
        z3.And(a < c, b >= 0), a * b + b <= c * b)


class Clock:
    """A timekeeper of a given shift with everything else free."""

    def __init__(self, source, shift):
        """Take the code from `source`; `shift` may be a term."""
        self.source = source
        self.mult = z3.BitVec("mult", 32)
        self.cycle_last, self.xtime_nsec, self.base = z3.BitVecs("cycle_last xtime_nsec base", 64)
        self.shift = z3.BitVecVal(shift, 32) if isinstance(shift, int) else shift
        self.one_ns = wide(2**shift) if isinstance(shift, int) else None
        self.facts = [self.mult != 0]
        self.claims = []  # what the translation needs to be right
        self.numbers = signed(self.base), unsigned(self.xtime_nsec)

    def call(self, name, tsc, product):
        """Returns the result of function `name` for a TSC value, wide and signed."""
        cycles = tsc - self.cycle_last
        function = Function(name, self.source,
                            [self.cycle_last, self.mult, self.shift, self.xtime_nsec, self.base,
                             tsc], f"{name} {tsc} ")
        for found, left, right in function.products:
            # The only product is that of cycles and mult, so it has one name everywhere.
            self.claims.append(z3.And(unsigned(left) == unsigned(cycles),
                                      unsigned(right) == unsigned(self.mult)))
            self.facts.append(found == product)
        self.claims += [z3.Implies(path, claim) for path, claim, _ in function.obligations]
        return signed(function.result)

    def product(self, tsc):
        """Returns (tsc - cycle_last) * mult, of which the lemmas hold.

        It is named by its sum with xtime_nsec: that is what both the code and the claims go on
        with, and z3 then need not find out that two orders of addition give the same.
        """
        cycles, xtime_nsec = tsc - self.cycle_last, z3.ZeroExt(64, self.xtime_nsec)
        total = z3.ZeroExt(128 - TOTAL, z3.BitVec(f"total {tsc}", TOTAL))
        product = total - xtime_nsec
        self.facts += [
            z3.UGE(total, xtime_nsec),
            z3.ULE(product, (2**64 - 1) * (2**32 - 1)),
            z3.If(cycles == 0, product == 0,
                  z3.And(z3.UGE(product, z3.ZeroExt(64, cycles)),
                         z3.UGE(product, z3.ZeroExt(96, self.mult)))),
        ]
        return product, total


def refused(source):
    """A mult of 0 or a shift above 32 is refused."""
    shift, tsc = z3.BitVec("shift", 32), z3.BitVec("tsc", 64)
    clock = Clock(source, shift)
    for name in ("expiry_kind", "expiry_ns", "mono"):
        result = clock.call(name, tsc, z3.BitVec("any product", 128))
        yield f"{name} refuses a rate of no clocksource", [], [
            z3.Implies(z3.Or(clock.mult == 0, z3.UGT(shift, 32)), result == wide(NO_RATE))]


def expiry(source, shift):
    """One expiry."""
    clock, deadline = Clock(source, shift), z3.BitVec("deadline", 64)
    product, total = clock.product(deadline)
    kind = clock.call("expiry_kind", deadline, product)
    ns = clock.call("expiry_ns", deadline, product)
    past = z3.ULE(deadline, clock.cycle_last)
    base, xtime_nsec = clock.numbers

    yield "the translation of expiry() holds", clock.facts, clock.claims
    for name, claim in expiry_claims(past, kind, ns, base, xtime_nsec, unsigned(total),
                                     clock.one_ns):
        yield name, clock.facts, [claim]


def mono(source, shift):
    """One reading of the clock."""
    clock, now = Clock(source, shift), z3.BitVec("now", 64)
    product, total = clock.product(now)
    reads = clock.call("mono", now, product)
    base, xtime_nsec = clock.numbers

    yield "the translation of mono() holds", clock.facts, clock.claims
    for name, claim in clock_claims(now - clock.cycle_last < 0, reads, base, xtime_nsec,
                                    unsigned(total), clock.one_ns):
        yield name, clock.facts, [claim]


def together(_, shift):
    """Two expiries of one clock, and the clock before an expiry."""
    one_ns = 2**shift
    mult, cycle_last, xtime_nsec, base = z3.Ints("mult cycle_last xtime_nsec base")
    early, late = z3.Ints("early late")
    facts = [mult >= 1, xtime_nsec >= 0, base >= -KTIME_MAX - 1, base <= KTIME_MAX, early <= late]
    products, results = [], []
    for name, tsc in (("early", early), ("late", late)):
        product, kind, ns = z3.Ints(f"{name}_product {name}_kind {name}_ns")
        facts += [claim for _, claim in expiry_claims(tsc <= cycle_last, kind, ns, base,
                                                      xtime_nsec, product + xtime_nsec, one_ns)]
        facts += [product >= 0, ns >= -KTIME_MAX - 1, ns <= KTIME_MAX]
        products.append(product)
        results.append(ns)
    # By the lemma: the products are (tsc - cycle_last) * mult where that is not past.
    facts += [z3.Implies(early == late, products[0] == products[1]),
              z3.Implies(z3.And(cycle_last <= early, early < late),
                         products[0] + mult <= products[1])]
    reads = z3.Int("reads")
    clock = [claim for _, claim in clock_claims(z3.BoolVal(False), reads, base, xtime_nsec,
                                                products[0] + xtime_nsec, one_ns)]

    yield "a later deadline has no earlier expiry", facts, [results[0] <= results[1]]
    yield "before the deadline the clock has not reached its expiry", facts + clock, [
        z3.Implies(z3.And(cycle_last <= early, early < late),
                   z3.Or(reads < results[1], reads == KTIME_MAX))]
    # Else everything would follow from them.
    yield "and that does not follow from a contradiction", facts + clock + [early < late], None


THEOREMS = (expiry, mono, together)
