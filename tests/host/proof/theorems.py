# SPDX-License-Identifier: GPL-2.0
"""What is proven of expiries and the clock: for one shift, and all values of everything else.

Theorems are yielded as (name, facts, claims): the claims follow from the facts, for all values.

First what one call returns, by bit vectors, so to the last bit of the code.  What two calls have to
do with one another follows from that by arithmetic alone, and is proven so, in integers: the same
functions (`expiry_claims`, `clock_claims`) state both.
"""

import z3

from model import KTIME_MAX, NO_RATE, Clock, is_floor, signed

PAST, AT, BEYOND = 0, 1, 2


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


def refused(source):
    """A mult of 0 or a shift above 32 is refused."""
    shift, raw_mult = z3.BitVecs("shift raw_mult", 32)
    tsc, now = z3.BitVecs("tsc now", 64)
    clock = Clock(source, shift)
    no_rate = z3.Or(clock.mult == 0, z3.UGT(shift, 32))
    for name, more in (("expiry_kind", [tsc]), ("expiry_ns", [tsc]), ("mono", [tsc]),
                       ("look", [tsc, raw_mult, now])):
        function = clock.call(name, *more)
        is_refused = z3.Or(no_rate, raw_mult == 0) if name == "look" else no_rate
        yield f"{name} refuses a rate of no clocksource", [], [
            z3.Implies(is_refused, function.result == NO_RATE)]


def expiry(source, shift):
    """One expiry."""
    clock, deadline = Clock(source, shift), z3.BitVec("deadline", 64)
    product, total = clock.product(deadline)
    kind = signed(clock.call("expiry_kind", deadline, products=[product]).result)
    ns = signed(clock.call("expiry_ns", deadline, products=[product]).result)
    past = z3.ULE(deadline, clock.cycle_last)
    base, xtime_nsec = clock.numbers

    yield "the translation of expiry() holds", clock.facts, clock.claims
    for name, claim in expiry_claims(past, kind, ns, base, xtime_nsec, total,
                                     clock.one_ns):
        yield name, clock.facts, [claim]


def mono(source, shift):
    """One reading of the clock."""
    clock, now = Clock(source, shift), z3.BitVec("now", 64)
    product, total = clock.product(now)
    reads = signed(clock.call("mono", now, products=[product]).result)
    base, xtime_nsec = clock.numbers

    yield "the translation of mono() holds", clock.facts, clock.claims
    for name, claim in clock_claims(now - clock.cycle_last < 0, reads, base, xtime_nsec,
                                    total, clock.one_ns):
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
