# SPDX-License-Identifier: GPL-2.0
"""What is proven of `Frequency`: KVM's nanoseconds from cycles by kHz, and back.

As in theorems.py: one call by bit vectors, what it means for kHz by integers.
"""

import z3

from lemmas import in_order, positive
from model import KTIME_MAX, U64_MAX, Model, unsigned, wide
from operations import Unsupported

ONE = 2**40
KHZ_MAX = 2**24 - 1
NSEC_PER_MSEC = 10**6


def cycles_claims(result, product):
    """What is claimed of nanoseconds in cycles; `product` is of them and the factor."""
    yield "cycles are rounded up, to one more if there is nothing to round", z3.Implies(
        result != U64_MAX, z3.And(result * ONE > product, (result - 1) * ONE <= product))
    yield "cycles saturate if and only if they must", z3.And(
        result <= U64_MAX, (result == U64_MAX) == (product >= (U64_MAX - 1) * ONE))


def ns_claims(result, product):
    """What is claimed of cycles in nanoseconds; `product` is of them and the factor."""
    beyond = product >= (KTIME_MAX + 1) * ONE

    yield "nanoseconds are rounded down, or the most there are", z3.If(
        beyond, result == KTIME_MAX,
        z3.And(result * ONE <= product, product < (result + 1) * ONE))


def conversions(source):
    """Both conversions, with any factor."""
    for name, claims in (("cycles_in", cycles_claims), ("ns_in", ns_claims)):
        model, (factor, value) = Model(source), z3.BitVecs("factor value", 64)
        product = unsigned(z3.BitVec("factor * value", 128))
        # The lemma at_most_128_bits.
        model.facts.append(product <= U64_MAX * U64_MAX)
        result = unsigned(model.translate(name, [factor, value], [
            (unsigned(factor), unsigned(value), product)]).result)
        yield f"the translation of {name} holds", model.facts, model.claims
        for name, claim in claims(result, product):
            yield name, model.facts, [claim]


def factors(source):
    """Both factors, of any kHz."""
    khz = z3.BitVec("khz", 32)
    known = z3.And(khz != 0, z3.ULE(khz, KHZ_MAX))
    for name, dividend, divisor, more in (
            ("cycles_per_ns", unsigned(khz) * ONE, wide(NSEC_PER_MSEC), 1),
            ("ns_per_cycle", wide(NSEC_PER_MSEC * ONE), unsigned(khz), 0)):
        model = Model(source)
        function = model.translate(name, [khz])
        if len(function.divisions) != 1:
            raise Unsupported(f"{len(function.divisions)} divisions")
        (quotient, _, found, by), = function.divisions
        # The lemma in_order, of the quotient and 2^45, by which it is below that.
        model.facts.append(z3.Implies(z3.And(by != 0, unsigned(quotient) >= 2**45),
                                      unsigned(found) >= unsigned(by) * 2**45))
        yield f"the translation of {name} holds", model.facts + [known], [
            *model.claims, unsigned(found) == dividend, unsigned(by) == divisor]
        yield f"{name} is of the frequencies that there are, and the quotient", model.facts, [
            function.result == z3.If(known, quotient + more, 0)]


def meaning():
    """The conversions by the factors of any kHz."""
    khz, cycles_per_ns, ns_per_cycle, rest, other_rest = z3.Ints(
        "khz cycles_per_ns ns_per_cycle rest other_rest")
    ns, cycles, back = z3.Ints("ns cycles back")
    facts = [khz >= 1, khz <= KHZ_MAX,
             khz * ONE == (cycles_per_ns - 1) * NSEC_PER_MSEC + rest,
             rest >= 0, rest < NSEC_PER_MSEC,
             NSEC_PER_MSEC * ONE == ns_per_cycle * khz + other_rest,
             other_rest >= 0, other_rest < khz]
    to = facts + [ns >= 0, ns <= U64_MAX,
                  *(claim for _, claim in cycles_claims(cycles, ns * cycles_per_ns)),
                  in_order(khz * ONE + 1, ns, cycles_per_ns * NSEC_PER_MSEC),
                  in_order(cycles_per_ns * NSEC_PER_MSEC, ns, khz * ONE + NSEC_PER_MSEC)]
    # A whole number of them takes kHz to the million.
    exact, most = ns * khz, (ns * khz + NSEC_PER_MSEC) * ONE + ns * NSEC_PER_MSEC
    yield "cycles are no fewer than the nanoseconds are", to, [
        z3.Or(cycles == U64_MAX, cycles * NSEC_PER_MSEC >= exact)]
    yield "and more by at most 1 and 2^-40 for each", to, [
        z3.Implies(cycles != U64_MAX, cycles * NSEC_PER_MSEC * ONE <= most)]

    of = [cycles >= 0, cycles <= U64_MAX,
          *(claim for _, claim in ns_claims(back, cycles * ns_per_cycle)),
          in_order(back * ONE, khz, cycles * ns_per_cycle),
          in_order(cycles * ns_per_cycle, khz, (back + 1) * ONE - 1),
          in_order(ns_per_cycle * khz, cycles, NSEC_PER_MSEC * ONE),
          in_order(NSEC_PER_MSEC * ONE - khz, cycles, ns_per_cycle * khz)]
    yield "nanoseconds are no more than the cycles are", facts + of, [
        z3.Implies(back != KTIME_MAX, back * khz <= cycles * NSEC_PER_MSEC)]
    yield "and fewer by at most 1 and 2^-40 for each", facts + of, [
        z3.Implies(back != KTIME_MAX,
                   (back + 1) * khz * ONE + cycles * khz >= cycles * NSEC_PER_MSEC * ONE)]
    both = to + of + [back != KTIME_MAX, cycles != U64_MAX,
                      positive(khz, (back + 1 - ns) * ONE + cycles)]
    yield "to cycles and back is fewer by less than 1 ns and 2^-40 for each cycle", both, [
        (ns - back - 1) * ONE < cycles]
    yield "to cycles and back is more by at most the cycle", both, [
        back * khz * ONE <= most]
    yield "which does not follow from a contradiction", both + [ns > 1000, khz == 3000000], None


def in_order_claims():
    """More nanoseconds are no fewer cycles, and the other way round."""
    factor, less, more, first, second = z3.Ints("factor less more first second")
    facts = [factor >= 0, less >= 0, less <= more, in_order(less, factor, more)]
    for what, claims in (("nanoseconds", cycles_claims), ("cycles", ns_claims)):
        both = [claim for result, value in ((first, less), (second, more))
                for _, claim in claims(result, value * factor)]
        yield f"more {what} are converted to no less", facts + both, [first <= second]


def theorems(source):
    """All of them; none depends on a shift."""
    yield from conversions(source)
    yield from factors(source)
    yield from meaning()
    yield from in_order_claims()
