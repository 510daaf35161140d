# SPDX-License-Identifier: GPL-2.0
"""What the theorems are about: the translated code, its variables, and what is known of them."""

import z3

from llvm import Function

# Of a product and xtime_nsec, which are below 2^97; and of everything, with sign and room.
TOTAL = 97
WIDE = 130
KTIME_MAX = 2**63 - 1
U64_MAX = 2**64 - 1
NO_RATE = 99


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


class Model:
    """Some functions of the code."""

    def __init__(self, source):
        """Take the code from `source`."""
        self.source = source
        self.facts = []
        self.not_zero = []  # arguments, as one of the facts
        self.claims = []  # what the translation needs to be right

    def assume_not_zero(self, value):
        """Take a value to be above 0."""
        self.not_zero.append(value)
        self.facts.append(value != 0)

    def translate(self, name, arguments, products=()):
        """Translate function `name`; `products` are all that it has: (factor, factor, product).

        The factors and the product are wide.
        """
        prefix = f"{name} {' '.join(map(str, arguments))} "
        function = Function(name, self.source, arguments, prefix, self.not_zero)
        names = []
        for found, left, right in function.products:
            factors = [unsigned(z3.substitute(factor, *names)) for factor in (left, right)]
            orders = [((first, second), product) for first, second, product in products]
            orders += [((second, first), product) for first, second, product in products]
            # Mostly they are the same terms; else the solver is asked, which takes longer.
            product = next((product for same in (self._look_same, self._are_same)
                            for others, product in orders if same(factors, others)), None)
            if product is None:
                self.claims.append(z3.BoolVal(False))
            else:
                names.append((found, z3.Extract(found.size() - 1, 0, product)))
        for quotient, remainder, dividend, divisor in function.divisions:
            # Of the quotient by the lemma at_least_each.
            self.facts.append(z3.Implies(divisor != 0, z3.And(
                z3.ULT(remainder, divisor), z3.ULE(remainder, dividend),
                z3.ULE(quotient, dividend))))
        # Named at once: what several functions have in common is then the same term.
        self.claims += [z3.substitute(z3.Implies(path, claim), *names)
                        for path, claim, _ in function.obligations]
        function.result = z3.simplify(z3.substitute(function.result, *names))
        return function

    @staticmethod
    def _look_same(factors, others):
        return all(z3.is_true(z3.simplify(one == other)) for one, other in zip(factors, others))

    def _are_same(self, factors, others):
        """Whether they are so for all values that the facts allow."""
        solver = z3.Solver()
        solver.set("timeout", 10000)
        solver.add(*self.facts, z3.Or(*(one != other for one, other in zip(factors, others))))
        return solver.check() == z3.unsat


class Clock(Model):
    """A timekeeper of a given shift with everything else free."""

    def __init__(self, source, shift):
        """Take the code from `source`; `shift` may be a term."""
        super().__init__(source)
        self.mult = z3.BitVec("mult", 32)
        self.cycle_last, self.xtime_nsec, self.base = z3.BitVecs("cycle_last xtime_nsec base", 64)
        self.shift = z3.BitVecVal(shift, 32) if isinstance(shift, int) else shift
        self.one_ns = wide(2**shift) if isinstance(shift, int) else None
        if isinstance(shift, int):
            self.assume_not_zero(self.mult)
        self.numbers = signed(self.base), unsigned(self.xtime_nsec)

    def call(self, name, *more, products=()):
        """Translate function `name` of the clock and more; see `translate()`."""
        return self.translate(name, [self.cycle_last, self.mult, self.shift, self.xtime_nsec,
                                     self.base, *more], products)

    def product(self, tsc):
        """The product (tsc - cycle_last) * mult, of which the lemmas hold; and the sum of it
        and xtime_nsec.

        It is named by the sum: that is what both the code and the claims go on with, and z3 then
        need not find out that two orders of addition give the same.
        """
        cycles = unsigned(tsc - self.cycle_last)
        mult, xtime_nsec = unsigned(self.mult), unsigned(self.xtime_nsec)
        total = unsigned(z3.BitVec(f"total {tsc}", TOTAL))
        product = total - xtime_nsec
        self.facts += [
            total >= xtime_nsec,
            product <= (2**64 - 1) * (2**32 - 1),
            z3.If(cycles == 0, product == 0, z3.And(product >= cycles, product >= mult)),
        ]
        return (cycles, mult, product), total
