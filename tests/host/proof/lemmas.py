# SPDX-License-Identifier: GPL-2.0
"""Facts about products of integers: proven by themselves, of all integers, and then used.

Each takes integers and returns what is so of them.  A solver that has a product as a variable, or
that does not think of multiplying two sides, is told by them.
"""

import z3


def at_least_each(a, b):
    """A product is at least each factor."""
    return z3.Implies(z3.And(a >= 1, b >= 1), z3.And(a * b >= a, a * b >= b))


def at_most_96_bits(a, b):
    """A product of 64 and 32 bits has at most 96."""
    return z3.Implies(z3.And(a >= 0, a < 2**64, b >= 0, b < 2**32),
                      z3.And(a * b >= 0, a * b <= (2**64 - 1) * (2**32 - 1)))


def at_most_128_bits(a, b):
    """A product of twice 64 bits has at most 128."""
    return z3.Implies(z3.And(a >= 0, a < 2**64, b >= 0, b < 2**64),
                      z3.And(a * b >= 0, a * b <= (2**64 - 1) * (2**64 - 1)))


def one_more(a, b, c):
    """One more cycle is at least one more mult."""
    return z3.Implies(z3.And(a < c, b >= 0), a * b + b <= c * b)


def in_order(a, b, c):
    """A larger factor makes no smaller product."""
    return z3.Implies(z3.And(a <= c, b >= 0), a * b <= c * b)


def positive(a, b):
    """What a positive number makes positive is positive."""
    return z3.Implies(z3.And(a >= 0, a * b > 0), b > 0)


LEMMAS = (at_least_each, at_most_96_bits, at_most_128_bits, one_more, in_order, positive)


def lemmas():
    """All of them, as (name, claim)."""
    for lemma in LEMMAS:
        count = lemma.__code__.co_argcount
        name = lemma.__doc__.rstrip(".")
        yield name[0].lower() + name[1:], lemma(*z3.Ints("a b c d")[:count])
